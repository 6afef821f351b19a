//! The session cookie: what the browser holds for somebody who is signed in. Scripts cannot read it, other sites cannot
//! have it sent with a form, and over https it is bound to this very host (ASVS 5.0, 3.3).

use crate::commands::authenticate::milliseconds;
use crate::config::Config;
use axum::http::HeaderValue;
use axum::http::header::InvalidHeaderValue;

/// What the cookie is called.
pub fn name(config: &Config) -> &'static str {
    if is_secure(config) { "__Host-session" } else { "session" }
}

/// Has the browser keep the session.
pub fn keep(config: &Config, secret: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let seconds = milliseconds(config.session_limit) / 1000;
    set(config, secret, seconds)
}

/// Has the browser forget the session.
pub fn forget(config: &Config) -> Result<HeaderValue, InvalidHeaderValue> {
    set(config, "", 0)
}

fn set(config: &Config, value: &str, seconds: i64) -> Result<HeaderValue, InvalidHeaderValue> {
    let secure = if is_secure(config) { "; Secure" } else { "" };
    format!("{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}", name(config)).parse()
}

fn is_secure(config: &Config) -> bool {
    config.home().starts_with("https://")
}
