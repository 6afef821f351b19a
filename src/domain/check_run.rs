//! A run as a GitHub check run: what its check says and which buttons it has.
//!
//! [`check_run`] is one total function of facts; nothing else decides what GitHub shows. It is judged without a person:
//! GitHub shows the same buttons to everybody, and whoever presses one is judged by `promote` again.
//!
//! GitHub's rules that shape it (REST, Check runs): at most three buttons, a title and a summary, 65,535 characters a
//! text; a completed check run is never opened again, so every run has a check run of its own.

mod listing;
mod markdown;
mod refusal;
mod text;

#[cfg(test)]
mod tests;

pub use refusal::{Refusal, sentences, told};
pub use text::{COMMENT_MARK, comment, name};

use super::plan::Plan;
use super::promotion::Verdict;
use super::pull_request::PullRequestState;
use super::run::Run;
use super::run_state::RunState;
use super::{CommitHash, RunId};

/// How far a check run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It has not begun.
    Queued,
    /// It is at work, or waits for a person.
    InProgress,
    /// It has ended; nothing opens it again.
    Completed(Conclusion),
}

/// How a check run ended. *Action required* is not among them: it blocks a merge like a failure, and deploying is never
/// demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// The plan, or the apply, succeeded.
    Success,
    /// It failed.
    Failure,
    /// It ended before it came to anything.
    Cancelled,
    /// The stack has nothing to do with the commit.
    Skipped,
    /// Nothing can be said any more.
    Neutral,
}

impl Conclusion {
    /// GitHub's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
            Self::Neutral => "neutral",
        }
    }
}

/// A button of a check run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    /// Proposes the commit again.
    Preview,
    /// Promotes the run.
    Deploy,
    /// Lets the commit of a fork be planned.
    AllowPlan,
}

impl Button {
    /// Every button.
    pub const ALL: [Self; 3] = [Self::Preview, Self::Deploy, Self::AllowPlan];

    /// What GitHub sends back when it is pressed; at most 20 characters, and the same for every run: the run is found
    /// by the check run.
    pub fn identifier(self) -> &'static str {
        match self {
            Self::Preview => "preview",
            Self::Deploy => "deploy",
            Self::AllowPlan => "allow_plan",
        }
    }

    /// The button with this identifier.
    pub fn parse(identifier: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|button| button.identifier() == identifier)
    }
}

/// What GitHub is to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckRun {
    /// How far it is.
    pub status: Status,
    /// One line.
    pub title: String,
    /// Markdown.
    pub summary: String,
    /// Markdown: the changes.
    pub text: Option<String>,
    /// The buttons, in order.
    pub buttons: Vec<Button>,
}

/// How the run's commit stands to its branch and to the pull requests that have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is the newest commit of a branch, and of an open pull request if the branch ever had one.
    Newest,
    /// Another run of the same commit has taken its place.
    Replaced(RunId),
    /// The branch has gone on to another commit.
    Superseded(CommitHash),
    /// Its pull request has ended.
    Ended {
        /// Its number.
        number: i64,
        /// Merged or closed.
        state: PullRequestState,
    },
    /// Its branch is gone.
    BranchDeleted,
}

/// How much of a plan GitHub may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Resource by resource.
    Changes,
    /// Numbers only: everybody can read a public repository.
    Counts,
}

/// What a check speaks of.
#[derive(Clone, Debug)]
pub enum Subject<'a> {
    /// A proposed run, judged without a person.
    Proposed {
        /// The run.
        run: &'a Run,
        /// The verdict on it.
        verdict: &'a Verdict,
        /// How its commit stands.
        standing: Standing,
        /// The tracked runs that were promoted from it, newest first.
        promotions: &'a [Run],
    },
    /// A tracked run.
    Tracked {
        /// The run.
        run: &'a Run,
        /// Whether the tracked branch does not contain its commit: the next push there would undo it.
        unmerged: bool,
    },
    /// A commit that touches no file of the stack.
    Untouched,
    /// The commit of a fork, which has no run.
    Fork {
        /// Whether a maintainer may let it be planned.
        may_be_allowed: bool,
        /// Whether it is still the newest commit of its open pull request.
        newest: bool,
    },
    /// A run or stack that is gone.
    Gone,
}

