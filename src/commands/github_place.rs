//! GitHub place: from what Headway knows to whom GitHub is to be asked for: the App with its key, the installation of a
//! repository, a token for Git.

use super::Context;
use super::read_installations::read_repository;
use crate::domain::problem::Problem;
use crate::domain::sealed::{self, SealedColumn};
use crate::github::checks::Place;
use crate::github::{App, GitHubError};
use crate::store::{GithubApp, GithubRepository, Reading, Repository};

/// A repository on GitHub that can be asked about now.
#[derive(Clone, Debug)]
pub struct Reached {
    /// The App.
    pub app: App,
    /// The installation.
    pub installation: i64,
    /// The repository.
    pub repository: GithubRepository,
}

impl Reached {
    /// As the client wants it.
    pub fn place(&self) -> Place<'_> {
        Place { app: &self.app, installation: self.installation, repository: &self.repository.full_name }
    }
}

/// The App, its key opened; none when none is connected.
pub async fn app(context: &Context) -> Result<Option<App>, Problem> {
    let row = context.store.read().await?.github_app().await?;
    row.map(|row| open(context, &row)).transpose()
}

/// Opens the App's key.
pub fn open(context: &Context, row: &GithubApp) -> Result<App, Problem> {
    let place = sealed::Place::app(SealedColumn::AppPrivateKey, row.app_id);
    let private_key = context.vault.open_text(&place, &row.private_key).map_err(|error| {
        tracing::error!(%error, "cannot open the GitHub App's key");
        Problem::github(
            format!("The key of the GitHub App cannot be opened: {error}."),
            "Bring the old key file back, or connect the App again.",
        )
    })?;
    Ok(App { id: row.app_id, api: row.api_address.clone(), private_key })
}

/// A repository with the App and the installation through which it is reached; a sentence when it is not.
pub async fn reach(context: &Context, repository: GithubRepository) -> Result<Result<Reached, String>, Problem> {
    let mut reading = context.store.read().await?;
    let Some(row) = reading.github_app().await? else { return Ok(Err("No GitHub App is connected.".into())) };
    let name = &repository.full_name;
    let Some(id) = repository.installation_id else {
        return Ok(Err(format!("The GitHub App is not installed on {name} any more.")));
    };
    let Some(installation) = reading.installation(id).await? else {
        return Ok(Err(format!("The GitHub App is not installed on {name} any more.")));
    };
    drop(reading);
    if installation.suspended {
        return Ok(Err(format!("The GitHub App is suspended for {}.", installation.account)));
    }
    let app = open(context, &row)?;
    Ok(Ok(Reached { app, installation: id, repository }))
}

/// The repository on GitHub that an address leads to, with or without `.git` at its end.
pub async fn repository_at(reading: &mut Reading, address: &str) -> Result<Option<GithubRepository>, Problem> {
    let plain = address.trim_end_matches(".git");
    match reading.github_at(&format!("{plain}.git")).await? {
        Some(found) => Ok(Some(found)),
        None => Ok(reading.github_at(plain).await?),
    }
}

/// A credential for Git at this address, when it is a repository that the App may see.
pub async fn credential(context: &Context, address: &str) -> Result<Option<String>, String> {
    let unavailable = |problem: Problem| problem.sentence();
    let found = async {
        let mut reading = context.store.read().await?;
        repository_at(&mut reading, address).await
    };
    let Some(repository) = found.await.map_err(unavailable)? else { return Ok(None) };
    // Without the App a public repository can still be fetched; a private one says what it lacks.
    if repository.installation_id.is_none() && !repository.private {
        return Ok(None);
    }
    let reached = reach(context, repository).await.map_err(unavailable)??;
    let token = context.github.token(&reached.app, reached.installation).await;
    token.map(|token| Some(format!("x-access-token:{token}"))).map_err(|error| error.to_string())
}

/// Reads a repository anew that GitHub did not let Git have: its token may have ended early, and its name may have
/// changed. None when it is not on GitHub.
pub async fn renew(context: &Context, repository: &Repository) -> Result<Option<Repository>, Problem> {
    let mut reading = context.store.read().await?;
    let github = reading.github_of(&repository.id).await?;
    drop(reading);
    let Some(github) = github else { return Ok(None) };
    let Ok(reached) = reach(context, github).await? else { return Ok(None) };
    context.github.forget_token(reached.app.id, reached.installation);
    // Whatever GitHub answers, the fetch that follows tells what is wrong.
    let _ = read_repository(context, reached.repository.id, None).await?;
    Ok(context.store.read().await?.repository(&repository.id).await?)
}

/// Notes that GitHub does what an installation asks for.
pub async fn note_success(context: &Context, installation: i64) -> Result<(), Problem> {
    let known = context.store.read().await?.installation(installation).await?;
    if known.is_none_or(|known| known.problem.is_none()) {
        return Ok(());
    }
    let mut writing = context.store.write().await?;
    writing.installation_problem(installation, None).await?;
    Ok(writing.commit().await?)
}

/// Notes why GitHub refuses an installation, unless it may pass.
pub async fn note_error(context: &Context, installation: i64, error: &GitHubError) -> Result<(), Problem> {
    if error.is_passing() {
        return Ok(());
    }
    let mut writing = context.store.write().await?;
    writing.installation_problem(installation, Some(&error.to_string())).await?;
    Ok(writing.commit().await?)
}
