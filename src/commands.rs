//! The use cases of Headway, one verb a file.
//!
//! Every surface (page, command line, GitHub) comes through here: a command demands a [`Permit`], checks the rules,
//! writes in one transaction, and leaves an entry in the activity log whether it was done or refused.

pub mod add_repository;
mod advance;
pub mod allow_plan;
pub mod answer_delivery;
pub mod authenticate;
pub mod catch_up;
mod change_repository;
pub mod clean;
pub mod confirm;
pub mod connect_github;
pub mod create_stack;
mod cut_log;
pub mod delete_stack;
pub mod discard;
pub mod fetch;
mod files;
pub mod follow_pull_request;
mod forget_repository;
pub mod github_place;
pub mod invite;
pub mod judge;
pub mod lock;
pub mod manage_people;
pub mod own_account;
pub mod press;
pub mod promote;
pub mod propose;
pub mod read_installations;
pub mod receive_delivery;
pub mod receive_push;
pub mod reconcile;
pub mod repeats;
pub mod retry;
pub mod retry_outdated;
pub mod reveal;
pub mod rotate_keys;
pub mod save_settings;
pub mod save_sign_in;
pub mod set_current;
pub mod set_variable;
pub mod sign_in;
pub mod sign_in_elsewhere;
pub mod stop;
pub mod sync;
#[cfg(test)]
pub mod tests;
pub mod throttle;
pub mod track;
pub mod trigger;
pub mod write_state;

pub use advance::{advance, advance_itself};
pub use connect_github::Connecting;
pub use fetch::Fetching;
pub use reconcile::Commenting;
pub use repeats::Repeats;
pub use reveal::Revealed;
pub use sign_in_elsewhere::Departures;
pub use throttle::Throttle;

use crate::clock::{Clock, Ids};
use crate::config::Config;
use crate::domain::activity::{Detail, Entry, Outcome};
use crate::domain::difference::Differences;
use crate::domain::permission::{Action, Permit, Viewer, permit};
use crate::domain::problem::{Problem, Refusal, Thing};
use crate::domain::run::Run;
use crate::domain::stack::{Lock, Stack};
use crate::domain::{Commit, CommitHash, RepositoryId, RunId, StackId, Timestamp};
use crate::git::history::History;
use crate::git::mirror::Mirror;
use crate::github::GitHub;
use crate::openid::OpenId;
use crate::outgoing::Outgoing;
use crate::password::Passwords;
use crate::store::{Reading, Store, StoreError, Writing};
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
    /// Where addresses that people enter may lead.
    pub outgoing: Outgoing,
    /// Asks GitHub.
    pub github: GitHub,
    /// Keeps apart the stacks that have one comment together.
    pub commenting: Commenting,
    /// The Apps that are being made.
    pub connecting: Connecting,
    /// Asks the provider that signs people in.
    pub openid: OpenId,
    /// The browsers that were led elsewhere to be signed in.
    pub departures: Departures,
    /// Wakes whoever works on deliveries.
    pub delivered: Arc<Notify>,
    /// Counts tries to sign in.
    pub throttle: Throttle,
    /// Makes and checks hashes of passwords.
    pub passwords: Passwords,
    /// What is shown once.
    pub revealed: Revealed,
    /// Counts attempts that are made again and again.
    pub repeats: Repeats,
}

