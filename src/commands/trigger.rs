//! Trigger: starts a tracked run at the stack's current commit, or at the head of the tracked branch when it has none.

use super::track::{NewTracked, moved, start_tracked};
use super::{Context, find_stack, take_again, unlocked_for};
use crate::domain::RunId;
use crate::domain::permission::{Action, Permit, Trigger};
use crate::domain::problem::{Problem, Refusal};

/// Starts a tracked run because a person asked.
pub async fn trigger(context: &Context, permit: &Permit<Trigger>) -> Result<RunId, Problem> {
    let result = attempt(context, permit).await;
    context.noted(permit, None, result).await
}

async fn attempt(context: &Context, permit: &Permit<Trigger>) -> Result<RunId, Problem> {
    let mut reading = context.store.read().await?;
    let read = find_stack(&mut reading, permit.stack()).await?;
    let repository = reading.repository(&read.repository).await?;
    drop(reading);
    let head = repository.and_then(|repository| repository.heads.get(&read.tracked_branch).cloned());
    let hash = read
        .current_commit
        .clone()
        .or(head)
        .ok_or_else(|| Problem::refused(Refusal::NoCommit { branch: read.tracked_branch.clone() }))?;
    let commit = context.commit(&read, &hash).await?;

    let mut writing = context.store.write().await?;
    let stack = take_again(&mut writing, &read).await?;
    unlocked_for(&stack, &permit.viewer().name)?;
    if stack.current_commit != read.current_commit {
        return Err(Problem::refused(Refusal::Overtaken));
    }
    let run = start_tracked(
        context,
        &mut writing,
        &stack,
        NewTracked {
            branch: stack.tracked_branch.clone(),
            commit,
            triggered_by: permit.viewer().name.clone(),
            promoted_from: None,
            retry_of: None,
        },
    )
    .await?;
    let detail = (run.commit.hash.short(), moved(stack.current_commit.as_ref(), Some(&run.commit.hash)));
    context.record(&mut writing, permit.viewer(), Trigger::NAME, Some(&stack.id), Some(&run.id), detail).await?;
    writing.commit().await?;
    context.work.notify_one();
    Ok(run.id)
}
