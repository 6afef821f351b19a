//! Access tokens for scripts. Of a token only the SHA-256 is kept.

use super::{Reading, Result, Writing, on};
use crate::domain::permission::Role;
use crate::domain::person::PersonId;
use crate::domain::{StackId, Timestamp};

/// An access token as stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct AccessToken {
    /// What it is called on pages; opens nothing.
    pub id: String,
    /// Its name, nobody else's.
    pub name: String,
    /// The SHA-256 of the token, in hex.
    pub token_hash: String,
    /// Whose it is: it can do no more than they can.
    pub person_id: PersonId,
    /// The most it may do.
    pub role: Role,
    /// The only stack it is good for; none is any.
    pub stack_id: Option<StackId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was last used, to the minute.
    pub used_at: Option<Timestamp>,
}

impl Reading {
    /// The token with this hash.
    pub async fn access_token(&mut self, token_hash: &str) -> Result<Option<AccessToken>> {
        Ok(on!(self, connection => sqlx::query_as("select * from access_token where token_hash = $1")
            .bind(token_hash).fetch_optional(connection).await)?)
    }

    /// The tokens of a person or, without one, all of them; by name.
    pub async fn access_tokens(&mut self, person: Option<&PersonId>) -> Result<Vec<AccessToken>> {
        Ok(on!(self, connection => sqlx::query_as(
            "select * from access_token where $1 = '' or person_id = $1 order by lower(name), id"
        ).bind(person.map_or("", PersonId::as_str)).fetch_all(connection).await)?)
    }
}

impl Writing {
    /// Adds a token; a name that is taken is a duplicate.
    pub async fn add_access_token(&mut self, token: &AccessToken) -> Result<()> {
        on!(self, connection => sqlx::query(
            "insert into access_token (id, name, token_hash, person_id, role, stack_id, created_at, expires_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8)"
        ).bind(&token.id).bind(&token.name).bind(&token.token_hash).bind(&token.person_id).bind(token.role)
            .bind(&token.stack_id).bind(token.created_at).bind(token.expires_at)
            .execute(connection).await.map(|_| ()))?;
        Ok(())
    }

    /// Notes that a token was used.
    pub async fn touch_access_token(&mut self, id: &str, now: Timestamp) -> Result<()> {
        on!(self, connection => sqlx::query("update access_token set used_at = $2 where id = $1")
            .bind(id).bind(now).execute(connection).await.map(|_| ()))?;
        Ok(())
    }

    /// Removes a token; whether it was there.
    pub async fn remove_access_token(&mut self, id: &str) -> Result<bool> {
        let removed = on!(self, connection => sqlx::query("delete from access_token where id = $1")
            .bind(id).execute(connection).await.map(|done| done.rows_affected()))?;
        Ok(removed == 1)
    }

    /// Removes the tokens that ended before a moment; how many.
    pub async fn remove_old_access_tokens(&mut self, ended: Timestamp) -> Result<u64> {
        Ok(on!(self, connection => sqlx::query("delete from access_token where expires_at < $1")
            .bind(ended).execute(connection).await.map(|done| done.rows_affected()))?)
    }

    /// Removes every token of a person.
    pub async fn remove_access_tokens(&mut self, person: &PersonId) -> Result<()> {
        on!(self, connection => sqlx::query("delete from access_token where person_id = $1")
            .bind(person).execute(connection).await.map(|_| ()))?;
        Ok(())
    }
}
