//! The store: the only SQL of Headway. One text of SQL serves SQLite and PostgreSQL, and the compiler checks what is
//! bound against both drivers.
//!
//! Whoever reads takes a [`Reading`]: one consistent picture of the database. Whoever writes takes a [`Writing`]: a
//! transaction that nobody else writes beside, whose news are told to the pages only after it was committed. Dropping
//! either takes everything back.

mod access_token;
mod activity;
mod cleaned;
mod delivery;
mod github_app;
mod github_check;
mod github_repository;
mod grant;
mod invitation;
mod lease;
mod log;
mod outbox;
mod person;
mod plan;
mod pull_request;
mod repository;
mod run;
mod sealed;
mod session;
mod sign_in;
mod sole;
mod stack;
mod state;
#[cfg(test)]
mod tests;
mod variable;

pub use access_token::AccessToken;
pub use activity::Filter;
pub use cleaned::{Candidate, Cleanable};
pub use delivery::{Delivery, DeliveryState, NewDelivery, Received, UNCONCERNED};
pub use github_app::{GithubApp, Installation};
pub use github_check::{CheckKind, GithubCheck, GithubDeployment, KnownCheck, NewCheck};
pub use github_repository::GithubRepository;
pub use invitation::Invitation;
pub use lease::Lease;
pub use log::StoredLines;
pub use outbox::Marked;
pub use person::{MembershipSource, Person};
pub use repository::Repository;
pub use run::NewRun;
pub use session::Session;
pub use sign_in::SignIn;
pub use stack::{NewStack, Settings};
pub use state::{StateLock, StateVersion};
#[cfg(test)]
pub use tests::{columns_that_hold, databases};
pub use variable::Variable;

use crate::domain::activity::Entry;
use crate::domain::{RunId, StackId};
use sole::Sole;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Postgres, Sqlite, Transaction};
use std::fs::{File, Permissions};
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;

/// Runs one statement on whichever database is configured; the body is type-checked once for each driver.
macro_rules! on {
    ($reading:expr, $connection:ident => $body:expr) => {
        match &mut $reading.transaction {
            crate::store::Open::Sqlite(transaction) => {
                let $connection = &mut **transaction;
                $body
            }
            crate::store::Open::Postgres(transaction) => {
                let $connection = &mut **transaction;
                $body
            }
        }
    };
}
use on;

/// How long a connection to SQLite waits for its turn.
const WAIT: Duration = Duration::from_secs(5);

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database said no, or is out of reach.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the database's schema: {0}")]
    Schema(#[from] sqlx::migrate::MigrateError),
    /// Somebody else was faster: what this write started from is no longer true.
    #[error("somebody else changed it first")]
    Changed,
    /// A row holds what this version cannot read.
    #[error("cannot read {0} from the database")]
    Unreadable(&'static str),
    /// The database's program is too old to be trusted.
    #[error("SQLite {0} may lose commits; 3.51.3 or newer is needed")]
    TooOld(String),
    /// Another Headway works on it.
    #[error("it is used by another Headway. Stop that one first, or name another database with --database")]
    Used,
}

impl StoreError {
    /// Whether a uniqueness rule of the schema refused the row.
    pub fn is_duplicate(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Database(error)) => error.is_unique_violation(),
            Self::Database(_)
            | Self::Schema(_)
            | Self::Changed
            | Self::Unreadable(_)
            | Self::TooOld(_)
            | Self::Used => false,
        }
    }

    /// Whether a row holds what cannot be read.
    pub fn is_unreadable(&self) -> bool {
        match self {
            Self::Database(error) => matches!(error, sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. }),
            Self::Unreadable(_) => true,
            Self::Schema(_) | Self::Changed | Self::TooOld(_) | Self::Used => false,
        }
    }
}

/// What the store's functions answer.
pub type Result<T> = std::result::Result<T, StoreError>;

/// News for pages and workers: what changed, not how; the truth is read from the tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A stack, its settings, lock, commits or repository.
    Stack(StackId),
    /// When a stack's repository was last fetched, or is to be fetched next, and nothing else of it.
    Fetch(StackId),
    /// A run or its steps.
    Run(StackId, RunId),
    /// New lines in a run's log.
    Log(RunId),
    /// The GitHub App, its installations, repositories or deliveries.
    Github,
    /// People, what they may do, or how they sign in.
    People,
}

/// The connections: one that writes, so that nobody waits for a lock in the middle or decides by what another is about to
/// change, and several that read and never wait for it.
#[derive(Clone, Debug)]
enum Database {
    Sqlite { writer: SqlitePool, readers: SqlitePool },
    Postgres { writer: PgPool, readers: PgPool },
}

/// The database, with the news of what changes in it.
#[derive(Clone, Debug)]
pub struct Store {
    database: Database,
    changes: broadcast::Sender<Change>,
    /// That nobody else works on a PostgreSQL database; a SQLite file is in the data folder, which is one process's alone.
    sole: Option<Arc<Sole>>,
}

enum Open {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// One consistent picture of the database.
pub struct Reading {
    transaction: Open,
}

/// A transaction that writes. Nothing happened until [`Writing::commit`].
pub struct Writing {
    reading: Reading,
    entries: Vec<Entry>,
    news: Vec<Change>,
    changes: broadcast::Sender<Change>,
}

impl Deref for Writing {
    type Target = Reading;

