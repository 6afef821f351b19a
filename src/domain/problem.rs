//! What can go wrong for the person who asked, as one closed type that the server and the browser both understand.
//! Every problem has a sentence that says what happened and, where there is one, the cure.

use super::permission::{Forbidden, Role};
use super::promotion::Verdict;
use super::run_state::RunState;
use super::{CommitHash, Timestamp};
use serde::{Deserialize, Serialize};

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// There is no such thing.
    NotFound(Thing),
    /// Nobody is signed in.
    NotSignedIn,
    /// It was tried too often.
    TooMany {
        /// How long to wait before the next try.
        seconds: i64,
    },
    /// The viewer lacks a right.
    Forbidden {
        /// The least role that would do.
        needs: Role,
    },
    /// A rule says no.
    Refused(Box<Refusal>),
    /// Some fields cannot be taken as they are.
    Invalid(Vec<FieldProblem>),
    /// Somebody saved meanwhile; these settings differ from what the form started from.
    Stale {
        /// The names of the changed settings, and what they are now.
        changed: Vec<String>,
        /// The version to start from next.
        version: i64,
    },
    /// The request could not be read.
    Malformed,
    /// The server did not answer.
    Unanswered,
    /// Headway itself could not do it; its log says why.
    Unavailable {
        /// The request in which that was, as the log has it.
        request: Option<String>,
    },
}

impl From<Forbidden> for Problem {
    fn from(forbidden: Forbidden) -> Self {
        Self::Forbidden { needs: forbidden.needs }
    }
}

/// What was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thing {
    /// A repository.
    Repository,
    /// A stack.
    Stack,
    /// A run.
    Run,
    /// A log.
    Log,
    /// A delivery.
    Delivery,
    /// A person.
    Person,
    /// A link that is good once.
    Invitation,
    /// An access token.
    AccessToken,
    /// A session.
    Session,
    /// A page.
    Page,
}

impl Thing {
    /// The word for it on a page.
    pub fn label(self) -> &'static str {
        match self {
            Self::Repository => "repository",
            Self::Stack => "stack",
            Self::Run => "run",
            Self::Log => "log",
            Self::Delivery => "delivery",
            Self::Person => "person",
            Self::Invitation => "invitation",
            Self::AccessToken => "access token",
            Self::Session => "session",
            Self::Page => "page",
        }
    }
}

/// One field of a form that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldProblem {
    /// The field's name in the form.
    pub field: String,
    /// What is wrong and what would do.
    pub message: String,
}

/// A rule that says no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The promotion rule.
    Promotion(Verdict),
    /// The run is not in a state for this.
    State {
        /// What was asked: "confirm".
        verb: String,
        /// Where the run stands.
        state: RunState,
    },
    /// Proposed runs cannot do this.
    ProposedOnlyPlans {
        /// What was asked.
        verb: String,
    },
    /// Somebody else holds the stack's lock.
    Locked {
        /// Who.
        holder: String,
        /// Why, if they said.
        note: Option<String>,
        /// Since when.
        at: Timestamp,
    },
    /// Nobody holds the lock that was to be given back.
    NotLocked,
    /// The stack starts no runs.
    Disabled,
    /// As many runs of the stack are open as may be.
    QueueFull {
        /// How many.
        limit: i64,
    },
    /// The stack has moved on, so this run's commit is not the one it stands at.
    MovedOn {
        /// Where it stands now.
        current: Option<CommitHash>,
    },
    /// The repository has not been read yet, or has no such branch.
    NoCommit {
        /// The branch.
        branch: String,
    },
    /// The stack must not be deleted.
    Protected,
    /// A run has not ended.
    RunsOpen {
        /// How many.
        count: i64,
    },
    /// Somebody else did something to it at the same moment.
    Overtaken,
    /// The repository cannot be read.
    Unreachable {
        /// Why, as a sentence without any credential.
        reason: String,
    },
    /// The commit is gone from the repository.
    CommitGone {
        /// Which one.
        commit: CommitHash,
    },
    /// GitHub, or what Headway knows of it, says no.
    GitHub {
        /// Why, as a sentence.
        reason: String,
        /// What would help.
        cure: String,
    },
    /// Signing in, or what concerns people, says no.
    People {
        /// Why, as a sentence.
        reason: String,
        /// What would help.
        cure: String,
    },
}

impl Refusal {
    /// What was refused, and why.
    pub fn reason(&self) -> String {
        match self {
            Self::Promotion(verdict) => verdict
                .refusals()
                .next()
                .map_or_else(|| "This run has been promoted already.".into(), |condition| condition.reason.clone()),
            Self::State { verb, state } => format!("Nobody can {verb} this run now: it is {state}."),
            Self::ProposedOnlyPlans { verb } => format!("A proposed run only plans, so there is nothing to {verb}."),
            Self::Locked { holder, note, .. } => match note.as_deref() {
                None | Some("") => format!("The stack is locked by {holder}."),
                Some(note) => format!("The stack is locked by {holder}: {note}"),
            },
            Self::NotLocked => "The stack is not locked.".into(),
            Self::Disabled => "The stack is disabled: it starts no runs.".into(),
            Self::QueueFull { limit } => format!("{limit} runs of this stack are open, and no more may be."),
            Self::MovedOn { current } => format!(
                "The stack has moved on: it stands at {}, not at this run's commit.",
                current.as_ref().map_or("no commit", CommitHash::short)
            ),
            Self::NoCommit { branch } => format!("The branch {branch} has not been seen in the repository yet."),
            Self::Protected => "The stack is protected from deletion.".into(),
            Self::RunsOpen { count: 1 } => "One of its runs has not ended.".into(),
            Self::RunsOpen { count } => format!("{count} of its runs have not ended."),
            Self::Overtaken => "Somebody else, or Headway itself, changed it at the same moment.".into(),
            Self::Unreachable { reason } => format!("The repository cannot be read: {reason}"),
            Self::CommitGone { commit } => format!("The commit {} is gone from the repository.", commit.short()),
            Self::GitHub { reason, .. } | Self::People { reason, .. } => reason.clone(),
        }
    }

