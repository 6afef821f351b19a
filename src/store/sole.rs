//! Sole use: one Headway at a time works on a PostgreSQL database, as one at a time works in a data folder. Two of them
//! would take each other's runs for those of a process that is gone.
//!
//! It is a lock of the database's own, held by the session of one connection, so it goes with the process however that ends.

use super::{Result, StoreError};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection as _};
use std::time::Duration;
use tokio::sync::Mutex;

/// What is locked: "headway", as a number.
const KEY: i64 = i64::from_be_bytes(*b"headway\0");

/// How often it is looked at whether the lock is still held.
const LOOK: Duration = Duration::from_secs(5);

/// How often the lock may be somebody else's before it counts as lost. For a minute after a connection broke, the database
/// may take the old session for alive.
const LOOKS: u32 = 24;

/// The lock on a database.
#[derive(Debug)]
pub struct Sole {
    options: PgConnectOptions,
    session: Mutex<Option<PgConnection>>,
}

impl Sole {
    /// Takes the lock; [`StoreError::Used`] when another Headway has it.
    pub async fn take(options: &PgConnectOptions) -> Result<Self> {
        let session = hold(options).await?;
        Ok(Self { options: options.clone(), session: Mutex::new(Some(session)) })
    }

    /// Resolves when another Headway has taken the database; a lock that only broke with its connection is taken again.
    pub async fn lost(&self) {
        self.lost_within(LOOK, LOOKS).await;
    }

    pub(super) async fn lost_within(&self, look: Duration, looks: u32) {
        let mut taken = 0;
        while taken < looks {
            tokio::time::sleep(look).await;
            let mut session = self.session.lock().await;
            if let Some(held) = session.as_mut()
                && held.ping().await.is_ok()
            {
                continue;
            }
            *session = None;
            match hold(&self.options).await {
                Ok(held) => {
                    *session = Some(held);
                    taken = 0;
                }
                Err(StoreError::Used) => taken += 1,
                // The database is away, and so it is for everybody else.
                Err(error) => tracing::warn!(%error, "cannot reach the database to keep it for this process"),
            }
        }
    }

    /// Gives the lock back.
    pub async fn close(&self) {
        if let Some(session) = self.session.lock().await.take()
            && let Err(error) = session.close().await
        {
            tracing::debug!(%error, "the lock on the database goes with its connection");
        }
    }
}

async fn hold(options: &PgConnectOptions) -> Result<PgConnection> {
    let mut session = PgConnection::connect_with(options).await?;
    // A machine that is gone says nothing: the database asks whether it is there.
    for setting in ["tcp_keepalives_idle = 30", "tcp_keepalives_interval = 10", "tcp_keepalives_count = 3"] {
        sqlx::raw_sql(AssertSqlSafe(format!("set {setting}"))).execute(&mut session).await?;
    }
    let (free,): (bool,) = sqlx::query_as("select pg_try_advisory_lock($1)").bind(KEY).fetch_one(&mut session).await?;
    if free { Ok(session) } else { Err(StoreError::Used) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::store::Store;
    use crate::store::tests::fresh_database;
    use std::str::FromStr as _;

    #[tokio::test]
    async fn a_database_is_one_headways_until_it_ends() {
        let Some(address) = fresh_database().await else { return };
        let first = Store::open_postgres(&address).await.unwrap();
        assert!(matches!(Store::open_postgres(&address).await, Err(StoreError::Used)));
        // Whoever only reads is in nobody's way.
        Store::open_postgres_to_read(&address).await.unwrap().close().await;
        first.close().await;
        Store::open_postgres(&address).await.unwrap().close().await;
    }

    #[tokio::test]
    async fn a_lock_that_broke_is_taken_again_unless_somebody_else_was_faster() {
        let Some(address) = fresh_database().await else { return };
        let options = PgConnectOptions::from_str(&address).unwrap();
        let sole = Sole::take(&options).await.unwrap();
        let look = Duration::from_millis(10);
        let mut other = PgConnection::connect_with(&options).await.unwrap();
        let end = "select pg_terminate_backend(pid) from pg_locks
                   where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())";
        sqlx::raw_sql(end).execute(&mut other).await.unwrap();
        let again = tokio::time::timeout(look * 50, sole.lost_within(look, 3)).await;
        assert!(again.is_err(), "nobody else wanted it");
        assert!(matches!(Sole::take(&options).await, Err(StoreError::Used)));

        sqlx::raw_sql(end).execute(&mut other).await.unwrap();
        let second = loop {
            match Sole::take(&options).await {
                Ok(second) => break second,
                Err(_) => tokio::time::sleep(look).await,
            }
        };
        sole.lost_within(look, 3).await;
        second.close().await;
    }
}
