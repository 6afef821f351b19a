//! The activity log: one entry for every change and for every attempt that was refused.
//!
//! Each entry carries the hash of the one before, so that nobody can change, remove, insert or move one without being found out: [`chain`].

#[cfg(feature = "ssr")]
pub mod chain;
#[cfg(feature = "ssr")]
pub mod cut;
#[cfg(feature = "ssr")]
pub mod walk;

use super::difference::Differences;
use super::{RunId, StackId, Timestamp};
use serde::{Deserialize, Serialize};

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(sqlx::Type), sqlx(type_name = "text", rename_all = "snake_case"))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It happened.
    Done,
    /// It was refused.
    Refused,
}

impl Outcome {
    /// The word for it in an address and an export.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }

    /// The outcome with this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Done, Self::Refused].into_iter().find(|outcome| outcome.name() == name)
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "ssr", derive(sqlx::FromRow))]
pub struct Entry {
    /// A ULID.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Who or what ([`super::actor::ActorKind::of`]).
    pub actor: String,
    /// From where: an address, or the way that they came; empty for Headway itself.
    pub origin: String,
    /// The action's name.
    pub action: String,
    /// On which stack.
    pub stack_id: Option<StackId>,
    /// On which run.
    pub run_id: Option<RunId>,
    /// How it ended.
    pub outcome: Outcome,
    /// What changed, or why it was refused, as a sentence; never a secret.
    pub detail: String,
    /// What was before and is after.
    #[cfg_attr(feature = "ssr", sqlx(try_from = "String"))]
    pub differences: Differences,
}

/// What an entry says of what was done: a sentence, and what was before and after.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// The sentence.
    pub sentence: String,
    /// Before and after.
    pub differences: Differences,
}

impl From<&str> for Detail {
    fn from(sentence: &str) -> Self {
        sentence.to_owned().into()
    }
}

impl From<String> for Detail {
    fn from(sentence: String) -> Self {
        Self { sentence, differences: Differences::default() }
    }
}

/// The differences speak for themselves.
impl From<Differences> for Detail {
    fn from(differences: Differences) -> Self {
        Self { sentence: differences.to_string(), differences }
    }
}

impl<S: Into<String>> From<(S, Differences)> for Detail {
    fn from((sentence, differences): (S, Differences)) -> Self {
        Self { sentence: sentence.into(), differences }
    }
}
