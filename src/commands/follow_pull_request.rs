//! Follow pull request: takes over what GitHub says of a pull request. Runs come of Git, not of this; what ends with a
//! pull request is its waiting plans and its Deploy.

use super::Context;
use super::propose::{is_awaited, retire};
use crate::domain::problem::Problem;
use crate::domain::pull_request::{PullRequest, PullRequestState};
use crate::domain::run::Run;
use crate::domain::stack::Stack;

/// Takes it over, unless something newer is known; what it led to, as a sentence.
pub async fn follow_pull_request(context: &Context, pull: &PullRequest) -> Result<String, Problem> {
    let mut writing = context.store.write().await?;
    let Some(repository) = writing.github_repository(pull.repository).await? else {
        return Ok("The App does not know the repository.".into());
    };
    if !writing.save_pull_request(pull).await? {
        return Ok(format!("Something newer is known of pull request {}.", pull.number));
    }
    let Some(mirrored) = repository.repository_id else {
        writing.commit().await?;
        return Ok(format!("No stack uses {}.", repository.full_name));
    };
    let branch = pull.branch();
    let ended = match pull.state {
        PullRequestState::Open => None,
        PullRequestState::Closed => Some(format!("Pull request {} was closed.", pull.number)),
        PullRequestState::Merged => Some(format!("Pull request {} was merged.", pull.number)),
    };
    let open = writing.open_pull_requests(pull.repository).await?;
    let elsewhere = open.iter().any(|other| other.branch() == branch);
    // A commit that another pull request, or another branch, has as well is still waited for.
    let heads = writing.repository(&mirrored).await?.map(|repository| repository.heads).unwrap_or_default();
    let awaited = |stack: &Stack, run: &Run| {
        let offered = open.iter().any(|other| !other.fork && other.head_commit == run.commit.hash);
        !pull.fork && (offered || is_awaited(stack, &heads, &branch, &run.commit.hash))
    };
    for stack in writing.stacks_of(&mirrored).await? {
        // Taken, so that no push of the same branch comes in between.
        let Some(stack) = writing.take_stack(&stack.id).await? else { continue };
        match &ended {
            Some(note) if !elsewhere => {
                retire(context, &mut writing, &stack, &branch, note, |run| !awaited(&stack, run)).await?;
            }
            Some(_) => {}
            None if pull.fork => {
                let note = format!("Superseded by {} of pull request {}.", pull.head_commit.short(), pull.number);
                let older = |run: &Run| run.commit.hash != pull.head_commit;
                retire(context, &mut writing, &stack, &branch, &note, older).await?;
            }
            None => {}
        }
    }
    writing.commit().await?;
    context.work.notify_one();
    Ok(ended.unwrap_or_else(|| format!("Pull request {} is at {}.", pull.number, pull.head_commit.short())))
}
