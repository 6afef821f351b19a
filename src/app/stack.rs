//! A stack's tracked runs, grouped by commit; and the two small pages that its header leads to: lock, and set current
//! commit.

use super::api::{self, LockStack, SetCurrentCommit};
use super::live::{self, Listen, Reload, moves};
use super::problem::{Told, told};
use super::stack_header::{StackActions, StackHeader};
use super::ui::{Ago, CommitName, DeltaView, Field, Icon, Loaded, Needs, StateBadge, described, invalid};
use super::view::{Header, RunRow, TrackedView};
use crate::domain::permission::{self, Action as _, Lock};
use crate::domain::run_state::RunState;
use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

/// The slug of the page's stack.
pub fn use_stack() -> Signal<String> {
    let params = use_params_map();
    Signal::derive(move || params.read().get("stack").unwrap_or_default())
}

/// What a stack's pages listen to.
pub fn stack_topic(stack: Signal<String>) -> Signal<String> {
    Signal::derive(move || format!("stack={}", stack.get()))
}

/// `/stack/{stack}`
#[component]
pub fn StackPage() -> impl IntoView {
    let (stack, query) = (use_stack(), use_query_map());
    let actions = StackActions::new();
    let before = move || query.read().get("before");
    let page = live::read(move || (stack.get(), before()), |(stack, before)| api::tracked(stack, before));
    view! {
        <Listen topic=stack_topic(stack) />
        <Loaded resource=page render=move |view| view! { <Tracked view actions /> } />
    }
}

#[component]
fn Tracked(view: TrackedView, actions: StackActions) -> impl IntoView {
    let TrackedView { header, groups, older } = view;
    let home = format!("/stack/{}", header.id);
    let active = groups.iter().flatten().any(|run| moves(run.state));
    let list = if groups.is_empty() {
        view! {
            <section class="empty">
                <Icon name="run" />
                <h2>"No tracked runs yet"</h2>
                <p>
                    "A tracked run plans a commit and applies the plan. "
                    {format!("A push to {} starts one, ", header.tracked_branch)}
                    "Trigger starts one now, and a proposed run can be promoted to one."
                </p>
            </section>
        }
        .into_any()
    } else {
        groups.into_iter().map(|group| view! { <Group group header=header.clone() /> }).collect_view().into_any()
    };
    view! {
        <Title text=header.name.clone() />
        <StackHeader header actions />
        <Reload active />
        <section aria-label="Tracked runs">{list}</section>
        {older
            .map(|run| view! { <p><a class="button" href=format!("{home}?before={run}")>"Older runs"</a></p> })}
    }
}

#[component]
fn Group(group: Vec<RunRow>, header: Header) -> impl IntoView {
    let commit = group.first().map(|run| run.commit.clone());
    view! {
        <article class="group">
            {commit
                .map(|commit| {
                    view! {
                        <header>
                            <h2>{commit.subject.clone()}</h2>
                            <p class="meta">
                                <CommitName commit=commit.clone() />
                                <span>{commit.author.clone()}</span>
                                <span>"committed " <Ago at=commit.committed_at now=header.now /></span>
                            </p>
                        </header>
                    }
                })}
            <ul class="runs">{group.into_iter().map(|run| view! { <RunLine run header=header.clone() /> }).collect_view()}</ul>
        </article>
    }
}

#[component]
fn RunLine(run: RunRow, header: Header) -> impl IntoView {
    let address = format!("/stack/{}/run/{}", header.id, run.id);
    let blocker = header.blocker.clone().filter(|blocker| run.state == RunState::Queued && blocker.id != run.id);
    let started = if run.promoted_from.is_some() {
        format!("promoted by {}", run.triggered_by)
    } else {
        format!("started by {}", run.triggered_by)
    };
    view! {
        <li class="run-line">
            <StateBadge state=run.state />
            <a href=address>{started}</a>
            <span class="meta">
                <span><Icon name="branch" />{run.branch.clone()}</span>
                <Ago at=run.created_at now=header.now />
                {blocker
                    .map(|blocker| {
                        view! {
                            <span>
                                "waits for "
                                <a href=format!("/stack/{}/run/{}", header.id, blocker.id)>
                                    {format!("the {} run", blocker.state.name())}
                                </a>
                            </span>
                        }
                    })}
            </span>
            <DeltaView delta=run.delta />
        </li>
    }
}

