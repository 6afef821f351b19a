//! Reconcile: makes GitHub show what follows from the stacks.
//!
//! A stack that changed is marked in the outbox by the transaction that changed it; here its checks, deployments and
//! comments are compared with what GitHub was told last, and only what differs is sent: at least once, in order, and
//! never in the way of a run.

mod checks;
mod comments;
mod deployments;
mod left;
pub mod standing;

pub use comments::Commenting;

use super::github_place::{self, Reached, reach};
use super::{Context, find_stack};
use crate::domain::problem::Problem;
use crate::domain::stack::Stack;
use crate::domain::{StackId, Timestamp};
use crate::github::GitHubError;
use crate::store::{Change, GithubRepository, Marked};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;

/// The longest wait between two tries, in milliseconds: an hour.
const LONGEST_WAIT: i64 = 3_600_000;

/// How many requests an hour are kept for clicks, and for what has to be said (reference, edge case 9).
const RESERVE: i64 = 200;

/// How long what did not go to a repository that a stack has left waits before it is tried again, in milliseconds.
const PAUSE: i64 = 600_000;

/// How many stacks are told of at the same time.
const TOGETHER: usize = 4;

/// What stopped a stack from being told of.
#[derive(Debug)]
enum Trouble {
    /// Headway itself.
    Problem(Problem),
    /// GitHub.
    GitHub(GitHubError),
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<crate::store::StoreError> for Trouble {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Problem(error.into())
    }
}

impl From<GitHubError> for Trouble {
    fn from(error: GitHubError) -> Self {
        Self::GitHub(error)
    }
}

