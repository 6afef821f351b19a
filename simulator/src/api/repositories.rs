//! Repositories, their branches and pull requests, and who may do what.

use super::{Answer, Caller, Failure, answer, permitted};
use crate::payload::{self, events};
use crate::state::Simulator;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

const READ: (&str, &str) = ("metadata", "read");
const PULLS: (&str, &str) = ("pull_requests", "read");

pub async fn of_installation(State(simulator): State<Simulator>, Extension(caller): Extension<Caller>) -> Answer {
    let id = caller.installation()?;
    let list = simulator.look(|world| {
        let one = world.installations.get(&id)?;
        let seen = events::seen(world, one);
        Some(seen.into_iter().map(|one| payload::repository(world, &simulator.home, one)).collect::<Vec<Value>>())
    });
    let list = list.ok_or_else(|| Failure::new(401, "Bad credentials"))?;
    answer(StatusCode::OK, json!({ "total_count": list.len(), "repositories": list }))
}

pub async fn by_id(
    State(simulator): State<Simulator>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<i64>,
) -> Answer {
    let installation = caller.installation()?;
    let body = simulator.look(|world| {
        let one = world.repositories.get(&id)?;
        let sees = world.installations_of(one).iter().any(|sees| sees.id == installation);
        sees.then(|| payload::repository(world, &simulator.home, one))
    });
    answer(StatusCode::OK, body.ok_or_else(Failure::not_found)?)
}

pub async fn one(
    State(simulator): State<Simulator>,
    Extension(caller): Extension<Caller>,
    Path((owner, name)): Path<(String, String)>,
) -> Answer {
    let (repository, _) = permitted(&simulator, caller, &owner, &name, READ)?;
    answer(StatusCode::OK, simulator.look(|world| payload::repository(world, &simulator.home, &repository)))
}

pub async fn branches(
    State(simulator): State<Simulator>,
    Extension(caller): Extension<Caller>,
    Path((owner, name)): Path<(String, String)>,
) -> Answer {
    let (repository, _) = permitted(&simulator, caller, &owner, &name, ("contents", "read"))?;
    let list: Vec<Value> =
        repository.heads.iter().map(|(name, sha)| json!({ "name": name, "commit": { "sha": sha } })).collect();
    answer(StatusCode::OK, list.into())
}

#[derive(Deserialize)]
pub struct Wanted {
    state: Option<String>,
}

pub async fn pulls(
    State(simulator): State<Simulator>,
    Extension(caller): Extension<Caller>,
    Path((owner, name)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
) -> Answer {
    let (repository, _) = permitted(&simulator, caller, &owner, &name, PULLS)?;
    let state = wanted.state.unwrap_or_else(|| "open".into());
    let list: Vec<Value> = simulator.look(|world| {
        let own = world.pulls.iter().rev().filter(|pull| pull.repository == repository.id);
        own.filter(|pull| state == "all" || pull.state == state)
            .map(|pull| payload::pull(world, &simulator.home, pull, false))
            .collect()
    });
    answer(StatusCode::OK, list.into())
}

pub async fn pull(
    State(simulator): State<Simulator>,
    Extension(caller): Extension<Caller>,
    Path((owner, name, number)): Path<(String, String, i64)>,
) -> Answer {
    let (repository, _) = permitted(&simulator, caller, &owner, &name, PULLS)?;
    let body = simulator
        .look(|world| world.pull(repository.id, number).map(|pull| payload::pull(world, &simulator.home, pull, true)));
    answer(StatusCode::OK, body.ok_or_else(Failure::not_found)?)
}

pub async fn permission(
    State(simulator): State<Simulator>,
    Extension(caller): Extension<Caller>,
    Path((owner, name, login)): Path<(String, String, String)>,
) -> Answer {
    let (repository, _) = permitted(&simulator, caller, &owner, &name, READ)?;
    let body = simulator.look(|world| {
        world.users.get(&login)?;
        let role = repository.permission(&login);
        // The older field knows four words only.
        let permission = match role {
            "maintain" => "write",
            "triage" => "read",
            other => other,
        };
        Some(json!({
            "permission": permission, "role_name": role, "user": payload::user(world, &simulator.home, &login),
        }))
    });
    answer(StatusCode::OK, body.ok_or_else(Failure::not_found)?)
}
