//! Catch up: what was lost heals. At start and every ten minutes Headway reads what GitHub says it sent and asks again
//! for what did not arrive, and reads installations and open pull requests anew.

use super::{Context, fetch, github_place, read_installations};
use crate::domain::Timestamp;
use crate::domain::problem::Problem;
use crate::github::{App, GitHubError};
use std::time::Duration;

/// How often.
const EVERY: Duration = Duration::from_secs(600);

/// How long GitHub keeps its log, in milliseconds: three days.
const KEPT: i64 = 3 * 24 * 3_600_000;

/// How far before the last look the log is read again, in milliseconds: attempts may be noted late.
const OVERLAP: i64 = 15 * 60_000;

/// How many pages of GitHub's log are read at most.
const PAGES: usize = 50;

/// Catches up until it is dropped.
pub async fn work(context: Context) {
    loop {
        if let Err(problem) = catch_up(&context).await {
            tracing::error!(?problem, "cannot catch up with GitHub");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Reads everything anew because a person asked, and tells GitHub at once what waits.
pub async fn check_now(context: &Context) -> Result<(), Problem> {
    let mut writing = context.store.write().await?;
    writing.hurry_outbox().await?;
    writing.commit().await?;
    catch_up(context).await
}

/// Reads everything anew, once.
pub async fn catch_up(context: &Context) -> Result<(), Problem> {
    let now = context.now();
    let Some(row) = context.store.read().await?.github_app().await? else { return Ok(()) };
    read_installations::read_all(context).await?;
    let repositories = context.store.read().await?.github_repositories().await?;
    for repository in repositories {
        let Some(mirrored) = repository.repository_id.clone() else { continue };
        read_installations::read_pull_requests(context, repository).await?;
        // Pushes that nobody told of; what cannot be fetched is noted and tried again by the poller.
        let _ = fetch::fetch(context, &mirrored).await;
    }
    let app = github_place::open(context, &row)?;
    let since = row.caught_up_at.map_or(row.created_at, |at| at.plus(-OVERLAP)).max(now.plus(-KEPT));
    match ask_again(context, &app, since).await {
        Ok(()) => {
            let mut writing = context.store.write().await?;
            writing.caught_up(now).await?;
            Ok(writing.commit().await?)
        }
        Err(Trouble::GitHub(error)) => {
            tracing::warn!(%error, "cannot read GitHub's log of deliveries");
            Ok(())
        }
        Err(Trouble::Problem(problem)) => Err(problem),
    }
}

enum Trouble {
    GitHub(GitHubError),
    Problem(Problem),
}

/// Asks for every delivery since then that neither stands in the ledger nor was answered.
async fn ask_again(context: &Context, app: &App, since: Timestamp) -> Result<(), Trouble> {
    let mut asked: Vec<String> = Vec::new();
    let mut page = None;
    for _ in 0..PAGES {
        let (attempts, next) = context.github.deliveries(app, page.as_deref()).await.map_err(Trouble::GitHub)?;
        for attempt in &attempts {
            let at = attempt.delivered_at.parse::<jiff::Timestamp>();
            if at.is_ok_and(|at| at.as_millisecond() < since.0) {
                return Ok(());
            }
            // Newest first: an attempt that arrived, or was asked for, settles the older ones.
            if asked.contains(&attempt.guid) {
                continue;
            }
            asked.push(attempt.guid.clone());
            let known =
                async { Ok::<_, Problem>(context.store.read().await?.delivery(&attempt.guid).await?.is_some()) };
            if attempt.arrived() || known.await.map_err(Trouble::Problem)? {
                continue;
            }
            tracing::info!(delivery.id = attempt.guid, "asking GitHub for a delivery that did not arrive");
            context.github.redeliver(app, attempt.id).await.map_err(Trouble::GitHub)?;
        }
        page = next;
        if page.is_none() {
            return Ok(());
        }
    }
    Ok(())
}
