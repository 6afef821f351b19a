//! Propose: starts a proposed run for a commit of a branch, and retires the older ones of that branch.

use super::receive_push::PUSH;
use super::{Context, advance_itself, find_stack, room_for_one, take_again};
use crate::domain::permission::{Action, Permit, Propose};
use crate::domain::problem::{Problem, Refusal};
use crate::domain::run::{Previous, Run};
use crate::domain::run_state::{RunKind, RunState};
use crate::domain::stack::Stack;
use crate::domain::{Commit, CommitHash, RunId};
use crate::store::{NewRun, Reading, Writing};
use std::collections::BTreeMap;

/// The branches of a repository, and where they point.
pub(super) type Heads = BTreeMap<String, CommitHash>;

/// Starts a proposed run for the newest commit of a branch, because a person asked.
pub async fn propose(context: &Context, permit: &Permit<Propose>, branch: &str) -> Result<RunId, Problem> {
    let result = attempt(context, permit, branch).await;
    context.noted(permit, None, result).await
}

async fn attempt(context: &Context, permit: &Permit<Propose>, branch: &str) -> Result<RunId, Problem> {
    let no_commit = || Problem::refused(Refusal::NoCommit { branch: branch.to_owned() });
    let mut reading = context.store.read().await?;
    let stack = find_stack(&mut reading, permit.stack()).await?;
    let repository = reading.repository(&stack.repository).await?.ok_or_else(no_commit)?;
    drop(reading);
    let hash = repository.heads.get(branch).ok_or_else(no_commit)?;
    let commit = context.commit(&stack, hash).await?;

    let mut writing = context.store.write().await?;
    let stack = take_again(&mut writing, &stack).await?;
    let run = start_proposed(context, &mut writing, &stack, branch, commit, &permit.viewer().name, None).await?;
    let detail = format!("{} on {branch}", run.commit.hash.short());
    context.record(&mut writing, permit.viewer(), Propose::NAME, Some(&stack.id), Some(&run.id), detail).await?;
    writing.commit().await?;
    context.work.notify_one();
    Ok(run.id)
}

/// Adds the proposed run to a stack that this transaction has taken; the branch's older ones are superseded.
pub(super) async fn start_proposed(
    context: &Context,
    writing: &mut Writing,
    stack: &Stack,
    branch: &str,
    commit: Commit,
    triggered_by: &str,
    retry_of: Option<RunId>,
) -> Result<Run, Problem> {
    if stack.disabled {
        return Err(Problem::refused(Refusal::Disabled));
    }
    let superseded = superseded(writing, stack, branch, &commit.hash, retry_of.as_ref()).await?;
    // Those that wait end at once and make room. Without room nothing may end: it would be for a run that never came.
    let waiting = superseded.iter().filter(|run| matches!(run.state, RunState::Queued | RunState::Ready)).count();
    room_for_one(context, writing, stack, waiting).await?;
    end_superseded(context, writing, &superseded, branch, &commit.hash).await?;
    let now = context.now();
    Ok(writing
        .add_run(&NewRun {
            id: context.ids.run(now),
            stack: stack.id.clone(),
            kind: RunKind::Proposed,
            branch: branch.to_owned(),
            commit,
            triggered_by: triggered_by.to_owned(),
            promoted_from: None,
            retry_of,
            previous: Previous::default(),
            created_at: now,
        })
        .await?)
}

/// Retires the branch's runs that a plan of this commit, which another branch has already, takes the place of.
pub(super) async fn supersede(
    context: &Context,
    writing: &mut Writing,
    stack: &Stack,
    branch: &str,
    commit: &CommitHash,
) -> Result<(), Problem> {
    let runs = superseded(writing, stack, branch, commit, None).await?;
    end_superseded(context, writing, &runs, branch, commit).await
}

/// The branch's runs that a run of this commit takes the place of.
async fn superseded(
    reading: &mut Reading,
    stack: &Stack,
    branch: &str,
    commit: &CommitHash,
    retry_of: Option<&RunId>,
) -> Result<Vec<Run>, Problem> {
    let heads = reading.repository(&stack.repository).await?.map(|repository| repository.heads).unwrap_or_default();
    // Planned once more, an old commit is no newer push: what plans another one goes on.
    let by_a_push = retry_of.is_none();
    let mut runs = reading.open_proposed(&stack.id, branch).await?;
    runs.retain(|run| {
        run.commit.hash == *commit || (by_a_push && !is_awaited(stack, &heads, branch, &run.commit.hash))
    });
    Ok(runs)
}

async fn end_superseded(
    context: &Context,
    writing: &mut Writing,
    runs: &[Run],
    branch: &str,
    commit: &CommitHash,
) -> Result<(), Problem> {
    let note = format!("Superseded by {} on {branch}.", commit.short());
    for run in runs {
        end_unawaited(context, writing, run, &note).await?;
    }
    Ok(())
}

/// Whether another branch is at the commit, shares its plan, and so still waits for it.
pub(super) fn is_awaited(stack: &Stack, heads: &Heads, branch: &str, commit: &CommitHash) -> bool {
    heads.iter().any(|(other, head)| other != branch && *other != stack.tracked_branch && head == commit)
}

/// Ends the proposed runs of a branch that nobody waits for any more: waiting ones are canceled, working ones stopped.
pub(super) async fn retire(
    context: &Context,
    writing: &mut Writing,
    stack: &Stack,
    branch: &str,
    note: &str,
    retired: impl Fn(&Run) -> bool,
) -> Result<(), Problem> {
    for run in writing.open_proposed(&stack.id, branch).await?.into_iter().filter(|run| retired(run)) {
        end_unawaited(context, writing, &run, note).await?;
    }
    Ok(())
}

/// Retires the run that pushes shared, when the last of the branches leaves its commit: the run may be of another one. What
/// a person asked for goes on.
pub(super) async fn leave(
    context: &Context,
    writing: &mut Writing,
    stack: &Stack,
    heads: &Heads,
    branch: &str,
    left: &CommitHash,
    note: &str,
) -> Result<(), Problem> {
    let shared = writing.newest_proposed_at(&stack.id, left).await?;
    let shared = shared.filter(|run| run.branch != branch && run.branch != stack.tracked_branch);
    let shared = shared.filter(|run| run.triggered_by == PUSH && run.retry_of.is_none());
    if let Some(run) = shared.filter(|_| !is_awaited(stack, heads, branch, left)) {
        end_unawaited(context, writing, &run, note).await?;
    }
    Ok(())
}

async fn end_unawaited(context: &Context, writing: &mut Writing, run: &Run, note: &str) -> Result<(), Problem> {
    match run.state {
        RunState::Queued | RunState::Ready => {
            advance_itself(context, writing, run, RunState::Canceled, Some(note)).await?;
        }
        RunState::Preparing | RunState::Initializing | RunState::Planning => {
            writing.request_stop(run, note).await?;
        }
        RunState::Unconfirmed
        | RunState::Confirmed
        | RunState::Applying
        | RunState::Finished
        | RunState::Failed
        | RunState::Discarded
        | RunState::Canceled
        | RunState::Stopped => {}
    }
    Ok(())
}
