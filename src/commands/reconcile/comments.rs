//! Comments: one on each open pull request of the repository, for all stacks that want it.

use super::standing::standing;
use super::{Trouble, digest, page};
use crate::commands::Context;
use crate::commands::github_place::Reached;
use crate::commands::judge::{Ancestry, verdict_for_all};
use crate::domain::check_run::{CommentRow, comment, may_deploy};
use crate::domain::pull_request::PullRequest;
use crate::domain::run::Run;
use crate::domain::stack::Stack;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Mutex;

/// For each repository on GitHub, a lock: its stacks have one comment together on each of its pull requests.
#[derive(Clone, Debug, Default)]
pub struct Commenting(Arc<Mutex<BTreeMap<i64, Arc<Mutex<()>>>>>);

impl Commenting {
    async fn of(&self, repository: i64) -> Arc<Mutex<()>> {
        self.0.lock().await.entry(repository).or_default().clone()
    }
}

/// Brings the comments up to date.
pub(super) async fn tell(context: &Context, stack: &Stack, reached: &Reached) -> Result<(), Trouble> {
    let lock = context.commenting.of(reached.repository.id).await;
    // Two that found none at the same time would make two.
    let _alone = lock.lock().await;
    let mut reading = context.store.read().await?;
    let stacks: Vec<Stack> = reading
        .stacks_of(&stack.repository)
        .await?
        .into_iter()
        .filter(|stack| stack.integration.pull_request_comment)
        .collect();
    if stacks.is_empty() {
        return Ok(());
    }
    let pulls = reading.open_pull_requests(reached.repository.id).await?;
    drop(reading);
    for pull in pulls.iter().filter(|pull| !pull.fork) {
        let text = text(context, &stacks, reached, pull).await?;
        let digest = digest(&text);
        let (known, sent) = context.store.read().await?.comment_of(pull.repository, pull.number).await?;
        if sent.as_deref() == Some(&digest) {
            continue;
        }
        let id = context.github.save_comment(reached.place(), pull.number, known, &text).await?;
        let mut writing = context.store.write().await?;
        writing.save_comment(pull.repository, pull.number, Some(id), &digest).await?;
        writing.commit().await?;
    }
    Ok(())
}

async fn text(context: &Context, stacks: &[Stack], reached: &Reached, pull: &PullRequest) -> Result<String, Trouble> {
    let mut found: Vec<(&Stack, Option<Run>, bool)> = Vec::new();
    for stack in stacks {
        let history = context.history(&stack.repository);
        let mut reading = context.store.read().await?;
        let run = reading.newest_proposed_at(&stack.id, &pull.head_commit).await?;
        let deployable = match &run {
            Some(run) => {
                let ancestry = Ancestry::read(history.as_ref(), stack, run);
                let verdict = verdict_for_all(&mut reading, ancestry, stack, run).await?;
                may_deploy(&verdict, &standing(&mut reading, &reached.repository, stack, run).await?)
            }
            None => false,
        };
        found.push((stack, run, deployable));
    }
    let rows: Vec<CommentRow<'_>> = found
        .iter()
        .map(|(stack, run, deployable)| CommentRow {
            stack: &stack.name,
            run: run.as_ref(),
            deployable: *deployable,
            page: page(context, &stack.id, run.as_ref().map(|run| &run.id)),
        })
        .collect();
    Ok(comment(pull.head_commit.short(), &rows))
}
