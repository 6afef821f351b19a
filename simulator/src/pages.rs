//! The pages: what a person sees of the simulated GitHub, enough to look at a pull request's checks and press their
//! buttons.

mod authorize;
mod checks;
mod setup;

use crate::api::Failure;
use crate::control::pulls::{Edit, change};
use crate::state::{Pull, Repository, Simulator};
use axum::Router;
use axum::extract::{Form, Path, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Deserialize;

const STYLE: &str = include_str!("pages/style.css");

/// Looks anew when something has changed since the page was made.
const REFRESH: &str = "const look = setInterval(async () => { const now = await (await fetch('/_/version')).text(); \
    if (now !== document.documentElement.dataset.version) location.reload(); }, 1000); \
    addEventListener('submit', () => clearInterval(look));";

/// The routes.
pub fn router() -> Router<Simulator> {
    Router::new()
        .route("/", get(home))
        .route("/style.css", get(async || ([(CONTENT_TYPE, "text/css")], STYLE)))
        .route("/{owner}/{name}/pulls", get(list))
        .route("/{owner}/{name}/pull/{number}", get(pull))
        .route("/{owner}/{name}/pull/{number}/state", post(set_state))
        .route("/{owner}/{name}/pull/{number}/checks", get(checks::page))
        .route("/{owner}/{name}/check-runs/{id}/click", post(checks::click))
        .route("/login/oauth/authorize", get(authorize::authorize))
        .route("/login/oauth/access_token", post(authorize::exchange))
        .route("/settings/apps/new", post(setup::new_app))
        .route("/organizations/{organization}/settings/apps/new", post(setup::new_app_of))
        .route("/settings/apps/create", post(setup::create_app))
        .route("/apps/{slug}/installations/new", get(setup::installation).post(setup::install))
}

/// A whole page.
fn page(simulator: &Simulator, title: &str, body: &Markup) -> Markup {
    let version = simulator.look(|world| world.version);
    html! {
        (DOCTYPE)
        html lang="en" data-version=(version) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                link rel="stylesheet" href="/style.css";
                link rel="icon" href="data:,";
                noscript { meta http-equiv="refresh" content="2"; }
                title { (title) " · Simulated GitHub" }
            }
            body {
                header class="masthead" {
                    a href="/" { "Simulated GitHub" }
                    p { "Everything here is on this machine. No account is needed, and nothing leaves it." }
                }
                main { (body) }
                script { (PreEscaped(REFRESH)) }
            }
        }
    }
}

/// Refuses a form that another site sent.
fn own(headers: &HeaderMap) -> Result<(), Failure> {
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    match site {
        None | Some("same-origin" | "none") => Ok(()),
        Some(_) => Err(Failure::new(403, "Another site sent this form.")),
    }
}

fn find(simulator: &Simulator, owner: &str, name: &str) -> Result<Repository, Failure> {
    simulator.look(|world| world.named(owner, name).cloned()).ok_or_else(Failure::not_found)
}

fn find_pull(simulator: &Simulator, repository: &Repository, number: i64) -> Result<Pull, Failure> {
    simulator.look(|world| world.pull(repository.id, number).cloned()).ok_or_else(Failure::not_found)
}

async fn home(State(simulator): State<Simulator>) -> Markup {
    let repositories: Vec<Repository> = simulator.look(|world| world.repositories.values().cloned().collect());
    page(
        &simulator,
        "Repositories",
        &html! {
            h1 { "Repositories" }
            @if repositories.is_empty() { p { "There are none yet." } }
            @for repository in repositories {
                section {
                    h2 { a href={ "/" (repository.full_name()) "/pulls" } { (repository.full_name()) } }
                    (pulls_of(&simulator, &repository))
                }
            }
        },
    )
}

async fn list(
    State(simulator): State<Simulator>,
    Path((owner, name)): Path<(String, String)>,
) -> Result<Markup, Failure> {
    let repository = find(&simulator, &owner, &name)?;
    let title = format!("Pull requests of {}", repository.full_name());
    Ok(page(&simulator, &title, &html! { h1 { (title) } (pulls_of(&simulator, &repository)) }))
}

