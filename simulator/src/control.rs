//! What a test or the sample does to the simulated GitHub, as people and Git would: pushes, pull requests, clicks, faults.

pub mod people;
pub mod pulls;

use crate::api::Failure;
use crate::faults::{Fault, WebhookFaults};
use crate::state::Simulator;
use crate::webhooks;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{delete, get, patch, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

/// What a control answers.
type Done = Result<(StatusCode, Json<Value>), Failure>;

fn done(body: Value) -> Done {
    Ok((StatusCode::CREATED, Json(body)))
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::new(500, &format!("{error:#}"))
}

/// The routes, under `/_`.
pub fn router() -> Router<Simulator> {
    Router::new()
        .route("/state", get(state))
        .route("/version", get(version))
        .route("/users", post(people::user))
        .route("/repositories", post(pulls::repository))
        .route("/repositories/{owner}/{name}", get(pulls::known).delete(pulls::delete))
        .route("/repositories/{owner}/{name}/collaborators/{login}", put(people::collaborator))
        .route("/repositories/{owner}/{name}/notice", post(pulls::notice))
        .route("/repositories/{owner}/{name}/forks", post(pulls::fork))
        .route("/repositories/{owner}/{name}/pulls", post(pulls::open))
        .route("/repositories/{owner}/{name}/pulls/{number}", patch(pulls::edit))
        .route("/repositories/{owner}/{name}/rename", post(pulls::rename))
        .route("/repositories/{owner}/{name}/visibility", post(pulls::set_visibility))
        .route("/repositories/{owner}/{name}/check-suites/rerequest", post(people::rerequest_suite))
        .route("/apps", post(people::app))
        .route("/apps/{id}/revoke-key", post(people::revoke_key))
        .route("/installations", post(people::install))
        .route("/installations/{id}", delete(people::uninstall))
        .route("/installations/{id}/suspend", post(people::suspend))
        .route("/installations/{id}/unsuspend", post(people::unsuspend))
        .route("/installations/{id}/repositories", post(people::repositories))
        .route("/installations/{id}/permissions", put(people::permissions))
        .route("/installations/{id}/expire-tokens", post(people::expire_tokens))
        .route("/check-runs/{id}/click", post(people::click))
        .route("/check-runs/{id}/rerequest", post(people::rerequest))
        .route("/check-runs/{id}/stale", post(people::give_up))
        .route("/webhooks", post(webhook))
        .route("/faults", post(add_fault).delete(clear_faults))
        .route("/webhook-faults", put(set_webhook_faults).delete(clear_webhook_faults))
}

/// Everything, without secrets.
async fn state(State(simulator): State<Simulator>) -> Json<Value> {
    let mut state = simulator.look(|world| {
        let mut state = serde_json::to_value(world).unwrap_or_default();
        state["requests"] = serde_json::to_value(&world.requests).unwrap_or_default();
        state
    });
    if let Some(apps) = state["apps"].as_object_mut() {
        for app in apps.values_mut() {
            for secret in ["private_key", "webhook_secret", "client_secret"] {
                app[secret] = Value::Null;
            }
        }
    }
    state["codes"] = Value::Null;
    Json(state)
}

/// Counts the changes, for pages that wait for one.
async fn version(State(simulator): State<Simulator>) -> String {
    simulator.look(|world| world.version).to_string()
}

#[derive(Deserialize)]
struct Raw {
    app_id: i64,
    event: String,
    body: Value,
    guid: Option<String>,
}

/// Sends a body that GitHub would never send; text goes as it is.
async fn webhook(State(simulator): State<Simulator>, Json(raw): Json<Raw>) -> Done {
    let body = raw.body.as_str().map_or_else(|| raw.body.to_string(), str::to_owned);
    webhooks::send_raw(&simulator, raw.app_id, &raw.event, body, raw.guid);
    done(json!({}))
}

async fn add_fault(State(simulator): State<Simulator>, Json(fault): Json<Fault>) -> Done {
    simulator.faults.add(fault);
    done(json!({}))
}

async fn clear_faults(State(simulator): State<Simulator>) -> Done {
    simulator.faults.clear();
    done(json!({}))
}

async fn set_webhook_faults(State(simulator): State<Simulator>, Json(faults): Json<WebhookFaults>) -> Done {
    simulator.faults.set_webhooks(faults);
    done(json!({}))
}

async fn clear_webhook_faults(State(simulator): State<Simulator>) -> Done {
    simulator.faults.set_webhooks(WebhookFaults::default());
    done(json!({}))
}
