//! The end of a walk: what is stored of it, and what goes with it. The database may be away for a moment just then; as long
//! as the run is this worker's, it is asked again.

use super::{Halt, Walk};
use crate::commands::advance_itself;
use crate::domain::problem::Problem;
use crate::domain::run_state::RunState;
use crate::runner::process::Order;
use crate::runner::sealed_plan;
use std::time::Duration;

/// How long the database is left alone after it could not store the end of a run.
const PAUSE: Duration = Duration::from_secs(1);

/// How often that is done while Headway ends.
const MOST_TRIES: u32 = 30;

impl Walk {
    /// Stores how a walk that does not go on has ended.
    pub(super) async fn end(&mut self, halt: Halt) -> Result<(), Problem> {
        let ended = match (halt, self.held.run.state) {
            (Halt::Problem(problem), _) => return Err(problem),
            (Halt::Ordered(Order::Lost | Order::Work), _) => Err(Halt::Ordered(Order::Lost)),
            (Halt::Failed(reason), RunState::Applying) => self.fail_apply(&reason).await,
            (Halt::Ordered(Order::Stop | Order::Shutdown), RunState::Applying) => {
                self.fail_apply("Headway was stopped while it applied.").await
            }
            (Halt::Ordered(Order::Stop | Order::Shutdown), RunState::Confirmed) => return self.release().await,
            (Halt::Failed(reason), _) => self.finally(RunState::Failed, Some(&reason)).await,
            (Halt::Ordered(Order::Stop | Order::Shutdown), _) => self.leave().await,
        };
        match ended {
            Ok(()) => self.clean(),
            Err(Halt::Problem(problem)) => return Err(problem),
            Err(Halt::Failed(_) | Halt::Ordered(_)) => {
                tracing::warn!(run.id = %self.held.run.id, "the lease was lost; what this worker did is not stored");
            }
        }
        Ok(())
    }

    async fn fail_apply(&mut self, reason: &str) -> Result<(), Halt> {
        let rescued = loop {
            match self.rescue().await {
                Err(Halt::Problem(problem)) => self.may_try_again(problem).await?,
                rescued => break rescued?,
            }
        };
        let rescued = rescued.map(|rescued| format!("{rescued} ")).unwrap_or_default();
        let note = format!("{reason} {rescued}The infrastructure may have changed: read the log, then plan again.");
        self.finally(RunState::Failed, Some(&note)).await
    }

    /// Takes the last step of an apply or of a run, however often it has to be tried.
    pub(super) async fn finally(&mut self, to: RunState, note: Option<&str>) -> Result<(), Halt> {
        loop {
            match self.to(to, note).await {
                Err(Halt::Problem(problem)) => self.may_try_again(problem).await?,
                ended => return ended,
            }
        }
    }

    /// Leaves a run that only planned: it is stopped when somebody asked for that, however late, and plans again otherwise.
    async fn leave(&mut self) -> Result<(), Halt> {
        loop {
            let left = async {
                let mut writing = self.context.store.write().await?;
                let asked = writing.stop_requested(&self.held.run).await?;
                let (to, note) = match asked {
                    Some(asked) => (RunState::Stopped, asked),
                    None => (RunState::Queued, "Headway was stopped while it planned; it plans again.".to_owned()),
                };
                advance_itself(&self.context, &mut writing, &self.held.run, to, Some(&self.secrets.all.mask(&note)))
                    .await?;
                writing.commit().await?;
                Ok(())
            };
            let left: Result<(), Halt> = left.await;
            match left {
                Err(Halt::Problem(problem)) => self.may_try_again(problem).await?,
                left => return left,
            }
        }
    }

    /// Waits for the next try after a problem that may pass, unless the run is lost.
    async fn may_try_again(&mut self, problem: Problem) -> Result<(), Halt> {
        self.tries += 1;
        match (problem, self.keeper.order()) {
            (_, Order::Lost) => Err(Halt::Ordered(Order::Lost)),
            // Headway does not wait for ever for the database in order to end.
            (problem, Order::Shutdown) if self.tries > MOST_TRIES => Err(Halt::Problem(problem)),
            (Problem::Unavailable { .. }, _) => {
                tracing::warn!(run.id = %self.held.run.id, "cannot store the end of a run; it is tried again");
                tokio::time::sleep(PAUSE).await;
                Ok(())
            }
            (problem, _) => Err(Halt::Problem(problem)),
        }
    }

    /// Gives a confirmed run back whose apply has not begun; it is applied when Headway works again.
    pub(super) async fn release(&self) -> Result<(), Problem> {
        if let Err(error) = sealed_plan::forget(&self.workspace) {
            tracing::error!(run.id = %self.held.run.id, %error, "cannot remove the plan in clear");
        }
        let mut writing = self.context.store.write().await?;
        writing.release(&self.held.run).await?;
        Ok(writing.commit().await?)
    }

    pub(super) fn clean(&self) {
        super::remove(&self.workspace, &self.held.run);
    }
}
