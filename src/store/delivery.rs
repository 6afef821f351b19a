//! The ledger of deliveries: what GitHub sent, each kept before it is answered, and what it led to.

use super::{Change, Reading, Result, Writing, on};
use crate::domain::{RunId, StackId, Timestamp};
use serde::{Deserialize, Serialize};

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It is still to be worked on, or is to be tried again.
    Waiting,
    /// It was worked on.
    Done,
    /// It is about nothing that concerns Headway.
    Ignored,
    /// It says what another delivery has said.
    Repeated,
    /// It could not be worked on.
    Failed,
}

impl DeliveryState {
    /// The word for it on a page and in CSS.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Ignored => "ignored",
            Self::Repeated => "repeated",
            Self::Failed => "failed",
        }
    }
}

/// A delivery that has just come, its signature checked.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    /// GitHub's id of it; not signed.
    pub id: String,
    /// The event's name.
    pub event: String,
    /// What happened, within the event; may be empty.
    pub action: String,
    /// `owner/name` of the repository it is about; may be empty.
    pub repository: String,
    /// The SHA-256 of the body, in hexadecimal digits.
    pub digest: String,
    /// The body.
    pub body: String,
    /// Whether there is anything to work on.
    pub concerns: bool,
}

/// What is said of a delivery without anything to work on.
pub const UNCONCERNED: &str = "It is about nothing that concerns Headway.";

/// A delivery in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Delivery {
    /// GitHub's id of it.
    pub id: String,
    /// When it first came.
    pub received_at: Timestamp,
    /// The event's name.
    pub event: String,
    /// What happened, within the event.
    pub action: String,
    /// The repository it is about.
    pub repository: String,
    /// The body; empty when it was kept long enough.
    pub body: String,
    /// How far it is.
    pub state: DeliveryState,
    /// What it led to, or why it led to nothing, as a sentence.
    pub outcome: String,
    /// The stack it led to.
    pub stack_id: Option<StackId>,
    /// The run it led to.
    pub run_id: Option<RunId>,
    /// How often it was worked on.
    pub attempts: i64,
    /// When it was done with.
    pub ended_at: Option<Timestamp>,
    /// How often it came again.
    pub repeats: i64,
    /// Since when it waits, or last waited, to be worked on.
    pub waiting_since: Timestamp,
}

/// What became of a delivery that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// It is new, or had failed before: it waits to be worked on.
    New,
    /// It had come before, or says what another had said.
    Repeated,
}

pub(super) const DUE: &str =
    "select * from delivery where state = 'waiting' and due_at <= $1 order by received_at, id limit $2";

pub(super) const LEDGER: &str =
    "select * from delivery where (received_at, id) < ($1, $2) order by received_at desc, id desc limit $3";

impl Reading {
    /// The deliveries to work on, oldest first.
    pub async fn deliveries_due(&mut self, now: Timestamp, limit: i64) -> Result<Vec<Delivery>> {
        Ok(on!(self, connection => sqlx::query_as(DUE).bind(now).bind(limit).fetch_all(connection).await)?)
    }

    /// The newest deliveries: at most `limit`, and only those behind the one that came `before` then and has that id, when
    /// it is given. Many come in the same millisecond.
    pub async fn deliveries(&mut self, before: Option<(Timestamp, &str)>, limit: i64) -> Result<Vec<Delivery>> {
        let (at, id) = before.unwrap_or((Timestamp(i64::MAX), ""));
        Ok(on!(self, connection => sqlx::query_as(LEDGER)
            .bind(at).bind(id).bind(limit).fetch_all(connection).await)?)
    }

    /// One delivery.
    pub async fn delivery(&mut self, id: &str) -> Result<Option<Delivery>> {
        Ok(on!(self, connection => sqlx::query_as("select * from delivery where id = $1")
            .bind(id).fetch_optional(connection).await)?)
    }
}

