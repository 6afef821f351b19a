//! A tracked run as a GitHub deployment: the environment is the stack, the states are those that GitHub knows.

use super::run::Run;
use super::run_state::{RunKind, RunState};

/// The states of a GitHub deployment that Headway reports (REST, Create a deployment status).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeploymentState {
    /// It waits for its turn.
    Queued,
    /// It waits for a person.
    Pending,
    /// It plans or applies.
    InProgress,
    /// It was applied, or there was nothing to apply.
    Success,
    /// It failed.
    Failure,
    /// It ended before anything was applied.
    Inactive,
}

impl DeploymentState {
    /// GitHub's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Pending => "pending",
            Self::InProgress => "in_progress",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Inactive => "inactive",
        }
    }
}

/// What a run is as a deployment; a proposed run deploys nothing.
pub fn deployment(run: &Run) -> Option<DeploymentState> {
    match run.kind {
        RunKind::Proposed => None,
        RunKind::Tracked => Some(state(run.state)),
    }
}

fn state(state: RunState) -> DeploymentState {
    match state {
        RunState::Queued | RunState::Ready => DeploymentState::Queued,
        RunState::Preparing
        | RunState::Initializing
        | RunState::Planning
        | RunState::Confirmed
        | RunState::Applying => DeploymentState::InProgress,
        RunState::Unconfirmed => DeploymentState::Pending,
        RunState::Finished => DeploymentState::Success,
        RunState::Failed => DeploymentState::Failure,
        RunState::Discarded | RunState::Canceled | RunState::Stopped => DeploymentState::Inactive,
    }
}
