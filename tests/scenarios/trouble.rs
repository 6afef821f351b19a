//! Trouble with GitHub: what is lost heals, what is down is waited for, and nothing is done twice.

use crate::activity::past_headway;
use crate::headway::terraform;
use crate::simulated::{Simulated, buttons, ended};
use serde_json::{Value, json};

const PLAN: &str = "headway/network";
const DEPLOY: &str = "headway/network deploy";

fn has_deploy(check: &Value) -> bool {
    buttons(check).contains(&"deploy")
}

fn says(what: &'static str) -> impl Fn(&Value) -> bool {
    move |check| check["output"]["summary"].as_str().is_some_and(|summary| summary.contains(what))
}

impl Simulated {
    pub async fn fault(&self, fault: Value) {
        self.control("POST", "/faults", fault).await;
    }

    pub async fn no_faults(&self) {
        self.control("DELETE", "/faults", json!({})).await;
    }

    /// Presses *Check now*.
    pub async fn check_now(&self) {
        self.headway.form("/settings/github", "check_github", &[]).await.has_status(200);
    }
}

#[tokio::test]
async fn deliveries_that_were_lost_doubled_and_mixed_up_lead_to_the_same() {
    if !terraform() {
        return;
    }
    let github = Simulated::start().await;
    github.control("PUT", "/webhook-faults", json!({ "drop": 2 })).await;
    let (_, commit) = github.pull_request("cache").await;
    github
        .until("the loss", |state| {
            state["deliveries"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|one| one["status_code"] == 0 && one["status"] != "pending")
                .count()
                == 2
        })
        .await;
    assert!(github.check(&commit, PLAN).await.is_none(), "nobody has told Headway");
    github.check_now().await;
    github.until_check(&commit, PLAN, "its plan", has_deploy).await;
    let again = github.state().await;
    let redelivered = again["deliveries"].as_array().unwrap().iter().filter(|one| one["redelivery"] == true);
    assert_eq!(redelivered.count(), 2);

    // Everything comes twice and newest first: one run for each commit.
    github.control("PUT", "/webhook-faults", json!({ "duplicate": true, "reorder": true, "hold": true })).await;
    let (_, other) = github.pull_request("dns").await;
    github.control("PUT", "/webhook-faults", json!({ "duplicate": true, "reorder": true })).await;
    let check = github.until_check(&other, PLAN, "its plan", has_deploy).await;
    github.click(&check, "deploy", "acme", false).await;
    github.until_check(&other, DEPLOY, "its apply", ended("success")).await;
    github.settled().await;
    github.control("DELETE", "/webhook-faults", json!({})).await;
    let state = github.state().await;
    let of_commit = |name: &str| {
        let runs = state["check_runs"].as_object().unwrap().values();
        runs.filter(|run| run["head_sha"] == other.as_str() && run["name"] == name).count()
    };
    assert_eq!((of_commit(PLAN), of_commit(DEPLOY)), (1, 1));
    assert_eq!(github.headway.page(&github.stack).await.runs().len(), 2);
    github.is_true_to_github().await;
}

