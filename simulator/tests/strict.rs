//! The simulated GitHub is strict: who may not is refused, what has ended stays so, and what was lost comes again under
//! the same id.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use headway_simulator::{Options, serve};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::Client;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;
use tokio::net::TcpListener;

struct GitHub {
    url: String,
    client: Client,
    root: TempDir,
}

impl GitHub {
    async fn start() -> Self {
        let root = tempfile::tempdir().unwrap();
        let url = spawn(root.path()).await;
        Self { url, client: Client::builder().user_agent("strict").build().unwrap(), root }
    }

    async fn control(&self, path: &str, body: Value) -> Value {
        let answer = self.client.post(format!("{}/_{path}", self.url)).body(body.to_string());
        let answer = answer.header("content-type", "application/json").send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    async fn state(&self) -> Value {
        let answer = self.client.get(format!("{}/_/state", self.url)).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    async fn ask(&self, method: &str, path: &str, token: &str, body: Option<Value>) -> (u16, Value) {
        let request = self.client.request(method.parse().unwrap(), format!("{}/api/v3{path}", self.url));
        let request = request.header("authorization", format!("Bearer {token}"));
        let request = match body {
            Some(body) => request.body(body.to_string()),
            None => request,
        };
        let answer = request.header("content-type", "application/json").send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
    }

    /// A repository with one commit, an App that is installed on it, and a token: the commit, the App, the token.
    async fn ready(&self) -> (String, Value, String) {
        let made = self.control("/repositories", json!({ "owner": "acme", "name": "network", "private": true })).await;
        let folder = made["path"].as_str().unwrap();
        let commit = git(folder, &["commit-tree", "-m", "First", &git(folder, &["mktree"])]);
        git(folder, &["update-ref", "refs/heads/main", &commit]);
        self.control("/repositories/acme/network/notice", json!({})).await;
        let permissions = json!({ "checks": "write", "contents": "read", "metadata": "read" });
        let app = json!({ "name": "One", "webhook_url": "http://127.0.0.1:9/", "permissions": permissions });
        let app = self.control("/apps", app).await;
        let installed = self.control("/installations", json!({ "app_id": app["id"], "account": "acme" })).await;
        let path = format!("/app/installations/{}/access_tokens", installed["id"]);
        let (status, minted) = self.ask("POST", &path, &proof(&app, 0, 300), Some(json!({}))).await;
        assert_eq!(status, 201);
        (commit, app, minted["token"].as_str().unwrap().to_owned())
    }
}

async fn spawn(root: &Path) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(serve(listener, Options { root: root.to_owned(), limits: true }));
    url
}

fn git(folder: &str, arguments: &[&str]) -> String {
    let identity = ["NAME", "EMAIL"].map(|what| [format!("GIT_AUTHOR_{what}"), format!("GIT_COMMITTER_{what}")]);
    let mut command = Command::new("git");
    command.args(arguments).env("GIT_DIR", folder).stdin(std::process::Stdio::null());
    for name in identity.into_iter().flatten() {
        command.env(name, "ada@example.com");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A proof of the App's key that begins and ends so many seconds from now.
fn proof(app: &Value, begins: i64, ends: i64) -> String {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let claims = json!({ "iat": now + begins, "exp": now + ends, "iss": app["client_id"] });
    let key = EncodingKey::from_rsa_pem(app["pem"].as_str().unwrap().as_bytes()).unwrap();
    encode(&Header::new(Algorithm::RS256), &claims, &key).unwrap()
}

fn run(commit: &str) -> Value {
    json!({
        "name": "plan", "head_sha": commit, "status": "in_progress", "output": { "title": "t", "summary": "s" },
        "actions": [{ "label": "Go", "description": "d", "identifier": "go" }],
    })
}

const RUNS: &str = "/repos/acme/network/check-runs";

#[tokio::test]
async fn who_may_not_is_refused() {
    let github = GitHub::start().await;
    let (commit, app, token) = github.ready().await;
    for (begins, ends, expected) in [(0, 300, 200), (-700, -100, 401), (0, 700, 401), (60, 300, 401)] {
        assert_eq!(github.ask("GET", "/app", &proof(&app, begins, ends), None).await.0, expected, "{begins} {ends}");
    }
    assert_eq!(github.ask("GET", "/app", "nonsense", None).await.0, 401);
    assert_eq!(github.ask("POST", RUNS, "ghs_wrong", Some(run(&commit))).await.0, 401);
    assert_eq!(
        github.ask("POST", RUNS, &proof(&app, 0, 300), Some(run(&commit))).await.0,
        403,
        "the App is no installation"
    );
    assert_eq!(github.ask("GET", "/repos/acme/other", &token, None).await.0, 404);
    let (status, said) = github.ask("GET", "/repos/acme/network/deployments", &token, None).await;
    assert_eq!((status, &said["message"]), (403, &json!("Resource not accessible by integration")));
    assert!(token.len() > 100, "tokens have no fixed length");
    github.control(&format!("/apps/{}/revoke-key", app["id"]), json!({})).await;
    assert_eq!(github.ask("GET", "/app", &proof(&app, 0, 300), None).await.0, 401);
}

#[tokio::test]
async fn what_has_ended_is_not_opened_again() {
    let github = GitHub::start().await;
    let (commit, _, token) = github.ready().await;
    let (status, made) = github.ask("POST", RUNS, &token, Some(run(&commit))).await;
    assert_eq!(status, 201);
    assert_eq!(github.ask("POST", RUNS, &token, Some(run(&"0".repeat(40)))).await.0, 422, "there is no such commit");
    let path = format!("{RUNS}/{}", made["id"]);
    let change = async |body: Value| github.ask("PATCH", &path, &token, Some(body)).await.0;
    assert_eq!(change(json!({ "status": "queued" })).await, 422, "what becomes of the buttons is not said");
    let end = json!({ "status": "completed", "conclusion": "success", "actions": [] });
    assert_eq!(change(end.clone()).await, 200);
    assert_eq!(change(end).await, 200, "the same again");
    assert_eq!(change(json!({ "status": "in_progress", "actions": [] })).await, 422);
    assert_eq!(change(json!({ "conclusion": "failure", "actions": [] })).await, 422);
    assert_eq!(change(json!({ "output": { "title": "t", "summary": "more" }, "actions": [] })).await, 200);
}

#[tokio::test]
async fn a_redelivery_has_the_same_id_and_a_restart_forgets_nothing() {
    let github = GitHub::start().await;
    let (_, app, _) = github.ready().await;
    let failed = loop {
        let state = github.state().await;
        let tried = state["deliveries"].as_array().unwrap().iter().find(|one| one["status"] != "pending").cloned();
        if let Some(tried) = tried {
            break tried;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(failed["status_code"], 0, "nobody listens");
    let path = format!("/app/hook/deliveries/{}/attempts", failed["id"]);
    assert_eq!(github.ask("POST", &path, &proof(&app, 0, 300), None).await.0, 202);
    let state = github.state().await;
    let again = state["deliveries"].as_array().unwrap().iter().find(|one| one["redelivery"] == true).unwrap();
    assert_eq!(again["guid"], failed["guid"]);

    let url = spawn(github.root.path()).await;
    let later = GitHub { url, client: github.client.clone(), root: tempfile::tempdir().unwrap() };
    assert_eq!(later.state().await["repositories"], state["repositories"]);
    assert_eq!(later.ask("GET", "/app", &proof(&app, 0, 300), None).await.0, 200);
}

#[tokio::test]
async fn a_code_signs_in_once_and_only_who_asked_for_it() {
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CALLBACK: &str = "http://127.0.0.1:9/back";
    let github = GitHub::start().await;
    let app = json!({
        "name": "One", "webhook_url": "http://127.0.0.1:9/", "permissions": {}, "callback_urls": [CALLBACK],
    });
    let app = github.control("/apps", app).await;
    let (id, secret) = (app["client_id"].as_str().unwrap(), app["client_secret"].as_str().unwrap());
    let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let authorize = async |callback: &str, login: &str| {
        let challenge = "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
        let page = format!("{}/login/oauth/authorize?client_id={id}&redirect_uri={callback}&state=s", github.url);
        let answer = client.get(format!("{page}&{challenge}{login}")).send().await.unwrap();
        let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
        (answer.status().as_u16(), to, answer.text().await.unwrap())
    };
    let exchange = async |secret: &str, code: &str, callback: &str, verifier: &str| {
        let body = format!(
            "client_id={id}&client_secret={secret}&code={code}&redirect_uri={callback}&code_verifier={verifier}"
        );
        let request = client.post(format!("{}/login/oauth/access_token", github.url)).body(body);
        let answer = request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
        serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap()
    };
    let code = async || {
        let (_, to, _) = authorize(CALLBACK, "&as=ada").await;
        to.unwrap().split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned()
    };
    assert_eq!(authorize("http://evil.example/", "&as=ada").await.0, 422);
    github.control("/users", json!({ "login": "ada" })).await;
    assert!(authorize(CALLBACK, "").await.2.contains("Continue as ada"));
    for (secret, callback, verifier, error) in [
        ("wrong", CALLBACK, VERIFIER, "incorrect_client_credentials"),
        (secret, "http://127.0.0.1:9/other", VERIFIER, "redirect_uri_mismatch"),
        (secret, CALLBACK, "wrong", "bad_verification_code"),
    ] {
        let code = code().await;
        assert_eq!(exchange(secret, &code, callback, verifier).await["error"], error);
        assert_eq!(exchange(secret, &code, CALLBACK, VERIFIER).await["access_token"], Value::Null, "it is lost");
    }
    let code = code().await;
    let token = exchange(secret, &code, CALLBACK, VERIFIER).await["access_token"].as_str().unwrap().to_owned();
    let (status, user) = github.ask("GET", "/user", &token, None).await;
    assert_eq!((status, &user["login"]), (200, &json!("ada")));
    assert_eq!(github.ask("GET", "/user", "ghu_wrong", None).await.0, 401);
    assert_eq!(github.ask("GET", "/user", &proof(&app, 0, 300), None).await.0, 401);
    assert_eq!(github.ask("GET", "/app", &token, None).await.0, 401);
    assert_eq!(exchange(secret, &code, CALLBACK, VERIFIER).await["error"], "bad_verification_code");
}
