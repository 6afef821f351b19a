//! Deployments and their states.

use super::{Answer, Caller, Failure, answer, permitted};
use crate::git;
use crate::payload;
use crate::state::{Deployment, Simulator, now};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

const WRITE: (&str, &str) = ("deployments", "write");
const READ: (&str, &str) = ("deployments", "read");

#[derive(Deserialize)]
pub struct Wanted {
    sha: Option<String>,
    environment: Option<String>,
}

pub async fn list(
    State(simulator): State<Simulator>,
    Extension(caller): Extension<Caller>,
    Path((owner, name)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
) -> Answer {
    let (repository, _) = permitted(&simulator, caller, &owner, &name, READ)?;
    let list: Vec<Value> = simulator.look(|world| {
        let own = world.deployments.values().rev().filter(|one| {
            one.repository == repository.id
                && wanted.sha.as_ref().is_none_or(|sha| one.sha == *sha)
                && wanted.environment.as_ref().is_none_or(|environment| one.environment == *environment)
        });
        own.map(|one| payload::deployment(world, &simulator.home, one)).collect()
    });
    answer(StatusCode::OK, list.into())
}

pub async fn create(
    State(simulator): State<Simulator>,
    Extension(caller): Extension<Caller>,
    Path((owner, name)): Path<(String, String)>,
    Json(body): Json<Value>,
) -> Answer {
    let (repository, _) = permitted(&simulator, caller, &owner, &name, WRITE)?;
    let reference = body["ref"].as_str().unwrap_or_default().to_owned();
    let folder = simulator.folder(&repository);
    let wanted = format!("{reference}^{{commit}}");
    let resolved = git::git(&folder, &["rev-parse", "--verify", "--end-of-options", &wanted]).await;
    let sha = resolved.map_err(|_| Failure::invalid(vec![format!("No ref found for: {reference}")]))?;
    let green = simulator.look(|world| {
        let of = world.check_runs.values().filter(|run| run.repository == repository.id && run.head_sha == sha);
        of.into_iter().all(|run| run.conclusion.as_deref() == Some("success"))
    });
    if body.get("required_contexts").is_none() && !green {
        return Err(Failure::new(409, "Conflict: Commit status checks failed for the ref."));
    }
    if body["auto_merge"].as_bool() != Some(false) && reference != sha {
        return Err(Failure::new(409, "Conflict merging the default branch into the ref."));
    }
    let answered = simulator.change(|world| {
        let deployment = Deployment {
            id: world.id(),
            repository: repository.id,
            sha,
            reference,
            environment: body["environment"].as_str().unwrap_or("production").to_owned(),
            description: body["description"].as_str().map(str::to_owned),
            payload: body["payload"].clone(),
            created_at: now(),
            statuses: Vec::new(),
        };
        world.deployments.insert(deployment.id, deployment.clone());
        payload::deployment(world, &simulator.home, &deployment)
    });
    answer(StatusCode::CREATED, answered)
}

pub async fn statuses(
    State(simulator): State<Simulator>,
    Extension(caller): Extension<Caller>,
    Path((owner, name, id)): Path<(String, String, i64)>,
) -> Answer {
    let (repository, _) = permitted(&simulator, caller, &owner, &name, READ)?;
    let list = simulator.look(|world| {
        let one = world.deployments.get(&id).filter(|one| one.repository == repository.id)?;
        Some(one.statuses.iter().rev().cloned().collect::<Vec<Value>>())
    });
    answer(StatusCode::OK, list.ok_or_else(Failure::not_found)?.into())
}

pub async fn say(
    State(simulator): State<Simulator>,
    Extension(caller): Extension<Caller>,
    Path((owner, name, id)): Path<(String, String, i64)>,
    Json(body): Json<Value>,
) -> Answer {
    let (repository, _) = permitted(&simulator, caller, &owner, &name, WRITE)?;
    let answered = simulator.change(|world| {
        let status = world.id();
        let one = world.deployments.get_mut(&id).filter(|one| one.repository == repository.id)?;
        let said = json!({
            "id": status, "state": body["state"], "log_url": body["log_url"], "description": body["description"],
            "environment": one.environment, "created_at": now(),
        });
        one.statuses.push(said.clone());
        Some(said)
    });
    answer(StatusCode::CREATED, answered.ok_or_else(Failure::not_found)?)
}
