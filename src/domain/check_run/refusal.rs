//! Refusal: why a click on a button of a check led to nothing, where that is no condition of the promotion rule.

use super::{Standing, text};
use crate::domain::permission::Role;
use crate::domain::problem::Problem;
use crate::domain::pull_request::PullRequestState;
use crate::domain::{CommitHash, RunId, Timestamp};

/// Why a click led to nothing; what it says stands in `text`, with every other text that GitHub shows.
#[derive(Clone, Debug)]
pub enum Refusal<'a> {
    /// The click's repository, commit or installation is not the check run's.
    Forged,
    /// No button has that identifier.
    NoSuchButton,
    /// The check run is of the App, and nothing is known of it.
    UnknownCheckRun,
    /// It is not known any more which clicks on so old a check were answered.
    TooOld,
    /// The stack was deleted.
    StackGone,
    /// The stack has moved to another repository.
    StackMoved,
    /// The run was deleted.
    RunGone,
    /// The App does not reach the repository: why.
    OutOfReach(&'a str),
    /// Whether the sender may write could not be told: why.
    Unverified {
        /// Who clicked.
        login: &'a str,
        /// Why.
        why: &'a str,
    },
    /// Whether a pull request still offers the commit could not be told.
    HeadUnverified {
        /// The pull request.
        number: i64,
        /// Why.
        why: &'a str,
    },
    /// A bot clicked.
    Bot(&'a str),
    /// The sender may not write to the repository.
    NoWriteAccess {
        /// Who clicked.
        login: &'a str,
        /// The repository.
        repository: &'a str,
    },
    /// The sender is a person here who was shut out.
    ShutOut {
        /// Who clicked.
        login: &'a str,
        /// Their name here.
        person: &'a str,
    },
    /// The sender is a person here whose role does not suffice.
    Role {
        /// Who clicked.
        login: &'a str,
        /// Their name here.
        person: &'a str,
        /// Their role on the stack.
        has: Option<Role>,
        /// The role that it takes.
        needs: Role,
    },
    /// The branch has gone on to this commit.
    Superseded(&'a CommitHash),
    /// The commit was planned again by this run.
    Replaced(&'a RunId),
    /// The pull request of the run has ended.
    Ended {
        /// Its number.
        number: i64,
        /// How it ended.
        state: PullRequestState,
    },
    /// The branch of the run is gone.
    BranchDeleted,
    /// A deployment is not repeated.
    Deployment,
    /// Nobody has let the fork's commit be planned.
    ForkNotAllowed,
    /// No branch is at the commit.
    NoBranchAt(&'a CommitHash),
    /// No open pull request of a fork is at the commit.
    NoForkAt,
    /// The stack plans no forks.
    ForksNotPlanned,
    /// GitHub does not answer: why.
    NoCredential(&'a str),
    /// The commit of a pull request cannot be fetched.
    NotFetched {
        /// The pull request.
        number: i64,
        /// Its commit.
        commit: &'a CommitHash,
        /// Why.
        why: &'a str,
    },
    /// The pull request is no fork's.
    NoFork(i64),
    /// The pull request has ended.
    NotOpen {
        /// Its number.
        number: i64,
        /// How it ended.
        state: PullRequestState,
    },
    /// The pull request is at another commit.
    AtAnother {
        /// Its number.
        number: i64,
        /// Where it is.
        head: &'a CommitHash,
        /// What was to be planned.
        commit: &'a CommitHash,
    },
}

impl<'a> Refusal<'a> {
    /// Why a commit is not what its branch or pull request offers any more; none while it is.
    pub fn overtaken(standing: &'a Standing) -> Option<Self> {
        match standing {
            Standing::Newest => None,
            Standing::Superseded(by) => Some(Self::Superseded(by)),
            Standing::Replaced(run) => Some(Self::Replaced(run)),
            Standing::Ended { number, state } => Some(Self::Ended { number: *number, state: *state }),
            Standing::BranchDeleted => Some(Self::BranchDeleted),
        }
    }

    /// The refusal with its cure.
    pub fn problem(&self) -> Problem {
        let (reason, cure) = text::refusal(self);
        Problem::github(reason, cure)
    }
}

/// What the check says of a problem that stopped a click.
///
/// With the time, no two refusals are the same: GitHub sends the text along with the next click, which would else be
/// taken for this one come again.
pub fn told(problem: &Problem, login: &str, at: Timestamp) -> String {
    text::told(&sentences(problem), login, at)
}

/// The reason and the cure of a problem.
pub fn sentences(problem: &Problem) -> String {
    format!("{} {}", problem.sentence(), problem.cure().unwrap_or_default()).trim().to_owned()
}
