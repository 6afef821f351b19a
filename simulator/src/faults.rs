//! Faults that a test asks for: answers that are late, wrong or missing, and webhooks that are lost, doubled, late or in
//! another order.

use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// One fault of the API.
#[derive(Clone, Debug, Deserialize)]
pub struct Fault {
    /// The method; `*` for any.
    pub method: String,
    /// The path without `/api/v3`; `*` stands for anything.
    pub path: String,
    /// What to answer; none lets the request through, late, and sets the headers of its answer.
    pub status: Option<u16>,
    #[serde(default)]
    pub body: String,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub delay_ms: u64,
    /// Answer nothing at all.
    #[serde(default)]
    pub drop: bool,
    /// Do the work first, then answer with the fault: the caller cannot know.
    #[serde(default)]
    pub after: bool,
    /// How often; for good when it is not said.
    pub times: Option<u32>,
}

/// The faults of webhooks.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct WebhookFaults {
    /// How many of the next are lost.
    #[serde(default)]
    pub drop: u32,
    /// Each comes twice, under another id.
    #[serde(default)]
    pub duplicate: bool,
    #[serde(default)]
    pub delay_ms: u64,
    /// Those that are held come newest first.
    #[serde(default)]
    pub reorder: bool,
    /// They are kept back until this is taken away.
    #[serde(default)]
    pub hold: bool,
}

/// All faults; cheap to clone.
#[derive(Clone, Default)]
pub struct Faults {
    api: Arc<Mutex<Vec<Fault>>>,
    webhooks: Arc<Mutex<WebhookFaults>>,
}

impl Faults {
    /// Adds a fault.
    pub fn add(&self, fault: Fault) {
        self.api.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }

    /// Takes every fault of the API away.
    pub fn clear(&self) {
        self.api.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The fault of this request, counted.
    pub fn take(&self, method: &str, path: &str) -> Option<Fault> {
        let mut faults = self.api.lock().unwrap_or_else(PoisonError::into_inner);
        let place = faults.iter().position(|fault| {
            (fault.method == "*" || fault.method.eq_ignore_ascii_case(method)) && fits(&fault.path, path)
        })?;
        let fault = faults[place].clone();
        match &mut faults[place].times {
            Some(times) if *times > 1 => *times -= 1,
            Some(_) => {
                faults.remove(place);
            }
            None => {}
        }
        Some(fault)
    }

    /// The faults of webhooks.
    pub fn webhooks(&self) -> WebhookFaults {
        self.webhooks.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets the faults of webhooks.
    pub fn set_webhooks(&self, faults: WebhookFaults) {
        *self.webhooks.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    /// Whether the next webhook is lost, counted.
    pub fn loses_webhook(&self) -> bool {
        let mut faults = self.webhooks.lock().unwrap_or_else(PoisonError::into_inner);
        let loses = faults.drop > 0;
        faults.drop = faults.drop.saturating_sub(1);
        loses
    }
}

impl Fault {
    /// Waits as long as it says.
    pub async fn wait(&self) {
        tokio::time::sleep(Duration::from_millis(self.delay_ms)).await;
    }

    /// What it answers; none lets the request through.
    pub fn answer(&self) -> Option<Response> {
        if self.drop {
            // A body that breaks in the middle closes the connection.
            let broken = axum::body::Body::from_stream(Broken);
            return Some(Response::new(broken));
        }
        let status = StatusCode::from_u16(self.status?).ok()?;
        let mut response = (status, self.body.clone()).into_response();
        self.set_headers(&mut response);
        Some(response)
    }

    /// Sets the headers that it asks for.
    pub fn set_headers(&self, response: &mut Response) {
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
                response.headers_mut().insert(name, value);
            }
        }
    }
}

/// A stream that fails at once.
struct Broken;

impl futures_core::Stream for Broken {
    type Item = Result<axum::body::Bytes, std::io::Error>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(Some(Err(std::io::Error::other("dropped on purpose"))))
    }
}

fn fits(pattern: &str, path: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| path.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_pattern_fits_what_it_says() {
        for (pattern, path, expected) in [
            ("/app", "/app", true),
            ("/app", "/app/x", false),
            ("/repos/*/check-runs", "/repos/a/b/check-runs", true),
            ("/repos/*/check-runs/*", "/repos/a/b/check-runs/7", true),
            ("/repos/*/check-runs", "/repos/a/b/check-runs/7", false),
            ("*", "/anything", true),
        ] {
            assert_eq!(fits(pattern, path), expected, "{pattern} {path}");
        }
    }
}
