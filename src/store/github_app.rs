//! The GitHub App, at most one, and where it is installed.

use super::{Change, Reading, Result, StoreError, Writing, on};
use crate::domain::Timestamp;
use std::collections::BTreeMap;

/// The App, its secrets sealed.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct GithubApp {
    /// GitHub's id of it.
    pub app_id: i64,
    /// Its name in addresses.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Its client id.
    pub client_id: String,
    /// Where GitHub's pages are, without a slash at the end.
    pub web_address: String,
    /// Where GitHub's API is, without a slash at the end.
    pub api_address: String,
    /// Its private key, sealed.
    pub private_key: String,
    /// What its deliveries are signed with, sealed.
    pub webhook_secret: String,
    /// For signing people in, sealed.
    pub client_secret: Option<String>,
    /// What deliveries were signed with before, sealed.
    pub previous_webhook_secret: Option<String>,
    /// How long that is still believed.
    pub previous_until: Option<Timestamp>,
    /// The rights that it asks for, as JSON.
    pub permissions: String,
    /// When it was connected.
    pub created_at: Timestamp,
    /// When GitHub last answered for it.
    pub checked_at: Option<Timestamp>,
    /// Why GitHub does not answer for it.
    pub problem: Option<String>,
    /// When the last delivery came.
    pub delivered_at: Option<Timestamp>,
    /// How many deliveries had a wrong signature.
    pub signature_failures: i64,
    /// When the last of those came.
    pub signature_failed_at: Option<Timestamp>,
    /// How far GitHub's own log of deliveries has been read.
    pub caught_up_at: Option<Timestamp>,
}

/// One installation of the App.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// GitHub's id of it.
    pub id: i64,
    /// The login of the account that has it.
    pub account: String,
    /// The rights that it was given: `checks` → `write`.
    pub permissions: BTreeMap<String, String>,
    /// Whether its owner suspended it.
    pub suspended: bool,
    /// How many requests an hour it has.
    pub rate_limit: Option<i64>,
    /// How many of those are left.
    pub rate_remaining: Option<i64>,
    /// When they are all there again.
    pub rate_resets_at: Option<Timestamp>,
    /// Why GitHub refuses it.
    pub problem: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    account: String,
    permissions: String,
    suspended: bool,
    rate_limit: Option<i64>,
    rate_remaining: Option<i64>,
    rate_resets_at: Option<Timestamp>,
    problem: Option<String>,
}

impl TryFrom<Row> for Installation {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: row.id,
            account: row.account,
            permissions: serde_json::from_str(&row.permissions)
                .map_err(|_| StoreError::Unreadable("an installation's permissions"))?,
            suspended: row.suspended,
            rate_limit: row.rate_limit,
            rate_remaining: row.rate_remaining,
            rate_resets_at: row.rate_resets_at,
            problem: row.problem,
        })
    }
}

impl Reading {
    /// The App, when one is connected.
    pub async fn github_app(&mut self) -> Result<Option<GithubApp>> {
        Ok(on!(self, connection => sqlx::query_as("select * from github_app where one = 1")
            .fetch_optional(connection).await)?)
    }

    /// The installations, by account.
    pub async fn installations(&mut self) -> Result<Vec<Installation>> {
        let rows: Vec<Row> = on!(self, connection => sqlx::query_as(
            "select * from github_installation order by lower(account), id"
        ).fetch_all(connection).await)?;
        rows.into_iter().map(Installation::try_from).collect()
    }

    /// One installation.
    pub async fn installation(&mut self, id: i64) -> Result<Option<Installation>> {
        let row: Option<Row> = on!(self, connection => sqlx::query_as(
            "select * from github_installation where id = $1"
        ).bind(id).fetch_optional(connection).await)?;
        row.map(Installation::try_from).transpose()
    }
}

impl Writing {
    /// Connects the App, in place of another; the same one gets new keys and keeps what is known of it.
    pub async fn save_github_app(&mut self, app: &GithubApp) -> Result<()> {
        on!(self, connection => sqlx::query("delete from github_app where app_id <> $1")
            .bind(app.app_id).execute(connection).await.map(|_| ()))?;
        on!(self, connection => sqlx::query(
            "insert into github_app (one, app_id, slug, name, client_id, web_address, api_address, private_key,
                 webhook_secret, client_secret, previous_webhook_secret, previous_until, permissions, created_at)
             values (1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
             on conflict (one) do update set slug = excluded.slug, name = excluded.name,
                 client_id = excluded.client_id, web_address = excluded.web_address,
                 api_address = excluded.api_address, private_key = excluded.private_key,
                 webhook_secret = excluded.webhook_secret, client_secret = excluded.client_secret,
                 previous_webhook_secret = excluded.previous_webhook_secret,
                 previous_until = excluded.previous_until, permissions = excluded.permissions"
        ).bind(app.app_id).bind(&app.slug).bind(&app.name).bind(&app.client_id).bind(&app.web_address)
            .bind(&app.api_address).bind(&app.private_key).bind(&app.webhook_secret).bind(&app.client_secret)
            .bind(&app.previous_webhook_secret).bind(app.previous_until).bind(&app.permissions).bind(app.created_at)
            .execute(connection).await.map(|_| ()))?;
        self.tell(Change::Github);
        Ok(())
    }

