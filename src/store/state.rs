//! Managed Terraform state: every version that was ever written, and the lock that Terraform takes.

use super::{Reading, Result, StoreError, Writing, on};
use crate::domain::{RunId, StackId, Timestamp};

/// One version of a stack's state.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StateVersion {
    /// Counts from 1.
    pub version: i64,
    /// Terraform's own count.
    pub serial: i64,
    /// Terraform's name for this line of states.
    pub lineage: String,
    /// The MD5 of the document, in base64, as HTTP has it.
    pub md5: String,
    /// The document, sealed.
    pub document: String,
    /// The run that wrote it.
    pub run_id: RunId,
    /// When.
    pub created_at: Timestamp,
}

/// Terraform's lock on a stack's state.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StateLock {
    /// The id that Terraform gave it.
    pub lock_id: String,
    /// What Terraform said of itself, in JSON.
    pub document: String,
    /// The run that holds it.
    pub run_id: RunId,
    /// That run's lease.
    pub fence: i64,
    /// Since when.
    pub created_at: Timestamp,
}

impl Reading {
    /// The newest state of a stack.
    pub async fn state(&mut self, stack: &StackId) -> Result<Option<StateVersion>> {
        Ok(on!(self, connection => sqlx::query_as(
            "select version, serial, lineage, md5, document, run_id, created_at from state_version
             where stack_id = $1 order by version desc limit 1"
        ).bind(stack).fetch_optional(connection).await)?)
    }

    /// Who holds the lock on a stack's state.
    pub async fn state_lock(&mut self, stack: &StackId) -> Result<Option<StateLock>> {
        Ok(on!(self, connection => sqlx::query_as(
            "select lock_id, document, run_id, fence, created_at from state_lock where stack_id = $1"
        ).bind(stack).fetch_optional(connection).await)?)
    }
}

impl Writing {
    /// Adds the next version.
    pub async fn add_state(&mut self, stack: &StackId, state: &StateVersion) -> Result<()> {
        on!(self, connection => sqlx::query(
            "insert into state_version (stack_id, version, serial, lineage, md5, document, run_id, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8)"
        ).bind(stack).bind(state.version).bind(state.serial).bind(&state.lineage).bind(&state.md5)
            .bind(&state.document).bind(&state.run_id).bind(state.created_at)
            .execute(connection).await.map(|_| ()))?;
        Ok(())
    }

    /// Takes the lock; [`StoreError::Changed`] when somebody holds it.
    pub async fn lock_state(&mut self, stack: &StackId, lock: &StateLock) -> Result<()> {
        let taken = on!(self, connection => sqlx::query(
            "insert into state_lock (stack_id, lock_id, document, run_id, fence, created_at)
             values ($1, $2, $3, $4, $5, $6) on conflict (stack_id) do nothing"
        ).bind(stack).bind(&lock.lock_id).bind(&lock.document).bind(&lock.run_id).bind(lock.fence)
            .bind(lock.created_at).execute(connection).await.map(|done| done.rows_affected()))?;
        if taken == 1 { Ok(()) } else { Err(StoreError::Changed) }
    }

    /// Gives the lock back, whoever holds it.
    pub async fn unlock_state(&mut self, stack: &StackId) -> Result<()> {
        on!(self, connection => sqlx::query("delete from state_lock where stack_id = $1")
            .bind(stack).execute(connection).await.map(|_| ()))?;
        Ok(())
    }

    /// Gives back the lock that a run holds: its worker is gone or done.
    pub async fn unlock_state_of(&mut self, run: &RunId) -> Result<()> {
        on!(self, connection => sqlx::query("delete from state_lock where run_id = $1")
            .bind(run).execute(connection).await.map(|_| ()))?;
        Ok(())
    }
}
