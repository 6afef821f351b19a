//! Lock and unlock: one person keeps a stack for themselves. While they do, nobody else triggers, promotes or accepts
//! anything on it, and nothing is applied by itself. Pushes are planned all the same.

use super::{Context, take_stack};
use crate::domain::difference::Differences;
use crate::domain::permission::{Action, ForceUnlock, Lock as LockAction, Permit, Unlock};
use crate::domain::problem::{Problem, Refusal};
use crate::domain::stack::Lock;

/// The longest note on a lock, in characters.
pub const NOTE_LIMIT: usize = 200;

/// Takes the lock; locking what one holds already changes the note.
pub async fn lock(context: &Context, permit: &Permit<LockAction>, note: &str) -> Result<(), Problem> {
    let result = take(context, permit, note.trim()).await;
    context.noted(permit, None, result).await
}

async fn take(context: &Context, permit: &Permit<LockAction>, note: &str) -> Result<(), Problem> {
    if note.chars().count() > NOTE_LIMIT {
        return Err(Problem::field("note", format!("The note is longer than {NOTE_LIMIT} characters.")));
    }
    let mut writing = context.store.write().await?;
    let stack = take_stack(&mut writing, permit.stack()).await?;
    let holder = &permit.viewer().name;
    super::unlocked_for(&stack, holder)?;
    let lock = Lock {
        holder: holder.clone(),
        note: (!note.is_empty()).then(|| note.to_owned()),
        at: stack.lock.as_ref().map_or_else(|| context.now(), |lock| lock.at),
    };
    let differences = differences(stack.lock.as_ref(), Some(&lock));
    writing.set_lock(&stack.id, Some(&lock)).await?;
    context.record(&mut writing, permit.viewer(), LockAction::NAME, Some(&stack.id), None, (note, differences)).await?;
    Ok(writing.commit().await?)
}

/// Gives one's own lock back; somebody else's takes the right to force it.
pub async fn unlock(context: &Context, permit: &Permit<Unlock>) -> Result<(), Problem> {
    let result = give_back(context, permit).await;
    context.noted(permit, None, result).await
}

async fn give_back(context: &Context, permit: &Permit<Unlock>) -> Result<(), Problem> {
    let mut writing = context.store.write().await?;
    let stack = take_stack(&mut writing, permit.stack()).await?;
    let actor = &permit.viewer().name;
    let action = match &stack.lock {
        None => return Err(Problem::refused(Refusal::NotLocked)),
        Some(lock) if lock.holder == *actor => Unlock::NAME,
        Some(_) if permit.also::<ForceUnlock>().is_ok() => ForceUnlock::NAME,
        Some(_) => {
            super::unlocked_for(&stack, actor)?;
            Unlock::NAME
        }
    };
    writing.set_lock(&stack.id, None).await?;
    let held_by = stack.lock.as_ref().map(|lock| format!("was held by {}", lock.holder)).unwrap_or_default();
    let detail = (held_by, differences(stack.lock.as_ref(), None));
    context.record(&mut writing, permit.viewer(), action, Some(&stack.id), None, detail).await?;
    Ok(writing.commit().await?)
}

fn differences(before: Option<&Lock>, after: Option<&Lock>) -> Differences {
    let holder = |lock: Option<&Lock>| lock.map(|lock| lock.holder.clone()).unwrap_or_default();
    let note = |lock: Option<&Lock>| lock.and_then(|lock| lock.note.clone()).unwrap_or_default();
    Differences::default().and("Lock", holder(before), holder(after)).and("Note", note(before), note(after))
}
