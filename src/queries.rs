//! What each page shows, read from the store and the mirrors. Nothing here changes anything.

mod activity;
pub mod audit;
mod github;
mod people;
mod run;
mod settings;
mod stack;
mod stacks;

pub use activity::{activity, export};
pub use github::{deliveries, github, repositories};
pub use people::{account, people, person, stack_access, ways_to_sign_in};
pub use run::{changes, log, removed, run};
pub use settings::{repository, settings};
pub use stack::{proposed, tracked};
pub use stacks::{Filter, stacks};

use crate::app::view::{Header, RunRow};
use crate::commands::Context;
use crate::domain::permission::{Role, Viewer};
use crate::domain::problem::Problem;
use crate::domain::stack::Stack;
use crate::domain::{Commit, CommitHash};
use crate::git::history::History;
use crate::runner::engine;
use crate::store::Reading;

/// What stands above every page of a stack.
async fn header(
    context: &Context,
    reading: &mut Reading,
    history: Option<&History>,
    stack: &Stack,
    viewer: &Viewer,
) -> Result<Header, Problem> {
    let repository = reading.repository(&stack.repository).await?.ok_or(Problem::UNAVAILABLE)?;
    let head = repository.heads.get(&stack.tracked_branch).zip(history).and_then(|(head, history)| {
        let relation = history.relation(stack.current_commit.as_ref(), head);
        history.commit(head).map(|commit| (commit, relation))
    });
    let blocker = reading.blocker(&stack.id).await?;
    let state = match &blocker {
        Some(blocker) => Some(blocker.state),
        None => reading.newest_tracked(&stack.id).await?.map(|run| run.state),
    };
    Ok(Header {
        now: context.now(),
        viewer: viewer.name.clone(),
        role: viewer.role_on(&stack.id).unwrap_or(Role::Reader),
        id: stack.id.clone(),
        name: stack.name.clone(),
        description: stack.description.clone(),
        address: stack.address.clone(),
        tracked_branch: stack.tracked_branch.clone(),
        project_root: stack.project_root.clone(),
        vendor: stack.vendor,
        manage_state: stack.manage_state,
        autodeploy: stack.behavior.autodeploy,
        current: current(history, stack.current_commit.as_ref()),
        head,
        state,
        blocker: blocker.as_ref().map(RunRow::from),
        lock: stack.lock.clone(),
        disabled: stack.disabled,
        problem: repository.problem.map(|problem| (problem, repository.next_fetch_at)),
        fetched_at: repository.fetched_at,
        engine_problem: engine::missing(stack.vendor, &stack.engine_binary).map(|error| error.to_string()),
        sandbox_warning: context.config.sandbox.confinement.warning(),
    })
}

/// The current commit, by its name alone when the mirror does not have it.
fn current(history: Option<&History>, hash: Option<&CommitHash>) -> Option<Commit> {
    let hash = hash?;
    history.and_then(|history| history.commit(hash)).or_else(|| {
        Some(Commit {
            hash: hash.clone(),
            subject: "(this commit is gone from the repository)".into(),
            author: String::new(),
            committed_at: crate::domain::Timestamp(0),
        })
    })
}
