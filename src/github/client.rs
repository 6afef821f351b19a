//! One request to GitHub: who asks, what it may cost, and what the answer means.
//!
//! Redirects are followed only where the API itself stands, so that no token leaves for elsewhere; an answer is read up
//! to 16 MiB; a token that GitHub refuses is renewed once.

use super::app::App;
use super::limits::Limits;
use super::tokens::Tokens;
use super::{GitHubError, Result};
use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::outgoing::{Outgoing, closed};
use reqwest::header::{ACCEPT, AUTHORIZATION, DATE, HeaderMap, LINK, LOCATION, USER_AGENT};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, redirect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;
use std::time::Duration;
use url::Url;

/// The most of an answer that is read, in bytes.
const MOST: usize = 16 * 1024 * 1024;
/// How many pages of a list are read.
const PAGES: usize = 50;
/// How many redirects are followed.
const REDIRECTS: usize = 3;
/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub enum Auth<'a> {
    /// Anybody, at this API.
    Nobody(&'a str),
    /// Somebody who signs in, at this API, with this token.
    User(&'a str, &'a str),
    /// The App itself.
    App(&'a App),
    /// The App in one of its installations.
    Installation(&'a App, i64),
}

impl Auth<'_> {
    fn api(&self) -> &str {
        match self {
            Self::Nobody(api) | Self::User(api, _) => api,
            Self::App(app) | Self::Installation(app, _) => &app.api,
        }
    }
}

/// The client; cheap to clone. It keeps the installations' tokens in memory only.
#[derive(Clone)]
pub struct GitHub {
    http: Client,
    outgoing: Outgoing,
    pub(super) clock: Clock,
    pub(super) tokens: Tokens,
    pub(super) limits: Limits,
}

impl fmt::Debug for GitHub {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("GitHub")
    }
}

impl GitHub {
    /// A client that tells the time by this clock.
    pub fn new(clock: Clock, outgoing: Outgoing) -> std::result::Result<Self, reqwest::Error> {
        let builder = Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .timeout(PATIENCE);
        let http = outgoing.client(builder)?;
        Ok(Self { http, outgoing, clock, tokens: Tokens::default(), limits: Limits::default() })
    }

    /// Asks for one thing.
    pub(super) async fn ask<T: DeserializeOwned>(&self, auth: Auth<'_>, method: Method, path: &str) -> Result<T> {
        let answer = self.send(auth, &method, path, None).await?;
        read(answer.body)
    }

    /// Sends a body and reads the answer.
    pub(super) async fn tell<T: DeserializeOwned>(
        &self,
        auth: Auth<'_>,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T> {
        let body = serde_json::to_value(body).map_err(|error| GitHubError::Refused(error.to_string()))?;
        let answer = self.send(auth, &method, path, Some(&body)).await?;
        read(answer.body)
    }

    /// Asks for every page of a list; `items` takes the list out of a page.
    pub(super) async fn ask_all<P: DeserializeOwned, T>(
        &self,
        auth: Auth<'_>,
        path: &str,
        items: impl Fn(P) -> Vec<T>,
    ) -> Result<Vec<T>> {
        let mut all = Vec::new();
        let mut next = Some(path.to_owned());
        for _ in 0..PAGES {
            let Some(path) = next else { break };
            let answer = self.send(auth, &Method::GET, &path, None).await?;
            next = answer.next.and_then(|address| address.strip_prefix(auth.api()).map(str::to_owned));
            all.extend(items(read(answer.body)?));
        }
        Ok(all)
    }

    /// One page of a list, and the path of the next.
    pub(super) async fn ask_page<T: DeserializeOwned>(
        &self,
        auth: Auth<'_>,
        path: &str,
    ) -> Result<(T, Option<String>)> {
        let answer = self.send(auth, &Method::GET, path, None).await?;
        let next = answer.next.and_then(|address| address.strip_prefix(auth.api()).map(str::to_owned));
        Ok((read(answer.body)?, next))
    }

    /// Begins a request to an address that Headway connects to.
    pub(super) fn request(&self, method: Method, address: &str) -> Result<RequestBuilder> {
        let url = Url::parse(address).map_err(|_| GitHubError::Refused("its address cannot be understood".into()))?;
        self.outgoing.judge(&url)?;
        Ok(self.http.request(method, url).header(USER_AGENT, concat!("headway/", env!("CARGO_PKG_VERSION"))))
    }

