//! A stack's two lists: its tracked runs, and its branches with their newest proposed runs.

use super::header;
use crate::app::view::{BranchRow, ProposedView, PullRow, RunRow, TrackedView};
use crate::commands::judge::{Ancestry, verdict};
use crate::commands::{Context, find_stack};
use crate::domain::RunId;
use crate::domain::permission::{Look, Permit};
use crate::domain::problem::Problem;
use crate::domain::run_state::RunKind;
use std::collections::BTreeSet;

/// How many runs a page shows.
const PAGE: usize = 50;

/// How many branches without a run a page shows.
const BRANCHES: usize = 50;

/// The tracked runs of a stack, from the newest or from the one before `before`.
pub async fn tracked(context: &Context, permit: &Permit<Look>, before: Option<&RunId>) -> Result<TrackedView, Problem> {
    let id = permit.stack();
    let mut reading = context.store.read().await?;
    let stack = find_stack(&mut reading, id).await?;
    let history = context.history(&stack.repository);
    let header = header(context, &mut reading, history.as_ref(), &stack, permit.viewer()).await?;
    // One more than is shown tells whether there are older ones.
    let limit = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let mut runs = reading.runs_of_stack(id, RunKind::Tracked, before, limit).await?;
    let more = runs.len() > PAGE;
    runs.truncate(PAGE);
    let older = runs.last().filter(|_| more).map(|run| run.id.clone());
    let mut groups: Vec<Vec<RunRow>> = Vec::new();
    for run in &runs {
        let row = RunRow::from(run);
        match groups.last_mut() {
            Some(group) if group.first().is_some_and(|first| first.commit.hash == row.commit.hash) => group.push(row),
            Some(_) | None => groups.push(vec![row]),
        }
    }
    Ok(TrackedView { header, groups, older })
}

/// The pull requests of a stack, then its other branches: those with a proposed run, newest first, then those without.
pub async fn proposed(context: &Context, permit: &Permit<Look>) -> Result<ProposedView, Problem> {
    let (viewer, id) = (permit.viewer(), permit.stack());
    let mut reading = context.store.read().await?;
    let stack = find_stack(&mut reading, id).await?;
    let history = context.history(&stack.repository);
    let header = header(context, &mut reading, history.as_ref(), &stack, permit.viewer()).await?;
    let heads = reading.repository(&stack.repository).await?.map(|repository| repository.heads).unwrap_or_default();
    let github = reading.github_of(&stack.repository).await?;
    let open = match &github {
        Some(github) => reading.open_pull_requests(github.id).await?,
        None => Vec::new(),
    };
    let mut pulls = Vec::new();
    let mut branches = Vec::new();
    let mut named = BTreeSet::new();
    for pull in open {
        named.insert(pull.branch());
        let run = match reading.newest_proposed_of(id, &pull.branch()).await? {
            Some(run) => {
                let ancestry = Ancestry::read(history.as_ref(), &stack, &run);
                let verdict = verdict(&mut reading, ancestry, &stack, &run, viewer).await?;
                Some((RunRow::from(&run), verdict))
            }
            None => None,
        };
        let waits = pull.fork && run.as_ref().is_none_or(|(run, _)| run.commit.hash != pull.head_commit);
        pulls.push(PullRow { pull, run, waits, may_be_allowed: stack.integration.fork_plans });
    }
    // Branches that are gone stay for a while: their last runs are what people look for after a merge.
    let gone_after = PAGE;
    let mut gone = 0;
    for run in reading.newest_proposed(id).await? {
        if named.contains(&run.branch) {
            continue;
        }
        let head = heads.get(&run.branch).cloned();
        if head.is_none() {
            gone += 1;
        }
        if head.is_some() || gone <= gone_after {
            named.insert(run.branch.clone());
            let ancestry = Ancestry::read(history.as_ref(), &stack, &run);
            let verdict = verdict(&mut reading, ancestry, &stack, &run, viewer).await?;
            branches.push(BranchRow { branch: run.branch.clone(), head, run: Some((RunRow::from(&run), verdict)) });
        }
    }
    let without: Vec<_> =
        heads.iter().filter(|(branch, _)| !named.contains(*branch) && **branch != stack.tracked_branch).collect();
    let more = without.len().saturating_sub(BRANCHES);
    for (branch, head) in without.into_iter().take(BRANCHES) {
        branches.push(BranchRow { branch: branch.clone(), head: Some(head.clone()), run: None });
    }
    Ok(ProposedView { header, pulls, branches, more })
}
