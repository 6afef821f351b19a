//! GitHub as a client sees it: who asks, what may be asked, and what came back. Nothing here knows the store; every
//! function asks GitHub and returns plain data.

pub mod app;
pub mod checks;
pub mod client;
pub mod comments;
pub mod deployments;
pub mod event;
pub mod hook;
mod limits;
pub mod manifest;
pub mod oauth;
pub mod repositories;
pub mod signature;
mod tokens;

pub use app::App;
pub use client::GitHub;

use crate::domain::Timestamp;
use crate::outgoing::Closed;

/// Why GitHub did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GitHubError {
    /// It cannot be reached, or did not answer in time.
    #[error("GitHub cannot be reached: {0}")]
    Unreachable(String),
    /// Its address leads to where Headway does not connect.
    #[error("{0}")]
    Closed(#[from] Closed),
    /// It answers, but with a failure of its own or something that is no answer.
    #[error("GitHub is in trouble: it answered {0}")]
    Broken(String),
    /// Too much was asked of it.
    #[error("GitHub asks to wait: its limit of requests is used up")]
    Limited {
        /// Until when.
        until: Timestamp,
    },
    /// It does not accept who asks.
    #[error("GitHub does not accept Headway's key or token: {0}")]
    Unauthorized(String),
    /// Who asks may not.
    #[error("GitHub forbids it: {0}")]
    Forbidden(String),
    /// There is no such thing, or who asks may not know of it.
    #[error("GitHub does not know it, or does not let Headway see it")]
    NotFound,
    /// It cannot be done as it was asked.
    #[error("GitHub refused it: {0}")]
    Refused(String),
    /// The private key cannot be used.
    #[error("The private key cannot be used: {0}")]
    Key(String),
}

impl GitHubError {
    /// Whether the same may work later without anybody doing anything.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Broken(_) | Self::Limited { .. } => true,
            Self::Closed(_)
            | Self::Unauthorized(_)
            | Self::Forbidden(_)
            | Self::NotFound
            | Self::Refused(_)
            | Self::Key(_) => false,
        }
    }
}

/// What GitHub answers.
pub type Result<T> = std::result::Result<T, GitHubError>;
