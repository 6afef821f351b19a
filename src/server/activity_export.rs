//! The activity log as JSON lines, one entry a line, oldest first: to keep elsewhere, and to verify there.

use super::Server;
use crate::app::view::ActivityFilter;
use crate::commands::authenticate::Identity;
use crate::domain::StackId;
use crate::domain::permission::LookAround;
use crate::domain::problem::Problem;
use crate::queries;
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::io;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// Everything that the address asks for, as the page would show it.
pub async fn export(
    State(server): State<Server>,
    Extension(identity): Extension<Identity>,
    Query(asked): Query<ActivityFilter>,
) -> Response {
    let begun = async {
        let viewer = identity.viewer.ok_or(Problem::NotSignedIn)?;
        let stack = StackId::new(asked.stack.trim());
        let permit = server.context.permitted::<LookAround>(&viewer, &stack).await?;
        queries::export(&server.context, &permit, &asked).await
    };
    let mut export = match begun.await {
        Ok(export) => export,
        Err(problem) => return refuse(&problem),
    };
    let (sender, pieces) = mpsc::channel::<io::Result<Bytes>>(2);
    tokio::spawn(async move {
        loop {
            let piece = match export.next(&server.context.store).await {
                Ok(Some(lines)) => Ok(lines.into()),
                Ok(None) => return,
                // Broken off, so that nobody takes a part for the whole.
                Err(error) => {
                    tracing::error!(%error, "cannot export the activity log");
                    Err(io::Error::other("the export broke off"))
                }
            };
            let broken = piece.is_err();
            if sender.send(piece).await.is_err() || broken {
                return;
            }
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"headway-activity.jsonl\""),
    ];
    (headers, Body::from_stream(ReceiverStream::new(pieces))).into_response()
}

fn refuse(problem: &Problem) -> Response {
    let cure = problem.cure().unwrap_or_default();
    (crate::app::status(problem), format!("{} {cure}", problem.sentence())).into_response()
}
