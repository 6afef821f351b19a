//! Read installations: makes what Headway knows of the App, its installations, their repositories and open pull requests
//! what GitHub says. Events only say that it is time to.

use super::Context;
use super::follow_pull_request::follow_pull_request;
use super::github_place::{self, reach};
use crate::domain::difference::Differences;
use crate::domain::permission::Viewer;
use crate::domain::problem::Problem;
use crate::domain::pull_request::PullRequestState;
use crate::github::app::InstallationDescription;
use crate::github::event::RepositoryPayload;
use crate::github::{App, GitHubError};
use crate::store::GithubRepository;

/// What the activity log calls it when Headway takes over what GitHub says.
const FOLLOW: &str = "follow GitHub";

/// Headway itself, which was told by GitHub.
fn teller() -> Viewer {
    Viewer { from: "GitHub".into(), ..Viewer::system() }
}

/// Reads the App and everything it is installed on.
pub async fn read_all(context: &Context) -> Result<(), Problem> {
    let Some(app) = github_place::app(context).await? else { return Ok(()) };
    let described = context.github.app(&app).await;
    let mut writing = context.store.write().await?;
    match &described {
        Ok(app) => {
            let permissions = serde_json::to_string(&app.permissions).unwrap_or_default();
            writing.checked_github_app(Ok((&app.name, &permissions)), context.now()).await?;
        }
        Err(error) => {
            tracing::warn!(%error, "GitHub does not answer for the App");
            writing.checked_github_app(Err(&error.to_string()), context.now()).await?;
        }
    }
    writing.commit().await?;
    if described.is_err() {
        return Ok(());
    }
    match context.github.installations(&app).await {
        Ok(installations) => {
            let known = context.store.read().await?.installations().await?;
            for gone in known.iter().filter(|known| !installations.iter().any(|one| one.id == known.id)) {
                forget_installation(context, gone.id).await?;
            }
            for installation in installations {
                save(context, &app, installation).await?;
            }
        }
        Err(error) => tracing::warn!(%error, "cannot read the App's installations"),
    }
    Ok(())
}

/// Reads one installation.
pub async fn read_installation(context: &Context, id: i64) -> Result<Result<String, GitHubError>, Problem> {
    let Some(app) = github_place::app(context).await? else { return Ok(Err(GitHubError::NotFound)) };
    match context.github.installation(&app, id).await {
        Ok(installation) => {
            let account = installation.account.as_ref().map_or_else(String::new, |account| account.login.clone());
            let sentence = save(context, &app, installation).await?;
            Ok(Ok(format!("{sentence} on {account}.")))
        }
        Err(GitHubError::NotFound) => {
            forget_installation(context, id).await?;
            Ok(Ok("The installation is gone.".into()))
        }
        Err(error) => Ok(Err(error)),
    }
}

async fn save(context: &Context, app: &App, installation: InstallationDescription) -> Result<String, Problem> {
    let suspended = installation.suspended_at.is_some();
    let account = installation.account.map_or_else(|| "an account that is gone".into(), |account| account.login);
    let mut writing = context.store.write().await?;
    let before = writing.installation(installation.id).await?;
    writing.save_installation(installation.id, &account, &installation.permissions, suspended).await?;
    let known = before.as_ref().map(|before| before.account.as_str()).unwrap_or_default();
    let differences = Differences::default().and("Installation", known, account.as_str());
    let differences =
        differences.and_switch("Suspended", before.as_ref().is_some_and(|before| before.suspended), suspended);
    if !differences.is_empty() {
        context.record(&mut writing, &teller(), FOLLOW, None, None, differences).await?;
    }
    writing.commit().await?;
    // What could not be told while it was away, or lacked a right, can be told now.
    if before.is_none_or(|before| before.suspended || before.permissions != installation.permissions) {
        mark_all(context, installation.id).await?;
    }
    if suspended {
        context.github.forget_token(app.id, installation.id);
        return Ok("The App is suspended".into());
    }
    match context.github.repositories(app, installation.id).await {
        Ok(repositories) => {
            let count = repositories.len();
            save_repositories(context, installation.id, repositories).await?;
            Ok(format!("The App may see {count} {}", if count == 1 { "repository" } else { "repositories" }))
        }
        Err(error) => {
            tracing::warn!(installation.id = installation.id, %error, "cannot read an installation's repositories");
            github_place::note_error(context, installation.id, &error).await?;
            Ok(format!("The App's repositories cannot be read: {error}"))
        }
    }
}

async fn save_repositories(context: &Context, id: i64, repositories: Vec<RepositoryPayload>) -> Result<(), Problem> {
    let mut writing = context.store.write().await?;
    let known = writing.github_repositories().await?;
    for gone in known.iter().filter(|known| {
        known.installation_id == Some(id) && !repositories.iter().any(|repository| repository.id == known.id)
    }) {
        writing.detach_repository(gone.id).await?;
    }
    for repository in repositories {
        writing.save_github_repository(&described(repository, Some(id))).await?;
    }
    // A stack that was here before the App: its repository turns out to be one of these.
    for repository in writing.github_repositories().await?.iter().filter(|known| known.repository_id.is_none()) {
        let plain = repository.clone_address.trim_end_matches(".git");
        for address in [repository.clone_address.as_str(), plain] {
            if let Some(mirrored) = writing.repository_at(address).await?
                && writing.github_of(&mirrored.id).await?.is_none()
            {
                writing.link_repository(repository.id, &mirrored.id, context.now()).await?;
                break;
            }
        }
    }
    Ok(writing.commit().await?)
}

