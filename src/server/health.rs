//! Health: whether Headway can read its database. Says nothing else to anybody.

use super::Server;
use axum::extract::State;
use axum::http::StatusCode;

/// 200 `ok`, or 503.
pub async fn health(State(server): State<Server>) -> (StatusCode, &'static str) {
    let read = async { server.context.store.read().await?.open_run_ids().await };
    match read.await {
        Ok(_) => (StatusCode::OK, "ok"),
        Err(error) => {
            tracing::error!(%error, "unhealthy");
            (StatusCode::SERVICE_UNAVAILABLE, "the database cannot be read")
        }
    }
}