/// Tells GitHub until it is dropped.
pub async fn work(context: Context) {
    let mut changes = context.store.changes();
    // Another version of Headway may say it otherwise, or under another address.
    if let Err(problem) = mark_all(&context).await {
        tracing::error!(?problem, "cannot mark the stacks on GitHub");
    }
    let mut working: JoinSet<StackId> = JoinSet::new();
    let mut busy: HashMap<StackId, ()> = HashMap::new();
    loop {
        match context.store.read().await {
            Ok(mut reading) => match reading.outbox_due(context.now()).await {
                Ok(marked) => {
                    for marked in marked {
                        if busy.len() >= TOGETHER || busy.contains_key(&marked.stack_id) {
                            continue;
                        }
                        busy.insert(marked.stack_id.clone(), ());
                        let context = context.clone();
                        working.spawn(async move {
                            if let Err(problem) = reconcile(&context, &marked).await {
                                tracing::error!(stack.id = %marked.stack_id, ?problem, "cannot reconcile GitHub");
                                tokio::time::sleep(Duration::from_secs(1)).await;
                            }
                            marked.stack_id
                        });
                    }
                }
                Err(error) => tracing::error!(%error, "cannot read the outbox"),
            },
            Err(error) => tracing::error!(%error, "cannot read the outbox"),
        }
        tokio::select! {
            Some(ended) = working.join_next() => match ended {
                Ok(stack) => { busy.remove(&stack); }
                Err(error) => { tracing::error!(%error, "telling GitHub broke"); busy.clear(); }
            },
            news = news(&mut changes) => if news.is_none() { return },
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
}

/// Waits for news that change what GitHub shows; none when there is nobody left to have any.
async fn news(changes: &mut Receiver<Change>) -> Option<()> {
    loop {
        match changes.recv().await {
            Ok(Change::Stack(_) | Change::Run(..) | Change::Github) | Err(RecvError::Lagged(_)) => return Some(()),
            Ok(Change::Log(_) | Change::People | Change::Fetch(_)) => {}
            Err(RecvError::Closed) => return None,
        }
    }
}

async fn mark_all(context: &Context) -> Result<(), Problem> {
    let mut writing = context.store.write().await?;
    writing.mark_all().await?;
    Ok(writing.commit().await?)
}

/// Tells GitHub about one marked stack.
pub async fn reconcile(context: &Context, marked: &Marked) -> Result<(), Problem> {
    let told = tell(context, &marked.stack_id).await;
    let mut writing = context.store.write().await?;
    match told {
        Ok(None) => writing.unmark(marked).await?,
        Ok(Some(until)) => writing.leave_rest(marked, until).await?,
        Err(Trouble::Problem(problem)) => {
            tracing::error!(stack.id = %marked.stack_id, ?problem, "cannot tell what GitHub is to show");
            writing.put_off(marked, later(marked.attempts, context.now()), &problem.sentence()).await?;
        }
        Err(Trouble::GitHub(error)) => {
            let due = match &error {
                GitHubError::Limited { until } => *until,
                GitHubError::Unreachable(_)
                | GitHubError::Closed(_)
                | GitHubError::Broken(_)
                | GitHubError::Unauthorized(_)
                | GitHubError::Forbidden(_)
                | GitHubError::NotFound
                | GitHubError::Refused(_)
                | GitHubError::Key(_) => later(marked.attempts, context.now()),
            };
            tracing::warn!(stack.id = %marked.stack_id, attempts = marked.attempts, %error, "GitHub was not told");
            writing.put_off(marked, due, &error.to_string()).await?;
        }
    }
    Ok(writing.commit().await?)
}

/// 2 s, 4 s, 8 s … an hour.
fn later(attempts: i64, now: Timestamp) -> Timestamp {
    now.plus((2000_i64 << attempts.clamp(0, 11)).min(LONGEST_WAIT))
}

/// Tells GitHub what a stack is to show there; when there will be requests for what can wait, if there were none.
async fn tell(context: &Context, id: &StackId) -> Result<Option<Timestamp>, Trouble> {
    let mut reading = context.store.read().await?;
    let stack = match find_stack(&mut reading, id).await {
        Ok(stack) => Some(stack),
        Err(Problem::NotFound(_)) => None,
        Err(problem) => return Err(problem.into()),
    };
    let github = match &stack {
        Some(stack) => reading.github_of(&stack.repository).await?,
        None => None,
    };
    drop(reading);
    let left = left::tell(context, id, stack.as_ref(), github.as_ref().map(|github| github.id)).await;
    let Some((stack, github)) = stack.zip(github) else { return left.map(|()| None) };
    let until = tell_here(context, &stack, github).await?;
    match left {
        Ok(()) => Ok(until),
        // Whatever is wrong in the repository that the stack has left keeps nothing waiting in this one.
        Err(Trouble::GitHub(error)) => {
            tracing::warn!(stack.id = %id, %error, "the repository that a stack has left was not told");
            let again = if let GitHubError::Limited { until } = &error { *until } else { context.now().plus(PAUSE) };
            Ok(Some(until.map_or(again, |until| until.min(again))))
        }
        Err(trouble @ Trouble::Problem(_)) => Err(trouble),
    }
}

/// Tells the repository that a stack follows.
async fn tell_here(context: &Context, stack: &Stack, github: GithubRepository) -> Result<Option<Timestamp>, Trouble> {
    // Without the App nothing can be told; it is marked again when it is back.
    let Ok(reached) = reach(context, github).await? else { return Ok(None) };
    let told = tell_all(context, stack, &reached).await;
    match &told {
        Ok(_) => github_place::note_success(context, reached.installation).await?,
        Err(Trouble::GitHub(error)) => github_place::note_error(context, reached.installation, error).await?,
        Err(Trouble::Problem(_)) => {}
    }
    if let Some((limit, remaining, resets_at)) = context.github.rate(reached.installation) {
        let mut writing = context.store.write().await?;
        writing.save_rate(reached.installation, limit, remaining, resets_at).await?;
        writing.commit().await?;
    }
    told
}

async fn tell_all(context: &Context, stack: &Stack, reached: &Reached) -> Result<Option<Timestamp>, Trouble> {
    let scarce = scarce_until(context, reached).is_some();
    checks::tell(context, stack, reached, scarce).await?;
    deployments::tell(context, stack, reached).await?;
    let until = scarce_until(context, reached);
    if until.is_none() {
        comments::tell(context, stack, reached).await?;
    }
    // There may be requests again by now: what was left out is told at once.
    Ok(until.or_else(|| scarce.then(|| context.now())))
}

/// Until when so few requests are left that they are kept for clicks, and for what has to be said.
fn scarce_until(context: &Context, reached: &Reached) -> Option<Timestamp> {
    let (_, remaining, resets_at) = context.github.rate(reached.installation)?;
    (remaining < RESERVE && resets_at > context.now()).then_some(resets_at)
}

/// The digest of what is sent.
fn digest(sent: &str) -> String {
    hex::encode(Sha256::digest(sent.as_bytes()))
}

/// The address of a run's page.
fn page(context: &Context, stack: &StackId, run: Option<&crate::domain::RunId>) -> String {
    let home = context.config.home();
    match run {
        Some(run) => format!("{home}/stack/{stack}/run/{run}"),
        None => format!("{home}/stack/{stack}/proposed"),
    }
}