fn pulls_of(simulator: &Simulator, repository: &Repository) -> Markup {
    let pulls: Vec<Pull> = simulator
        .look(|world| world.pulls.iter().rev().filter(|pull| pull.repository == repository.id).cloned().collect());
    html! {
        @if pulls.is_empty() { p { "No pull requests." } }
        ul class="list" {
            @for pull in pulls {
                li {
                    span class="state" data-state=(state_of(&pull)) { (state_of(&pull)) } " "
                    a href={ "/" (repository.full_name()) "/pull/" (pull.number) "/checks" } { (pull.title) }
                    " #" (pull.number) " by " (pull.author)
                }
            }
        }
    }
}

fn state_of(pull: &Pull) -> &'static str {
    match (pull.state.as_str(), &pull.merged_at, pull.draft) {
        (_, Some(_), _) => "merged",
        ("open", None, true) => "draft",
        ("open", None, false) => "open",
        _ => "closed",
    }
}

/// What stands above both tabs of a pull request.
fn head(repository: &Repository, pull: &Pull, tab: &str) -> Markup {
    let address = format!("/{}/pull/{}", repository.full_name(), pull.number);
    let current = |name: &str| (tab == name).then_some("page");
    html! {
        p class="where" { a href={ "/" (repository.full_name()) "/pulls" } { (repository.full_name()) } }
        h1 { (pull.title) " " span class="number" { "#" (pull.number) } }
        p {
            span class="state" data-state=(state_of(pull)) { (state_of(pull)) }
            " " (pull.author) " wants to merge " code { (pull.head) } " into " code { (pull.base) }
            " at " code { (pull.head_sha.get(..7).unwrap_or_default()) }
        }
        nav aria-label="Pull request" {
            a href=(address) aria-current=[current("conversation")] { "Conversation" }
            a href={ (address) "/checks" } aria-current=[current("checks")] { "Checks" }
        }
    }
}

async fn pull(
    State(simulator): State<Simulator>,
    Path((owner, name, number)): Path<(String, String, i64)>,
) -> Result<Markup, Failure> {
    let repository = find(&simulator, &owner, &name)?;
    let pull = find_pull(&simulator, &repository, number)?;
    let comments: Vec<String> = simulator.look(|world| {
        let own = world.comments.values().filter(|one| one.repository == repository.id && one.number == number);
        own.map(|one| one.body.clone()).collect()
    });
    let deployments: Vec<(String, String, String)> = simulator.look(|world| {
        let own =
            world.deployments.values().rev().filter(|one| one.repository == repository.id && one.sha == pull.head_sha);
        own.map(|one| {
            let state = one.statuses.last().and_then(|status| status["state"].as_str()).unwrap_or("created");
            let log = one.statuses.last().and_then(|status| status["log_url"].as_str()).unwrap_or_default();
            (one.environment.clone(), state.to_owned(), log.to_owned())
        })
        .collect()
    });
    let action = format!("/{}/pull/{number}/state", repository.full_name());
    let body = html! {
        (head(&repository, &pull, "conversation"))
        @for (environment, state, log) in deployments {
            p class="deployment" { "Deployment to " strong { (environment) } ": " a href=(log) { (state) } }
        }
        @for comment in comments { article { (PreEscaped(checks::markdown(&comment))) } }
        (checks::short_list(&simulator, &repository, &pull))
        form method="post" action=(action) {
            @if pull.state == "open" {
                button name="to" value="merged" { "Merge pull request" }
                button name="to" value="closed" { "Close pull request" }
            } @else if pull.merged_at.is_none() {
                button name="to" value="open" { "Reopen pull request" }
            }
        }
    };
    Ok(page(&simulator, &format!("{} #{number}", pull.title), &body))
}

#[derive(Deserialize)]
struct To {
    to: String,
}

async fn set_state(
    State(simulator): State<Simulator>,
    Path((owner, name, number)): Path<(String, String, i64)>,
    headers: HeaderMap,
    Form(To { to }): Form<To>,
) -> Result<Response, Failure> {
    own(&headers)?;
    let edit = Edit { merged: to == "merged", state: (to != "merged").then_some(to), ..Edit::default() };
    change(&simulator, &owner, &name, number, edit).await?;
    Ok(Redirect::to(&format!("/{owner}/{name}/pull/{number}")).into_response())
}
