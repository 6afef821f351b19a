//! A run: one job on a stack, its place in life, and the steps that led there.

use super::hold::Hold;
use super::plan::Delta;
use super::run_state::{RunKind, RunState};
use super::stack::Stack;
use super::vendor::Vendor;
use super::{Commit, CommitHash, RunId, StackId, Timestamp};
use serde::{Deserialize, Serialize};

/// A run as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its ULID.
    pub id: RunId,
    /// The stack it belongs to.
    pub stack: StackId,
    /// Proposed or tracked.
    pub kind: RunKind,
    /// Where it stands.
    pub state: RunState,
    /// The branch it was started for.
    pub branch: String,
    /// What it plans.
    pub commit: Commit,
    /// Who or what started it.
    pub triggered_by: String,
    /// The proposed run it was promoted from.
    pub promoted_from: Option<RunId>,
    /// The run it repeats.
    pub retry_of: Option<RunId>,
    /// Where the stack stood before this run moved it.
    pub previous: Previous,
    /// Who asked it to stop, while it has not stopped yet.
    pub stop_requested_by: Option<String>,
    /// Why it failed, was put back, or ended as it did.
    pub note: Option<String>,
    /// Why its plan waits for a person.
    pub holds: Vec<Hold>,
    /// Whether applying its plan would do anything; none before it has planned.
    pub changes: Option<bool>,
    /// What its plan would do.
    pub delta: Option<Delta>,
    /// The settings that it planned with; a page needs them not.
    #[serde(skip)]
    pub planned_with: Option<PlannedWith>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it entered its state.
    pub state_since: Timestamp,
    /// When its apply began.
    pub apply_started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Counts the workers that ever held it; a worker writes only while it is the last one.
    pub fence: i64,
}

impl Run {
    /// Its stack with the settings that the run planned with.
    pub fn planned_on(&self, stack: Stack) -> Stack {
        match self.planned_with.clone() {
            Some(PlannedWith { project_root, vendor, engine_binary }) => {
                Stack { project_root, vendor, engine_binary, ..stack }
            }
            None => stack,
        }
    }

    /// Whether it ended before its apply began: then a promotion is put back (product.md, The promotion rule).
    pub fn ended_before_apply(&self) -> bool {
        self.state.is_terminal() && self.state != RunState::Finished && self.apply_started_at.is_none()
    }
}

/// The settings of its stack that a run planned with: its plan is applied with the same, whatever the stack says by then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedWith {
    /// The folder that holds the configuration.
    pub project_root: String,
    /// Terraform or OpenTofu.
    pub vendor: Vendor,
    /// A path or a version of its program; empty for the one that is found on the path.
    pub engine_binary: String,
}

impl PlannedWith {
    /// Those of the stack now.
    pub fn of(stack: &Stack) -> Self {
        let Stack { project_root, vendor, engine_binary, .. } = stack;
        Self { project_root: project_root.clone(), vendor: *vendor, engine_binary: engine_binary.clone() }
    }
}

/// The current commit that a tracked run replaced, and the run that had set it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previous {
    /// The commit; none when the stack had none.
    pub commit: Option<CommitHash>,
    /// The run; none when a person had set the commit.
    pub run: Option<RunId>,
}

/// One step of a run's life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// Counts from 0.
    pub position: i64,
    /// The state it entered.
    pub state: RunState,
    /// When.
    pub at: Timestamp,
    /// Who or what did it.
    pub actor: String,
    /// Why, in a sentence.
    pub note: Option<String>,
}
