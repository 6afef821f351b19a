//! What waits for GitHub: a click until it can be verified, what can be said later while requests are scarce, and a run
//! that is at work for longer than GitHub keeps its check open.

use crate::headway::terraform;
use crate::page::version;
use crate::simulated::{Simulated, buttons, ended};
use serde_json::{Value, json};

const PLAN: &str = "headway/network";
const DEPLOY: &str = "headway/network deploy";

fn has_deploy(check: &Value) -> bool {
    buttons(check).contains(&"deploy")
}

#[tokio::test]
async fn a_click_waits_until_github_says_how_its_pull_request_stands_and_fails_closed() {
    if !terraform() {
        return;
    }
    let github = Simulated::start().await;
    let (_, commit) = github.pull_request("cache").await;
    let check = github.until_check(&commit, PLAN, "Deploy", has_deploy).await;
    let runs = async || github.headway.page(&github.stack).await.runs().len();

    github.fault(json!({ "method": "GET", "path": "/repos/*/pulls/*", "status": 404 })).await;
    github.click(&check, "deploy", "acme", false).await;
    github
        .until_check(&commit, PLAN, "a reason", |check| {
            let summary = check["output"]["summary"].as_str().unwrap_or_default();
            summary.contains("still offers this commit could not be verified")
        })
        .await;
    assert_eq!(runs().await, 1);
    github.no_faults().await;

    github.fault(json!({ "method": "GET", "path": "/repos/*/pulls/*", "status": 502, "times": 2 })).await;
    let check = github.check(&commit, PLAN).await.unwrap();
    github.click(&check, "deploy", "acme", false).await;
    let ledger = "/settings/github/deliveries";
    github.headway.until(ledger, "the wait", |page| page.text().contains("GitHub is in trouble")).await;
    assert_eq!(runs().await, 1, "failing closed");
    github.until_check(&commit, DEPLOY, "its end", ended("success")).await;
    // What was deployed is not asked about again.
    github.fault(json!({ "method": "GET", "path": "/repos/*/pulls/*", "status": 404 })).await;
    github.click(&check, "deploy", "grace", true).await;
    github.control("PUT", "/repositories/acme/network/collaborators/grace", json!({ "permission": "write" })).await;
    github.settled().await;
    assert_eq!(runs().await, 2);
    github.is_true_to_github().await;
}

#[tokio::test]
async fn a_commit_that_github_says_is_overtaken_is_not_deployed_though_nobody_told_of_it() {
    if !terraform() {
        return;
    }
    let github = Simulated::start().await;
    let (_, commit) = github.pull_request("cache").await;
    let check = github.until_check(&commit, PLAN, "Deploy", has_deploy).await;
    // What tells of the push, and of the pull request's new commit, is lost.
    github.control("PUT", "/webhook-faults", json!({ "drop": 2 })).await;
    let newer = github.work.commit("cache", "Make more", &[("more.tf", &crate::repository::resource("more"))]);
    github.push(&["cache"]).await;
    github.click(&check, "deploy", "acme", true).await;
    github
        .until_check(&commit, PLAN, "a reason", |check| {
            let summary = check["output"]["summary"].as_str().unwrap_or_default();
            summary.contains("Nothing was done") && summary.contains(&format!("Superseded by {}", &newer[..7]))
        })
        .await;
    github.settled().await;
    assert_eq!(github.headway.page(&github.stack).await.runs().len(), 1);
    assert!(github.check(&commit, DEPLOY).await.is_none());
}

#[tokio::test]
async fn comments_wait_while_requests_are_scarce_and_checks_do_not() {
    if !terraform() {
        return;
    }
    let github = Simulated::start().await;
    let settings = format!("{}/settings/integrations", github.stack);
    let version = version(&github.headway.page(&settings).await);
    let comments = [("stack", "network"), ("version", version.as_str()), ("pull_request_comment", "true")];
    github.headway.form(&settings, "save_integrations", &comments).await.says("Saved.");
    let headers = json!({ "x-ratelimit-limit": "5000", "x-ratelimit-remaining": "199" });
    github.fault(json!({ "method": "*", "path": "*", "headers": headers })).await;
    github.check_now().await;
    let (_, commit) = github.pull_request("cache").await;
    let check = github.until_check(&commit, PLAN, "Deploy", has_deploy).await;
    github.click(&check, "deploy", "acme", false).await;
    github.until_check(&commit, DEPLOY, "its end", ended("success")).await;
    github.settled().await;
    assert!(github.state().await["comments"].as_object().unwrap().is_empty());

    github.no_faults().await;
    github.headway.form(&github.stack, "lock_stack", &[("stack", "network"), ("note", "")]).await;
    let (_, other) = github.pull_request("dns").await;
    github.until_check(&other, PLAN, "its plan", ended("success")).await;
    github.until("the comments", |state| state["comments"].as_object().unwrap().len() == 2).await;
    github.is_true_to_github().await;
}

#[tokio::test]
async fn a_check_that_github_has_given_up_is_followed_by_another() {
    if !terraform() {
        return;
    }
    let github = Simulated::start().await;
    github.headway.behave(&github.stack, &["allow_run_promotion", "secret_masking"]).await;
    let (_, commit) = github.pull_request("cache").await;
    let check = github.until_check(&commit, PLAN, "Deploy", has_deploy).await;
    github.click(&check, "deploy", "acme", false).await;
    let waits = |check: &Value| check["output"]["title"].as_str().is_some_and(|title| title.contains("waits for"));
    let old = github.until_check(&commit, DEPLOY, "a wait for its confirmation", waits).await;
    github.control("POST", &format!("/check-runs/{}/stale", old["id"]), json!({})).await;

    let run = github.headway.page(&github.stack).await.runs().remove(0);
    github.headway.press(&run, "confirm_run").await;
    let new = github.until_check(&commit, DEPLOY, "its apply", ended("success")).await;
    assert_ne!(new["id"], old["id"]);
    let both = github.checks(&commit, DEPLOY).await;
    assert_eq!((both.len(), &both[0]["conclusion"]), (2, &json!("stale")));
    let state = github.state().await;
    let refused = state["requests"].as_array().unwrap().iter().filter(|request| request["status"] == 422);
    assert_eq!(refused.count(), 1, "asked once, and not again");
}
