//! Where an App's webhooks go, and the log of them.

use super::{Answer, Caller, Failure, answer};
use crate::payload;
use crate::state::Simulator;
use crate::webhooks;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

pub async fn config(State(simulator): State<Simulator>, Extension(caller): Extension<Caller>) -> Answer {
    let id = caller.app()?;
    let url = simulator.look(|world| world.apps.get(&id).map(|app| app.webhook_url.clone()));
    let url = url.ok_or_else(Failure::not_found)?;
    answer(StatusCode::OK, json!({ "url": url, "content_type": "json", "insecure_ssl": "0", "secret": "********" }))
}

pub async fn set_config(
    State(simulator): State<Simulator>,
    Extension(caller): Extension<Caller>,
    Json(body): Json<Value>,
) -> Answer {
    let id = caller.app()?;
    simulator.change(|world| {
        if let Some(app) = world.apps.get_mut(&id) {
            if let Some(url) = body["url"].as_str() {
                app.webhook_url = url.to_owned();
            }
            if let Some(secret) = body["secret"].as_str() {
                app.webhook_secret = secret.to_owned();
            }
        }
    });
    config(State(simulator), Extension(caller)).await
}

#[derive(Deserialize)]
pub struct Page {
    per_page: Option<usize>,
    cursor: Option<usize>,
}

pub async fn deliveries(
    State(simulator): State<Simulator>,
    Extension(caller): Extension<Caller>,
    Query(page): Query<Page>,
) -> Answer {
    let id = caller.app()?;
    let (size, from) = (page.per_page.unwrap_or(30).min(100), page.cursor.unwrap_or(0));
    let (list, more): (Vec<Value>, bool) = simulator.look(|world| {
        let own: Vec<_> =
            world.deliveries.iter().rev().filter(|one| one.app == id && one.status != "pending").collect();
        (own.iter().skip(from).take(size).map(|one| payload::delivery(one)).collect(), own.len() > from + size)
    });
    let mut response = answer(StatusCode::OK, list.into())?;
    let next =
        format!("<{}/api/v3/app/hook/deliveries?per_page={size}&cursor={}>; rel=\"next\"", simulator.home, from + size);
    if let Some(next) = HeaderValue::from_str(&next).ok().filter(|_| more) {
        response.headers_mut().insert("link", next);
    }
    Ok(response)
}

pub async fn attempt(
    State(simulator): State<Simulator>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<i64>,
) -> Answer {
    let app = caller.app()?;
    let own = simulator.look(|world| world.deliveries.iter().any(|one| one.id == id && one.app == app));
    if own && webhooks::redeliver(&simulator, id) {
        answer(StatusCode::ACCEPTED, json!({}))
    } else {
        Err(Failure::not_found())
    }
}
