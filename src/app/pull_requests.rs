//! Pull requests: the open ones of a stack, with their newest proposed run and whether that can be promoted.

use super::api::AllowPlan;
use super::branches::{Newest, Promotable};
use super::problem::{Told, told};
use super::ui::{Ago, Icon};
use super::view::{Header, PullRow};
use crate::domain::pull_request::PullRequest;
use crate::domain::{CommitHash, StackId};
use leptos::form::ActionForm;
use leptos::prelude::*;

/// The list.
#[component]
pub fn PullRequests(
    /// The open pull requests, newest first.
    pulls: Vec<PullRow>,
    /// The stack.
    header: Header,
) -> impl IntoView {
    view! {
        <section aria-label="Pull requests">
            <h2>"Pull requests"</h2>
            <ul class="cards">
                {pulls.into_iter().map(|row| view! { <Pull row header=header.clone() /> }).collect_view()}
            </ul>
        </section>
    }
}

#[component]
fn Pull(row: PullRow, header: Header) -> impl IntoView {
    let PullRow { pull, run, waits, may_be_allowed } = row;
    let now = header.now;
    let opened = pull.opened_at;
    let about = if pull.fork {
        format!("{} wants to merge {} of a fork into {}", pull.author, pull.head_branch, pull.base_branch)
    } else {
        format!("{} wants to merge {} into {}", pull.author, pull.head_branch, pull.base_branch)
    };
    let newest = match run.clone() {
        Some((run, _)) => view! { <Newest run header=header.clone() /> }.into_any(),
        None if pull.fork => view! { <p class="meta">"Not planned: it comes from a fork."</p> }.into_any(),
        None => view! { <p class="meta">"No proposed run: its commit was there before the stack, or touches none of its files."</p> }.into_any(),
    };
    view! {
        <li class="card branch-row">
            <div>
                <h3><PullName pull=pull.clone() /></h3>
                <p class="meta">
                    <span>{about}</span>
                    <span>"opened " <Ago at=opened now /></span>
                </p>
                {newest}
            </div>
            <div class="branch-row-side">
                {run.map(|(run, verdict)| view! { <Promotable run verdict header=header.clone() /> })}
                {(waits && may_be_allowed)
                    .then(|| {
                        view! { <Allow stack=header.id.clone() number=pull.number commit=pull.head_commit.clone() /> }
                    })}
            </div>
        </li>
    }
}

/// A pull request's title and number, leading to GitHub.
#[component]
pub fn PullName(
    /// The pull request.
    pull: PullRequest,
) -> impl IntoView {
    let chip = match (pull.draft, pull.state) {
        (true, crate::domain::pull_request::PullRequestState::Open) => "draft",
        (_, state) => state.name(),
    };
    view! {
        <Icon name="branch" />
        <a href=pull.address.clone() rel="external">
            {format!("{} #{}", pull.title, pull.number)}
            <span class="hidden">" on GitHub"</span>
            <Icon name="external" />
        </a>
        " "
        <span class="chip">{chip}</span>
    }
}

/// Lets exactly one commit of a fork be planned.
#[component]
pub fn Allow(
    /// The stack.
    stack: StackId,
    /// The pull request.
    number: i64,
    /// The commit.
    commit: CommitHash,
) -> impl IntoView {
    let allow = ServerAction::<AllowPlan>::new();
    let problem = told(allow);
    view! {
        <ActionForm action=allow>
            <input type="hidden" name="stack" value=stack.to_string() />
            <input type="hidden" name="pull_request" value=number.to_string() />
            <input type="hidden" name="commit" value=commit.to_string() />
            <button class="button" type="submit" disabled=move || allow.pending().get()>
                <Icon name="play" />
                {format!("Allow plan of {}", commit.short())}
            </button>
            <p class="hint">"Runs the fork's code with this stack's credentials: read it first."</p>
            <Told problem />
        </ActionForm>
    }
}
