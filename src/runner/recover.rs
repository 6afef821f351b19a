//! Recover: what becomes of a run whose worker is gone (product.md, Run states).
//!
//! What only planned starts again by itself, and an apply that had not begun is begun; one that had is never tried twice,
//! so it has failed and says that the infrastructure may have changed.

use super::workspace::{self, Workspace};
use super::{Walking, errored_state, provider_store};
use crate::commands::{Context, advance_itself};
use crate::domain::Timestamp;
use crate::domain::problem::Problem;
use crate::domain::run::Run;
use crate::domain::run_state::RunState;
use crate::store::StoreError;

/// Recovers the runs whose lease has run out and that this process does not walk; at the start of Headway all that are held.
///
/// A lease may run out while its run is well: the machine slept, its clock was set, or the database kept the keeper waiting.
pub async fn recover(context: &Context, walking: &Walking, at_start: bool) -> Result<(), Problem> {
    let now = context.now();
    let then = if at_start { Timestamp(i64::MAX) } else { now };
    let abandoned = context.store.read().await?.abandoned(then).await?;
    for run in abandoned.into_iter().filter(|run| !walking.holds(run)) {
        let mut writing = context.store.write().await?;
        writing.take_stack(&run.stack).await?;
        let fenced = match writing.fence_off(&run).await {
            // Another worker holds it by now.
            Err(StoreError::Changed) => continue,
            fenced => fenced?,
        };
        let (to, note) = match fenced.state {
            RunState::Applying => {
                writing.commit().await?;
                let rescued = rescue(context, &fenced).await?.map(|rescued| format!("{rescued} ")).unwrap_or_default();
                writing = context.store.write().await?;
                writing.take_stack(&run.stack).await?;
                let note = "The infrastructure may have changed: read the log, then plan again.";
                (RunState::Failed, format!("Headway ended while it applied. {rescued}{note}"))
            }
            RunState::Preparing | RunState::Initializing | RunState::Planning => match fenced.stop_requested_by.clone()
            {
                Some(asked) => (RunState::Stopped, asked),
                None => (RunState::Queued, "Headway ended while it planned; it plans again.".to_owned()),
            },
            // Its apply had not begun: the next worker begins it.
            RunState::Confirmed => {
                writing.release(&fenced).await?;
                writing.commit().await?;
                continue;
            }
            RunState::Queued
            | RunState::Ready
            | RunState::Unconfirmed
            | RunState::Finished
            | RunState::Failed
            | RunState::Discarded
            | RunState::Canceled
            | RunState::Stopped => continue,
        };
        advance_itself(context, &mut writing, &fenced, to, Some(&note)).await?;
        writing.commit().await?;
        tracing::warn!(run.id = %run.id, from = %run.state, %to, "recovered a run whose worker is gone");
    }
    if at_start {
        provider_store::clear(&context.config.providers());
        sweep(context, walking).await?;
    }
    Ok(())
}

/// Saves the state that an apply left when it could not write it: what became of it.
async fn rescue(context: &Context, run: &Run) -> Result<Option<String>, Problem> {
    let Some(stack) = context.store.read().await?.stack(&run.stack).await? else { return Ok(None) };
    let stack = run.planned_on(stack);
    let Ok(folder) = Workspace::of(context, run).configuration(&stack.project_root) else { return Ok(None) };
    errored_state::rescue(context, run, &folder, stack.manage_state).await
}

/// Removes the folders of runs that have ended, unless they are walked here still: a saved plan holds secrets in clear.
pub async fn sweep(context: &Context, walking: &Walking) -> Result<(), Problem> {
    let folders = workspace::all(&context.config.workspaces());
    if folders.is_empty() {
        return Ok(());
    }
    // Asked first: whoever stops to be walked after that is open still, or has nothing left to do there.
    let walked = walking.ids();
    let open = context.store.read().await?.open_run_ids().await?;
    for (id, folder) in folders {
        let ended = !open.iter().chain(&walked).any(|run| run.as_str() == id);
        if ended && let Err(error) = workspace::remove(&folder) {
            tracing::warn!(run.id = id, %error, "cannot remove a run's folder");
        }
    }
    Ok(())
}
