//! Events: tells an open page that something it shows has changed, by server-sent events. An event carries no facts;
//! the page reads them anew, so a lost or doubled event does no harm. On every connection the first event is `hello`:
//! whoever reconnects has missed something.

use super::Server;
use crate::domain::{RunId, StackId};
use crate::store::Change;
use axum::extract::{Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use serde::Deserialize;
use std::convert::Infallible;
use std::time::Duration;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::{Stream, StreamExt as _};

/// What a page shows; nothing means everything.
#[derive(Debug, Deserialize)]
pub struct Topic {
    stack: Option<StackId>,
    run: Option<RunId>,
}

/// The stream of a page.
pub async fn events(
    State(server): State<Server>,
    Query(topic): Query<Topic>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = BroadcastStream::new(server.context.store.changes());
    let news = changes.filter_map(move |change| match change {
        Ok(change) => event(&topic, &change),
        // Some were missed: as good as a new connection.
        Err(_) => Some("hello"),
    });
    // Browsers do not pass on an event without data.
    let stream = tokio_stream::once("hello").chain(news).map(|name| Ok(Event::default().event(name).data(name)));
    let mut shutdown = server.shutdown.clone();
    let ending = async move {
        // An error means that the server is gone already.
        let _ = shutdown.wait_for(|ends| *ends).await;
    };
    let stream = futures::StreamExt::take_until(stream, Box::pin(ending));
    Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}

fn event(topic: &Topic, change: &Change) -> Option<&'static str> {
    let is_stack = |stack: &StackId| topic.stack.as_ref().is_none_or(|wanted| wanted == stack);
    match change {
        Change::Stack(stack) => is_stack(stack).then_some("changed"),
        Change::Run(stack, _) => is_stack(stack).then_some("changed"),
        // Pages that listen to no stack show it.
        Change::Github => topic.stack.is_none().then_some("changed"),
        Change::Log(run) => topic.run.as_ref().is_some_and(|wanted| wanted == run).then_some("log"),
    }
}
