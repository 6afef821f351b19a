//! The sample on a simulated GitHub: a repository there, an App that is installed on it, and pull requests, so that a
//! newcomer can press Deploy without an account.

use super::told;
use crate::commands::connect_github::{Addresses, Keys, connect};
use crate::commands::{Context, read_installations};
use crate::domain::StackId;
use crate::domain::permission::{ConnectGithub, Viewer, permit};
use crate::github::manifest;
use anyhow::{Context as _, bail};
use reqwest::Client;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Who has the repository.
const OWNER: &str = "acme";

/// The repository.
const NAME: &str = "network";

/// The simulated GitHub at an address.
pub struct Simulated {
    address: String,
    http: Client,
}

impl Simulated {
    pub fn new(address: &str) -> anyhow::Result<Self> {
        let http = Client::builder().build().context("cannot prepare requests")?;
        Ok(Self { address: address.to_owned(), http })
    }

    async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        let address = format!("{}/_{path}", self.address);
        let answer = self.http.post(&address).json(&body).send().await;
        let answer = answer.with_context(|| format!("the simulated GitHub at {} does not answer", self.address))?;
        if !answer.status().is_success() {
            bail!("the simulated GitHub answered {} to {path}", answer.status());
        }
        answer.json().await.context("the simulated GitHub answered something else")
    }

    /// Makes the repository: its folder, and where it is cloned from.
    pub async fn repository(&self) -> anyhow::Result<(PathBuf, String)> {
        let made = self.post("/repositories", json!({ "owner": OWNER, "name": NAME, "private": true })).await?;
        let text = |field: &str| made[field].as_str().map(str::to_owned).context("the simulated GitHub forgot a field");
        Ok((PathBuf::from(text("path")?), text("clone_url")?))
    }

    /// Makes an App, connects this Headway to it and installs it.
    pub async fn connect(&self, context: &Context, viewer: &Viewer) -> anyhow::Result<()> {
        let permissions: BTreeMap<&str, &str> =
            manifest::PERMISSIONS.iter().map(|(name, level, _)| (*name, *level)).collect();
        let app = self
            .post(
                "/apps",
                json!({
                    "name": "Headway",
                    "owner": OWNER,
                    "webhook_url": format!("{}/webhooks/github", context.config.home()),
                    "setup_url": format!("{}/settings/github/installed", context.config.home()),
                    "callback_urls": [format!("{}/sign-in/callback", context.config.home())],
                    "permissions": permissions,
                    "events": manifest::EVENTS,
                }),
            )
            .await?;
        let text = |field: &str| app[field].as_str().unwrap_or_default().to_owned();
        let keys = Keys {
            addresses: Addresses { web: self.address.clone(), api: format!("{}/api/v3", self.address) },
            app_id: app["id"].as_i64().context("the simulated GitHub forgot the App's id")?,
            private_key: text("pem"),
            webhook_secret: text("webhook_secret"),
            client_secret: text("client_secret"),
        };
        let Ok(permission) = permit::<ConnectGithub>(viewer, &StackId::new("")) else {
            bail!("the sample may not connect GitHub")
        };
        connect(context, &permission, keys).await.map_err(told)?;
        self.post("/installations", json!({ "app_id": app["id"], "account": OWNER })).await?;
        read_installations::read_all(context).await.map_err(told)
    }

    /// Lets it notice what was pushed.
    pub async fn notice(&self, author: &str) -> anyhow::Result<()> {
        let path = format!("/repositories/{OWNER}/{NAME}/notice");
        self.post(&path, json!({ "pusher": author.to_lowercase() })).await.map(|_| ())
    }

    /// Opens a pull request.
    pub async fn open(&self, branch: &str, title: &str, author: &str) -> anyhow::Result<()> {
        let path = format!("/repositories/{OWNER}/{NAME}/pulls");
        let pull = json!({ "title": title, "head": branch, "author": author.to_lowercase() });
        self.post(&path, pull).await.map(|_| ())
    }
}
