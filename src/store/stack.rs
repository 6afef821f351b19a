//! Stacks: their settings, where they stand, and who holds their lock.

use super::{Change, Reading, Result, StoreError, Writing, on};
use crate::domain::stack::{Behavior, Integration, Lock, Stack};
use crate::domain::vendor::Vendor;
use crate::domain::{CommitHash, RepositoryId, RunId, StackId, Timestamp};
use std::collections::BTreeMap;

/// What a new stack starts with.
#[derive(Clone, Debug)]
pub struct NewStack {
    /// Its slug.
    pub id: StackId,
    /// Its repository.
    pub repository: RepositoryId,
    /// Everything that can be changed later as well.
    pub settings: Settings,
    /// Whether Headway keeps its state.
    pub manage_state: bool,
    /// When it is made.
    pub created_at: Timestamp,
}

/// Everything about a stack that its settings pages change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Words to find it by.
    pub labels: Vec<String>,
    /// The branch whose pushes are deployed.
    pub tracked_branch: String,
    /// The folder that holds the configuration.
    pub project_root: String,
    /// Files outside the project root that belong to it.
    pub additional_globs: Vec<String>,
    /// Terraform or OpenTofu.
    pub vendor: Vendor,
    /// A path or a version of its program, or nothing.
    pub engine_binary: String,
    /// The switches.
    pub behavior: Behavior,
    /// What it shares with GitHub.
    pub integration: Integration,
    /// Whether it starts no runs at all.
    pub disabled: bool,
}

impl From<&Stack> for Settings {
    fn from(stack: &Stack) -> Self {
        Self {
            name: stack.name.clone(),
            description: stack.description.clone(),
            labels: stack.labels.clone(),
            tracked_branch: stack.tracked_branch.clone(),
            project_root: stack.project_root.clone(),
            additional_globs: stack.additional_globs.clone(),
            vendor: stack.vendor,
            engine_binary: stack.engine_binary.clone(),
            behavior: stack.behavior,
            integration: stack.integration,
            disabled: stack.disabled,
        }
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: StackId,
    name: String,
    description: String,
    labels: String,
    repository_id: RepositoryId,
    address: String,
    tracked_branch: String,
    project_root: String,
    additional_globs: String,
    vendor: Vendor,
    engine_binary: String,
    manage_state: bool,
    autodeploy: bool,
    autoretry: bool,
    protect_from_deletion: bool,
    allow_run_promotion: bool,
    secret_masking: bool,
    fork_plans: bool,
    pull_request_comment: bool,
    public_changes: bool,
    disabled: bool,
    current_commit: Option<CommitHash>,
    current_run_id: Option<RunId>,
    lock_holder: Option<String>,
    lock_note: Option<String>,
    locked_at: Option<Timestamp>,
    version: i64,
    created_at: Timestamp,
}

impl TryFrom<Row> for Stack {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        let lock = match (row.lock_holder, row.locked_at) {
            (Some(holder), Some(at)) => Some(Lock { holder, note: row.lock_note, at }),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => return Err(StoreError::Unreadable("a stack's lock")),
        };
        Ok(Self {
            id: row.id,
            name: row.name,
            description: row.description,
            labels: list(&row.labels)?,
            repository: row.repository_id,
            address: row.address,
            tracked_branch: row.tracked_branch,
            project_root: row.project_root,
            additional_globs: list(&row.additional_globs)?,
            vendor: row.vendor,
            engine_binary: row.engine_binary,
            manage_state: row.manage_state,
            behavior: Behavior {
                autodeploy: row.autodeploy,
                autoretry: row.autoretry,
                protect_from_deletion: row.protect_from_deletion,
                allow_run_promotion: row.allow_run_promotion,
                secret_masking: row.secret_masking,
            },
            integration: Integration {
                fork_plans: row.fork_plans,
                pull_request_comment: row.pull_request_comment,
                public_changes: row.public_changes,
            },
            disabled: row.disabled,
            current_commit: row.current_commit,
            current_run: row.current_run_id,
            lock,
            version: row.version,
            created_at: row.created_at,
        })
    }
}

fn list(text: &str) -> Result<Vec<String>> {
    serde_json::from_str(text).map_err(|_| StoreError::Unreadable("a stack's list"))
}

