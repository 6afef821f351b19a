//! Runs and the steps of their lives. A step that `RunState::next` does not list, or that somebody else took first, is
//! refused here, whoever asks for it.

use super::{Change, Reading, Result, StoreError, Writing, on};
use crate::domain::plan::Delta;
use crate::domain::run::{Previous, Run, Transition};
use crate::domain::run_state::{RunKind, RunState};
use crate::domain::{Commit, CommitHash, RunId, StackId, Timestamp};

/// What a new run starts with; it starts `queued`.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// Its ULID.
    pub id: RunId,
    /// Its stack.
    pub stack: StackId,
    /// Proposed or tracked.
    pub kind: RunKind,
    /// The branch it is for.
    pub branch: String,
    /// What it plans.
    pub commit: Commit,
    /// Who or what started it.
    pub triggered_by: String,
    /// The proposed run it is promoted from.
    pub promoted_from: Option<RunId>,
    /// The run it repeats.
    pub retry_of: Option<RunId>,
    /// Where the stack stood before it.
    pub previous: Previous,
    /// When it is created.
    pub created_at: Timestamp,
}

pub(super) const OPEN_RUN_IDS: &str =
    "select id from run where state in ('queued', 'ready', 'preparing', 'initializing',
    'planning', 'unconfirmed', 'confirmed', 'applying') order by id";

pub(super) const PROMOTIONS_OF: &str = "select * from run where promoted_from = $1 order by id desc";

/// How many branches one statement asks about.
const BRANCHES: usize = 20;

pub(super) const NEWEST_OF_BRANCHES: &str = "select * from run where id in (
     select max(id) from run where stack_id = $1 and kind = 'proposed'
     and branch in ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
     group by branch)";

pub(super) const LATEST_BRANCHES: &str = "select branch from (
     select branch, id from run where stack_id = $1 and kind = 'proposed' order by id desc limit $2
 ) latest group by branch order by max(id) desc";

pub(super) const OPEN_RUNS: &str = "select * from run where stack_id = $1 and ended_at is null order by id";

#[derive(sqlx::FromRow)]
struct Row {
    id: RunId,
    stack_id: StackId,
    kind: RunKind,
    state: RunState,
    branch: String,
    commit_hash: CommitHash,
    commit_subject: String,
    commit_author: String,
    committed_at: Timestamp,
    triggered_by: String,
    promoted_from: Option<RunId>,
    retry_of: Option<RunId>,
    previous_commit: Option<CommitHash>,
    previous_run_id: Option<RunId>,
    stop_requested_by: Option<String>,
    note: Option<String>,
    hold: Option<String>,
    changes: Option<bool>,
    delta: Option<String>,
    planned_with: Option<String>,
    created_at: Timestamp,
    state_since: Timestamp,
    apply_started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    fence: i64,
}

impl TryFrom<Row> for Run {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        let delta: Option<Delta> = json(row.delta.as_deref(), "a run's delta")?;
        Ok(Self {
            id: row.id,
            stack: row.stack_id,
            kind: row.kind,
            state: row.state,
            branch: row.branch,
            commit: Commit {
                hash: row.commit_hash,
                subject: row.commit_subject,
                author: row.commit_author,
                committed_at: row.committed_at,
            },
            triggered_by: row.triggered_by,
            promoted_from: row.promoted_from,
            retry_of: row.retry_of,
            previous: Previous { commit: row.previous_commit, run: row.previous_run_id },
            stop_requested_by: row.stop_requested_by,
            note: row.note,
            holds: json(row.hold.as_deref(), "a run's holds")?.unwrap_or_default(),
            changes: row.changes,
            delta,
            planned_with: json(row.planned_with.as_deref(), "the settings that a run planned with")?,
            created_at: row.created_at,
            state_since: row.state_since,
            apply_started_at: row.apply_started_at,
            ended_at: row.ended_at,
            fence: row.fence,
        })
    }
}

fn json<T: serde::de::DeserializeOwned>(text: Option<&str>, what: &'static str) -> Result<Option<T>> {
    text.map(|text| serde_json::from_str(text).map_err(|_| StoreError::Unreadable(what))).transpose()
}

fn runs(rows: Vec<Row>) -> Result<Vec<Run>> {
    rows.into_iter().map(Run::try_from).collect()
}

impl Reading {
    /// One run of a stack; a run of another stack is not found.
    pub async fn run(&mut self, stack: &StackId, id: &RunId) -> Result<Option<Run>> {
        let row: Option<Row> = on!(self, connection => sqlx::query_as(
            "select * from run where stack_id = $1 and id = $2"
        ).bind(stack).bind(id).fetch_optional(connection).await)?;
        row.map(Run::try_from).transpose()
    }

    /// The runs of one kind, newest first: at most `limit`, older than `before` when it is given.
    pub async fn runs_of_stack(
        &mut self,
        stack: &StackId,
        kind: RunKind,
        before: Option<&RunId>,
        limit: i64,
    ) -> Result<Vec<Run>> {
        runs(on!(self, connection => sqlx::query_as(
            "select * from run where stack_id = $1 and kind = $2 and id < $3 order by id desc limit $4"
        ).bind(stack).bind(kind).bind(before.map_or("ZZ", RunId::as_str)).bind(limit)
            .fetch_all(connection).await)?)
    }

