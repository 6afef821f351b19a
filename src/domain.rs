//! The vocabulary of Headway, one word for one thing (product.md, Words). Everything here is plain data that both the
//! server and the browser understand; nothing here reads a clock, a file or a database.

pub mod activity;
pub mod actor;
pub mod check_run;
pub mod deployment;
pub mod difference;
pub mod hold;
pub mod log_line;
pub mod permission;
pub mod person;
pub mod plan;
pub mod problem;
pub mod promotion;
pub mod pull_request;
pub mod relation;
pub mod run;
pub mod run_state;
pub mod sealed;
pub mod stack;
pub mod time;
pub mod variable;
pub mod vendor;

use serde::{Deserialize, Serialize};

/// Declares a newtype over text that is stored, sent and shown as that very text.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "ssr", derive(sqlx::Type), sqlx(transparent))]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is; whoever reads it from outside checks it first.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

use text_id;

text_id! {
    /// A stack's slug: lower-case letters, digits and dashes, made from its first name and never changed.
    StackId
}
text_id! {
    /// A run's ULID: sorts by the time the run was created.
    RunId
}
text_id! {
    /// A repository that Headway mirrors: one for each address, however many stacks use it.
    RepositoryId
}
text_id! {
    /// The full name of a Git commit: 40 lower-case hexadecimal digits.
    CommitHash
}

impl CommitHash {
    /// Reads a full commit name; anything but 40 hexadecimal digits is refused.
    pub fn parse(text: &str) -> Option<Self> {
        let full = text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        full.then(|| Self(text.to_ascii_lowercase()))
    }

    /// The first seven digits, as people quote it.
    pub fn short(&self) -> &str {
        self.0.get(..7).unwrap_or(&self.0)
    }
}

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(sqlx::Type), sqlx(transparent))]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Milliseconds from `earlier` to this moment; never negative.
    pub fn since(self, earlier: Self) -> i64 {
        (self.0 - earlier.0).max(0)
    }

    /// This moment, `milliseconds` later.
    pub fn plus(self, milliseconds: i64) -> Self {
        Self(self.0 + milliseconds)
    }
}

/// A commit as people recognise it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Its full name.
    pub hash: CommitHash,
    /// The first line of its message.
    pub subject: String,
    /// The author's name, as the commit has it.
    pub author: String,
    /// When it was committed, by the committer's clock: shown to people, never compared.
    pub committed_at: Timestamp,
}