#[tokio::test]
async fn an_outage_of_github_holds_up_no_deployment_and_is_made_good() {
    if !terraform() {
        return;
    }
    let github = Simulated::start().await;
    let (_, commit) = github.pull_request("cache").await;
    let check = github.until_check(&commit, PLAN, "Deploy", has_deploy).await;
    github.fault(json!({ "method": "PATCH", "path": "/repos/*/check-runs/*", "status": 502, "body": "<html>" })).await;
    github.fault(json!({ "method": "POST", "path": "/repos/*/check-runs", "status": 500 })).await;
    github.fault(json!({ "method": "*", "path": "/repos/*/deployments*", "drop": true })).await;
    github.click(&check, "deploy", "acme", false).await;
    let applied =
        github.headway.until(&github.stack, "the deployment", |page| page.runs().len() == 2).await.runs()[0].clone();
    github.headway.until_state(&applied, "finished").await.says("Promoted by github/acme");
    github
        .headway
        .until("/settings/github", "the trouble", |page| page.text().contains("GitHub has not been told yet"))
        .await;
    assert!(has_deploy(&github.check(&commit, PLAN).await.unwrap()), "GitHub knows nothing yet");
    // A stale button during the outage: the run that there is.
    github.click(&check, "deploy", "acme", false).await;
    github.settled().await;
    assert_eq!(github.headway.page(&github.stack).await.runs().len(), 2);
    github.no_faults().await;
    github.check_now().await;
    github.until_check(&commit, DEPLOY, "its end", ended("success")).await;
    github.until_check(&commit, PLAN, "no Deploy", |check| !has_deploy(check)).await;
    let told = |page: &crate::page::Page| !page.text().contains("GitHub has not been told yet");
    github.headway.until("/settings/github", "no trouble", told).await;
}

#[tokio::test]
async fn an_answer_that_was_lost_makes_no_second_check_run() {
    if !terraform() {
        return;
    }
    let github = Simulated::start().await;
    github
        .fault(json!({ "method": "POST", "path": "/repos/*/check-runs", "status": 502, "after": true, "times": 1 }))
        .await;
    github
        .fault(json!({ "method": "POST", "path": "/repos/*/deployments", "status": 504, "after": true, "times": 1 }))
        .await;
    let (_, commit) = github.pull_request("cache").await;
    let check = github.until_check(&commit, PLAN, "Deploy", has_deploy).await;
    github.click(&check, "deploy", "acme", false).await;
    github.until_check(&commit, DEPLOY, "its end", ended("success")).await;
    let state = github
        .until("the deployment", |state| {
            let ours = state["deployments"].as_object().unwrap().values();
            ours.filter(|one| one["sha"] == commit.as_str()).any(|one| !one["statuses"].as_array().unwrap().is_empty())
        })
        .await;
    let count = |of: &str, field: &str| {
        state[of].as_object().unwrap().values().filter(|one| one[field] == commit.as_str()).count()
    };
    assert_eq!((count("check_runs", "head_sha"), count("deployments", "sha")), (2, 1));
}

#[tokio::test]
async fn a_click_whose_author_cannot_be_verified_waits_and_is_done_once() {
    if !terraform() {
        return;
    }
    let github = Simulated::start().await;
    let (_, commit) = github.pull_request("cache").await;
    let check = github.until_check(&commit, PLAN, "Deploy", has_deploy).await;
    github.fault(json!({ "method": "GET", "path": "/repos/*/permission", "status": 500, "times": 2 })).await;
    github.click(&check, "deploy", "acme", false).await;
    let ledger = "/settings/github/deliveries";
    github.headway.until(ledger, "the wait", |page| page.text().contains("GitHub is in trouble")).await;
    assert_eq!(github.headway.page(&github.stack).await.runs().len(), 1, "failing closed");
    github.until_check(&commit, DEPLOY, "its end", ended("success")).await;
    assert_eq!(github.headway.page(&github.stack).await.runs().len(), 2);
}

#[tokio::test]
async fn a_limit_is_waited_for_and_a_token_that_ended_is_renewed() {
    if !terraform() {
        return;
    }
    let github = Simulated::start().await;
    github
        .fault(json!({
            "method": "POST", "path": "/repos/*/check-runs", "status": 403, "times": 1,
            "headers": { "retry-after": "2" }, "body": "{\"message\":\"You have exceeded a secondary rate limit\"}",
        }))
        .await;
    let (_, commit) = github.pull_request("cache").await;
    github.until_check(&commit, PLAN, "Deploy", has_deploy).await;
    let state = github.state().await;
    let limited = state["requests"].as_array().unwrap().iter().position(|request| request["status"] == 403).unwrap();
    assert_ne!(state["requests"][limited + 1]["status"], 403, "nothing is asked while GitHub asks to wait");
    github.control("POST", &format!("/installations/{}/expire-tokens", github.installation), json!({})).await;
    let (_, other) = github.pull_request("dns").await;
    github.until_check(&other, PLAN, "Deploy", has_deploy).await;
    github.is_true_to_github().await;
}

