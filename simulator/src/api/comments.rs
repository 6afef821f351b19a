//! Comments on pull requests.

use super::{Answer, Caller, Failure, answer, permitted};
use crate::payload;
use crate::state::{Comment, Simulator, now};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde_json::Value;

const WRITE: (&str, &str) = ("pull_requests", "write");

pub async fn list(
    State(simulator): State<Simulator>,
    Extension(caller): Extension<Caller>,
    Path((owner, name, number)): Path<(String, String, i64)>,
) -> Answer {
    let (repository, _) = permitted(&simulator, caller, &owner, &name, ("pull_requests", "read"))?;
    let list: Vec<Value> = simulator.look(|world| {
        let own = world.comments.values().filter(|one| one.repository == repository.id && one.number == number);
        own.map(|one| payload::comment(world, &simulator.home, one)).collect()
    });
    answer(StatusCode::OK, list.into())
}

pub async fn create(
    State(simulator): State<Simulator>,
    Extension(caller): Extension<Caller>,
    Path((owner, name, number)): Path<(String, String, i64)>,
    Json(body): Json<Value>,
) -> Answer {
    let (repository, app) = permitted(&simulator, caller, &owner, &name, WRITE)?;
    if simulator.look(|world| world.pull(repository.id, number).is_none()) {
        return Err(Failure::not_found());
    }
    let body = text(&body)?;
    let answered = simulator.change(|world| {
        let id = world.id();
        let (created_at, updated_at) = (now(), now());
        let comment = Comment { id, repository: repository.id, number, app, body, created_at, updated_at };
        world.comments.insert(id, comment.clone());
        payload::comment(world, &simulator.home, &comment)
    });
    answer(StatusCode::CREATED, answered)
}

pub async fn update(
    State(simulator): State<Simulator>,
    Extension(caller): Extension<Caller>,
    Path((owner, name, id)): Path<(String, String, i64)>,
    Json(body): Json<Value>,
) -> Answer {
    let (repository, app) = permitted(&simulator, caller, &owner, &name, WRITE)?;
    let body = text(&body)?;
    let answered = simulator.change(|world| {
        let comment = world.comments.get_mut(&id).filter(|one| one.repository == repository.id && one.app == app)?;
        comment.body = body;
        comment.updated_at = now();
        let comment = comment.clone();
        Some(payload::comment(world, &simulator.home, &comment))
    });
    answer(StatusCode::OK, answered.ok_or_else(Failure::not_found)?)
}

fn text(body: &Value) -> Result<String, Failure> {
    let text = body["body"].as_str().unwrap_or_default();
    if text.is_empty() || text.chars().count() > 65_536 {
        return Err(Failure::invalid(vec!["body is too long (maximum is 65536 characters), or missing".into()]));
    }
    Ok(text.to_owned())
}
