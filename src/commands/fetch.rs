//! Fetch: brings a repository's mirror up to date and lets every stack of it answer what was pushed.
//!
//! One fetch of a repository runs at a time; a repository that cannot be reached is tried again later and later.

use super::receive_push::receive_push;
use super::{Context, github_place};
use crate::domain::problem::{Problem, Refusal};
use crate::domain::sealed::Place;
use crate::domain::{CommitHash, RepositoryId, RunId, StackId, Timestamp};
use crate::git::GitError;
use crate::store::Repository;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::JoinSet;

/// The longest wait between two tries of a repository that cannot be reached.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

/// For each repository, a lock and when the last fetch that worked began.
#[derive(Clone, Debug, Default)]
pub struct Fetching(Arc<Mutex<BTreeMap<RepositoryId, Begun>>>);

/// When the last fetch of a repository that worked began.
type Begun = Arc<Mutex<Option<Instant>>>;

impl Fetching {
    async fn of(&self, repository: &RepositoryId) -> Begun {
        self.0.lock().await.entry(repository.clone()).or_default().clone()
    }
}

/// Fetches now, whether it is due or not; the runs that the stacks started.
///
/// Whoever asks while another fetch is on the way waits for the next one, and all who wait share it: then the runs are
/// told to one of them. [`Refusal::Unreachable`] says why it could not be fetched; the stack's page shows the same until
/// it can.
pub async fn fetch(context: &Context, id: &RepositoryId) -> Result<Vec<(StackId, RunId)>, Problem> {
    let asked = Instant::now();
    let lock = context.fetching.of(id).await;
    let mut begun = lock.lock().await;
    if begun.is_some_and(|begun| begun > asked) {
        return Ok(Vec::new());
    }
    let begins = Instant::now();
    let mut reading = context.store.read().await?;
    let Some(repository) = reading.repository(id).await? else { return Ok(Vec::new()) };
    drop(reading);
    let mended = context.mirror(id).open().is_err();
    let mut fetched = attempt(context, &repository).await;
    if let Err(Failure::Git(error)) = &fetched
        && error.is_denied()
        && let Some(repository) = github_place::renew(context, &repository).await?
    {
        fetched = attempt(context, &repository).await;
    }
    match fetched {
        Ok(heads) => {
            let now = context.now();
            let mut writing = context.store.write().await?;
            writing.fetched(id, &heads, mended, now, later(now, context.config.fetch_interval)).await?;
            let stacks = writing.stacks_of(id).await?;
            writing.commit().await?;
            let mut started = Vec::new();
            for stack in stacks {
                match receive_push(context, &stack.id, id, &heads).await {
                    Ok(runs) => started.extend(runs.into_iter().map(|run| (stack.id.clone(), run))),
                    // Deleted a moment ago.
                    Err(Problem::NotFound(_)) => {}
                    // The others still want to know; this one is told again by the next fetch.
                    Err(problem) => tracing::error!(stack.id = %stack.id, ?problem, "cannot answer a push"),
                }
            }
            *begun = Some(begins);
            Ok(started)
        }
        Err(error) => failed(context, &repository, &error).await,
    }
}

/// As long as this is held, nobody fetches the repository.
#[derive(Debug)]
pub struct Hold(#[expect(dead_code, reason = "it is held")] OwnedMutexGuard<Option<Instant>>);

/// Keeps everybody from fetching a repository.
pub async fn hold(context: &Context, id: &RepositoryId) -> Hold {
    let lock = context.fetching.of(id).await;
    Hold(lock.lock_owned().await)
}

/// Why a repository was not fetched.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// There is no credential for it.
    #[error("{0}")]
    Credential(String),
    /// Git failed.
    #[error("{0}")]
    Git(#[from] GitError),
}

async fn attempt(context: &Context, repository: &Repository) -> Result<BTreeMap<String, CommitHash>, Failure> {
    let credential = credential(context, repository).await.map_err(Failure::Credential)?;
    Ok(context.mirror(&repository.id).fetch(&context.outgoing, &repository.address, credential.as_deref()).await?)
}

/// The credential that a person gave for a repository, where it can be opened.
pub fn own_credential(context: &Context, repository: &Repository) -> Option<String> {
    context.vault.open_text(&Place::credential(&repository.id), repository.credential.as_deref()?).ok()
}

/// The credential of a repository: its own, opened, or a token of the GitHub installation that may see it.
pub async fn credential(context: &Context, repository: &Repository) -> Result<Option<String>, String> {
    if let Some(sealed) = &repository.credential {
        let place = Place::credential(&repository.id);
        return context.vault.open_text(&place, sealed).map(Some).map_err(|error| error.to_string());
    }
    github_place::credential(context, &repository.address).await
}

async fn failed(
    context: &Context,
    repository: &Repository,
    reason: &(dyn std::fmt::Display + Sync),
) -> Result<Vec<(StackId, RunId)>, Problem> {
    let reason = reason.to_string();
    tracing::warn!(repository.id = %repository.id, failures = repository.failures + 1, reason, "cannot fetch");
    let wait = back_off(context.config.fetch_interval, repository.failures);
    let mut writing = context.store.write().await?;
    writing.fetch_failed(&repository.id, &reason, later(context.now(), wait)).await?;
    writing.commit().await?;
    Err(Problem::refused(Refusal::Unreachable { reason }))
}

/// The wait after one more failure, when `failures` came before it: twice as long each time.
fn back_off(interval: Duration, failures: i64) -> Duration {
    let doublings = u32::try_from(failures.clamp(0, 16)).unwrap_or(0);
    interval.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST_WAIT.max(interval))
}

fn later(now: Timestamp, wait: Duration) -> Timestamp {
    now.plus(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX / 2))
}

/// The poller: fetches every repository that is due, until it is dropped.
///
/// A repository whose fetch is still on the way is left alone, and keeps no other one waiting.
pub async fn poll(context: Context) {
    let mut fetches = JoinSet::new();
    let mut on_the_way = BTreeMap::new();
    loop {
        while let Some(ended) = fetches.try_join_next_with_id() {
            on_the_way.remove(&ended.map_or_else(|failed| failed.id(), |(id, ())| id));
        }
        match due(&context).await {
            Ok(mut repositories) => {
                repositories.retain(|repository| !on_the_way.values().any(|fetched| fetched == repository));
                for repository in repositories {
                    let (context, fetched) = (context.clone(), repository.clone());
                    let task = fetches.spawn(async move {
                        // A repository that cannot be reached has been noted and logged; there is nobody else to tell.
                        let _ = fetch(&context, &fetched).await;
                    });
                    on_the_way.insert(task.id(), repository);
                }
            }
            Err(error) => tracing::error!(?error, "cannot tell which repositories are due"),
        }
        let _ = tokio::time::timeout(Duration::from_secs(1), context.poll.notified()).await;
    }
}

async fn due(context: &Context) -> Result<Vec<RepositoryId>, Problem> {
    let due = context.store.read().await?.repositories_due(context.now()).await?;
    Ok(due.into_iter().map(|repository| repository.id).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_out_of_reach_is_tried_less_and_less_often() {
        let waits: Vec<u64> = (0..8).map(|failures| back_off(Duration::from_secs(30), failures).as_secs()).collect();
        assert_eq!(waits, [30, 60, 120, 240, 480, 900, 900, 900]);
        assert_eq!(back_off(Duration::from_secs(3600), 9), Duration::from_secs(3600));
    }
}
