//! The name of a request: its lines in the log have it, its answer has it as a header, and whatever went wrong tells it and
//! nothing else.

use super::Server;
use crate::domain::problem::Problem;
use any_spawner::{CustomExecutor, PinnedFuture, PinnedLocalFuture};
use axum::Json;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tracing::Instrument as _;

/// The header that has it.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// More than a problem takes, in bytes.
const MOST: usize = 64 * 1024;

/// The name of a request.
#[derive(Clone, Debug, Default)]
pub struct RequestId(pub String);

/// Runs what a page spawns on tokio, as a part of the request that it is rendered for.
#[derive(Debug)]
pub struct InRequest;

impl CustomExecutor for InRequest {
    fn spawn(&self, work: PinnedFuture<()>) {
        tokio::spawn(work.in_current_span());
    }

    fn spawn_local(&self, work: PinnedLocalFuture<()>) {
        tokio::task::spawn_local(work.in_current_span());
    }

    fn poll_local(&self) {}
}

/// Names a request.
pub async fn name(State(server): State<Server>, mut request: Request, next: Next) -> Response {
    // What a client calls it is not taken: it would stand in the log.
    let id = server.context.ids.next(server.context.now());
    request.extensions_mut().insert(RequestId(id.clone()));
    let span = tracing::info_span!("request", request.id = id);
    let answer = next.run(request).instrument(span).await;
    let failed = answer.status() == StatusCode::INTERNAL_SERVER_ERROR;
    let mut answer = if failed { named(answer, &id).await } else { answer };
    if let Ok(value) = HeaderValue::from_str(&id) {
        answer.headers_mut().insert(HEADER, value);
    }
    answer
}

/// A failure with its name, and with nothing of what led to it. Pages have it already.
async fn named(answer: Response, id: &str) -> Response {
    let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("text/html") {
        return answer;
    }
    let json = kind.starts_with("application/json");
    let (mut parts, body) = answer.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.remove(CONTENT_TYPE);
    let told = to_bytes(body, MOST).await.unwrap_or_default();
    let problem = serde_json::from_slice(&told).unwrap_or(Problem::UNAVAILABLE).in_request(id);
    if json {
        return (parts, Json(problem)).into_response();
    }
    let cure = problem.cure().unwrap_or_default();
    (parts, format!("{} {cure}\n", problem.sentence())).into_response()
}
