//! The walk of one run through its phases, from a fresh checkout to its end or to the person who confirms
//! (architecture.md, A run). Each step is stored before the next one begins.

use super::keeper::Keeper;
use super::log::Log;
use super::phases::{Phases, Purpose};
use super::process::{self, Ended, Order, Program};
use super::sealed_plan;
use super::secrets::Secrets;
use super::workspace::Workspace;
use super::{Held, engine};
use crate::commands::retry_outdated::retry_outdated;
use crate::commands::{Context, advance_itself, find_stack};
use crate::domain::hold::{self, Hold, TakenOut};
use crate::domain::plan::Plan;
use crate::domain::problem::Problem;
use crate::domain::run_state::{RunKind, RunState};
use crate::domain::sealed::Place;
use crate::domain::stack::Stack;
use crate::store::{StoreError, Variable};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// Why the walk does not go on.
#[derive(Debug)]
enum Halt {
    /// The run has failed, for this reason.
    Failed(String),
    /// Somebody or something else decided.
    Ordered(Order),
    /// Headway itself could not go on; the lease will run out and the run be recovered.
    Problem(Problem),
}

impl From<Problem> for Halt {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Changed => Self::Ordered(Order::Lost),
            error @ (StoreError::Database(_)
            | StoreError::Schema(_)
            | StoreError::Unreadable(_)
            | StoreError::TooOld(_)) => Self::Problem(error.into()),
        }
    }
}

struct Walk {
    context: Context,
    held: Held,
    stack: Stack,
    workspace: Workspace,
    keeper: Keeper,
    /// The variables with their values in clear.
    variables: Vec<(Variable, String)>,
    secrets: Secrets,
}

/// Walks a claimed run on; when this returns, the run waits for a person, has ended, or is back in the queue.
pub(super) async fn walk(context: Context, held: Held, shutdown: watch::Receiver<bool>) {
    let run = held.run.clone();
    tracing::info!(run.id = %run.id, stack.id = %run.stack, state = %run.state, "run begins");
    let keeper = Keeper::start(&context, &run, shutdown);
    let halt = match Walk::begin(context.clone(), held, keeper).await {
        Ok(mut walk) => {
            let halt = if run.state == RunState::Applying { walk.apply().await } else { walk.plan().await };
            match halt {
                Ok(()) => Ok(()),
                Err(halt) => walk.end(halt).await,
            }
        }
        Err(Halt::Problem(problem)) => Err(problem),
        Err(halt) => {
            tracing::warn!(run.id = %run.id, ?halt, "a run was lost before it began");
            Ok(())
        }
    };
    if let Err(problem) = halt {
        tracing::error!(run.id = %run.id, ?problem, "a run was given up; it is recovered when its lease runs out");
    }
    context.work.notify_one();
}

impl Walk {
    async fn begin(context: Context, held: Held, keeper: Keeper) -> Result<Self, Halt> {
        let mut reading = context.store.read().await?;
        let stack = find_stack(&mut reading, &held.run.stack).await?;
        let stored = reading.variables(&stack.id).await?;
        drop(reading);
        let mut variables = Vec::new();
        for variable in stored {
            let value = if variable.secret {
                context.vault.open_text(&Place::variable(&stack.id, &variable.name), &variable.value).map_err(
                    |error| {
                        tracing::error!(stack.id = %stack.id, variable = variable.name, %error, "cannot open a secret");
                        Problem::UNAVAILABLE
                    },
                )?
            } else {
                variable.value.clone()
            };
            variables.push((variable, value));
        }
        let workspace = Workspace::of(&context, &held.run);
        let secrets = Secrets::gather(&context, &stack, &held.token, &variables).await?;
        Ok(Self { context, held, stack, workspace, keeper, variables, secrets })
    }