    /// What would help.
    pub fn cure(&self) -> Option<String> {
        match self {
            Self::Promotion(verdict) => verdict.refusals().next().and_then(|condition| condition.cure.clone()),
            Self::State { .. } => Some("The page now shows where it stands.".into()),
            Self::ProposedOnlyPlans { .. } => Some("Promote it to make a tracked run of it.".into()),
            Self::Locked { holder, .. } => Some(format!("Ask {holder} or an administrator to unlock it.")),
            Self::NotLocked | Self::Overtaken => Some("Look at the page again, then decide once more.".into()),
            Self::Disabled => Some("An administrator can enable it in Settings > Stack details.".into()),
            Self::QueueFull { .. } => Some(
                "Discard or stop runs that nobody needs, or wait; pushes are answered as soon as there is room.".into(),
            ),
            Self::MovedOn { .. } => {
                Some("Promote the proposed run again, or trigger a tracked run at the current commit.".into())
            }
            Self::NoCommit { .. } => Some("Press Sync, and check the tracked branch in Settings > Source code.".into()),
            Self::Protected => Some("Switch off Protect from deletion in Settings > Behavior first.".into()),
            Self::RunsOpen { count: 1 } => Some("Discard it, stop it, or wait until it ends.".into()),
            Self::RunsOpen { .. } => Some("Discard them, stop them, or wait until they end.".into()),
            Self::Unreachable { .. } => Some("Check its address in Settings > Source code, then Sync.".into()),
            Self::CommitGone { .. } => Some("Push it again, or use a newer run.".into()),
            Self::GitHub { cure, .. } | Self::People { cure, .. } => Some(cure.clone()),
        }
    }
}

impl Problem {
    /// A rule that says no.
    pub fn refused(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }

    /// GitHub, or what Headway knows of it, says no.
    pub fn github(reason: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::refused(Refusal::GitHub { reason: reason.into(), cure: cure.into() })
    }

    /// Signing in, or what concerns people, says no.
    pub fn people(reason: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::refused(Refusal::People { reason: reason.into(), cure: cure.into() })
    }

    /// One field that cannot be taken.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldProblem { field: field.into(), message: message.into() }])
    }

    /// Headway itself could not do it, in a request that is still to be named.
    pub const UNAVAILABLE: Self = Self::Unavailable { request: None };

    /// The same, with the request in which Headway could not do it.
    pub fn in_request(self, request: &str) -> Self {
        match self {
            Self::Unavailable { request: None } if !request.is_empty() => {
                Self::Unavailable { request: Some(request.to_owned()) }
            }
            named @ Self::Unavailable { .. } => named,
            other @ (Self::NotFound(_)
            | Self::NotSignedIn
            | Self::TooMany { .. }
            | Self::Forbidden { .. }
            | Self::Refused(_)
            | Self::Invalid(_)
            | Self::Stale { .. }
            | Self::Malformed
            | Self::Unanswered) => other,
        }
    }

    /// What happened, as a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self::NotFound(thing) => format!("There is no such {}.", thing.label()),
            Self::NotSignedIn => "Nobody is signed in.".into(),
            Self::TooMany { .. } => "That was tried too often.".into(),
            Self::Forbidden { needs } => format!("That takes the role {}.", needs.label()),
            Self::Refused(refusal) => refusal.reason(),
            Self::Invalid(fields) => match fields.as_slice() {
                [field] => field.message.clone(),
                fields => format!("{} fields need another look.", fields.len()),
            },
            Self::Stale { changed, .. } => {
                format!("Somebody saved these settings while you edited. Changed meanwhile: {}.", changed.join(", "))
            }
            Self::Malformed => "Headway could not read this request.".into(),
            Self::Unanswered => "Headway did not answer.".into(),
            Self::Unavailable { .. } => "Headway could not do that. Its log says why.".into(),
        }
    }

    /// What would help, as a sentence.
    pub fn cure(&self) -> Option<String> {
        match self {
            Self::NotFound(_) => Some("It may have been deleted, or the address is mistyped.".into()),
            Self::NotSignedIn => Some("Sign in, then try again.".into()),
            Self::TooMany { seconds } => Some(format!("Wait {}, then try again.", super::time::span(seconds * 1000))),
            Self::Forbidden { .. } => Some("Ask an administrator for it.".into()),
            Self::Refused(refusal) => refusal.cure(),
            Self::Invalid(_) => None,
            Self::Stale { .. } => {
                Some("Your input is still here: compare it with what is saved, then save again.".into())
            }
            Self::Malformed => Some("Reload the page and try again.".into()),
            Self::Unanswered => Some("Check the connection, then try again.".into()),
            Self::Unavailable { request: None } => Some("Try again in a moment.".into()),
            Self::Unavailable { request: Some(request) } => {
                Some(format!("Try again in a moment. If it stays so, report the request {request}."))
            }
        }
    }

    /// The HTTP status that goes with it.
    pub fn status(&self) -> u16 {
        match self {
            Self::NotFound(_) => 404,
            Self::NotSignedIn => 401,
            Self::TooMany { .. } => 429,
            Self::Forbidden { .. } => 403,
            Self::Refused(_) | Self::Stale { .. } => 409,
            Self::Invalid(_) => 422,
            Self::Malformed => 400,
            Self::Unanswered => 504,
            Self::Unavailable { .. } => 500,
        }
    }
}
