//! Forget repository: what no stack uses any more goes, its credential and its mirror with it.

use super::{Context, fetch};
use crate::domain::difference::{Differences, Held};
use crate::domain::permission::Viewer;
use crate::domain::problem::Problem;
use crate::store::Repository;

/// What the activity log calls it.
const ACTION: &str = "forget repository";

/// For how long a repository is kept without a stack, in milliseconds: a day, for whoever is about to make one.
const UNUSED: i64 = 24 * 3_600_000;

/// Forgets every repository that nobody needs; how many.
pub(super) async fn forget_repositories(context: &Context) -> Result<u64, Problem> {
    let before = context.now().plus(-UNUSED);
    let unused = context.store.read().await?.unused_repositories(before).await?;
    let mut count = 0;
    for repository in unused {
        let held = fetch::hold(context, &repository.id).await;
        // First what lies outside the database: a Headway that is ended in between finds the rest the next time. A stack
        // that is made at this very moment has the mirror made anew by the next fetch.
        if let Err(error) = context.mirror(&repository.id).remove().await {
            tracing::warn!(repository.id = %repository.id, %error, "cannot remove a mirror");
            continue;
        }
        let mut writing = context.store.write().await?;
        if writing.remove_repository(&repository.id, before).await? {
            let detail = (repository.address.clone(), everything(&repository).gone());
            context.record(&mut writing, &Viewer::system(), ACTION, None, None, detail).await?;
            writing.commit().await?;
            count += 1;
        }
        drop(held);
    }
    Ok(count)
}

/// What there is of a repository.
fn everything(repository: &Repository) -> Differences {
    let address = Differences::default().and("Repository", "", repository.address.as_str());
    match repository.credential {
        Some(_) => address.and_held("Credential", None, Some(Held::Secret)),
        None => address,
    }
}
