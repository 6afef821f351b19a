//! The states of a run and the steps between them (product.md, Run states). The table here is the only one: the store
//! refuses a step that it does not list, so no command or worker can invent one.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(sqlx::Type), sqlx(type_name = "text", rename_all = "snake_case"))]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// Plans only; nothing else ever happens to it.
    Proposed,
    /// Plans, then applies.
    Tracked,
}

impl RunKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Proposed, Self::Tracked];

    /// The word for it in SQL, CSS and the page.
    pub fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Tracked => "tracked",
        }
    }
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(sqlx::Type), sqlx(type_name = "text", rename_all = "snake_case"))]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Waits until its stack is free.
    Queued,
    /// May start; waits for a worker.
    Ready,
    /// A worker fetches the commit's files.
    Preparing,
    /// `init` runs.
    Initializing,
    /// `plan` runs.
    Planning,
    /// The plan waits for a person.
    Unconfirmed,
    /// A person accepted the plan; waits for a worker.
    Confirmed,
    /// `apply` runs.
    Applying,
    /// Ended well.
    Finished,
    /// Ended badly; its note says why.
    Failed,
    /// A person rejected it.
    Discarded,
    /// A newer push took its place before it started.
    Canceled,
    /// Interrupted while it worked, by a person or by a newer push.
    Stopped,
}

impl RunState {
    /// Every state, in the order of a run's life.
    pub const ALL: [Self; 13] = [
        Self::Queued,
        Self::Ready,
        Self::Preparing,
        Self::Initializing,
        Self::Planning,
        Self::Unconfirmed,
        Self::Confirmed,
        Self::Applying,
        Self::Finished,
        Self::Failed,
        Self::Discarded,
        Self::Canceled,
        Self::Stopped,
    ];

    /// The word for it in SQL, CSS and addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Ready => "ready",
            Self::Preparing => "preparing",
            Self::Initializing => "initializing",
            Self::Planning => "planning",
            Self::Unconfirmed => "unconfirmed",
            Self::Confirmed => "confirmed",
            Self::Applying => "applying",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Discarded => "discarded",
            Self::Canceled => "canceled",
            Self::Stopped => "stopped",
        }
    }

    /// The word for it on a page.
    pub fn label(self) -> &'static str {
        match self {
            Self::Queued => "Queued",
            Self::Ready => "Ready",
            Self::Preparing => "Preparing",
            Self::Initializing => "Initializing",
            Self::Planning => "Planning",
            Self::Unconfirmed => "Unconfirmed",
            Self::Confirmed => "Confirmed",
            Self::Applying => "Applying",
            Self::Finished => "Finished",
            Self::Failed => "Failed",
            Self::Discarded => "Discarded",
            Self::Canceled => "Canceled",
            Self::Stopped => "Stopped",
        }
    }

    /// Reads the word that [`RunState::name`] writes.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether the run has ended.
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Finished | Self::Failed | Self::Discarded | Self::Canceled | Self::Stopped => true,
            Self::Queued
            | Self::Ready
            | Self::Preparing
            | Self::Initializing
            | Self::Planning
            | Self::Unconfirmed
            | Self::Confirmed
            | Self::Applying => false,
        }
    }

    /// Whether a worker holds the run.
    pub fn is_working(self) -> bool {
        match self {
            Self::Preparing | Self::Initializing | Self::Planning | Self::Applying => true,
            Self::Queued
            | Self::Ready
            | Self::Unconfirmed
            | Self::Confirmed
            | Self::Finished
            | Self::Failed
            | Self::Discarded
            | Self::Canceled
            | Self::Stopped => false,
        }
    }

    /// Whether a tracked run in this state keeps its stack to itself (product.md: the blocker).
    pub fn blocks(self) -> bool {
        self != Self::Queued && !self.is_terminal()
    }

    /// The states that may follow this one for a run of that kind.
    pub fn next(self, kind: RunKind) -> &'static [RunState] {
        match (self, kind) {
            (Self::Queued, _) => &[Self::Ready, Self::Discarded, Self::Canceled],
            (Self::Ready, _) => &[Self::Preparing, Self::Discarded, Self::Canceled],
            // Back to the queue: the worker went away before anything was changed.
            (Self::Preparing, _) => &[Self::Initializing, Self::Failed, Self::Stopped, Self::Queued],
            (Self::Initializing, _) => &[Self::Planning, Self::Failed, Self::Stopped, Self::Queued],
            (Self::Planning, RunKind::Proposed) => &[Self::Finished, Self::Failed, Self::Stopped, Self::Queued],
            (Self::Planning, RunKind::Tracked) => {
                &[Self::Finished, Self::Unconfirmed, Self::Applying, Self::Failed, Self::Stopped, Self::Queued]
            }
            (Self::Unconfirmed, RunKind::Tracked) => &[Self::Confirmed, Self::Discarded],
            (Self::Confirmed, RunKind::Tracked) => &[Self::Applying, Self::Failed],
            (Self::Applying, RunKind::Tracked) => &[Self::Finished, Self::Failed],
            (Self::Unconfirmed | Self::Confirmed | Self::Applying, RunKind::Proposed)
            | (Self::Finished | Self::Failed | Self::Discarded | Self::Canceled | Self::Stopped, _) => &[],
        }
    }

    /// Whether a run of that kind may step from this state to `to`.
    pub fn may_become(self, to: Self, kind: RunKind) -> bool {
        self.next(kind).contains(&to)
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::{RunKind, RunState};

    /// Every allowed step, written as product.md draws them; all the others must be refused.
    const ALLOWED: &str = "
        both     queued       ready discarded canceled
        both     ready        preparing discarded canceled
        both     preparing    initializing failed stopped queued
        both     initializing planning failed stopped queued
        proposed planning     finished failed stopped queued
        tracked  planning     finished unconfirmed applying failed stopped queued
        tracked  unconfirmed  confirmed discarded
        tracked  confirmed    applying failed
        tracked  applying     finished failed";

    fn allowed(from: RunState, to: RunState, kind: RunKind) -> bool {
        ALLOWED.lines().filter(|line| !line.trim().is_empty()).any(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            (words[0] == "both" || words[0] == kind.name())
                && words[1] == from.name()
                && words[2..].contains(&to.name())
        })
    }

    #[test]
    fn every_step_is_allowed_or_refused_as_the_table_says() {
        for kind in RunKind::ALL {
            for from in RunState::ALL {
                for to in RunState::ALL {
                    assert_eq!(from.may_become(to, kind), allowed(from, to, kind), "{} {from} to {to}", kind.name());
                }
            }
        }
    }

    #[test]
    fn terminal_states_are_exactly_those_with_no_way_on() {
        for state in RunState::ALL {
            assert_eq!(state.is_terminal(), state.next(RunKind::Tracked).is_empty(), "{state}");
        }
    }

    #[test]
    fn a_run_that_began_to_apply_cannot_be_taken_back() {
        for from in [RunState::Confirmed, RunState::Applying] {
            for to in [RunState::Queued, RunState::Discarded, RunState::Stopped, RunState::Canceled] {
                assert!(!from.may_become(to, RunKind::Tracked), "{from} to {to}");
            }
        }
    }

    #[test]
    fn names_read_back() {
        for state in RunState::ALL {
            assert_eq!(RunState::parse(state.name()), Some(state));
        }
        assert_eq!(RunState::parse("Finished"), None);
    }
}
