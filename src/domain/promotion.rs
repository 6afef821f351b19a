//! The promotion rule (product.md, The promotion rule): may this proposed run become a deployment?
//!
//! [`judge`] is a pure function over [`Facts`]. It returns every condition, each with its outcome, the sentence that
//! says why and what would cure it, and it is the only thing that decides: the run page, the list of branches, the
//! command line and the GitHub button all show or obey its [`Verdict`]. The command `promote` judges once more inside
//! its transaction, so that nothing which changed between the page and the click can slip through.
//!
//! "Newer" is a fact of Git history and of nothing else. A commit is newer than the stack's current commit when the
//! current commit is its strict ancestor: then applying it can only add to what is deployed. Dates are not looked at:
//! authors choose them, rebases reorder them, clocks drift. When history cannot be read the answer is no.

use super::permission::{Forbidden, Role};
use super::relation::Relation;
use super::run_state::{RunKind, RunState};
use super::stack::Lock;
use super::{CommitHash, RunId};
use serde::{Deserialize, Serialize};

/// Everything the rule looks at.
#[derive(Clone, Debug)]
pub struct Facts {
    /// What the run is for.
    pub kind: RunKind,
    /// Where it stands.
    pub state: RunState,
    /// The commit it planned.
    pub commit: CommitHash,
    /// Where the stack stands.
    pub current: Option<CommitHash>,
    /// How the run's commit relates to the current one.
    pub relation: Relation,
    /// Whether a branch of the stack's own repository reaches the commit.
    pub own_code: bool,
    /// Whether the run planned exactly its commit.
    pub exact: bool,
    /// *Allow run promotion*.
    pub allowed: bool,
    /// Whether the stack is disabled.
    pub disabled: bool,
    /// The stack's lock, if anybody holds it.
    pub lock: Option<Lock>,
    /// The name of the viewer who asks.
    pub viewer: String,
    /// Whether that viewer may promote here.
    pub permitted: Result<(), Forbidden>,
    /// The tracked run that this run has already become.
    pub promoted_as: Option<RunId>,
}

/// The conditions, by the names that product.md gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConditionName {
    /// It is a proposed run.
    Proposed,
    /// Its plan succeeded.
    Finished,
    /// Its commit is newer than the current one.
    Newer,
    /// The stack allows promotion.
    Allowed,
    /// The stack is not disabled.
    Enabled,
    /// Nobody else holds the lock.
    Unlocked,
    /// The commit is in the stack's own repository.
    OwnCode,
    /// It planned exactly that commit.
    Exact,
    /// The viewer may promote.
    Permitted,
}

impl ConditionName {
    /// The word for it in the API and in CSS.
    pub fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Finished => "finished",
            Self::Newer => "newer",
            Self::Allowed => "allowed",
            Self::Enabled => "enabled",
            Self::Unlocked => "unlocked",
            Self::OwnCode => "own_code",
            Self::Exact => "exact",
            Self::Permitted => "permitted",
        }
    }
}

/// One condition, judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Which one.
    pub name: ConditionName,
    /// Whether it holds.
    pub holds: bool,
    /// Why it holds or does not, as a sentence.
    pub reason: String,
    /// What would make it hold; only when it does not.
    pub cure: Option<String>,
}

/// The answer: every condition, in the order of product.md.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// All nine.
    pub conditions: Vec<Condition>,
    /// The tracked run that this run has already become; then nothing is left to promote.
    pub promoted_as: Option<RunId>,
}

impl Verdict {
    /// Whether the run may be promoted now.
    pub fn may_promote(&self) -> bool {
        self.promoted_as.is_none() && self.conditions.iter().all(|condition| condition.holds)
    }

    /// The conditions that do not hold.
    pub fn refusals(&self) -> impl Iterator<Item = &Condition> {
        self.conditions.iter().filter(|condition| !condition.holds)
    }
}

/// Judges every condition of the promotion rule.
pub fn judge(facts: &Facts) -> Verdict {
    let conditions = vec![
        proposed(facts),
        finished(facts),
        newer(facts),
        allowed(facts),
        enabled(facts),
        unlocked(facts),
        own_code(facts),
        exact(facts),
        permitted(facts),
    ];
    Verdict { conditions, promoted_as: facts.promoted_as.clone() }
}

fn holds(name: ConditionName, reason: impl Into<String>) -> Condition {
    Condition { name, holds: true, reason: reason.into(), cure: None }
}

fn fails(name: ConditionName, reason: impl Into<String>, cure: impl Into<String>) -> Condition {
    Condition { name, holds: false, reason: reason.into(), cure: Some(cure.into()) }
}

fn proposed(facts: &Facts) -> Condition {
    match facts.kind {
        RunKind::Proposed => holds(ConditionName::Proposed, "It is a proposed run."),
        RunKind::Tracked => fails(
            ConditionName::Proposed,
            "It is a tracked run: it deploys already.",
            "Promote a proposed run of a branch instead.",
        ),
    }
}

