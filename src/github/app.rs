//! The GitHub App: its key, and the short-lived proof of it that GitHub accepts (RS256, at most ten minutes).

use super::{GitHub, GitHubError, Result, client::Auth};
use crate::domain::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The App as the client needs it.
#[derive(Clone)]
pub struct App {
    /// GitHub's id of it.
    pub id: i64,
    /// Where the API is, without a slash at the end.
    pub api: String,
    /// The private key in PEM.
    pub private_key: String,
}

impl fmt::Debug for App {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("App").field("id", &self.id).field("api", &self.api).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Claims {
    iat: i64,
    exp: i64,
    iss: String,
}

impl App {
    /// The proof of the key. It begins a minute ago, because clocks differ, and ends before ten minutes are over.
    pub(super) fn proof(&self, now: Timestamp) -> Result<String> {
        let seconds = now.0 / 1000;
        let claims = Claims { iat: seconds - 60, exp: seconds + 9 * 60, iss: self.id.to_string() };
        let broken = |error: jsonwebtoken::errors::Error| GitHubError::Key(error.to_string());
        let key = EncodingKey::from_rsa_pem(self.private_key.as_bytes()).map_err(broken)?;
        encode(&Header::new(Algorithm::RS256), &claims, &key).map_err(broken)
    }

    /// Whether the private key is one that can sign.
    pub fn check_key(&self, now: Timestamp) -> Result<()> {
        self.proof(now).map(|_| ())
    }
}

/// The App as GitHub describes it.
#[derive(Clone, Debug, Deserialize)]
pub struct AppDescription {
    /// Its id.
    pub id: i64,
    /// Its name in addresses.
    pub slug: Option<String>,
    /// Its name.
    pub name: String,
    /// Its client id.
    #[serde(default)]
    pub client_id: String,
    /// The rights it asks for.
    #[serde(default)]
    pub permissions: BTreeMap<String, String>,
}

/// Who has an installation.
#[derive(Clone, Debug, Deserialize)]
pub struct Account {
    /// The login.
    pub login: String,
}

/// An installation as GitHub describes it.
#[derive(Clone, Debug, Deserialize)]
pub struct InstallationDescription {
    /// Its id.
    pub id: i64,
    /// Who has it.
    pub account: Option<Account>,
    /// The rights that it was given.
    #[serde(default)]
    pub permissions: BTreeMap<String, String>,
    /// When its owner suspended it.
    pub suspended_at: Option<String>,
}

impl GitHub {
    /// Describes the App: the simplest question that proves the key.
    pub async fn app(&self, app: &App) -> Result<AppDescription> {
        self.ask(Auth::App(app), Method::GET, "/app").await
    }

    /// Every installation.
    pub async fn installations(&self, app: &App) -> Result<Vec<InstallationDescription>> {
        self.ask_all(Auth::App(app), "/app/installations?per_page=100", |page: Vec<InstallationDescription>| page).await
    }

    /// One installation.
    pub async fn installation(&self, app: &App, id: i64) -> Result<InstallationDescription> {
        self.ask(Auth::App(app), Method::GET, &format!("/app/installations/{id}")).await
    }
}
