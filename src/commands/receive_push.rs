//! Receive push: what a stack does when branches of its repository are new, have moved or are gone.
//!
//! The tracked branch gets a tracked run, every other branch a proposed one, and only when files that belong to the
//! stack changed. Branches that are at the same commit share one plan of it, as they share its check on GitHub.
//!
//! A stack remembers the heads it has answered. Whoever tells it of heads, the poller or a person who pressed Sync, and
//! however often, each push is answered once. What comes while the queue is full is answered with what the branch has by
//! the time there is room, and a commit that cannot be kept is tried again; neither keeps another branch waiting.

use super::files::Files;
use super::propose::{Heads, is_awaited, leave, retire, start_proposed, supersede};
use super::track::{NewTracked, moved, start_tracked};
use super::{Context, find_stack, take_stack};
use crate::domain::permission::{Action, Propose, Trigger, Viewer};
use crate::domain::problem::{Problem, Refusal};
use crate::domain::pull_request::number_of_fork_branch;
use crate::domain::relation::Relation;
use crate::domain::run::Run;
use crate::domain::run_state::RunState;
use crate::domain::stack::Stack;
use crate::domain::{Commit, CommitHash, RepositoryId, RunId, StackId};
use crate::store::{Reading, Writing};

/// Who a run is started by when nobody pressed anything.
pub const PUSH: &str = "a Git push";

/// How a branch differs from what the stack has answered.
enum Push {
    /// It is gone.
    Deleted(String),
    /// It points elsewhere, and no file of the stack changed.
    Unrelated,
    /// It points elsewhere, and files of the stack changed.
    Moved(String, Commit),
    /// It points to a commit that cannot be kept for a run, for this reason.
    Unread(String, Problem),
}

impl Push {
    /// The branch whose head it moved.
    fn branch(&self) -> Option<&str> {
        match self {
            Self::Moved(branch, _) | Self::Unread(branch, _) => Some(branch),
            Self::Deleted(_) | Self::Unrelated => None,
        }
    }
}

/// Answers the heads that a fetch of a repository saw; the runs that were started. A stack that has moved to another
/// repository meanwhile has nothing to answer.
pub async fn receive_push(
    context: &Context,
    id: &StackId,
    repository: &RepositoryId,
    heads: &Heads,
) -> Result<Vec<RunId>, Problem> {
    // What changed is read outside the transaction; whoever loses this race looks again.
    for _ in 0..5 {
        let mut reading = context.store.read().await?;
        let stack = find_stack(&mut reading, id).await?;
        let answered = reading.answered_heads(id).await?;
        drop(reading);
        if answered == *heads || stack.repository != *repository {
            return Ok(Vec::new());
        }
        let pushes = pushes(context, &stack, &answered, heads).await;

        let mut writing = context.store.write().await?;
        let stack = take_stack(&mut writing, id).await?;
        if writing.answered_heads(id).await? != answered || stack.repository != *repository {
            continue;
        }
        let mut started = Vec::new();
        let mut now_answered = heads.clone();
        for push in pushes {
            let branch = push.branch().map(str::to_owned);
            match (answer(context, &mut writing, &stack, push, &answered, heads).await, branch) {
                (Err(Problem::Refused(refusal)), Some(branch)) if may_pass(&refusal) => {
                    let reason = refusal.reason();
                    tracing::warn!(stack.id = %stack.id, branch, reason, "a push waits for its answer");
                    match answered.get(&branch) {
                        Some(before) => now_answered.insert(branch, before.clone()),
                        None => now_answered.remove(&branch),
                    };
                }
                (answer, _) => started.extend(answer?),
            }
        }
        if now_answered == answered {
            return Ok(Vec::new());
        }
        writing.set_answered_heads(id, &now_answered).await?;
        writing.commit().await?;
        context.work.notify_one();
        return Ok(started);
    }
    Err(Problem::refused(Refusal::Overtaken))
}

async fn pushes(context: &Context, stack: &Stack, answered: &Heads, heads: &Heads) -> Vec<Push> {
    let mut pushes = Vec::new();
    for branch in answered.keys().filter(|branch| !heads.contains_key(*branch)) {
        pushes.push(Push::Deleted(branch.clone()));
    }
    let files = Files::of(stack);
    for (branch, head) in heads {
        if answered.get(branch) == Some(head) {
            continue;
        }
        let history = context.history(&stack.repository);
        let goes_on = |old: &CommitHash| {
            let relation = history.as_ref().map(|history| history.relation(Some(old), head));
            *branch == stack.tracked_branch || matches!(relation, Some(Relation::Ahead { .. }))
        };
        let from = match answered.get(branch) {
            Some(old) if goes_on(old) => Some(old.clone()),
            // A new branch, or one that was rewritten, brings what it has beyond the tracked one.
            Some(_) | None => history
                .as_ref()
                .zip(heads.get(&stack.tracked_branch))
                .and_then(|(history, tracked)| history.merge_base(tracked, head)),
        };
        pushes.push(if changed(context, stack, &files, from.as_ref(), head).await {
            match context.commit(stack, head).await {
                Ok(commit) => Push::Moved(branch.clone(), commit),
                // The other branches have their answers all the same.
                Err(problem) => Push::Unread(branch.clone(), problem),
            }
        } else {
            Push::Unrelated
        });
    }
    pushes
}

