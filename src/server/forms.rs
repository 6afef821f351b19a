//! Forms without JavaScript: a form is sent to the same server function that the client calls, and the answer becomes a
//! redirect to the page that shows it.
//!
//! What was refused, and what had been typed, waits under a random name for that one page, so that nothing is lost and
//! no crafted link can make a page say anything.

use super::Server;
use super::request_id::RequestId;
use crate::app::flash::Flash;
use crate::config::limits;
use crate::domain::problem::Problem;
use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, REFERER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// How many refusals wait for their page at most; the oldest goes first.
const KEPT: usize = 500;

/// The query parameter that names a refusal.
const PARAMETER: &str = "problem";

/// The query parameter by which a page says that it was saved.
const SAVED: &str = "saved";

/// The refusals that wait for their page.
#[derive(Clone, Debug, Default)]
pub struct Flashes(Arc<Mutex<VecDeque<(String, Flash)>>>);

impl Flashes {
    fn keep(&self, flash: Flash) -> Result<String, getrandom::Error> {
        let mut random = [0; 16];
        getrandom::fill(&mut random)?;
        let id = format!("{:032x}", u128::from_be_bytes(random));
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back((id.clone(), flash));
        if kept.len() > KEPT {
            kept.pop_front();
        }
        Ok(id)
    }

    /// Leads to a page that tells this problem.
    pub fn lead_to(&self, page: &str, problem: Problem) -> Response {
        self.see_refusal(page, Flash::new(String::new(), problem, Vec::new()))
    }

    fn see_refusal(&self, page: &str, flash: Flash) -> Response {
        match self.keep(flash) {
            Ok(id) => {
                let separator = if page.contains('?') { '&' } else { '?' };
                see(&format!("{page}{separator}{PARAMETER}={id}"))
            }
            Err(error) => {
                tracing::error!(%error, "no randomness for a refusal's name");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }

    /// The refusal that a page's query names.
    pub fn find(&self, query: &str) -> Option<Flash> {
        let (_, id) = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == PARAMETER)?;
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(kept, _)| *kept == id).map(|(_, flash)| flash.clone())
    }
}

/// Answers what plain forms send; lets everything else pass.
pub async fn answer_forms(State(server): State<Server>, request: Request, next: Next) -> Response {
    let sent = request.method() == Method::POST && request.uri().path().starts_with("/api/");
    let length = header(request.headers(), CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
    if sent && length.is_some_and(|length| length > limits::FORM) {
        return too_large(request.headers());
    }
    let plain = sent && header(request.headers(), ACCEPT).is_some_and(|accept| accept.contains("text/html"));
    if !plain {
        return next.run(request).await;
    }
    let action = request.uri().path().to_owned();
    let origin = page_before(request.headers());
    let id = request.extensions().get::<RequestId>().cloned().unwrap_or_default();
    let (mut parts, body) = request.into_parts();
    let Ok(sent) = to_bytes(body, limits::FORM).await else {
        return too_large(&parts.headers);
    };
    parts.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let answer = next.run(Request::from_parts(parts, Body::from(sent.clone()))).await;

    if answer.status().is_success() {
        let to = header(answer.headers(), LOCATION).unwrap_or_else(|| origin.clone());
        let mut led = see(&to);
        for cookie in answer.headers().get_all(SET_COOKIE) {
            led.headers_mut().append(SET_COOKIE, cookie.clone());
        }
        return led;
    }
    let json = header(answer.headers(), CONTENT_TYPE).is_some_and(|kind| kind.starts_with("application/json"));
    let problem = if json {
        let told = to_bytes(answer.into_body(), limits::FORM).await.unwrap_or_default();
        serde_json::from_slice(&told).unwrap_or(Problem::UNAVAILABLE)
    } else {
        Problem::Malformed
    };
    let fields = url::form_urlencoded::parse(&sent).into_owned().collect();
    server.flashes.see_refusal(&origin, Flash::new(action, problem.in_request(&id.0), fields))
}

fn too_large(headers: &HeaderMap) -> Response {
    let said = "This is more than a form may hold: 256 KiB.";
    // What was not read stands in the way of whatever comes next on the connection.
    let ends = [(CONNECTION, "close")];
    if header(headers, ACCEPT).is_some_and(|accept| accept.contains("text/html")) {
        (StatusCode::PAYLOAD_TOO_LARGE, ends, format!("{said} Go back and shorten it.")).into_response()
    } else {
        let problem = Problem::field("", format!("{said} Shorten it."));
        (StatusCode::PAYLOAD_TOO_LARGE, ends, Json(problem)).into_response()
    }
}

fn see(page: &str) -> Response {
    match HeaderValue::from_str(page) {
        Ok(location) => (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// The page that the form stood on, without what an earlier form was answered; only its path, so that a redirect stays
/// here.
fn page_before(headers: &HeaderMap) -> String {
    let referer = header(headers, REFERER).and_then(|referer| referer.parse::<Uri>().ok());
    let Some(referer) = referer else { return "/".into() };
    let kept: Vec<(String, String)> = url::form_urlencoded::parse(referer.query().unwrap_or_default().as_bytes())
        .into_owned()
        .filter(|(name, _)| name != PARAMETER && name != SAVED)
        .collect();
    let path = format!("/{}", referer.path().trim_start_matches('/'));
    if kept.is_empty() {
        return path;
    }
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish();
    format!("{path}?{query}")
}

fn header(headers: &HeaderMap, name: axum::http::HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_form_leads_back_to_its_own_page_and_never_elsewhere() {
        for (referer, expected) in [
            ("http://here:3000/stack/a", "/stack/a"),
            ("http://here/stack/a?log=2&problem=abc", "/stack/a?log=2"),
            ("http://here/stack/a?problem=abc", "/stack/a"),
            ("http://here/stack/a?saved=17&log=2", "/stack/a?log=2"),
            ("http://here//evil.example/x", "/evil.example/x"),
            ("nonsense with spaces", "/"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(REFERER, HeaderValue::from_str(referer).unwrap());
            assert_eq!(page_before(&headers), expected, "{referer}");
        }
        assert_eq!(page_before(&HeaderMap::new()), "/");
    }

    #[test]
    fn a_refusal_is_found_by_its_name_only_and_the_oldest_gives_way() {
        let flashes = Flashes::default();
        let flash = Flash::new("/api/x".into(), Problem::UNAVAILABLE, Vec::new());
        let first = flashes.keep(flash.clone()).unwrap();
        assert_eq!(flashes.find(&format!("a=1&problem={first}")), Some(flash.clone()));
        assert_eq!(flashes.find("problem="), None);
        for _ in 0..KEPT {
            flashes.keep(flash.clone()).unwrap();
        }
        assert_eq!(flashes.find(&format!("problem={first}")), None);
    }
}
