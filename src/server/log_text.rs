//! A phase's log as plain text, whole: to save it, to search it, to read it without the page's limit.

use super::Server;
use crate::ansi;
use crate::commands::authenticate::Identity;
use crate::domain::permission::{Look, permit};
use crate::domain::problem::Problem;
use crate::domain::{RunId, StackId};
use crate::queries::removed;
use crate::store::Cleanable;
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::io;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// How many lines are read at a time.
const PIECE: i64 = 5_000;

/// The lines of one step, without colours, as they are stored at this moment.
pub async fn log_text(
    State(server): State<Server>,
    Extension(identity): Extension<Identity>,
    place: Result<Path<(StackId, RunId, i64)>, PathRejection>,
) -> Response {
    let Ok(Path((stack, run, position))) = place else {
        return (StatusCode::NOT_FOUND, "There is no such log.").into_response();
    };
    if identity.viewer.is_none_or(|viewer| permit::<Look>(&viewer, &stack).is_err()) {
        return (StatusCode::NOT_FOUND, "There is no such run.").into_response();
    }
    let found = async {
        let mut reading = server.context.store.read().await?;
        let Some(run) = reading.run(&stack, &run).await? else { return Ok::<_, Problem>(None) };
        removed(&mut reading, &run, Cleanable::Log).await.map(Some)
    };
    match found.await {
        Ok(Some(None)) => {}
        Ok(Some(Some(removed))) => return (StatusCode::GONE, removed).into_response(),
        Ok(None) => return (StatusCode::NOT_FOUND, "There is no such run.").into_response(),
        // What is wrong with the store has been logged.
        Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
    let (sender, pieces) = mpsc::channel::<io::Result<Bytes>>(2);
    tokio::spawn(async move {
        let mut from = 0;
        loop {
            let read = async { server.context.store.read().await?.log_lines(&run, position, from, PIECE).await };
            let lines = match read.await {
                Ok(found) => found.lines,
                // Broken off, so that nobody takes a part for the whole.
                Err(error) => {
                    tracing::error!(run.id = %run, %error, "cannot read a log");
                    // Whoever asked may be gone.
                    let _ = sender.send(Err(io::Error::other("the log broke off"))).await;
                    return;
                }
            };
            let text: String = lines.iter().map(|line| ansi::plain(line) + "\n").collect();
            let count = i64::try_from(lines.len()).unwrap_or(0);
            if count == 0 || sender.send(Ok(text.into())).await.is_err() {
                return;
            }
            from += count;
        }
    });
    let body = Body::from_stream(ReceiverStream::new(pieces));
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response()
}
