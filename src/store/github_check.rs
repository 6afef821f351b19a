//! What GitHub was told: the check run of each run or untouched commit, and the deployment of each tracked run.

use super::{Reading, Result, Writing, on};
use crate::domain::{CommitHash, RunId, StackId, Timestamp};

/// What a check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum CheckKind {
    /// A proposed run.
    Proposed,
    /// A tracked run.
    Tracked,
    /// A commit that touches no file of the stack.
    Untouched,
    /// A commit of a fork that has no run.
    Fork,
}

/// A check, as GitHub was last told.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct GithubCheck {
    /// A ULID; what stands in GitHub's `external_id`.
    pub id: String,
    /// The stack; it may be gone.
    pub stack_id: StackId,
    /// Its name when the check was made.
    pub stack_name: String,
    /// The repository on GitHub.
    pub github_repository_id: i64,
    /// The commit.
    pub commit_hash: CommitHash,
    /// What it is about.
    pub kind: CheckKind,
    /// The run.
    pub run_id: Option<RunId>,
    /// GitHub's id; none before the first time.
    pub check_run_id: Option<i64>,
    /// Whether GitHub was told that it has ended: nothing opens it again.
    pub completed: bool,
    /// The digest of what GitHub shows; empty before the first time.
    pub sent: String,
    /// What the last click was answered with, when it was refused.
    pub refusal: Option<String>,
    /// Whether it may still change.
    pub live: bool,
    /// Why GitHub does not take it.
    pub problem: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A check, as far as it takes to know whether one is missing.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct KnownCheck {
    /// The repository on GitHub.
    pub github_repository_id: i64,
    /// What it is about.
    pub kind: CheckKind,
    /// Whether it may still change.
    pub live: bool,
    /// Whether GitHub was ever told.
    pub told: bool,
}

/// What a new check starts with.
#[derive(Clone, Debug)]
pub struct NewCheck<'a> {
    /// A ULID.
    pub id: String,
    /// The stack.
    pub stack: &'a StackId,
    /// Its name.
    pub stack_name: &'a str,
    /// The repository on GitHub.
    pub repository: i64,
    /// The commit.
    pub commit: &'a CommitHash,
    /// What it is about.
    pub kind: CheckKind,
    /// The run.
    pub run: Option<&'a RunId>,
    /// When it is made.
    pub at: Timestamp,
}

/// The deployment of a tracked run, as GitHub was last told.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct GithubDeployment {
    /// The run.
    pub run_id: RunId,
    /// The stack; it may be gone.
    pub stack_id: StackId,
    /// The repository on GitHub.
    pub github_repository_id: i64,
    /// GitHub's id; none before the first time.
    pub deployment_id: Option<i64>,
    /// The state that GitHub was told last.
    pub sent: String,
}

pub(super) const CHECK_OF_RUN: &str =
    "select github_repository_id, kind, live, sent <> '' as told from github_check where run_id = $1";

pub(super) const CHECK_WITHOUT_RUN: &str = "select github_repository_id, kind, live, sent <> '' as told
     from github_check where stack_id = $1 and commit_hash = $2 and run_id is null";

pub(super) const CHECKS_OF_COMMIT: &str =
    "select * from github_check where github_repository_id = $1 and commit_hash = $2 order by id desc";

pub(super) const LIVE_CHECKS: &str = "select * from github_check where stack_id = $1 and live order by id";

impl Reading {
    /// The checks of a stack that may still change, oldest first.
    pub async fn live_checks(&mut self, stack: &StackId) -> Result<Vec<GithubCheck>> {
        Ok(on!(self, connection => sqlx::query_as(LIVE_CHECKS).bind(stack).fetch_all(connection).await)?)
    }

    /// The check that GitHub has under this id.
    pub async fn check_on_github(&mut self, check_run: i64) -> Result<Option<GithubCheck>> {
        Ok(on!(self, connection => sqlx::query_as("select * from github_check where check_run_id = $1")
            .bind(check_run).fetch_optional(connection).await)?)
    }

    /// The check of a run, or of a stack's commit that has none, as far as it takes to know whether one is missing.
    pub async fn known_check(
        &mut self,
        stack: &StackId,
        commit: &CommitHash,
        run: Option<&RunId>,
    ) -> Result<Option<KnownCheck>> {
        Ok(match run {
            Some(run) => on!(self, connection => sqlx::query_as(CHECK_OF_RUN)
                .bind(run).fetch_optional(connection).await)?,
            None => on!(self, connection => sqlx::query_as(CHECK_WITHOUT_RUN)
                .bind(stack).bind(commit).fetch_optional(connection).await)?,
        })
    }

    /// The check with this id of ours.
    pub async fn check(&mut self, id: &str) -> Result<Option<GithubCheck>> {
        Ok(on!(self, connection => sqlx::query_as("select * from github_check where id = $1")
            .bind(id).fetch_optional(connection).await)?)
    }

    /// The checks of a commit in a repository, newest first.
    pub async fn checks_of_commit(&mut self, repository: i64, commit: &CommitHash) -> Result<Vec<GithubCheck>> {
        Ok(on!(self, connection => sqlx::query_as(CHECKS_OF_COMMIT)
            .bind(repository).bind(commit).fetch_all(connection).await)?)
    }

