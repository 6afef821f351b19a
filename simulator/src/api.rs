//! The REST API: who asks, whether they may, and GitHub's way of saying no.

pub mod apps;
mod checks;
mod comments;
mod deployments;
mod hook;
mod repositories;

use crate::limits::HOURLY;
use crate::state::{Repository, Requested, Simulator, clock, random};
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post};
use axum::{Json, Router};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::PoisonError;

/// The routes, under `/api/v3` as on GitHub Enterprise Server.
pub fn router(simulator: Simulator) -> Router<Simulator> {
    Router::new()
        .route("/app", get(apps::app))
        .route("/app/installations", get(apps::installations))
        .route("/app/installations/{id}", get(apps::installation))
        .route("/app/installations/{id}/access_tokens", post(apps::token))
        .route("/app/hook/config", get(hook::config).patch(hook::set_config))
        .route("/app/hook/deliveries", get(hook::deliveries))
        .route("/app/hook/deliveries/{id}/attempts", post(hook::attempt))
        .route("/app-manifests/{code}/conversions", post(apps::convert))
        .route("/installation/repositories", get(repositories::of_installation))
        .route("/user", get(apps::user))
        .route("/repositories/{id}", get(repositories::by_id))
        .route("/repos/{owner}/{name}", get(repositories::one))
        .route("/repos/{owner}/{name}/branches", get(repositories::branches))
        .route("/repos/{owner}/{name}/pulls", get(repositories::pulls))
        .route("/repos/{owner}/{name}/pulls/{number}", get(repositories::pull))
        .route("/repos/{owner}/{name}/collaborators/{login}/permission", get(repositories::permission))
        .route("/repos/{owner}/{name}/check-runs", post(checks::create))
        .route("/repos/{owner}/{name}/check-runs/{id}", patch(checks::update).get(checks::one))
        .route("/repos/{owner}/{name}/commits/{sha}/check-runs", get(checks::of_commit))
        .route("/repos/{owner}/{name}/deployments", get(deployments::list).post(deployments::create))
        .route("/repos/{owner}/{name}/deployments/{id}/statuses", get(deployments::statuses).post(deployments::say))
        .route("/repos/{owner}/{name}/issues/{number}/comments", get(comments::list).post(comments::create))
        .route("/repos/{owner}/{name}/issues/comments/{id}", patch(comments::update))
        .fallback(async || Failure::not_found())
        .layer(from_fn_with_state(simulator, around))
}

/// GitHub's way of saying no.
#[derive(Debug)]
pub struct Failure {
    status: u16,
    message: String,
    errors: Vec<String>,
    headers: Vec<(&'static str, String)>,
}

impl Failure {
    /// A failure with this status.
    pub fn new(status: u16, message: &str) -> Self {
        Self { status, message: message.to_owned(), errors: Vec::new(), headers: Vec::new() }
    }

    /// There is no such thing, or who asks may not know.
    pub fn not_found() -> Self {
        Self::new(404, "Not Found")
    }

    /// The body breaks these rules.
    pub fn invalid(errors: Vec<String>) -> Self {
        Self { errors, ..Self::new(422, "Validation Failed") }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut body = json!({ "message": self.message, "documentation_url": "https://docs.github.com/rest" });
        if !self.errors.is_empty() {
            body["errors"] = self.errors.iter().map(|error| json!({ "message": error })).collect();
        }
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(body)).into_response();
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// What every handler answers.
pub type Answer = Result<Response, Failure>;

/// An answer in JSON.
pub fn answer(status: StatusCode, body: Value) -> Answer {
    Ok((status, Json(body)).into_response())
}

/// What every request goes through: the log, faults, GitHub's published description of bodies.
async fn around(State(simulator): State<Simulator>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = request.uri().path().trim_start_matches("/api/v3").to_owned();
    let fault = simulator.faults.take(method.as_str(), &path);
    if let Some(fault) = &fault {
        fault.wait().await;
    }
    let after = fault.as_ref().is_some_and(|fault| fault.after);
    let instead = fault.as_ref().and_then(crate::faults::Fault::answer);
    let mut response = match instead {
        Some(instead) if !after => instead,
        instead => {
            let done = checked(&simulator, &method, &path, request, next).await.unwrap_or_else(Failure::into_response);
            instead.unwrap_or(done)
        }
    };
    if let Some(fault) = &fault {
        fault.set_headers(&mut response);
    }
    simulator.note(Requested { method: method.to_string(), path, status: response.status().as_u16() });
    if let Ok(id) = HeaderValue::from_str(&random(8)) {
        response.headers_mut().insert("x-github-request-id", id);
    }
    response
}

async fn checked(simulator: &Simulator, method: &Method, path: &str, request: Request, next: Next) -> Answer {
    if !request.headers().contains_key(USER_AGENT) {
        return Err(Failure::new(403, "Request forbidden by administrative rules. A User-Agent header is needed."));
    }
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, 4 * 1024 * 1024).await.map_err(|_| Failure::new(413, "Payload too large"))?;
    if !bytes.is_empty() {
        let body: Value = serde_json::from_slice(&bytes).map_err(|_| Failure::new(400, "Problems parsing JSON"))?;
        crate::contract::request(method.as_str(), path, &body).map_err(Failure::invalid)?;
    }
    let caller = authenticate(simulator, &parts.headers)?;
    let mut left = None;
    if let Caller::Installation(id) = caller {
        let writes = *method != Method::GET;
        match simulator.limits.count(id, writes) {
            Ok(remaining) => left = Some(remaining),
            Err(seconds) => {
                let mut failure =
                    Failure::new(403, "You have exceeded a secondary rate limit. Please wait a few minutes.");
                failure.headers.push(("retry-after", seconds.to_string()));
                return Err(failure);
            }
        }
    }
    let mut request = Request::from_parts(parts, Body::from(bytes));
    request.extensions_mut().insert(caller);
    let mut response = next.run(request).await;
    if let Some(left) = left {
        let reset = clock().as_second() / 3600 * 3600 + 3600;
        for (name, value) in [
            ("x-ratelimit-limit", HOURLY.to_string()),
            ("x-ratelimit-remaining", left.to_string()),
            ("x-ratelimit-used", (HOURLY - left).to_string()),
            ("x-ratelimit-reset", reset.to_string()),
            ("x-ratelimit-resource", "core".to_owned()),
        ] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
    }
    Ok(response)
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Anybody.
    Nobody,
    /// An App, by its key.
    App(i64),
    /// An App in an installation.
    Installation(i64),
    /// A person, by their id.
    User(i64),
}

impl Caller {
    /// The App, or a refusal.
    pub fn app(self) -> Result<i64, Failure> {
        match self {
            Self::App(app) => Ok(app),
            Self::Nobody | Self::Installation(_) | Self::User(_) => {
                Err(Failure::new(401, "A JSON web token could not be decoded"))
            }
        }
    }

