//! Stop: interrupts a run that initializes or plans. The worker that holds it does so politely, then firmly.
//!
//! Whoever sees a proposed run may stop it; a tracked run keeps the stack to itself, and takes a writer.

use super::{Context, find_run, take_stack};
use crate::domain::RunId;
use crate::domain::permission::{Action, Permit, Stop, StopTracked};
use crate::domain::problem::{Problem, Refusal};
use crate::domain::run_state::{RunKind, RunState};

/// Asks for the stop; the run becomes `stopped` as soon as its phase has ended.
pub async fn stop(context: &Context, permit: &Permit<Stop>, run: &RunId) -> Result<(), Problem> {
    let result = attempt(context, permit, run).await;
    context.noted(permit, Some(run), result).await
}

async fn attempt(context: &Context, permit: &Permit<Stop>, id: &RunId) -> Result<(), Problem> {
    let mut writing = context.store.write().await?;
    let stack = take_stack(&mut writing, permit.stack()).await?;
    let run = find_run(&mut writing, permit.stack(), id).await?;
    match run.kind {
        RunKind::Proposed => {}
        RunKind::Tracked => drop(permit.also::<StopTracked>()?),
    }
    if !run.state.may_become(RunState::Stopped, run.kind) {
        return Err(Problem::refused(Refusal::State { verb: Stop::NAME.into(), state: run.state }));
    }
    let actor = &permit.viewer().name;
    writing.request_stop(&run, &format!("Stopped by {actor}.")).await?;
    context
        .record(&mut writing, permit.viewer(), Stop::NAME, Some(&stack.id), Some(id), run.commit.hash.short())
        .await?;
    writing.commit().await?;
    context.work.notify_one();
    Ok(())
}
