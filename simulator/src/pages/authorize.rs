//! Signing people in for an App: the page that asks, and the exchange of its code. Stricter than GitHub: the callback has to
//! be one of the App's, the code is lost with the first try, and PKCE is demanded.

use super::page;
use crate::api::Failure;
use crate::state::{App, Authorization, Simulator, random};
use axum::Json;
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use maud::html;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::PoisonError;

#[derive(Clone, Deserialize)]
pub struct Asked {
    client_id: String,
    redirect_uri: String,
    state: String,
    code_challenge: String,
    code_challenge_method: String,
    /// Who signs in; without it the page asks.
    #[serde(rename = "as")]
    login: Option<String>,
}

pub async fn authorize(State(simulator): State<Simulator>, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let app = of_client(&simulator, &asked.client_id).ok_or_else(Failure::not_found)?;
    if !app.callback_urls.contains(&asked.redirect_uri) {
        return Err(Failure::new(422, "The redirect_uri is not associated with this application."));
    }
    if asked.code_challenge_method != "S256" || asked.code_challenge.len() != 43 {
        return Err(Failure::new(422, "The code_challenge is missing, or not of the method S256."));
    }
    let Some(login) = asked.login.clone() else {
        let users: Vec<String> =
            simulator.look(|world| world.users.keys().filter(|login| !login.ends_with("[bot]")).cloned().collect());
        let fields = [
            ("client_id", &asked.client_id),
            ("redirect_uri", &asked.redirect_uri),
            ("state", &asked.state),
            ("code_challenge", &asked.code_challenge),
            ("code_challenge_method", &asked.code_challenge_method),
        ];
        let body = html! {
            h1 { "Authorize " (app.name) }
            form method="get" action="/login/oauth/authorize" {
                @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
                @for login in users { button name="as" value=(login) { "Continue as " (login) } " " }
            }
        };
        return Ok(page(&simulator, "Authorize", &body).into_response());
    };
    simulator.change(|world| world.user(&login));
    let code = random(10);
    let authorization =
        Authorization { app: app.id, login, redirect_uri: asked.redirect_uri.clone(), challenge: asked.code_challenge };
    let mut codes = simulator.authorizations.lock().unwrap_or_else(PoisonError::into_inner);
    codes.insert(code.clone(), authorization);
    let separator = if asked.redirect_uri.contains('?') { '&' } else { '?' };
    let page = format!("{}{separator}code={code}&state={}", asked.redirect_uri, asked.state);
    Ok(Redirect::to(&page).into_response())
}

#[derive(Deserialize)]
pub struct Exchange {
    client_id: String,
    client_secret: String,
    code: String,
    redirect_uri: String,
    #[serde(default)]
    code_verifier: String,
}

/// GitHub says no with the status 200.
pub async fn exchange(State(simulator): State<Simulator>, Form(exchange): Form<Exchange>) -> Json<Value> {
    let refused = |error: &str| Json(json!({ "error": error, "error_description": "See the documentation." }));
    let mut codes = simulator.authorizations.lock().unwrap_or_else(PoisonError::into_inner);
    let authorization = codes.remove(&exchange.code);
    drop(codes);
    let Some(app) =
        of_client(&simulator, &exchange.client_id).filter(|app| app.client_secret == exchange.client_secret)
    else {
        return refused("incorrect_client_credentials");
    };
    let Some(authorization) = authorization.filter(|authorization| authorization.app == app.id) else {
        return refused("bad_verification_code");
    };
    if authorization.redirect_uri != exchange.redirect_uri {
        return refused("redirect_uri_mismatch");
    }
    if URL_SAFE_NO_PAD.encode(Sha256::digest(exchange.code_verifier.as_bytes())) != authorization.challenge {
        return refused("bad_verification_code");
    }
    let token = format!("ghu_{}", random(18));
    let mut tokens = simulator.user_tokens.lock().unwrap_or_else(PoisonError::into_inner);
    tokens.insert(token.clone(), authorization.login);
    Json(json!({ "access_token": token, "expires_in": 28800, "token_type": "bearer", "scope": "" }))
}

fn of_client(simulator: &Simulator, client_id: &str) -> Option<App> {
    simulator.look(|world| world.apps.values().find(|app| app.client_id == client_id).cloned())
}
