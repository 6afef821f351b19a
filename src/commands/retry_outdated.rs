//! Retry outdated: *Autoretry*. After an apply, the proposed runs that planned against what was deployed before are
//! planned again, so that what people review is what they would get.

use super::propose::start_proposed;
use super::{Context, take_stack};
use crate::domain::StackId;
use crate::domain::problem::{Problem, Refusal};
use crate::domain::run_state::RunState;

/// Plans again the newest finished proposed run of every branch that still stands at its commit.
pub async fn retry_outdated(context: &Context, stack: &StackId) -> Result<(), Problem> {
    let mut writing = context.store.write().await?;
    let stack = take_stack(&mut writing, stack).await?;
    if !stack.behavior.autoretry || stack.disabled {
        return Ok(());
    }
    let heads = writing.answered_heads(&stack.id).await?;
    for run in writing.newest_proposed(&stack.id).await? {
        let stands = heads.get(&run.branch) == Some(&run.commit.hash);
        let deployed = stack.current_commit.as_ref() == Some(&run.commit.hash);
        if run.state == RunState::Finished && stands && !deployed {
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