#[tokio::test]
async fn an_app_that_is_suspended_uninstalled_and_installed_again_catches_up() {
    if !terraform() {
        return;
    }
    let github = Simulated::start().await;
    let path = format!("/installations/{}", github.installation);
    github.control("POST", &format!("{path}/suspend"), json!({})).await;
    let page = "/settings/github";
    github.headway.until(page, "the suspension", |page| page.text().contains("suspended")).await;
    let (_, commit) = github.pull_request("cache").await;
    github.control("POST", &format!("{path}/unsuspend"), json!({})).await;
    github.headway.until(page, "its end", |page| !page.text().contains("suspended")).await;
    github.check_now().await;
    github.until_check(&commit, PLAN, "Deploy", has_deploy).await;

    github.control("DELETE", &path, json!({})).await;
    let gone = "Not installed any more on acme/network";
    github.headway.until(page, "the loss", |page| page.text().contains(gone)).await;
    let settings = format!("{}/settings/integrations", github.stack);
    github.headway.page(&settings).await.says("not installed on acme/network any more");
    let account = json!({ "app_id": github.app["id"], "account": "acme" });
    github.control("POST", "/installations", account).await;
    github.headway.until(page, "the installation", |page| !page.text().contains(gone)).await;
    let (_, other) = github.pull_request("dns").await;
    github.until_check(&other, PLAN, "Deploy", has_deploy).await;

    // Another right is missing, and the page says which.
    let fewer = json!({ "checks": "write", "contents": "read", "metadata": "read" });
    let state = github.state().await;
    let id = state["installations"].as_object().unwrap().keys().next().unwrap().clone();
    github.control("PUT", &format!("/installations/{id}/permissions"), fewer).await;
    github.check_now().await;
    github.headway.page(page).await.says("It lacks rights").says("deployments: write");
}

#[tokio::test]
async fn a_repository_that_is_renamed_while_a_run_is_queued_keeps_its_checks() {
    if !terraform() {
        return;
    }
    let github = Simulated::start().await;
    let (_, commit) = github.pull_request("cache").await;
    github.control("POST", "/repositories/acme/network/rename", json!({ "name": "infrastructure" })).await;
    github.headway.until(&github.stack, "the new name", |page| page.text().contains("acme/infrastructure")).await;
    let check = github.until_check(&commit, PLAN, "Deploy", has_deploy).await;
    github.click(&check, "deploy", "acme", false).await;
    github.until_check(&commit, DEPLOY, "its end", ended("success")).await;
    github.headway.sync(&github.stack).await.lacks("cannot be read");
    github.is_true_to_github().await;
}

#[tokio::test]
async fn a_key_that_was_revoked_and_a_stack_that_was_deleted_are_told() {
    if !terraform() {
        return;
    }
    let github = Simulated::start().await;
    let (_, commit) = github.pull_request("cache").await;
    let check = github.until_check(&commit, PLAN, "Deploy", has_deploy).await;
    let fields = [("stack", "network"), ("name", "Network")];
    github.headway.form(&format!("{}/settings/deletion", github.stack), "delete_stack", &fields).await;
    let gone = github
        .until_check(&commit, PLAN, "its end", |check| check["output"]["title"] == "This run no longer exists")
        .await;
    assert_eq!((buttons(&gone).len(), &gone["conclusion"]), (0, &check["conclusion"]), "what has ended stays so");
    github.click(&check, "deploy", "acme", true).await;
    github.headway.until("/settings/github/deliveries", "a reason", |page| page.text().contains("was deleted")).await;
    let refused = github.until_check(&commit, PLAN, "a reason", says("Nothing was done")).await;
    assert!(says("The stack of this check run was deleted")(&refused), "{refused}");
    assert!(says("pressed by acme")(&refused), "{refused}");

    github.control("POST", &format!("/apps/{}/revoke-key", github.app["id"]), json!({})).await;
    github.check_now().await;
    github.headway.page("/settings/github").await.says("GitHub does not accept Headway's key");
}

