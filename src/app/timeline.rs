//! The timeline of a run, newest step first: when each began, how long it took, what it printed. The newest step holds
//! what a person can do next, or why they cannot.

use super::api::RetryRun;
use super::live::use_live;
use super::log::LogPanel;
use super::problem::{Told, told};
use super::promote::Promotion;
use super::run::RunActions;
use super::ui::{Ago, Icon, Needs, StateBadge};
use super::view::{Header, LogView, RunView, Step};
use crate::domain::hold::Hold;
use crate::domain::permission::{self, Action as _, Role};
use crate::domain::problem::Problem;
use crate::domain::pull_request::number_of_fork_branch;
use crate::domain::relation::Missing;
use crate::domain::run::Run;
use crate::domain::run_state::{RunKind, RunState};
use crate::domain::time::span;
use leptos::form::ActionForm;
use leptos::prelude::*;

/// The whole timeline.
#[component]
pub fn Timeline(view: RunView, actions: RunActions) -> impl IntoView {
    let newest = view.steps.len().saturating_sub(1);
    let steps = view.steps.clone();
    view! {
        {view.removed.clone().map(|removed| view! { <p class="note">{removed}</p> })}
        <ol class="timeline" aria-label="History, newest first">
            {steps
                .into_iter()
                .enumerate()
                .rev()
                .map(|(index, step)| {
                    let log = view
                        .log
                        .clone()
                        .filter(|(position, _)| *position == step.transition.position)
                        .map(|(_, log)| log);
                    let next = (index == newest).then(|| view! { <Next view=view.clone() actions /> });
                    view! {
                        <Entry step run=view.run.clone() header=view.header.clone() log newest={index == newest}>
                            {next}
                        </Entry>
                    }
                })
                .collect_view()}
        </ol>
    }
}

#[component]
fn Entry(
    step: Step,
    run: Run,
    header: Header,
    log: Option<LogView>,
    newest: bool,
    children: Children,
) -> impl IntoView {
    let Step { transition, lines, until } = step;
    let address = format!("/stack/{}/run/{}", header.id, run.id);
    let position = transition.position;
    let lasted = match until {
        Some(until) => Some(span(until.since(transition.at)).into_any()),
        None if transition.state.is_terminal() => None,
        None => {
            let (now, at) = (use_live().now(header.now), transition.at);
            Some((move || format!("{} so far", span(now().since(at)))).into_any())
        }
    };
    // While the plan waits, the holds below say it.
    let held = until.is_none() && transition.state == RunState::Unconfirmed && !run.holds.is_empty();
    let note = transition.note.filter(|_| !held);
    let open = log.is_some();
    let closed = (lines > 0 && !open).then(|| {
        view! {
            <p>
                <a href=format!("{address}?log={position}")>
                    {format!("Show log ({lines} line{})", if lines == 1 { "" } else { "s" })}
                </a>
            </p>
        }
    });
    view! {
        <li class="step" data-state=transition.state.name()>
            <div class="step-head" aria-live=newest.then_some("polite")>
                <StateBadge state=transition.state />
                <span class="meta" aria-live=newest.then_some("off")>
                    <Ago at=transition.at now=header.now />
                    {lasted.map(|lasted| view! { <span>{lasted}</span> })}
                    <span>{format!("by {}", transition.actor)}</span>
                </span>
            </div>
            {note.map(|note| view! { <p class="note">{note}</p> })}
            {children()}
            {closed}
            {log
                .map(|log| {
                    view! { <LogPanel stack=header.id.to_string() run=run.id.to_string() position log /> }
                })}
        </li>
    }
}

