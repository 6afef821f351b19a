//! One run: its life, its logs, and what it would change.

use super::header;
use crate::ansi;
use crate::app::view::{ChangesView, LogView, RunRow, RunView, Step};
use crate::commands::judge::{Ancestry, verdict};
use crate::commands::{Context, find_run, find_stack};
use crate::domain::permission::{Look, Permit};
use crate::domain::plan::Selection;
use crate::domain::problem::{Problem, Thing};
use crate::domain::pull_request::{PullRequest, PullRequestState, number_of_fork_branch};
use crate::domain::relation::Relation;
use crate::domain::run::Run;
use crate::domain::run_state::{RunKind, RunState};
use crate::domain::stack::Stack;
use crate::domain::{CommitHash, RunId};
use crate::store::{Cleanable, Reading};

/// How many lines of a log a page gets at a time.
const LINES: i64 = 500;
/// How many bytes of a log a page gets at a time, if that is less; a longer line comes alone.
const BYTES: usize = 256 * 1024;

/// Everything about a run; `open` is the position of the step whose log is asked for.
pub async fn run(context: &Context, permit: &Permit<Look>, id: &RunId, open: Option<i64>) -> Result<RunView, Problem> {
    let viewer = permit.viewer();
    let mut reading = context.store.read().await?;
    let stack = find_stack(&mut reading, permit.stack()).await?;
    let run = find_run(&mut reading, &stack.id, id).await?;
    let history = context.history(&stack.repository);
    let header = header(context, &mut reading, history.as_ref(), &stack, viewer).await?;

    let (verdict, missing) = match run.kind {
        RunKind::Tracked => (None, None),
        RunKind::Proposed => {
            let ancestry = Ancestry::read(history.as_ref(), &stack, &run);
            let missing = match &ancestry.relation {
                Relation::Diverged { missing } => Some(missing.clone()),
                Relation::First
                | Relation::Ahead { .. }
                | Relation::Identical
                | Relation::Behind { .. }
                | Relation::Unknown => None,
            };
            (Some(verdict(&mut reading, ancestry, &stack, &run, viewer).await?), missing)
        }
    };
    let promotions = reading.promotions_of(id).await?.iter().map(RunRow::from).collect();
    let newest = reading.newest_proposed_of(&stack.id, &run.branch).await?;
    let newer = newest.filter(|newest| run.kind == RunKind::Proposed && newest.id > run.id).as_ref().map(RunRow::from);

    let (pulls, allowable) = pulls(&mut reading, &stack, &run).await?;
    let steps = steps(&mut reading, id).await?;
    let log = match open.or_else(|| shown_first(&steps, run.state)) {
        Some(position) if steps.iter().any(|step| step.transition.position == position && step.lines > 0) => {
            Some((position, lines(&mut reading, id, position, None).await?))
        }
        Some(_) | None => None,
    };
    let removed = removed(&mut reading, &run, Cleanable::Log).await?;
    let retryable = stack.integration.fork_plans || number_of_fork_branch(&run.branch).is_none();
    Ok(RunView { header, run, steps, verdict, missing, promotions, newer, pulls, allowable, retryable, removed, log })
}

/// That something of a run was removed because it had been kept long enough, as a sentence.
pub async fn removed(reading: &mut Reading, run: &Run, what: Cleanable) -> Result<Option<String>, Problem> {
    let at = reading.cleaned(&run.id, what).await?;
    let name = match what {
        Cleanable::Log => "log",
        Cleanable::Plan => "plan",
    };
    Ok(at.zip(run.ended_at).map(|(at, ended)| {
        let days = at.since(ended) / 86_400_000;
        format!("The {name} was removed {days} day{} after the run ended.", if days == 1 { "" } else { "s" })
    }))
}

/// The pull requests of a run, and what of a fork's a maintainer could let be planned.
async fn pulls(
    reading: &mut Reading,
    stack: &Stack,
    run: &Run,
) -> Result<(Vec<PullRequest>, Option<(i64, CommitHash)>), Problem> {
    let Some(github) = reading.github_of(&stack.repository).await? else { return Ok((Vec::new(), None)) };
    let Some(number) = number_of_fork_branch(&run.branch) else {
        // Those of its branch, and those of other branches that are at its commit.
        let mut pulls = reading.pull_requests_of(github.id, &run.branch).await?;
        pulls.extend(reading.pull_requests_at(github.id, &run.commit.hash).await?);
        pulls.sort_by_key(|pull| std::cmp::Reverse(pull.number));
        pulls.dedup_by_key(|pull| pull.number);
        return Ok((pulls, None));
    };
    let pull = reading.pull_request(github.id, number).await?;
    let newer = pull.as_ref().filter(|pull| {
        stack.integration.fork_plans && pull.state == PullRequestState::Open && pull.head_commit != run.commit.hash
    });
    let allowable = newer.map(|pull| (pull.number, pull.head_commit.clone()));
    Ok((pull.into_iter().collect(), allowable))
}

