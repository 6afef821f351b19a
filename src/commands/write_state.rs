//! Write state: stores the next version of a stack's state, for a run that applies. The same checks for whatever brings it:
//! Terraform while it works, or the file that it leaves when it could not.

use super::Context;
use crate::domain::run::Run;
use crate::domain::run_state::RunState;
use crate::domain::sealed::Place;
use crate::store::{StateVersion, StoreError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use serde::Deserialize;

/// For how long a write, or a lock, renews the lease of its run, in milliseconds.
pub const LEASE: i64 = 30_000;

/// Why a state is not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateRefusal {
    /// This run may not write.
    Forbidden(&'static str),
    /// It does not fit what is stored.
    Conflict(String),
    /// It is no state.
    Malformed(&'static str),
    /// The run was lost to somebody else in this very moment.
    Lost,
    /// Headway itself could not do it.
    Unavailable,
}

impl From<StoreError> for StateRefusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the state backend cannot use the store");
        Self::Unavailable
    }
}

/// A state, as far as Headway reads it.
#[derive(Deserialize)]
struct Document {
    serial: i64,
    lineage: String,
}

/// The checksum of a state, as HTTP has it.
pub fn checksum(document: &[u8]) -> String {
    STANDARD.encode(Md5::digest(document))
}

/// Stores a state and returns its version. `lock` is the lock that it was written under; without one, when the engine has
/// ended and its lock with it, it is enough that nobody else holds one.
pub async fn write_state(
    context: &Context,
    run: &Run,
    lock: Option<&str>,
    document: &[u8],
) -> Result<i64, StateRefusal> {
    let stack = &run.stack;
    if run.state != RunState::Applying {
        return Err(StateRefusal::Forbidden("Only a run that applies writes state."));
    }
    let md5 = checksum(document);
    let text = std::str::from_utf8(document).map_err(|_| StateRefusal::Malformed("A state is UTF-8 text."))?;
    let Document { serial, lineage } =
        serde_json::from_str(text).map_err(|_| StateRefusal::Malformed("This is no Terraform state."))?;
    let mut writing = context.store.write().await?;
    let held = writing.state_lock(stack).await?;
    let free = match (&held, lock) {
        (Some(held), Some(lock)) => held.run_id == run.id && held.lock_id == lock,
        (None, Some(_)) => false,
        (held, None) => held.as_ref().is_none_or(|held| held.run_id == run.id),
    };
    if !free {
        return Err(StateRefusal::Conflict("This run does not hold the lock on the state.".into()));
    }
    let last = writing.state(stack).await?;
    if let Some(last) = &last {
        if last.lineage != lineage {
            return Err(StateRefusal::Conflict(
                "This state has another lineage: it is not about the same resources.".into(),
            ));
        }
        if serial < last.serial || (serial == last.serial && last.md5 != md5) {
            return Err(StateRefusal::Conflict(format!(
                "The stored state has serial {}; this one, with {serial}, is older.",
                last.serial
            )));
        }
        if serial == last.serial {
            return Ok(last.version);
        }
    }
    let version = last.map_or(1, |last| last.version + 1);
    let sealed = context.vault.seal(&Place::state(stack, version), text).map_err(|error| {
        tracing::error!(stack.id = %stack, %error, "cannot seal a state");
        StateRefusal::Unavailable
    })?;
    let (run_id, created_at) = (run.id.clone(), context.now());
    let state = StateVersion { version, serial, lineage, md5, document: sealed, run_id, created_at };
    writing.add_state(stack, &state).await?;
    // Whoever lost the run in this very moment writes nothing.
    match writing.renew(&run.id, run.fence, context.now().plus(LEASE)).await {
        Err(StoreError::Changed) => return Err(StateRefusal::Lost),
        renewed => renewed?,
    }
    writing.commit().await?;
    Ok(version)
}
