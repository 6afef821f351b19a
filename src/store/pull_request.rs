//! Pull requests as Headway last heard of them, and the commits of forks that a maintainer let be planned.

use super::{Reading, Result, Writing, on};
use crate::domain::pull_request::{PullRequest, PullRequestState};
use crate::domain::{CommitHash, StackId, Timestamp};

#[derive(sqlx::FromRow)]
struct Row {
    github_repository_id: i64,
    number: i64,
    title: String,
    author: String,
    state: PullRequestState,
    draft: bool,
    base_branch: String,
    head_branch: String,
    head_commit: CommitHash,
    fork: bool,
    address: String,
    opened_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Row> for PullRequest {
    fn from(row: Row) -> Self {
        Self {
            repository: row.github_repository_id,
            number: row.number,
            title: row.title,
            author: row.author,
            state: row.state,
            draft: row.draft,
            base_branch: row.base_branch,
            head_branch: row.head_branch,
            head_commit: row.head_commit,
            fork: row.fork,
            address: row.address,
            opened_at: row.opened_at,
            updated_at: row.updated_at,
        }
    }
}

impl Reading {
    /// The open pull requests of a repository, newest first.
    pub async fn open_pull_requests(&mut self, repository: i64) -> Result<Vec<PullRequest>> {
        let rows: Vec<Row> = on!(self, connection => sqlx::query_as(
            "select * from pull_request where github_repository_id = $1 and state = 'open' order by number desc"
        ).bind(repository).fetch_all(connection).await)?;
        Ok(rows.into_iter().map(PullRequest::from).collect())
    }

    /// One pull request.
    pub async fn pull_request(&mut self, repository: i64, number: i64) -> Result<Option<PullRequest>> {
        let row: Option<Row> = on!(self, connection => sqlx::query_as(
            "select * from pull_request where github_repository_id = $1 and number = $2"
        ).bind(repository).bind(number).fetch_optional(connection).await)?;
        Ok(row.map(PullRequest::from))
    }

    /// The pull requests that ever came from a branch of the repository itself, newest first.
    pub async fn pull_requests_of(&mut self, repository: i64, branch: &str) -> Result<Vec<PullRequest>> {
        let rows: Vec<Row> = on!(self, connection => sqlx::query_as(
            "select * from pull_request where github_repository_id = $1 and head_branch = $2 and fork = false order by number desc"
        ).bind(repository).bind(branch).fetch_all(connection).await)?;
        Ok(rows.into_iter().map(PullRequest::from).collect())
    }

    /// The pull requests of the repository itself that are, or ended, at a commit, whatever their branch, newest first.
    pub async fn pull_requests_at(&mut self, repository: i64, commit: &CommitHash) -> Result<Vec<PullRequest>> {
        let rows: Vec<Row> = on!(self, connection => sqlx::query_as(
            "select * from pull_request where github_repository_id = $1 and head_commit = $2 and fork = false order by number desc"
        ).bind(repository).bind(commit).fetch_all(connection).await)?;
        Ok(rows.into_iter().map(PullRequest::from).collect())
    }

    /// The comment that Headway keeps on a pull request: GitHub's id of it, and the digest of what it says.
    pub async fn comment_of(&mut self, repository: i64, number: i64) -> Result<(Option<i64>, Option<String>)> {
        let row: Option<(Option<i64>, Option<String>)> = on!(self, connection => sqlx::query_as(
            "select comment_id, comment_sent from pull_request where github_repository_id = $1 and number = $2"
        ).bind(repository).bind(number).fetch_optional(connection).await)?;
        Ok(row.unwrap_or_default())
    }

    /// Who let this commit of a fork be planned.
    pub async fn fork_allowance(&mut self, stack: &StackId, commit: &CommitHash) -> Result<Option<String>> {
        let row: Option<(String,)> = on!(self, connection => sqlx::query_as(
            "select allowed_by from fork_allowance where stack_id = $1 and commit_hash = $2"
        ).bind(stack).bind(commit).fetch_optional(connection).await)?;
        Ok(row.map(|(by,)| by))
    }
}

impl Writing {
    /// Notes a pull request, unless something newer is known of it; whether it was noted.
    pub async fn save_pull_request(&mut self, pull: &PullRequest) -> Result<bool> {
        let saved = on!(self, connection => sqlx::query(
            "insert into pull_request (github_repository_id, number, title, author, state, draft, base_branch,
                 head_branch, head_commit, fork, address, opened_at, updated_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
             on conflict (github_repository_id, number) do update set title = excluded.title,
                 author = excluded.author, state = excluded.state, draft = excluded.draft,
                 base_branch = excluded.base_branch, head_branch = excluded.head_branch,
                 head_commit = excluded.head_commit, fork = excluded.fork, address = excluded.address,
                 opened_at = excluded.opened_at, updated_at = excluded.updated_at
             where excluded.updated_at >= pull_request.updated_at"
        ).bind(pull.repository).bind(pull.number).bind(&pull.title).bind(&pull.author).bind(pull.state)
            .bind(pull.draft).bind(&pull.base_branch).bind(&pull.head_branch).bind(&pull.head_commit).bind(pull.fork)
            .bind(&pull.address).bind(pull.opened_at).bind(pull.updated_at)
            .execute(connection).await.map(|done| done.rows_affected()))?;
        self.mark_repository(pull.repository).await?;
        Ok(saved == 1)
    }

    /// Notes the comment that Headway keeps on a pull request.
    pub async fn save_comment(&mut self, repository: i64, number: i64, id: Option<i64>, sent: &str) -> Result<()> {
        on!(self, connection => sqlx::query(
            "update pull_request set comment_id = $3, comment_sent = $4 where github_repository_id = $1 and number = $2"
        ).bind(repository).bind(number).bind(id).bind(sent).execute(connection).await.map(|_| ()))?;
        Ok(())
    }

    /// Lets exactly this commit of a fork be planned; false when it had been allowed before.
    pub async fn allow_fork(&mut self, stack: &StackId, commit: &CommitHash, by: &str, now: Timestamp) -> Result<bool> {
        let added = on!(self, connection => sqlx::query(
            "insert into fork_allowance (stack_id, commit_hash, allowed_by, at) values ($1, $2, $3, $4)
             on conflict (stack_id, commit_hash) do nothing"
        ).bind(stack).bind(commit).bind(by).bind(now).execute(connection).await.map(|done| done.rows_affected()))?;
        Ok(added == 1)
    }
}
