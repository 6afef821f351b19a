//! Checks: which checks a stack has, what each is to say, and telling GitHub what differs.

use super::standing::standing;
use super::{Trouble, digest, page};
use crate::commands::Context;
use crate::commands::github_place::Reached;
use crate::commands::judge::{Ancestry, verdict_for_all};
use crate::domain::check_run::{self, CheckRun, Detail, Facts, Status, Subject, check_run, is_settled};
use crate::domain::pull_request::PullRequestState;
use crate::domain::run::Run;
use crate::domain::run_state::RunKind;
use crate::domain::stack::Stack;
use crate::domain::{CommitHash, RunId, Timestamp};
use crate::github::GitHubError;
use crate::github::checks::{Sent, body};
use crate::store::{CheckKind, GithubCheck, GithubRepository, KnownCheck, NewCheck, Reading};

/// How many of the newest tracked runs get a check when they have none.
const TRACKED: i64 = 20;

/// For how long a check run may be without an end, in milliseconds: 14 days (reference, REST Check runs).
const STALE: i64 = 14 * 24 * 3_600_000;

/// What a check is to show, and whether it then stays so.
pub(super) struct Wanted {
    pub check_run: CheckRun,
    pub settled: bool,
    pub page: String,
}

/// Brings every check of the stack up to date; while requests are scarce, those that are only further than they were wait.
pub(super) async fn tell(context: &Context, stack: &Stack, reached: &Reached, scarce: bool) -> Result<(), Trouble> {
    let checks = ensure(context, stack, reached).await?;
    // Those that stand in a repository which the stack has left are told their end there.
    for check in checks.into_iter().filter(|check| check.github_repository_id == reached.repository.id) {
        let wanted = wanted(context, stack, reached, &check).await?;
        send(context, reached, &check, &wanted, scarce).await?;
    }
    Ok(())
}

/// Adds the checks that the stack's branches, pull requests and tracked runs have to have; those that may change.
async fn ensure(context: &Context, stack: &Stack, reached: &Reached) -> Result<Vec<GithubCheck>, Trouble> {
    let github = &reached.repository;
    let mut reading = context.store.read().await?;
    let mut missing = Vec::new();
    for needed in needed(&mut reading, stack, github).await? {
        let known = reading.known_check(&stack.id, &needed.commit, needed.run.as_ref()).await?;
        if needed.is_missing(known.as_ref(), github.id) {
            missing.push(needed);
        }
    }
    drop(reading);
    let mut writing = context.store.write().await?;
    for Needed { kind, commit, run } in &missing {
        writing
            .ensure_check(&NewCheck {
                id: context.ids.next(context.now()),
                stack: &stack.id,
                stack_name: &stack.name,
                repository: github.id,
                commit,
                kind: *kind,
                run: run.as_ref(),
                at: context.now(),
            })
            .await?;
        if let (CheckKind::Tracked, Some(run)) = (kind, run) {
            writing.ensure_deployment(run, &stack.id, github.id).await?;
        }
    }
    let checks = writing.live_checks(&stack.id).await?;
    writing.commit().await?;
    Ok(checks)
}

/// A check that there has to be.
struct Needed {
    kind: CheckKind,
    commit: CommitHash,
    run: Option<RunId>,
}

impl Needed {
    fn of(kind: CheckKind, run: &Run) -> Self {
        Self { kind, commit: run.commit.hash.clone(), run: Some(run.id.clone()) }
    }

    /// Whether it is not there yet, was settled and may change again, is about something else by now, or stands in another
    /// repository, where it has been told its end.
    fn is_missing(&self, known: Option<&KnownCheck>, repository: i64) -> bool {
        match (known, self.kind) {
            (None, _) => true,
            (Some(known), CheckKind::Proposed) => !known.live,
            // What has ended and was told stays as it is.
            (Some(known), CheckKind::Tracked) => !known.live && !known.told,
            (Some(known), CheckKind::Untouched | CheckKind::Fork) if known.github_repository_id != repository => {
                !known.live
            }
            (Some(known), CheckKind::Untouched | CheckKind::Fork) => known.kind != self.kind,
        }
    }
}