    /// The newest proposed run of each of these branches that has one, newest first.
    pub async fn newest_proposed_of_each(&mut self, stack: &StackId, branches: &[&str]) -> Result<Vec<Run>> {
        let mut found = Vec::new();
        for some in branches.chunks(BRANCHES) {
            let rows: Vec<Row> = on!(self, connection => {
                let mut query = sqlx::query_as(NEWEST_OF_BRANCHES).bind(stack);
                for place in 0..BRANCHES {
                    // No branch is called nothing.
                    query = query.bind(some.get(place).copied().unwrap_or_default());
                }
                query.fetch_all(connection).await
            })?;
            found.extend(runs(rows)?);
        }
        found.sort_by(|one, other| other.id.cmp(&one.id));
        Ok(found)
    }

    /// The branches that the newest `limit` proposed runs of a stack are for, the one with the newest first.
    pub async fn latest_branches(&mut self, stack: &StackId, limit: i64) -> Result<Vec<String>> {
        let rows: Vec<(String,)> = on!(self, connection => sqlx::query_as(LATEST_BRANCHES)
            .bind(stack).bind(limit).fetch_all(connection).await)?;
        Ok(rows.into_iter().map(|(branch,)| branch).collect())
    }

    /// The newest proposed run of one branch.
    pub async fn newest_proposed_of(&mut self, stack: &StackId, branch: &str) -> Result<Option<Run>> {
        let row: Option<Row> = on!(self, connection => sqlx::query_as(
            "select * from run where stack_id = $1 and branch = $2 and kind = 'proposed' order by id desc limit 1"
        ).bind(stack).bind(branch).fetch_optional(connection).await)?;
        row.map(Run::try_from).transpose()
    }

    /// The newest proposed run of one commit.
    pub async fn newest_proposed_at(&mut self, stack: &StackId, commit: &CommitHash) -> Result<Option<Run>> {
        let row: Option<Row> = on!(self, connection => sqlx::query_as(
            "select * from run where stack_id = $1 and commit_hash = $2 and kind = 'proposed' order by id desc limit 1"
        ).bind(stack).bind(commit).fetch_optional(connection).await)?;
        row.map(Run::try_from).transpose()
    }

    /// The newest proposed run of each of these commits that has one, newest first.
    pub async fn newest_proposed_at_each<'a>(
        &mut self,
        stack: &StackId,
        commits: impl IntoIterator<Item = &'a CommitHash>,
    ) -> Result<Vec<Run>> {
        let mut found = Vec::new();
        for commit in commits {
            found.extend(self.newest_proposed_at(stack, commit).await?);
        }
        found.sort_by(|one, other| other.id.cmp(&one.id));
        Ok(found)
    }

    /// The newest tracked run of a stack.
    pub async fn newest_tracked(&mut self, stack: &StackId) -> Result<Option<Run>> {
        Ok(self.runs_of_stack(stack, RunKind::Tracked, None, 1).await?.pop())
    }

    /// The tracked run that keeps the stack to itself.
    pub async fn blocker(&mut self, stack: &StackId) -> Result<Option<Run>> {
        let row: Option<Row> = on!(self, connection => sqlx::query_as(
            "select * from run where stack_id = $1 and kind = 'tracked' and state in
             ('ready', 'preparing', 'initializing', 'planning', 'unconfirmed', 'confirmed', 'applying')"
        ).bind(stack).fetch_optional(connection).await)?;
        row.map(Run::try_from).transpose()
    }

    /// The proposed runs of a branch that have not ended, oldest first.
    pub async fn open_proposed(&mut self, stack: &StackId, branch: &str) -> Result<Vec<Run>> {
        runs(on!(self, connection => sqlx::query_as(
            "select * from run where stack_id = $1 and branch = $2 and kind = 'proposed' and ended_at is null
             order by id"
        ).bind(stack).bind(branch).fetch_all(connection).await)?)
    }

    /// How many runs of a stack have not ended.
    pub async fn open_runs(&mut self, stack: &StackId) -> Result<i64> {
        let (count,): (i64,) = on!(self, connection => sqlx::query_as(
            "select count(*) from run where stack_id = $1 and ended_at is null"
        ).bind(stack).fetch_one(connection).await)?;
        Ok(count)
    }

    /// The runs of a stack that have not ended, oldest first.
    pub async fn open_runs_of(&mut self, stack: &StackId) -> Result<Vec<Run>> {
        runs(on!(self, connection => sqlx::query_as(OPEN_RUNS).bind(stack).fetch_all(connection).await)?)
    }

    /// The runs that have not ended, of every stack.
    pub async fn open_run_ids(&mut self) -> Result<Vec<RunId>> {
        let rows: Vec<(RunId,)> = on!(self, connection => sqlx::query_as(OPEN_RUN_IDS).fetch_all(connection).await)?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// The tracked run that a proposed run has become, unless that one ended before its apply began.
    pub async fn promoted_as(&mut self, proposed: &RunId) -> Result<Option<RunId>> {
        let row: Option<(RunId,)> = on!(self, connection => sqlx::query_as(
            "select id from run where promoted_from = $1
             and not (state in ('discarded', 'canceled', 'stopped') or (state = 'failed' and apply_started_at is null))"
        ).bind(proposed).fetch_optional(connection).await)?;
        Ok(row.map(|(id,)| id))
    }

    /// Every tracked run that was ever promoted from a proposed run, newest first.
    pub async fn promotions_of(&mut self, proposed: &RunId) -> Result<Vec<Run>> {
        runs(on!(self, connection => sqlx::query_as(PROMOTIONS_OF).bind(proposed).fetch_all(connection).await)?)
    }

    /// The steps of a run's life, in order.
    pub async fn transitions(&mut self, run: &RunId) -> Result<Vec<Transition>> {
        #[derive(sqlx::FromRow)]
        struct Row {
            position: i64,
            state: RunState,
            at: Timestamp,
            actor: String,
            note: Option<String>,
        }
        let rows: Vec<Row> = on!(self, connection => sqlx::query_as(
            "select position, state, at, actor, note from transition where run_id = $1 order by position"
        ).bind(run).fetch_all(connection).await)?;
        Ok(rows
            .into_iter()
            .map(|Row { position, state, at, actor, note }| Transition { position, state, at, actor, note })
            .collect())
    }
}

