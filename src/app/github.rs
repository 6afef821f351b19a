//! The GitHub App: connecting it, how it fares, and the ledger of what it sent.

mod connect;
mod deliveries;

pub use deliveries::DeliveriesPage;

use super::api::{self, CheckGithub, DisconnectGithub};
use super::live::Listen;
use super::problem::{Told, told};
use super::ui::{Ago, Done, Icon, Loaded};
use super::view::{AppView, GithubView, InstallationView};
use crate::domain::{StackId, Timestamp};
use connect::{ByHand, Create};
use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

/// `/settings/github`
#[component]
pub fn GithubPage() -> impl IntoView {
    let query = use_query_map();
    let asked = move |name: &str| query.read().get(name).unwrap_or_default();
    let saved = move || query.read().get("saved");
    // Not read anew when something changes elsewhere: what a person is typing stays. *Check now* reads everything.
    let page = Resource::new(
        move || (asked("web"), asked("api"), asked("organization"), saved()),
        |(web, api, organization, _)| api::github(web, api, organization),
    );
    view! {
        <Title text="GitHub" />
        <Listen topic=Signal::derive(String::new) />
        <h1>"GitHub"</h1>
        <SetupProblem />
        <Loaded resource=page render=move |view| view! { <Github view saved=saved().is_some() /> } />
    }
}

/// What went wrong on the way back from GitHub: that form was not one of ours.
#[component]
fn SetupProblem() -> impl IntoView {
    let problem = super::flash::flash_of("").map(|flash| flash.problem);
    view! { <Told problem=Signal::derive(move || problem.clone()) /> }
}

#[component]
fn Github(view: GithubView, saved: bool) -> impl IntoView {
    let GithubView { now, home, unreachable, app, manifest, permissions } = view;
    match (app, manifest) {
        (Some(app), _) => view! {
            <Done done=saved what="Up to date with GitHub." />
            <div class="github">
                <Connected app=app.clone() now />
                <ByHand app=Some(app) />
                <Disconnect />
            </div>
        }
        .into_any(),
        (None, Some((action, manifest))) => view! {
            <div class="github">
                <Create action manifest home unreachable permissions />
                <ByHand app=None />
            </div>
        }
        .into_any(),
        (None, None) => ().into_any(),
    }
}

#[component]
fn Connected(app: AppView, now: Timestamp) -> impl IntoView {
    let check = ServerAction::<CheckGithub>::new();
    let problem = told(check);
    let AppView { name, app_id, web_address, install, .. } = app.clone();
    let trouble = app.problem.clone();
    view! {
        <section aria-labelledby="app-title">
            <h2 id="app-title">{name}</h2>
            <p class="meta">
                <span>{format!("App {app_id}")}</span>
                <a href=web_address.clone() rel="external">{web_address.clone()}</a>
            </p>
            {match trouble {
                Some(problem) => view! { <p class="warning"><Icon name="alert" />{problem}</p> }.into_any(),
                None => view! { <p class="verdict" data-holds="true"><Icon name="check" />"GitHub answers for it."</p> }.into_any(),
            }}
            <dl class="facts">
                <dt>"Last checked"</dt>
                <dd>{when(app.checked_at, now, "never")}</dd>
                <dt>"Last delivery"</dt>
                <dd>
                    {when(app.delivered_at, now, "none yet")}
                    " " <a href="/settings/github/deliveries">"All deliveries"</a>
                </dd>
                <dt>"Wrong signatures"</dt>
                <dd>
                    {if app.signature_failures == 0 {
                        view! { "none" }.into_any()
                    } else {
                        view! {
                            {format!("{}, the last ", app.signature_failures)} {when(app.signature_failed_at, now, "")}
                            ": check that the webhook secret here and at GitHub are the same."
                        }
                            .into_any()
                    }}
                </dd>
                {app
                    .previous_until
                    .filter(|until| *until > now)
                    .map(|until| {
                        let hours = until.since(now) / 3_600_000 + 1;
                        view! {
                            <dt>"Secret before"</dt>
                            <dd>{format!("still believed for {hours} hours")}</dd>
                        }
                    })}
            </dl>
            <Waiting app=app.clone() />
            <Told problem />
            <div class="actions">
                <a class="button" data-kind="primary" href=install rel="external">
                    <Icon name="plus" />
                    "Install on more repositories"
                </a>
                <ActionForm action=check>
                    <button class="button" type="submit" disabled=move || check.pending().get()>
                        <Icon name="retry" />
                        {move || if check.pending().get() { "Asking GitHub …" } else { "Check now" }}
                    </button>
                </ActionForm>
            </div>
        </section>
        <section aria-labelledby="installations-title">
            <h2 id="installations-title">"Installations"</h2>
            {if app.installations.is_empty() {
                view! {
                    <p>"The App is not installed anywhere yet. Install it on the repositories that hold your stacks."</p>
                }
                    .into_any()
            } else {
                view! {
                    <ul class="cards">
                        {app.installations.into_iter().map(|installation| view! { <Installation installation now /> }).collect_view()}
                    </ul>
                }
                    .into_any()
            }}
        </section>
    }
}