    async fn plan(&mut self) -> Result<(), Halt> {
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
        if self.decide(&plan).await? == RunState::Applying {
            self.apply().await?;
        }
        Ok(())
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

    async fn phases(&self, folder: std::path::PathBuf, purpose: Purpose) -> Result<Arc<Phases>, Halt> {
        if let Some(refusal) = self.context.config.sandbox.refusal(self.held.run.kind == RunKind::Proposed) {
            return Err(Halt::Failed(refusal));
        }
        let engine = engine::find(self.stack.vendor, &self.stack.engine_binary)
            .await
            .map_err(|error| Halt::Failed(error.to_string()))?;
        let phases = Phases::new(&self.context, &self.stack, &self.held, engine, folder, &self.variables, purpose);
        Ok(Arc::new(phases.map_err(|error| self.broken("prepare the engine", &error))?))
    }

    /// Stores the plan and what follows from it.
    async fn decide(&mut self, plan: &Plan) -> Result<RunState, Halt> {
        loop {
            let applied = self.context.store.read().await?.applied_commit(&self.stack.id).await?;
            let taken_out = match &applied {
                None => TakenOut::Nothing,
                Some(applied) => self
                    .context
                    .history(&self.stack.repository)
                    .and_then(|history| history.missing(applied, &self.held.run.commit.hash))
                    .map_or(TakenOut::Unknown, |missing| match missing.count {
                        0 => TakenOut::Nothing,
                        _ => TakenOut::Commits(missing),
                    }),
            };
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
            let mut note = None;
            let to = match self.held.run.kind {
                RunKind::Proposed => RunState::Finished,
                RunKind::Tracked if !plan.has_changes() => {
                    note = Some("The plan has no changes: there is nothing to apply.".to_owned());
                    RunState::Finished
                }
                RunKind::Tracked => {
                    let autodeploy = stack.behavior.autodeploy && !stack.disabled;
                    let holds = hold::judge(&hold::Facts { autodeploy, lock: stack.lock, taken_out });
                    writing.save_holds(&self.held.run, &holds).await?;
                    note = holds.first().map(Hold::sentence);
                    if holds.is_empty() { RunState::Applying } else { RunState::Unconfirmed }
                }
            };
            let run = advance_itself(&self.context, &mut writing, &self.held.run, to, note.as_deref()).await?;
            writing.commit().await?;
            self.held.run = run;
            if to == RunState::Finished {
                self.clean();
            }
            return Ok(to);
        }
    }

    async fn apply(&mut self) -> Result<(), Halt> {
        let folder = self
            .workspace
            .configuration(&self.stack.project_root)
            .map_err(|error| self.broken("find the run's folder", &error))?;
        let phases = self.phases(folder, Purpose::Applying).await?;
        let apply = phases.apply().map_err(|error| self.broken("prepare the apply", &error))?;
        sealed_plan::open(&self.context.vault, &self.workspace, &self.held.run)
            .map_err(|error| self.broken("open the plan", &error))?;
        self.run(apply, "apply").await?;
        self.to(RunState::Finished, None).await?;
        self.clean();
        retry_outdated(&self.context, &self.stack.id).await?;
        Ok(())
    }

    /// Moves on to the next phase, unless something else was ordered meanwhile.
    async fn step(&mut self, to: RunState) -> Result<(), Halt> {
        match self.keeper.order() {
            Order::Work => self.to(to, None).await,
            order @ (Order::Stop | Order::Shutdown | Order::Lost) => Err(Halt::Ordered(order)),
        }
    }

    async fn to(&mut self, to: RunState, note: Option<&str>) -> Result<(), Halt> {
        let note = note.map(|note| self.secrets.all.mask(note));
        let note = note.as_deref();
        let mut writing = self.context.store.write().await?;
        let run = advance_itself(&self.context, &mut writing, &self.held.run, to, note).await?;
        writing.commit().await?;
        self.held.run = run;
        Ok(())
    }

    async fn log(&self) -> Result<Log, Halt> {
        // A switch of the stack for its logs; plans are always without secrets.
        let masked = self.stack.behavior.secret_masking;
        let masker = if masked { &self.secrets.all } else { &self.secrets.credentials };
        Ok(Log::open(&self.context, &self.held.run, masker.clone()).await?)
    }

    /// Runs one program of the engine, with its lines in the log of the present step; what it was to keep.
    async fn run(&self, program: Program<'_>, verb: &str) -> Result<Vec<u8>, Halt> {
        let limit = program.limit;
        let mut log = self.log().await?;
        let (sender, pieces) = mpsc::channel(64);
        let orders = if self.held.run.state == RunState::Applying {
            patient(self.keeper.orders(), self.context.config.grace)
        } else {
            self.keeper.orders()
        };
        let (ended, ()) = tokio::join!(process::run(program, sender, orders), log.follow(pieces));
        let name = self.stack.vendor.program();
        let (ended, kept) = ended.map_err(|error| self.broken("start a program", &error))?;
        match ended {
            Ended::Exited(0) => Ok(kept),
            Ended::Exited(code) => {
                Err(Halt::Failed(format!("{name} {verb} failed (exit code {code}). The log says why.")))
            }
            Ended::TimedOut => {
                Err(Halt::Failed(format!("{name} {verb} was ended: it took longer than {} seconds.", limit.as_secs())))
            }
            Ended::TooLong => Err(Halt::Failed(self.too_long("The plan's JSON"))),
            Ended::Ordered(order) => Err(Halt::Ordered(order)),
        }
    }

    fn too_long(&self, what: &str) -> String {
        let most = self.context.config.sandbox.plan_size_limit;
        format!("{what} is longer than {most} MiB. Split the stack, or raise the setting --plan-size-limit.")
    }

    /// Something of Headway's own went wrong; the log of the server says what.
    fn broken(&self, what: &str, error: &std::io::Error) -> Halt {
        tracing::error!(run.id = %self.held.run.id, %error, "cannot {what}");
        Halt::Failed(format!("Headway could not {what}: {}.", error.kind()))
    }

    /// Stores how a walk that does not go on has ended.
    async fn end(&mut self, halt: Halt) -> Result<(), Problem> {
        let applying = self.held.run.state == RunState::Applying;
        let changed = "The infrastructure may have changed: read the log, then plan again.";
        let (to, note) = match halt {
            Halt::Problem(problem) => return Err(problem),
            Halt::Ordered(Order::Lost | Order::Work) => {
                tracing::warn!(run.id = %self.held.run.id, "the lease was lost; what this worker did is not stored");
                return Ok(());
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

    async fn stop_note(&self) -> Result<String, Problem> {
        let asked = self.context.store.read().await?.stop_requested(&self.held.run).await?;
        Ok(asked.unwrap_or_else(|| "Stopped.".into()))
    }

    fn clean(&self) {
        if let Err(error) = self.workspace.remove() {
            tracing::warn!(run.id = %self.held.run.id, %error, "cannot remove a run's folder; the sweep tries again");
        }
    }
}

/// Orders as an apply takes them: nobody stops it, and when Headway ends it is given time to end by itself first.
fn patient(mut orders: watch::Receiver<Order>, grace: std::time::Duration) -> watch::Receiver<Order> {
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
