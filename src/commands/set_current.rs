//! Set current commit: says on purpose where the stack stands, older or newer, without a run.
//!
//! Not a promotion: nothing is deployed by it, and the activity log keeps who did it (product.md, The promotion rule).

use super::track::moved;
use super::{Context, find_stack, take_again, unlocked_for};
use crate::domain::permission::{Action, Permit, SetCurrentCommit};
use crate::domain::problem::Problem;

/// Moves the current commit to the one that `name` begins.
pub async fn set_current(context: &Context, permit: &Permit<SetCurrentCommit>, name: &str) -> Result<(), Problem> {
    let result = attempt(context, permit, name.trim()).await;
    context.noted(permit, None, result).await
}

async fn attempt(context: &Context, permit: &Permit<SetCurrentCommit>, name: &str) -> Result<(), Problem> {
    if !(7..=40).contains(&name.len()) || !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Problem::field("commit", "A commit is named by 7 to 40 hexadecimal digits."));
    }
    let stack = find_stack(&mut context.store.read().await?, permit.stack()).await?;
    let found = context.history(&stack.repository).and_then(|history| history.find(name));
    let Some(hash) = found else {
        return Err(Problem::field(
            "commit",
            format!("The repository has no commit {name}, or more than one. Sync first."),
        ));
    };
    let commit = context.commit(&stack, &hash).await?;

    let mut writing = context.store.write().await?;
    let stack = take_again(&mut writing, &stack).await?;
    let actor = &permit.viewer().name;
    unlocked_for(&stack, actor)?;
    writing.set_current(&stack.id, Some(&commit.hash), None).await?;
    let before = stack.current_commit.as_ref().map_or("none", |commit| commit.short());
    let sentence = format!("from {before} to {}", commit.hash.short());
    let detail = (sentence, moved(stack.current_commit.as_ref(), Some(&commit.hash)));
    context.record(&mut writing, permit.viewer(), SetCurrentCommit::NAME, Some(&stack.id), None, detail).await?;
    Ok(writing.commit().await?)
}