    async fn send(&self, auth: Auth<'_>, method: &Method, path: &str, body: Option<&Value>) -> Result<Answer> {
        let mut renewed = false;
        let mut address = format!("{}{path}", auth.api());
        let mut redirects = 0;
        loop {
            if let Auth::Installation(_, id) = auth {
                self.limits.wait(id, method != Method::GET, self.clock.now()).await?;
            }
            let mut request = self
                .request(method.clone(), &address)?
                .header(ACCEPT, "application/vnd.github+json")
                .header("x-github-api-version", "2022-11-28");
            request = match auth {
                Auth::Nobody(_) => request,
                Auth::User(_, token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
                Auth::App(app) => request.header(AUTHORIZATION, format!("Bearer {}", app.proof(self.clock.now())?)),
                Auth::Installation(app, id) => {
                    request.header(AUTHORIZATION, format!("Bearer {}", Box::pin(self.token(app, id)).await?))
                }
            };
            if let Some(body) = body {
                request = request.json(body);
            }
            let response = request.send().await.map_err(|error| unreachable(&error))?;
            let (status, headers) = (response.status(), response.headers().clone());
            if let Auth::Installation(_, id) = auth {
                self.limits.note(id, &headers, self.clock.now());
            }
            if status.is_redirection() && redirects < REDIRECTS {
                redirects += 1;
                address = target(auth.api(), &headers)?;
                continue;
            }
            if status == StatusCode::UNAUTHORIZED
                && let Auth::Installation(app, id) = auth
                && !renewed
            {
                renewed = true;
                self.tokens.forget(app.id, id);
                continue;
            }
            let text = body_of(response).await?;
            if status.is_success() {
                return Ok(Answer { body: text, next: next(&headers) });
            }
            let error = failure(status, &headers, &text, self.clock.now());
            if let (Auth::Installation(_, id), GitHubError::Limited { until }) = (auth, &error) {
                self.limits.pause(id, *until);
            }
            return Err(error);
        }
    }
}

struct Answer {
    body: String,
    next: Option<String>,
}

fn read<T: DeserializeOwned>(body: String) -> Result<T> {
    let body = if body.is_empty() { "null".to_owned() } else { body };
    serde_json::from_str(&body).map_err(|error| GitHubError::Broken(format!("something unexpected ({error})")))
}

/// What went wrong on the way, without the address: it may be long, and says nothing that the message does not.
pub(super) fn unreachable(error: &reqwest::Error) -> GitHubError {
    if let Some(closed) = closed(error) {
        return closed.into();
    }
    let why = if error.is_timeout() {
        "it did not answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    };
    GitHubError::Unreachable(why.into())
}

pub(super) async fn body_of(mut response: Response) -> Result<String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MOST {
            return Err(GitHubError::Broken("more than 16 MiB".into()));
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Where a redirect leads, as long as it stays at the API.
fn target(api: &str, headers: &HeaderMap) -> Result<String> {
    let elsewhere = || GitHubError::Broken("a redirect to elsewhere".into());
    let location = text(headers, LOCATION.as_str()).ok_or_else(elsewhere)?;
    let address = Url::parse(api).and_then(|api| api.join(&location)).map_err(|_| elsewhere())?.to_string();
    let inside = address.strip_prefix(api).is_some_and(|rest| rest.starts_with('/'));
    if inside { Ok(address) } else { Err(elsewhere()) }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// The address of the next page, from the `Link` header.
fn next(headers: &HeaderMap) -> Option<String> {
    let links = text(headers, LINK.as_str())?;
    let next = links.split(',').find(|link| link.contains("rel=\"next\""))?;
    Some(next.split_once('<')?.1.split_once('>')?.0.to_owned())
}

/// What a failure means (REST, Best practices and Rate limits).
fn failure(status: StatusCode, headers: &HeaderMap, body: &str, now: Timestamp) -> GitHubError {
    let answer: Value = serde_json::from_str(body).unwrap_or_default();
    let message = answer["message"].as_str().unwrap_or_default();
    let number = |name: &str| text(headers, name).and_then(|value| value.trim().parse::<i64>().ok());
    let limited = status == StatusCode::TOO_MANY_REQUESTS
        || (status == StatusCode::FORBIDDEN
            && (number("retry-after").is_some()
                || number("x-ratelimit-remaining") == Some(0)
                || message.contains("rate limit")));
    if limited {
        let until = match (number("retry-after"), number("x-ratelimit-remaining"), number("x-ratelimit-reset")) {
            (Some(seconds), _, _) => now.plus(seconds.clamp(1, 3600) * 1000),
            (None, Some(0), Some(at)) => Timestamp((at * 1000).clamp(now.0 + 1000, now.0 + 3_700_000)),
            (None, _, _) => now.plus(60_000),
        };
        return GitHubError::Limited { until };
    }
    let errors: Vec<String> = answer["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|error| error["message"].as_str().or(error.as_str()).map_or_else(|| error.to_string(), str::to_owned))
        .collect();
    let said: String = [message.to_owned(), errors.join("; ")]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(": ")
        .chars()
        .take(300)
        .collect();
    match status {
        StatusCode::UNAUTHORIZED => GitHubError::Unauthorized(format!("{said}{}", skew(headers, now))),
        StatusCode::FORBIDDEN => GitHubError::Forbidden(said),
        StatusCode::NOT_FOUND | StatusCode::GONE => GitHubError::NotFound,
        status if status.is_client_error() => GitHubError::Refused(format!("{} {said}", status.as_u16())),
        status => GitHubError::Broken(status.to_string()),
    }
}

/// A clock that is off is the usual reason for a proof that is not accepted.
fn skew(headers: &HeaderMap, now: Timestamp) -> String {
    let theirs = text(headers, DATE.as_str()).and_then(|date| jiff::fmt::rfc2822::parse(&date).ok());
    let off = theirs.map_or(0, |date| now.0 / 1000 - date.timestamp().as_second());
    if off.abs() < 30 { String::new() } else { format!(" (this machine's clock is {off} seconds off GitHub's)") }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn a_limit_says_until_when() {
        let now = Timestamp(1_000_000);
        for (status, sent, body, until) in [
            (403, vec![("retry-after", "30")], "{}", 1_030_000),
            (429, vec![], "<html>", 1_060_000),
            (403, vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1100")], "{}", 1_100_000),
            (403, vec![], r#"{"message":"You have exceeded a secondary rate limit"}"#, 1_060_000),
            // A clock that is off must not make Headway wait for days, or not at all.
            (403, vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "99999999")], "{}", 4_700_000),
            (403, vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1")], "{}", 1_001_000),
        ] {
            let failed = failure(StatusCode::from_u16(status).unwrap(), &headers(&sent), body, now);
            assert_eq!(failed, GitHubError::Limited { until: Timestamp(until) }, "{status} {sent:?}");
        }
    }

    #[test]
    fn a_failure_has_its_meaning() {
        let failed =
            |status: u16, body| failure(StatusCode::from_u16(status).unwrap(), &headers(&[]), body, Timestamp(0));
        assert!(matches!(failed(401, "{}"), GitHubError::Unauthorized(_)));
        assert_eq!(failed(403, r#"{"message":"no"}"#), GitHubError::Forbidden("no".into()));
        assert_eq!(failed(404, "<html>"), GitHubError::NotFound);
        assert_eq!(
            failed(422, r#"{"message":"Invalid","errors":[{"message":"too long"},"b"]}"#),
            GitHubError::Refused("422 Invalid: too long; b".into())
        );
        assert!(failed(502, "").is_passing() && failed(500, "{").is_passing());
        let skewed =
            failure(StatusCode::UNAUTHORIZED, &headers(&[("date", "Thu, 01 Jan 1970 00:10:00 GMT")]), "", Timestamp(0));
        assert!(skewed.to_string().contains("-600 seconds off"), "{skewed}");
    }

    #[test]
    fn a_redirect_stays_at_the_api() {
        let api = "https://host/api/v3";
        let to = |location| target(api, &headers(&[("location", location)]));
        assert_eq!(to("/api/v3/repositories/1").unwrap(), "https://host/api/v3/repositories/1");
        for elsewhere in ["https://evil.example/api/v3/x", "//evil.example/", "/login", "https://host/api/v3.evil/"] {
            assert!(to(elsewhere).is_err(), "{elsewhere}");
        }
    }

    #[test]
    fn the_next_page_is_found() {
        let links = r#"<https://h/a?page=1>; rel="prev", <https://h/a?page=3>; rel="next""#;
        assert_eq!(next(&headers(&[("link", links)])).as_deref(), Some("https://h/a?page=3"));
        assert_eq!(next(&headers(&[])), None);
    }
}
