//! Signing in with GitHub: where a browser is led, and whose account it comes back with (Generating a user access token for
//! a GitHub App). The token is used for that one question and kept nowhere.

use super::client::{Auth, body_of, unreachable};
use super::{GitHub, GitHubError, Result};
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde::Deserialize;

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct User {
    /// Its id, which stays.
    pub id: i64,
    /// Its login, which changes hands.
    pub login: String,
}

/// How this Headway's App signs people in.
#[derive(Clone, Copy)]
pub struct Registration<'a> {
    /// Where GitHub's pages are.
    pub web: &'a str,
    /// Where its API is.
    pub api: &'a str,
    /// What GitHub calls the App here.
    pub client_id: &'a str,
    /// The secret that they share.
    pub client_secret: &'a str,
    /// The page that GitHub leads back to.
    pub callback: &'a str,
}

impl Registration<'_> {
    /// Where a browser is led to be signed in.
    pub fn page(&self, state: &str, challenge: &str) -> String {
        let query = encoded(&[
            ("client_id", self.client_id),
            ("redirect_uri", self.callback),
            ("state", state),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256"),
        ]);
        format!("{}/login/oauth/authorize?{query}", self.web)
    }
}

#[derive(Deserialize)]
struct Exchanged {
    access_token: Option<String>,
    error: Option<String>,
}

impl GitHub {
    /// Exchanges a code, which is good once and for ten minutes, and asks whose account it is.
    pub async fn user_of(&self, registration: &Registration<'_>, code: &str, verifier: &str) -> Result<User> {
        let form = encoded(&[
            ("client_id", registration.client_id),
            ("client_secret", registration.client_secret),
            ("code", code),
            ("redirect_uri", registration.callback),
            ("code_verifier", verifier),
        ]);
        let request = self
            .request(Method::POST, &format!("{}/login/oauth/access_token", registration.web))?
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        let response = request.send().await.map_err(|error| unreachable(&error))?;
        let status = response.status();
        let body = body_of(response).await?;
        if !status.is_success() {
            return Err(GitHubError::Broken(status.to_string()));
        }
        let unexpected = |_| GitHubError::Broken("something unexpected".into());
        let exchanged: Exchanged = serde_json::from_str(&body).map_err(unexpected)?;
        let Some(token) = exchanged.access_token else {
            let why = exchanged.error.unwrap_or_else(|| "it does not say why".into());
            return Err(GitHubError::Refused(why.chars().take(100).collect()));
        };
        self.ask(Auth::User(registration.api, &token), Method::GET, "/user").await
    }
}

fn encoded(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}
