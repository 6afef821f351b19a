//! One run: what it is, where it stands, and its history with logs and what a person can do next.

use super::api::{self, ConfirmRun, DiscardRun, PromoteRun, RetryRun, StopRun};
use super::live::{self, Listen, Reload, moves, use_live};
use super::pull_requests::{Allow, PullName};
use super::stack::use_stack;
use super::timeline::Timeline;
use super::ui::{Ago, CommitName, DeltaView, Icon, Loaded, StateBadge};
use super::view::{Header, RunView};
use crate::domain::run::Run;
use crate::domain::run_state::RunKind;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use leptos_router::hooks::{use_params_map, use_query_map};

/// What a person can press on a run's page; made once, so that an answer outlives the reading of the page.
#[derive(Clone, Copy)]
pub struct RunActions {
    /// Promote.
    pub promote: ServerAction<PromoteRun>,
    /// Confirm.
    pub confirm: ServerAction<ConfirmRun>,
    /// Discard.
    pub discard: ServerAction<DiscardRun>,
    /// Stop.
    pub stop: ServerAction<StopRun>,
    /// Retry.
    pub retry: ServerAction<RetryRun>,
}

impl RunActions {
    fn new() -> Self {
        Self {
            promote: ServerAction::new(),
            confirm: ServerAction::new(),
            discard: ServerAction::new(),
            stop: ServerAction::new(),
            retry: ServerAction::new(),
        }
    }
}

/// The id of the page's run.
pub fn use_run() -> Signal<String> {
    let params = use_params_map();
    Signal::derive(move || params.read().get("run").unwrap_or_default())
}

/// `/stack/{stack}/run/{run}`
#[component]
pub fn RunPage() -> impl IntoView {
    let (live, stack, run, query) = (use_live(), use_stack(), use_run(), use_query_map());
    let open = move || query.read().get("log").and_then(|log| log.parse::<i64>().ok());
    // The news of logs that had come when the page was last read.
    let heard = StoredValue::new(0);
    let page = live::read(
        move || (stack.get(), run.get(), open()),
        move |(stack, run, open)| {
            heard.try_set_value(live.log.get_untracked());
            api::run(stack, run, open)
        },
    );
    // Another run begins without the answers that this one got.
    let actions = Memo::new_with_compare(
        move |_| {
            run.track();
            RunActions::new()
        },
        |_, _| true,
    );
    view! {
        <Listen topic=Signal::derive(move || format!("stack={}&run={}", stack.get(), run.get())) />
        <Loaded resource=page render=move |view| view! { <History view heard actions=actions.get_untracked() /> } />
    }
}

#[component]
fn History(view: RunView, heard: StoredValue<u32>, actions: RunActions) -> impl IntoView {
    let active = moves(view.run.state);
    if view.run.state.is_working() && view.steps.last().is_some_and(|step| step.lines == 0) {
        // The phase at work has no log yet: its first lines are news of the page, not of the log that is open.
        let live = use_live();
        Effect::new(move |_| {
            if live.log.get() != heard.get_value() {
                live.changed.update(|changed| *changed += 1);
            }
        });
    }
    view! {
        <RunHeader run=view.run.clone() header=view.header.clone() />
        <Reload active />
        <Pulls view=view.clone() />
        <Timeline view actions />
    }
}

/// The pull requests that the run belongs to, and the newer commit of a fork that waits for a maintainer.
#[component]
fn Pulls(view: RunView) -> impl IntoView {
    let stack = view.header.id.clone();
    view! {
        {(!view.pulls.is_empty())
            .then(|| {
                view! {
                    <ul class="plain" aria-label="Pull requests">
                        {view.pulls.iter().map(|pull| view! { <li><PullName pull=pull.clone() /></li> }).collect_view()}
                    </ul>
                }
            })}
        {view.allowable.map(|(number, commit)| view! { <Allow stack number commit /> })}
    }
}

/// What stands above both tabs of a run.
#[component]
pub fn RunHeader(
    /// The run.
    run: Run,
    /// Its stack.
    header: Header,
    /// What the page shows of it.
    #[prop(optional)]
    tab: &'static str,
) -> impl IntoView {
    let home = format!("/stack/{}", header.id);
    let address = format!("{home}/run/{}", run.id);
    let list = match run.kind {
        RunKind::Proposed => (format!("{home}/proposed"), "Proposed runs"),
        RunKind::Tracked => (home.clone(), "Tracked runs"),
    };
    let kind = match run.kind {
        RunKind::Proposed => "Proposed run: plans only",
        RunKind::Tracked => "Tracked run: plans, then applies",
    };
    // A proposed run, the tracked one it became, and their changes are told apart by their titles.
    let what = match (run.kind, tab) {
        (_, tab) if !tab.is_empty() => format!("{tab} of a {} run", run.kind.name()),
        (RunKind::Proposed, _) => "Proposed run".to_owned(),
        (RunKind::Tracked, _) => "Tracked run".to_owned(),
    };
    view! {
        <Title text=format!("{} · {what} · {}", run.commit.subject, header.name) />
        <nav class="breadcrumb" aria-label="Breadcrumb">
            <a href="/">"Stacks"</a>
            <a href=home.clone()>{header.name.clone()}</a>
            <a href=list.0>{list.1}</a>
        </nav>
        <div class="page-head">
            <h1>
                {run.commit.subject.clone()}
                " "
                <StateBadge state=run.state />
            </h1>
        </div>
        <p class="meta">
            <span class="chip" data-kind=run.kind.name()>{kind}</span>
            <span><Icon name="branch" />{run.branch.clone()}</span>
            <span><Icon name="commit" /><CommitName commit=run.commit.clone() /></span>
            <span><Icon name="person" />{run.commit.author.clone()}</span>
            <span>
                <Icon name="clock" />
                {format!("{} by {} ", if run.promoted_from.is_some() { "Promoted" } else { "Started" }, run.triggered_by)}
                <Ago at=run.created_at now=header.now />
            </span>
            {run
                .promoted_from
                .clone()
                .map(|proposed| {
                    view! {
                        <span>
                            <Icon name="promote" />
                            "From " <a href=format!("{home}/run/{proposed}")>"the proposed run that was reviewed"</a>
                        </span>
                    }
                })}
            {run
                .retry_of
                .clone()
                .map(|earlier| {
                    view! {
                        <span>
                            <Icon name="retry" />
                            "Retry of " <a href=format!("{home}/run/{earlier}")>"an earlier run"</a>
                        </span>
                    }
                })}
        </p>
        {header.sandbox_warning.clone().map(|warning| view! { <p class="warning"><Icon name="alert" />{warning}</p> })}
        <nav class="tabs" aria-label="Run">
            <A href=address.clone() exact=true>"History"</A>
            <A href=format!("{address}/changes")>
                "Changes "
                <DeltaView delta=run.delta />
            </A>
        </nav>
    }
}
