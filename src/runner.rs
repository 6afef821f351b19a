//! The runner: takes runs that may start, walks each through its phases, and keeps at most as many working as the
//! settings allow (product.md, Run states).
//!
//! # How a run is kept safe
//!
//! *One at a time.* A queued tracked run becomes `ready` only while no other tracked run of its stack is between
//! `ready` and its end; a partial unique index sees to it even if two Headways tried.
//!
//! *Leases.* Whoever works on a run holds a lease with a fence number and keeps renewing it. Every write carries the
//! fence, so a worker that was thought dead cannot write later. When a lease runs out that nobody here keeps, [`recover`]
//! decides: what only planned starts again, an interrupted apply is reported as such and never tried a second time.
//!
//! *Processes.* Terraform runs under a supervisor that ends it when Headway is gone, however Headway went.
//!
//! *Sandbox.* What runs is other people's code: it sees its own files and the system's programs, and no more ([`sandbox`]).

pub mod engine;
mod errored_state;
pub mod inside;
mod keeper;
mod limits;
mod log;
mod phases;
mod process;
mod provider_store;
mod providers;
mod reap;
pub mod recover;
pub mod sandbox;
pub mod sealed_plan;
mod secrets;
pub mod supervise;
#[cfg(test)]
mod tests;
mod usage;
mod walk;
mod walking;
mod workspace;

pub use walking::Walking;

use crate::commands::{Context, advance_itself};
use crate::domain::problem::Problem;
use crate::domain::run::Run;
use crate::domain::run_state::RunState;
use crate::secret;
use crate::store::{Lease, StoreError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How long a lease lasts unless it is renewed, in milliseconds.
const LEASE: i64 = 30_000;

/// Who the steps of a run are done by when nobody asked for them.
const HEADWAY: &str = "Headway";

/// A run that this process holds, with the credential for its state.
#[derive(Clone, Debug)]
struct Held {
    run: Run,
    token: String,
}

/// Works until `shutdown` turns true and everything that was begun has come to rest.
pub async fn work(context: Context, mut shutdown: watch::Receiver<bool>) {
    // Nobody else uses this data folder, so whatever is held is held by a process that is gone.
    let walking = Walking::default();
    if let Err(problem) = recover::recover(&context, &walking, true).await {
        tracing::error!(?problem, "cannot recover the runs of the last process");
    }
    let mut working = JoinSet::new();
    while !*shutdown.borrow() {
        if let Err(problem) = fill(&context, &walking, &mut working, &shutdown).await {
            tracing::error!(?problem, "cannot take the next run");
        }
        tokio::select! {
            () = context.work.notified() => {}
            Some(_) = working.join_next() => {}
            _ = shutdown.changed() => {}
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
    tracing::info!(runs = working.len(), "no new runs; waiting for those at work");
    working.join_all().await;
}

async fn fill(
    context: &Context,
    walking: &Walking,
    working: &mut JoinSet<()>,
    shutdown: &watch::Receiver<bool>,
) -> Result<(), Problem> {
    recover::recover(context, walking, false).await?;
    recover::sweep(context, walking).await?;
    ready(context).await?;
    while working.len() < usize::from(context.config.workers) {
        let Some(held) = claim(context).await? else { break };
        let walked = walking.begin(&held.run);
        let walk = walk::walk(context.clone(), held, shutdown.clone());
        working.spawn(async move {
            walk.await;
            drop(walked);
        });
    }
    Ok(())
}

/// Lets every queued run that nothing keeps waiting become `ready`.
async fn ready(context: &Context) -> Result<(), Problem> {
    let waiting = context.store.read().await?.startable().await?;
    if waiting.is_empty() {
        return Ok(());
    }
    for run in waiting {
        let mut writing = context.store.write().await?;
        match advance_itself(context, &mut writing, &run, RunState::Ready, None).await {
            Ok(_) => writing.commit().await?,
            // It was discarded at this moment, or another run took the stack: the next round sees.
            Err(problem) => tracing::debug!(run.id = %run.id, ?problem, "cannot make a run ready"),
        }
    }
    Ok(())
}

/// Takes the next run that waits for a worker.
async fn claim(context: &Context) -> Result<Option<Held>, Problem> {
    loop {
        let mut writing = context.store.write().await?;
        let Some(run) = writing.next_for_worker().await? else { return Ok(None) };
        let now = context.now();
        let token = secret::fresh().map_err(|error| {
            tracing::error!(%error, "no randomness for a run's credential");
            Problem::UNAVAILABLE
        })?;
        let lease = Lease { owner: HEADWAY.into(), until: now.plus(LEASE), state_token: secret::fingerprint(&token) };
        match writing.claim(&run, &lease, now).await {
            Ok(run) => {
                writing.commit().await?;
                return Ok(Some(Held { run, token }));
            }
            Err(StoreError::Changed) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