/// Everything that a check is made of.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The stack's name.
    pub stack: &'a str,
    /// What it speaks of.
    pub subject: Subject<'a>,
    /// The plan, when there is one.
    pub plan: Option<&'a Plan>,
    /// How much of it may be shown.
    pub detail: Detail,
    /// The run's page, or the stack's.
    pub page: &'a str,
    /// What the last click was answered with, when it was refused.
    pub refusal: Option<&'a str>,
}

/// One stack in the comment on a pull request.
#[derive(Clone, Debug)]
pub struct CommentRow<'a> {
    /// The stack's name.
    pub stack: &'a str,
    /// The newest run of the pull request's commit; none when it touches nothing of the stack.
    pub run: Option<&'a Run>,
    /// Whether it can be deployed now.
    pub deployable: bool,
    /// The run's page, or the stack's.
    pub page: String,
}

/// Whether the check of a proposed run has Deploy: the promotion rule holds without regard to a person, and the commit
/// is still what its branch and its pull request offer.
pub fn may_deploy(verdict: &Verdict, standing: &Standing) -> bool {
    verdict.may_promote() && *standing == Standing::Newest
}

/// What GitHub is to show.
pub fn check_run(facts: &Facts<'_>) -> CheckRun {
    CheckRun {
        status: status(&facts.subject),
        title: text::title(facts),
        summary: text::summary(facts),
        text: text::changes(facts),
        buttons: buttons(&facts.subject),
    }
}

fn status(subject: &Subject<'_>) -> Status {
    match subject {
        Subject::Proposed { run, .. } | Subject::Tracked { run, .. } => match run.state {
            RunState::Queued | RunState::Ready => Status::Queued,
            RunState::Preparing
            | RunState::Initializing
            | RunState::Planning
            | RunState::Unconfirmed
            | RunState::Confirmed
            | RunState::Applying => Status::InProgress,
            RunState::Finished => Status::Completed(Conclusion::Success),
            RunState::Failed => Status::Completed(Conclusion::Failure),
            RunState::Discarded | RunState::Canceled | RunState::Stopped => Status::Completed(Conclusion::Cancelled),
        },
        Subject::Untouched | Subject::Fork { .. } => Status::Completed(Conclusion::Skipped),
        Subject::Gone => Status::Completed(Conclusion::Neutral),
    }
}

fn buttons(subject: &Subject<'_>) -> Vec<Button> {
    match subject {
        Subject::Proposed { verdict, standing, .. } if may_deploy(verdict, standing) => {
            vec![Button::Preview, Button::Deploy]
        }
        Subject::Proposed { .. } | Subject::Untouched => vec![Button::Preview],
        Subject::Fork { may_be_allowed: true, newest: true } => vec![Button::AllowPlan],
        Subject::Fork { .. } | Subject::Tracked { .. } | Subject::Gone => Vec::new(),
    }
}

/// Whether what the check shows stays as it is: else it is looked at again whenever its stack changes. A pull request
/// that is opened again brings its check back.
pub fn is_settled(subject: &Subject<'_>) -> bool {
    match subject {
        Subject::Proposed { run, standing, .. } => match standing {
            Standing::Newest => false,
            Standing::Replaced(_) | Standing::Superseded(_) | Standing::Ended { .. } | Standing::BranchDeleted => {
                run.state.is_terminal()
            }
        },
        Subject::Tracked { run, .. } => run.state.is_terminal(),
        Subject::Fork { newest, .. } => !newest,
        Subject::Untouched | Subject::Gone => true,
    }
}
