//! Delete stack: removes a stack with its runs, logs, environment and state. What it deployed stays deployed.

use super::save_settings::differences;
use super::set_variable::held;
use super::{Context, take_stack, unlocked_for};
use crate::domain::difference::Differences;
use crate::domain::permission::{Action, DeleteStack, Permit};
use crate::domain::problem::{Problem, Refusal};
use crate::domain::stack::Stack;
use crate::store::{Settings, Variable};

/// Deletes the stack, when its name was typed as it is.
pub async fn delete_stack(context: &Context, permit: &Permit<DeleteStack>, typed: &str) -> Result<(), Problem> {
    let result = attempt(context, permit, typed).await;
    context.noted(permit, None, result).await
}

async fn attempt(context: &Context, permit: &Permit<DeleteStack>, typed: &str) -> Result<(), Problem> {
    let mut writing = context.store.write().await?;
    let stack = take_stack(&mut writing, permit.stack()).await?;
    if typed.trim() != stack.name {
        return Err(Problem::field("name", format!("To delete it, type the stack's name: {}", stack.name)));
    }
    unlocked_for(&stack, &permit.viewer().name)?;
    if stack.behavior.protect_from_deletion {
        return Err(Problem::refused(Refusal::Protected));
    }
    let count = writing.open_runs(&stack.id).await?;
    if count > 0 {
        return Err(Problem::refused(Refusal::RunsOpen { count }));
    }
    let variables = writing.variables(&stack.id).await?;
    writing.delete_stack(&stack.id).await?;
    let gone = everything(&stack, &variables).gone();
    let detail = (stack.name, gone);
    context.record(&mut writing, permit.viewer(), DeleteStack::NAME, Some(&stack.id), None, detail).await?;
    Ok(writing.commit().await?)
}

/// What there is of a stack, but for its runs and its state.
fn everything(stack: &Stack, variables: &[Variable]) -> Differences {
    let commit = stack.current_commit.as_ref().map(ToString::to_string).unwrap_or_default();
    let settings = differences(None, &Settings::from(stack))
        .and("Repository", "", stack.address.as_str())
        .and_switch("Managed state", false, stack.manage_state)
        .and("Current commit", "", commit);
    variables.iter().fold(settings, |all, variable| all.and_held(&variable.name, None, Some(held(variable))))
}
