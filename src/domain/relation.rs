//! How one commit relates to another, from Git history alone, never from dates (product.md, The promotion rule).

use super::Commit;
use serde::{Deserialize, Serialize};

/// How a run's commit relates to the stack's current commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "relation")]
pub enum Relation {
    /// The stack has no current commit yet.
    First,
    /// Newer: the current commit is its strict ancestor.
    Ahead {
        /// How many commits it has that the current one lacks.
        by: usize,
    },
    /// The very same commit.
    Identical,
    /// Older: it is a strict ancestor of the current commit.
    Behind {
        /// How many commits the current one has that it lacks.
        by: usize,
    },
    /// Neither contains the other.
    Diverged {
        /// What the current commit has and this one lacks.
        missing: Missing,
    },
    /// The history could not be read, or one of the commits is gone.
    Unknown,
}

impl Relation {
    /// The word for it in CSS.
    pub fn name(&self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Ahead { .. } => "ahead",
            Self::Identical => "identical",
            Self::Behind { .. } => "behind",
            Self::Diverged { .. } => "diverged",
            Self::Unknown => "unknown",
        }
    }
}

/// Commits that one commit lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// How many; at least that many when `capped`.
    pub count: usize,
    /// Whether counting was given up.
    pub capped: bool,
    /// The newest of them, at most [`Missing::SHOWN`].
    pub commits: Vec<Commit>,
}

impl Missing {
    /// How many of the missing commits are named.
    pub const SHOWN: usize = 10;
    /// Where counting is given up.
    pub const COUNTED: usize = 1000;
}
