//! The end of a walk that does not go on: what is stored of it, and what goes with it.

use super::{Halt, Walk};
use crate::domain::problem::Problem;
use crate::domain::run_state::RunState;
use crate::runner::process::Order;
use crate::runner::sealed_plan;

impl Walk {
    /// Stores how a walk that does not go on has ended.
    pub(super) async fn end(&mut self, halt: Halt) -> Result<(), Problem> {
        let applying = self.held.run.state == RunState::Applying;
        let changed = "The infrastructure may have changed: read the log, then plan again.";
        let (to, note) = match halt {
            Halt::Problem(problem) => return Err(problem),
            Halt::Ordered(Order::Lost | Order::Work) => {
                tracing::warn!(run.id = %self.held.run.id, "the lease was lost; what this worker did is not stored");
                return Ok(());
            }
            Halt::Ordered(Order::Stop | Order::Shutdown) if self.held.run.state == RunState::Confirmed => {
                return self.release().await;
            }
            Halt::Failed(reason) if applying => (RunState::Failed, format!("{reason} {changed}")),
            Halt::Failed(reason) => (RunState::Failed, reason),
            Halt::Ordered(Order::Stop | Order::Shutdown) if applying => {
                (RunState::Failed, format!("Headway was stopped while it applied. {changed}"))
            }
            Halt::Ordered(Order::Shutdown) => {
                (RunState::Queued, "Headway was stopped while it planned; it plans again.".to_owned())
            }
            Halt::Ordered(Order::Stop) => (RunState::Stopped, self.stop_note().await?),
        };
        match self.to(to, Some(&note)).await {
            Ok(()) => self.clean(),
            Err(Halt::Problem(problem)) => return Err(problem),
            Err(Halt::Failed(_) | Halt::Ordered(_)) => {}
        }
        Ok(())
    }

    /// Gives a confirmed run back whose apply has not begun; it is applied when Headway works again.
    async fn release(&self) -> Result<(), Problem> {
        if let Err(error) = sealed_plan::forget(&self.workspace) {
            tracing::error!(run.id = %self.held.run.id, %error, "cannot remove the plan in clear");
        }
        let mut writing = self.context.store.write().await?;
        writing.release(&self.held.run).await?;
        Ok(writing.commit().await?)
    }

    async fn stop_note(&self) -> Result<String, Problem> {
        let asked = self.context.store.read().await?.stop_requested(&self.held.run).await?;
        Ok(asked.unwrap_or_else(|| "Stopped.".into()))
    }

    pub(super) fn clean(&self) {
        super::remove(&self.workspace, &self.held.run);
    }
}
