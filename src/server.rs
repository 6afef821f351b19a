//! The server: which address leads where, and what every answer carries.

mod activity_export;
mod assets;
mod events;
pub mod forms;
mod github_setup;
mod health;
mod identity;
mod log_text;
mod request_id;
mod security;
mod sign_in;
mod site;
mod state;
mod webhook;

use crate::app::{App, Assets, Boot, FormsElsewhere, Watched, shell};
use crate::commands::Context;
use crate::commands::authenticate::Identity;
use crate::commands::receive_delivery::Ledger;
use crate::config::limits;
use crate::domain::person::PersonId;
use crate::domain::problem::{Problem, Thing};
use crate::domain::vendor::Vendor;
use crate::runner::engine;
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, FromRef, Request, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use forms::Flashes;
use leptos::prelude::*;
use leptos_axum::{LeptosRoutes, generate_route_list};
use request_id::{InRequest, RequestId};
use tokio::sync::watch;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::CsrfLayer;

/// What the banner of the sample says.
const SAMPLE: &str = "This is the sample: planned and applied for real, with resources that exist only in \
    Terraform's state. Whoever reaches it is signed in as its operator, and this machine alone can. Try anything.";

/// What it says besides while no program can plan anything.
fn without_engine() -> Option<String> {
    let missing = |vendor| engine::missing(vendor, "").is_some();
    let [terraform, opentofu] = [Vendor::Terraform, Vendor::OpenTofu].map(Vendor::home);
    Vendor::ALL.into_iter().all(missing).then(|| {
        format!(
            " But neither Terraform nor OpenTofu is on the path, so every run fails. Get Terraform from {terraform} and retry \
             a run; or get OpenTofu from {opentofu} and choose it in the stack's Settings > Vendor first."
        )
    })
}

/// Everything that the routes share.
#[derive(Clone, Debug)]
pub struct Server {
    context: Context,
    flashes: Flashes,
    ledger: Ledger,
    options: LeptosOptions,
    /// The person that everybody is who reaches the sample.
    operator: Option<PersonId>,
    shutdown: watch::Receiver<bool>,
}

impl FromRef<Server> for LeptosOptions {
    fn from_ref(server: &Server) -> Self {
        server.options.clone()
    }
}

/// The routes of a Headway. In the sample everybody is its operator. Event streams end when `shutdown` turns true.
pub fn router(context: Context, operator: Option<PersonId>, shutdown: watch::Receiver<bool>) -> Router {
    // Another router of this process may have said so before.
    let _ = any_spawner::Executor::init_custom_executor(InRequest);
    let mut options = LeptosOptions::builder().output_name("headway").site_addr(context.config.addr).build();
    options.reload_port = site::reload_port().unwrap_or(options.reload_port);
    let ledger = Ledger::open(context.clone());
    let server = Server { context, flashes: Flashes::default(), ledger, options, operator, shutdown };
    let pages = generate_route_list(App);
    let with_context = {
        let server = server.clone();
        move || server.provide()
    };
    Router::new()
        // The pages, each rendered whole on the server.
        .leptos_routes_with_context(&server, pages, with_context, shell)
        .fallback(missing)
        // What the pages ask for and what their forms send.
        .route("/api/{*function}", post(no_function).get(no_function))
        .layer(axum::middleware::from_fn_with_state(server.clone(), forms::answer_forms))
        .layer(DefaultBodyLimit::max(limits::FORM))
        .route("/events", get(events::events))
        .route("/activity/export", get(activity_export::export))
        .route("/stack/{stack}/run/{run}/log/{position}", get(log_text::log_text))
        // What GitHub sends, and where it leads a browser back to.
        .route("/webhooks/github", post(webhook::receive).layer(DefaultBodyLimit::max(limits::DELIVERY)))
        .route("/settings/github/callback", get(github_setup::callback))
        .route("/settings/github/installed", get(github_setup::installed))
        // Where somebody is led to be signed in, and where back.
        .route("/sign-in/github", get(sign_in::github))
        .route("/sign-in/openid", get(sign_in::openid))
        .route("/sign-in/callback", get(sign_in::callback))
        // What browsers and watchers ask for.
        .route("/pkg/{*file}", get(assets::serve))
        .route("/favicon.svg", get(assets::serve))
        .route("/robots.txt", get(assets::serve))
        .route("/icons.svg", get(assets::serve))
        .route("/health", get(health::health))
        .layer(axum::middleware::from_fn_with_state(server.clone(), identity::identify))
        .layer(CsrfLayer::new())
        .layer(CatchPanicLayer::new())
        .layer(axum::middleware::from_fn_with_state(server.clone(), security::headers))
        .layer(axum::middleware::from_fn_with_state(server.clone(), request_id::name))
        .with_state(server)
}

/// The routes that the Terraform of a run asks for, on a listener of their own that only this machine reaches. Its port
/// stays the same across restarts, because a saved plan holds the address.
pub fn state_router(context: Context) -> Router {
    Router::new()
        .route("/state/{stack}/{run}", get(state::read).post(state::write))
        .route("/state/{stack}/{run}/lock", post(state::lock).delete(state::unlock))
        .layer(DefaultBodyLimit::max(context.config.limits.state_size))
        .layer(CatchPanicLayer::new())
        .with_state(context)
}

impl Server {
    /// Gives pages and server functions what they work with.
    fn provide(&self) {
        provide_context(self.context.clone());
        let identity = use_context::<Parts>().and_then(|parts| parts.extensions.get::<Identity>().cloned());
        let identity = identity.unwrap_or_default();
        provide_context(identity.clone());
        let uri = use_context::<Parts>().map(|parts| parts.uri).unwrap_or_default();
        let query = uri.query().unwrap_or_default();
        if uri.path() == "/settings/github"
            && let Some(origin) = github_setup::web_origin(query)
        {
            provide_context(FormsElsewhere(origin));
        }
        let flash = self.flashes.find(query);
        let request = use_context::<Parts>().and_then(|parts| parts.extensions.get::<RequestId>().cloned());
        let request = request.unwrap_or_default();
        if let (Some(flash), Some(response)) = (&flash, use_context::<leptos_axum::ResponseOptions>()) {
            response.set_status(crate::app::status(&flash.problem));
        }
        let config = &self.context.config;
        provide_context(Boot {
            viewer: identity.viewer.as_ref().map(|viewer| viewer.name.clone()),
            role: identity.viewer.and_then(|viewer| viewer.role),
            sample: config.sample.then(|| SAMPLE.to_owned() + &without_engine().unwrap_or_default()),
            sample_github: config.sample_github.clone().filter(|_| config.sample),
            icons: assets::path("icons.svg").unwrap_or_default().to_owned(),
            request: request.0,
            flash,
        });
        if site::reload_port().is_some() {
            provide_context(Watched(self.options.clone()));
        }
        provide_context(Assets {
            script: assets::path("headway.js"),
            module: assets::path("headway.wasm"),
            style: assets::path("headway.css"),
        });
    }
}

/// What no server function is called: the routes of those that there are stand with the pages.
async fn no_function(request: Request) -> Response {
    identity::refuse(request.headers(), &Problem::NotFound(Thing::Page))
}

/// Whatever no route knows: the page that says so.
async fn missing(State(server): State<Server>, request: Request<Body>) -> impl IntoResponse {
    leptos_axum::render_app_async_with_context(move || server.provide(), shell)(request).await
}
