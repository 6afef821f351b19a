//! Repositories: one row for each address, with what was last seen there and when to look again.

use super::{Change, Reading, Result, StoreError, Writing, on};
use crate::domain::{CommitHash, RepositoryId, Timestamp};
use std::collections::BTreeMap;

/// A repository that Headway mirrors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// Its id; also the name of its mirror's folder.
    pub id: RepositoryId,
    /// Where it is, without any credential.
    pub address: String,
    /// The credential, sealed.
    pub credential: Option<String>,
    /// The branches that the last fetch saw.
    pub heads: BTreeMap<String, CommitHash>,
    /// When it was last fetched with success.
    pub fetched_at: Option<Timestamp>,
    /// When it is to be fetched next.
    pub next_fetch_at: Timestamp,
    /// How many fetches failed in a row.
    pub failures: i64,
    /// Why the last fetch failed.
    pub problem: Option<String>,
    /// When somebody last added it, or added it anew.
    pub added_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: RepositoryId,
    address: String,
    credential: Option<String>,
    heads: String,
    fetched_at: Option<Timestamp>,
    next_fetch_at: Timestamp,
    failures: i64,
    problem: Option<String>,
    added_at: Timestamp,
}

impl TryFrom<Row> for Repository {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: row.id,
            address: row.address,
            credential: row.credential,
            heads: serde_json::from_str(&row.heads).map_err(|_| StoreError::Unreadable("a repository's heads"))?,
            fetched_at: row.fetched_at,
            next_fetch_at: row.next_fetch_at,
            failures: row.failures,
            problem: row.problem,
            added_at: row.added_at,
        })
    }
}

impl Reading {
    /// One repository.
    pub async fn repository(&mut self, id: &RepositoryId) -> Result<Option<Repository>> {
        let row: Option<Row> = on!(self, connection => sqlx::query_as("select * from repository where id = $1")
            .bind(id).fetch_optional(connection).await)?;
        row.map(Repository::try_from).transpose()
    }

    /// The repository at an address.
    pub async fn repository_at(&mut self, address: &str) -> Result<Option<Repository>> {
        let row: Option<Row> = on!(self, connection => sqlx::query_as("select * from repository where address = $1")
            .bind(address).fetch_optional(connection).await)?;
        row.map(Repository::try_from).transpose()
    }

    /// The repositories whose time has come: those that some stack uses, and those that were not fetched since they were
    /// added.
    pub async fn repositories_due(&mut self, now: Timestamp) -> Result<Vec<Repository>> {
        let rows: Vec<Row> = on!(self, connection => sqlx::query_as(
            "select * from repository where next_fetch_at <= $1
             and (fetched_at is null or fetched_at < added_at or exists (select 1 from stack where stack.repository_id = repository.id))
             order by next_fetch_at, id"
        ).bind(now).fetch_all(connection).await)?;
        rows.into_iter().map(Repository::try_from).collect()
    }

    /// The repositories that no stack uses and that nobody added since `before`.
    pub async fn unused_repositories(&mut self, before: Timestamp) -> Result<Vec<Repository>> {
        let rows: Vec<Row> = on!(self, connection => sqlx::query_as(
            "select * from repository where added_at < $1
             and not exists (select 1 from stack where stack.repository_id = repository.id) order by id"
        ).bind(before).fetch_all(connection).await)?;
        rows.into_iter().map(Repository::try_from).collect()
    }
}

impl Writing {
    /// Adds a repository, or gives the one that is at this address a new credential and what was just seen there.
    pub async fn add_repository(&mut self, repository: &Repository) -> Result<Repository> {
        let heads = serde_json::to_string(&repository.heads).map_err(|_| StoreError::Unreadable("branch heads"))?;
        on!(self, connection => sqlx::query(
            "insert into repository (id, address, credential, heads, next_fetch_at, added_at)
             values ($1, $2, $3, $4, $5, $6)
             on conflict (address) do update set credential = coalesce(excluded.credential, repository.credential),
                 heads = excluded.heads, next_fetch_at = excluded.next_fetch_at, added_at = excluded.added_at"
        ).bind(&repository.id).bind(&repository.address).bind(&repository.credential).bind(heads)
            .bind(repository.next_fetch_at).bind(repository.added_at)
            .execute(connection).await.map(|_| ()))?;
        self.repository_at(&repository.address).await?.ok_or(StoreError::Changed)
    }

    /// Removes a repository that no stack uses and that nobody added since `before`; whether it did.
    pub async fn remove_repository(&mut self, id: &RepositoryId, before: Timestamp) -> Result<bool> {
        let removed = on!(self, connection => sqlx::query(
            "delete from repository where id = $1 and added_at < $2
             and not exists (select 1 from stack where stack.repository_id = repository.id)"
        ).bind(id).bind(before).execute(connection).await.map(|done| done.rows_affected()))?;
        Ok(removed == 1)
    }

    /// Notes a fetch that worked. Its stacks have news when it found what was not known, the one before had failed, or the
    /// mirror is `mended`: it could not be read before.
    pub async fn fetched(
        &mut self,
        id: &RepositoryId,
        heads: &BTreeMap<String, CommitHash>,
        mended: bool,
        now: Timestamp,
        next: Timestamp,
    ) -> Result<()> {
        let as_before = self.repository(id).await?.is_some_and(|before| {
            // What was seen when it was added had not been fetched.
            let fetched = before.fetched_at.is_some_and(|at| at > before.added_at);
            !mended && fetched && before.problem.is_none() && before.heads == *heads
        });
        let heads = serde_json::to_string(heads).map_err(|_| StoreError::Unreadable("branch heads"))?;
        on!(self, connection => sqlx::query(
            "update repository set heads = $2, fetched_at = $3, next_fetch_at = $4, failures = 0, problem = null
             where id = $1"
        ).bind(id).bind(heads).bind(now).bind(next).execute(connection).await.map(|_| ()))?;
        self.tell_stacks_of(id, as_before).await
    }

    /// Notes a fetch that failed, and why. Its stacks have news when the one before had not failed like that.
    pub async fn fetch_failed(&mut self, id: &RepositoryId, problem: &str, next: Timestamp) -> Result<()> {
        let before = self.repository(id).await?;
        let as_before = before.is_some_and(|before| before.problem.as_deref() == Some(problem));
        on!(self, connection => sqlx::query(
            "update repository set next_fetch_at = $2, failures = failures + 1, problem = $3 where id = $1"
        ).bind(id).bind(next).bind(problem).execute(connection).await.map(|_| ()))?;
        self.tell_stacks_of(id, as_before).await
    }

    /// Tells of a fetch, after which everything but its time may be as before.
    async fn tell_stacks_of(&mut self, id: &RepositoryId, as_before: bool) -> Result<()> {
        for stack in self.stacks_of(id).await? {
            self.tell(if as_before { Change::Fetch(stack.id) } else { Change::Stack(stack.id) });
        }
        Ok(())
    }
}