/// What a person can do next.
#[component]
fn Next(view: RunView, actions: RunActions) -> impl IntoView {
    let run = view.run.clone();
    let header = view.header.clone();
    let which = StoredValue::new(run.clone());
    let can = |to: RunState| run.state.may_become(to, run.kind);
    let role = header.role;
    let stop = match run.kind {
        RunKind::Proposed => permission::Stop::NEEDS,
        RunKind::Tracked => permission::StopTracked::NEEDS,
    };
    let confirms = run.state == RunState::Unconfirmed && !header.disabled;
    let stops = can(RunState::Stopped) && run.stop_requested_by.is_none();
    let discards = can(RunState::Discarded);
    let retries = run.state.is_terminal();
    let blocker = header
        .blocker
        .clone()
        .filter(|blocker| run.kind == RunKind::Tracked && run.state == RunState::Queued && blocker.id != run.id);
    let starts = matches!(run.state, RunState::Queued | RunState::Ready | RunState::Unconfirmed | RunState::Confirmed);
    let waits = if header.disabled && starts {
        Some("Waits until the stack is enabled: a disabled stack starts nothing.")
    } else {
        (run.state == RunState::Ready).then_some("Waits for a free worker.")
    };
    let problems = [told(actions.confirm), told(actions.discard), told(actions.stop), told(actions.retry)];
    view! {
        {(run.state == RunState::Unconfirmed).then(|| view! { <Holds holds=run.holds.clone() /> })}
        {blocker
            .map(|blocker| {
                view! {
                    <p class="note">
                        "Waits for the stack: "
                        <a href=format!("/stack/{}/run/{}", header.id, blocker.id)>{blocker.commit.subject.clone()}</a>
                        {format!(" is {} and keeps it to itself.", blocker.state.name())}
                    </p>
                }
            })}
        {waits.map(|why| view! { <p class="note">{why}</p> })}
        {run
            .stop_requested_by
            .clone()
            .filter(|_| run.state.is_working())
            .map(|note| view! { <p class="note">{note} " It ends as soon as its phase lets it."</p> })}
        {(run.kind == RunKind::Proposed).then(|| view! { <Promotion view=view.clone() promote=actions.promote retry=actions.retry /> })}
        <div class="actions">
            {confirms
                .then(|| {
                    view! {
                        <ActionForm action=actions.confirm>
                            <Which run=which.get_value() />
                            <button class="button" data-kind="primary" type="submit" disabled=pending(actions.confirm)>
                                <Icon name="check" />
                                "Confirm"
                                <Needs role needs=permission::Confirm::NEEDS />
                            </button>
                        </ActionForm>
                    }
                })}
            {discards
                .then(|| {
                    view! {
                        <ActionForm action=actions.discard>
                            <Which run=which.get_value() />
                            <button class="button" type="submit" disabled=pending(actions.discard)>
                                <Icon name="cross" />
                                "Discard"
                                <Needs role needs=permission::Discard::NEEDS />
                            </button>
                        </ActionForm>
                    }
                })}
            {stops
                .then(|| {
                    view! {
                        <ActionForm action=actions.stop>
                            <Which run=which.get_value() />
                            <button class="button" type="submit" disabled=pending(actions.stop)>
                                <Icon name="stop" />
                                "Stop"
                                <Needs role needs=stop />
                            </button>
                        </ActionForm>
                    }
                })}
            {(retries && run.kind == RunKind::Tracked)
                .then(|| view! { <Retry run=run.clone() role retry=actions.retry /> })}
        </div>
        {problems.into_iter().map(|problem: Signal<Option<Problem>>| view! { <Told problem /> }).collect_view()}
    }
}

/// Runs the same commit once more.
#[component]
pub fn Retry(run: Run, role: Role, retry: ServerAction<RetryRun>) -> impl IntoView {
    let needs = match run.kind {
        RunKind::Proposed if number_of_fork_branch(&run.branch).is_some() => permission::AllowPlan::NEEDS,
        RunKind::Proposed => permission::Retry::NEEDS,
        RunKind::Tracked => permission::RetryTracked::NEEDS,
    };
    view! {
        <ActionForm action=retry>
            <Which run />
            <button class="button" type="submit" disabled=pending(retry)>
                <Icon name="retry" />
                "Retry"
                <Needs role needs />
            </button>
        </ActionForm>
    }
}

/// The fields that say which run a form is about.
#[component]
pub fn Which(run: Run) -> impl IntoView {
    view! {
        <input type="hidden" name="stack" value=run.stack.to_string() />
        <input type="hidden" name="run" value=run.id.to_string() />
    }
}

/// Whether an answer is still awaited.
pub fn pending<S>(action: ServerAction<S>) -> impl Fn() -> bool + Copy
where
    S: leptos::server_fn::ServerFn<Error = Problem> + Clone + Send + Sync + 'static,
    S::Output: Send + Sync + 'static,
{
    let pending = action.pending();
    move || pending.get()
}

/// Why a plan waits for a person.
#[component]
fn Holds(holds: Vec<Hold>) -> impl IntoView {
    view! {
        <ul class="holds">
            {holds
                .into_iter()
                .map(|hold| {
                    let missing = match &hold {
                        Hold::TakesOut { missing } => Some(missing.clone()),
                        Hold::AutodeployOff | Hold::Disabled | Hold::HistoryUnknown | Hold::Locked { .. } => None,
                    };
                    view! { <li>{hold.sentence()} {missing.map(|missing| view! { <MissingCommits missing /> })}</li> }
                })
                .collect_view()}
        </ul>
    }
}

/// Commits that one commit lacks.
#[component]
pub fn MissingCommits(missing: Missing) -> impl IntoView {
    let more = missing.count.saturating_sub(missing.commits.len());
    view! {
        <ul class="commits">
            {missing
                .commits
                .into_iter()
                .map(|commit| {
                    view! {
                        <li>
                            <code>{commit.hash.short().to_owned()}</code>
                            " "
                            {commit.subject}
                            " "
                            <span class="hint">{commit.author}</span>
                        </li>
                    }
                })
                .collect_view()}
            {(more > 0).then(|| view! { <li>{format!("and {more} more")}</li> })}
        </ul>
    }
}
