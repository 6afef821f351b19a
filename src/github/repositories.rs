//! Repositories, their pull requests, and who may write to them.

use super::checks::Place;
use super::client::Auth;
use super::event::{PullRequestPayload, RepositoryPayload};
use super::{App, GitHub, GitHubError, Result};
use crate::domain::pull_request::PullRequest;
use reqwest::Method;
use serde::Deserialize;

#[derive(Deserialize)]
struct Repositories {
    repositories: Vec<RepositoryPayload>,
}

#[derive(Deserialize)]
struct Permission {
    permission: String,
}

impl GitHub {
    /// The repositories that an installation may see.
    pub async fn repositories(&self, app: &App, installation: i64) -> Result<Vec<RepositoryPayload>> {
        let path = "/installation/repositories?per_page=100";
        self.ask_all(Auth::Installation(app, installation), path, |page: Repositories| page.repositories).await
    }

    /// One repository, by its id: whatever it is called by now.
    pub async fn repository(&self, app: &App, installation: i64, id: i64) -> Result<RepositoryPayload> {
        self.ask(Auth::Installation(app, installation), Method::GET, &format!("/repositories/{id}")).await
    }

    /// The open pull requests of a repository.
    pub async fn open_pull_requests(&self, place: Place<'_>, repository: i64) -> Result<Vec<PullRequest>> {
        let path = place.path("/pulls?state=open&per_page=100");
        let pulls = self.ask_all(place.auth(), &path, |page: Vec<PullRequestPayload>| page).await?;
        Ok(pulls.into_iter().filter_map(|pull| pull.read(repository)).collect())
    }

    /// One pull request as it is now.
    pub async fn pull_request(&self, place: Place<'_>, repository: i64, number: i64) -> Result<Option<PullRequest>> {
        let pull: PullRequestPayload =
            self.ask(place.auth(), Method::GET, &place.path(&format!("/pulls/{number}"))).await?;
        Ok(pull.read(repository))
    }

    /// Whether this login may write to the repository: *write*, *maintain* or *admin*. Somebody GitHub does not know may
    /// not; an error says that it could not be told.
    pub async fn may_write(&self, place: Place<'_>, login: &str) -> Result<bool> {
        let login: String = url::form_urlencoded::byte_serialize(login.as_bytes()).collect();
        let path = place.path(&format!("/collaborators/{login}/permission"));
        match self.ask::<Permission>(place.auth(), Method::GET, &path).await {
            Ok(answer) => Ok(matches!(answer.permission.as_str(), "admin" | "write" | "maintain")),
            Err(GitHubError::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
