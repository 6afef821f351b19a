//! The outbox: the stacks whose checks on GitHub may differ from what they should be. A stack is marked by the
//! transaction that changed it and stays marked until GitHub was told.

use super::{Change, Reading, Result, Writing, on};
use crate::domain::{StackId, Timestamp};

/// A marked stack.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Marked {
    /// The stack; it may be gone.
    pub stack_id: StackId,
    /// Counts the marks: a mark that came while GitHub was told stays.
    pub revision: i64,
    /// How many tries in a row failed.
    pub attempts: i64,
    /// When to try (again).
    pub due_at: Timestamp,
    /// Why the last try failed.
    pub problem: Option<String>,
}

impl Reading {
    /// The marked stacks that are due.
    pub async fn outbox_due(&mut self, now: Timestamp) -> Result<Vec<Marked>> {
        Ok(on!(self, connection => sqlx::query_as(
            "select * from github_outbox where due_at <= $1 order by due_at, stack_id"
        ).bind(now).fetch_all(connection).await)?)
    }

    /// Every marked stack.
    pub async fn outbox(&mut self) -> Result<Vec<Marked>> {
        Ok(on!(self, connection => sqlx::query_as("select * from github_outbox order by due_at, stack_id")
            .fetch_all(connection).await)?)
    }
}

impl Writing {
    /// Marks the stacks that this transaction has changed.
    pub(super) async fn mark_changed(&mut self) -> Result<()> {
        let mut stacks: Vec<StackId> = Vec::new();
        for change in &self.news {
            let stack = match change {
                Change::Stack(stack) | Change::Run(stack, _) => stack,
                Change::Fetch(_) | Change::Log(_) | Change::Github | Change::People => continue,
            };
            if !stacks.contains(stack) {
                stacks.push(stack.clone());
            }
        }
        for stack in stacks {
            self.mark(&stack).await?;
        }
        Ok(())
    }

    /// Marks a stack whose repository is on GitHub, or whose checks are.
    async fn mark(&mut self, stack: &StackId) -> Result<()> {
        on!(self, connection => sqlx::query(
            "insert into github_outbox (stack_id, due_at)
             select $1, 0 from github_app where exists (
                 select 1 from stack join github_repository on github_repository.repository_id = stack.repository_id
                 where stack.id = $1
             ) or exists (select 1 from github_check where stack_id = $1 and live)
             on conflict (stack_id) do update set revision = github_outbox.revision + 1,
                 due_at = case when github_outbox.attempts = 0 then 0 else github_outbox.due_at end"
        ).bind(stack).execute(connection).await.map(|_| ()))?;
        Ok(())
    }

    /// Marks every stack whose repository is on GitHub.
    pub async fn mark_all(&mut self) -> Result<()> {
        on!(self, connection => sqlx::query(
            "insert into github_outbox (stack_id, due_at)
             select stack.id, 0 from stack
             join github_repository on github_repository.repository_id = stack.repository_id
             where exists (select 1 from github_app)
             on conflict (stack_id) do update set revision = github_outbox.revision + 1"
        ).execute(connection).await.map(|_| ()))?;
        Ok(())
    }

    /// Marks every stack of a repository on GitHub.
    pub async fn mark_repository(&mut self, github: i64) -> Result<()> {
        let stacks: Vec<(StackId,)> = on!(self, connection => sqlx::query_as(
            "select stack.id from stack join github_repository on github_repository.repository_id = stack.repository_id
             where github_repository.id = $1"
        ).bind(github).fetch_all(connection).await)?;
        for (stack,) in stacks {
            self.tell(Change::Stack(stack));
        }
        Ok(())
    }

    /// Lets everything that waits after failures be tried at once: GitHub is back.
    pub async fn hurry_outbox(&mut self) -> Result<()> {
        on!(self, connection => sqlx::query("update github_outbox set due_at = 0, attempts = 0, problem = null")
            .execute(connection).await.map(|_| ()))?;
        self.tell(Change::Github);
        Ok(())
    }

    /// Takes a mark away, unless the stack was marked again meanwhile; then it is due at once.
    pub async fn unmark(&mut self, marked: &Marked) -> Result<()> {
        on!(self, connection => sqlx::query("delete from github_outbox where stack_id = $1 and revision = $2")
            .bind(&marked.stack_id).bind(marked.revision).execute(connection).await.map(|_| ()))?;
        on!(self, connection => sqlx::query(
            "update github_outbox set attempts = 0, problem = null, due_at = 0 where stack_id = $1"
        ).bind(&marked.stack_id).execute(connection).await.map(|_| ()))?;
        Ok(())
    }

    /// Leaves what can wait for later, unless the stack was marked again meanwhile; then it is due at once.
    pub async fn leave_rest(&mut self, marked: &Marked, due: Timestamp) -> Result<()> {
        on!(self, connection => sqlx::query(
            "update github_outbox set attempts = 0, problem = null, due_at = case when revision = $2 then $3 else 0 end
             where stack_id = $1"
        ).bind(&marked.stack_id).bind(marked.revision).bind(due).execute(connection).await.map(|_| ()))?;
        Ok(())
    }

    /// Keeps a mark for later.
    pub async fn put_off(&mut self, marked: &Marked, due: Timestamp, problem: &str) -> Result<()> {
        on!(self, connection => sqlx::query(
            "update github_outbox set attempts = attempts + 1, due_at = $2, problem = $3 where stack_id = $1"
        ).bind(&marked.stack_id).bind(due).bind(problem).execute(connection).await.map(|_| ()))?;
        self.tell(Change::Github);
        Ok(())
    }
}