    fn deref(&self) -> &Reading {
        &self.reading
    }
}

impl DerefMut for Writing {
    fn deref_mut(&mut self) -> &mut Reading {
        &mut self.reading
    }
}

/// Lets nobody but Headway's own user have a database file; SQLite gives what it makes beside the file the same rights.
fn keep_to_oneself(file: &Path) -> Result<()> {
    let unopened = |error| StoreError::Database(sqlx::Error::Io(error));
    let opened = File::options().create(true).truncate(false).write(true).mode(0o600).open(file).map_err(unopened)?;
    let private = Permissions::from_mode(0o600);
    if opened.metadata().map_err(unopened)?.permissions() != private {
        opened.set_permissions(private).map_err(unopened)?;
    }
    Ok(())
}

impl Store {
    /// Opens the SQLite file, creating it and bringing its schema up to date.
    pub async fn open_sqlite(file: &Path) -> Result<Self> {
        keep_to_oneself(file)?;
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(WAIT);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.clone())
            .await?;
        let (version,): (String,) = sqlx::query_as("select sqlite_version()").fetch_one(&writer).await?;
        if parse_version(&version) < (3, 51, 3) {
            return Err(StoreError::TooOld(version));
        }
        sqlx::migrate!().run(&writer).await?;
        let readers =
            SqlitePoolOptions::new().max_connections(8).connect_with(options.pragma("query_only", "on")).await?;
        let store = Self::over(Database::Sqlite { writer, readers });
        store.keep_activity().await?;
        Ok(store)
    }

    /// Opens the SQLite file only to read it, beside a Headway that may work on it; nothing is made or brought up to date.
    pub async fn open_sqlite_to_read(file: &Path) -> Result<Self> {
        let options = SqliteConnectOptions::new().filename(file).busy_timeout(WAIT).pragma("query_only", "on");
        let readers = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        Ok(Self::over(Database::Sqlite { writer: readers.clone(), readers }))
    }

    /// Connects to PostgreSQL by its address, keeps the database for this process alone and brings the schema up to date.
    pub async fn open_postgres(address: &str) -> Result<Self> {
        let options = PgConnectOptions::from_str(address)?;
        let sole = Some(Arc::new(Sole::take(&options).await?));
        let writer = PgPoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
        sqlx::migrate!().run(&writer).await?;
        let readers = PgPoolOptions::new().max_connections(15).connect_with(options).await?;
        let store = Self { sole, ..Self::over(Database::Postgres { writer, readers }) };
        store.keep_activity().await?;
        Ok(store)
    }

    /// Connects to PostgreSQL only to read; nothing is brought up to date.
    pub async fn open_postgres_to_read(address: &str) -> Result<Self> {
        let options = PgConnectOptions::from_str(address)?.options([("default_transaction_read_only", "on")]);
        let readers = PgPoolOptions::new().max_connections(1).connect_with(options).await?;
        Ok(Self::over(Database::Postgres { writer: readers.clone(), readers }))
    }

    fn over(database: Database) -> Self {
        let (changes, _) = broadcast::channel(1024);
        Self { database, changes, sole: None }
    }

    /// Resolves when another Headway has taken the database from this one.
    pub async fn lost(&self) {
        match &self.sole {
            Some(sole) => sole.lost().await,
            None => std::future::pending().await,
        }
    }

    /// The news from now on. A receiver that falls behind is told that it missed some and reads the tables again.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// Starts to read.
    pub async fn read(&self) -> Result<Reading> {
        let transaction = match &self.database {
            Database::Sqlite { readers, .. } => Open::Sqlite(readers.begin().await?),
            Database::Postgres { readers, .. } => {
                Open::Postgres(readers.begin_with("begin isolation level repeatable read read only").await?)
            }
        };
        Ok(Reading { transaction })
    }

    /// Starts to write.
    pub async fn write(&self) -> Result<Writing> {
        let transaction = match &self.database {
            // Deferred, a read followed by a write could fail at once instead of waiting its turn.
            Database::Sqlite { writer, .. } => Open::Sqlite(writer.begin_with("begin immediate").await?),
            Database::Postgres { writer, .. } => Open::Postgres(writer.begin().await?),
        };
        let (entries, news) = (Vec::new(), Vec::new());
        Ok(Writing { reading: Reading { transaction }, entries, news, changes: self.changes.clone() })
    }

    /// Closes every connection, after what runs on them has ended.
    pub async fn close(&self) {
        match &self.database {
            Database::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Database::Postgres { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
        }
        if let Some(sole) = &self.sole {
            sole.close().await;
        }
    }
}

impl Writing {
    /// Makes everything true at once, then tells the news. What GitHub has to be told of it is noted in the outbox by
    /// the same transaction, so that no command can forget to. Last of all come the entries of the activity log.
    pub async fn commit(mut self) -> Result<()> {
        self.mark_changed().await?;
        self.append_activity().await?;
        match self.reading.transaction {
            Open::Sqlite(transaction) => transaction.commit().await?,
            Open::Postgres(transaction) => transaction.commit().await?,
        }
        for change in self.news {
            // Nobody listens: nobody needs to know.
            let _ = self.changes.send(change);
        }
        Ok(())
    }

    fn tell(&mut self, change: Change) {
        if !self.news.contains(&change) {
            self.news.push(change);
        }
    }
}

fn parse_version(version: &str) -> (u32, u32, u32) {
    let mut numbers = version.split('.').map(|part| part.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    (next(), next(), next())
}