fn when(at: Option<Timestamp>, now: Timestamp, never: &'static str) -> AnyView {
    match at {
        Some(at) => view! { <Ago at now /> }.into_any(),
        None => never.into_any(),
    }
}

/// What could not be told, and what cannot be reached.
#[component]
fn Waiting(app: AppView) -> impl IntoView {
    view! {
        {(!app.out_of_reach.is_empty())
            .then(|| {
                view! {
                    <p class="warning">
                        <Icon name="alert" />
                        {format!(
                            "Not installed any more on {}: their stacks are kept, and GitHub is told nothing about them.",
                            app.out_of_reach.join(", "),
                        )}
                    </p>
                }
            })}
        <Troubled of=app.waiting words="GitHub has not been told yet about these stacks; it is tried again by itself:" />
        <Troubled of=app.refused words="GitHub did not take checks of these stacks; they are tried again when the stack changes:" />
    }
}

/// Stacks with a reason each.
#[component]
fn Troubled(of: Vec<(StackId, String)>, words: &'static str) -> impl IntoView {
    (!of.is_empty()).then(|| {
        view! {
            <div class="warning">
                <Icon name="alert" />
                <div>
                    <p>{words}</p>
                    <ul>
                        {of
                            .into_iter()
                            .map(|(stack, why)| {
                                view! { <li><a href=format!("/stack/{stack}")>{stack.to_string()}</a> ": " {why}</li> }
                            })
                            .collect_view()}
                    </ul>
                </div>
            </div>
        }
    })
}

#[component]
fn Installation(installation: InstallationView, now: Timestamp) -> impl IntoView {
    let InstallationView { account, suspended, problem, missing, rate, repositories } = installation;
    view! {
        <li class="card">
            <h3>
                {account}
                {suspended.then(|| view! { <span class="chip" data-kind="danger">"suspended"</span> })}
            </h3>
            {problem.map(|problem| view! { <p class="warning"><Icon name="alert" />{problem}</p> })}
            {(!missing.is_empty())
                .then(|| {
                    view! {
                        <div class="warning">
                            <Icon name="alert" />
                            <div>
                                <p>"It lacks rights. Its owner accepts them in the installation's settings at GitHub:"</p>
                                <ul>
                                    {missing
                                        .into_iter()
                                        .map(|(name, level, reason)| view! { <li><code>{format!("{name}: {level}")}</code> " " {reason}</li> })
                                        .collect_view()}
                                </ul>
                            </div>
                        </div>
                    }
                })}
            {rate
                .map(|(remaining, limit, resets)| {
                    let minutes = resets.since(now) / 60_000;
                    view! { <p class="meta">{format!("{remaining} of {limit} requests left; all of them again in {minutes} minutes")}</p> }
                })}
            <ul class="plain">
                {repositories
                    .into_iter()
                    .map(|(name, stacks)| {
                        view! {
                            <li>
                                <Icon name="repository" />
                                {name}
                                {stacks
                                    .into_iter()
                                    .map(|(id, name)| view! { " " <a class="chip" href=format!("/stack/{id}")>{name}</a> })
                                    .collect_view()}
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
        </li>
    }
}

#[component]
fn Disconnect() -> impl IntoView {
    let disconnect = ServerAction::<DisconnectGithub>::new();
    let problem = told(disconnect);
    view! {
        <details class="advanced">
            <summary>"Disconnect"</summary>
            <p>
                "Headway forgets the App and its keys. Stacks stay and are fetched as plain Git; checks that stand on GitHub stay as they are. "
                "The App itself is deleted at GitHub."
            </p>
            <Told problem />
            <ActionForm action=disconnect>
                <button class="button" data-kind="danger" type="submit">"Disconnect the App"</button>
            </ActionForm>
        </details>
    }
}
