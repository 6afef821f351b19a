//! The webhook: what GitHub sends is checked, kept and answered; the work comes after.
//!
//! The signature is checked over the raw bytes before anything is parsed. What is answered with 202 is on the disk.

use super::Server;
use crate::commands::authenticate::Identity;
use crate::commands::throttle::{Allowance, network};
use crate::domain::Timestamp;
use crate::domain::sealed::{Place, SealedColumn};
use crate::github::{event, signature};
use crate::store::{GithubApp, NewDelivery, Received};
use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use sha2::{Digest, Sha256};

/// How many deliveries without a good signature are counted from one address: sixty, then one a second. Good ones are not
/// held up by them.
const WRONG_SIGNATURES: Allowance = Allowance { burst: 60, every: 1_000 };

/// The longest id that is kept; GitHub's have 36 characters.
const ID: usize = 100;

/// Receives a delivery.
pub async fn receive(
    State(server): State<Server>,
    Extension(identity): Extension<Identity>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> (StatusCode, String) {
    let body = match body {
        Ok(body) => body,
        Err(cut_off) => {
            tracing::warn!(%cut_off, "a delivery did not come whole");
            return (cut_off.status(), "The body is longer than 25 MiB, or did not come whole.".into());
        }
    };
    match keep(&server, &identity.place.from, &headers, body).await {
        Ok((status, said)) => (status, said.to_owned()),
        Err(error) => {
            tracing::error!(%error, "cannot receive a delivery");
            (StatusCode::SERVICE_UNAVAILABLE, "Try again in a moment.".into())
        }
    }
}

async fn keep(
    server: &Server,
    from: &str,
    headers: &HeaderMap,
    body: Bytes,
) -> anyhow::Result<(StatusCode, &'static str)> {
    let context = &server.context;
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(app) = context.store.read().await?.github_app().await? else {
        return Ok((StatusCode::NOT_FOUND, "No GitHub App is connected."));
    };
    let secrets = secrets(server, &app, context.now());
    if !signature::is_signed(&body, header("x-hub-signature-256"), &secrets) {
        if context.throttle.take(&format!("webhook {}", network(from)), WRONG_SIGNATURES, context.now()).is_err() {
            return Ok((StatusCode::TOO_MANY_REQUESTS, "Too many deliveries without a good signature."));
        }
        let mut writing = context.store.write().await?;
        writing.signature_failed(context.now()).await?;
        writing.commit().await?;
        tracing::warn!("a delivery without a good signature was refused");
        return Ok((StatusCode::UNAUTHORIZED, "The signature is missing or wrong."));
    }
    let id = header("x-github-delivery").filter(|id| !id.is_empty() && id.len() <= ID);
    let event = header("x-github-event").filter(|event| !event.is_empty() && event.len() <= ID);
    let (Some(id), Some(event)) = (id, event) else {
        return Ok((StatusCode::BAD_REQUEST, "X-GitHub-Delivery and X-GitHub-Event are needed."));
    };
    if !header("content-type").is_some_and(|kind| kind.starts_with("application/json")) {
        let why = "Set the App's webhook to the content type application/json.";
        return Ok(unreadable(id, event, StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
    }
    let Ok((action, repository)) = event::glance(&body) else {
        return Ok(unreadable(id, event, StatusCode::BAD_REQUEST, "The body is no JSON object that can be read."));
    };
    let digest = hex::encode(Sha256::digest(&body));
    let Ok(text) = String::from_utf8(body.into()) else {
        return Ok(unreadable(id, event, StatusCode::BAD_REQUEST, "The body is not UTF-8."));
    };
    let concerns = event::concerns(event, &action);
    let (id, event) = (id.to_owned(), event.to_owned());
    let delivery = NewDelivery { id, event, action, repository, digest, body: text, concerns };
    match server.ledger.receive(delivery).await {
        Ok(Received::New) => Ok((StatusCode::ACCEPTED, "It was kept and is worked on.")),
        Ok(Received::Repeated) => Ok((StatusCode::OK, "It had come before.")),
        Err(_) => Ok((StatusCode::SERVICE_UNAVAILABLE, "Try again in a moment.")),
    }
}

/// What GitHub signed and nobody can read: its own list of deliveries shows the answer, and the log here tells of it.
fn unreadable(id: &str, event: &str, status: StatusCode, why: &'static str) -> (StatusCode, &'static str) {
    tracing::warn!(delivery.id = id, event, why, "a signed delivery cannot be read");
    (status, why)
}

/// The secrets that a delivery may be signed with: the present one, and for a day the one before.
fn secrets(server: &Server, app: &GithubApp, now: Timestamp) -> Vec<String> {
    let before = app.previous_webhook_secret.as_ref().filter(|_| app.previous_until.is_some_and(|until| until > now));
    [(SealedColumn::AppWebhookSecret, Some(&app.webhook_secret)), (SealedColumn::AppPreviousWebhookSecret, before)]
        .into_iter()
        .filter_map(|(column, sealed)| server.context.vault.open_text(&Place::app(column, app.app_id), sealed?).ok())
        .collect()
}
