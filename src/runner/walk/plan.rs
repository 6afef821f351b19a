//! The plan: from a fresh checkout by way of `init` and `plan` to what follows from it, which is an end, a person who
//! confirms, or the apply at once.

use super::{Halt, Walk};
use crate::commands::{advance_itself, find_stack};
use crate::domain::hold::{self, Hold, TakenOut};
use crate::domain::plan::Plan;
use crate::domain::run::PlannedWith;
use crate::domain::run_state::{RunKind, RunState};
use crate::domain::stack::Stack;
use crate::runner::phases::{Phases, Purpose};
use crate::runner::process::Order;
use crate::runner::sealed_plan;
use crate::store::StoreError;
use std::sync::Arc;

impl Walk {
    pub(super) async fn plan(&mut self) -> Result<(), Halt> {
        let folder = self.prepare().await?;
        let phases = self.phases(folder, Purpose::Planning).await?;

        if let Some(problem) = phases.state_problem() {
            return Err(Halt::Failed(problem));
        }
        self.step(RunState::Initializing).await?;
        let init = phases.init().map_err(|error| self.broken("prepare the backend", &error))?;
        self.run(init, "init").await?;
        if let Some(problem) = phases.backend_problem() {
            return Err(Halt::Failed(problem));
        }
        self.share_providers(&phases).await?;

        self.step(RunState::Planning).await?;
        self.run(phases.plan().map_err(|error| self.broken("prepare the plan", &error))?, "plan").await?;
        self.seal()?;
        let show = phases.show().map_err(|error| self.broken("read the plan", &error))?;
        let bytes = self.run(show, "show").await?;
        sealed_plan::forget(&self.workspace).map_err(|error| self.broken("remove the plan in clear", &error))?;
        let mut plan = Plan::read(&bytes).map_err(|error| Halt::Failed(format!("The plan cannot be read: {error}")))?;
        self.secrets.hide_in(&mut plan);
        match self.decide(&plan).await? {
            Some(apply) => self.apply(&apply).await,
            None => Ok(()),
        }
    }

    /// Checks the commit out; the folder that holds the configuration.
    async fn prepare(&mut self) -> Result<std::path::PathBuf, Halt> {
        let mut log = self.log().await?;
        if let Some(warning) = self.context.config.sandbox.confinement.warning() {
            log.say(&format!("Warning: {warning}")).await;
        }
        self.workspace.create().map_err(|error| self.broken("make the run's folder", &error))?;
        let commit = &self.held.run.commit;
        log.say(&format!("Checking out {} of {}", commit.hash, self.stack.address)).await;
        let mirror = self.context.mirror(&self.stack.repository);
        mirror
            .checkout(&commit.hash, &self.workspace.source(), self.context.config.sandbox.disk_limit << 20)
            .await
            .map_err(|error| Halt::Failed(format!("The commit cannot be checked out: {error}")))?;
        let root = &self.stack.project_root;
        self.workspace.configuration(root).map_err(|_| {
            Halt::Failed(format!("There is no folder {root:?} in this commit. See Settings > Source code."))
        })
    }

    /// Lets other runs have the providers that `init` downloaded; this run goes on without, should that fail.
    async fn share_providers(&self, phases: &Arc<Phases>) -> Result<(), Halt> {
        let phases = phases.clone();
        match tokio::task::spawn_blocking(move || phases.share_providers()).await {
            Ok(Ok(added)) if added.is_empty() => {}
            Ok(Ok(added)) => {
                let line = format!("Other runs need not download these providers any more: {}", added.join(", "));
                self.log().await?.say(&line).await;
            }
            Ok(Err(error)) => tracing::warn!(run.id = %self.held.run.id, %error, "cannot share a run's providers"),
            Err(error) => tracing::error!(run.id = %self.held.run.id, %error, "sharing a run's providers ended badly"),
        }
        Ok(())
    }

    /// Keeps the plan of a tracked run for its apply, sealed before anybody sees it.
    fn seal(&self) -> Result<(), Halt> {
        if self.held.run.kind == RunKind::Proposed {
            return Ok(());
        }
        let most = self.context.config.sandbox.plan_size_limit << 20;
        sealed_plan::seal(&self.context.vault, &self.workspace, &self.held.run, most).map_err(|error| {
            if error.kind() == std::io::ErrorKind::FileTooLarge {
                return Halt::Failed(self.too_long("The plan"));
            }
            self.broken("seal the plan", &error)
        })
    }

    /// Stores the plan and what follows from it; what applies it, when it is to be applied at once.
    async fn decide(&mut self, plan: &Plan) -> Result<Option<Arc<Phases>>, Halt> {
        let changes = self.held.run.kind == RunKind::Tracked && plan.has_changes();
        let mut ready = None;
        loop {
            let mut reading = self.context.store.read().await?;
            let stack = find_stack(&mut reading, &self.stack.id).await?;
            let applied = reading.applied_commit(&stack.id).await?;
            drop(reading);
            let taken_out = match &applied {
                None => TakenOut::Nothing,
                Some(applied) => self
                    .context
                    .history(&stack.repository)
                    .and_then(|history| history.missing(applied, &self.held.run.commit.hash))
                    .map_or(TakenOut::Unknown, |missing| match missing.count {
                        0 => TakenOut::Nothing,
                        _ => TakenOut::Commits(missing),
                    }),
            };
            if changes && ready.is_none() && judge(&stack, &taken_out).is_empty() {
                // What keeps it from being applied is found before anything says that it is.
                ready = Some(self.ready().await?);
            }
            let mut writing = self.context.store.write().await?;
            let stack = writing.take_stack(&self.stack.id).await?.ok_or(StoreError::Changed)?;
            if writing.applied_commit(&stack.id).await? != applied {
                continue;
            }
            // Asked for between the end of the plan and this moment, it still counts: nothing has been applied.
            if writing.stop_requested(&self.held.run).await?.is_some() {
                return Err(Halt::Ordered(Order::Stop));
            }
            writing.save_plan(&self.held.run, plan).await?;
            writing.save_planned_with(&self.held.run, &PlannedWith::of(&self.stack)).await?;
            let mut note = None;
            let to = match self.held.run.kind {
                RunKind::Proposed => RunState::Finished,
                RunKind::Tracked if !plan.has_changes() => {
                    note = Some("The plan has no changes: there is nothing to apply.".to_owned());
                    RunState::Finished
                }
                RunKind::Tracked => {
                    let holds = judge(&stack, &taken_out);
                    if holds.is_empty() && ready.is_none() {
                        // The stack began to allow it in this very moment.
                        continue;
                    }
                    writing.save_holds(&self.held.run, &holds).await?;
                    note = holds.first().map(Hold::sentence);
                    if holds.is_empty() { RunState::Applying } else { RunState::Unconfirmed }
                }
            };
            let run = advance_itself(&self.context, &mut writing, &self.held.run, to, note.as_deref()).await?;
            writing.commit().await?;
            self.held.run = run;
            if to == RunState::Applying {
                return Ok(ready);
            }
            if to == RunState::Finished {
                self.clean();
            } else if ready.is_some() {
                sealed_plan::forget(&self.workspace)
                    .map_err(|error| self.broken("remove the plan in clear", &error))?;
            }
            return Ok(None);
        }
    }
}

/// Why a planned run of the stack waits for a person.
fn judge(stack: &Stack, taken_out: &TakenOut) -> Vec<Hold> {
    let (autodeploy, disabled) = (stack.behavior.autodeploy, stack.disabled);
    hold::judge(&hold::Facts { autodeploy, disabled, lock: stack.lock.clone(), taken_out: taken_out.clone() })
}
