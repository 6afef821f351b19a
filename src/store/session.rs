//! Sessions: who is signed in where. Of what the browser holds, only the SHA-256 is kept.

use super::{Reading, Result, Writing, on};
use crate::domain::Timestamp;
use crate::domain::person::PersonId;

/// A session as stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Session {
    /// The SHA-256 of what the browser holds, in hex.
    pub token_hash: String,
    /// What it is called on pages; opens nothing.
    pub id: String,
    /// Whose it is.
    pub person_id: PersonId,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
    /// The address it was last used from.
    pub came_from: String,
    /// What the browser called itself.
    pub browser: String,
}

impl Reading {
    /// The session with this hash.
    pub async fn session(&mut self, token_hash: &str) -> Result<Option<Session>> {
        Ok(on!(self, connection => sqlx::query_as("select * from session where token_hash = $1")
            .bind(token_hash).fetch_optional(connection).await)?)
    }

    /// The sessions of a person, the one used last first.
    pub async fn sessions(&mut self, person: &PersonId) -> Result<Vec<Session>> {
        Ok(on!(self, connection => sqlx::query_as(
            "select * from session where person_id = $1 order by seen_at desc, id"
        ).bind(person).fetch_all(connection).await)?)
    }
}

impl Writing {
    /// Begins a session. A person has at most `most`; the ones used longest ago give way.
    pub async fn add_session(&mut self, session: &Session, most: usize) -> Result<()> {
        on!(self, connection => sqlx::query(
            "insert into session (token_hash, id, person_id, created_at, seen_at, came_from, browser)
             values ($1, $2, $3, $4, $5, $6, $7)"
        ).bind(&session.token_hash).bind(&session.id).bind(&session.person_id).bind(session.created_at)
            .bind(session.seen_at).bind(&session.came_from).bind(&session.browser)
            .execute(connection).await.map(|_| ()))?;
        for old in self.sessions(&session.person_id).await?.into_iter().skip(most) {
            self.end_session(&old.person_id, &old.id).await?;
        }
        Ok(())
    }

    /// Notes that a session was used.
    pub async fn touch_session(&mut self, token_hash: &str, now: Timestamp, came_from: &str) -> Result<()> {
        on!(self, connection => sqlx::query("update session set seen_at = $2, came_from = $3 where token_hash = $1")
            .bind(token_hash).bind(now).bind(came_from).execute(connection).await.map(|_| ()))?;
        Ok(())
    }

    /// Ends a session of this person; whether there was one.
    pub async fn end_session(&mut self, person: &PersonId, id: &str) -> Result<bool> {
        let ended = on!(self, connection => sqlx::query("delete from session where person_id = $1 and id = $2")
            .bind(person).bind(id).execute(connection).await.map(|done| done.rows_affected()))?;
        Ok(ended == 1)
    }

    /// Ends every session of a person except the one called `kept`; how many there were.
    pub async fn end_sessions(&mut self, person: &PersonId, kept: &str) -> Result<u64> {
        Ok(on!(self, connection => sqlx::query("delete from session where person_id = $1 and id <> $2")
            .bind(person).bind(kept).execute(connection).await.map(|done| done.rows_affected()))?)
    }

    /// Removes sessions that began before one moment or were last used before another; how many.
    pub async fn remove_old_sessions(&mut self, begun: Timestamp, used: Timestamp) -> Result<u64> {
        Ok(on!(self, connection => sqlx::query("delete from session where created_at < $1 or seen_at < $2")
            .bind(begun).bind(used).execute(connection).await.map(|done| done.rows_affected()))?)
    }
}