fn described(repository: RepositoryPayload, installation: Option<i64>) -> GithubRepository {
    GithubRepository {
        id: repository.id,
        installation_id: installation,
        full_name: repository.full_name,
        clone_address: repository.clone_url,
        default_branch: repository.default_branch.unwrap_or_else(|| "main".into()),
        private: repository.private,
        repository_id: None,
        linked_at: None,
        pulls_read_at: None,
    }
}

async fn mark_all(context: &Context, installation: i64) -> Result<(), Problem> {
    let mut writing = context.store.write().await?;
    for repository in writing.github_repositories().await? {
        if repository.installation_id == Some(installation) {
            writing.mark_repository(repository.id).await?;
        }
    }
    Ok(writing.commit().await?)
}

/// Forgets an installation that is gone: nothing more is told there, and runs go on.
pub async fn forget_installation(context: &Context, id: i64) -> Result<(), Problem> {
    if let Some(app) = github_place::app(context).await? {
        context.github.forget_token(app.id, id);
    }
    let mut writing = context.store.write().await?;
    if let Some(known) = writing.installation(id).await? {
        writing.delete_installation(id).await?;
        let differences = Differences::default().and("Installation", known.account, "");
        context.record(&mut writing, &teller(), FOLLOW, None, None, differences).await?;
    }
    Ok(writing.commit().await?)
}

/// Reads one repository anew, by its id: it may have another name or owner.
pub async fn read_repository(
    context: &Context,
    id: i64,
    installation: Option<i64>,
) -> Result<Result<String, GitHubError>, Problem> {
    let Some(app) = github_place::app(context).await? else { return Ok(Err(GitHubError::NotFound)) };
    let known = context.store.read().await?.github_repository(id).await?;
    let Some(installation) = installation.or(known.as_ref().and_then(|known| known.installation_id)) else {
        return Ok(Ok("No installation of the App can see it.".into()));
    };
    match context.github.repository(&app, installation, id).await {
        Ok(repository) => {
            let sentence = match &known {
                Some(known) if known.full_name != repository.full_name => {
                    format!("{} is {} now.", known.full_name, repository.full_name)
                }
                Some(_) | None => format!("{} was read.", repository.full_name),
            };
            let mut writing = context.store.write().await?;
            let address = repository.clone_url.clone();
            writing.save_github_repository(&described(repository, Some(installation))).await?;
            if let Some(known) = known.filter(|known| known.clone_address != address) {
                let differences = Differences::default().and("Repository", known.clone_address, address);
                context.record(&mut writing, &teller(), FOLLOW, None, None, differences).await?;
            }
            writing.commit().await?;
            context.poll.notify_one();
            Ok(Ok(sentence))
        }
        Err(GitHubError::NotFound) => {
            detach(context, id).await?;
            Ok(Ok("The App may not see it any more.".into()))
        }
        Err(error) => Ok(Err(error)),
    }
}

/// Takes a repository away from the App; its stacks and their history stay.
pub async fn detach(context: &Context, id: i64) -> Result<(), Problem> {
    let mut writing = context.store.write().await?;
    if let Some(known) = writing.github_repository(id).await?.filter(|known| known.installation_id.is_some()) {
        writing.detach_repository(id).await?;
        let differences = Differences::default().and("Repository of the App", known.full_name, "");
        context.record(&mut writing, &teller(), FOLLOW, None, None, differences).await?;
    }
    Ok(writing.commit().await?)
}

/// Reads the open pull requests of a repository that has stacks; those that are open here and not there have ended.
pub async fn read_pull_requests(context: &Context, repository: GithubRepository) -> Result<(), Problem> {
    let id = repository.id;
    let Ok(reached) = reach(context, repository).await? else { return Ok(()) };
    let open = match context.github.open_pull_requests(reached.place(), id).await {
        Ok(open) => open,
        Err(error) => {
            tracing::warn!(repository = reached.repository.full_name, %error, "cannot read the open pull requests");
            return github_place::note_error(context, reached.installation, &error).await;
        }
    };
    let known = context.store.read().await?.open_pull_requests(id).await?;
    for ended in known.into_iter().filter(|known| !open.iter().any(|pull| pull.number == known.number)) {
        if let Ok(Some(pull)) = context.github.pull_request(reached.place(), id, ended.number).await
            && pull.state != PullRequestState::Open
        {
            follow_pull_request(context, &pull).await?;
        }
    }
    for pull in open {
        follow_pull_request(context, &pull).await?;
    }
    let mut writing = context.store.write().await?;
    writing.pulls_read(id, context.now()).await?;
    Ok(writing.commit().await?)
}
