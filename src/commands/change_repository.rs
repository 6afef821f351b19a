//! Change repository: a stack moves to the repository at another address, or the credential for the one it has is renewed.
//!
//! The stack goes on as a new one begins: the branches that are there count as answered, so that nothing runs by itself
//! until the next push. It stays at its current commit when the repository has it, which a repository that merely moved
//! does; otherwise it has none any more, because a commit that is nowhere would refuse every promotion for good.
//!
//! Credentials reach further than one stack, so this takes the right to add a repository. And it waits until the runs of
//! the stack have ended: they need the repository that they began with.

use super::Context;
use super::add_repository::{Seen, keep, look};
use super::create_stack::{check_place, no_branch};
use super::fetch::fetch;
use crate::domain::difference::Differences;
use crate::domain::permission::{Configure, CreateStack, Permit, permit};
use crate::domain::problem::{Problem, Refusal, Thing};
use crate::domain::stack::Stack;
use crate::domain::{CommitHash, StackId};
use crate::git::Address;
use crate::store::{Reading, Repository, Settings, Writing};

/// What becomes of the repository when a page is saved.
pub(super) enum Change {
    /// Nothing: the address is the one that the stack has.
    Nothing,
    /// It is read with another credential from now on.
    Credential(Seen, Permit<CreateStack>),
    /// The stack moves to this one.
    Repository(Move),
}

/// A stack's way to another repository.
pub(super) struct Move {
    to: Repository,
    /// The current commit that was looked for.
    current: Option<CommitHash>,
    /// Whether the other repository has it.
    kept: bool,
}

/// Looks at the repository that was typed, and prepares the stack's move there as far as it can be done beforehand: the
/// repository is kept and fetched, as the first step of a new stack does. `after` are the settings as they will be.
pub(super) async fn prepare(
    context: &Context,
    permission: &Permit<Configure>,
    stack: &Stack,
    typed: &str,
    after: &Settings,
) -> Result<Change, Problem> {
    let address = Address::parse(typed).map_err(|problem| Problem::field("address", problem.to_string()))?;
    let stays = address.clean == stack.address;
    if stays && address.credential.is_none() {
        return Ok(Change::Nothing);
    }
    let adding = permit::<CreateStack>(permission.viewer(), &StackId::new(""))?;
    if !stays {
        no_open_runs(&mut context.store.read().await?, stack).await?;
    }
    let seen = look(context, address).await?;
    if stays {
        return Ok(Change::Credential(seen, adding));
    }
    if !seen.heads.contains_key(&after.tracked_branch) {
        return Err(Problem::Invalid(vec![no_branch(&after.tracked_branch)]));
    }
    let mut writing = context.store.write().await?;
    let to = keep(context, &mut writing, &adding, &seen).await?.id;
    writing.commit().await?;
    fetch(context, &to).await.map_err(at_the_field)?;
    let to = context.store.read().await?.repository(&to).await?.ok_or(Problem::NotFound(Thing::Repository))?;
    let problems = check_place(context, &to, after).await;
    if !problems.is_empty() {
        return Err(Problem::Invalid(problems));
    }
    let current = stack.current_commit.clone();
    let kept = match &current {
        Some(commit) => {
            let there = Stack { repository: to.id.clone(), ..stack.clone() };
            context.commit(&there, commit).await.is_ok()
        }
        None => true,
    };
    Ok(Change::Repository(Move { to, current, kept }))
}

fn at_the_field(problem: Problem) -> Problem {
    if let Problem::Refused(refusal) = &problem
        && let Refusal::Unreachable { reason } = refusal.as_ref()
    {
        return Problem::field("address", reason.as_str());
    }
    problem
}

async fn no_open_runs(reading: &mut Reading, stack: &Stack) -> Result<(), Problem> {
    let count = reading.open_runs(&stack.id).await?;
    if count > 0 { Err(Problem::refused(Refusal::RunsOpen { count })) } else { Ok(()) }
}

impl Change {
    /// The settings that it changes, beside those of the page.
    pub fn settings(&self, stack: &Stack, page: Differences) -> Differences {
        match self {
            Self::Nothing | Self::Credential(..) => page,
            Self::Repository(to) => page.and("Repository", stack.address.as_str(), to.to.address.as_str()),
        }
    }

    /// Carries it out on a stack that this transaction has taken; what differs, for the activity log.
    pub async fn carry_out(
        self,
        context: &Context,
        writing: &mut Writing,
        stack: &Stack,
        differences: Differences,
    ) -> Result<Differences, Problem> {
        match self {
            Self::Nothing => Ok(differences),
            Self::Credential(seen, adding) => {
                keep(context, writing, &adding, &seen).await?;
                Ok(differences)
            }
            Self::Repository(Move { to, current, kept }) => {
                no_open_runs(writing, stack).await?;
                if stack.current_commit != current {
                    return Err(Problem::refused(Refusal::Overtaken));
                }
                writing.set_repository(&stack.id, &to.id).await?;
                writing.set_answered_heads(&stack.id, &to.heads).await?;
                let Some(left) = current.filter(|_| !kept) else { return Ok(differences) };
                writing.set_current(&stack.id, None, None).await?;
                Ok(differences.and("Current commit", left.to_string(), ""))
            }
        }
    }
}
