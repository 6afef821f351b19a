//! Leases: a worker holds a run while it keeps renewing. Each lease has a fence number, one higher than the last; the
//! worker's every write carries it, so that one which was thought dead cannot write later.

use super::{Change, Reading, Result, StoreError, Writing, on};
use crate::domain::run::Run;
use crate::domain::run_state::RunState;
use crate::domain::{RunId, StackId, Timestamp};

/// That a run has not ended, as the index of those has it: without these very words SQLite does not see that it may use it.
macro_rules! waiting {
    ($table:literal) => {
        concat!(
            $table,
            ".state in ('queued', 'ready', 'preparing', 'initializing', 'planning', 'unconfirmed', 'confirmed', 'applying')"
        )
    };
}

pub(super) const NEXT_FOR_WORKER: &str = concat!(
    "select run.stack_id, run.id from run where run.state in ('ready', 'confirmed') and run.lease_owner is null and ",
    waiting!("run"),
    " and not exists (select 1 from stack where stack.id = run.stack_id and stack.disabled)
     order by case when run.state = 'confirmed' then 0 when run.kind = 'tracked' then 1 else 2 end, run.id limit 1"
);

pub(super) const STARTABLE: &str = concat!(
    "select run.stack_id, run.id from run where run.state = 'queued' and run.kind = 'proposed' and ",
    waiting!("run"),
    " and not exists (select 1 from stack where stack.id = run.stack_id and stack.disabled)
     union all
     select run.stack_id, min(run.id) from run
     where run.state = 'queued' and run.kind = 'tracked' and ",
    waiting!("run"),
    " and not exists (select 1 from stack where stack.id = run.stack_id and stack.disabled)
     and not exists (
         select 1 from run blocker where blocker.stack_id = run.stack_id and blocker.kind = 'tracked'
         and blocker.state in ('ready', 'preparing', 'initializing', 'planning', 'unconfirmed', 'confirmed', 'applying'))
     group by run.stack_id"
);

pub(super) const ABANDONED: &str = concat!(
    "select run.stack_id, run.id from run where ",
    waiting!("run"),
    " and (run.state in ('preparing', 'initializing', 'planning', 'applying')
         or (run.state = 'confirmed' and run.lease_owner is not null))
     and (run.lease_until is null or run.lease_until < $1) order by run.id"
);

/// A worker's hold on a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The worker's name.
    pub owner: String,
    /// When it runs out unless it is renewed.
    pub until: Timestamp,
    /// The hash of the run's credential for the state backend.
    pub state_token: String,
}

impl Reading {
    /// The run that should start next, if any: a confirmed apply first, then tracked runs, then proposed ones, each
    /// oldest first (product.md, Run states). None of a disabled stack.
    pub async fn next_for_worker(&mut self) -> Result<Option<Run>> {
        let row: Option<(StackId, RunId)> =
            on!(self, connection => sqlx::query_as(NEXT_FOR_WORKER).fetch_optional(connection).await)?;
        match row {
            Some((stack, id)) => self.run(&stack, &id).await,
            None => Ok(None),
        }
    }

    /// The queued runs that nothing keeps waiting: of stacks that are not disabled the proposed ones, and of each that is
    /// free its oldest tracked one.
    pub async fn startable(&mut self) -> Result<Vec<Run>> {
        let rows: Vec<(StackId, RunId)> =
            on!(self, connection => sqlx::query_as(STARTABLE).fetch_all(connection).await)?;
        let mut runs = Vec::new();
        for (stack, id) in rows {
            runs.extend(self.run(&stack, &id).await?);
        }
        Ok(runs)
    }

    /// The runs that a worker holds whose lease has run out.
    pub async fn abandoned(&mut self, now: Timestamp) -> Result<Vec<Run>> {
        let rows: Vec<(StackId, RunId)> =
            on!(self, connection => sqlx::query_as(ABANDONED).bind(now).fetch_all(connection).await)?;
        let mut runs = Vec::new();
        for (stack, id) in rows {
            runs.extend(self.run(&stack, &id).await?);
        }
        Ok(runs)
    }

