//! Events: tells an open page that something it shows has changed, by server-sent events. An event carries no facts;
//! the page reads them anew, so a lost or doubled event does no harm. On every connection the first event is `hello`:
//! whoever reconnects has missed something.

use super::Server;
use crate::commands::authenticate::Identity;
use crate::domain::permission::Viewer;
use crate::domain::{RunId, StackId};
use crate::store::Change;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use serde::Deserialize;
use std::convert::Infallible;
use std::time::Duration;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::{Stream, StreamExt as _};

/// How long a stream lasts before the browser connects anew.
const LONGEST: Duration = Duration::from_secs(300);

/// How long the browser waits before it does: so short that nobody sees it.
const AGAIN: Duration = Duration::from_millis(200);

/// What a page shows; nothing means everything.
#[derive(Debug, Deserialize)]
pub struct Topic {
    stack: Option<StackId>,
    run: Option<RunId>,
}

/// The stream of a page. It tells of nothing that the viewer may not see, and ends soon enough that a role that was taken
/// away, or a session that ended, is noticed by the next connection.
pub async fn events(
    State(server): State<Server>,
    Extension(identity): Extension<Identity>,
    Query(topic): Query<Topic>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, StatusCode> {
    let viewer = identity.viewer.ok_or(StatusCode::UNAUTHORIZED)?;
    if let Some(run) = &topic.run {
        let stack = topic.stack.as_ref().ok_or(StatusCode::BAD_REQUEST)?;
        let found = async { server.context.store.read().await?.run(stack, run).await };
        match found.await {
            Ok(Some(_)) => {}
            Ok(None) => return Err(StatusCode::NOT_FOUND),
            Err(error) => {
                tracing::error!(run.id = %run, %error, "cannot read a run");
                return Err(StatusCode::INTERNAL_SERVER_ERROR);
            }
        }
    }
    if topic.stack.as_ref().is_some_and(|stack| viewer.role_on(stack).is_none()) {
        return Err(StatusCode::NOT_FOUND);
    }
    let changes = BroadcastStream::new(server.context.store.changes());
    let news = changes.filter_map(move |change| match change {
        Ok(change) => event(&topic, &viewer, &change),
        // Some were missed: as good as a new connection.
        Err(_) => Some("hello"),
    });
    // Browsers do not pass on an event without data.
    let event = |name| Event::default().event(name).data(name).retry(AGAIN);
    let stream = tokio_stream::once("hello").chain(news).map(move |name| Ok(event(name)));
    let mut shutdown = server.shutdown.clone();
    let ending = async move {
        // An error means that the server is gone already.
        let _ = tokio::time::timeout(LONGEST, shutdown.wait_for(|ends| *ends)).await;
    };
    let stream = futures::StreamExt::take_until(stream, Box::pin(ending));
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

fn event(topic: &Topic, viewer: &Viewer, change: &Change) -> Option<&'static str> {
    let is_stack =
        |stack: &StackId| topic.stack.as_ref().is_none_or(|wanted| wanted == stack) && viewer.role_on(stack).is_some();
    match change {
        Change::Stack(stack) => is_stack(stack).then_some("changed"),
        Change::Run(stack, _) => is_stack(stack).then_some("changed"),
        // Only what stands above the pages of a stack says when it was fetched.
        Change::Fetch(stack) => (topic.stack.is_some() && topic.run.is_none() && is_stack(stack)).then_some("changed"),
        // Pages that listen to no stack show it.
        Change::Github | Change::People => topic.stack.is_none().then_some("changed"),
        Change::Log(run) => topic.run.as_ref().is_some_and(|wanted| wanted == run).then_some("log"),
    }
}
