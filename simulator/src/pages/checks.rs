//! The Checks tab of a pull request: the newest check run of each name, what it says, and its buttons.

use super::{find, find_pull, head, own, page as whole};
use crate::api::Failure;
use crate::control::people::press;
use crate::payload::events;
use crate::state::{CheckRun, Pull, Repository, Simulator};
use axum::extract::{Form, Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, PreEscaped, html};
use pulldown_cmark::{Event, Options, Parser, html::push_html};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Shown {
    check_run_id: Option<i64>,
    /// Who looks; the owner unless somebody else is named.
    #[serde(rename = "as")]
    viewer: Option<String>,
}

/// The newest check run of each name on the pull request's commit.
fn newest(simulator: &Simulator, repository: &Repository, pull: &Pull) -> Vec<CheckRun> {
    simulator.look(|world| {
        let mut runs: Vec<CheckRun> = Vec::new();
        let of = |run: &&CheckRun| run.repository == repository.id && run.head_sha == pull.head_sha;
        for run in world.check_runs.values().rev().filter(of) {
            if !runs.iter().any(|newer| newer.name == run.name) {
                runs.push(run.clone());
            }
        }
        runs.sort_by(|one, other| one.name.cmp(&other.name));
        runs
    })
}

fn outcome(run: &CheckRun) -> &str {
    run.conclusion.as_deref().unwrap_or(&run.status)
}

fn title(run: &CheckRun) -> &str {
    run.output["title"].as_str().unwrap_or_default()
}

/// The checks in one line each, for the merge box.
pub fn short_list(simulator: &Simulator, repository: &Repository, pull: &Pull) -> Markup {
    html! {
        ul class="list" aria-label="Checks" {
            @for run in newest(simulator, repository, pull) {
                li { span class="state" data-state=(outcome(&run)) { (outcome(&run)) } " " strong { (run.name) } " " (title(&run)) }
            }
        }
    }
}

pub async fn page(
    State(simulator): State<Simulator>,
    Path((owner, name, number)): Path<(String, String, i64)>,
    Query(shown): Query<Shown>,
) -> Result<Markup, Failure> {
    let repository = find(&simulator, &owner, &name)?;
    let pull = find_pull(&simulator, &repository, number)?;
    let viewer = shown.viewer.unwrap_or(owner);
    let runs = newest(&simulator, &repository, &pull);
    let chosen = runs.iter().find(|run| Some(run.id) == shown.check_run_id).or(runs.first());
    let address = format!("/{}/pull/{number}/checks", repository.full_name());
    let body = html! {
        (head(&repository, &pull, "checks"))
        @match chosen {
            None => p { "No checks yet. They appear here by themselves." },
            Some(chosen) => {
                div class="checks" {
                    nav aria-label="Check runs" {
                        @for run in &runs {
                            a href={ (address) "?check_run_id=" (run.id) "&as=" (viewer) } aria-current=[(run.id == chosen.id).then_some("true")] {
                                span class="state" data-state=(outcome(run)) { (outcome(run)) } " " (run.name)
                            }
                        }
                    }
                    (one(&repository, chosen, &viewer, &address))
                }
            }
        }
        form class="viewer" method="get" action=(address) {
            label for="as" { "You look as" }
            input id="as" name="as" value=(viewer);
            button { "Look" }
        }
    };
    Ok(whole(&simulator, &format!("Checks of {} #{number}", pull.title), &body))
}

fn one(repository: &Repository, run: &CheckRun, viewer: &str, back: &str) -> Markup {
    let action = format!("/{}/check-runs/{}/click", repository.full_name(), run.id);
    let texts = [run.output["summary"].as_str(), run.output["text"].as_str()];
    html! {
        section aria-labelledby="check-title" {
            p class="where" { (run.name) }
            h2 id="check-title" { (title(run)) }
            @if repository.may_write(viewer) {
                form class="buttons" method="post" action=(action) {
                    input type="hidden" name="as" value=(viewer);
                    input type="hidden" name="back" value=(back);
                    @for button in &run.actions {
                        button name="identifier" value=(button["identifier"].as_str().unwrap_or_default()) title=(button["description"].as_str().unwrap_or_default()) {
                            (button["label"].as_str().unwrap_or_default())
                        }
                    }
                    button name="identifier" value="" { "Re-run" }
                }
            } @else {
                p { "Buttons are for people with write access." }
            }
            @for text in texts.into_iter().flatten() { div class="markdown" { (PreEscaped(markdown(text))) } }
            @if let Some(details) = &run.details_url { p { a href=(details) { "Details" } } }
        }
    }
}

/// Markdown as HTML; whatever HTML stands in it is dropped.
pub fn markdown(text: &str) -> String {
    let events = Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_GFM)
        .filter(|event| !matches!(event, Event::Html(_) | Event::InlineHtml(_)));
    let mut html = String::new();
    push_html(&mut html, events);
    html
}

#[derive(Deserialize)]
pub struct Click {
    identifier: String,
    #[serde(rename = "as")]
    viewer: String,
    back: String,
}

pub async fn click(
    State(simulator): State<Simulator>,
    Path((_, _, id)): Path<(String, String, i64)>,
    headers: HeaderMap,
    Form(click): Form<Click>,
) -> Result<Response, Failure> {
    own(&headers)?;
    let button = (!click.identifier.is_empty()).then_some(click.identifier.as_str());
    // The page may be older than the buttons: GitHub sends the click all the same.
    let run = press(&simulator, id, &click.viewer, button, true)?;
    let action = if button.is_some() { "requested_action" } else { "rerequested" };
    events::check(&simulator, &run, action, &click.viewer, button);
    let back = if click.back.starts_with('/') && !click.back.starts_with("//") { click.back } else { "/".into() };
    Ok(Redirect::to(&format!("{back}?as={}", click.viewer)).into_response())
}
