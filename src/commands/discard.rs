//! Discard: rejects the plan of a run that waits in `unconfirmed`, or removes one that has not started.

use super::track::moved;
use super::{Context, advance, find_run, take_stack, unlocked_for};
use crate::domain::RunId;
use crate::domain::permission::{Action, Discard, Permit};
use crate::domain::problem::{Problem, Refusal};
use crate::domain::run_state::RunState;

/// Rejects the run.
pub async fn discard(context: &Context, permit: &Permit<Discard>, run: &RunId) -> Result<(), Problem> {
    let result = attempt(context, permit, run).await;
    context.noted(permit, Some(run), result).await
}

async fn attempt(context: &Context, permit: &Permit<Discard>, id: &RunId) -> Result<(), Problem> {
    let mut writing = context.store.write().await?;
    let stack = take_stack(&mut writing, permit.stack()).await?;
    let run = find_run(&mut writing, permit.stack(), id).await?;
    if !run.state.may_become(RunState::Discarded, run.kind) {
        return Err(Problem::refused(Refusal::State { verb: Discard::NAME.into(), state: run.state }));
    }
    unlocked_for(&stack, &permit.viewer().name)?;
    let actor = &permit.viewer().name;
    advance(&mut writing, &run, RunState::Discarded, actor, None, context.now()).await?;
    // A promotion that is discarded is put back.
    let now = take_stack(&mut writing, permit.stack()).await?.current_commit;
    let differences =
        moved(stack.current_commit.as_ref(), now.as_ref()).and("State", run.state.name(), RunState::Discarded.name());
    let detail = (run.commit.hash.short(), differences);
    context.record(&mut writing, permit.viewer(), Discard::NAME, Some(&stack.id), Some(id), detail).await?;
    writing.commit().await?;
    // The next tracked run of the stack may be free to start.
    context.work.notify_one();
    Ok(())
}
