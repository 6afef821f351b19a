//! Retry outdated: *Autoretry*. After an apply, the proposed runs that planned against what was deployed before are
//! planned again, so that what people review is what they would get.

use super::propose::{Heads, start_proposed};
use super::{Context, find_stack, take_stack};
use crate::domain::problem::{Problem, Refusal};
use crate::domain::pull_request::number_of_fork_branch;
use crate::domain::run::Run;
use crate::domain::run_state::RunState;
use crate::domain::stack::Stack;
use crate::domain::{CommitHash, StackId};
use std::collections::BTreeSet;

/// Plans again every commit that a branch is at, where its newest proposed run has finished.
pub async fn retry_outdated(context: &Context, stack: &StackId) -> Result<(), Problem> {
    // There may be many branches: they are gone through outside the transaction, and what is found is looked at again in it.
    let mut reading = context.store.read().await?;
    let heads = reading.answered_heads(stack).await?;
    let stack = find_stack(&mut reading, stack).await?;
    if !retries(&stack) {
        return Ok(());
    }
    let others = heads.iter().filter(|(branch, _)| **branch != stack.tracked_branch);
    let commits: BTreeSet<&CommitHash> = others.map(|(_, head)| head).collect();
    let found = reading.newest_proposed_at_each(&stack.id, commits).await?;
    drop(reading);
    let mut writing = context.store.write().await?;
    let stack = take_stack(&mut writing, &stack.id).await?;
    if !retries(&stack) {
        return Ok(());
    }
    let heads = writing.answered_heads(&stack.id).await?;
    for run in found.into_iter().filter(|run| is_outdated(&stack, run)) {
        let newest = writing.newest_proposed_at(&stack.id, &run.commit.hash).await?;
        let Some(branch) = branch_at(&stack, &heads, &run).filter(|_| newest.as_ref() == Some(&run)) else { continue };
        match start_proposed(context, &mut writing, &stack, &branch, run.commit, "autoretry", Some(run.id)).await {
            Err(Problem::Refused(refusal)) if matches!(*refusal, Refusal::QueueFull { .. }) => break,
            started => started?,
        };
    }
    writing.commit().await?;
    context.work.notify_one();
    Ok(())
}

fn retries(stack: &Stack) -> bool {
    stack.behavior.autoretry && !stack.disabled
}

fn is_outdated(stack: &Stack, run: &Run) -> bool {
    let deployed = stack.current_commit.as_ref() == Some(&run.commit.hash);
    run.state == RunState::Finished && !deployed && number_of_fork_branch(&run.branch).is_none()
}

/// A branch that is at the run's commit: the run's own, if it still is.
fn branch_at(stack: &Stack, heads: &Heads, run: &Run) -> Option<String> {
    let commit = &run.commit.hash;
    if heads.get(&run.branch) == Some(commit) {
        return Some(run.branch.clone());
    }
    let mut at = heads.iter().filter(|(branch, head)| **branch != stack.tracked_branch && *head == commit);
    at.next().map(|(branch, _)| branch.clone())
}
