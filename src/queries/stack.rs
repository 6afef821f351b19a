//! A stack's two lists: its tracked runs, and its branches with their newest proposed runs.

use super::header;
use crate::app::view::{BranchRow, ProposedView, PullRow, RunRow, TrackedView};
use crate::commands::judge::{Ancestry, verdict};
use crate::commands::{Context, find_stack};
use crate::domain::permission::{Look, Permit, Viewer};
use crate::domain::problem::Problem;
use crate::domain::promotion::Verdict;
use crate::domain::pull_request::number_of_fork_branch;
use crate::domain::run::Run;
use crate::domain::run_state::RunKind;
use crate::domain::stack::Stack;
use crate::domain::{CommitHash, RunId, StackId};
use crate::git::history::History;
use crate::store::Reading;
use std::collections::BTreeSet;

/// How many runs a page shows.
const PAGE: usize = 50;

/// How many branches without a run a page shows.
const BRANCHES: usize = 50;

/// How many branches that are gone a page shows, and among how many of the newest proposed runs it looks for theirs.
const GONE: usize = 50;
const LATELY: i64 = 500;

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

/// What runs of a stack are judged by for somebody.
struct Judged<'a> {
    history: Option<&'a History>,
    stack: &'a Stack,
    viewer: &'a Viewer,
}

impl Judged<'_> {
    /// A run with the verdict on it.
    async fn row(&self, reading: &mut Reading, run: Run) -> Result<(RunRow, Verdict), Problem> {
        let ancestry = Ancestry::read(self.history, self.stack, &run);
        let verdict = verdict(reading, ancestry, self.stack, &run, self.viewer).await?;
        Ok((RunRow::from(&run), verdict))
    }
}

/// The run that a branch at `head` offers, where `newest` is the newest of its own: branches at one commit share a plan.
async fn offered(
    reading: &mut Reading,
    stack: &StackId,
    head: &CommitHash,
    newest: Option<Run>,
) -> Result<Option<Run>, Problem> {
    let shared = reading.newest_proposed_at(stack, head).await?;
    Ok(shared.filter(|run| number_of_fork_branch(&run.branch).is_none()).or(newest))
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
    let judged = Judged { history: history.as_ref(), stack: &stack, viewer };
    let mut pulls = Vec::new();
    let mut branches = Vec::new();
    let mut named = BTreeSet::new();
    for pull in open {
        named.insert(pull.branch());
        let newest = reading.newest_proposed_of(id, &pull.branch()).await?;
        let run = if pull.fork { newest } else { offered(&mut reading, id, &pull.head_commit, newest).await? };
        let run = match run {
            Some(run) => Some(judged.row(&mut reading, run).await?),
            None => None,
        };
        let waits = pull.fork && run.as_ref().is_none_or(|(run, _)| run.commit.hash != pull.head_commit);
        pulls.push(PullRow { pull, run, waits, may_be_allowed: stack.integration.fork_plans });
    }
    // Branches that are gone stay for a while: their last runs are what people look for after a merge.
    let mut gone = reading.latest_branches(id, LATELY).await?;
    gone.retain(|branch| !named.contains(branch) && !heads.contains_key(branch));
    gone.truncate(GONE);
    let living = heads.keys().filter(|branch| !named.contains(*branch));
    let shown: Vec<&str> = living.chain(&gone).map(String::as_str).collect();
    for run in reading.newest_proposed_of_each(id, &shown).await? {
        let branch = run.branch.clone();
        named.insert(branch.clone());
        let head = heads.get(&branch).cloned();
        let run = match &head {
            Some(head) => offered(&mut reading, id, head, Some(run)).await?,
            None => Some(run),
        };
        if let Some(run) = run {
            branches.push(BranchRow { branch, head, run: Some(judged.row(&mut reading, run).await?) });
        }
    }
    let without: Vec<_> =
        heads.iter().filter(|(branch, _)| !named.contains(*branch) && **branch != stack.tracked_branch).collect();
    let more = without.len().saturating_sub(BRANCHES);
    for (branch, head) in without.into_iter().take(BRANCHES) {
        let run = match offered(&mut reading, id, head, None).await? {
            Some(run) => Some(judged.row(&mut reading, run).await?),
            None => None,
        };
        branches.push(BranchRow { branch: branch.clone(), head: Some(head.clone()), run });
    }
    let newest = |row: &BranchRow| std::cmp::Reverse(row.run.as_ref().map(|(run, _)| run.id.clone()));
    branches.sort_by_key(newest);
    Ok(ProposedView { header, pulls, branches, more })
}
