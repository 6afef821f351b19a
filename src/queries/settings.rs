//! What the settings pages and the form of a new stack show.

use super::header;
use crate::app::view::{IntegrationView, RepositoryView, SettingsView};
use crate::commands::github_place::reach;
use crate::commands::{Context, find_stack};
use crate::domain::permission::{self, CreateStack, Look, Permit};
use crate::domain::problem::{Problem, Thing};
use crate::domain::variable::ShownVariable;
use crate::domain::{CommitHash, RepositoryId, StackId};

/// Everything that a stack's settings pages show.
pub async fn settings(context: &Context, permit: &Permit<Look>) -> Result<SettingsView, Problem> {
    let id = permit.stack();
    let mut reading = context.store.read().await?;
    let stack = find_stack(&mut reading, id).await?;
    let history = context.history(&stack.repository);
    let header = header(context, &mut reading, history.as_ref(), &stack, permit.viewer()).await?;
    let heads = reading.repository(&stack.repository).await?.map(|repository| repository.heads).unwrap_or_default();
    let variables = reading
        .variables(id)
        .await?
        .into_iter()
        .map(|variable| ShownVariable {
            name: variable.name,
            value: (!variable.secret).then_some(variable.value),
            planning: variable.planning,
            applying: variable.applying,
            updated_at: variable.updated_at,
        })
        .collect();
    let open_runs = reading.open_runs(id).await?;
    let github = reading.github_of(&stack.repository).await?;
    drop(reading);
    let github = match github {
        Some(github) => Some(IntegrationView {
            full_name: github.full_name.clone(),
            private: github.private,
            problem: reach(context, github).await?.err(),
        }),
        None => None,
    };
    let configurations = match heads.get(&stack.tracked_branch) {
        Some(head) => configurations(context, &stack.repository, head).await,
        None => Vec::new(),
    };
    Ok(SettingsView {
        header,
        version: stack.version,
        labels: stack.labels,
        additional_globs: stack.additional_globs,
        engine_binary: stack.engine_binary,
        behavior: stack.behavior,
        integration: stack.integration,
        github,
        may_change_repository: permission::permit::<CreateStack>(permit.viewer(), &StackId::new("")).is_ok(),
        branches: heads.into_keys().collect(),
        configurations,
        variables,
        open_runs,
    })
}

/// A repository for a new stack, seen from one of its branches.
pub async fn repository(
    context: &Context,
    _permit: &Permit<CreateStack>,
    id: &RepositoryId,
    branch: Option<&str>,
) -> Result<RepositoryView, Problem> {
    let mut reading = context.store.read().await?;
    let repository = reading.repository(id).await?.ok_or(Problem::NotFound(Thing::Repository))?;
    drop(reading);
    let offered = branch
        .into_iter()
        .chain(["main", "master", "trunk"])
        .find(|branch| repository.heads.contains_key(*branch))
        .map(str::to_owned)
        .or_else(|| repository.heads.keys().next().cloned())
        .unwrap_or_default();
    let configurations = match repository.heads.get(&offered) {
        Some(head) if repository.fetched_at.is_some() => Some(configurations(context, id, head).await),
        Some(_) | None => None,
    };
    let name = repository.address.trim_end_matches(".git").rsplit(['/', ':']).next().unwrap_or_default().to_owned();
    Ok(RepositoryView {
        id: repository.id,
        address: repository.address,
        branches: repository.heads.into_keys().collect(),
        branch: offered,
        configurations,
        problem: repository.problem,
        name,
    })
}

async fn configurations(context: &Context, repository: &RepositoryId, head: &CommitHash) -> Vec<String> {
    match context.mirror(repository).configurations(head).await {
        Ok(folders) => folders,
        Err(error) => {
            tracing::warn!(repository.id = %repository, %error, "cannot list the folders of a commit");
            Vec::new()
        }
    }
}
