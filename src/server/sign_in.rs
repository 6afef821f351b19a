//! Where a browser is led to be signed in by GitHub or a provider, and where it comes back. A cookie of ten minutes ties the
//! two together.

use super::Server;
use super::identity::cookie;
use crate::app::api::session_cookie;
use crate::commands::authenticate::Identity;
use crate::commands::sign_in_elsewhere::{Answer, Way, begin, complete};
use crate::domain::problem::Problem;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::header::{InvalidHeaderValue, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Wanted {
    #[serde(default)]
    next: String,
}

/// Leads to GitHub.
pub async fn github(
    State(server): State<Server>,
    Extension(identity): Extension<Identity>,
    Query(wanted): Query<Wanted>,
) -> Response {
    lead(&server, &identity, Way::Github, &wanted.next).await
}

/// Leads to the provider.
pub async fn openid(
    State(server): State<Server>,
    Extension(identity): Extension<Identity>,
    Query(wanted): Query<Wanted>,
) -> Response {
    lead(&server, &identity, Way::Openid, &wanted.next).await
}

async fn lead(server: &Server, identity: &Identity, way: Way, next: &str) -> Response {
    match begin(&server.context, identity, way, next).await {
        Ok(led) => go(&led.page, [session_cookie::keep_departure(&server.context.config, &led.state)]),
        Err(problem) => refuse(server, identity, problem),
    }
}

#[derive(Deserialize)]
pub struct Returned {
    #[serde(default)]
    state: String,
    #[serde(default)]
    code: String,
    error: Option<String>,
    iss: Option<String>,
}

/// Comes back.
pub async fn callback(
    State(server): State<Server>,
    Extension(identity): Extension<Identity>,
    headers: HeaderMap,
    Query(returned): Query<Returned>,
) -> Response {
    let config = &server.context.config;
    let Returned { state, code, error, iss } = returned;
    let kept = cookie(&headers, session_cookie::departure_name(config));
    let answer = Answer { state, kept, code, error, issuer: iss };
    match complete(&server.context, &identity, answer).await {
        Ok(arrived) => {
            let session = arrived.begun.map(|begun| session_cookie::keep(config, &begun.secret));
            go(&arrived.next, session.into_iter().chain([session_cookie::forget_departure(config)]))
        }
        Err(problem) => refuse(&server, &identity, problem),
    }
}

fn go(page: &str, cookies: impl IntoIterator<Item = Result<HeaderValue, InvalidHeaderValue>>) -> Response {
    let mut response = Redirect::to(page).into_response();
    for cookie in cookies {
        match cookie {
            Ok(cookie) => response.headers_mut().append(SET_COOKIE, cookie),
            Err(_) => return crate::app::status(&Problem::UNAVAILABLE).into_response(),
        };
    }
    response
}

/// Leads to the page that tells why: one's account for whoever is signed in.
fn refuse(server: &Server, identity: &Identity, problem: Problem) -> Response {
    let page = if identity.viewer.is_some() { "/account" } else { "/sign-in" };
    server.flashes.lead_to(page, problem)
}
