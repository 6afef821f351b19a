//! The App from a manifest: what the browser posts to GitHub, and what GitHub gives for the code it returns (Registering
//! a GitHub App from a manifest).

use super::client::Auth;
use super::{GitHub, Result};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The rights that Headway needs, each with the reason.
pub const PERMISSIONS: [(&str, &str, &str); 5] = [
    ("checks", "write", "to show each plan as a check, with Deploy"),
    ("contents", "read", "to fetch the repository"),
    ("deployments", "write", "to show each tracked run as a deployment"),
    ("metadata", "read", "to see which repositories there are, and who may write to them"),
    ("pull_requests", "write", "to follow pull requests, and to comment where a stack wants it"),
];

/// The events to subscribe to; those of checks, installations and pings come without.
pub const EVENTS: [&str; 3] = ["pull_request", "push", "repository"];

/// What the browser posts: an App that belongs to this Headway.
pub fn manifest(name: &str, home: &str) -> Value {
    let permissions: BTreeMap<&str, &str> = PERMISSIONS.iter().map(|(name, level, _)| (*name, *level)).collect();
    json!({
        "name": name,
        "url": home,
        "public": false,
        "hook_attributes": { "url": format!("{home}/webhooks/github"), "active": true },
        "redirect_url": format!("{home}/settings/github/callback"),
        "callback_urls": [format!("{home}/sign-in/callback")],
        "setup_url": format!("{home}/settings/github/installed"),
        "setup_on_update": true,
        "default_permissions": permissions,
        "default_events": EVENTS,
    })
}

/// The rights that a set lacks.
pub fn missing(given: &BTreeMap<String, String>) -> Vec<(&'static str, &'static str, &'static str)> {
    let rank = |level: &str| match level {
        "read" => 1,
        "write" | "admin" => 2,
        _ => 0,
    };
    let has = |name: &str, level: &str| given.get(name).is_some_and(|given| rank(given) >= rank(level));
    PERMISSIONS.into_iter().filter(|(name, level, _)| !has(name, level)).collect()
}

/// The App that GitHub made.
#[derive(Deserialize)]
pub struct Converted {
    /// Its id.
    pub id: i64,
    /// Its name in addresses.
    pub slug: Option<String>,
    /// Its name.
    pub name: String,
    /// Its client id.
    #[serde(default)]
    pub client_id: String,
    /// For signing people in.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// What its deliveries are signed with.
    #[serde(default)]
    pub webhook_secret: Option<String>,
    /// Its private key.
    pub pem: String,
    /// The rights it asks for.
    #[serde(default)]
    pub permissions: BTreeMap<String, String>,
}

impl GitHub {
    /// Exchanges the code, which is good once and for an hour.
    pub async fn convert_manifest(&self, api: &str, code: &str) -> Result<Converted> {
        let code: String = url::form_urlencoded::byte_serialize(code.as_bytes()).collect();
        self.ask(Auth::Nobody(api), Method::POST, &format!("/app-manifests/{code}/conversions")).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_is_missing_when_it_is_not_given_or_too_small() {
        let all: BTreeMap<String, String> =
            PERMISSIONS.iter().map(|(name, level, _)| ((*name).to_owned(), (*level).to_owned())).collect();
        assert!(missing(&all).is_empty());
        let mut less = all.clone();
        less.insert("checks".into(), "read".into());
        less.insert("contents".into(), "write".into());
        less.remove("deployments");
        let names: Vec<&str> = missing(&less).into_iter().map(|(name, ..)| name).collect();
        assert_eq!(names, ["checks", "deployments"]);
    }
}
