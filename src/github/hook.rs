//! GitHub's own log of what it sent to the App, kept for three days, from which lost deliveries are asked for again.

use super::client::Auth;
use super::{App, GitHub, Result};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

/// One attempt to deliver something.
#[derive(Clone, Debug, Deserialize)]
pub struct Attempt {
    /// GitHub's number of the attempt.
    pub id: i64,
    /// The id of what was delivered; the same for every attempt.
    pub guid: String,
    /// When, in RFC 3339.
    pub delivered_at: String,
    /// What Headway answered; 0 when it did not.
    #[serde(default)]
    pub status_code: i64,
}

impl Attempt {
    /// Whether Headway has it.
    pub fn arrived(&self) -> bool {
        (200..300).contains(&self.status_code)
    }
}

/// Where deliveries go.
#[derive(Clone, Debug, Deserialize)]
pub struct HookConfiguration {
    /// The address.
    #[serde(default)]
    pub url: Option<String>,
    /// `json` or `form`.
    #[serde(default)]
    pub content_type: Option<String>,
}

impl GitHub {
    /// The attempts, newest first: one page, and the path of the next.
    pub async fn deliveries(&self, app: &App, page: Option<&str>) -> Result<(Vec<Attempt>, Option<String>)> {
        self.ask_page(Auth::App(app), page.unwrap_or("/app/hook/deliveries?per_page=100")).await
    }

    /// Asks for a delivery once more.
    pub async fn redeliver(&self, app: &App, attempt: i64) -> Result<()> {
        let path = format!("/app/hook/deliveries/{attempt}/attempts");
        let _: Value = self.ask(Auth::App(app), Method::POST, &path).await?;
        Ok(())
    }

    /// Where deliveries go.
    pub async fn hook(&self, app: &App) -> Result<HookConfiguration> {
        self.ask(Auth::App(app), Method::GET, "/app/hook/config").await
    }

    /// Sends deliveries to this address, as JSON, signed with this secret.
    pub async fn set_hook(&self, app: &App, url: &str, secret: &str) -> Result<()> {
        let body = json!({ "url": url, "content_type": "json", "secret": secret });
        let _: Value = self.tell(Auth::App(app), Method::PATCH, "/app/hook/config", &body).await?;
        Ok(())
    }
}
