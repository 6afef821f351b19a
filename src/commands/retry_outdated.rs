//! Retry outdated: *Autoretry*. After an apply, the proposed runs that planned against what was deployed before are
//! planned again, so that what people review is what they would get.

use super::propose::start_proposed;
use super::{Context, take_stack};
use crate::domain::problem::{Problem, Refusal};
use crate::domain::pull_request::number_of_fork_branch;
use crate::domain::run_state::RunState;
use crate::domain::{CommitHash, StackId};
use std::collections::BTreeSet;

/// Plans again every commit that a branch is at, where its newest proposed run has finished.
pub async fn retry_outdated(context: &Context, stack: &StackId) -> Result<(), Problem> {
    let mut writing = context.store.write().await?;
    let stack = take_stack(&mut writing, stack).await?;
    if !stack.behavior.autoretry || stack.disabled {
        return Ok(());
    }
    let heads = writing.answered_heads(&stack.id).await?;
    let others = heads.iter().filter(|(branch, _)| **branch != stack.tracked_branch);
    let commits: BTreeSet<&CommitHash> = others.map(|(_, head)| head).collect();
    for run in writing.newest_proposed_at_each(&stack.id, commits).await? {
        let deployed = stack.current_commit.as_ref() == Some(&run.commit.hash);
        let of_branch = number_of_fork_branch(&run.branch).is_none();
        if run.state == RunState::Finished && of_branch && !deployed {
            let (branch, commit) = (run.branch, run.commit);
            match start_proposed(context, &mut writing, &stack, &branch, commit, "autoretry", Some(run.id)).await {
                Err(Problem::Refused(refusal)) if matches!(*refusal, Refusal::QueueFull { .. }) => break,
                started => started?,
            };
        }
    }
    writing.commit().await?;
    context.work.notify_one();
    Ok(())
}
