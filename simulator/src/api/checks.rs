//! Check runs, by GitHub's rules: what has ended is never opened again, and a change says its buttons.

use super::{Answer, Caller, Failure, answer, permitted};
use crate::git;
use crate::payload::{self, events};
use crate::state::{CheckRun, Simulator, now};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

const WRITE: (&str, &str) = ("checks", "write");

pub async fn create(
    State(simulator): State<Simulator>,
    Extension(caller): Extension<Caller>,
    Path((owner, name)): Path<(String, String)>,
    Json(body): Json<Value>,
) -> Answer {
    let (repository, app) = permitted(&simulator, caller, &owner, &name, WRITE)?;
    let text = |field: &str| body[field].as_str().map(str::to_owned);
    let sha = text("head_sha").unwrap_or_default();
    if !git::has_commit(&simulator.folder(&repository), &sha).await {
        return Err(Failure::invalid(vec![format!("No commit found for SHA: {sha}")]));
    }
    let conclusion = text("conclusion");
    let status = if conclusion.is_some() { "completed".into() } else { text("status").unwrap_or("queued".into()) };
    let (run, answered) = simulator.change(|world| {
        let run = CheckRun {
            id: world.id(),
            app,
            repository: repository.id,
            name: text("name").unwrap_or_default(),
            head_sha: sha,
            external_id: text("external_id").unwrap_or_default(),
            details_url: text("details_url"),
            completed_at: (status == "completed").then(now),
            status,
            conclusion,
            started_at: text("started_at").unwrap_or_else(now),
            output: output(&body),
            actions: body["actions"].as_array().cloned().unwrap_or_default(),
        };
        world.check_runs.insert(run.id, run.clone());
        let answered = payload::check_run(world, &simulator.home, &run);
        (run, answered)
    });
    tell(&simulator, &run, None);
    answer(StatusCode::CREATED, answered)
}

pub async fn update(
    State(simulator): State<Simulator>,
    Extension(caller): Extension<Caller>,
    Path((owner, name, id)): Path<(String, String, i64)>,
    Json(body): Json<Value>,
) -> Answer {
    let (repository, app) = permitted(&simulator, caller, &owner, &name, WRITE)?;
    let known =
        simulator.look(|world| world.check_runs.get(&id).filter(|run| run.repository == repository.id).cloned());
    let before = known.ok_or_else(Failure::not_found)?;
    if before.app != app {
        return Err(Failure::new(
            403,
            "Invalid app_id `app_id` - check run can only be modified by the GitHub App that created it.",
        ));
    }
    let text = |field: &str| body[field].as_str().map(str::to_owned);
    let conclusion = text("conclusion");
    let status = if conclusion.is_some() { Some("completed".to_owned()) } else { text("status") };
    if before.status == "completed" && status.as_deref().is_some_and(|status| status != "completed") {
        return Err(Failure::invalid(vec!["A completed check run is not opened again: make a new one.".into()]));
    }
    if before.status == "completed" && conclusion.is_some() && conclusion != before.conclusion {
        return Err(Failure::invalid(vec!["The conclusion of a completed check run does not change.".into()]));
    }
    if status.as_deref() == Some("completed") && conclusion.is_none() && before.conclusion.is_none() {
        return Err(Failure::invalid(vec!["A completed check run needs a conclusion.".into()]));
    }
    if body.get("actions").is_none() && !before.actions.is_empty() {
        let open = "GitHub does not say what becomes of the actions when they are left out: say them.";
        return Err(Failure::invalid(vec![open.into()]));
    }
    let (run, answered) = simulator.change(|world| {
        let mut run = before.clone();
        run.name = text("name").unwrap_or(run.name);
        run.external_id = text("external_id").unwrap_or(run.external_id);
        run.details_url = text("details_url").or(run.details_url);
        run.status = status.unwrap_or(run.status);
        run.conclusion = conclusion.or(run.conclusion);
        if run.status == "completed" && run.completed_at.is_none() {
            run.completed_at = Some(now());
        }
        if body.get("output").is_some() {
            run.output = output(&body);
        }
        if let Some(actions) = body["actions"].as_array() {
            run.actions.clone_from(actions);
        }
        world.check_runs.insert(id, run.clone());
        let answered = payload::check_run(world, &simulator.home, &run);
        (run, answered)
    });
    tell(&simulator, &run, Some(&before));
    answer(StatusCode::OK, answered)
}

fn output(body: &Value) -> Value {
    json!({ "title": body["output"]["title"], "summary": body["output"]["summary"], "text": body["output"]["text"] })
}

/// GitHub tells Apps when a check run is made and when it ends.
fn tell(simulator: &Simulator, run: &CheckRun, before: Option<&CheckRun>) {
    let bot = simulator.look(|world| world.apps.get(&run.app).map(|app| format!("{}[bot]", app.slug)));
    let bot = bot.unwrap_or_default();
    if before.is_none() {
        events::check(simulator, run, "created", &bot, None);
    }
    if run.status == "completed" && before.is_none_or(|before| before.status != "completed") {
        events::check(simulator, run, "completed", &bot, None);
    }
}

pub async fn one(
    State(simulator): State<Simulator>,
    Extension(caller): Extension<Caller>,
    Path((owner, name, id)): Path<(String, String, i64)>,
) -> Answer {
    let (repository, _) = permitted(&simulator, caller, &owner, &name, ("checks", "read"))?;
    let body = simulator.look(|world| {
        let run = world.check_runs.get(&id).filter(|run| run.repository == repository.id)?;
        Some(payload::check_run(world, &simulator.home, run))
    });
    answer(StatusCode::OK, body.ok_or_else(Failure::not_found)?)
}

#[derive(Deserialize)]
pub struct Wanted {
    check_name: Option<String>,
    filter: Option<String>,
}

pub async fn of_commit(
    State(simulator): State<Simulator>,
    Extension(caller): Extension<Caller>,
    Path((owner, name, sha)): Path<(String, String, String)>,
    Query(wanted): Query<Wanted>,
) -> Answer {
    let (repository, _) = permitted(&simulator, caller, &owner, &name, ("checks", "read"))?;
    let runs: Vec<Value> = simulator.look(|world| {
        let mut runs: Vec<&CheckRun> = world
            .check_runs
            .values()
            .filter(|run| run.repository == repository.id && run.head_sha == sha)
            .filter(|run| wanted.check_name.as_ref().is_none_or(|name| run.name == *name))
            .collect();
        runs.reverse();
        if wanted.filter.as_deref() != Some("all") {
            let mut seen: Vec<(i64, String)> = Vec::new();
            runs.retain(|run| {
                let key = (run.app, run.name.clone());
                let new = !seen.contains(&key);
                seen.push(key);
                new
            });
        }
        runs.into_iter().map(|run| payload::check_run(world, &simulator.home, run)).collect()
    });
    answer(StatusCode::OK, json!({ "total_count": runs.len(), "check_runs": runs }))
}