/// The log that a person wants to see without asking: that of the phase at work, or of the one that failed.
fn shown_first(steps: &[Step], state: RunState) -> Option<i64> {
    let newest = steps.iter().rev().find(|step| step.lines > 0)?;
    let wanted = state.is_working()
        || match state {
            RunState::Failed | RunState::Stopped | RunState::Unconfirmed | RunState::Finished => true,
            RunState::Queued
            | RunState::Ready
            | RunState::Preparing
            | RunState::Initializing
            | RunState::Planning
            | RunState::Confirmed
            | RunState::Applying
            | RunState::Discarded
            | RunState::Canceled => false,
        };
    wanted.then_some(newest.transition.position)
}

async fn steps(reading: &mut Reading, id: &RunId) -> Result<Vec<Step>, Problem> {
    let lengths = reading.log_lengths(id).await?;
    let transitions = reading.transitions(id).await?;
    let mut steps = Vec::with_capacity(transitions.len());
    for (index, transition) in transitions.iter().enumerate() {
        let lines =
            lengths.iter().find(|(position, _)| *position == transition.position).map_or(0, |(_, lines)| *lines);
        let until = transitions.get(index + 1).map(|next| next.at);
        steps.push(Step { transition: transition.clone(), lines, until });
    }
    Ok(steps)
}

async fn lines(reading: &mut Reading, id: &RunId, position: i64, from: Option<i64>) -> Result<LogView, Problem> {
    let lengths = reading.log_lengths(id).await?;
    let total = lengths.iter().find(|(step, _)| *step == position).map_or(0, |(_, lines)| *lines);
    let found = reading.log_lines(id, position, from.unwrap_or_else(|| (total - LINES).max(0)), LINES).await?;
    let sizes = found.lines.iter().map(String::len);
    let (first, shown) = match from {
        Some(_) => (found.first, &found.lines[..fitting(sizes)]),
        None => {
            let left_out = found.lines.len() - fitting(sizes.rev());
            (found.first + i64::try_from(left_out).unwrap_or(0), &found.lines[left_out..])
        }
    };
    let mut reader = ansi::Reader::default();
    Ok(LogView { first, lines: shown.iter().map(|line| reader.line(line)).collect(), total })
}

/// How many of the lines with these sizes a page gets: one at least.
fn fitting(sizes: impl Iterator<Item = usize>) -> usize {
    let mut sum = 0;
    sizes
        .take_while(|size| {
            let first = sum == 0;
            sum += size + 1;
            first || sum <= BYTES
        })
        .count()
}

/// Lines of one step's log from line `from` on, or its last ones.
pub async fn log(
    context: &Context,
    permit: &Permit<Look>,
    id: &RunId,
    position: i64,
    from: Option<i64>,
) -> Result<LogView, Problem> {
    let mut reading = context.store.read().await?;
    find_run(&mut reading, permit.stack(), id).await.map_err(|_| Problem::NotFound(Thing::Log))?;
    lines(&mut reading, id, position, from.map(|from| from.max(0))).await
}

/// What a run would change, from change number `from` on.
pub async fn changes(
    context: &Context,
    permit: &Permit<Look>,
    id: &RunId,
    selection: Selection,
    from: usize,
) -> Result<ChangesView, Problem> {
    let mut reading = context.store.read().await?;
    let stack = find_stack(&mut reading, permit.stack()).await?;
    let run = find_run(&mut reading, &stack.id, id).await?;
    let history = context.history(&stack.repository);
    let header = header(context, &mut reading, history.as_ref(), &stack, permit.viewer()).await?;
    let plan = reading.plan(id).await?.map(|plan| plan.select(&selection).piece(from));
    let removed = removed(&mut reading, &run, Cleanable::Plan).await?;
    Ok(ChangesView { header, run, selection, plan, removed })
}
