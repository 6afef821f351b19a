//! Webhooks: what is not signed is not read, what is signed is kept before it is answered; and connecting an App.

use crate::headway::{Headway, browser};
use crate::simulated::Simulated;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::RequestBuilder;
use serde_json::json;
use sha2::Sha256;

/// What GitHub sends at most, in bytes.
const MOST: usize = 25 * 1024 * 1024;

fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

impl Simulated {
    fn deliver(&self, id: &str, event: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        let address = format!("{}/webhooks/github", self.headway.url);
        let request = self.headway.client().post(address).header("content-type", "application/json");
        request.header("x-github-delivery", id).header("x-github-event", event).body(body)
    }

    async fn status(&self, request: RequestBuilder) -> u16 {
        request.send().await.unwrap().status().as_u16()
    }
}

#[tokio::test]
async fn only_what_is_signed_is_kept_and_only_once() {
    let github = Simulated::connected().await;
    let secret = github.app["webhook_secret"].as_str().unwrap().to_owned();
    let body = json!({ "action": "starred", "padding": 1 }).to_string();
    let good = signature(&secret, body.as_bytes());
    let unsigned = [
        github.deliver("1", "star", body.clone()),
        github.deliver("1", "star", body.clone()).header("x-hub-signature", "sha1=0000"),
        github.deliver("1", "star", body.clone()).header("x-hub-signature-256", signature("other", body.as_bytes())),
        github.deliver("1", "star", format!("{body} ")).header("x-hub-signature-256", &good),
        github.deliver("1", "star", body.clone()).header("x-hub-signature-256", good.trim_start_matches("sha256=")),
    ];
    for request in unsigned {
        assert_eq!(github.status(request).await, 401);
    }
    github.headway.page("/settings/github").await.says("5, the last");
    github.headway.page("/settings/github/deliveries").await.lacks("star");

    let signed = |id: &'static str, event: &'static str, body: String| {
        let signature = signature(&secret, body.as_bytes());
        github.deliver(id, event, body).header("x-hub-signature-256", signature)
    };
    assert_eq!(github.status(signed("1", "star", body.clone())).await, 202);
    assert_eq!(github.status(signed("1", "star", body.clone())).await, 200, "the same again");
    assert_eq!(github.status(signed("2", "star", body.clone())).await, 200, "the same under another id");
    let ledger = github.settled().await;
    assert!(ledger.contains("It is about nothing that concerns Headway") && ledger.contains("came once more"));

    assert_eq!(github.status(signed("3", "push", body[..10].to_owned())).await, 400, "cut");
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    assert_eq!(github.status(signed("4", "push", deep)).await, 400, "nested");
    assert_eq!(github.status(signed("5", "push", "[]".into())).await, 400, "no object");
    assert_eq!(github.status(signed("6", "push", "{}".into())).await, 202, "kept, and failed");
    assert!(github.settled().await.contains("it has no repository"));
    let address = format!("{}/webhooks/github", github.headway.url);
    let form = github.headway.client().post(address).header("x-github-delivery", "7").header("x-github-event", "star");
    let form = form.header("x-hub-signature-256", &good).header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(github.status(form.body(body.clone())).await, 415);

    let frame = json!({ "action": "big", "padding": "" }).to_string().len();
    let big = |size: usize| json!({ "action": "big", "padding": "x".repeat(size - frame) }).to_string();
    assert_eq!(github.status(signed("8", "star", big(MOST))).await, 202);
    assert_eq!(github.status(signed("9", "star", big(MOST + 1))).await, 413);
}

#[tokio::test]
async fn a_new_secret_is_believed_beside_the_old_one_and_a_failed_delivery_is_replayed() {
    let github = Simulated::connected().await;
    let old = github.app["webhook_secret"].as_str().unwrap().to_owned();
    github.connect_with("a new secret").await;
    github.headway.page("/settings/github").await.says("still believed for 24 hours");
    for (id, secret, expected) in [("1", old.as_str(), 202), ("2", "a new secret", 202), ("3", "an older one", 401)] {
        let body = json!({ "action": id }).to_string();
        let signed = signature(secret, body.as_bytes());
        let request = github.deliver(id, "star", body).header("x-hub-signature-256", signed);
        assert_eq!(github.status(request).await, expected, "{secret}");
    }
    let body = json!({ "action": "created", "installation": { "id": github.installation } }).to_string();
    github
        .control(
            "POST",
            "/faults",
            json!({ "method": "GET", "path": "/app/installations/*", "status": 401, "times": 1 }),
        )
        .await;
    let signed = signature("a new secret", body.as_bytes());
    let request = github.deliver("4", "installation", body).header("x-hub-signature-256", signed);
    assert_eq!(github.status(request).await, 202);
    assert!(github.settled().await.contains("GitHub does not accept Headway's key or token"));
    let replayed = github.headway.form("/settings/github/deliveries", "replay_delivery", &[("delivery", "4")]).await;
    replayed.has_status(200);
    assert!(github.settled().await.contains("The App may see 1 repository on acme"));
    let missing = github.headway.form("/settings/github/deliveries", "replay_delivery", &[("delivery", "none")]).await;
    missing.has_status(404);
}

