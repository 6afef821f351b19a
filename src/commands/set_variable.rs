//! Set variable: the environment that a stack's Terraform gets, one variable at a time. What somebody else set meanwhile
//! is neither laid over nor removed.
//!
//! A secret is sealed before it is stored and never shown again; leaving its value empty keeps the one that is there.

use super::{Context, take_stack};
use crate::config::limits::EARLIER_SECRETS;
use crate::domain::difference::{Differences, Held};
use crate::domain::permission::{Action, Configure, Permit};
use crate::domain::problem::Problem;
use crate::domain::sealed::Place;
use crate::domain::variable::name_problem;
use crate::domain::{StackId, Timestamp};
use crate::mask::SHORTEST_SECRET;
use crate::store::{Variable, Writing};

/// The longest value, in bytes.
const VALUE_LIMIT: usize = 64 * 1024;

/// A variable as a person filled it in.
#[derive(Clone, Debug)]
pub struct NewVariable {
    /// Its name.
    pub name: String,
    /// Its value; empty keeps the value of a secret that exists.
    pub value: String,
    /// Whether it is never shown again.
    pub secret: bool,
    /// Whether `init` and `plan` see it.
    pub planning: bool,
    /// Whether `apply` sees it.
    pub applying: bool,
    /// When the variable that the person changes was last set; none for a new one.
    pub seen: Option<Timestamp>,
}

/// Sets a variable, new or not.
pub async fn set_variable(context: &Context, permit: &Permit<Configure>, new: NewVariable) -> Result<(), Problem> {
    let result = attempt(context, permit, new).await;
    context.noted(permit, None, result).await
}

async fn attempt(context: &Context, permit: &Permit<Configure>, new: NewVariable) -> Result<(), Problem> {
    let name = new.name.trim();
    if let Some(problem) = name_problem(name) {
        return Err(Problem::field("name", problem));
    }
    if new.value.len() > VALUE_LIMIT || new.value.contains('\0') {
        return Err(Problem::field("value", "A value has at most 64 KiB and no null bytes."));
    }
    if !new.planning && !new.applying {
        return Err(Problem::field("planning", "A variable is for planning, for applying, or for both."));
    }
    let mut writing = context.store.write().await?;
    let stack = take_stack(&mut writing, permit.stack()).await?;
    let known = writing.variables(&stack.id).await?.into_iter().find(|variable| variable.name == name);
    check_seen(name, new.seen, known.as_ref())?;
    let value = match &known {
        Some(known) if known.secret && new.secret && new.value.is_empty() => known.value.clone(),
        // Shown as plain text, a secret would no longer be one.
        Some(known) if known.secret && !new.secret && new.value.is_empty() => {
            return Err(Problem::field("value", "To make a secret plain, give its value anew."));
        }
        Some(_) | None if new.secret && new.value.len() < SHORTEST_SECRET => {
            return Err(Problem::field(
                "value",
                "A secret has at least 4 characters: a shorter one could not be masked without masking half of a log.",
            ));
        }
        Some(_) | None if new.secret => context.sealed(&Place::variable(&stack.id, name), &new.value)?,
        Some(_) | None => new.value,
    };
    let variable = Variable {
        name: name.to_owned(),
        value,
        secret: new.secret,
        planning: new.planning,
        applying: new.applying,
        // Always another time than before, by which the next change knows what it started from.
        updated_at: known.as_ref().map_or(context.now(), |known| context.now().max(Timestamp(known.updated_at.0 + 1))),
    };
    if let Some(known) = &known {
        keep_masked(context, &mut writing, &stack.id, known, Some(&variable)).await?;
    }
    writing.set_variable(&stack.id, &variable).await?;
    let kind = if new.secret { "secret" } else { "plain" };
    let detail = (format!("variable {name} set ({kind})"), differences(known.as_ref(), Some(&variable)));
    context.record(&mut writing, permit.viewer(), Configure::NAME, Some(&stack.id), None, detail).await?;
    Ok(writing.commit().await?)
}