async fn needed(reading: &mut Reading, stack: &Stack, github: &GithubRepository) -> Result<Vec<Needed>, Trouble> {
    let since = github.linked_at.unwrap_or(Timestamp(0));
    let mut needed = Vec::new();
    let heads = reading.repository(&stack.repository).await?.map(|repository| repository.heads).unwrap_or_default();
    let branches: Vec<&str> = heads.keys().map(String::as_str).collect();
    let mut offered = reading.newest_proposed_of_each(&stack.id, &branches).await?;
    offered.retain(|run| heads.get(&run.branch) == Some(&run.commit.hash) && run.created_at >= since);
    let mut open = reading.open_runs_of(&stack.id).await?;
    open.retain(|run| run.kind == RunKind::Proposed);
    needed.extend(offered.iter().chain(&open).map(|run| Needed::of(CheckKind::Proposed, run)));
    let answered = reading.answered_heads(&stack.id).await?;
    for pull in reading.open_pull_requests(github.id).await? {
        let without = |kind| Needed { kind, commit: pull.head_commit.clone(), run: None };
        match reading.newest_proposed_at(&stack.id, &pull.head_commit).await? {
            Some(run) => needed.push(Needed::of(CheckKind::Proposed, &run)),
            None if pull.fork => needed.push(without(CheckKind::Fork)),
            // Only when the push was answered is it certain that no run comes of it.
            None if answered.get(&pull.head_branch) == Some(&pull.head_commit) => {
                needed.push(without(CheckKind::Untouched));
            }
            None => {}
        }
    }
    for run in reading.runs_of_stack(&stack.id, RunKind::Tracked, None, TRACKED).await? {
        if run.created_at >= since {
            needed.push(Needed::of(CheckKind::Tracked, &run));
        }
    }
    Ok(needed)
}

/// What a check is to show.
async fn wanted(context: &Context, stack: &Stack, reached: &Reached, check: &GithubCheck) -> Result<Wanted, Trouble> {
    let github = &reached.repository;
    let history = context.history(&stack.repository);
    let mut reading = context.store.read().await?;
    let page = page(context, &stack.id, check.run_id.as_ref());
    let run = match &check.run_id {
        Some(run) => reading.run(&stack.id, run).await?,
        None => None,
    };
    let detail = if github.private || stack.integration.public_changes { Detail::Changes } else { Detail::Counts };
    let plan = match &run {
        Some(run) => reading.plan(&run.id).await?,
        None => None,
    };
    let made = |subject: Subject<'_>| {
        let settled = is_settled(&subject);
        let plan = plan.as_ref();
        let facts = Facts { stack: &stack.name, subject, plan, detail, page: &page, refusal: check.refusal.as_deref() };
        (check_run(&facts), settled)
    };
    let (check_run, settled) = match (check.kind, &run) {
        (CheckKind::Proposed, Some(run)) => {
            let ancestry = Ancestry::read(history.as_ref(), stack, run);
            let verdict = verdict_for_all(&mut reading, ancestry, stack, run).await?;
            let standing = standing(&mut reading, github, stack, run).await?;
            let promotions = reading.promotions_of(&run.id).await?;
            made(Subject::Proposed { run, verdict: &verdict, standing, promotions: &promotions })
        }
        (CheckKind::Tracked, Some(run)) => {
            let unmerged = history.as_ref().is_some_and(|history| {
                history.head(&stack.tracked_branch).is_some_and(|head| {
                    history.missing(&run.commit.hash, &head).is_none_or(|missing| missing.count > 0)
                })
            });
            made(Subject::Tracked { run, unmerged })
        }
        (CheckKind::Proposed | CheckKind::Tracked, None) => made(Subject::Gone),
        (CheckKind::Untouched, _) => made(Subject::Untouched),
        (CheckKind::Fork, _) => {
            let pulls = reading.open_pull_requests(github.id).await?;
            let newest = pulls
                .iter()
                .any(|pull| pull.fork && pull.state == PullRequestState::Open && pull.head_commit == check.commit_hash);
            // Once it is planned its run has a check of its own, and this one has nothing to offer.
            let planned = reading.newest_proposed_at(&stack.id, &check.commit_hash).await?.is_some();
            made(Subject::Fork { may_be_allowed: stack.integration.fork_plans, newest: newest && !planned })
        }
    };
    Ok(Wanted { check_run, settled, page })
}

