//! The state backend: what Terraform's built-in `http` backend asks of Headway when Headway manages a stack's state.
//!
//! The address names the run, and the credential is good for that run only, while a worker holds it. Any run may read
//! the state. Only a tracked run that applies, and that holds the lock, may write it; a write with another lineage, an
//! older serial or a wrong checksum is refused with 409.

use crate::commands::Context;
use crate::commands::write_state::{LEASE, StateRefusal, checksum, write_state};
use crate::domain::permission::Viewer;
use crate::domain::problem::Problem;
use crate::domain::run::Run;
use crate::domain::run_state::RunKind;
use crate::domain::sealed;
use crate::domain::{RunId, StackId};
use crate::secret::fingerprint;
use crate::store::{StateLock, StoreError};
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// Why a request for state is not done.
#[derive(Debug)]
pub enum Refused {
    /// The credential is missing, wrong, or not good any more.
    Credential,
    /// This run may not write.
    Forbidden(&'static str),
    /// It does not fit what is stored.
    Conflict(String),
    /// Somebody holds the lock; what Terraform said of them.
    Locked(String),
    /// What was sent is no state.
    Malformed(&'static str),
    /// Headway itself could not do it.
    Unavailable,
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the state backend cannot use the store");
        Self::Unavailable
    }
}

impl From<Problem> for Refused {
    fn from(_: Problem) -> Self {
        Self::Unavailable
    }
}

impl From<StateRefusal> for Refused {
    fn from(refusal: StateRefusal) -> Self {
        match refusal {
            StateRefusal::Forbidden(why) => Self::Forbidden(why),
            StateRefusal::Conflict(why) => Self::Conflict(why),
            StateRefusal::Malformed(why) => Self::Malformed(why),
            StateRefusal::Lost => Self::Credential,
            StateRefusal::Unavailable => Self::Unavailable,
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Credential => (
                StatusCode::UNAUTHORIZED,
                [(header::WWW_AUTHENTICATE, "Basic realm=\"Headway state\"")],
                "This credential is not good for this run's state.",
            )
                .into_response(),
            Self::Forbidden(why) => (StatusCode::FORBIDDEN, why).into_response(),
            Self::Conflict(why) => (StatusCode::CONFLICT, why).into_response(),
            Self::Locked(holder) => (StatusCode::LOCKED, holder).into_response(),
            Self::Malformed(why) => (StatusCode::BAD_REQUEST, why).into_response(),
            Self::Unavailable => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

/// A lock, as far as Headway reads it.
#[derive(Deserialize)]
struct LockDocument {
    #[serde(rename = "ID")]
    id: String,
}

/// What Terraform adds to the address of a write.
#[derive(Debug, Deserialize)]
pub struct WriteQuery {
    #[serde(rename = "ID", default)]
    lock: String,
}

/// From where the state is asked for: nobody reaches it from another machine.
const FROM: &str = "this machine";

type Place = Path<(StackId, RunId)>;

/// What the activity log calls a use of the state.
const ACTION: &str = "use state";

/// Passes on what a request for state led to. What nobody may do is written to the activity log: who tried is the run whose
/// credential was shown, or somebody unknown.
async fn noted<T>(
    context: &Context,
    run: Result<&Run, (&StackId, &RunId)>,
    result: Result<T, Refused>,
) -> Result<T, Refused> {
    let sentence: &str = match &result {
        Err(Refused::Credential) => "The credential is not good for this run's state.",
        Err(Refused::Forbidden(why)) => why,
        Err(Refused::Conflict(why)) => why,
        // Waiting for a lock is no offence, and what is no state is none either.
        Err(Refused::Locked(_) | Refused::Malformed(_) | Refused::Unavailable) | Ok(_) => return result,
    };
    let (viewer, stack, run) = match run {
        Ok(run) => (Viewer { name: format!("run/{}", run.id), ..Viewer::stranger(FROM) }, &run.stack, &run.id),
        Err((stack, run)) => (Viewer::stranger(FROM), stack, run),
    };
    // The address may name anything.
    let known = context.store.read().await?.run(stack, run).await?.map(|run| (run.stack, run.id)).unzip();
    context.note_attempt(&viewer, ACTION, known.0.as_ref(), known.1.as_ref(), sentence).await?;
    result
}

/// The run that a request speaks for.
async fn run_of(context: &Context, stack: &StackId, run: &RunId, headers: &HeaderMap) -> Result<Run, Refused> {
    let found = run_of_credential(context, stack, run, headers).await;
    noted(context, Err((stack, run)), found).await
}

async fn run_of_credential(
    context: &Context,
    stack: &StackId,
    run: &RunId,
    headers: &HeaderMap,
) -> Result<Run, Refused> {
    let credential = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Basic "))
        .and_then(|encoded| STANDARD.decode(encoded).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let token = credential.as_deref().and_then(|credential| credential.split_once(':')).map(|(_, token)| token);
    let token = token.filter(|token| !token.is_empty()).ok_or(Refused::Credential)?;
    // Compared as hashes, so that the time it takes says nothing about the credential.
    let mut reading = context.store.read().await?;
    let found = reading.run_of_state_token(stack, run, &fingerprint(token)).await?;
    found.filter(|run| run.state.is_working()).ok_or(Refused::Credential)
}

/// The newest state; 204 when there is none yet.
pub async fn read(
    State(context): State<Context>,
    Path((stack, run)): Place,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    run_of(&context, &stack, &run, &headers).await?;
    let Some(state) = context.store.read().await?.state(&stack).await? else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let document =
        context.vault.open_text(&sealed::Place::state(&stack, state.version), &state.document).map_err(|error| {
            tracing::error!(stack.id = %stack, %error, "cannot open a state");
            Refused::Unavailable
        })?;
    let kind = (header::CONTENT_TYPE.as_str(), "application/json".to_owned());
    Ok(([kind, ("content-md5", state.md5)], document).into_response())
}

/// Stores the next state.
pub async fn write(
    State(context): State<Context>,
    Path((stack, run)): Place,
    Query(query): Query<WriteQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Refused> {
    let run = run_of(&context, &stack, &run, &headers).await?;
    let written = store(&context, &run, &query.lock, &headers, &body).await;
    noted(&context, Ok(&run), written).await
}

async fn store(
    context: &Context,
    run: &Run,
    lock_id: &str,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<StatusCode, Refused> {
    let md5 = checksum(body);
    if headers.get("content-md5").is_some_and(|sent| sent.as_bytes() != md5.as_bytes()) {
        return Err(Refused::Conflict("The checksum does not fit what arrived.".into()));
    }
    write_state(context, run, Some(lock_id), body).await?;
    Ok(StatusCode::OK)
}

/// Takes the lock; 423 with its holder when somebody has it. Only a tracked run does: a proposed one reads, and would keep
/// the others from applying.
pub async fn lock(
    State(context): State<Context>,
    Path((stack, run)): Place,
    headers: HeaderMap,
    body: String,
) -> Result<StatusCode, Refused> {
    let run = run_of(&context, &stack, &run, &headers).await?;
    let locked = take_lock(&context, &run, body).await;
    noted(&context, Ok(&run), locked).await
}

async fn take_lock(context: &Context, run: &Run, body: String) -> Result<StatusCode, Refused> {
    match run.kind {
        RunKind::Tracked => {}
        RunKind::Proposed => return Err(Refused::Forbidden("A proposed run only reads state: it locks nothing.")),
    }
    let stack = &run.stack;
    let document: LockDocument =
        serde_json::from_str(&body).map_err(|_| Refused::Malformed("This is no Terraform lock."))?;
    let mut writing = context.store.write().await?;
    if let Some(held) = writing.state_lock(stack).await? {
        // Terraform tries again when an answer was lost.
        return if held.lock_id == document.id { Ok(StatusCode::OK) } else { Err(Refused::Locked(held.document)) };
    }
    let lock = StateLock {
        lock_id: document.id,
        document: body,
        run_id: run.id.clone(),
        fence: run.fence,
        created_at: context.now(),
    };
    match writing.lock_state(stack, &lock).await {
        Ok(()) => {}
        Err(StoreError::Changed) => return Err(Refused::Locked(String::new())),
        Err(error) => return Err(error.into()),
    }
    // Whoever lost the run in this very moment, or ended it, locks nothing: nobody would give that lock back.
    match writing.renew(&run.id, run.fence, context.now().plus(LEASE)).await {
        Err(StoreError::Changed) => return Err(Refused::Credential),
        renewed => renewed?,
    }
    writing.commit().await?;
    Ok(StatusCode::OK)
}

/// Gives the lock back; only its holder may.
pub async fn unlock(
    State(context): State<Context>,
    Path((stack, run)): Place,
    headers: HeaderMap,
    body: String,
) -> Result<StatusCode, Refused> {
    let run = run_of(&context, &stack, &run, &headers).await?;
    let mut writing = context.store.write().await?;
    let Some(held) = writing.state_lock(&stack).await? else { return Ok(StatusCode::OK) };
    let named = serde_json::from_str::<LockDocument>(&body).map(|lock| lock.id).ok();
    if held.run_id != run.id || named.is_some_and(|id| id != held.lock_id) {
        return Err(Refused::Locked(held.document));
    }
    writing.unlock_state(&stack).await?;
    writing.commit().await?;
    Ok(StatusCode::OK)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::commands::advance;
    use crate::commands::tests::World;
    use crate::commands::trigger::trigger;
    use crate::domain::run_state::RunState;
    use crate::store::Lease;

    #[tokio::test]
    async fn a_run_that_ended_since_it_was_asked_for_takes_no_lock() {
        let world = World::new().await;
        let context = &world.context;
        let run = trigger(context, &world.may("ada")).await.unwrap();
        let run = world.to(&run, RunState::Ready).await;
        let lease = Lease { owner: "a".into(), until: context.now().plus(LEASE), state_token: "t".into() };
        let mut writing = context.store.write().await.unwrap();
        let held = writing.claim(&run, &lease, context.now()).await.unwrap();
        writing.commit().await.unwrap();
        let lock = || "{\"ID\":\"mine\"}".to_owned();
        assert!(take_lock(context, &held, lock()).await.is_ok());
        let mut writing = context.store.write().await.unwrap();
        advance(&mut writing, &held, RunState::Failed, "a", None, context.now()).await.unwrap();
        writing.commit().await.unwrap();
        assert!(matches!(take_lock(context, &held, lock()).await, Err(Refused::Credential)));
        assert_eq!(context.store.read().await.unwrap().state_lock(&world.stack).await.unwrap(), None);
    }
}