    /// The installation, or a refusal.
    pub fn installation(self) -> Result<i64, Failure> {
        match self {
            Self::Installation(id) => Ok(id),
            Self::Nobody => Err(Failure::new(401, "Requires authentication")),
            Self::App(_) | Self::User(_) => {
                Err(Failure::new(403, "You must authenticate with an installation access token"))
            }
        }
    }
}

#[derive(Deserialize)]
struct Claims {
    iat: i64,
    exp: i64,
    iss: Value,
}

fn authenticate(simulator: &Simulator, headers: &HeaderMap) -> Result<Caller, Failure> {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(header) = header else { return Ok(Caller::Nobody) };
    let bad = || Failure::new(401, "Bad credentials");
    let token = header.strip_prefix("Bearer ").or_else(|| header.strip_prefix("token ")).ok_or_else(bad)?;
    if token.starts_with("ghs_") {
        let tokens = simulator.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        return tokens.get(token).map(|id| Caller::Installation(*id)).ok_or_else(bad);
    }
    if token.starts_with("ghu_") {
        let tokens = simulator.user_tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let login = tokens.get(token).cloned().ok_or_else(bad)?;
        return simulator.look(|world| world.users.get(&login).map(|id| Caller::User(*id))).ok_or_else(bad);
    }
    let undecoded = || Failure::new(401, "A JSON web token could not be decoded");
    decode_header(token).map_err(|_| undecoded())?;
    let apps: Vec<_> = simulator.look(|world| world.apps.values().filter(|app| !app.revoked).cloned().collect());
    let now = clock().as_second();
    for app in apps {
        let Some(key) = crate::api::apps::public_key(&app.private_key) else { continue };
        let mut validation = Validation::new(Algorithm::RS256);
        // Told apart below, as GitHub does.
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        let Ok(data) = decode::<Claims>(token, &DecodingKey::from_rsa_der(&key), &validation) else { continue };
        let Claims { iat, exp, iss } = data.claims;
        let issuer = iss.as_str().map_or_else(|| iss.to_string(), str::to_owned);
        if issuer != app.id.to_string() && issuer != app.client_id {
            continue;
        }
        if exp <= now {
            return Err(Failure::new(
                401,
                "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
            ));
        }
        if exp > now + 600 {
            return Err(Failure::new(401, "'Expiration time' claim ('exp') is too far in the future"));
        }
        if iat > now + 5 {
            return Err(Failure::new(
                401,
                "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
            ));
        }
        return Ok(Caller::App(app.id));
    }
    Err(undecoded())
}

/// The repository that an installation may use with this right; one that it may not know of is not found.
pub fn permitted(
    simulator: &Simulator,
    caller: Caller,
    owner: &str,
    name: &str,
    (right, level): (&str, &str),
) -> Result<(Repository, i64), Failure> {
    let id = caller.installation()?;
    simulator.look(|world| {
        let installation = world.installations.get(&id).ok_or_else(|| Failure::new(401, "Bad credentials"))?;
        if let Some(moved) = world.formerly(owner, name).filter(|_| world.named(owner, name).is_none()) {
            let location = format!("{}/api/v3/repositories/{}", simulator.home, moved.id);
            let mut failure = Failure::new(301, "Moved Permanently");
            failure.headers.push(("location", location));
            return Err(failure);
        }
        let repository = world.named(owner, name).ok_or_else(Failure::not_found)?;
        if !world.installations_of(repository).iter().any(|one| one.id == id) {
            return Err(Failure::not_found());
        }
        let has = installation.permissions.get(right).is_some_and(|given| given == level || given == "write");
        if has {
            Ok((repository.clone(), installation.app))
        } else {
            Err(Failure::new(403, "Resource not accessible by integration"))
        }
    })
}
