//! Clean: removes in the background what has been kept long enough, a small bite at a time, and never what a run, a pin
//! or the activity log still needs.
//!
//! How long that is, `config/limits` says.

use super::authenticate::milliseconds;
use super::cut_log::cut_log;
use super::forget_repository::forget_repositories;
use super::{Context, fetch};
use crate::config::limits::{EARLIER_SECRETS_FOR, Keep};
use crate::domain::problem::Problem;
use crate::domain::pull_request::{PullRequestState, number_of_fork_branch};
use crate::domain::{RepositoryId, Timestamp};
use crate::git::mirror::Needed;
use crate::store::{Candidate, Cleanable, Reading};
use std::collections::BTreeSet;

/// How many rows are looked at, or removed, in one transaction.
const BATCH: i64 = 50;

/// How long access tokens are shown after their end, in milliseconds: thirty days.
const ENDED_TOKENS: i64 = 30 * 24 * 3_600_000;

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Logs of runs.
    pub logs: u64,
    /// Plans of runs.
    pub plans: u64,
    /// Versions of states.
    pub states: u64,
    /// Bodies of deliveries, and deliveries that need not be known any more.
    pub deliveries: u64,
    /// Entries of the activity log.
    pub entries: u64,
    /// What secrets held before.
    pub secrets: u64,
    /// Repositories that no stack uses any more.
    pub repositories: u64,
    /// Pins of commits that no run needs any more.
    pub pins: u64,
    /// Sessions that were over, links that nobody followed, and access tokens that had ended.
    pub doors: u64,
}

/// Cleans again and again until it is dropped.
pub async fn work(context: Context) {
    loop {
        match clean(&context).await {
            Ok(cleaned) if cleaned == Cleaned::default() => {}
            Ok(Cleaned { logs, plans, states, deliveries, entries, secrets, repositories, pins, doors }) => {
                tracing::info!(
                    logs,
                    plans,
                    states,
                    deliveries,
                    entries,
                    secrets,
                    repositories,
                    pins,
                    doors,
                    "removed what was kept long enough"
                );
            }
            Err(problem) => tracing::error!(?problem, "cannot remove what was kept long enough"),
        }
        tokio::time::sleep(context.config.limits.clean_interval).await;
    }
}

/// Cleans once.
pub async fn clean(context: &Context) -> Result<Cleaned, Problem> {
    let limits = &context.config.limits;
    let mut cleaned = Cleaned {
        logs: clean_runs(context, Cleanable::Log, limits.keep_logs).await?,
        plans: clean_runs(context, Cleanable::Plan, limits.keep_plans).await?,
        ..Cleaned::default()
    };
    let beyond = context.store.read().await?.stacks_with_states_beyond(limits.keep_states).await?;
    for stack in beyond {
        loop {
            let mut writing = context.store.write().await?;
            // States may be large: a few at a time.
            let count = writing.clean_states(&stack, limits.keep_states, 5).await?;
            writing.commit().await?;
            cleaned.states += count;
            if count == 0 {
                break;
            }
        }
    }
    let (told, known) = (before(context, limits.keep_deliveries), before(context, limits.keep_ledger));
    loop {
        let mut writing = context.store.write().await?;
        let mut count = 0;
        if let Some(before) = told {
            count += writing.clean_deliveries(before, BATCH).await?;
        }
        if let Some(before) = known {
            count += writing.forget_deliveries(before, BATCH).await?;
        }
        writing.commit().await?;
        cleaned.deliveries += count;
        if count == 0 {
            break;
        }
    }
    if let Keep::For(kept) = limits.keep_activity {
        cleaned.entries = cut_log(context, kept).await?;
    }
    cleaned.repositories = forget_repositories(context).await?;
    if let Some(since) = before(context, limits.keep_commits) {
        cleaned.pins = unpin(context, since).await?;
    }
    let now = context.now();
    let begun = now.plus(-milliseconds(context.config.session_limit));
    let used = now.plus(-milliseconds(context.config.session_idle));
    let mut writing = context.store.write().await?;
    cleaned.secrets = writing.remove_earlier_secrets(now.plus(-EARLIER_SECRETS_FOR)).await?;
    cleaned.doors = writing.remove_old_sessions(begun, used).await?
        + writing.remove_old_invitations(now).await?
        // For a month their person sees that they have ended.
        + writing.remove_old_access_tokens(now.plus(-ENDED_TOKENS)).await?;
    writing.commit().await?;
    Ok(cleaned)
}