    /// The run whose lease has this state token, while a worker holds it.
    pub async fn run_of_state_token(&mut self, stack: &StackId, run: &RunId, token: &str) -> Result<Option<Run>> {
        let row: Option<(RunId,)> = on!(self, connection => sqlx::query_as(
            "select id from run where stack_id = $1 and id = $2 and state_token = $3"
        ).bind(stack).bind(run).bind(token).fetch_optional(connection).await)?;
        match row {
            Some((id,)) => self.run(stack, &id).await,
            None => Ok(None),
        }
    }

    /// Whether the lease with this fence is still the run's, and what was asked of it meanwhile.
    pub async fn stop_requested(&mut self, run: &Run) -> Result<Option<String>> {
        let row: Option<(Option<String>,)> = on!(self, connection => sqlx::query_as(
            "select stop_requested_by from run where id = $1 and fence = $2"
        ).bind(&run.id).bind(run.fence).fetch_optional(connection).await)?;
        row.map(|(by,)| by).ok_or(StoreError::Changed)
    }
}

impl Writing {
    /// Takes a `ready` or `confirmed` run for a worker, with the next fence. One that was ready becomes `preparing`; one that
    /// was confirmed stays so until its apply begins.
    pub async fn claim(&mut self, run: &Run, lease: &Lease, now: Timestamp) -> Result<Run> {
        let taken = on!(self, connection => sqlx::query(
            "update run set lease_owner = $3, lease_until = $4, state_token = $5, fence = fence + 1
             where id = $1 and fence = $2 and state in ('ready', 'confirmed')"
        ).bind(&run.id).bind(run.fence).bind(&lease.owner).bind(lease.until).bind(&lease.state_token)
            .execute(connection).await.map(|done| done.rows_affected()))?;
        if taken != 1 {
            return Err(StoreError::Changed);
        }
        let held = Run { fence: run.fence + 1, ..run.clone() };
        if run.state == RunState::Confirmed {
            return Ok(held);
        }
        self.step(&held, RunState::Preparing, &lease.owner, None, now).await
    }

    /// Gives a confirmed run back whose apply has not begun; [`StoreError::Changed`] when it is lost.
    pub async fn release(&mut self, run: &Run) -> Result<()> {
        let released = on!(self, connection => sqlx::query(
            "update run set lease_owner = null, lease_until = null, state_token = null
             where id = $1 and fence = $2 and state = 'confirmed'"
        ).bind(&run.id).bind(run.fence).execute(connection).await.map(|done| done.rows_affected()))?;
        if released == 1 { Ok(()) } else { Err(StoreError::Changed) }
    }

    /// Keeps the lease; [`StoreError::Changed`] when it is lost.
    pub async fn renew(&mut self, run: &RunId, fence: i64, until: Timestamp) -> Result<()> {
        let renewed = on!(self, connection => sqlx::query(
            "update run set lease_until = $3 where id = $1 and fence = $2 and lease_owner is not null"
        ).bind(run).bind(fence).bind(until).execute(connection).await.map(|done| done.rows_affected()))?;
        if renewed == 1 { Ok(()) } else { Err(StoreError::Changed) }
    }

    pub(super) async fn end_lease(&mut self, run: &RunId) -> Result<()> {
        on!(self, connection => sqlx::query(
            "update run set lease_owner = null, lease_until = null, state_token = null, stop_requested_by = null
             where id = $1"
        ).bind(run).execute(connection).await.map(|_| ()))?;
        Ok(())
    }

    /// Takes the run away from a worker that is gone, so that nothing it still writes counts; [`StoreError::Changed`]
    /// when another worker holds it by now.
    pub async fn fence_off(&mut self, run: &Run) -> Result<Run> {
        let taken = on!(self, connection => sqlx::query(
            "update run set fence = fence + 1 where id = $1 and fence = $2"
        ).bind(&run.id).bind(run.fence).execute(connection).await.map(|done| done.rows_affected()))?;
        if taken != 1 {
            return Err(StoreError::Changed);
        }
        self.tell(Change::Run(run.stack.clone(), run.id.clone()));
        Ok(Run { fence: run.fence + 1, ..run.clone() })
    }
}
