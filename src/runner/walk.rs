//! The walk of one run through its phases, from a fresh checkout to its end or to the person who confirms
//! (architecture.md, A run). Each step is stored before the next one begins.

mod apply;
mod end;
mod plan;

use super::keeper::Keeper;
use super::log::Log;
use super::phases::{Phases, Purpose};
use super::process::{self, Ended, Order, Program};
use super::secrets::Secrets;
use super::workspace::Workspace;
use super::{Held, engine};
use crate::commands::{Context, advance_itself, find_stack};
use crate::domain::problem::Problem;
use crate::domain::run::Run;
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
        // To try again would find the same.
        if error.is_unreadable() {
            tracing::error!(%error, "a run cannot be read");
            return Self::Failed(format!("Headway could not read its database: {error}."));
        }
        match error {
            StoreError::Changed => Self::Ordered(Order::Lost),
            error @ (StoreError::Database(_)
            | StoreError::Schema(_)
            | StoreError::Unreadable(_)
            | StoreError::TooOld(_)
            | StoreError::Used) => Self::Problem(error.into()),
        }
    }
}

/// Why nothing can be run after an upgrade.
const REPLACED: &str = "Headway's own program was replaced while Headway works, so nothing was run. Restart Headway, then \
                        run it again.";

struct Walk {
    context: Context,
    held: Held,
    stack: Stack,
    workspace: Workspace,
    keeper: Keeper,
    /// The variables with their values in clear.
    variables: Vec<(Variable, String)>,
    secrets: Secrets,
    /// How often the end of the run could not be stored.
    tries: u32,
}

/// Walks a claimed run on; when this returns, the run waits for a person, has ended, or is back in the queue.
pub(super) async fn walk(context: Context, held: Held, shutdown: watch::Receiver<bool>) {
    let run = held.run.clone();
    tracing::info!(run.id = %run.id, stack.id = %run.stack, state = %run.state, "run begins");
    let keeper = Keeper::start(&context, &run, shutdown);
    let halt = match Walk::begin(context.clone(), held, keeper).await {
        Ok(mut walk) => {
            let confirmed = run.state == RunState::Confirmed;
            let halt = if confirmed { walk.apply_confirmed().await } else { walk.plan().await };
            match halt {
                Ok(()) => Ok(()),
                Err(halt) => walk.end(halt).await,
            }
        }
        Err(Halt::Problem(problem)) => Err(problem),
        Err(Halt::Failed(reason)) => fail(&context, &run, &reason).await,
        Err(halt @ Halt::Ordered(_)) => {
            tracing::warn!(run.id = %run.id, ?halt, "a run was lost before it began");
            Ok(())
        }
    };
    if let Err(problem) = halt {
        tracing::error!(run.id = %run.id, ?problem, "a run was given up; it is recovered when its lease runs out");
    }
    context.work.notify_one();
}

/// Removes the folder of a run that has ended.
fn remove(workspace: &Workspace, run: &Run) {
    if let Err(error) = workspace.remove() {
        tracing::warn!(run.id = %run.id, %error, "cannot remove a run's folder; the sweep tries again");
    }
}

/// Ends a run whose walk could not even begin, for a reason that will not pass.
async fn fail(context: &Context, run: &Run, reason: &str) -> Result<(), Problem> {
    let mut writing = context.store.write().await?;
    advance_itself(context, &mut writing, run, RunState::Failed, Some(reason)).await?;
    writing.commit().await?;
    remove(&Workspace::of(context, run), run);
    Ok(())
}

impl Walk {
    async fn begin(context: Context, held: Held, keeper: Keeper) -> Result<Self, Halt> {
        let mut reading = context.store.read().await?;
        let stack = find_stack(&mut reading, &held.run.stack).await?;
        // What was confirmed is what is applied.
        let stack = if held.run.state == RunState::Confirmed { held.run.planned_on(stack) } else { stack };
        let stored = reading.variables(&stack.id).await?;
        drop(reading);
        let mut variables = Vec::new();
        for variable in stored {
            let value = if variable.secret {
                context.vault.open_text(&Place::variable(&stack.id, &variable.name), &variable.value).map_err(
                    |error| {
                        tracing::error!(stack.id = %stack.id, variable = variable.name, %error, "cannot open a secret");
                        Halt::Failed(format!(
                            "The secret variable {} cannot be opened with the keys that Headway has. Start Headway with the \
                             key that sealed it, or set the variable anew in Settings > Environment, then run it again.",
                            variable.name
                        ))
                    },
                )?
            } else {
                variable.value.clone()
            };
            variables.push((variable, value));
        }
        let workspace = Workspace::of(&context, &held.run);
        let secrets = Secrets::gather(&context, &stack, &held.token, &variables).await?;
        Ok(Self { context, held, stack, workspace, keeper, variables, secrets, tries: 0 })
    }

    async fn phases(&self, folder: std::path::PathBuf, purpose: Purpose) -> Result<Arc<Phases>, Halt> {
        if let Some(refusal) = self.context.config.sandbox.refusal(self.held.run.kind == RunKind::Proposed) {
            return Err(Halt::Failed(refusal));
        }
        // The supervisor is this very program. A newer one may not understand what it is told, and one that is gone cannot
        // be started.
        if !std::env::current_exe().is_ok_and(|program| program.is_file()) {
            return Err(Halt::Failed(REPLACED.into()));
        }
        let engine = engine::find(self.stack.vendor, &self.stack.engine_binary)
            .await
            .map_err(|error| Halt::Failed(error.to_string()))?;
        let phases = Phases::new(&self.context, &self.stack, &self.held, engine, folder, &self.variables, purpose);
        Ok(Arc::new(phases.map_err(|error| self.broken("prepare the engine", &error))?))
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
            apply::patient(self.keeper.orders(), self.context.config.grace)
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
}
