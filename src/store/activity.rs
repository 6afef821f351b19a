//! The activity log: every change, and every attempt that was refused. Entries are only ever added.

use super::{Reading, Result, Writing, on};
use crate::domain::{RunId, StackId, Timestamp};
use serde::{Deserialize, Serialize};

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It happened.
    Done,
    /// It was refused.
    Refused,
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Entry {
    /// A ULID.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Who or what.
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
    /// What changed, or why it was refused; never a secret.
    pub detail: String,
}

/// Which entries to show; empty fields ask for all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of one stack.
    pub stack: Option<StackId>,
    /// Older than the entry with this id.
    pub before: Option<String>,
}

impl Reading {
    /// The newest entries that the filter lets through.
    pub async fn activity(&mut self, filter: &Filter, limit: i64) -> Result<Vec<Entry>> {
        let stack = filter.stack.as_ref().map_or("", StackId::as_str);
        let before = filter.before.as_deref().unwrap_or("ZZ");
        Ok(on!(self, connection => sqlx::query_as(
            "select id, at, actor, origin, action, stack_id, run_id, outcome, detail from activity
             where id < $1 and ($2 = '' or stack_id = $2) order by id desc limit $3"
        ).bind(before).bind(stack).bind(limit).fetch_all(connection).await)?)
    }
}

impl Writing {
    /// Adds an entry.
    pub async fn add_activity(&mut self, entry: &Entry) -> Result<()> {
        on!(self, connection => sqlx::query(
            "insert into activity (id, at, actor, origin, action, stack_id, run_id, outcome, detail)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        ).bind(&entry.id).bind(entry.at).bind(&entry.actor).bind(&entry.origin).bind(&entry.action)
            .bind(&entry.stack_id).bind(&entry.run_id).bind(entry.outcome).bind(&entry.detail)
            .execute(connection).await.map(|_| ()))?;
        Ok(())
    }
}
