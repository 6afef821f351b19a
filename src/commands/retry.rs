//! Retry: runs the same commit once more.
//!
//! A proposed run may be retried by whoever sees it; a fork's takes what letting it be planned took: a writer, and a stack
//! that plans forks. A tracked one takes a writer, and a stack that still stands at its commit: retried later it would
//! quietly take newer commits out again.

use super::propose::start_proposed;
use super::track::{NewTracked, start_tracked};
use super::{Context, find_run, take_stack, unlocked_for};
use crate::domain::permission::{Action, AllowPlan, Permit, Retry, RetryTracked};
use crate::domain::problem::{Problem, Refusal};
use crate::domain::pull_request::number_of_fork_branch;
use crate::domain::run_state::RunKind;
use crate::domain::{RunId, check_run};

/// Starts a new run for the commit of one that has ended.
pub async fn retry(context: &Context, permit: &Permit<Retry>, run: &RunId) -> Result<RunId, Problem> {
    let result = attempt(context, permit, run).await;
    context.noted(permit, Some(run), result).await
}

async fn attempt(context: &Context, permit: &Permit<Retry>, id: &RunId) -> Result<RunId, Problem> {
    let mut writing = context.store.write().await?;
    let stack = take_stack(&mut writing, permit.stack()).await?;
    let run = find_run(&mut writing, permit.stack(), id).await?;
    if !run.state.is_terminal() {
        return Err(Problem::refused(Refusal::State { verb: Retry::NAME.into(), state: run.state }));
    }
    let actor = &permit.viewer().name;
    let commit = run.commit.clone();
    let again = match run.kind {
        RunKind::Proposed => {
            if number_of_fork_branch(&run.branch).is_some() {
                permit.also::<AllowPlan>()?;
                if !stack.integration.fork_plans {
                    return Err(check_run::Refusal::ForksNotPlanned.problem());
                }
            }
            start_proposed(context, &mut writing, &stack, &run.branch, commit, actor, Some(run.id.clone())).await?
        }
        RunKind::Tracked => {
            permit.also::<RetryTracked>()?;
            unlocked_for(&stack, actor)?;
            if stack.current_commit.as_ref() != Some(&commit.hash) {
                return Err(Problem::refused(Refusal::MovedOn { current: stack.current_commit }));
            }
            let new = NewTracked {
                branch: run.branch.clone(),
                commit,
                triggered_by: actor.clone(),
                promoted_from: None,
                retry_of: Some(run.id.clone()),
            };
            start_tracked(context, &mut writing, &stack, new).await?
        }
    };
    let detail = format!("as {}", again.id);
    context.record(&mut writing, permit.viewer(), Retry::NAME, Some(&stack.id), Some(id), detail).await?;
    writing.commit().await?;
    context.work.notify_one();
    Ok(again.id)
}