impl Writing {
    /// Adds a run and its first step. A second tracked run from one proposed run is a duplicate.
    pub async fn add_run(&mut self, run: &NewRun) -> Result<Run> {
        on!(self, connection => sqlx::query(
            "insert into run (id, stack_id, kind, state, branch, commit_hash, commit_subject, commit_author,
                 committed_at, triggered_by, promoted_from, retry_of, previous_commit, previous_run_id, created_at,
                 state_since)
             values ($1, $2, $3, 'queued', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)"
        ).bind(&run.id).bind(&run.stack).bind(run.kind).bind(&run.branch).bind(&run.commit.hash)
            .bind(&run.commit.subject).bind(&run.commit.author).bind(run.commit.committed_at).bind(&run.triggered_by)
            .bind(&run.promoted_from).bind(&run.retry_of).bind(&run.previous.commit).bind(&run.previous.run)
            .bind(run.created_at)
            .execute(connection).await.map(|_| ()))?;
        self.add_transition(&run.id, RunState::Queued, &run.triggered_by, None, run.created_at).await?;
        self.tell(Change::Stack(run.stack.clone()));
        self.tell(Change::Run(run.stack.clone(), run.id.clone()));
        self.run(&run.stack, &run.id).await?.ok_or(StoreError::Changed)
    }

    /// Moves a run from the state it was read in to `to`, and returns it as it is then.
    ///
    /// [`StoreError::Changed`] when the step is not allowed, or the run is no longer where, or with whom, it was read.
    pub async fn step(
        &mut self,
        run: &Run,
        to: RunState,
        actor: &str,
        note: Option<&str>,
        now: Timestamp,
    ) -> Result<Run> {
        if !run.state.may_become(to, run.kind) {
            return Err(StoreError::Changed);
        }
        let ended_at = to.is_terminal().then_some(now);
        let applies = (to == RunState::Applying).then_some(now);
        let moved = on!(self, connection => sqlx::query(
            "update run set state = $4, state_since = $5, note = $6, ended_at = $7,
                 apply_started_at = coalesce(apply_started_at, $8)
             where id = $1 and state = $2 and fence = $3"
        ).bind(&run.id).bind(run.state).bind(run.fence).bind(to).bind(now).bind(note).bind(ended_at).bind(applies)
            .execute(connection).await.map(|done| done.rows_affected()))?;
        if moved != 1 {
            return Err(StoreError::Changed);
        }
        if !to.is_working() {
            self.end_lease(&run.id).await?;
        }
        self.add_transition(&run.id, to, actor, note, now).await?;
        self.tell(Change::Stack(run.stack.clone()));
        self.tell(Change::Run(run.stack.clone(), run.id.clone()));
        self.run(&run.stack, &run.id).await?.ok_or(StoreError::Changed)
    }

    async fn add_transition(
        &mut self,
        run: &RunId,
        state: RunState,
        actor: &str,
        note: Option<&str>,
        at: Timestamp,
    ) -> Result<()> {
        on!(self, connection => sqlx::query(
            "insert into transition (run_id, position, state, at, actor, note)
             select $1, coalesce(max(position) + 1, 0), $2, $3, $4, $5 from transition where run_id = $1"
        ).bind(run).bind(state).bind(at).bind(actor).bind(note).execute(connection).await.map(|_| ()))?;
        Ok(())
    }

    /// Asks the worker that holds the run to stop it.
    pub async fn request_stop(&mut self, run: &Run, actor: &str) -> Result<()> {
        on!(self, connection => sqlx::query(
            "update run set stop_requested_by = coalesce(stop_requested_by, $2) where id = $1"
        ).bind(&run.id).bind(actor).execute(connection).await.map(|_| ()))?;
        self.tell(Change::Run(run.stack.clone(), run.id.clone()));
        Ok(())
    }
}
