//! Delete stack: removes a stack with its runs, logs, environment and state. What it deployed stays deployed.

use super::{Context, take_stack, unlocked_for};
use crate::domain::permission::{Action, DeleteStack, Permit};
use crate::domain::problem::{Problem, Refusal};

/// Deletes the stack, when its name was typed as it is.
pub async fn delete_stack(context: &Context, permit: &Permit<DeleteStack>, typed: &str) -> Result<(), Problem> {
    let result = attempt(context, permit, typed).await;
    context.noted(permit, None, result).await
}

async fn attempt(context: &Context, permit: &Permit<DeleteStack>, typed: &str) -> Result<(), Problem> {
    let mut writing = context.store.write().await?;
    let stack = take_stack(&mut writing, permit.stack()).await?;
    if typed.trim() != stack.name {
        return Err(Problem::field("name", format!("Type the stack's name, {:?}, to delete it.", stack.name)));
    }
    unlocked_for(&stack, &permit.viewer().name)?;
    if stack.behavior.protect_from_deletion {
        return Err(Problem::refused(Refusal::Protected));
    }
    let count = writing.open_runs(&stack.id).await?;
    if count > 0 {
        return Err(Problem::refused(Refusal::RunsOpen { count }));
    }
    writing.delete_stack(&stack.id).await?;
    context.record(&mut writing, permit.viewer(), DeleteStack::NAME, Some(&stack.id), None, stack.name).await?;
    Ok(writing.commit().await?)
}
