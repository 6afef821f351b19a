//! Sync: fetches the repository now, and lets the stack follow its tracked branch if it has fallen behind, because it
//! was disabled or the push touched none of its files.

use super::fetch::fetch;
use super::receive_push::files_changed;
use super::track::{NewTracked, moved, start_tracked};
use super::{Context, find_stack, take_again, unlocked_for};
use crate::domain::RunId;
use crate::domain::permission::{Action, Permit, Sync};
use crate::domain::problem::{Problem, Refusal};
use crate::domain::relation::Relation;

/// What a sync led to, beside what the fetch itself did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Synced {
    /// The stack stood where its tracked branch stands, or has no current commit, or is not behind it.
    InStep,
    /// The current commit moved on; no file of the stack had changed.
    Moved,
    /// A tracked run was started.
    Started(RunId),
}

/// Fetches and follows.
pub async fn sync(context: &Context, permit: &Permit<Sync>) -> Result<Synced, Problem> {
    let result = attempt(context, permit).await;
    context.noted(permit, None, result).await
}

async fn attempt(context: &Context, permit: &Permit<Sync>) -> Result<Synced, Problem> {
    let stack = find_stack(&mut context.store.read().await?, permit.stack()).await?;
    fetch(context, &stack.repository).await?;

    let mut reading = context.store.read().await?;
    let stack = find_stack(&mut reading, permit.stack()).await?;
    let repository = reading.repository(&stack.repository).await?;
    drop(reading);
    let head = repository.and_then(|repository| repository.heads.get(&stack.tracked_branch).cloned());
    let (Some(head), Some(current)) = (head, stack.current_commit.clone()) else { return Ok(Synced::InStep) };
    let relation =
        context.history(&stack.repository).map_or(Relation::Unknown, |history| history.relation(Some(&current), &head));
    if !matches!(relation, Relation::Ahead { .. }) {
        return Ok(Synced::InStep);
    }
    let commit = context.commit(&stack, &head).await?;
    let touched = files_changed(context, &stack, &current, &head).await;

    let mut writing = context.store.write().await?;
    let stack = take_again(&mut writing, &stack).await?;
    let actor = &permit.viewer().name;
    unlocked_for(&stack, actor)?;
    if stack.current_commit.as_ref() != Some(&current) {
        return Err(Problem::refused(Refusal::Overtaken));
    }
    let detail = (format!("from {} to {}", current.short(), head.short()), moved(Some(&current), Some(&head)));
    let synced = if touched {
        let branch = stack.tracked_branch.clone();
        let new = NewTracked { branch, commit, triggered_by: actor.clone(), promoted_from: None, retry_of: None };
        Synced::Started(start_tracked(context, &mut writing, &stack, new).await?.id)
    } else {
        writing.set_current(&stack.id, Some(&head), None).await?;
        Synced::Moved
    };
    context.record(&mut writing, permit.viewer(), Sync::NAME, Some(&stack.id), None, detail).await?;
    writing.commit().await?;
    context.work.notify_one();
    Ok(synced)
}
