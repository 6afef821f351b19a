//! Authenticate: who a browser's session or a script's token speaks for. What they may do is read anew each time, so that
//! a role that was taken away is gone with the next click.

use super::Context;
use crate::domain::Timestamp;
use crate::domain::permission::Viewer;
use crate::domain::person::PersonId;
use crate::domain::problem::Problem;
use crate::secret::fingerprint;
use crate::store::{Reading, Session, Writing};

/// What an access token begins with, so that people and scanners know one when they see it.
pub const TOKEN_PREFIX: &str = "headway_";

/// How exact the last use of a session or token is, in milliseconds: one write a minute is enough, where sessions last for
/// longer than a few.
const EXACTNESS: i64 = 60_000;

/// Where somebody asks from.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// The address.
    pub from: String,
    /// What the browser calls itself.
    pub browser: String,
    /// Whose session the browser holds, and what it is called: another takes its place when it signs in again.
    pub session: Option<(PersonId, String)>,
}

/// Who asks, and from where.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// Who, if anybody.
    pub viewer: Option<Viewer>,
    /// What their session is called, when they are here with a browser.
    pub session: Option<String>,
    /// From where.
    pub place: Place,
}

/// The person whose session this is, and what it is called, unless it has ended.
pub async fn by_session(context: &Context, secret: &str, from: &str) -> Result<Option<(Viewer, String)>, Problem> {
    let now = context.now();
    let mut reading = context.store.read().await?;
    let Some(session) = reading.session(&fingerprint(secret)).await? else { return Ok(None) };
    if has_ended(context, &session, now) {
        return Ok(None);
    }
    let Some(viewer) = viewer_of(&mut reading, &session.person_id, from).await? else { return Ok(None) };
    drop(reading);
    if now.since(session.seen_at) >= EXACTNESS.min(milliseconds(context.config.session_idle) / 4) {
        let hash = session.token_hash.clone();
        note(context, async |writing| writing.touch_session(&hash, now, from).await).await?;
    }
    Ok(Some((viewer, session.id)))
}

/// Whether a session is over: too long ago begun, or too long not used.
fn has_ended(context: &Context, session: &Session, now: Timestamp) -> bool {
    now.since(session.created_at) >= milliseconds(context.config.session_limit)
        || now.since(session.seen_at) >= milliseconds(context.config.session_idle)
}

/// What the token may do of what its person may.
pub async fn by_token(context: &Context, secret: &str, from: &str) -> Result<Option<Viewer>, Problem> {
    let now = context.now();
    if !secret.starts_with(TOKEN_PREFIX) {
        return Ok(None);
    }
    let mut reading = context.store.read().await?;
    let token = reading.access_token(&fingerprint(secret)).await?;
    let Some(token) = token.filter(|token| token.expires_at > now) else { return Ok(None) };
    let Some(owner) = viewer_of(&mut reading, &token.person_id, from).await? else { return Ok(None) };
    drop(reading);
    if token.used_at.is_none_or(|used| now.since(used) >= EXACTNESS) {
        note(context, async |writing| writing.touch_access_token(&token.id, now).await).await?;
    }
    let limited = owner.limited(token.role, token.stack_id.as_ref());
    Ok(Some(Viewer { name: format!("token/{}", token.name), person: None, ..limited }))
}

/// What a person may do at this moment; none for somebody who was shut out.
async fn viewer_of(reading: &mut Reading, person: &PersonId, from: &str) -> Result<Option<Viewer>, Problem> {
    let Some(person) = reading.person(person).await?.filter(|person| !person.disabled) else { return Ok(None) };
    let grants = reading.grants_of(&person.id).await?;
    Ok(Some(reading.member(&person).await?.viewer(&grants, from.to_owned())))
}

impl Context {
    /// What a person may do at this moment; none for somebody who was shut out.
    pub async fn viewer(&self, person: &PersonId, from: &str) -> Result<Option<Viewer>, Problem> {
        viewer_of(&mut self.store.read().await?, person, from).await
    }
}

async fn note(
    context: &Context,
    write: impl AsyncFnOnce(&mut Writing) -> crate::store::Result<()>,
) -> Result<(), Problem> {
    let mut writing = context.store.write().await?;
    write(&mut writing).await?;
    Ok(writing.commit().await?)
}

/// A setting's span, as timestamps count.
pub fn milliseconds(span: std::time::Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
