//! Add repository: the first step of a new stack. Looks whether the repository can be reached, keeps its address and,
//! sealed, its credential, and has it fetched in the background.

use super::Context;
use super::propose::Heads;
use crate::domain::RepositoryId;
use crate::domain::difference::{Differences, Held};
use crate::domain::permission::{CreateStack, Permit};
use crate::domain::problem::Problem;
use crate::domain::sealed::Place;
use crate::git::address::Address;
use crate::git::mirror::probe;
use crate::store::{Repository, Writing};

/// What the activity log calls it.
const ACTION: &str = "add repository";

/// Adds the repository at this address, or finds the one that is there. A problem names the field `address`.
pub async fn add_repository(
    context: &Context,
    permit: &Permit<CreateStack>,
    address: &str,
) -> Result<RepositoryId, Problem> {
    let result = attempt(context, permit, address).await;
    if let Err(Problem::Invalid(fields)) = &result
        && let Some(field) = fields.first()
    {
        // Never the address itself: it may hold a credential.
        context.note_attempt(permit.viewer(), ACTION, None, None, &field.message).await?;
    }
    result
}

async fn attempt(context: &Context, permit: &Permit<CreateStack>, address: &str) -> Result<RepositoryId, Problem> {
    let address = Address::parse(address).map_err(|problem| Problem::field("address", problem.to_string()))?;
    let seen = look(context, address).await?;
    let mut writing = context.store.write().await?;
    let repository = keep(context, &mut writing, permit, &seen).await?;
    writing.commit().await?;
    context.poll.notify_one();
    Ok(repository.id)
}

/// A repository that can be reached.
pub(super) struct Seen {
    /// Where, and with which credential if one was typed.
    pub address: Address,
    /// Its branches.
    pub heads: Heads,
}

/// Looks whether the repository at this address can be reached and has a branch: with the credential that was typed, or the
/// one that Headway has for it.
pub(super) async fn look(context: &Context, address: Address) -> Result<Seen, Problem> {
    let known = context.store.read().await?.repository_at(&address.clean).await?;
    let kept = match &known {
        Some(repository) => super::fetch::credential(context, repository).await.ok().flatten(),
        None if address.credential.is_some() => None,
        None => super::github_place::credential(context, &address.clean)
            .await
            .map_err(|reason| Problem::field("address", reason))?,
    };
    let heads = probe(&context.outgoing, &address.clean, address.credential.as_deref().or(kept.as_deref()))
        .await
        .map_err(|error| Problem::field("address", error.to_string()))?;
    if heads.is_empty() {
        return Err(Problem::field("address", "The repository is empty. Push a branch to it first."));
    }
    Ok(Seen { address, heads })
}

/// Keeps a repository that was seen, with its credential sealed; what is new of it stands in the activity log. Whoever
/// commits wakes the poller.
pub(super) async fn keep(
    context: &Context,
    writing: &mut Writing,
    permit: &Permit<CreateStack>,
    seen: &Seen,
) -> Result<Repository, Problem> {
    let now = context.now();
    // Added a moment ago by somebody else, it keeps its id, and the credential belongs to that one.
    let known = writing.repository_at(&seen.address.clean).await?;
    let id = known.as_ref().map_or_else(|| RepositoryId::new(context.ids.next(now)), |known| known.id.clone());
    let seal = |credential| context.vault.seal(&Place::credential(&id), credential);
    let credential = seen.address.credential.as_deref().map(seal).transpose().map_err(|error| {
        tracing::error!(%error, "cannot seal a credential");
        Problem::UNAVAILABLE
    })?;
    let held = credential.as_ref().map(|_| Held::Secret);
    let repository = writing
        .add_repository(&Repository {
            id,
            address: seen.address.clean.clone(),
            credential,
            heads: seen.heads.clone(),
            fetched_at: None,
            next_fetch_at: now,
            failures: 0,
            problem: None,
            added_at: now,
        })
        .await?;
    if let Some(github) = super::github_place::repository_at(writing, &repository.address).await? {
        writing.link_repository(github.id, &repository.id, now).await?;
    }
    if known.is_none() || held.is_some() {
        let before = known.as_ref().map(|known| known.address.as_str()).unwrap_or_default();
        let had = known.as_ref().and_then(|known| known.credential.as_ref()).map(|_| Held::Secret);
        let differences = Differences::default().and("Repository", before, repository.address.as_str());
        let differences = differences.and_held("Credential", had.clone(), held.or(had));
        let detail = (repository.address.clone(), differences);
        context.record(writing, permit.viewer(), ACTION, None, None, detail).await?;
    }
    Ok(repository)
}
