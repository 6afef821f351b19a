//! Invitations: links that are good once, for whoever is to choose a password. Only the SHA-256 of a link's secret part is
//! kept.

use super::{Reading, Result, Writing, on};
use crate::domain::Timestamp;
use crate::domain::person::PersonId;

/// An invitation as stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Invitation {
    /// The SHA-256 of what stands in the link, in hex.
    pub token_hash: String,
    /// Whom it is for; none for the first administrator.
    pub person_id: Option<PersonId>,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

impl Reading {
    /// The invitation with this hash.
    pub async fn invitation(&mut self, token_hash: &str) -> Result<Option<Invitation>> {
        Ok(on!(self, connection => sqlx::query_as("select * from invitation where token_hash = $1")
            .bind(token_hash).fetch_optional(connection).await)?)
    }

    /// Whom invitations that are still good are for.
    pub async fn invited(&mut self, now: Timestamp) -> Result<Vec<PersonId>> {
        let rows: Vec<(PersonId,)> = on!(self, connection => sqlx::query_as(
            "select person_id from invitation where person_id is not null and expires_at > $1"
        ).bind(now).fetch_all(connection).await)?;
        Ok(rows.into_iter().map(|(person,)| person).collect())
    }
}

impl Writing {
    /// Adds an invitation; earlier ones for the same person are good no more.
    pub async fn add_invitation(&mut self, invitation: &Invitation) -> Result<()> {
        self.remove_invitations(invitation.person_id.as_ref()).await?;
        on!(self, connection => sqlx::query(
            "insert into invitation (token_hash, person_id, expires_at) values ($1, $2, $3)"
        ).bind(&invitation.token_hash).bind(&invitation.person_id).bind(invitation.expires_at)
            .execute(connection).await.map(|_| ()))?;
        Ok(())
    }

    /// Removes the invitations that are good no more; how many.
    pub async fn remove_old_invitations(&mut self, now: Timestamp) -> Result<u64> {
        Ok(on!(self, connection => sqlx::query("delete from invitation where expires_at <= $1")
            .bind(now).execute(connection).await.map(|done| done.rows_affected()))?)
    }

    /// Removes the invitations of a person, or those of the first administrator.
    pub async fn remove_invitations(&mut self, person: Option<&PersonId>) -> Result<()> {
        on!(self, connection => sqlx::query("delete from invitation where coalesce(person_id, '') = $1")
            .bind(person.map_or("", PersonId::as_str)).execute(connection).await.map(|_| ()))?;
        Ok(())
    }
}