/// Refuses what started from another variable than the one that is there.
fn check_seen(name: &str, seen: Option<Timestamp>, known: Option<&Variable>) -> Result<(), Problem> {
    let updated_at = known.map(|known| known.updated_at);
    if updated_at == seen {
        return Ok(());
    }
    if seen.is_none() {
        let message = format!("There is a variable {name} already: press Change beside it to give it another value.");
        return Err(Problem::field("name", message));
    }
    let now = known.map_or("removed".into(), |known| match held(known) {
        Held::Secret => "another secret".into(),
        Held::Text(text) => format!("now {text:?}"),
    });
    Err(Problem::Stale { changed: vec![format!("{name} ({now})")], version: updated_at.map_or(0, |at| at.0) })
}

/// Removes a variable that was last set when the person saw it, at `seen`; one that is gone already is no problem.
pub async fn remove_variable(
    context: &Context,
    permit: &Permit<Configure>,
    name: &str,
    seen: Timestamp,
) -> Result<(), Problem> {
    let result = attempt_removal(context, permit, name, seen).await;
    context.noted(permit, None, result).await
}

async fn attempt_removal(
    context: &Context,
    permit: &Permit<Configure>,
    name: &str,
    seen: Timestamp,
) -> Result<(), Problem> {
    let mut writing = context.store.write().await?;
    let stack = take_stack(&mut writing, permit.stack()).await?;
    let known = writing.variables(&stack.id).await?.into_iter().find(|variable| variable.name == name);
    if let Some(known) = &known {
        check_seen(name, Some(seen), Some(known))?;
        keep_masked(context, &mut writing, &stack.id, known, None).await?;
    }
    if writing.remove_variable(&stack.id, name).await? {
        let detail = (format!("variable {name} removed"), differences(known.as_ref(), None));
        context.record(&mut writing, permit.viewer(), Configure::NAME, Some(&stack.id), None, detail).await?;
    }
    Ok(writing.commit().await?)
}

/// Has runs go on masking what a secret held: the state may, and the next plan would print it.
async fn keep_masked(
    context: &Context,
    writing: &mut Writing,
    stack: &StackId,
    before: &Variable,
    after: Option<&Variable>,
) -> Result<(), Problem> {
    let kept = after.is_some_and(|after| after.secret && after.value == before.value);
    if !before.secret || kept {
        return Ok(());
    }
    // What does not open was never given to a run, and can be replaced all the same.
    let Ok(value) = context.vault.open_text(&Place::variable(stack, &before.name), &before.value) else {
        tracing::warn!(stack.id = %stack, variable = before.name, "cannot open what a variable held before");
        return Ok(());
    };
    let id = context.ids.next(context.now());
    let sealed = context.sealed(&Place::earlier_secret(stack, &id), &value)?;
    Ok(writing.add_earlier_secret(stack, &id, &sealed, EARLIER_SECRETS, context.now()).await?)
}

/// What the activity log keeps of a value; of a secret only that there is one.
pub(super) fn held(variable: &Variable) -> Held {
    if variable.secret { Held::Secret } else { Held::text(&variable.value) }
}

/// What a variable was before and is after.
fn differences(before: Option<&Variable>, after: Option<&Variable>) -> Differences {
    let phases = |variable: Option<&Variable>| match variable.map(|variable| (variable.planning, variable.applying)) {
        Some((true, true)) => "planning and applying",
        Some((true, false)) => "planning",
        Some((false, true)) => "applying",
        Some((false, false)) | None => "",
    };
    let name = before.or(after).map(|variable| variable.name.clone()).unwrap_or_default();
    let value = |variable: Option<&Variable>| variable.map(|variable| (variable.secret, variable.value.clone()));
    let differences = if value(before) == value(after) {
        Differences::default()
    } else {
        Differences::default().and_held(&name, before.map(held), after.map(held))
    };
    differences.and("For", phases(before), phases(after))
}
