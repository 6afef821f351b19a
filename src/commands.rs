//! The use cases of Headway, one verb a file.
//!
//! Every surface (page, command line, GitHub) comes through here: a command demands a [`Permit`], checks the rules,
//! writes in one transaction, and leaves an entry in the activity log whether it was done or refused.

pub mod add_repository;
mod advance;
pub mod allow_plan;
pub mod answer_delivery;
pub mod catch_up;
pub mod clean;
pub mod confirm;
pub mod connect_github;
pub mod create_stack;
pub mod delete_stack;
pub mod discard;
pub mod fetch;
pub mod follow_pull_request;
pub mod github_place;
pub mod judge;
pub mod lock;
pub mod press;
pub mod promote;
pub mod propose;
pub mod read_installations;
pub mod receive_delivery;
pub mod receive_push;
pub mod reconcile;
pub mod retry;
pub mod retry_outdated;
pub mod rotate_keys;
pub mod save_settings;
pub mod set_current;
pub mod set_variable;
pub mod stop;
pub mod sync;
#[cfg(test)]
mod tests;
pub mod track;
pub mod trigger;

pub use advance::advance;
pub use connect_github::Connecting;
pub use fetch::Fetching;

use crate::clock::{Clock, Ids};
use crate::config::Config;
use crate::domain::permission::{Action, Permit};
use crate::domain::problem::{Problem, Refusal, Thing};
use crate::domain::run::Run;
use crate::domain::stack::{Lock, Stack};
use crate::domain::{Commit, CommitHash, RepositoryId, RunId, StackId, Timestamp};
use crate::git::history::History;
use crate::git::mirror::Mirror;
use crate::github::GitHub;
use crate::store::{Entry, Outcome, Reading, Store, StoreError, Writing};
use crate::vault::Vault;
use std::sync::Arc;
use tokio::sync::Notify;

/// Everything that commands work with; cheap to clone.
#[derive(Clone, Debug)]
pub struct Context {
    /// The settings of this Headway.
    pub config: Arc<Config>,
    /// The database.
    pub store: Store,
    /// What seals secrets.
    pub vault: Vault,
    /// The time.
    pub clock: Clock,
    /// New names.
    pub ids: Ids,
    /// Wakes the workers: there may be something to do.
    pub work: Arc<Notify>,
    /// Wakes the poller: a repository is due.
    pub poll: Arc<Notify>,
    /// Keeps two fetches of one repository apart.
    pub fetching: Fetching,
    /// Asks GitHub.
    pub github: GitHub,
    /// The Apps that are being made.
    pub connecting: Connecting,
    /// Wakes whoever works on deliveries.
    pub delivered: Arc<Notify>,
}

impl Context {
    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A repository's mirror.
    pub fn mirror(&self, repository: &RepositoryId) -> Mirror {
        Mirror::at(self.config.mirrors().join(repository.as_str()))
    }

    /// The history in a repository's mirror; none when it cannot be read.
    pub fn history(&self, repository: &RepositoryId) -> Option<History> {
        match self.mirror(repository).open() {
            Ok(history) => Some(history),
            Err(error) => {
                tracing::warn!(repository.id = %repository, %error, "cannot read a mirror");
                None
            }
        }
    }

    /// Reads a commit from the stack's mirror and pins it there, so that no force push can take it away from a run.
    pub async fn commit(&self, stack: &Stack, hash: &CommitHash) -> Result<Commit, Problem> {
        let gone = || Problem::refused(Refusal::CommitGone { commit: hash.clone() });
        let commit = self.history(&stack.repository).and_then(|history| history.commit(hash)).ok_or_else(gone)?;
        self.mirror(&stack.repository).pin(hash).await.map_err(|error| {
            tracing::warn!(repository.id = %stack.repository, commit = %hash, %error, "cannot pin a commit");
            gone()
        })?;
        Ok(commit)
    }

    /// Adds a line to the activity log of this transaction.
    pub async fn record(
        &self,
        writing: &mut Writing,
        actor: &str,
        action: &str,
        stack: Option<&StackId>,
        run: Option<&RunId>,
        detail: impl Into<String>,
    ) -> Result<(), Problem> {
        let at = self.now();
        let entry = Entry {
            id: self.ids.next(at),
            at,
            actor: actor.into(),
            action: action.into(),
            stack_id: stack.cloned(),
            run_id: run.cloned(),
            outcome: Outcome::Done,
            detail: detail.into(),
        };
        Ok(writing.add_activity(&entry).await?)
    }

    /// Passes a command's result on; a refusal is written to the activity log on the way.
    pub async fn noted<A: Action, T>(
        &self,
        permit: &Permit<A>,
        run: Option<&RunId>,
        result: Result<T, Problem>,
    ) -> Result<T, Problem> {
        if let Err(problem @ (Problem::Refused(_) | Problem::Forbidden { .. } | Problem::Stale { .. })) = &result {
            self.note_refusal(&permit.viewer().name, A::NAME, Some(permit.stack()), run, problem).await?;
        }
        result
    }

    /// Writes a refused attempt to the activity log.
    pub async fn note_refusal(
        &self,
        actor: &str,
        action: &str,
        stack: Option<&StackId>,
        run: Option<&RunId>,
        problem: &Problem,
    ) -> Result<(), Problem> {
        let at = self.now();
        let mut writing = self.store.write().await?;
        writing
            .add_activity(&Entry {
                id: self.ids.next(at),
                at,
                actor: actor.into(),
                action: action.into(),
                stack_id: stack.cloned(),
                run_id: run.cloned(),
                outcome: Outcome::Refused,
                detail: problem.sentence(),
            })
            .await?;
        Ok(writing.commit().await?)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Changed => Self::refused(Refusal::Overtaken),
            StoreError::Database(_) | StoreError::Schema(_) | StoreError::Unreadable(_) | StoreError::TooOld(_) => {
                tracing::error!(%error, "the store failed");
                Self::Unavailable
            }
        }
    }
}

/// The stack with this id, or the problem that there is none.
pub async fn find_stack(reading: &mut Reading, id: &StackId) -> Result<Stack, Problem> {
    reading.stack(id).await?.ok_or(Problem::NotFound(Thing::Stack))
}

/// The run of this stack with this id, or the problem that there is none.
pub async fn find_run(reading: &mut Reading, stack: &StackId, id: &RunId) -> Result<Run, Problem> {
    reading.run(stack, id).await?.ok_or(Problem::NotFound(Thing::Run))
}

/// Takes the stack for this transaction, or says that there is none.
async fn take_stack(writing: &mut Writing, id: &StackId) -> Result<Stack, Problem> {
    writing.take_stack(id).await?.ok_or(Problem::NotFound(Thing::Stack))
}

/// Refuses when as many runs of a stack that this transaction has taken are open as may be.
async fn room_for_one(context: &Context, writing: &mut Writing, stack: &Stack) -> Result<(), Problem> {
    let limit = context.config.limits.queue;
    let open = writing.open_runs(&stack.id).await?;
    if open < limit { Ok(()) } else { Err(Problem::refused(Refusal::QueueFull { limit })) }
}

/// Refuses when somebody else keeps the stack for themselves.
fn unlocked_for(stack: &Stack, viewer: &str) -> Result<(), Problem> {
    match &stack.lock {
        Some(Lock { holder, note, at }) if holder != viewer => {
            Err(Problem::refused(Refusal::Locked { holder: holder.clone(), note: note.clone(), at: *at }))
        }
        Some(_) | None => Ok(()),
    }
}