/// Whether what stands in the way of one branch's answer may be gone the next time, and leaves the others alone.
fn may_pass(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::QueueFull { .. } | Refusal::CommitGone { .. })
}

/// Whether files of the stack differ between two commits; when that cannot be told, they do.
pub(super) async fn files_changed(context: &Context, stack: &Stack, from: &CommitHash, to: &CommitHash) -> bool {
    changed(context, stack, &Files::of(stack), Some(from), to).await
}

async fn changed(context: &Context, stack: &Stack, files: &Files, from: Option<&CommitHash>, to: &CommitHash) -> bool {
    let Some(from) = from else { return true };
    match context.mirror(&stack.repository).changed_files(from, to).await {
        Ok(paths) => paths.iter().any(|path| files.contain(path)),
        Err(error) => {
            tracing::info!(stack.id = %stack.id, %error, "cannot compare two commits, so a run is started");
            true
        }
    }
}

/// Answers one push, which made `heads` of what was `answered` before.
async fn answer(
    context: &Context,
    writing: &mut Writing,
    stack: &Stack,
    push: Push,
    answered: &Heads,
    heads: &Heads,
) -> Result<Option<RunId>, Problem> {
    match push {
        Push::Unrelated => Ok(None),
        Push::Unread(_, problem) => Err(problem),
        Push::Deleted(branch) => {
            let unawaited = |run: &Run| !is_awaited(stack, heads, &branch, &run.commit.hash);
            let note = format!("The branch {branch} was deleted.");
            retire(context, writing, stack, &branch, &note, unawaited).await?;
            if let Some(left) = answered.get(&branch) {
                leave(context, writing, stack, heads, &branch, left, &note).await?;
            }
            Ok(None)
        }
        Push::Moved(..) if stack.disabled => Ok(None),
        // A promoted commit that was then merged as it is: the stack is there already.
        Push::Moved(branch, commit)
            if branch == stack.tracked_branch && stack.current_commit.as_ref() == Some(&commit.hash) =>
        {
            Ok(None)
        }
        Push::Moved(branch, commit) if branch == stack.tracked_branch => {
            let triggered_by = PUSH.to_owned();
            let new = NewTracked { branch, commit, triggered_by, promoted_from: None, retry_of: None };
            let run = start_tracked(context, writing, stack, new).await?;
            let detail = (run.commit.hash.short(), moved(stack.current_commit.as_ref(), Some(&run.commit.hash)));
            context.record(writing, &pusher(), Trigger::NAME, Some(&stack.id), Some(&run.id), detail).await?;
            Ok(Some(run.id))
        }
        Push::Moved(branch, commit) => {
            let hash = commit.hash.clone();
            let mut detail = format!("{} on {branch}", hash.short());
            let (run, started) = match shared(writing, stack, &branch, &hash, answered, heads).await? {
                Some(run) => {
                    supersede(context, writing, stack, &branch, &hash).await?;
                    detail.push_str(": planned already");
                    (run.id, None)
                }
                None => {
                    let run = start_proposed(context, writing, stack, &branch, commit, PUSH, None).await?;
                    (run.id.clone(), Some(run.id))
                }
            };
            if let Some(left) = answered.get(&branch) {
                let note = format!("Superseded by {} on {branch}.", hash.short());
                leave(context, writing, stack, heads, &branch, left, &note).await?;
            }
            context.record(writing, &pusher(), Propose::NAME, Some(&stack.id), Some(&run), detail).await?;
            Ok(started)
        }
    }
}

/// The run of a commit that another branch is at as well, or was at until now, unless it came to nothing.
async fn shared(
    reading: &mut Reading,
    stack: &Stack,
    branch: &str,
    commit: &CommitHash,
    answered: &Heads,
    heads: &Heads,
) -> Result<Option<Run>, Problem> {
    let newest = reading.newest_proposed_at(&stack.id, commit).await?;
    Ok(newest.filter(|run| {
        let own_code = run.branch != stack.tracked_branch && number_of_fork_branch(&run.branch).is_none();
        // A branch that was renamed was there under its old name.
        let until_now = !run.state.is_terminal() && is_awaited(stack, answered, branch, commit);
        let serves = run.stop_requested_by.is_none() && may_serve(run.state);
        own_code && serves && (until_now || is_awaited(stack, heads, branch, commit))
    }))
}

/// Whether a plan in this state is, or may become, one to look at.
fn may_serve(state: RunState) -> bool {
    match state {
        RunState::Queued
        | RunState::Ready
        | RunState::Preparing
        | RunState::Initializing
        | RunState::Planning
        | RunState::Finished => true,
        RunState::Unconfirmed
        | RunState::Confirmed
        | RunState::Applying
        | RunState::Failed
        | RunState::Discarded
        | RunState::Canceled
        | RunState::Stopped => false,
    }
}

/// Headway itself, which answers a push.
fn pusher() -> Viewer {
    Viewer { from: PUSH.into(), ..Viewer::system() }
}