impl Writing {
    /// Keeps a delivery. One that says what another has said is kept as repeated; one that comes again is counted, and
    /// worked on again only if it had failed.
    pub async fn receive_delivery(&mut self, new: &NewDelivery, now: Timestamp) -> Result<Received> {
        if let Some(known) = self.delivery(&new.id).await? {
            on!(self, connection => sqlx::query("update delivery set repeats = repeats + 1 where id = $1")
                .bind(&new.id).execute(connection).await.map(|_| ()))?;
            return match known.state {
                DeliveryState::Failed => self.revive_delivery(&new.id, now).await,
                DeliveryState::Waiting | DeliveryState::Done | DeliveryState::Ignored | DeliveryState::Repeated => {
                    Ok(Received::Repeated)
                }
            };
        }
        let twin: Option<(String,)> = on!(self, connection => sqlx::query_as(
            "select id from delivery where event = $1 and digest = $2 and state in ('waiting', 'done', 'ignored')"
        ).bind(&new.event).bind(&new.digest).fetch_optional(connection).await)?;
        let (state, outcome, due) = match &twin {
            Some((twin,)) => (DeliveryState::Repeated, format!("It says what the delivery {twin} has said."), None),
            None if !new.concerns => (DeliveryState::Ignored, UNCONCERNED.to_owned(), None),
            None => (DeliveryState::Waiting, String::new(), Some(now)),
        };
        let ended = due.is_none().then_some(now);
        on!(self, connection => sqlx::query(
            "insert into delivery (id, received_at, event, action, repository, digest, body, state, outcome, due_at,
                 ended_at, waiting_since)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $2)"
        ).bind(&new.id).bind(now).bind(&new.event).bind(&new.action).bind(&new.repository).bind(&new.digest)
            .bind(&new.body).bind(state).bind(&outcome).bind(due).bind(ended)
            .execute(connection).await.map(|_| ()))?;
        self.tell(Change::Github);
        Ok(if twin.is_some() { Received::Repeated } else { Received::New })
    }

    /// Notes that GitHub has delivered something.
    pub async fn deliveries_came(&mut self, now: Timestamp) -> Result<()> {
        on!(self, connection => sqlx::query("update github_app set delivered_at = $1")
            .bind(now).execute(connection).await.map(|_| ()))?;
        Ok(())
    }

    /// Has a delivery worked on (again), unless another that says the same was worked on meanwhile.
    pub async fn revive_delivery(&mut self, id: &str, now: Timestamp) -> Result<Received> {
        let revived = on!(self, connection => sqlx::query(
            "update delivery set state = 'waiting', due_at = $2, waiting_since = $2, ended_at = null, outcome = '',
                 attempts = 0
             where id = $1 and body <> '' and not exists (
                 select 1 from delivery twin where twin.event = delivery.event and twin.digest = delivery.digest
                 and twin.id <> delivery.id and twin.state in ('waiting', 'done', 'ignored'))"
        ).bind(id).bind(now).execute(connection).await.map(|done| done.rows_affected()))?;
        self.tell(Change::Github);
        Ok(if revived == 1 { Received::New } else { Received::Repeated })
    }

    /// Notes how a delivery ended.
    pub async fn end_delivery(
        &mut self,
        id: &str,
        state: DeliveryState,
        outcome: &str,
        led_to: Option<(&StackId, Option<&RunId>)>,
        now: Timestamp,
    ) -> Result<()> {
        on!(self, connection => sqlx::query(
            "update delivery set state = $2, outcome = $3, stack_id = $4, run_id = $5, ended_at = $6, due_at = null,
                 attempts = attempts + 1
             where id = $1"
        ).bind(id).bind(state).bind(outcome).bind(led_to.map(|(stack, _)| stack)).bind(led_to.and_then(|(_, run)| run))
            .bind(now).execute(connection).await.map(|_| ()))?;
        self.tell(Change::Github);
        Ok(())
    }

    /// Keeps a delivery for another try.
    pub async fn retry_delivery(&mut self, id: &str, outcome: &str, due: Timestamp) -> Result<()> {
        on!(self, connection => sqlx::query(
            "update delivery set attempts = attempts + 1, outcome = $2, due_at = $3 where id = $1"
        ).bind(id).bind(outcome).bind(due).execute(connection).await.map(|_| ()))?;
        self.tell(Change::Github);
        Ok(())
    }
}
