//! Allow plan: a maintainer lets exactly one commit of a fork be planned.
//!
//! A plan runs the fork's code with the stack's credentials, so it is asked for each commit, and only where the stack
//! allows it at all. It never leads to a promotion.

use super::propose::start_proposed;
use super::{Context, fetch, find_stack, take_again};
use crate::domain::check_run::Refusal;
use crate::domain::permission::{Action, AllowPlan, Permit};
use crate::domain::problem::{Problem, Thing};
use crate::domain::pull_request::{PullRequest, PullRequestState};
use crate::domain::stack::Stack;
use crate::domain::{CommitHash, RunId};

/// Plans this commit of the fork's pull request with this number.
pub async fn allow_plan(
    context: &Context,
    permit: &Permit<AllowPlan>,
    number: i64,
    commit: &CommitHash,
) -> Result<RunId, Problem> {
    let result = attempt(context, permit, number, commit).await;
    context.noted(permit, None, result).await
}

async fn attempt(
    context: &Context,
    permit: &Permit<AllowPlan>,
    number: i64,
    commit: &CommitHash,
) -> Result<RunId, Problem> {
    let mut reading = context.store.read().await?;
    let stack = find_stack(&mut reading, permit.stack()).await?;
    let github = reading.github_of(&stack.repository).await?.ok_or(Problem::NotFound(Thing::Repository))?;
    let pull = reading.pull_request(github.id, number).await?.ok_or(Problem::NotFound(Thing::Page))?;
    let repository = reading.repository(&stack.repository).await?.ok_or(Problem::NotFound(Thing::Repository))?;
    drop(reading);
    check(&stack, &pull, commit)?;
    let credential = fetch::credential(context, &repository).await;
    let credential = credential.map_err(|why| Refusal::NoCredential(&why).problem())?;
    let mirror = context.mirror(&stack.repository);
    mirror
        .fetch_pull_request(&context.outgoing, &repository.address, credential.as_deref(), number, commit)
        .await
        .map_err(|error| Refusal::NotFetched { number, commit, why: &error.to_string() }.problem())?;
    let commit = context.commit(&stack, commit).await?;

    let mut writing = context.store.write().await?;
    let stack = take_again(&mut writing, &stack).await?;
    let pull = writing.pull_request(github.id, number).await?.ok_or(Problem::NotFound(Thing::Page))?;
    // A fetch may take minutes, in which somebody may have thought better of it.
    check(&stack, &pull, &commit.hash)?;
    let actor = &permit.viewer().name;
    if !writing.allow_fork(&stack.id, &commit.hash, actor, context.now()).await?
        && let Some(run) = writing.newest_proposed_at(&stack.id, &commit.hash).await?
    {
        return Ok(run.id);
    }
    let detail = format!("{} of pull request {number} by {}", commit.hash.short(), pull.author);
    let run = start_proposed(context, &mut writing, &stack, &pull.branch(), commit, actor, None).await?;
    context.record(&mut writing, permit.viewer(), AllowPlan::NAME, Some(&stack.id), Some(&run.id), detail).await?;
    writing.commit().await?;
    context.work.notify_one();
    Ok(run.id)
}

fn check(stack: &Stack, pull: &PullRequest, commit: &CommitHash) -> Result<(), Problem> {
    let number = pull.number;
    if !stack.integration.fork_plans {
        return Err(Refusal::ForksNotPlanned.problem());
    }
    if !pull.fork {
        return Err(Refusal::NoFork(number).problem());
    }
    if pull.state != PullRequestState::Open {
        return Err(Refusal::NotOpen { number, state: pull.state }.problem());
    }
    if pull.head_commit != *commit {
        return Err(Refusal::AtAnother { number, head: &pull.head_commit, commit }.problem());
    }
    Ok(())
}
