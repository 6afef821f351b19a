//! Promote: makes a tracked run for the same commit as a proposed run. The one way to do so, whoever asks.

use super::judge::{Ancestry, verdict};
use super::track::{NewTracked, moved, start_tracked};
use super::{Context, find_run, find_stack, take_stack};
use crate::domain::RunId;
use crate::domain::permission::{Action, Permit, Promote};
use crate::domain::problem::{Problem, Refusal};

/// What a promotion led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Promotion {
    /// This call made the tracked run.
    Created(RunId),
    /// It had been promoted before: this is the tracked run it became.
    Existing(RunId),
}

impl Promotion {
    /// The tracked run, whoever made it.
    pub fn run(&self) -> &RunId {
        match self {
            Self::Created(run) | Self::Existing(run) => run,
        }
    }
}

/// Promotes a proposed run (product.md, The promotion rule): judges every condition inside one transaction, adds the
/// tracked run, moves the current commit.
///
/// Called twice, or by two people, it makes one tracked run and shows it to both.
pub async fn promote(context: &Context, permit: &Permit<Promote>, run: &RunId) -> Result<Promotion, Problem> {
    let result = attempt(context, permit, run).await;
    context.noted(permit, Some(run), result).await
}

async fn attempt(context: &Context, permit: &Permit<Promote>, id: &RunId) -> Result<Promotion, Problem> {
    // History is read outside the transaction. If the stack moved meanwhile, it is read again; whoever loses this race
    // five times in a row is told so.
    for _ in 0..5 {
        let mut reading = context.store.read().await?;
        let stack = find_stack(&mut reading, permit.stack()).await?;
        let run = find_run(&mut reading, permit.stack(), id).await?;
        drop(reading);
        let ancestry = Ancestry::read(context.history(&stack.repository).as_ref(), &stack, &run);

        let mut writing = context.store.write().await?;
        let stack = take_stack(&mut writing, permit.stack()).await?;
        if !ancestry.holds_for(&stack) {
            continue;
        }
        let run = find_run(&mut writing, permit.stack(), id).await?;
        let verdict = verdict(&mut writing, ancestry, &stack, &run, permit.viewer()).await?;
        if let Some(existing) = verdict.promoted_as {
            return Ok(Promotion::Existing(existing));
        }
        if !verdict.may_promote() {
            return Err(Problem::refused(Refusal::Promotion(verdict)));
        }
        let tracked = start_tracked(
            context,
            &mut writing,
            &stack,
            NewTracked {
                branch: run.branch.clone(),
                commit: run.commit.clone(),
                triggered_by: permit.viewer().name.clone(),
                promoted_from: Some(run.id.clone()),
                retry_of: None,
            },
        )
        .await?;
        let sentence = format!("{} on {} became the tracked run {}", run.commit.hash.short(), run.branch, tracked.id);
        let detail = (sentence, moved(stack.current_commit.as_ref(), Some(&run.commit.hash)));
        context.record(&mut writing, permit.viewer(), Promote::NAME, Some(&stack.id), Some(&run.id), detail).await?;
        writing.commit().await?;
        context.work.notify_one();
        return Ok(Promotion::Created(tracked.id));
    }
    Err(Problem::refused(Refusal::Overtaken))
}
