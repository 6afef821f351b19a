//! What runs planned: the parsed changes, without any sensitive value.

use super::{Change, Reading, Result, StoreError, Writing, on};
use crate::domain::RunId;
use crate::domain::hold::Hold;
use crate::domain::plan::Plan;
use crate::domain::run::{PlannedWith, Run};

impl Reading {
    /// The changes that a run planned.
    pub async fn plan(&mut self, run: &RunId) -> Result<Option<Plan>> {
        let row: Option<(String,)> = on!(self, connection => sqlx::query_as(
            "select document from plan where run_id = $1"
        ).bind(run).fetch_optional(connection).await)?;
        row.map(|(document,)| serde_json::from_str(&document).map_err(|_| StoreError::Unreadable("a plan"))).transpose()
    }
}

impl Writing {
    /// Keeps what a run planned, as the worker that holds it; planned once more, it replaces what was there.
    pub async fn save_plan(&mut self, run: &Run, plan: &Plan) -> Result<()> {
        let document = serde_json::to_string(plan).map_err(|_| StoreError::Unreadable("a plan"))?;
        let delta = serde_json::to_string(&plan.delta()).map_err(|_| StoreError::Unreadable("a delta"))?;
        let held = on!(self, connection => sqlx::query(
            "update run set delta = $3, changes = $4 where id = $1 and fence = $2"
        ).bind(&run.id).bind(run.fence).bind(delta).bind(plan.has_changes())
            .execute(connection).await.map(|done| done.rows_affected()))?;
        if held != 1 {
            return Err(StoreError::Changed);
        }
        on!(self, connection => sqlx::query(
            "insert into plan (run_id, document) values ($1, $2)
             on conflict (run_id) do update set document = excluded.document"
        ).bind(&run.id).bind(document).execute(connection).await.map(|_| ()))?;
        self.tell(Change::Run(run.stack.clone(), run.id.clone()));
        Ok(())
    }

    /// Notes the settings that a run planned with, as the worker that holds it.
    pub async fn save_planned_with(&mut self, run: &Run, with: &PlannedWith) -> Result<()> {
        let with = serde_json::to_string(with).map_err(|_| StoreError::Unreadable("settings"))?;
        on!(self, connection => sqlx::query("update run set planned_with = $3 where id = $1 and fence = $2")
            .bind(&run.id).bind(run.fence).bind(with).execute(connection).await.map(|_| ()))?;
        Ok(())
    }

    /// Notes why a planned run waits for a person.
    pub async fn save_holds(&mut self, run: &Run, holds: &[Hold]) -> Result<()> {
        let holds = serde_json::to_string(holds).map_err(|_| StoreError::Unreadable("holds"))?;
        on!(self, connection => sqlx::query("update run set hold = $3 where id = $1 and fence = $2")
            .bind(&run.id).bind(run.fence).bind(holds).execute(connection).await.map(|_| ()))?;
        Ok(())
    }
}
