//! Standing: how a proposed run's commit stands to its branch, and to the pull requests that have it.

use crate::domain::check_run::Standing;
use crate::domain::problem::Problem;
use crate::domain::pull_request::{PullRequest, PullRequestState, number_of_fork_branch};
use crate::domain::run::Run;
use crate::domain::stack::Stack;
use crate::store::{GithubRepository, Reading};

/// How the run's commit stands now.
pub async fn standing(
    reading: &mut Reading,
    github: &GithubRepository,
    stack: &Stack,
    run: &Run,
) -> Result<Standing, Problem> {
    let commit = &run.commit.hash;
    if let Some(newest) = reading.newest_proposed_at(&stack.id, commit).await?
        && newest.id > run.id
    {
        return Ok(Standing::Replaced(newest.id));
    }
    if let Some(number) = number_of_fork_branch(&run.branch) {
        let pull = reading.pull_request(github.id, number).await?;
        return Ok(pull.map_or(Standing::BranchDeleted, |pull| {
            if pull.state != PullRequestState::Open {
                ended(&pull)
            } else if pull.head_commit == *commit {
                Standing::Newest
            } else {
                Standing::Superseded(pull.head_commit)
            }
        }));
    }
    let heads = reading.repository(&stack.repository).await?.map(|repository| repository.heads).unwrap_or_default();
    let of_commit = reading.pull_requests_at(github.id, commit).await?;
    let at_commit = heads.values().any(|head| head == commit);
    let open = of_commit.iter().any(|pull| pull.state == PullRequestState::Open);
    // A branch at the commit that has no pull request there offers it; what the tracked branch has is deployed.
    let own = |branch: &str| of_commit.iter().find(|pull| pull.head_branch == branch);
    let offers = heads.iter().any(|(branch, head)| {
        let tracked = *branch == stack.tracked_branch && run.branch != stack.tracked_branch;
        head == commit && !tracked && own(branch).is_none()
    });
    match (heads.get(&run.branch), own(&run.branch).or(of_commit.first())) {
        // The same commit under another branch's name, or in another pull request, is still on offer.
        _ if at_commit && (open || offers) => Ok(Standing::Newest),
        (_, Some(pull)) if !open => Ok(ended(pull)),
        (Some(head), _) => Ok(Standing::Superseded(head.clone())),
        (None, _) => Ok(Standing::BranchDeleted),
    }
}

fn ended(pull: &PullRequest) -> Standing {
    Standing::Ended { number: pull.number, state: pull.state }
}
