//! Left: what GitHub is told where a stack is no more, because it was deleted or follows another repository now.

use super::checks::{Wanted, give_up, send};
use super::{Trouble, deployments};
use crate::commands::Context;
use crate::commands::github_place::{Reached, reach};
use crate::domain::StackId;
use crate::domain::check_run::{Detail, Facts, Subject, check_run};
use crate::domain::problem::Problem;
use crate::domain::stack::Stack;
use crate::github::GitHubError;
use crate::store::GithubCheck;
use std::collections::BTreeSet;

/// Says of every check that a stack has in another repository than the one that is `here` that it is gone, and of every
/// deployment there how it ended.
pub(super) async fn tell(
    context: &Context,
    id: &StackId,
    stack: Option<&Stack>,
    here: Option<i64>,
) -> Result<(), Trouble> {
    let checks = context.store.read().await?.live_checks(id).await?;
    for check in checks.iter().filter(|check| Some(check.github_repository_id) != here) {
        match tell_gone(context, check).await {
            // The App may have lost its rights there; nobody else waits for them.
            Err(Trouble::GitHub(error @ GitHubError::Forbidden(_))) => {
                tracing::warn!(check.id, %error, "GitHub does not take the end of a check run");
                give_up(context, check, Some(&error.to_string())).await?;
            }
            told => told?,
        }
    }
    // Those of a stack that was deleted have no run that could say how it ended.
    let Some(stack) = stack else { return Ok(()) };
    let known = context.store.read().await?.live_deployments(id).await?;
    let places: BTreeSet<i64> = known.iter().map(|known| known.github_repository_id).collect();
    for place in places.into_iter().filter(|place| Some(*place) != here) {
        match reached(context, place).await? {
            Some(reached) => deployments::tell(context, stack, &reached).await?,
            None => deployments::give_up(context, stack, place).await?,
        }
    }
    Ok(())
}

async fn tell_gone(context: &Context, check: &GithubCheck) -> Result<(), Trouble> {
    let reached = reached(context, check.github_repository_id).await?;
    let Some(reached) = reached.filter(|_| check.check_run_id.is_some()) else {
        return give_up(context, check, None).await;
    };
    let page = context.config.home();
    let facts = Facts {
        stack: &check.stack_name,
        subject: Subject::Gone,
        plan: None,
        detail: Detail::Counts,
        page: &page,
        refusal: check.refusal.as_deref(),
    };
    let wanted = Wanted { check_run: check_run(&facts), settled: true, page: page.clone() };
    send(context, &reached, check, &wanted, false).await
}

/// The repository with this id on GitHub, when it can be asked about now.
async fn reached(context: &Context, repository: i64) -> Result<Option<Reached>, Problem> {
    let github = context.store.read().await?.github_repository(repository).await?;
    match github {
        Some(github) => Ok(reach(context, github).await?.ok()),
        None => Ok(None),
    }
}
