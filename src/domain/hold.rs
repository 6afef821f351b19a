//! Holds: when a tracked run waits for a person although autodeploy is on (product.md, Holds).
//!
//! The rule is judged when the plan is there, over what the stack looks like at that moment. Every reason is kept, so
//! that the person who confirms sees all of them.

use super::promotion::commits;
use super::relation::Missing;
use super::stack::Lock;
use serde::{Deserialize, Serialize};

/// What the rule looks at.
#[derive(Clone, Debug)]
pub struct Facts {
    /// *Autodeploy*.
    pub autodeploy: bool,
    /// Whether the stack is disabled.
    pub disabled: bool,
    /// The stack's lock, if anybody holds it.
    pub lock: Option<Lock>,
    /// What applying the run's commit would take out of what is deployed.
    pub taken_out: TakenOut,
}

/// How a commit relates to the applied one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakenOut {
    /// It contains the applied commit, or nothing was applied yet.
    Nothing,
    /// It lacks these commits.
    Commits(Missing),
    /// The history could not be read.
    Unknown,
}

/// A reason to wait for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum Hold {
    /// The stack asks before every apply; not a hold in the strict sense, but the usual reason to wait.
    AutodeployOff,
    /// The stack was disabled while the run planned.
    Disabled,
    /// Applying would undo what is deployed.
    TakesOut {
        /// What it would undo.
        missing: Missing,
    },
    /// Whether applying would undo something cannot be told.
    HistoryUnknown,
    /// Somebody keeps the stack for themselves.
    Locked {
        /// Who.
        holder: String,
    },
}

impl Hold {
    /// Why the run waits, as a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self::AutodeployOff => "Autodeploy is off: the plan waits for a person.".into(),
            Self::Disabled => "The stack is disabled: nothing is applied by itself.".into(),
            Self::TakesOut { missing } => format!(
                "Applying would take out {}{} that {} deployed: this commit does not contain the applied one.",
                if missing.capped { "more than " } else { "" },
                commits(missing.count),
                if missing.count == 1 { "is" } else { "are" },
            ),
            Self::HistoryUnknown => {
                "Whether applying would undo what is deployed cannot be told: the history could not be read.".into()
            }
            Self::Locked { holder } => format!("The stack is locked by {holder}."),
        }
    }
}

/// Judges whether a planned tracked run must wait; empty when it may be applied at once.
pub fn judge(facts: &Facts) -> Vec<Hold> {
    let mut holds = Vec::new();
    if !facts.autodeploy {
        holds.push(Hold::AutodeployOff);
    }
    if facts.disabled {
        holds.push(Hold::Disabled);
    }
    match &facts.taken_out {
        TakenOut::Nothing => {}
        TakenOut::Commits(missing) => holds.push(Hold::TakesOut { missing: missing.clone() }),
        TakenOut::Unknown => holds.push(Hold::HistoryUnknown),
    }
    if let Some(lock) = &facts.lock {
        holds.push(Hold::Locked { holder: lock.holder.clone() });
    }
    holds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    #[test]
    fn only_a_free_stack_with_autodeploy_and_a_commit_that_keeps_everything_goes_on() {
        let missing = Missing { count: 2, capped: false, commits: Vec::new() };
        let lock = Lock { holder: "ada".into(), note: None, at: Timestamp(0) };
        for (autodeploy, disabled) in [(false, false), (false, true), (true, false), (true, true)] {
            for lock in [None, Some(lock.clone())] {
                for taken_out in [TakenOut::Nothing, TakenOut::Commits(missing.clone()), TakenOut::Unknown] {
                    let facts = Facts { autodeploy, disabled, lock: lock.clone(), taken_out: taken_out.clone() };
                    let mut expected = Vec::new();
                    if !autodeploy {
                        expected.push("Autodeploy is off: the plan waits for a person.");
                    }
                    if disabled {
                        expected.push("The stack is disabled: nothing is applied by itself.");
                    }
                    if taken_out == TakenOut::Commits(missing.clone()) {
                        expected.push(
                            "Applying would take out 2 commits that are deployed: this commit does not contain the \
                             applied one.",
                        );
                    }
                    if taken_out == TakenOut::Unknown {
                        expected.push(
                            "Whether applying would undo what is deployed cannot be told: the history could not be \
                             read.",
                        );
                    }
                    if lock.is_some() {
                        expected.push("The stack is locked by ada.");
                    }
                    let sentences: Vec<String> = judge(&facts).iter().map(Hold::sentence).collect();
                    assert_eq!(sentences, expected);
                }
            }
        }
    }
}
