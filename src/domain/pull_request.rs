//! A pull request as Headway last heard of it: what GitHub says about it is a hint, what Git says about its commit
//! counts.

use super::{CommitHash, Timestamp};
use serde::{Deserialize, Serialize};

/// Where a pull request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(sqlx::Type), sqlx(type_name = "text", rename_all = "snake_case"))]
#[serde(rename_all = "snake_case")]
pub enum PullRequestState {
    /// It may still be merged.
    Open,
    /// It was closed without being merged.
    Closed,
    /// It was merged.
    Merged,
}

impl PullRequestState {
    /// The word for it on a page and in CSS.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Merged => "merged",
        }
    }
}

/// One pull request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullRequest {
    /// GitHub's id of the repository that it is to be merged into.
    pub repository: i64,
    /// Its number there.
    pub number: i64,
    /// Its title.
    pub title: String,
    /// The login of its author.
    pub author: String,
    /// Open, closed or merged.
    pub state: PullRequestState,
    /// Whether its author calls it a draft.
    pub draft: bool,
    /// The branch that it is to be merged into.
    pub base_branch: String,
    /// The branch it comes from, by its name there.
    pub head_branch: String,
    /// The newest commit of that branch.
    pub head_commit: CommitHash,
    /// Whether that branch is in another repository, or in one that is gone.
    pub fork: bool,
    /// Its page on GitHub.
    pub address: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When GitHub last changed it; an older report is not believed.
    pub updated_at: Timestamp,
}

impl PullRequest {
    /// The branch under which its runs stand: its own, or for a fork, whose branch is not in the stack's repository, a name
    /// that no branch can have.
    pub fn branch(&self) -> String {
        if self.fork { fork_branch(self.number) } else { self.head_branch.clone() }
    }
}

/// What the name of a fork's branch begins with. Git takes no space in the name of a branch, so that no branch of the
/// repository is ever taken for a fork's.
const FORK: &str = "pull request ";

/// The name under which the runs of a fork's pull request stand.
pub fn fork_branch(number: i64) -> String {
    format!("{FORK}{number}")
}

/// The number of the pull request from a fork whose runs stand under this branch.
pub fn number_of_fork_branch(branch: &str) -> Option<i64> {
    branch.strip_prefix(FORK)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fork_branch_has_its_number_and_no_other_branch_does() {
        assert_eq!(number_of_fork_branch(&fork_branch(17)), Some(17));
        for branch in ["main", "pull/17/head", "pull/17", "refs/pull/17/head", "pull-request-17"] {
            assert_eq!(number_of_fork_branch(branch), None, "{branch}");
        }
    }
}