fn finished(facts: &Facts) -> Condition {
    let name = ConditionName::Finished;
    match facts.state {
        RunState::Finished => holds(name, "Its plan succeeded."),
        RunState::Queued
        | RunState::Ready
        | RunState::Preparing
        | RunState::Initializing
        | RunState::Planning
        | RunState::Unconfirmed
        | RunState::Confirmed
        | RunState::Applying => fails(
            name,
            format!("Its plan is not there yet: the run is {}.", facts.state.name()),
            "Wait until the plan has finished.",
        ),
        RunState::Failed => {
            fails(name, "Its plan failed.", "Read the log, mend the configuration and push, or retry the run.")
        }
        RunState::Discarded | RunState::Canceled | RunState::Stopped => fails(
            name,
            format!("It ended without a plan: the run was {}.", facts.state.name()),
            "Retry the run, or promote the newer run of its branch.",
        ),
    }
}

fn newer(facts: &Facts) -> Condition {
    let name = ConditionName::Newer;
    let commit = facts.commit.short();
    let current = facts.current.as_ref().map_or("none", CommitHash::short);
    match &facts.relation {
        Relation::First => holds(name, "The stack has no current commit yet, so every commit is newer."),
        Relation::Ahead { by } => {
            holds(name, format!("Its commit {commit} is {} newer than the current commit {current}.", commits(*by)))
        }
        Relation::Identical => fails(
            name,
            format!("The stack is already at this commit ({commit})."),
            "To deploy it once more, trigger a tracked run on the stack.",
        ),
        Relation::Behind { by } => fails(
            name,
            format!(
                "Its commit {commit} is older than the stack's current commit {current}: {} behind it.",
                commits(*by)
            ),
            "The current commit contains it. To go back to it on purpose, set the stack's current commit.",
        ),
        Relation::Diverged { missing } => fails(
            name,
            format!(
                "Its commit {commit} has diverged from the current commit {current}: the stack has {} that this one \
                 lacks.",
                if missing.capped { format!("more than {}", commits(missing.count)) } else { commits(missing.count) }
            ),
            "Merge or rebase the branch onto the current commit, push, and promote the new proposed run.",
        ),
        Relation::Unknown => fails(
            name,
            match &facts.current {
                Some(_) => format!(
                    "How its commit {commit} relates to the current commit {current} cannot be told: the history could \
                     not be read."
                ),
                None => {
                    format!("Whether its commit {commit} is still there cannot be told: the history could not be read.")
                }
            },
            "Sync the stack. If the commit is gone from the repository, push the branch again.",
        ),
    }
}

fn allowed(facts: &Facts) -> Condition {
    if facts.allowed {
        holds(ConditionName::Allowed, "The stack allows run promotion.")
    } else {
        fails(
            ConditionName::Allowed,
            "Run promotion is switched off for this stack.",
            "An administrator can switch it on: Settings > Behavior > Advanced options > Allow run promotion.",
        )
    }
}

fn enabled(facts: &Facts) -> Condition {
    if facts.disabled {
        fails(
            ConditionName::Enabled,
            "The stack is disabled: it starts no runs.",
            "An administrator can enable it in Settings > Stack details.",
        )
    } else {
        holds(ConditionName::Enabled, "The stack is enabled.")
    }
}

fn unlocked(facts: &Facts) -> Condition {
    let name = ConditionName::Unlocked;
    match &facts.lock {
        None => holds(name, "Nobody holds the stack's lock."),
        Some(lock) if lock.holder == facts.viewer => holds(name, "You hold the stack's lock yourself."),
        Some(lock) => fails(
            name,
            match lock.note.as_deref() {
                None | Some("") => format!("The stack is locked by {}.", lock.holder),
                Some(note) => format!("The stack is locked by {}: {note}", lock.holder),
            },
            format!("Ask {} or an administrator to unlock it.", lock.holder),
        ),
    }
}

fn own_code(facts: &Facts) -> Condition {
    if facts.own_code {
        holds(ConditionName::OwnCode, "A branch of the stack's own repository contains the commit.")
    } else {
        fails(
            ConditionName::OwnCode,
            "No branch of the stack's own repository contains the commit (any more).",
            "Push it to a branch of that repository and promote the proposed run it gets there.",
        )
    }
}

fn exact(facts: &Facts) -> Condition {
    if facts.exact {
        holds(ConditionName::Exact, "It planned exactly this commit.")
    } else {
        fails(
            ConditionName::Exact,
            "It planned something else than the bare commit: an uploaded workspace or changed variables.",
            "Push the change and promote the proposed run it gets.",
        )
    }
}

fn permitted(facts: &Facts) -> Condition {
    match facts.permitted {
        Ok(()) => holds(ConditionName::Permitted, "You may promote on this stack."),
        Err(Forbidden { needs: needs @ (Role::Reader | Role::Writer | Role::Administrator) }) => fails(
            ConditionName::Permitted,
            format!("You may not promote on this stack: that takes the role {}.", needs.label()),
            "Ask an administrator for the role, or a colleague who has it to promote.",
        ),
    }
}

/// "1 commit", "12 commits".
pub fn commits(count: usize) -> String {
    if count == 1 { "1 commit".into() } else { format!("{count} commits") }
}

#[cfg(test)]
mod tests;
