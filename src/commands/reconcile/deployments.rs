//! Deployments: one on GitHub for each tracked run, with the states it goes through.

use super::{Trouble, page};
use crate::commands::Context;
use crate::commands::github_place::Reached;
use crate::domain::deployment::deployment;
use crate::domain::stack::Stack;
use crate::github::GitHubError;
use crate::store::GithubDeployment;

/// Brings every deployment of the stack in this repository up to date.
pub(super) async fn tell(context: &Context, stack: &Stack, reached: &Reached) -> Result<(), Trouble> {
    for known in live(context, stack, reached.repository.id).await? {
        match tell_one(context, stack, reached, &known).await {
            Ok(()) => {}
            // A right that the App lacks, or a commit that is gone, must not keep the checks waiting for ever.
            Err(Trouble::GitHub(
                error @ (GitHubError::Refused(_) | GitHubError::Forbidden(_) | GitHubError::NotFound),
            )) => {
                tracing::warn!(run.id = %known.run_id, %error, "GitHub does not take a deployment");
                end(context, &known).await?;
            }
            Err(trouble) => return Err(trouble),
        }
    }
    Ok(())
}

/// Tells no more of the stack's deployments in a repository.
pub(super) async fn give_up(context: &Context, stack: &Stack, repository: i64) -> Result<(), Trouble> {
    for known in live(context, stack, repository).await? {
        end(context, &known).await?;
    }
    Ok(())
}

async fn live(context: &Context, stack: &Stack, repository: i64) -> Result<Vec<GithubDeployment>, Trouble> {
    let mut deployments = context.store.read().await?.live_deployments(&stack.id).await?;
    deployments.retain(|known| known.github_repository_id == repository);
    Ok(deployments)
}

async fn end(context: &Context, known: &GithubDeployment) -> Result<(), Trouble> {
    let mut writing = context.store.write().await?;
    writing.deployment_sent(&known.run_id, None, &known.sent, false).await?;
    writing.commit().await?;
    Ok(())
}

async fn tell_one(
    context: &Context,
    stack: &Stack,
    reached: &Reached,
    known: &GithubDeployment,
) -> Result<(), Trouble> {
    let run = context.store.read().await?.run(&stack.id, &known.run_id).await?;
    let Some((run, state)) = run.and_then(|run| deployment(&run).map(|state| (run, state))) else { return Ok(()) };
    let id = match known.deployment_id {
        Some(id) => id,
        None => {
            let id = context.github.deployment(reached.place(), &run.id, &run.commit.hash, &stack.name).await?;
            let mut writing = context.store.write().await?;
            writing.deployment_sent(&run.id, Some(id), "", true).await?;
            writing.commit().await?;
            id
        }
    };
    if known.sent != state.name() {
        let page = page(context, &stack.id, Some(&run.id));
        context.github.deployment_status(reached.place(), id, state, &page).await?;
    }
    let mut writing = context.store.write().await?;
    writing.deployment_sent(&run.id, Some(id), state.name(), !run.state.is_terminal()).await?;
    writing.commit().await?;
    Ok(())
}
