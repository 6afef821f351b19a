//! The session cookie: what the browser holds for somebody who is signed in, and the departure cookie of somebody who was
//! led elsewhere to be signed in.
//!
//! Scripts cannot read them, other sites cannot have them sent with a form, and over https they are bound to this very
//! host (ASVS 5.0, 3.3).

use crate::commands::authenticate::milliseconds;
use crate::commands::sign_in_elsewhere::PATIENCE;
use crate::config::Config;
use axum::http::HeaderValue;
use axum::http::header::InvalidHeaderValue;

/// What the cookie is called.
pub fn name(config: &Config) -> &'static str {
    if is_secure(config) { "__Host-session" } else { "session" }
}

/// What the cookie is called of somebody who was led elsewhere to be signed in.
pub fn departure_name(config: &Config) -> &'static str {
    if is_secure(config) { "__Host-departure" } else { "departure" }
}

/// Has the browser keep the session.
pub fn keep(config: &Config, secret: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let seconds = milliseconds(config.session_limit) / 1000;
    set(config, name(config), secret, seconds)
}

/// Has the browser forget the session.
pub fn forget(config: &Config) -> Result<HeaderValue, InvalidHeaderValue> {
    set(config, name(config), "", 0)
}

/// Has the browser keep what it was led elsewhere with.
pub fn keep_departure(config: &Config, state: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    set(config, departure_name(config), state, PATIENCE / 1000)
}

/// Has the browser forget that: it came back.
pub fn forget_departure(config: &Config) -> Result<HeaderValue, InvalidHeaderValue> {
    set(config, departure_name(config), "", 0)
}

fn set(config: &Config, name: &str, value: &str, seconds: i64) -> Result<HeaderValue, InvalidHeaderValue> {
    let secure = if is_secure(config) { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}").parse()
}

fn is_secure(config: &Config) -> bool {
    config.home().starts_with("https://")
}