/// Tells GitHub, if it differs from what it was told last.
pub(super) async fn send(
    context: &Context,
    reached: &Reached,
    check: &GithubCheck,
    wanted: &Wanted,
    scarce: bool,
) -> Result<(), Trouble> {
    let name = check_run::name(check.stack_id.as_str(), check.kind == CheckKind::Tracked);
    let sent = Sent {
        name: &name,
        commit: &check.commit_hash,
        external_id: &check.id,
        page: &wanted.page,
        check_run: &wanted.check_run,
    };
    let digest = digest(&body(&sent, false).to_string());
    let completed = check.completed || matches!(wanted.check_run.status, Status::Completed(_));
    let told = if check.sent == digest && check.check_run_id.is_some() {
        Ok(check.check_run_id)
    } else if scarce && check.check_run_id.is_some() && !completed {
        // How far it is can be said when there are requests again; how it ends is said in any case.
        return Ok(());
    } else {
        tell_one(context, reached, check, &sent).await
    };
    match told {
        Ok(Some(id)) => {
            let mut writing = context.store.write().await?;
            writing.check_sent(&check.id, id, &digest, completed, !wanted.settled, context.now()).await?;
            writing.commit().await?;
            Ok(())
        }
        // GitHub keeps checks for 400 days.
        Ok(None) => give_up(context, check, Some("GitHub no longer has this check run.")).await,
        Err(GitHubError::Refused(why)) => {
            tracing::warn!(check.id, why, "GitHub does not take a check run");
            give_up(context, check, Some(&why)).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn tell_one(
    context: &Context,
    reached: &Reached,
    check: &GithubCheck,
    sent: &Sent<'_>,
) -> Result<Option<i64>, GitHubError> {
    let github = &context.github;
    if let Some(id) = check.check_run_id.filter(|_| !is_stale(check, context.now())) {
        match github.update_check_run(reached.place(), id, sent, check.completed).await {
            Ok(()) => return Ok(Some(id)),
            Err(GitHubError::NotFound) => return Ok(None),
            // GitHub has ended it by itself: a new one takes its place.
            Err(GitHubError::Refused(_)) if !check.completed => {}
            Err(error) => return Err(error),
        }
    }
    // An attempt whose answer was lost may have made it.
    if check.problem.is_some()
        && check.check_run_id.is_none()
        && let Some(id) = github.find_check_run(reached.place(), sent).await?
    {
        github.update_check_run(reached.place(), id, sent, false).await?;
        return Ok(Some(id));
    }
    match github.create_check_run(reached.place(), sent).await {
        Ok(id) => Ok(Some(id)),
        Err(error) => {
            if let Ok(mut writing) = context.store.write().await
                && writing.check_troubled(&check.id, &error.to_string()).await.is_ok()
                && let Err(error) = writing.commit().await
            {
                tracing::error!(check.id, %error, "cannot note that a check run may have been made");
            }
            Err(error)
        }
    }
}

/// Whether GitHub has ended a check run by itself: it gives up what has not ended for two weeks, and opens nothing again.
fn is_stale(check: &GithubCheck, now: Timestamp) -> bool {
    !check.completed && now.since(check.created_at) >= STALE
}

/// Notes that a check is told to GitHub no more, and why.
pub(super) async fn give_up(context: &Context, check: &GithubCheck, problem: Option<&str>) -> Result<(), Trouble> {
    let mut writing = context.store.write().await?;
    writing.check_given_up(&check.id, problem).await?;
    writing.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::StackId;

    #[test]
    fn a_check_run_without_an_end_is_given_up_after_two_weeks() {
        let check = GithubCheck {
            id: "C".into(),
            stack_id: StackId::new("network"),
            stack_name: "Network".into(),
            github_repository_id: 1,
            commit_hash: CommitHash::new("a".repeat(40)),
            kind: CheckKind::Tracked,
            run_id: None,
            check_run_id: Some(77),
            completed: false,
            sent: String::new(),
            refusal: None,
            live: true,
            problem: None,
            created_at: Timestamp(1000),
        };
        assert!(!is_stale(&check, Timestamp(999 + STALE)));
        assert!(is_stale(&check, Timestamp(1000 + STALE)));
        let ended = GithubCheck { completed: true, ..check };
        assert!(!is_stale(&ended, Timestamp(1000 + 2 * STALE)));
    }
}