    /// Forgets the App and where it is installed; repositories and stacks stay, and are fetched as plain Git.
    pub async fn delete_github_app(&mut self) -> Result<()> {
        for statement in ["delete from github_app", "delete from github_installation", "delete from github_outbox"] {
            on!(self, connection => sqlx::query(statement).execute(connection).await.map(|_| ()))?;
        }
        self.tell(Change::Github);
        Ok(())
    }

    /// Notes whether GitHub answers for the App, under which name, and with which rights.
    pub async fn checked_github_app(
        &mut self,
        answer: std::result::Result<(&str, &str), &str>,
        now: Timestamp,
    ) -> Result<()> {
        let (name, permissions, problem) = match answer {
            Ok((name, permissions)) => (Some(name), Some(permissions), None),
            Err(problem) => (None, None, Some(problem)),
        };
        on!(self, connection => sqlx::query(
            "update github_app set name = coalesce($1, name), permissions = coalesce($2, permissions), problem = $3,
                 checked_at = case when $3 is null then $4 else checked_at end"
        ).bind(name).bind(permissions).bind(problem).bind(now).execute(connection).await.map(|_| ()))?;
        self.tell(Change::Github);
        Ok(())
    }

    /// Notes a delivery whose signature was wrong.
    pub async fn signature_failed(&mut self, now: Timestamp) -> Result<()> {
        on!(self, connection => sqlx::query(
            "update github_app set signature_failures = signature_failures + 1, signature_failed_at = $1"
        ).bind(now).execute(connection).await.map(|_| ()))?;
        self.tell(Change::Github);
        Ok(())
    }

    /// Notes how far GitHub's log of deliveries has been read.
    pub async fn caught_up(&mut self, at: Timestamp) -> Result<()> {
        on!(self, connection => sqlx::query("update github_app set caught_up_at = $1")
            .bind(at).execute(connection).await.map(|_| ()))?;
        Ok(())
    }

    /// Notes an installation as GitHub describes it.
    pub async fn save_installation(
        &mut self,
        id: i64,
        account: &str,
        permissions: &BTreeMap<String, String>,
        suspended: bool,
    ) -> Result<()> {
        let permissions =
            serde_json::to_string(permissions).map_err(|_| StoreError::Unreadable("an installation's permissions"))?;
        on!(self, connection => sqlx::query(
            "insert into github_installation (id, account, permissions, suspended) values ($1, $2, $3, $4)
             on conflict (id) do update set account = excluded.account, permissions = excluded.permissions,
                 suspended = excluded.suspended, problem = null"
        ).bind(id).bind(account).bind(permissions).bind(suspended).execute(connection).await.map(|_| ()))?;
        self.tell(Change::Github);
        Ok(())
    }

    /// Forgets an installation; its repositories are then without one.
    pub async fn delete_installation(&mut self, id: i64) -> Result<()> {
        on!(self, connection => sqlx::query("delete from github_installation where id = $1")
            .bind(id).execute(connection).await.map(|_| ()))?;
        self.tell(Change::Github);
        Ok(())
    }

    /// Notes what GitHub said of an installation's requests.
    pub async fn save_rate(&mut self, id: i64, limit: i64, remaining: i64, resets_at: Timestamp) -> Result<()> {
        on!(self, connection => sqlx::query(
            "update github_installation set rate_limit = $2, rate_remaining = $3, rate_resets_at = $4 where id = $1"
        ).bind(id).bind(limit).bind(remaining).bind(resets_at).execute(connection).await.map(|_| ()))?;
        Ok(())
    }

    /// Notes why GitHub refuses an installation, or that it does not.
    pub async fn installation_problem(&mut self, id: i64, problem: Option<&str>) -> Result<()> {
        on!(self, connection => sqlx::query("update github_installation set problem = $2 where id = $1")
            .bind(id).bind(problem).execute(connection).await.map(|_| ()))?;
        self.tell(Change::Github);
        Ok(())
    }
}
