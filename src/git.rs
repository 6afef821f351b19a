//! Git: the mirrors of the stacks' repositories, what their histories say, and checkouts of single commits.
//!
//! Everything that talks to another machine or writes goes through the `git` program, everything that only reads history
//! through `gix`. No credential ever stands in an argument, a configuration file, an error or a log line.

pub mod address;
mod cause;
mod commits;
pub mod history;
pub mod mirror;
mod program;
mod remote;
mod stale;
mod walk;

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod shapes;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests;

pub use address::{Address, AddressProblem};
pub use cause::Cause;
pub use history::History;
pub use mirror::{Mirror, probe};
pub use stale::remove_every_lock;

use crate::domain::CommitHash;
use crate::outgoing::Closed;
use std::path::PathBuf;
use thiserror::Error;

/// Why Git could not do what it was asked to; each is a sentence for a page and holds no credential.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GitError {
    /// The address is none that Headway accepts.
    #[error("{0}")]
    Address(#[from] AddressProblem),
    /// The address leads to where Headway does not connect.
    #[error("{0}.")]
    Closed(#[from] Closed),
    /// The repository could not be read where it lives.
    #[error("{cause} (Git says: {detail}).")]
    Unreachable {
        /// What went wrong, as far as Git's words tell.
        cause: Cause,
        /// The telling line of what Git said.
        detail: String,
    },
    /// The mirror does not have the commit.
    #[error("The commit {0} is not in the repository, or no longer: it may have been taken away by a force push.")]
    Missing(CommitHash),
    /// A checkout was asked for in a place that is not an empty folder.
    #[error("There is no empty folder at {}, so nothing was checked out there.", .0.display())]
    NotFolder(PathBuf),
    /// A checkout would be larger than it may.
    #[error("Its files are more than {files}, or hold more than {mebibytes} MiB. Raise the setting --disk-limit.")]
    TooLarge {
        /// How many files there may be.
        files: usize,
        /// How much they may hold.
        mebibytes: u64,
    },
    /// Git took too long and was ended.
    #[error(
        "Git did not finish {action} within {seconds} seconds and was ended: check the connection, then try again{}.",
        setting.map_or_else(String::new, |setting| format!(", or raise the setting {setting}"))
    )]
    TimedOut {
        /// What it was doing.
        action: &'static str,
        /// How long it had.
        seconds: u64,
        /// The setting that gives it longer.
        setting: Option<&'static str>,
    },
    /// There is no `git` to run.
    #[error("The program `git` cannot be started ({0}). Install Git on the machine that Headway runs on.")]
    Program(String),
    /// The mirror, which is Headway's own copy, cannot be read or written.
    #[error("Headway's copy of the repository cannot be used ({0}). The next fetch repairs what it can.")]
    Unreadable(String),
}

impl GitError {
    /// Whether the repository is not there for this address and credential: another may find it.
    pub fn is_denied(&self) -> bool {
        match self {
            Self::Unreachable { cause, .. } => {
                matches!(cause, Cause::Authentication | Cause::NotFound | Cause::Moved)
            }
            Self::Address(_)
            | Self::Missing(_)
            | Self::NotFolder(_)
            | Self::TooLarge { .. }
            | Self::TimedOut { .. }
            | Self::Program(_)
            | Self::Unreadable(_)
            | Self::Closed(_) => false,
        }
    }
}
