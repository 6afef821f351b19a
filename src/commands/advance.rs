//! Advance: one step in the life of a run, with everything that belongs to it. All commands and the workers come
//! through here, so a promotion that ends before its apply is always put back, and a state lock never outlives the run.

use super::Context;
use super::track::moved;
use crate::domain::permission::Viewer;
use crate::domain::problem::Problem;
use crate::domain::run::{Previous, Run};
use crate::domain::run_state::RunState;
use crate::domain::{CommitHash, Timestamp};
use crate::store::{Reading, Writing};

/// Moves a run one step on and returns it as it is then.
///
/// A promoted run that ends before its apply began puts the current commit back where it was, if nothing else has
/// moved it since (product.md, The promotion rule).
pub async fn advance(
    writing: &mut Writing,
    run: &Run,
    to: RunState,
    actor: &str,
    note: Option<&str>,
    now: Timestamp,
) -> Result<Run, Problem> {
    if run.promoted_from.is_some() && to.is_terminal() {
        // First the stack, then the run, as every command takes them: the other way round two of them could wait for
        // each other for ever.
        writing.take_stack(&run.stack).await?;
    }
    let run = writing.step(run, to, actor, note, now).await?;
    if !run.state.is_working() {
        writing.unlock_state_of(&run.id).await?;
    }
    if run.promoted_from.is_some() && run.ended_before_apply() {
        put_back(writing, &run).await?;
    }
    Ok(run)
}

/// The same for a step that Headway takes by itself. The activity log tells of those that begin to change something or end
/// the run; a person's steps are told of by the command that they gave.
pub async fn advance_itself(
    context: &Context,
    writing: &mut Writing,
    run: &Run,
    to: RunState,
    note: Option<&str>,
) -> Result<Run, Problem> {
    let headway = Viewer::system();
    if run.promoted_from.is_some() && to.is_terminal() {
        // As in `advance`: nobody moves it between the two looks.
        writing.take_stack(&run.stack).await?;
    }
    let before = current_commit(writing, run).await?;
    let advanced = advance(writing, run, to, &headway.name, note, context.now()).await?;
    let action = match to {
        RunState::Applying => "apply",
        RunState::Finished | RunState::Failed | RunState::Discarded | RunState::Canceled | RunState::Stopped => "end",
        RunState::Queued
        | RunState::Ready
        | RunState::Preparing
        | RunState::Initializing
        | RunState::Planning
        | RunState::Unconfirmed
        | RunState::Confirmed => return Ok(advanced),
    };
    let after = current_commit(writing, run).await?;
    let differences = moved(before.as_ref(), after.as_ref()).and("State", run.state.name(), to.name());
    let why = note.map(|note| format!(": {note}")).unwrap_or_default();
    let sentence = format!("{} {}{why}", run.commit.hash.short(), to.name());
    context.record(writing, &headway, action, Some(&run.stack), Some(&run.id), (sentence, differences)).await?;
    Ok(advanced)
}

async fn current_commit(reading: &mut Reading, run: &Run) -> Result<Option<CommitHash>, Problem> {
    Ok(reading.stack(&run.stack).await?.and_then(|stack| stack.current_commit))
}

async fn put_back(writing: &mut Writing, run: &Run) -> Result<(), Problem> {
    let Some(stack) = writing.take_stack(&run.stack).await? else { return Ok(()) };
    if stack.current_run.as_ref() != Some(&run.id) {
        return Ok(());
    }
    let Previous { commit, run: setter } = still_true(writing, run).await?;
    writing.set_current(&stack.id, commit.as_ref(), setter.as_ref()).await?;
    Ok(())
}

/// Where the stack stood before `run`, skipping promotions that were themselves taken back meanwhile.
async fn still_true(reading: &mut Reading, run: &Run) -> Result<Previous, Problem> {
    let mut previous = run.previous.clone();
    while let Some(setter) = &previous.run {
        match reading.run(&run.stack, setter).await? {
            Some(setter) if setter.promoted_from.is_some() && setter.ended_before_apply() => {
                previous = setter.previous;
            }
            Some(_) | None => break,
        }
    }
    Ok(previous)
}
