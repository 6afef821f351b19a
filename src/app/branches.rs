//! A stack's proposed runs: every branch with its newest one, and whether that can be promoted.

use super::api::{self, ProposeRun};
use super::live::{self, Listen, Reload};
use super::problem::{Told, told};
use super::pull_requests::PullRequests;
use super::stack::{stack_topic, use_stack};
use super::stack_header::{StackActions, StackHeader};
use super::ui::{Ago, CommitName, DeltaView, Icon, Loaded, Needs, StateBadge};
use super::view::{BranchRow, Header, ProposedView, RunRow};
use crate::domain::permission::{Action as _, Propose};
use crate::domain::promotion::Verdict;
use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_meta::Title;

/// `/stack/{stack}/proposed`
#[component]
pub fn BranchesPage() -> impl IntoView {
    let stack = use_stack();
    let actions = StackActions::new();
    let propose = ServerAction::<ProposeRun>::new();
    let page = live::read(move || stack.get(), api::proposed);
    view! {
        <Listen topic=stack_topic(stack) />
        <Loaded resource=page render=move |view| view! { <Branches view actions propose /> } />
    }
}

#[component]
fn Branches(view: ProposedView, actions: StackActions, propose: ServerAction<ProposeRun>) -> impl IntoView {
    let ProposedView { header, pulls, branches, more } = view;
    let runs = branches.iter().map(|row| &row.run).chain(pulls.iter().map(|row| &row.run));
    let active = runs.filter_map(|run| run.as_ref()).any(|(run, _)| !run.state.is_terminal());
    let pulls = (!pulls.is_empty()).then(|| view! { <PullRequests pulls header=header.clone() /> });
    let alone = pulls.is_none();
    let has_branches = !branches.is_empty();
    let problem = told(propose);
    let list = if branches.is_empty() && !alone {
        ().into_any()
    } else if branches.is_empty() {
        view! {
            <section class="empty">
                <Icon name="branch" />
                <h2>"No branches besides the tracked one"</h2>
                <p>
                    {format!("Push a branch with a change to {}: ", header.address)}
                    "it gets a proposed run, which only plans, within half a minute. Sync looks at once."
                </p>
            </section>
        }
        .into_any()
    } else {
        view! {
            <ul class="cards">
                {branches.into_iter().map(|row| view! { <Branch row header=header.clone() propose /> }).collect_view()}
            </ul>
        }
        .into_any()
    };
    view! {
        <Title text=format!("Proposed runs · {}", header.name) />
        <StackHeader header=header.clone() actions />
        <Reload active />
        <Told problem />
        {pulls}
        <section aria-label="Branches">
            {(!alone && has_branches).then(|| view! { <h2>"Branches without a pull request"</h2> })}
            {list}
            {(more > 0).then(|| view! { <p class="hint">{format!("{more} more branches have no run yet.")}</p> })}
        </section>
    }
}

#[component]
fn Branch(row: BranchRow, header: Header, propose: ServerAction<ProposeRun>) -> impl IntoView {
    let BranchRow { branch, head, run } = row;
    let gone = head.is_none();
    let plannable = match (&run, &head) {
        (Some((run, _)), Some(head)) => run.commit.hash != *head,
        (None, Some(_)) => true,
        (Some(_) | None, None) => false,
    };
    view! {
        <li class="card branch-row">
            <div>
                <h2>
                    <Icon name="branch" />
                    {branch.clone()}
                    {gone.then(|| view! { <span class="chip">"deleted"</span> })}
                </h2>
                {match run.clone() {
                    Some((run, _)) => view! { <Newest run header=header.clone() /> }.into_any(),
                    None => {
                        view! {
                            <p class="meta">"No proposed run yet: it was there before the stack, or touches none of its files."</p>
                        }
                            .into_any()
                    }
                }}
            </div>
            <div class="branch-row-side">
                {head
                    .as_ref()
                    .filter(|_| plannable && run.is_some())
                    .map(|head| view! { <p class="hint">{format!("The branch is at {} meanwhile, which has no run.", head.short())}</p> })}
                {run.map(|(run, verdict)| view! { <Promotable run verdict header=header.clone() /> })}
                {plannable
                    .then(|| {
                        view! {
                            <ActionForm action=propose>
                                <input type="hidden" name="stack" value=header.id.to_string() />
                                <input type="hidden" name="branch" value=branch.clone() />
                                <button class="button" type="submit" disabled=move || propose.pending().get()>
                                    <Icon name="play" />
                                    {format!("Plan {}", head.as_ref().map_or("", |head| head.short()))}
                                    <Needs role=header.role needs=Propose::NEEDS />
                                </button>
                            </ActionForm>
                        }
                    })}
            </div>
        </li>
    }
}

#[component]
pub(super) fn Newest(run: RunRow, header: Header) -> impl IntoView {
    view! {
        <p class="run-line">
            <StateBadge state=run.state />
            <a href=format!("/stack/{}/run/{}", header.id, run.id)>{run.commit.subject.clone()}</a>
            <DeltaView delta=run.delta />
        </p>
        <p class="meta">
            <CommitName commit=run.commit.clone() />
            <span>{run.commit.author.clone()}</span>
            <span>{format!("started by {} ", run.triggered_by)} <Ago at=run.created_at now=header.now /></span>
        </p>
    }
}

/// Whether the run can be promoted, in a line.
#[component]
pub(super) fn Promotable(run: RunRow, verdict: Verdict, header: Header) -> impl IntoView {
    let address = format!("/stack/{}/run/{}", header.id, run.id);
    if let Some(tracked) = verdict.promoted_as {
        return view! {
            <p class="verdict" data-holds="true">
                <Icon name="promote" />
                <a href=format!("/stack/{}/run/{tracked}", header.id)>"Promoted"</a>
            </p>
        }
        .into_any();
    }
    if verdict.may_promote() {
        return view! {
            <a class="button" data-kind="primary" href=address>
                <Icon name="promote" />
                "Review and promote"
            </a>
        }
        .into_any();
    }
    let reason = verdict.refusals().next().map(|condition| condition.reason.clone());
    view! {
        <p class="verdict" data-holds="false">
            <Icon name="cross" />
            <span><strong>"Cannot be promoted."</strong> " " {reason}</span>
        </p>
    }
    .into_any()
}