/// The moment before which everything has been kept long enough.
fn before(context: &Context, keep: Keep) -> Option<Timestamp> {
    match keep {
        Keep::Forever => None,
        Keep::For(milliseconds) => Some(context.now().plus(-milliseconds)),
    }
}

async fn clean_runs(context: &Context, what: Cleanable, keep: Keep) -> Result<u64, Problem> {
    let Some(before) = before(context, keep) else { return Ok(0) };
    let mut count = 0;
    let mut after = String::new();
    loop {
        let candidates = context.store.read().await?.cleanable(what, before, &after, BATCH, None).await?;
        let Some(last) = candidates.last() else { return Ok(count) };
        last.id.as_str().clone_into(&mut after);
        for candidate in candidates {
            count += u64::from(clean_run(context, what, before, &candidate).await?);
        }
    }
}

/// Removes the log or the plan of a run, unless somebody needs it by now; whether it did.
async fn clean_run(
    context: &Context,
    what: Cleanable,
    before: Timestamp,
    candidate: &Candidate,
) -> Result<bool, Problem> {
    loop {
        let mut writing = context.store.write().await?;
        // Taken, so that nobody promotes the run, or moves the stack to it, in this very moment.
        writing.take_stack(&candidate.stack_id).await?;
        let still = writing.cleanable(what, before, "", 1, Some(&candidate.id)).await?;
        let Some(still) = still.into_iter().next() else { return Ok(false) };
        if may_be_promoted(&mut writing, &still).await? {
            return Ok(false);
        }
        let done = match what {
            Cleanable::Log => writing.clean_log(&still.id, &still.stack_id, BATCH, context.now()).await?,
            Cleanable::Plan => {
                writing.clean_plan(&still.id, &still.stack_id, context.now()).await?;
                true
            }
        };
        writing.commit().await?;
        tokio::task::yield_now().await;
        if done {
            return Ok(true);
        }
    }
}

/// Whether a proposed run is still the newest of its branch, or of an open pull request, or of the commit that another
/// branch is at.
async fn may_be_promoted(reading: &mut Reading, candidate: &Candidate) -> Result<bool, Problem> {
    let Some(stack) = reading.stack(&candidate.stack_id).await? else { return Ok(false) };
    let Some(repository) = reading.repository(&stack.repository).await? else { return Ok(false) };
    if candidate.newest_of_commit && repository.heads.values().any(|head| *head == candidate.commit_hash) {
        return Ok(true);
    }
    if !candidate.newest_of_branch {
        return Ok(false);
    }
    if repository.heads.contains_key(&candidate.branch) {
        return Ok(true);
    }
    let Some(github) = reading.github_of(&repository.id).await? else { return Ok(false) };
    let Some(number) = number_of_fork_branch(&candidate.branch) else { return Ok(false) };
    let pull = reading.pull_request(github.id, number).await?;
    Ok(pull.is_some_and(|pull| pull.state == PullRequestState::Open))
}

/// Takes the pins off commits that no run needs any more, and lets Git put its mirrors in order; how many pins.
///
/// A commit is pinned a moment before its run is there. So pins that runs need and that went in such a moment are set again
/// first, then Git tidies up, and only then pins go: whatever lost its pin here is still there the next time.
async fn unpin(context: &Context, since: Timestamp) -> Result<u64, Problem> {
    let repositories = context.store.read().await?.repository_ids().await?;
    let mut count = 0;
    for repository in repositories {
        let held = fetch::hold(context, &repository).await;
        let needed = needed(context, &repository, since).await?;
        match context.mirror(&repository).tidy(&needed).await {
            Ok(pins) => count += pins,
            Err(error) => tracing::debug!(repository.id = %repository, %error, "cannot put a mirror in order"),
        }
        drop(held);
    }
    Ok(count)
}

/// What a mirror must keep although no branch may have it.
async fn needed(context: &Context, repository: &RepositoryId, since: Timestamp) -> Result<Needed, Problem> {
    let mut reading = context.store.read().await?;
    let commits = reading.needed_commits(repository, since).await?.into_iter().collect();
    let pull_requests = match reading.github_of(repository).await? {
        Some(github) => reading.open_pull_requests(github.id).await?.into_iter().map(|pull| pull.number).collect(),
        None => BTreeSet::new(),
    };
    Ok(Needed { commits, pull_requests })
}
