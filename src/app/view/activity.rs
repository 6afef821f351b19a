//! What the page of the activity log shows, and what it can be asked for.

use crate::domain::difference::Differences;
use crate::domain::{RunId, StackId, Timestamp};
use serde::{Deserialize, Serialize};

/// Which entries are asked for, as a form and an address say it; empty fields ask for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ActivityFilter {
    /// Of the stack with this slug.
    pub stack: String,
    /// Of the actor with this name.
    pub actor: String,
    /// Of this kind of actor.
    pub kind: String,
    /// Of this action.
    pub action: String,
    /// That ended so.
    pub outcome: String,
    /// Not before this moment, in UTC.
    pub from: String,
    /// Before this moment, in UTC.
    pub until: String,
    /// That say this.
    pub text: String,
    /// Before the entry with this number.
    pub before: Option<i64>,
}

/// The activity log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActivityView {
    /// When it was read.
    pub now: Timestamp,
    /// The entries, newest first.
    pub entries: Vec<ActivityRow>,
    /// The number of the entry after which older ones begin.
    pub older: Option<i64>,
    /// How many entries the whole log has.
    pub total: i64,
    /// How many were removed before the first of them, because they had been kept long enough.
    pub removed: i64,
    /// Every stack there is, to filter by: slug and name.
    pub stacks: Vec<(StackId, String)>,
    /// The names of actors, to filter by.
    pub actors: Vec<String>,
    /// The names of actions, to filter by.
    pub actions: Vec<String>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActivityRow {
    /// The how manieth it is.
    pub number: i64,
    /// Its hash.
    pub hash: String,
    /// When.
    pub at: Timestamp,
    /// Who or what; empty for somebody unknown.
    pub actor: String,
    /// From where.
    pub origin: String,
    /// The action's name.
    pub action: String,
    /// On which stack.
    pub stack: Option<StackId>,
    /// On which run.
    pub run: Option<RunId>,
    /// Whether it was refused.
    pub refused: bool,
    /// What changed, or why it was refused.
    pub detail: String,
    /// What was before and is after.
    pub differences: Differences,
}