    /// The newest checks that GitHub did not take: of which stack, and why.
    pub async fn refused_checks(&mut self, limit: i64) -> Result<Vec<(StackId, String)>> {
        Ok(on!(self, connection => sqlx::query_as(
            "select stack_id, problem from github_check where problem is not null and not live order by id desc limit $1"
        ).bind(limit).fetch_all(connection).await)?)
    }

    /// The deployments of a stack that may still change.
    pub async fn live_deployments(&mut self, stack: &StackId) -> Result<Vec<GithubDeployment>> {
        Ok(on!(self, connection => sqlx::query_as(
            "select * from github_deployment where stack_id = $1 and live order by run_id"
        ).bind(stack).fetch_all(connection).await)?)
    }
}

impl Writing {
    /// Adds a check unless its run, or its commit without a run, has one; one that was settled is looked at again. One of
    /// a repository that the stack has left, and that was told its end there, makes room.
    pub async fn ensure_check(&mut self, check: &NewCheck<'_>) -> Result<()> {
        match check.run {
            Some(run) => on!(self, connection => sqlx::query(
                "delete from github_check where run_id = $1 and github_repository_id <> $2 and not live"
            ).bind(run).bind(check.repository).execute(connection).await.map(|_| ()))?,
            None => on!(self, connection => sqlx::query(
                "delete from github_check where stack_id = $1 and commit_hash = $2 and run_id is null
                 and github_repository_id <> $3 and not live"
            ).bind(check.stack).bind(check.commit).bind(check.repository).execute(connection).await.map(|_| ()))?,
        }
        let known = match check.run {
            Some(run) => on!(self, connection => sqlx::query("update github_check set live = true where run_id = $1")
                .bind(run).execute(connection).await.map(|done| done.rows_affected()))?,
            None => on!(self, connection => sqlx::query(
                "update github_check set kind = $3 where stack_id = $1 and commit_hash = $2 and run_id is null"
            ).bind(check.stack).bind(check.commit).bind(check.kind)
                .execute(connection).await.map(|done| done.rows_affected()))?,
        };
        if known > 0 {
            return Ok(());
        }
        on!(self, connection => sqlx::query(
            "insert into github_check (id, stack_id, stack_name, github_repository_id, commit_hash, kind, run_id,
                 created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8)"
        ).bind(&check.id).bind(check.stack).bind(check.stack_name).bind(check.repository).bind(check.commit)
            .bind(check.kind).bind(check.run).bind(check.at).execute(connection).await.map(|_| ()))?;
        Ok(())
    }

    /// Notes what GitHub now shows; a check run that took the place of another is made now.
    pub async fn check_sent(
        &mut self,
        id: &str,
        check_run: i64,
        sent: &str,
        completed: bool,
        live: bool,
        now: Timestamp,
    ) -> Result<()> {
        on!(self, connection => sqlx::query(
            "update github_check set sent = $3, completed = $4, live = $5, problem = null, check_run_id = $2,
                 created_at = case when check_run_id <> $2 then $6 else created_at end
             where id = $1"
        ).bind(id).bind(check_run).bind(sent).bind(completed).bind(live).bind(now)
            .execute(connection).await.map(|_| ()))?;
        Ok(())
    }

    /// Notes that an attempt to make the check run failed: it may have been made all the same.
    pub async fn check_troubled(&mut self, id: &str, problem: &str) -> Result<()> {
        on!(self, connection => sqlx::query("update github_check set problem = $2 where id = $1")
            .bind(id).bind(problem).execute(connection).await.map(|_| ()))?;
        Ok(())
    }

    /// Notes that a check is told to GitHub no more, and why.
    pub async fn check_given_up(&mut self, id: &str, problem: Option<&str>) -> Result<()> {
        on!(self, connection => sqlx::query("update github_check set live = false, problem = $2 where id = $1")
            .bind(id).bind(problem).execute(connection).await.map(|_| ()))?;
        Ok(())
    }

    /// Has a check say why a click on it did nothing; none takes that back.
    pub async fn set_refusal(&mut self, check: &GithubCheck, refusal: Option<&str>) -> Result<()> {
        on!(self, connection => sqlx::query("update github_check set refusal = $2, live = true where id = $1")
            .bind(&check.id).bind(refusal).execute(connection).await.map(|_| ()))?;
        self.tell(super::Change::Stack(check.stack_id.clone()));
        Ok(())
    }

    /// Adds the deployment of a tracked run unless it has one.
    pub async fn ensure_deployment(&mut self, run: &RunId, stack: &StackId, repository: i64) -> Result<()> {
        on!(self, connection => sqlx::query(
            "insert into github_deployment (run_id, stack_id, github_repository_id) values ($1, $2, $3)
             on conflict (run_id) do nothing"
        ).bind(run).bind(stack).bind(repository).execute(connection).await.map(|_| ()))?;
        Ok(())
    }

    /// Notes what GitHub now knows of a deployment.
    pub async fn deployment_sent(
        &mut self,
        run: &RunId,
        deployment: Option<i64>,
        sent: &str,
        live: bool,
    ) -> Result<()> {
        on!(self, connection => sqlx::query(
            "update github_deployment set deployment_id = coalesce($2, deployment_id), sent = $3, live = $4
             where run_id = $1"
        ).bind(run).bind(deployment).bind(sent).bind(live).execute(connection).await.map(|_| ()))?;
        Ok(())
    }
}
