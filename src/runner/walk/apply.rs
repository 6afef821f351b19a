//! The apply: everything that could keep it from beginning is looked at first, so that a run which says that it applies
//! has begun to change the infrastructure, and one that failed before has changed nothing.

use super::{Halt, Walk};
use crate::commands::find_stack;
use crate::commands::retry_outdated::retry_outdated;
use crate::domain::run_state::RunState;
use crate::runner::phases::{Phases, Purpose};
use crate::runner::process::Order;
use crate::runner::{errored_state, sealed_plan};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

impl Walk {
    /// Applies a plan that a person confirmed.
    pub(super) async fn apply_confirmed(&mut self) -> Result<(), Halt> {
        let apply = self.ready().await?;
        let stack = find_stack(&mut self.context.store.read().await?, &self.stack.id).await?;
        if stack.disabled {
            // In this very moment; it is applied when the stack is enabled again.
            return Ok(self.release().await?);
        }
        self.step(RunState::Applying).await?;
        self.apply(&apply).await
    }

    /// Makes everything ready for the apply, the plan in clear at last.
    pub(super) async fn ready(&self) -> Result<Arc<Phases>, Halt> {
        if !self.workspace.has_plan() {
            let gone = "The saved plan is gone from the data folder, so nothing was applied. Run it again.";
            return Err(Halt::Failed(gone.into()));
        }
        let folder = self
            .workspace
            .configuration(&self.stack.project_root)
            .map_err(|error| self.broken("find the run's folder", &error))?;
        errored_state::forget(&folder).map_err(|error| self.broken("remove the commit's errored state", &error))?;
        let phases = self.phases(folder, Purpose::Applying).await?;
        phases.apply().map_err(|error| self.broken("prepare the apply", &error))?;
        sealed_plan::open(&self.context.vault, &self.workspace, &self.held.run)
            .map_err(|error| self.broken("open the plan", &error))?;
        Ok(phases)
    }

    pub(super) async fn apply(&mut self, phases: &Arc<Phases>) -> Result<(), Halt> {
        let apply = phases.apply().map_err(|error| self.broken("prepare the apply", &error))?;
        self.run(apply, "apply").await?;
        self.finally(RunState::Finished, None).await?;
        self.clean();
        if let Err(problem) = retry_outdated(&self.context, &self.stack.id).await {
            tracing::error!(stack.id = %self.stack.id, ?problem, "cannot plan again what an apply may have outdated");
        }
        Ok(())
    }

    /// Saves the state that a failed apply could not write: what became of it, with the log told.
    pub(super) async fn rescue(&self) -> Result<Option<String>, Halt> {
        let Ok(folder) = self.workspace.configuration(&self.stack.project_root) else { return Ok(None) };
        let said = errored_state::rescue(&self.context, &self.held.run, &folder, self.stack.manage_state).await?;
        if let Some(said) = &said {
            self.log().await?.say(said).await;
        }
        Ok(said)
    }
}

/// Orders as an apply takes them: nobody stops it, and when Headway ends it is given time to end by itself first.
pub(super) fn patient(mut orders: watch::Receiver<Order>, grace: Duration) -> watch::Receiver<Order> {
    let (sender, patient) = watch::channel(Order::Work);
    tokio::spawn(async move {
        let order = orders.wait_for(|order| matches!(order, Order::Shutdown | Order::Lost)).await.map(|order| *order);
        if let Ok(order) = order {
            if order == Order::Shutdown {
                tokio::time::sleep(grace).await;
            }
            sender.send_replace(order);
        }
        // Kept until the receiver is gone, which would otherwise take a closed channel for silence.
        sender.closed().await;
    });
    patient
}
