//! What a delivery says: bytes become one of the events that concern Headway. Fields that are not used are not read, and
//! whatever may be missing in GitHub's schemas may be missing here.
//!
//! A payload is a hint. That it was signed says that GitHub sent it, not that it is still so.

use crate::domain::pull_request::{PullRequest, PullRequestState};
use crate::domain::{CommitHash, Timestamp};
use serde::Deserialize;
use serde_json::Value;

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// GitHub tries whether Headway is there.
    Ping,
    /// Somebody pushed.
    Push {
        /// The repository.
        repository: i64,
    },
    /// Something happened to a pull request.
    PullRequest {
        /// The pull request; it may be older than what is known.
        pull: Box<PullRequest>,
    },
    /// Somebody pressed a button of a check run.
    Pressed(Press),
    /// Somebody asked for a check run again.
    Rerequested(Press),
    /// Somebody asked for every check of a commit again.
    SuiteRerequested {
        /// The repository.
        repository: i64,
        /// The commit.
        commit: CommitHash,
        /// Who.
        sender: Sender,
    },
    /// The App was installed or changed: read anew what GitHub says of it.
    Installation {
        /// The installation.
        id: i64,
    },
    /// The App was uninstalled.
    Uninstalled {
        /// The installation.
        id: i64,
    },
    /// A repository has another name or owner.
    Repository {
        /// The repository.
        id: i64,
        /// The installation that may see it now.
        installation: Option<i64>,
    },
    /// A repository is gone.
    RepositoryDeleted {
        /// The repository.
        id: i64,
    },
}

/// A click on a check run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Press {
    /// The App whose check run it is.
    pub app: Option<i64>,
    /// GitHub's id of the check run.
    pub check_run: i64,
    /// The commit that GitHub says it is for.
    pub commit: String,
    /// What Headway called it.
    pub external_id: String,
    /// Whether GitHub says that it has ended.
    pub ended: bool,
    /// The button; none when the whole check was asked for again.
    pub button: Option<String>,
    /// The repository.
    pub repository: i64,
    /// The installation.
    pub installation: Option<i64>,
    /// Who.
    pub sender: Sender,
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Sender {
    /// GitHub's id of the account; logins change hands.
    pub id: i64,
    /// The login.
    pub login: String,
    /// `User`, `Bot` or `Organization`.
    #[serde(default, rename = "type")]
    pub kind: String,
}

/// A repository in a payload or an answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RepositoryPayload {
    /// Its id.
    pub id: i64,
    /// `owner/name`.
    pub full_name: String,
    /// Whether not everybody can read it.
    #[serde(default)]
    pub private: bool,
    /// Where Git fetches it.
    #[serde(default)]
    pub clone_url: String,
    /// The branch that GitHub shows first.
    #[serde(default)]
    pub default_branch: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Installation {
    id: i64,
}

#[derive(Clone, Debug, Deserialize)]
struct Id {
    id: i64,
}

#[derive(Clone, Debug, Deserialize)]
struct Side {
    #[serde(rename = "ref")]
    branch: String,
    sha: String,
    repo: Option<Id>,
}

#[derive(Clone, Debug, Deserialize)]
struct Login {
    login: String,
}

/// A pull request in a payload or an answer.
#[derive(Clone, Debug, Deserialize)]
pub struct PullRequestPayload {
    number: i64,
    title: String,
    state: String,
    #[serde(default)]
    merged_at: Option<String>,
    #[serde(default)]
    draft: bool,
    user: Option<Login>,
    html_url: String,
    head: Side,
    base: Side,
    created_at: String,
    updated_at: String,
}

impl PullRequestPayload {
    /// As Headway keeps it; none when it says what cannot be.
    pub fn read(self, repository: i64) -> Option<PullRequest> {
        let time = |text: &str| text.parse::<jiff::Timestamp>().ok().map(|at| Timestamp(at.as_millisecond()));
        let state = match (self.state.as_str(), &self.merged_at) {
            ("open", _) => PullRequestState::Open,
            (_, Some(_)) => PullRequestState::Merged,
            (_, None) => PullRequestState::Closed,
        };
        let web = self.html_url.starts_with("https://") || self.html_url.starts_with("http://");
        Some(PullRequest {
            repository,
            number: self.number,
            title: self.title.chars().take(300).collect(),
            author: self.user.map_or_else(|| "ghost".into(), |user| user.login),
            state,
            draft: self.draft,
            base_branch: self.base.branch,
            // A fork that was deleted is still no branch of ours.
            fork: self.head.repo.is_none_or(|repo| repo.id != repository),
            head_branch: self.head.branch,
            head_commit: CommitHash::parse(&self.head.sha)?,
            address: if web { self.html_url } else { String::new() },
            opened_at: time(&self.created_at)?,
            updated_at: time(&self.updated_at)?,
        })
    }
}

#[derive(Deserialize)]
struct CheckRun {
    id: i64,
    head_sha: String,
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default)]
    status: Option<String>,
    app: Option<Id>,
}

#[derive(Deserialize)]
struct CheckSuite {
    head_sha: String,
    app: Option<Id>,
}