impl Context {
    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A repository's mirror.
    pub fn mirror(&self, repository: &RepositoryId) -> Mirror {
        Mirror::at(self.config.mirrors().join(repository.as_str()), self.config.fetch_limit)
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

    /// Adds an entry to the activity log, with this transaction: what was done, as a sentence, as differences, or both.
    pub async fn record(
        &self,
        writing: &mut Writing,
        viewer: &Viewer,
        action: &str,
        stack: Option<&StackId>,
        run: Option<&RunId>,
        detail: impl Into<Detail>,
    ) -> Result<(), Problem> {
        let Detail { sentence, differences } = detail.into();
        let entry = self.entry(viewer, action, stack, run);
        writing.add_activity(Entry { detail: sentence, differences, ..entry });
        Ok(())
    }

    /// The permit to do `A` on a stack; an attempt without the right is written to the activity log. Of a stack that the
    /// viewer may not even see, nothing is told, not even that it is there.
    pub async fn permitted<A: Action>(&self, viewer: &Viewer, stack: &StackId) -> Result<Permit<A>, Problem> {
        let forbidden = match permit::<A>(viewer, stack) {
            Ok(permit) => return Ok(permit),
            Err(forbidden) => forbidden,
        };
        let problem = if viewer.role_on(stack).is_none() && !stack.as_str().is_empty() {
            Problem::NotFound(Thing::Stack)
        } else {
            Problem::from(forbidden)
        };
        let place = (!stack.as_str().is_empty()).then_some(stack);
        self.note_attempt(viewer, A::NAME, place, None, &problem.sentence()).await?;
        Err(problem)
    }

    /// Passes a command's result on; a refusal is written to the activity log on the way.
    pub async fn noted<A: Action, T>(
        &self,
        permit: &Permit<A>,
        run: Option<&RunId>,
        result: Result<T, Problem>,
    ) -> Result<T, Problem> {
        let (viewer, stack) = (permit.viewer(), Some(permit.stack()));
        match &result {
            Err(problem @ (Problem::Refused(_) | Problem::Stale { .. })) => {
                self.note_refusal(viewer, A::NAME, stack, run, problem).await?;
            }
            // Part of what was asked takes a right that the viewer lacks.
            Err(problem @ Problem::Forbidden { .. }) => {
                self.note_attempt(viewer, A::NAME, stack, run, &problem.sentence()).await?;
            }
            Ok(_) | Err(_) => {}
        }
        result
    }

    /// Writes an attempt of somebody who has the right, and that a rule refused, to the activity log.
    pub async fn note_refusal(
        &self,
        viewer: &Viewer,
        action: &str,
        stack: Option<&StackId>,
        run: Option<&RunId>,
        problem: &Problem,
    ) -> Result<(), Problem> {
        let entry = self.entry(viewer, action, stack, run);
        let mut writing = self.store.write().await?;
        writing.add_activity(Entry { outcome: Outcome::Refused, detail: problem.sentence(), ..entry });
        Ok(writing.commit().await?)
    }

    /// What an entry says of who did what, when and where.
    fn entry(&self, viewer: &Viewer, action: &str, stack: Option<&StackId>, run: Option<&RunId>) -> Entry {
        let at = self.now();
        Entry {
            id: self.ids.next(at),
            at,
            actor: viewer.name.clone(),
            origin: viewer.from.clone(),
            action: action.into(),
            // The stack without a name is the whole of this Headway.
            stack_id: stack.filter(|stack| !stack.as_str().is_empty()).cloned(),
            run_id: run.cloned(),
            outcome: Outcome::Done,
            detail: String::new(),
            differences: Differences::default(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Changed => Self::refused(Refusal::Overtaken),
            StoreError::Database(_)
            | StoreError::Schema(_)
            | StoreError::Unreadable(_)
            | StoreError::TooOld(_)
            | StoreError::Used => {
                tracing::error!(%error, "the store failed");
                Self::UNAVAILABLE
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

/// Takes a stack that was `read` before. Refuses when it has moved to another repository meanwhile: what was looked for in
/// the one that it had is no commit of this one.
async fn take_again(writing: &mut Writing, read: &Stack) -> Result<Stack, Problem> {
    let stack = take_stack(writing, &read.id).await?;
    if stack.repository == read.repository { Ok(stack) } else { Err(Problem::refused(Refusal::Overtaken)) }
}

/// Refuses when as many runs of a stack that this transaction has taken are open as may be, although `leaving` of them are
/// about to end.
async fn room_for_one(context: &Context, writing: &mut Writing, stack: &Stack, leaving: usize) -> Result<(), Problem> {
    let limit = context.config.limits.queue;
    let open = writing.open_runs(&stack.id).await?.saturating_sub_unsigned(leaving as u64);
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