fn text(list: &[String]) -> String {
    serde_json::Value::from(list).to_string()
}

impl Reading {
    /// Every stack, by name.
    pub async fn stacks(&mut self) -> Result<Vec<Stack>> {
        let rows: Vec<Row> = on!(self, connection => sqlx::query_as(
            "select stack.*, repository.address from stack join repository on repository.id = stack.repository_id
             order by lower(stack.name), stack.id"
        ).fetch_all(connection).await)?;
        rows.into_iter().map(Stack::try_from).collect()
    }

    /// The stacks of one repository.
    pub async fn stacks_of(&mut self, repository: &RepositoryId) -> Result<Vec<Stack>> {
        let stacks = self.stacks().await?;
        Ok(stacks.into_iter().filter(|stack| stack.repository == *repository).collect())
    }

    /// One stack.
    pub async fn stack(&mut self, id: &StackId) -> Result<Option<Stack>> {
        let row: Option<Row> = on!(self, connection => sqlx::query_as(
            "select stack.*, repository.address from stack join repository on repository.id = stack.repository_id
             where stack.id = $1"
        ).bind(id).fetch_optional(connection).await)?;
        row.map(Stack::try_from).transpose()
    }

    /// The branch heads that the stack has already answered with runs.
    pub async fn answered_heads(&mut self, id: &StackId) -> Result<BTreeMap<String, CommitHash>> {
        let row: Option<(String,)> = on!(self, connection => sqlx::query_as("select heads from stack where id = $1")
            .bind(id).fetch_optional(connection).await)?;
        row.map_or(Ok(BTreeMap::new()), |(heads,)| {
            serde_json::from_str(&heads).map_err(|_| StoreError::Unreadable("a stack's heads"))
        })
    }

    /// The settings that were saved after `version`, by name.
    pub async fn settings_changed_since(&mut self, id: &StackId, version: i64) -> Result<Vec<String>> {
        let rows: Vec<(String,)> = on!(self, connection => sqlx::query_as(
            "select distinct setting from setting_change where stack_id = $1 and version > $2 order by setting"
        ).bind(id).bind(version).fetch_all(connection).await)?;
        Ok(rows.into_iter().map(|(setting,)| setting).collect())
    }

    /// The commit of the newest tracked run whose apply began (product.md, applied commit).
    pub async fn applied_commit(&mut self, id: &StackId) -> Result<Option<CommitHash>> {
        let row: Option<(CommitHash,)> = on!(self, connection => sqlx::query_as(
            "select commit_hash from run where stack_id = $1 and apply_started_at is not null
             order by apply_started_at desc, id desc limit 1"
        ).bind(id).fetch_optional(connection).await)?;
        Ok(row.map(|(commit,)| commit))
    }
}

impl Writing {
    /// Takes the stack for this transaction: whoever else starts one on it waits, or works on what this one leaves.
    pub async fn take_stack(&mut self, id: &StackId) -> Result<Option<Stack>> {
        on!(self, connection => sqlx::query("update stack set revision = revision + 1 where id = $1")
            .bind(id).execute(connection).await.map(|_| ()))?;
        self.stack(id).await
    }

    /// Adds a stack; a name or slug that exists is a duplicate.
    pub async fn add_stack(&mut self, stack: &NewStack) -> Result<()> {
        on!(self, connection => sqlx::query(
            "insert into stack (id, name, repository_id, tracked_branch, vendor, manage_state, created_at)
             values ($1, $2, $3, $4, $5, $6, $7)"
        ).bind(&stack.id).bind(&stack.settings.name).bind(&stack.repository).bind(&stack.settings.tracked_branch)
            .bind(stack.settings.vendor).bind(stack.manage_state).bind(stack.created_at)
            .execute(connection).await.map(|_| ()))?;
        self.save_settings(&stack.id, &stack.settings, 1).await?;
        Ok(())
    }

