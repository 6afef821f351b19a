//! What has been kept long enough: which ended runs nobody needs any more, and the removal of their logs and plans, of old
//! versions of states and of the bodies of deliveries. Each statement takes a small bite, so that nobody waits long.

use super::{Change, Reading, Result, Writing, on};
use crate::domain::{CommitHash, RepositoryId, RunId, StackId, Timestamp};

/// The runs whose logs, plans and commits stay however old they are: those that have not ended, those that stacks stand at
/// or were last applied, and the proposed runs that these came from.
macro_rules! needed {
    () => {
        "with holding as (
             select id, promoted_from from run where ended_at is null
             union select run.id, run.promoted_from from run join stack on stack.current_run_id = run.id
             union select id, promoted_from from run where apply_started_at is not null and not exists (
                 select 1 from run later where later.stack_id = run.stack_id and later.apply_started_at is not null
                 and (later.apply_started_at > run.apply_started_at
                      or (later.apply_started_at = run.apply_started_at and later.id > run.id)))
         ),
         needed as (select id from holding union select promoted_from from holding where promoted_from is not null) "
    };
}

/// What of a run may be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Cleanable {
    /// Its log.
    Log,
    /// Its plan.
    Plan,
}

/// An ended run that nobody needs, as far as the database can tell.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Candidate {
    /// The run.
    pub id: RunId,
    /// Its stack.
    pub stack_id: StackId,
    /// Its branch.
    pub branch: String,
    /// Its commit.
    pub commit_hash: CommitHash,
    /// Whether it is the newest proposed run of that branch.
    pub newest_of_branch: bool,
    /// Whether it is the newest proposed run of that commit.
    pub newest_of_commit: bool,
}

/// A commit that a run has or had.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
struct Pinned {
    commit_hash: CommitHash,
}

