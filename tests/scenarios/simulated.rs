//! A simulated GitHub under test, with a Headway that is connected to it, and what a team does there.

use crate::headway::Headway;
use crate::repository::Repository;
use headway_simulator::{Options, serve};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything may take before a test gives up: a limit against hanging, not a measure.
const PATIENCE: Duration = Duration::from_secs(60);

/// A GitHub with the repository `acme/network`, and a Headway whose App is installed on it.
pub struct Simulated {
    pub url: String,
    pub headway: Headway,
    /// The stack's page.
    pub stack: String,
    /// The work tree from which a team pushes.
    pub work: Repository,
    pub app: Value,
    pub installation: i64,
    client: reqwest::Client,
    root: TempDir,
}

impl Simulated {
    /// Starts both. The stack allows promotion and applies by itself; its first commit is deployed.
    pub async fn start() -> Self {
        let mut simulated = Self::connected().await;
        simulated.deploy_first().await;
        simulated
    }

    /// Starts both and connects them, without a stack.
    pub async fn connected() -> Self {
        let root = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let options = Options { root: root.path().to_owned(), limits: true };
        // On a thread of its own, so that whatever a test waits for without yielding goes on.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async { serve(tokio::net::TcpListener::from_std(listener).unwrap(), options).await })
        });
        let headway = Headway::start_with("serve", &[("HEADWAY_FETCH_INTERVAL", "3600")]).await;
        let work = Repository::new();
        let mut simulated = Self {
            url,
            headway,
            stack: String::new(),
            work,
            app: Value::Null,
            installation: 0,
            client: reqwest::Client::new(),
            root,
        };
        simulated.connect().await;
        simulated
    }

    async fn connect(&mut self) {
        let made =
            self.control("POST", "/repositories", json!({ "owner": "acme", "name": "network", "private": true })).await;
        self.work.git(&["remote", "add", "origin", made["path"].as_str().unwrap()]);
        self.push(&["main"]).await;
        let permissions = json!({
            "checks": "write", "contents": "read", "deployments": "write", "metadata": "read", "pull_requests": "write",
        });
        let webhook = format!("{}/webhooks/github", self.headway.url);
        let events = ["pull_request", "push", "repository"];
        self.app = self
            .control("POST", "/apps", json!({
                "name": "Headway", "owner": "acme", "webhook_url": webhook, "permissions": permissions, "events": events,
                "callback_urls": [format!("{}/sign-in/callback", self.headway.url)],
            }))
            .await;
        self.connect_with(self.app["webhook_secret"].as_str().unwrap()).await;
        let account = json!({ "app_id": self.app["id"], "account": "acme" });
        self.installation = self.control("POST", "/installations", account).await["id"].as_i64().unwrap();
        self.headway.until("/settings/github", "the repository", |page| page.text().contains("acme/network")).await;
    }

    async fn deploy_first(&mut self) {
        let address = format!("{}/acme/network.git", self.url);
        self.stack = self.headway.stack_at(&address, "Network", &[]).await;
        self.headway.behave(&self.stack, &["autodeploy", "allow_run_promotion", "secret_masking"]).await.says("Saved.");
        let stack = self.stack.trim_start_matches("/stack/");
        let run = self.headway.form(&self.stack, "trigger_run", &[("stack", stack)]).await.path;
        self.headway.until_state(&run, "finished").await;
    }

    /// Where the simulator keeps its files.
    pub fn root(&self) -> &std::path::Path {
        self.root.path()
    }

    /// Hands the App's keys in, with this webhook secret.
    pub async fn connect_with(&self, secret: &str) {
        let id = self.app["id"].to_string();
        let api = format!("{}/api/v3", self.url);
        let fields = [
            ("app_id", id.as_str()),
            ("private_key", self.app["pem"].as_str().unwrap()),
            ("webhook_secret", secret),
            ("client_secret", self.app["client_secret"].as_str().unwrap()),
            ("web_address", &self.url),
            ("api_address", &api),
        ];
        self.headway
            .form("/settings/github", "connect_github", &fields)
            .await
            .has_status(200)
            .says("GitHub answers for it.");
    }

    /// Tells the simulator to do something.
    pub async fn control(&self, method: &str, path: &str, body: Value) -> Value {
        let request = self.client.request(method.parse().unwrap(), format!("{}/_{path}", self.url)).json(&body);
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Pushes branches of the work tree and lets GitHub notice.
    pub async fn push(&self, branches: &[&str]) {
        let mut arguments = vec!["push", "--quiet", "--force", "origin"];
        arguments.extend(branches);
        self.work.git(&arguments);
        self.control("POST", "/repositories/acme/network/notice", json!({})).await;
    }

    /// A branch with one more thing, pushed, with a pull request; its number and commit.
    pub async fn pull_request(&self, branch: &str) -> (i64, String) {
        let file = format!("{branch}.tf");
        let commit = self.work.branch(
            branch,
            "main",
            &format!("Make {branch}"),
            &[(file.as_str(), crate::repository::resource(branch).as_str())],
        );
        self.push(&[branch]).await;
        let pull = json!({ "title": format!("Make {branch}"), "head": branch, "author": "acme" });
        let made = self.control("POST", "/repositories/acme/network/pulls", pull).await;
        (made["number"].as_i64().unwrap(), commit)
    }

    /// Everything that GitHub knows.
    pub async fn state(&self) -> Value {
        self.client.get(format!("{}/_/state", self.url)).send().await.unwrap().json().await.unwrap()
    }

    /// The check runs of this name on a commit, oldest first.
    pub async fn checks(&self, commit: &str, name: &str) -> Vec<Value> {
        let state = self.state().await;
        let mut runs: Vec<Value> = state["check_runs"].as_object().unwrap().values().cloned().collect();
        runs.retain(|run| run["head_sha"] == commit && run["name"] == name);
        runs.sort_by_key(|run| run["id"].as_i64());
        runs
    }

    /// The newest check run of this name on a commit.
    pub async fn check(&self, commit: &str, name: &str) -> Option<Value> {
        self.checks(commit, name).await.pop()
    }

    /// Waits until the newest check run of this name on a commit is as wanted.
    pub async fn until_check(&self, commit: &str, name: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let check = self.check(commit, name).await;
            if let Some(check) = check.as_ref().filter(|check| wanted(check)) {
                return check.clone();
            }
            assert!(begun.elapsed() < PATIENCE, "the check {name} of {commit} never got {what}: {check:#?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until the state is as wanted.
    pub async fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let state = self.state().await;
            if wanted(&state) {
                return state;
            }
            assert!(begun.elapsed() < PATIENCE, "GitHub never got {what}: {:#}", state["deliveries"]);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Presses a button of a check run.
    pub async fn click(&self, check: &Value, identifier: &str, login: &str, force: bool) {
        let body = json!({ "identifier": identifier, "login": login, "force": force });
        self.control("POST", &format!("/check-runs/{}/click", check["id"]), body).await;
    }

    /// Waits until Headway has worked on everything that it was sent; what the ledger then says.
    pub async fn settled(&self) -> String {
        let done = |page: &crate::page::Page| !page.text().contains(" waiting ");
        self.headway.until("/settings/github/deliveries", "an end", done).await.text()
    }

    /// What nothing of all this may have been: a webhook that GitHub would not send, a request that it would not take.
    pub async fn is_true_to_github(&self) {
        let state = self.state().await;
        assert_eq!(state["contract_violations"], json!([]));
        let refused: Vec<&Value> =
            state["requests"].as_array().unwrap().iter().filter(|request| request["status"] == 422).collect();
        assert!(refused.is_empty(), "{refused:#?}");
    }
}

/// The buttons of a check run.
pub fn buttons(check: &Value) -> Vec<&str> {
    check["actions"].as_array().unwrap().iter().map(|action| action["identifier"].as_str().unwrap()).collect()
}

/// Whether a check run has ended like this.
pub fn ended(conclusion: &str) -> impl Fn(&Value) -> bool {
    let conclusion = conclusion.to_owned();
    move |check| check["status"] == "completed" && check["conclusion"] == conclusion
}