    /// Saves the settings if nobody saved since `version`; otherwise [`StoreError::Changed`].
    pub async fn save_settings(&mut self, id: &StackId, settings: &Settings, version: i64) -> Result<()> {
        let (behavior, integration) = (settings.behavior, settings.integration);
        let saved = on!(self, connection => sqlx::query(
            "update stack set name = $3, description = $4, labels = $5, tracked_branch = $6, project_root = $7,
                 additional_globs = $8, vendor = $9, engine_binary = $10, autodeploy = $11, autoretry = $12,
                 protect_from_deletion = $13, allow_run_promotion = $14, secret_masking = $15, disabled = $16,
                 fork_plans = $17, pull_request_comment = $18, public_changes = $19, version = version + 1
             where id = $1 and version = $2"
        ).bind(id).bind(version).bind(&settings.name).bind(&settings.description).bind(text(&settings.labels))
            .bind(&settings.tracked_branch).bind(&settings.project_root).bind(text(&settings.additional_globs))
            .bind(settings.vendor).bind(&settings.engine_binary).bind(behavior.autodeploy).bind(behavior.autoretry)
            .bind(behavior.protect_from_deletion).bind(behavior.allow_run_promotion).bind(behavior.secret_masking)
            .bind(settings.disabled).bind(integration.fork_plans).bind(integration.pull_request_comment)
            .bind(integration.public_changes)
            .execute(connection).await.map(|done| done.rows_affected()))?;
        self.tell(Change::Stack(id.clone()));
        if saved == 1 { Ok(()) } else { Err(StoreError::Changed) }
    }

    /// Notes which settings the version that was just saved changed.
    pub async fn add_setting_changes(&mut self, id: &StackId, version: i64, settings: &[&str]) -> Result<()> {
        for setting in settings {
            on!(self, connection => sqlx::query(
                "insert into setting_change (stack_id, version, setting) values ($1, $2, $3)"
            ).bind(id).bind(version).bind(*setting).execute(connection).await.map(|_| ()))?;
        }
        Ok(())
    }

    /// Moves the current commit; `run` is the tracked run that did it, none when a person set it.
    pub async fn set_current(&mut self, id: &StackId, commit: Option<&CommitHash>, run: Option<&RunId>) -> Result<()> {
        on!(self, connection => sqlx::query(
            "update stack set current_commit = $2, current_run_id = $3 where id = $1"
        ).bind(id).bind(commit).bind(run).execute(connection).await.map(|_| ()))?;
        self.tell(Change::Stack(id.clone()));
        Ok(())
    }

    /// Locks or unlocks the stack.
    pub async fn set_lock(&mut self, id: &StackId, lock: Option<&Lock>) -> Result<()> {
        on!(self, connection => sqlx::query(
            "update stack set lock_holder = $2, lock_note = $3, locked_at = $4 where id = $1"
        ).bind(id).bind(lock.map(|lock| &lock.holder)).bind(lock.and_then(|lock| lock.note.as_ref()))
            .bind(lock.map(|lock| lock.at))
            .execute(connection).await.map(|_| ()))?;
        self.tell(Change::Stack(id.clone()));
        Ok(())
    }

    /// Notes the branch heads that the stack has answered.
    pub async fn set_answered_heads(&mut self, id: &StackId, heads: &BTreeMap<String, CommitHash>) -> Result<()> {
        let heads = serde_json::to_string(heads).map_err(|_| StoreError::Unreadable("branch heads"))?;
        on!(self, connection => sqlx::query("update stack set heads = $2 where id = $1")
            .bind(id).bind(heads).execute(connection).await.map(|_| ()))?;
        self.tell(Change::Stack(id.clone()));
        Ok(())
    }

    /// Moves the stack to another repository.
    pub async fn set_repository(&mut self, id: &StackId, repository: &RepositoryId) -> Result<()> {
        on!(self, connection => sqlx::query("update stack set repository_id = $2 where id = $1")
            .bind(id).bind(repository).execute(connection).await.map(|_| ()))?;
        self.tell(Change::Stack(id.clone()));
        Ok(())
    }

    /// Removes the stack with its runs, logs, plans, variables and state.
    pub async fn delete_stack(&mut self, id: &StackId) -> Result<()> {
        // Runs point at each other; without these pointers they can go in any order.
        on!(self, connection => sqlx::query("update run set promoted_from = null, retry_of = null where stack_id = $1")
            .bind(id).execute(connection).await.map(|_| ()))?;
        on!(self, connection => sqlx::query("delete from stack where id = $1")
            .bind(id).execute(connection).await.map(|_| ()))?;
        self.tell(Change::Stack(id.clone()));
        Ok(())
    }
}
