//! A stack's environment: variables for its Terraform, plain or secret, for planning, for applying, or both.

use super::{Change, Reading, Result, Writing, on};
use crate::domain::{StackId, Timestamp};

/// One variable as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value; sealed when it is secret.
    pub value: String,
    /// Whether the value is never shown again.
    pub secret: bool,
    /// Whether `init` and `plan` see it.
    pub planning: bool,
    /// Whether `apply` sees it.
    pub applying: bool,
    /// When it was last set.
    pub updated_at: Timestamp,
}

impl Reading {
    /// The variables of a stack, by name.
    pub async fn variables(&mut self, stack: &StackId) -> Result<Vec<Variable>> {
        Ok(on!(self, connection => sqlx::query_as(
            "select name, value, secret, planning, applying, updated_at from variable where stack_id = $1 order by name"
        ).bind(stack).fetch_all(connection).await)?)
    }

    /// What secret variables of a stack held before: ids and sealed values, newest first.
    pub async fn earlier_secrets(&mut self, stack: &StackId) -> Result<Vec<(String, String)>> {
        Ok(on!(self, connection => sqlx::query_as(
            "select id, value from earlier_secret where stack_id = $1 order by id desc"
        ).bind(stack).fetch_all(connection).await)?)
    }
}

impl Writing {
    /// Sets a variable, new or not.
    pub async fn set_variable(&mut self, stack: &StackId, variable: &Variable) -> Result<()> {
        on!(self, connection => sqlx::query(
            "insert into variable (stack_id, name, value, secret, planning, applying, updated_at)
             values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (stack_id, name) do update set value = excluded.value, secret = excluded.secret,
                 planning = excluded.planning, applying = excluded.applying, updated_at = excluded.updated_at"
        ).bind(stack).bind(&variable.name).bind(&variable.value).bind(variable.secret).bind(variable.planning)
            .bind(variable.applying).bind(variable.updated_at)
            .execute(connection).await.map(|_| ()))?;
        self.tell(Change::Stack(stack.clone()));
        Ok(())
    }

    /// Keeps what a secret variable held before, sealed; of a stack's only the newest `most`.
    pub async fn add_earlier_secret(
        &mut self,
        stack: &StackId,
        id: &str,
        value: &str,
        most: i64,
        now: Timestamp,
    ) -> Result<()> {
        on!(self, connection => sqlx::query(
            "insert into earlier_secret (stack_id, id, value, ended_at) values ($1, $2, $3, $4)"
        ).bind(stack).bind(id).bind(value).bind(now).execute(connection).await.map(|_| ()))?;
        on!(self, connection => sqlx::query(
            "delete from earlier_secret where stack_id = $1 and id not in (
                 select id from earlier_secret where stack_id = $1 order by id desc limit $2)"
        ).bind(stack).bind(most).execute(connection).await.map(|_| ()))?;
        Ok(())
    }

    /// Removes what secret variables held until before `before`; how many values.
    pub async fn remove_earlier_secrets(&mut self, before: Timestamp) -> Result<u64> {
        Ok(on!(self, connection => sqlx::query("delete from earlier_secret where ended_at < $1")
            .bind(before).execute(connection).await.map(|done| done.rows_affected()))?)
    }

    /// Removes a variable; whether it was there.
    pub async fn remove_variable(&mut self, stack: &StackId, name: &str) -> Result<bool> {
        let removed = on!(self, connection => sqlx::query("delete from variable where stack_id = $1 and name = $2")
            .bind(stack).bind(name).execute(connection).await.map(|done| done.rows_affected()))?;
        self.tell(Change::Stack(stack.clone()));
        Ok(removed == 1)
    }
}