#[tokio::test]
async fn whoever_sends_what_is_not_signed_again_and_again_is_held_up_and_nobody_else() {
    let github = Simulated::connected().await;
    let secret = github.app["webhook_secret"].as_str().unwrap().to_owned();
    let mut answers = Vec::new();
    for _ in 0..80 {
        answers.push(github.status(github.deliver("1", "star", "{}")).await);
    }
    assert_eq!((answers[0], answers.contains(&429)), (401, true), "{answers:?}");
    let body = json!({ "action": "starred" }).to_string();
    let signed =
        github.deliver("2", "star", body.clone()).header("x-hub-signature-256", signature(&secret, body.as_bytes()));
    assert_eq!(github.status(signed).await, 202);
}

#[tokio::test]
async fn an_app_is_made_from_its_manifest_with_one_click() {
    let github = Simulated::connected().await;
    let headway = Headway::start().await;
    let web = format!("/settings/github?web={}", github.url);
    let page = headway.page(&web).await;
    page.says("Create GitHub App").says("GitHub cannot reach http://127.0.0.1");
    let field = |name: &str, html: &str| {
        let field = html.split(&format!("name=\"{name}\"")).nth(1).unwrap();
        let value = field.split("value=\"").nth(1).unwrap().split('"').next().unwrap();
        value.replace("&quot;", "\"").replace("&amp;", "&")
    };
    let action = page.html.split("<form method=\"post\" action=\"").nth(1).unwrap().split('"').next().unwrap();
    let client = browser();
    let asked = client.post(action).form(&[("manifest", field("manifest", &page.html))]).send().await.unwrap();
    assert!(asked.status().is_success());
    let html = asked.text().await.unwrap();
    let fields: Vec<(&str, String)> =
        ["owner", "state", "manifest", "name"].into_iter().map(|name| (name, field(name, &html))).collect();
    // GitHub leads to Headway, where somebody is signed in, and Headway to the page that installs the App.
    let led = |answer: reqwest::Response| answer.headers()["location"].to_str().unwrap().to_owned();
    let create = format!("{}/settings/apps/create", github.url);
    let callback = led(client.post(create).form(&fields).send().await.unwrap());
    let nobody = led(client.get(&callback).header("accept", "text/html").send().await.unwrap());
    assert!(nobody.starts_with("/sign-in?next="), "{nobody}");
    let install = led(headway.client().get(&callback).send().await.unwrap());
    assert!(install.ends_with("/installations/new"), "{install}");
    let back = led(client.post(&install).send().await.unwrap());
    assert_eq!(led(headway.client().get(&back).send().await.unwrap()), "/settings/github");
    headway.page("/settings/github").await.says("GitHub answers for it.").says("acme/network");
    headway.page("/activity").await.says("connect GitHub");
    // The App signs people in from the first moment on, and may lead them back.
    headway.form("/settings/people", "save_sign_in", &[("passwords", "true"), ("github", "true")]).await.says("Saved.");
    let page = led(client.get(format!("{}/sign-in/github", headway.url)).send().await.unwrap());
    assert!(client.get(page).send().await.unwrap().status().is_success());

    // A code is good once, and only for what was begun here.
    let again = headway.client().get(format!("{}/settings/github/callback?code=x&state=y", headway.url));
    let location = again.send().await.unwrap().headers()["location"].to_str().unwrap().to_owned();
    headway.page(&location).await.has_status(409).says("belongs to nothing that was begun here");
    let foreign = headway.client().get(format!("{}/settings/github/installed?installation_id=99", headway.url));
    assert_eq!(foreign.send().await.unwrap().headers()["location"], "/settings/github");
    headway.form("/settings/github", "disconnect_github", &[]).await.has_status(200).says("Connect with one click");
}

#[tokio::test]
async fn keys_that_cannot_be_are_refused_at_their_field() {
    let github = Simulated::connected().await;
    let headway = Headway::start().await;
    let pem = github.app["pem"].as_str().unwrap();
    let id = github.app["id"].to_string();
    let web = github.url.clone();
    for (app, key, secret, place, message) in [
        ("twelve", pem, "s", web.as_str(), "An App ID is a number."),
        (id.as_str(), "", "s", &web, "Paste the private key"),
        (&id, "-----BEGIN", "s", &web, "This is no RSA private key in PEM"),
        (&id, pem, "", &web, "Enter the webhook secret"),
        (&id, pem, "s", "github", "Enter an address like"),
        ("7", pem, "s", &web, "GitHub does not accept Headway's key"),
        (&id, pem, "s", "http://127.0.0.1:9", "GitHub cannot be reached"),
    ] {
        let fields = [("app_id", app), ("private_key", key), ("webhook_secret", secret), ("web_address", place)];
        let page = headway.form("/settings/github", "connect_github", &fields).await;
        page.has_status(422).says(message);
        let inside = pem.lines().nth(2).unwrap();
        assert!(!page.html.contains(inside), "the key is not shown again");
    }
    headway.page("/settings/github").await.says("Connect with one click");
}
