//! Git over HTTP: the repositories can be fetched with an installation token, public ones by anybody. Git's own
//! `http-backend` serves them.

use crate::api::Failure;
use crate::state::Simulator;
use anyhow::Context as _;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::process::Stdio;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// The most that a fetch may ask with, in bytes.
const MOST: usize = 64 * 1024 * 1024;

/// Serves `/{owner}/{name}.git/…`; whatever else no route knows is not there.
pub async fn serve(State(simulator): State<Simulator>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let parts: Vec<&str> = path.trim_start_matches('/').splitn(3, '/').collect();
    let [owner, name, rest] = parts[..] else { return StatusCode::NOT_FOUND.into_response() };
    let Some(name) = name.strip_suffix(".git") else { return StatusCode::NOT_FOUND.into_response() };
    let repository = simulator.look(|world| world.named(owner, name).or_else(|| world.formerly(owner, name)).cloned());
    let Some(repository) = repository else { return unauthorized(request.headers()) };
    let query = request.uri().query().unwrap_or_default().to_owned();
    let fetches = rest == "git-upload-pack" || (rest == "info/refs" && query == "service=git-upload-pack");
    if !fetches {
        return StatusCode::FORBIDDEN.into_response();
    }
    if repository.private && !may_fetch(&simulator, request.headers(), repository.id) {
        return unauthorized(request.headers());
    }
    let folder = simulator.folder(&repository);
    match backend(&folder, rest, &query, request).await {
        Ok(response) => response,
        Err(error) => Failure::new(500, &format!("git: {error:#}")).into_response(),
    }
}

fn unauthorized(headers: &HeaderMap) -> Response {
    if headers.contains_key(AUTHORIZATION) {
        return (StatusCode::NOT_FOUND, "Repository not found.").into_response();
    }
    let challenge = HeaderValue::from_static("Basic realm=\"GitHub\"");
    (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, challenge)]).into_response()
}

fn may_fetch(simulator: &Simulator, headers: &HeaderMap, repository: i64) -> bool {
    let basic = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Basic "));
    let decoded = basic.and_then(|basic| STANDARD.decode(basic).ok()).and_then(|bytes| String::from_utf8(bytes).ok());
    let Some((user, token)) = decoded.as_deref().and_then(|text| text.split_once(':')) else { return false };
    if user != "x-access-token" {
        return false;
    }
    let tokens = simulator.tokens.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(installation) = tokens.get(token).copied() else { return false };
    drop(tokens);
    simulator.look(|world| {
        world.repositories.get(&repository).is_some_and(|repository| {
            world.installations_of(repository).iter().any(|one| {
                one.id == installation && one.suspended_at.is_none() && one.permissions.contains_key("contents")
            })
        })
    })
}

async fn backend(folder: &std::path::Path, rest: &str, query: &str, request: Request) -> anyhow::Result<Response> {
    let (parts, body) = request.into_parts();
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut command = Command::new("git");
    command
        .arg("http-backend")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("GIT_PROJECT_ROOT", folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("PATH_INFO", format!("/{rest}"))
        .env("QUERY_STRING", query)
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("CONTENT_TYPE", header("content-type"))
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true);
    let body = to_bytes(body, MOST).await.context("a body that is too long")?;
    let mut child = command.env("CONTENT_LENGTH", body.len().to_string()).spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // It may end before it has read everything.
        let _ = input.write_all(&body).await;
    }
    let output = child.wait_with_output().await?.stdout;
    let end = output.windows(4).position(|bytes| bytes == b"\r\n\r\n").context("it answered nothing")?;
    let (head, body) = (String::from_utf8_lossy(&output[..end]).into_owned(), output[end + 4..].to_vec());
    let mut status = StatusCode::OK;
    let mut response = Response::new(Body::from(body));
    for line in head.lines() {
        match line.split_once(": ") {
            Some(("Status", value)) => {
                status = value.split(' ').next().and_then(|code| code.parse().ok()).unwrap_or(StatusCode::OK);
            }
            Some(("Content-Type", value)) => {
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_str(value)?);
            }
            Some(_) | None => {}
        }
    }
    *response.status_mut() = status;
    Ok(response)
}