/// `/stack/{stack}/lock`
#[component]
pub fn LockPage() -> impl IntoView {
    view! { <OfStack form=|header| view! { <LockForm header /> }.into_any() /> }
}

/// A form about a stack, for whoever may see that stack.
#[component]
fn OfStack(
    /// The form, when the stack is there.
    form: fn(Header) -> AnyView,
) -> impl IntoView {
    let stack = use_stack();
    let page = Resource::new(move || stack.get(), api::settings);
    view! { <Loaded resource=page render=move |view| form(view.header) /> }
}

#[component]
fn LockForm(header: Header) -> impl IntoView {
    let home = format!("/stack/{}", header.id);
    let lock = ServerAction::<LockStack>::new();
    let problem = told(lock);
    view! {
        <Title text=format!("Lock · {}", header.name) />
        <nav class="breadcrumb" aria-label="Breadcrumb">
            <a href="/">"Stacks"</a>
            <a href=home.clone()>{header.name}</a>
        </nav>
        <h1>"Lock the stack"</h1>
        <p>
            "While you hold the lock, nobody else starts, promotes or confirms a tracked run, and no plan is applied by itself. "
            "The lock does not expire: you or an administrator give it back."
        </p>
        <ActionForm action=lock>
            <input type="hidden" name="stack" value=header.id.to_string() />
            <Field name="note" label="Note" hint="Others read it: why, and how long." problem>
                <input id="note" name="note" maxlength="200" autocomplete="off" aria-describedby=described("note") aria-invalid=invalid(problem, "note") />
            </Field>
            <Told problem />
            <div class="actions">
                <button class="button" data-kind="primary" type="submit" disabled=move || lock.pending().get()>
                    "Lock"
                    <Needs role=header.role needs=Lock::NEEDS />
                </button>
                <a class="button" href=home>"Cancel"</a>
            </div>
        </ActionForm>
    }
}

/// `/stack/{stack}/current-commit`
#[component]
pub fn CurrentCommitPage() -> impl IntoView {
    view! { <OfStack form=|header| view! { <CurrentCommitForm header /> }.into_any() /> }
}

#[component]
fn CurrentCommitForm(header: Header) -> impl IntoView {
    let home = format!("/stack/{}", header.id);
    let set = ServerAction::<SetCurrentCommit>::new();
    let problem = told(set);
    view! {
        <Title text=format!("Set current commit · {}", header.name) />
        <nav class="breadcrumb" aria-label="Breadcrumb">
            <a href="/">"Stacks"</a>
            <a href=home.clone()>{header.name}</a>
        </nav>
        <h1>"Set the current commit"</h1>
        <p>
            "The current commit decides what counts as newer, and what Trigger runs. "
            "Setting it deploys nothing by itself; it is written to the activity log."
        </p>
        <ActionForm action=set>
            <input type="hidden" name="stack" value=header.id.to_string() />
            <Field name="commit" label="Commit" hint="Its name: the first 7 digits or all 40." problem>
                <input
                    id="commit"
                    name="commit"
                    class="code"
                    required
                    minlength="7"
                    maxlength="40"
                    pattern="[0-9a-fA-F]+"
                    autocomplete="off"
                    value={super::flash::typed::<SetCurrentCommit>("commit")}
                    aria-describedby=described("commit")
                    aria-invalid=invalid(problem, "commit")
                />
            </Field>
            <Told problem />
            <div class="actions">
                <button class="button" data-kind="primary" type="submit" disabled=move || set.pending().get()>
                    "Set current commit"
                    <Needs role=header.role needs=permission::SetCurrentCommit::NEEDS />
                </button>
                <a class="button" href=home>"Cancel"</a>
            </div>
        </ActionForm>
    }
}
