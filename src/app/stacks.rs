//! The list of stacks: what state each is in, where it stands, and what waits for a person.

use super::api;
use super::boot::viewer_role;
use super::live::{self, Listen, Reload, moves};
use super::ui::{Ago, CommitName, DeltaView, Done, Icon, Loaded, Needs, StateBadge};
use super::view::{StackRow, StacksView};
use crate::domain::Timestamp;
use crate::domain::permission::{Action as _, CreateStack};
use leptos::html::{self, Input};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::Form;
use leptos_router::hooks::use_query_map;

const FILTERS: [(&str, &str); 5] = [
    ("", "All"),
    ("waiting", "Waiting for a person"),
    ("working", "At work"),
    ("failed", "Failed"),
    ("locked", "Locked"),
];

/// `/`
#[component]
pub fn StacksPage() -> impl IntoView {
    let query = use_query_map();
    let asked = move |name: &str| query.read().get(name).unwrap_or_default();
    let role = viewer_role();
    let page = live::read(move || (asked("search"), asked("filter")), |(search, filter)| api::stacks(search, filter));
    let (input, list) = (NodeRef::<Input>::new(), NodeRef::<html::Select>::new());
    // What is typed stays until something else is shown.
    Effect::new(move |before: Option<[String; 2]>| {
        let [search, filter] = ["search", "filter"].map(asked);
        if before.is_some_and(|before| before != [search.clone(), filter.clone()])
            && let (Some(input), Some(list)) = (input.get_untracked(), list.get_untracked())
        {
            input.set_value(&search);
            list.set_value(&filter);
        }
        [search, filter]
    });
    view! {
        <Title text="Stacks" />
        <Listen topic=Signal::derive(String::new) />
        <div class="page-head">
            <h1>"Stacks"</h1>
            <a class="button" data-kind="primary" href="/stacks/new">
                <Icon name="plus" />
                "New stack"
                <Needs role needs=CreateStack::NEEDS />
            </a>
        </div>
        <Form method="GET" action="/" attr:class="search" attr:role="search">
            <label for="search" class="hidden">"Search stacks"</label>
            <input
                id="search"
                type="search"
                name="search"
                placeholder="Name, label, repository …"
                value=move || asked("search")
                node_ref=input
            />
            <label for="filter" class="hidden">"Show"</label>
            <select id="filter" name="filter" node_ref=list>
                {FILTERS
                    .into_iter()
                    .map(|(value, label)| {
                        view! {
                            <option value=value selected=move || asked("filter") == value>
                                {label}
                            </option>
                        }
                    })
                    .collect_view()}
            </select>
            <button type="submit" class="button">"Search"</button>
        </Form>
        {move || view! { <Done done={!asked("deleted").is_empty()} what="The stack is deleted." /> }}
        <Loaded resource=page render=|view| view! { <List view /> } />
    }
}

#[component]
fn List(view: StacksView) -> impl IntoView {
    let StacksView { now, mut stacks, total } = view;
    let role = viewer_role();
    // What waits for a person comes first; the others stay by name.
    stacks.sort_by_key(|stack| stack.unconfirmed.is_none());
    let active = stacks.iter().filter_map(|stack| stack.newest.as_ref()).any(|run| moves(run.state));
    if total == 0 {
        return view! {
            <section class="empty">
                <Icon name="stack" />
                <h2>"No stacks yet"</h2>
                <p>
                    "A stack is a Git repository, or a folder of one, with Terraform or OpenTofu in it. "
                    "Headway plans every push to its branches, and lets a person promote what was planned."
                </p>
                <p>
                    <a class="button" data-kind="primary" href="/stacks/new">
                        "Make the first stack"
                        <Needs role needs=CreateStack::NEEDS />
                    </a>
                </p>
            </section>
        }
        .into_any();
    }
    if stacks.is_empty() {
        return view! {
            <section class="empty">
                <Icon name="search" />
                <h2>"No stack fits"</h2>
                <p>{format!("None of the {total} stacks is what you search for. ")} <a href="/">"Show all"</a></p>
            </section>
        }
        .into_any();
    }
    view! {
        <Reload active />
        <ul class="cards">{stacks.into_iter().map(|stack| view! { <Row stack now /> }).collect_view()}</ul>
    }
    .into_any()
}

#[component]
fn Row(stack: StackRow, now: Timestamp) -> impl IntoView {
    let home = format!("/stack/{}", stack.id);
    let place = if stack.project_root.is_empty() {
        stack.address.clone()
    } else {
        format!("{} · {}", stack.address, stack.project_root)
    };
    let waits = stack.unconfirmed.as_ref().map(|run| format!("{home}/run/{run}"));
    let newest = stack.newest.clone();
    view! {
        <li class="card stack-row">
            <div>
                <h2>
                    <a href=home.clone()>{stack.name.clone()}</a>
                    " "
                    {newest.as_ref().map(|run| view! { <StateBadge state=run.state /> })}
                    {stack.disabled.then(|| view! { <span class="chip">"Disabled"</span> })}
                    {stack
                        .lock
                        .as_ref()
                        .map(|lock| view! { <span class="chip"><Icon name="lock" />{format!("Locked by {}", lock.holder)}</span> })}
                </h2>
                {(!stack.description.is_empty()).then(|| view! { <p>{stack.description.clone()}</p> })}
                <p class="meta">
                    <span><Icon name="repository" />{place}</span>
                    <span><Icon name="branch" />{stack.tracked_branch.clone()}</span>
                    {stack.labels.iter().map(|label| view! { <span class="chip">{label.clone()}</span> }).collect_view()}
                </p>
                {stack.problem.clone().map(|problem| view! { <p class="warning"><Icon name="alert" />{problem}</p> })}
            </div>
            <div class="stack-row-side">
                {match stack.current.clone() {
                    Some(commit) => {
                        view! {
                            <p class="meta">
                                "Stands at "
                                <CommitName commit=commit.clone() />
                                <span class="subject">{commit.subject}</span>
                            </p>
                        }
                            .into_any()
                    }
                    None => view! { <p class="meta">"Nothing deployed yet"</p> }.into_any(),
                }}
                {newest
                    .map(|run| {
                        view! {
                            <p class="meta">
                                <DeltaView delta=run.delta />
                                <Ago at=run.ended_at.unwrap_or(run.created_at) now />
                            </p>
                        }
                    })}
                {waits
                    .map(|run| {
                        view! {
                            <a class="button" data-kind="primary" href=run>"Review the waiting plan"</a>
                        }
                    })}
            </div>
        </li>
    }
}