macro_rules! candidates {
    ($table:literal) => {
        concat!(
            needed!(),
            "select run.id, run.stack_id, run.branch, run.commit_hash,
                 run.kind = 'proposed' and not exists (
                     select 1 from run newer where newer.stack_id = run.stack_id and newer.kind = 'proposed'
                     and newer.branch = run.branch and newer.id > run.id) as newest_of_branch,
                 run.kind = 'proposed' and not exists (
                     select 1 from run newer where newer.stack_id = run.stack_id and newer.kind = 'proposed'
                     and newer.commit_hash = run.commit_hash and newer.id > run.id) as newest_of_commit
             from run where run.ended_at < $1 and run.id > $2 and run.id not in (select id from needed)
             and (cast($4 as text) is null or run.id = $4)
             and exists (select 1 from ",
            $table,
            " part where part.run_id = run.id) order by run.id limit $3"
        )
    };
}

impl Reading {
    /// Ended runs that still have this and that nobody needs: at most `limit`, by id, after `after`; or the one asked for.
    pub async fn cleanable(
        &mut self,
        what: Cleanable,
        ended_before: Timestamp,
        after: &str,
        limit: i64,
        only: Option<&RunId>,
    ) -> Result<Vec<Candidate>> {
        let statement = match what {
            Cleanable::Log => candidates!("log_chunk"),
            Cleanable::Plan => candidates!("plan"),
        };
        Ok(on!(self, connection => sqlx::query_as(statement)
            .bind(ended_before).bind(after).bind(limit).bind(only).fetch_all(connection).await)?)
    }

    /// When this was removed from a run.
    pub async fn cleaned(&mut self, run: &RunId, what: Cleanable) -> Result<Option<Timestamp>> {
        let row: Option<(Timestamp,)> = on!(self, connection => sqlx::query_as(
            "select at from cleaned where run_id = $1 and kind = $2"
        ).bind(run).bind(what).fetch_optional(connection).await)?;
        Ok(row.map(|(at,)| at))
    }

    /// The commits that a repository's mirror must keep: those of runs that somebody needs or that ended after `since`,
    /// those that stacks stand at or stood at before a run that has not ended, and those of forks that may be planned.
    pub async fn needed_commits(&mut self, repository: &RepositoryId, since: Timestamp) -> Result<Vec<CommitHash>> {
        let rows: Vec<Pinned> = on!(self, connection => sqlx::query_as(concat!(
            needed!(),
            "select run.commit_hash from run join stack on stack.id = run.stack_id
             where stack.repository_id = $1 and (run.ended_at >= $2 or run.id in (select id from needed))
             union select run.previous_commit from run join stack on stack.id = run.stack_id
             where stack.repository_id = $1 and run.ended_at is null and run.previous_commit is not null
             union select current_commit from stack where repository_id = $1 and current_commit is not null
             union select fork_allowance.commit_hash from fork_allowance join stack on stack.id = fork_allowance.stack_id
             where stack.repository_id = $1"
        )).bind(repository).bind(since).fetch_all(connection).await)?;
        Ok(rows.into_iter().map(|row| row.commit_hash).collect())
    }

    /// Every repository.
    pub async fn repository_ids(&mut self) -> Result<Vec<RepositoryId>> {
        let rows: Vec<(RepositoryId,)> = on!(self, connection => sqlx::query_as("select id from repository order by id")
            .fetch_all(connection).await)?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Stacks that keep more than `keep` versions of their state.
    pub async fn stacks_with_states_beyond(&mut self, keep: i64) -> Result<Vec<StackId>> {
        let rows: Vec<(StackId,)> = on!(self, connection => sqlx::query_as(
            "select stack_id from state_version group by stack_id having count(*) > $1 order by stack_id"
        ).bind(keep).fetch_all(connection).await)?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }
}

impl Writing {
    /// Removes at most `chunks` pieces of a run's log; whether that was the rest.
    pub async fn clean_log(&mut self, run: &RunId, stack: &StackId, chunks: i64, now: Timestamp) -> Result<bool> {
        let removed = on!(self, connection => sqlx::query(
            "delete from log_chunk where run_id = $1 and (position, first_line) in (
                 select position, first_line from log_chunk where run_id = $1 order by position, first_line limit $2)"
        ).bind(run).bind(chunks).execute(connection).await.map(|done| done.rows_affected()))?;
        let rest = i64::try_from(removed).unwrap_or(i64::MAX) < chunks;
        self.note_cleaned(run, stack, Cleanable::Log, now).await?;
        Ok(rest)
    }

    /// Removes a run's plan; what it changed in numbers stays.
    pub async fn clean_plan(&mut self, run: &RunId, stack: &StackId, now: Timestamp) -> Result<()> {
        on!(self, connection => sqlx::query("delete from plan where run_id = $1")
            .bind(run).execute(connection).await.map(|_| ()))?;
        self.note_cleaned(run, stack, Cleanable::Plan, now).await
    }

    async fn note_cleaned(&mut self, run: &RunId, stack: &StackId, what: Cleanable, now: Timestamp) -> Result<()> {
        on!(self, connection => sqlx::query(
            "insert into cleaned (run_id, kind, at) values ($1, $2, $3) on conflict (run_id, kind) do nothing"
        ).bind(run).bind(what).bind(now).execute(connection).await.map(|_| ()))?;
        self.tell(Change::Run(stack.clone(), run.clone()));
        Ok(())
    }

    /// Removes at most `limit` versions of a stack's state, the oldest first; the newest `keep` stay, and so do those that
    /// a run wrote which has not ended. How many went.
    pub async fn clean_states(&mut self, stack: &StackId, keep: i64, limit: i64) -> Result<u64> {
        Ok(on!(self, connection => sqlx::query(
            "delete from state_version where stack_id = $1 and version in (
                 select old.version from state_version old where old.stack_id = $1
                 and old.version <= (select max(newest.version) from state_version newest where newest.stack_id = $1) - $2
                 and not exists (select 1 from run where run.id = old.run_id and run.ended_at is null)
                 order by old.version limit $3)"
        ).bind(stack).bind(keep).bind(limit).execute(connection).await.map(|done| done.rows_affected()))?)
    }

    /// Forgets the bodies of at most `limit` deliveries that ended before `before`; that they came stays known for
    /// longer, and so do their digests, or an old one could be sent again. Those that led to nothing and that another stands for go whole.
    pub async fn clean_deliveries(&mut self, before: Timestamp, limit: i64) -> Result<u64> {
        let gone = on!(self, connection => sqlx::query(
            "delete from delivery where id in (
                 select id from delivery where state in ('ignored', 'repeated') and ended_at < $1 order by id limit $2)"
        ).bind(before).bind(limit).execute(connection).await.map(|done| done.rows_affected()))?;
        let emptied = on!(self, connection => sqlx::query(
            "update delivery set body = '' where id in (
                 select id from delivery where ended_at < $1 and body <> '' order by id limit $2)"
        ).bind(before).bind(limit).execute(connection).await.map(|done| done.rows_affected()))?;
        if gone + emptied > 0 {
            self.tell(Change::Github);
        }
        Ok(gone + emptied)
    }

    /// Forgets at most `limit` deliveries that ended before `before`. What says that something was deleted stays known: it
    /// is believed without asking, and what came back under the same id would go once more.
    pub async fn forget_deliveries(&mut self, before: Timestamp, limit: i64) -> Result<u64> {
        let forgotten = on!(self, connection => sqlx::query(
            "delete from delivery where id in (
                 select id from delivery where ended_at < $1 and action <> 'deleted' order by ended_at limit $2)"
        ).bind(before).bind(limit).execute(connection).await.map(|done| done.rows_affected()))?;
        if forgotten > 0 {
            self.tell(Change::Github);
        }
        Ok(forgotten)
    }
}
