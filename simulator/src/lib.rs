//! A small stateful GitHub over real bare Git repositories: its REST API, git over HTTP, webhooks, and the pages of a pull
//! request with working buttons. It is for tests, browser tests and the sample, and stricter than GitHub where GitHub
//! leaves something open, so that nobody relies on it.

mod api;
pub mod contract;
mod control;
mod faults;
mod git;
mod git_http;
mod limits;
mod pages;
mod payload;
mod state;
mod webhooks;

pub use state::Options;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use state::Simulator;
use tokio::net::TcpListener;

/// Serves a GitHub until it is dropped.
pub async fn serve(listener: TcpListener, options: Options) -> anyhow::Result<()> {
    let address = listener.local_addr()?;
    let simulator = Simulator::open(options, address)?;
    let router = Router::new()
        .nest("/api/v3", api::router(simulator.clone()))
        .nest("/_", control::router())
        .merge(pages::router())
        .fallback(git_http::serve)
        .layer(DefaultBodyLimit::max(64 * 1024 * 1024))
        .with_state(simulator);
    axum::serve(listener, router).await?;
    Ok(())
}
