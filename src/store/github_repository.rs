//! The repositories that the App may see, by GitHub's ids, and which of them Headway mirrors.

use super::{Change, Reading, Result, StoreError, Writing, on};
use crate::domain::{RepositoryId, Timestamp};

/// A repository on GitHub.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct GithubRepository {
    /// GitHub's id of it; survives renames.
    pub id: i64,
    /// The installation through which it is reached; none when the App no longer may.
    pub installation_id: Option<i64>,
    /// `owner/name`.
    pub full_name: String,
    /// Where Git fetches it, without a credential.
    pub clone_address: String,
    /// The branch that GitHub shows first.
    pub default_branch: String,
    /// Whether not everybody can read it.
    pub private: bool,
    /// The repository that Headway mirrors.
    pub repository_id: Option<RepositoryId>,
    /// Since when its runs have checks.
    pub linked_at: Option<Timestamp>,
    /// When its open pull requests were last read from GitHub.
    pub pulls_read_at: Option<Timestamp>,
}

impl Reading {
    /// Every repository, by name.
    pub async fn github_repositories(&mut self) -> Result<Vec<GithubRepository>> {
        Ok(on!(self, connection => sqlx::query_as("select * from github_repository order by lower(full_name), id")
            .fetch_all(connection).await)?)
    }

    /// One repository.
    pub async fn github_repository(&mut self, id: i64) -> Result<Option<GithubRepository>> {
        Ok(on!(self, connection => sqlx::query_as("select * from github_repository where id = $1")
            .bind(id).fetch_optional(connection).await)?)
    }

    /// The repository on GitHub that this one mirrors.
    pub async fn github_of(&mut self, repository: &RepositoryId) -> Result<Option<GithubRepository>> {
        Ok(on!(self, connection => sqlx::query_as("select * from github_repository where repository_id = $1")
            .bind(repository).fetch_optional(connection).await)?)
    }

    /// The repository on GitHub that is cloned from this address.
    pub async fn github_at(&mut self, clone_address: &str) -> Result<Option<GithubRepository>> {
        Ok(on!(self, connection => sqlx::query_as("select * from github_repository where clone_address = $1")
            .bind(clone_address).fetch_optional(connection).await)?)
    }
}

impl Writing {
    /// Notes a repository as GitHub describes it. One that Headway mirrors follows it to its new address, and what its
    /// stacks show on GitHub may be told again, or otherwise.
    pub async fn save_github_repository(&mut self, repository: &GithubRepository) -> Result<()> {
        let before = self.github_repository(repository.id).await?;
        on!(self, connection => sqlx::query(
            "insert into github_repository (id, installation_id, full_name, clone_address, default_branch, private)
             values ($1, $2, $3, $4, $5, $6)
             on conflict (id) do update set installation_id = excluded.installation_id,
                 full_name = excluded.full_name, clone_address = excluded.clone_address,
                 default_branch = excluded.default_branch, private = excluded.private"
        ).bind(repository.id).bind(repository.installation_id).bind(&repository.full_name)
            .bind(&repository.clone_address).bind(&repository.default_branch).bind(repository.private)
            .execute(connection).await.map(|_| ()))?;
        let stored = self.github_repository(repository.id).await?.ok_or(StoreError::Changed)?;
        if before.as_ref() != Some(&stored) {
            self.mark_repository(repository.id).await?;
        }
        if let Some(mirrored) = &stored.repository_id {
            // Somebody else's row may stand at that address: then the two stay apart, and fetching tells.
            if self.repository_at(&repository.clone_address).await?.is_none() {
                on!(self, connection => sqlx::query("update repository set address = $2, next_fetch_at = 0 where id = $1")
                    .bind(mirrored).bind(&repository.clone_address).execute(connection).await.map(|_| ()))?;
            }
        }
        self.tell(Change::Github);
        Ok(())
    }

    /// Ties a repository on GitHub to the one that Headway mirrors.
    pub async fn link_repository(&mut self, id: i64, repository: &RepositoryId, now: Timestamp) -> Result<()> {
        on!(self, connection => sqlx::query(
            "update github_repository set repository_id = $2, linked_at = coalesce(linked_at, $3) where id = $1"
        ).bind(id).bind(repository).bind(now).execute(connection).await.map(|_| ()))?;
        self.mark_repository(id).await?;
        self.tell(Change::Github);
        Ok(())
    }

    /// Takes a repository away from its installation.
    pub async fn detach_repository(&mut self, id: i64) -> Result<()> {
        on!(self, connection => sqlx::query("update github_repository set installation_id = null where id = $1")
            .bind(id).execute(connection).await.map(|_| ()))?;
        self.tell(Change::Github);
        Ok(())
    }

    /// Notes that the open pull requests were read.
    pub async fn pulls_read(&mut self, id: i64, now: Timestamp) -> Result<()> {
        on!(self, connection => sqlx::query("update github_repository set pulls_read_at = $2 where id = $1")
            .bind(id).bind(now).execute(connection).await.map(|_| ()))?;
        Ok(())
    }
}