#[derive(Deserialize)]
struct RequestedAction {
    identifier: String,
}

/// Every field of every event that is used.
#[derive(Deserialize)]
struct Payload {
    #[serde(default)]
    action: Option<String>,
    repository: Option<RepositoryPayload>,
    installation: Option<Installation>,
    sender: Option<Sender>,
    pull_request: Option<PullRequestPayload>,
    check_run: Option<CheckRun>,
    check_suite: Option<CheckSuite>,
    requested_action: Option<RequestedAction>,
}

/// Why a delivery cannot be read: it is no JSON, is nested too deeply, or misses what its event must have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("It cannot be read: {0}.")]
pub struct Unreadable(String);

/// What a ledger shows of a delivery, whatever the event: what happened, and the repository.
pub fn glance(body: &[u8]) -> Result<(String, String), Unreadable> {
    #[derive(Deserialize)]
    struct Glance {
        #[serde(default)]
        action: Value,
        repository: Option<Named>,
    }
    #[derive(Deserialize)]
    struct Named {
        #[serde(default)]
        full_name: Value,
    }
    let Glance { action, repository } = serde_json::from_slice(body).map_err(|error| Unreadable(error.to_string()))?;
    let text = |value: &Value| value.as_str().unwrap_or_default().chars().take(200).collect::<String>();
    Ok((text(&action), repository.map(|repository| text(&repository.full_name)).unwrap_or_default()))
}

/// Reads a delivery: an event that concerns Headway, or none. `app` is the App's own id: other Apps' check runs come
/// along.
pub fn read(name: &str, body: &[u8], app: i64) -> Result<Option<Event>, Unreadable> {
    // What does not concern Headway need not have any shape.
    if !HANDLED.contains(&name) {
        return Ok(None);
    }
    let shape = |error: serde_json::Error| Unreadable(error.to_string());
    let payload: Payload = serde_json::from_slice(body).map_err(shape)?;
    let lacks = |what: &str| Unreadable(format!("it has no {what}"));
    let action = payload.action.as_deref().unwrap_or_default();
    let repository = payload.repository.as_ref().map(|repository| repository.id);
    let installation = payload.installation.as_ref().map(|installation| installation.id);
    Ok(match (name, action) {
        ("ping", _) => Some(Event::Ping),
        ("push", _) => Some(Event::Push { repository: repository.ok_or_else(|| lacks("repository"))? }),
        ("pull_request", _) => {
            let repository = repository.ok_or_else(|| lacks("repository"))?;
            let pull = payload.pull_request.ok_or_else(|| lacks("pull request"))?;
            let pull = pull.read(repository).ok_or_else(|| lacks("whole commit or time"))?;
            Some(Event::PullRequest { pull: Box::new(pull) })
        }
        ("check_run", "requested_action" | "rerequested") => {
            let check = payload.check_run.ok_or_else(|| lacks("check run"))?;
            let press = Press {
                app: check.app.map(|app| app.id),
                check_run: check.id,
                commit: check.head_sha,
                external_id: check.external_id.unwrap_or_default(),
                ended: check.status.as_deref() == Some("completed"),
                button: payload.requested_action.map(|action| action.identifier),
                repository: repository.ok_or_else(|| lacks("repository"))?,
                installation,
                sender: payload.sender.ok_or_else(|| lacks("sender"))?,
            };
            Some(if action == "rerequested" { Event::Rerequested(press) } else { Event::Pressed(press) })
        }
        ("check_suite", "rerequested") => {
            let suite = payload.check_suite.ok_or_else(|| lacks("check suite"))?;
            let ours = suite.app.is_some_and(|suite| suite.id == app);
            let commit = CommitHash::parse(&suite.head_sha).ok_or_else(|| lacks("whole commit"))?;
            ours.then_some(Event::SuiteRerequested {
                repository: repository.ok_or_else(|| lacks("repository"))?,
                commit,
                sender: payload.sender.ok_or_else(|| lacks("sender"))?,
            })
        }
        ("installation", "deleted") => {
            Some(Event::Uninstalled { id: installation.ok_or_else(|| lacks("installation"))? })
        }
        ("installation" | "installation_repositories", _) => {
            Some(Event::Installation { id: installation.ok_or_else(|| lacks("installation"))? })
        }
        ("repository", "deleted") => {
            Some(Event::RepositoryDeleted { id: repository.ok_or_else(|| lacks("repository"))? })
        }
        ("repository", _) => {
            Some(Event::Repository { id: repository.ok_or_else(|| lacks("repository"))?, installation })
        }
        _ => None,
    })
}

/// Whether an event concerns Headway at all; most deliveries are about what it did itself.
pub fn concerns(name: &str, action: &str) -> bool {
    match name {
        "check_run" => matches!(action, "requested_action" | "rerequested"),
        "check_suite" => action == "rerequested",
        _ => HANDLED.contains(&name),
    }
}

/// The events that are read.
pub const HANDLED: [&str; 8] = [
    "ping",
    "push",
    "pull_request",
    "check_run",
    "check_suite",
    "installation",
    "installation_repositories",
    "repository",
];

#[cfg(test)]
mod tests;
