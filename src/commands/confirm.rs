//! Confirm: accepts the plan of a tracked run that waits in `unconfirmed`; a worker then applies exactly that plan.

use super::{Context, advance, find_run, take_stack, unlocked_for};
use crate::domain::RunId;
use crate::domain::difference::Differences;
use crate::domain::permission::{Action, Confirm, Permit};
use crate::domain::problem::{Problem, Refusal};
use crate::domain::run_state::{RunKind, RunState};

/// Accepts the plan.
pub async fn confirm(context: &Context, permit: &Permit<Confirm>, run: &RunId) -> Result<(), Problem> {
    let result = attempt(context, permit, run).await;
    context.noted(permit, Some(run), result).await
}

async fn attempt(context: &Context, permit: &Permit<Confirm>, id: &RunId) -> Result<(), Problem> {
    let mut writing = context.store.write().await?;
    let stack = take_stack(&mut writing, permit.stack()).await?;
    let run = find_run(&mut writing, permit.stack(), id).await?;
    if run.kind == RunKind::Proposed {
        return Err(Problem::refused(Refusal::ProposedOnlyPlans { verb: Confirm::NAME.into() }));
    }
    if run.state != RunState::Unconfirmed {
        return Err(Problem::refused(Refusal::State { verb: Confirm::NAME.into(), state: run.state }));
    }
    unlocked_for(&stack, &permit.viewer().name)?;
    if stack.disabled {
        return Err(Problem::refused(Refusal::Disabled));
    }
    let actor = &permit.viewer().name;
    advance(&mut writing, &run, RunState::Confirmed, actor, None, context.now()).await?;
    let delta = run.delta.map(|delta| delta.to_string()).unwrap_or_default();
    let detail = (delta, Differences::default().and("State", run.state.name(), RunState::Confirmed.name()));
    context.record(&mut writing, permit.viewer(), Confirm::NAME, Some(&stack.id), Some(id), detail).await?;
    writing.commit().await?;
    context.work.notify_one();
    Ok(())
}
