//! The activity log, newest first.

use crate::app::view::{ActivityRow, ActivityView};
use crate::commands::Context;
use crate::domain::StackId;
use crate::domain::problem::Problem;
use crate::store::{Filter, Outcome};

/// How many entries a page shows.
const PAGE: usize = 100;

/// The entries of one stack or of all, from the newest or from the one before `before`.
pub async fn activity(
    context: &Context,
    stack: Option<StackId>,
    before: Option<String>,
) -> Result<ActivityView, Problem> {
    let mut reading = context.store.read().await?;
    // One more than is shown tells whether there are older ones.
    let limit = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let mut found = reading.activity(&Filter { stack, before }, limit).await?;
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let older = found.last().filter(|_| more).map(|entry| entry.id.clone());
    let stacks = reading.stacks().await?.into_iter().map(|stack| (stack.id, stack.name)).collect();
    let entries = found
        .into_iter()
        .map(|entry| ActivityRow {
            id: entry.id,
            at: entry.at,
            actor: entry.actor,
            action: entry.action,
            stack: entry.stack_id,
            run: entry.run_id,
            refused: match entry.outcome {
                Outcome::Done => false,
                Outcome::Refused => true,
            },
            detail: entry.detail,
        })
        .collect();
    Ok(ActivityView { now: context.now(), entries, older, stacks })
}