#[tokio::test]
async fn a_click_on_a_check_run_that_headway_has_nothing_of_is_refused_in_it() {
    if !terraform() {
        return;
    }
    let github = Simulated::start().await;
    let (_, commit) = github.pull_request("cache").await;
    let check = github.until_check(&commit, PLAN, "Deploy", has_deploy).await;
    // As after an older copy of the database was put in place.
    past_headway(github.headway.data.path(), "delete from github_check where kind = 'proposed'").await.unwrap();
    // GitHub does not take it the first time.
    github.fault(json!({ "method": "PATCH", "path": "/repositories/*/check-runs/*", "status": 500, "times": 1 })).await;
    github.click(&check, "deploy", "acme", false).await;
    let refused = github.until_check(&commit, PLAN, "a reason", says("Nothing was done")).await;
    assert!(says("Headway does not know this check run")(&refused), "{refused}");
    assert!(says("Push again to have the branch planned")(&refused), "{refused}");
    assert_eq!((buttons(&refused).len(), &refused["conclusion"]), (0, &check["conclusion"]), "what has ended stays so");
    github.headway.page("/activity").await.says("does not know this check run").says("github/acme");
    assert!(github.check(&commit, DEPLOY).await.is_none());
    github.is_true_to_github().await;
}

#[tokio::test]
async fn whatever_github_answers_has_an_outcome_that_somebody_can_see() {
    if !terraform() {
        return;
    }
    let github = Simulated::start().await;
    let answers = [
        ("bad-credentials", json!({ "status": 401 }), None),
        ("forbidden", json!({ "status": 403, "body": "{\"message\":\"not yours\"}" }), None),
        ("not-found", json!({ "status": 404 }), None),
        ("too-many", json!({ "status": 429, "headers": { "retry-after": "1" } }), None),
        ("broken", json!({ "status": 500, "body": "<html>oops" }), None),
        ("not-json", json!({ "status": 200, "body": "<html>fine" }), None),
        ("nothing", json!({ "drop": true }), None),
        // Longer than Headway waits.
        ("slowly", json!({ "delay_ms": 16_000 }), None),
        ("elsewhere", json!({ "status": 307, "headers": { "location": "http://127.0.0.1:9/repos" } }), None),
        ("conflict", json!({ "status": 409, "body": "{\"message\":\"in conflict\"}" }), Some("409 in conflict")),
        ("invalid", json!({ "status": 422, "body": "{\"message\":\"not like this\"}" }), Some("422 not like this")),
    ];
    for (branch, mut fault, seen) in answers {
        fault["method"] = "POST".into();
        fault["path"] = "/repos/*/check-runs".into();
        if seen.is_none() {
            fault["times"] = 1.into();
        }
        github.fault(fault).await;
        let (_, commit) = github.pull_request(branch).await;
        match seen {
            // What may pass is tried again, until the check is there.
            None => {
                github.until_check(&commit, PLAN, branch, has_deploy).await;
            }
            // What will not pass is told to the administrator; the run goes on all the same.
            Some(why) => {
                github.headway.until("/settings/github", branch, |page| page.text().contains(why)).await;
                let run = github.headway.proposed_pull(&github.stack, &format!("Make {branch}")).await;
                github.headway.until_state(&run, "finished").await;
                github.no_faults().await;
            }
        }
    }
    // Once GitHub takes it, nothing is left of the trouble.
    let (_, commit) = github.pull_request("last").await;
    github.until_check(&commit, PLAN, "its plan", has_deploy).await;
    let done =
        |page: &crate::page::Page| !page.text().contains("did not take") && !page.text().contains("does not know");
    github.headway.until("/settings/github", "no trouble", done).await;
}
