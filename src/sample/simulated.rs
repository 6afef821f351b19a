//! The sample on a simulated GitHub: a repository there, an App that is installed on it, and pull requests, so that a
//! newcomer can press Deploy without an account. What is there already is left as it is.

use super::said;
use crate::commands::connect_github::{Addresses, Keys, connect};
use crate::commands::{Context, read_installations};
use crate::domain::StackId;
use crate::domain::permission::{ConnectGithub, Viewer, permit};
use crate::github::manifest;
use anyhow::{Context as _, bail};
use reqwest::{Client, Method, Response, StatusCode};
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

    async fn send(&self, method: Method, path: &str, body: Value) -> anyhow::Result<Response> {
        let request = self.http.request(method, format!("{}/_{path}", self.address)).json(&body).send().await;
        request.with_context(|| format!("the simulated GitHub at {} does not answer", self.address))
    }

    async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        told(self.send(Method::POST, path, body).await?, path).await
    }

    /// Makes the repository: its folder, and where it is cloned from.
    pub async fn repository(&self) -> anyhow::Result<(PathBuf, String)> {
        let path = format!("/repositories/{OWNER}/{NAME}");
        let known = self.send(Method::GET, &path, Value::Null).await?;
        let made = if known.status() == StatusCode::NOT_FOUND {
            self.post("/repositories", json!({ "owner": OWNER, "name": NAME, "private": true })).await?
        } else {
            told(known, &path).await?
        };
        let text = |field: &str| made[field].as_str().map(str::to_owned).context("the simulated GitHub forgot a field");
        Ok((PathBuf::from(text("path")?), text("clone_url")?))
    }

    /// Makes an App, connects this Headway to it and installs it.
    pub async fn connect(&self, context: &Context, viewer: &Viewer) -> anyhow::Result<()> {
        let known = context.store.read().await?.github_app().await?;
        let app_id = match known {
            Some(app) => app.app_id,
            None => self.make_app(context, viewer).await?,
        };
        if context.store.read().await?.installations().await?.is_empty() {
            self.post("/installations", json!({ "app_id": app_id, "account": OWNER })).await?;
        }
        read_installations::read_all(context).await.map_err(said)
    }

    async fn make_app(&self, context: &Context, viewer: &Viewer) -> anyhow::Result<i64> {
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
        let app_id = app["id"].as_i64().context("the simulated GitHub forgot the App's id")?;
        let keys = Keys {
            addresses: Addresses { web: self.address.clone(), api: format!("{}/api/v3", self.address) },
            app_id,
            private_key: text("pem"),
            webhook_secret: text("webhook_secret"),
            client_secret: text("client_secret"),
        };
        let Ok(permission) = permit::<ConnectGithub>(viewer, &StackId::new("")) else {
            bail!("the sample may not connect GitHub")
        };
        connect(context, &permission, keys).await.map_err(said)?;
        Ok(app_id)
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
        let answer = self.send(Method::POST, &path, pull).await?;
        // There is one from this branch already.
        if answer.status() == StatusCode::UNPROCESSABLE_ENTITY {
            return Ok(());
        }
        told(answer, &path).await.map(|_| ())
    }
}

async fn told(answer: Response, path: &str) -> anyhow::Result<Value> {
    if !answer.status().is_success() {
        bail!("the simulated GitHub answered {} to {path}", answer.status());
    }
    answer.json().await.context("the simulated GitHub answered something else")
}
