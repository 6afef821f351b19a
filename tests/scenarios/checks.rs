//! Checks: a pull request's plan as a check on GitHub, Deploy in it, and everything that must not deploy.

use crate::headway::{engine_before, terraform};
use crate::simulated::{Simulated, buttons, ended};
use serde_json::{Value, json};

const PLAN: &str = "headway/network";
const DEPLOY: &str = "headway/network deploy";

fn text(check: &Value, field: &str) -> String {
    check["output"][field].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn deploy_in_the_checks_tab_becomes_a_deployment() {
    if !terraform() {
        return;
    }
    let github = Simulated::start().await;
    let (number, commit) = github.pull_request("cache").await;
    let check = github.until_check(&commit, PLAN, "its plan", ended("success")).await;
    assert_eq!(text(&check, "title"), "+1 ~0 -0");
    assert_eq!(buttons(&check), ["preview", "deploy"]);
    assert!(text(&check, "summary").contains("✅ Its commit"), "{}", text(&check, "summary"));
    assert!(text(&check, "text").contains("+ terraform_data.cache create"), "{}", text(&check, "text"));
    assert!(check["details_url"].as_str().unwrap().starts_with(&format!("{}/stack/network/run/", github.headway.url)));
    let proposed = github.headway.page(&format!("{}/proposed", github.stack)).await;
    proposed
        .says(&format!("Make cache #{number}"))
        .says("acme wants to merge cache into main")
        .says("Review and promote");

    github.click(&check, "deploy", "acme", false).await;
    let deployed = github.until_check(&commit, DEPLOY, "its apply", ended("success")).await;
    assert_eq!(text(&deployed, "title"), "Applied +1 ~0 -0");
    assert!(text(&deployed, "summary").contains("does not contain this commit yet"), "it is not merged");
    let after = github.until_check(&commit, PLAN, "no Deploy", |check| buttons(check) == ["preview"]).await;
    assert!(text(&after, "summary").contains("Promoted by github/acme"), "{}", text(&after, "summary"));
    let state = github
        .until("a deployment", |state| {
            let deployments = state["deployments"].as_object().unwrap();
            let ours = deployments.values().find(|deployment| deployment["sha"] == commit.as_str());
            ours.is_some_and(|ours| {
                ours["statuses"].as_array().unwrap().last().is_some_and(|last| last["state"] == "success")
            })
        })
        .await;
    assert!(state["deployments"].as_object().unwrap().values().all(|one| one["environment"] == "Network"));
    let tracked = github.headway.page(&github.stack).await.runs()[0].clone();
    github.headway.page(&tracked).await.says("Promoted by github/acme").says("Apply complete!");
    github.headway.page("/activity").await.says("github/acme");

    // The same click again, once as GitHub sends it and once under another id: the same run.
    github.click(&check, "deploy", "acme", true).await;
    github.click(&after, "deploy", "acme", true).await;
    github.settled().await;
    assert_eq!(github.headway.page(&github.stack).await.runs().len(), 2, "the first commit and this one");

    // Switched off, the next pull request has no Deploy, and a stale button is refused in the check.
    github.headway.behave(&github.stack, &["autodeploy", "secret_masking"]).await.says("Saved.");
    github.work.git(&["checkout", "--quiet", "cache"]);
    github.work.git(&["branch", "--force", "main", "cache"]);
    let (_, other) = github.pull_request("dns").await;
    let check = github.until_check(&other, PLAN, "its plan", ended("success")).await;
    assert_eq!(buttons(&check), ["preview"]);
    github.click(&check, "deploy", "acme", true).await;
    let refused =
        github.until_check(&other, PLAN, "a reason", |check| text(check, "summary").contains("Nothing was done")).await;
    assert!(text(&refused, "summary").contains("Run promotion is switched off for this stack"));
    assert!(text(&refused, "summary").contains("Allow run promotion"), "the cure");
    github.headway.page("/activity").await.says("refused");
    assert_eq!(github.headway.page(&github.stack).await.runs().len(), 2);
    github.is_true_to_github().await;
}

#[tokio::test]
async fn a_button_follows_the_setting_the_lock_and_the_stack() {
    if !terraform() {
        return;
    }
    let github = Simulated::start().await;
    let (_, one) = github.pull_request("one").await;
    let (_, two) = github.pull_request("two").await;
    let has = |wanted: &'static [&'static str]| {
        move |check: &Value| buttons(check) == wanted && check["conclusion"] == "success"
    };
    let both = ["preview", "deploy"];
    github.until_check(&one, PLAN, "Deploy", move |check| buttons(check) == both).await;
    let second = github.until_check(&two, PLAN, "Deploy", move |check| buttons(check) == both).await;

    github.headway.form(&github.stack, "lock_stack", &[("stack", "network"), ("note", "<b>@all</b>")]).await;
    let locked = github.until_check(&one, PLAN, "no Deploy", has(&["preview"])).await;
    assert!(text(&locked, "summary").contains("locked by operator"), "{}", text(&locked, "summary"));
    assert!(!text(&locked, "summary").contains("<b>"));
    github.headway.form(&github.stack, "unlock_stack", &[("stack", "network")]).await;
    let first = github.until_check(&one, PLAN, "Deploy", has(&["preview", "deploy"])).await;

    // Two pull requests at the same moment: one is newer than the stack afterwards, the other has diverged.
    github.click(&first, "deploy", "acme", false).await;
    github.until_check(&one, DEPLOY, "its apply", ended("success")).await;
    let diverged = github.until_check(&two, PLAN, "no Deploy", has(&["preview"])).await;
    assert!(text(&diverged, "summary").contains("diverged"), "{}", text(&diverged, "summary"));
    github.click(&second, "deploy", "acme", true).await;
    github.until_check(&two, PLAN, "a reason", |check| text(check, "summary").contains("Nothing was done")).await;
    assert!(github.check(&two, DEPLOY).await.is_none());
    github.is_true_to_github().await;
}

#[tokio::test]
async fn who_may_not_write_a_bot_and_a_forged_click_deploy_nothing() {
    if !terraform() {
        return;
    }
    let github = Simulated::start().await;
    let (_, commit) = github.pull_request("cache").await;
    let check = github.until_check(&commit, PLAN, "Deploy", |check| buttons(check).contains(&"deploy")).await;
    let path = "/repositories/acme/network/collaborators/eve";
    github.control("PUT", path, json!({ "permission": "read" })).await;
    github.click(&check, "deploy", "eve", true).await;
    let refused = |why: &'static str| move |check: &Value| text(check, "summary").contains(why);
    github.until_check(&commit, PLAN, "a reason", refused("eve has no write access to acme/network")).await;
    github.click(&check, "deploy", "robot[bot]", true).await;
    github.until_check(&commit, PLAN, "a reason", refused("is a bot")).await;

    // A body that GitHub would sign, about another repository, another commit, another App.
    let sent = github
        .until("the click", |state| {
            state["deliveries"].as_array().unwrap().iter().any(|one| one["action"] == "requested_action")
        })
        .await;
    let body = sent["deliveries"].as_array().unwrap().iter().find(|one| one["action"] == "requested_action").unwrap();
    let click: Value = serde_json::from_str(body["body"].as_str().unwrap()).unwrap();
    for (pointer, value) in [
        ("/repository/id", json!(1)),
        ("/check_run/head_sha", json!("f".repeat(40))),
        ("/installation/id", json!(7)),
        ("/check_run/app/id", json!(5)),
        ("/check_run/id", json!(99)),
    ] {
        let mut forged = click.clone();
        forged["sender"]["login"] = "acme".into();
        *forged.pointer_mut(pointer).unwrap() = value;
        if pointer == "/check_run/id" {
            forged["check_run"]["external_id"] = "made up".into();
        }
        let raw = json!({ "app_id": github.app["id"], "event": "check_run", "body": forged });
        github.control("POST", "/webhooks", raw).await;
    }
    let count = |text: &str| text.matches("requested_action").count();
    github.headway.until("/settings/github/deliveries", "all clicks", |page| count(&page.text()) >= 7).await;
    github.settled().await;
    assert_eq!(github.headway.page(&github.stack).await.runs().len(), 1, "only the first commit was deployed");
    assert!(github.check(&commit, DEPLOY).await.is_none());
}

#[tokio::test]
async fn a_newer_push_supersedes_and_a_closed_pull_request_ends_its_deploy() {
    if !terraform() {
        return;
    }
    let github = Simulated::start().await;
    let (number, old) = github.pull_request("cache").await;
    let stale = github.until_check(&old, PLAN, "Deploy", |check| buttons(check).contains(&"deploy")).await;
    let new = github.work.commit("cache", "Make more", &[("more.tf", &crate::repository::resource("more"))]);
    github.push(&["cache"]).await;
    let superseded = github.until_check(&old, PLAN, "no Deploy", |check| !buttons(check).contains(&"deploy")).await;
    assert_eq!(text(&superseded, "title"), format!("Superseded by {}", &new[..7]));
    github.click(&stale, "deploy", "acme", true).await;
    github.until_check(&old, PLAN, "a reason", |check| text(check, "summary").contains("Superseded by")).await;

    let check = github.until_check(&new, PLAN, "Deploy", |check| buttons(check).contains(&"deploy")).await;
    let path = format!("/repositories/acme/network/pulls/{number}");
    github.control("PATCH", &path, json!({ "state": "closed" })).await;
    github.until_check(&new, PLAN, "no Deploy", |check| !buttons(check).contains(&"deploy")).await;
    github.click(&check, "deploy", "acme", true).await;
    github
        .until_check(&new, PLAN, "a reason", |check| {
            text(check, "summary").contains("Nothing was done") && text(check, "summary").contains("is closed")
        })
        .await;
    github.control("PATCH", &path, json!({ "state": "open" })).await;
    let again = github.until_check(&new, PLAN, "Deploy", |check| buttons(check).contains(&"deploy")).await;

    // Preview plans once more, in a check run of its own; the older one says so.
    github.click(&again, "preview", "acme", false).await;
    let newer = github
        .until_check(&new, PLAN, "another plan", |check| {
            check["id"] != again["id"] && buttons(check).contains(&"deploy")
        })
        .await;
    github.click(&again, "preview", "acme", true).await;
    github.settled().await;
    assert_eq!(github.check(&new, PLAN).await.unwrap()["id"], newer["id"], "that was done already");

    // "Re-run all checks" does the same for every stack of the commit.
    let path_of_suite = "/repositories/acme/network/check-suites/rerequest";
    github.control("POST", path_of_suite, json!({ "sha": new, "login": "acme" })).await;
    github
        .until_check(&new, PLAN, "one more plan", |check| {
            check["id"] != newer["id"] && buttons(check).contains(&"deploy")
        })
        .await;
    // A draft, or another base, changes nothing of what the commit would do.
    github.control("PATCH", &path, json!({ "draft": true, "base": "other" })).await;
    github
        .headway
        .until(&format!("{}/proposed", github.stack), "the draft", |page| page.text().contains("into other"))
        .await;
    github.headway.page(&format!("{}/proposed", github.stack)).await.says("draft").says("Review and promote");
    github.control("PATCH", &path, json!({ "draft": false, "base": "main" })).await;

    // Merged, the tracked branch deploys it.
    github.control("PATCH", &path, json!({ "merged": true })).await;
    github.until_check(&new, PLAN, "no Deploy", |check| !buttons(check).contains(&"deploy")).await;
    github.headway.until(&github.stack, "the merge's run", |page| page.text().contains("Merge pull request")).await;
    github.is_true_to_github().await;
}

#[tokio::test]
async fn the_same_commit_in_two_pull_requests_is_on_offer_while_one_is_open() {
    if !terraform() {
        return;
    }
    let github = Simulated::start().await;
    let has_deploy = |check: &Value| buttons(check).contains(&"deploy");
    let (first, commit) = github.pull_request("one").await;
    github.until_check(&commit, PLAN, "Deploy", has_deploy).await;
    github.work.git(&["branch", "two", "one"]);
    github.push(&["two"]).await;
    let pull = json!({ "title": "The same once more", "head": "two", "author": "acme" });
    let made = github.control("POST", "/repositories/acme/network/pulls", pull).await;
    let list = format!("{}/proposed", github.stack);
    github.headway.until(&list, "both", |page| page.text().contains("The same once more")).await;
    github.settled().await;
    // One plan and one check serve both, and the run names both.
    assert_eq!(github.checks(&commit, PLAN).await.len(), 1);
    let run = github.headway.page(&list).await.runs();
    assert_eq!(run.len(), 1, "{run:?}");
    github.headway.page(&run[0]).await.says("The same once more").says("Make one");

    let path = |number: &Value| format!("/repositories/acme/network/pulls/{number}");
    let (first, second) = (path(&first.into()), path(&made["number"]));
    github.control("PATCH", &second, json!({ "state": "closed" })).await;
    github.headway.until(&list, "its end", |page| !page.text().contains("The same once more")).await;
    github.settled().await;
    github.until_check(&commit, PLAN, "Deploy", has_deploy).await;
    github.control("PATCH", &first, json!({ "state": "closed" })).await;
    github.until_check(&commit, PLAN, "no Deploy", |check| !has_deploy(check)).await;
    // The other one's commit is on offer again, though its plan was made for the first one's branch, which goes on.
    github.control("PATCH", &second, json!({ "state": "open" })).await;
    github.until_check(&commit, PLAN, "Deploy", has_deploy).await;
    let newer = github.work.commit("one", "Make more", &[("more.tf", &crate::repository::resource("more"))]);
    github.push(&["one"]).await;
    github.headway.until(&list, "its plan", |page| page.text().contains(&newer[..7])).await;
    github.settled().await;
    let check = github.until_check(&commit, PLAN, "Deploy", has_deploy).await;
    assert_eq!(github.checks(&commit, PLAN).await.len(), 1);
    github.headway.page(&list).await.says("The same once more").says(&commit[..7]);

    github.click(&check, "deploy", "acme", false).await;
    github.until_check(&commit, DEPLOY, "its apply", ended("success")).await;
    github.is_true_to_github().await;
}

#[tokio::test]
async fn a_branch_without_a_pull_request_keeps_the_plan_that_it_shares_with_one_that_is_closed() {
    if !terraform() {
        return;
    }
    let github = Simulated::start().await;
    let engines = tempfile::tempdir().unwrap();
    let slow = engine_before(engines.path(), "[ \"$1\" = plan ] && sleep 3");
    github.headway.use_engine(&github.stack, &slow).await;
    let (number, commit) = github.pull_request("one").await;
    github.until_check(&commit, PLAN, "its plan", |check| check["status"] == "in_progress").await;
    github.work.git(&["branch", "two", "one"]);
    github.push(&["two"]).await;
    let list = format!("{}/proposed", github.stack);
    github.headway.until(&list, "the other branch", |page| page.text().contains(" two ")).await;
    let path = format!("/repositories/acme/network/pulls/{number}");
    github.control("PATCH", &path, json!({ "state": "closed" })).await;
    github.settled().await;
    github.until_check(&commit, PLAN, "Deploy", |check| buttons(check).contains(&"deploy")).await;
    assert_eq!(github.checks(&commit, PLAN).await.len(), 1);
    github.work.git(&["push", "--quiet", "origin", "--delete", "two"]);
    github.control("POST", "/repositories/acme/network/notice", json!({})).await;
    let closed = format!("Pull request {number} is closed");
    github.until_check(&commit, PLAN, "its end", |check| text(check, "summary").contains(&closed)).await;
}

#[tokio::test]
async fn a_click_that_was_refused_may_be_repeated_and_every_refusal_is_in_the_activity_log() {
    if !terraform() {
        return;
    }
    let github = Simulated::start().await;
    let (_, commit) = github.pull_request("cache").await;
    github.until_check(&commit, PLAN, "Deploy", |check| buttons(check).contains(&"deploy")).await;
    let path = "/repositories/acme/network/collaborators/eve";
    github.control("PUT", path, json!({ "permission": "read" })).await;
    let summary = |check: Value| text(&check, "summary");
    let mut before = String::new();
    for _ in 0..2 {
        // Each click carries the text that the check has by then.
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        let check = github.check(&commit, PLAN).await.unwrap();
        github.click(&check, "deploy", "eve", true).await;
        let refused =
            |check: &Value| text(check, "summary").contains("no write access") && text(check, "summary") != before;
        before = summary(github.until_check(&commit, PLAN, "a reason", refused).await);
    }
    github.control("PUT", path, json!({ "permission": "write" })).await;
    github.click(&github.check(&commit, PLAN).await.unwrap(), "deploy", "eve", true).await;
    let deployed = github.until_check(&commit, DEPLOY, "its apply", ended("success")).await;

    let rerun = format!("/check-runs/{}/rerequest", deployed["id"]);
    github.control("POST", &rerun, json!({ "login": "acme" })).await;
    let told = |check: &Value| text(check, "summary").contains("A deployment is not repeated from GitHub.");
    github.until_check(&commit, DEPLOY, "a reason", told).await;
    github.headway.page("/activity").await.says("A deployment is not repeated from GitHub.").says("no write access");
    github.is_true_to_github().await;
}

#[tokio::test]
async fn a_pull_request_that_touches_nothing_of_the_stack_is_skipped() {
    if !terraform() {
        return;
    }
    let github = Simulated::start().await;
    let settings = format!("{}/settings/source", github.stack);
    github.work.commit("main", "Make folders", &[("stacks/one/main.tf", &crate::repository::resource("one"))]);
    github.push(&["main"]).await;
    github.headway.until(&settings, "the folder", |page| page.html.contains("stacks/one")).await;
    let version = crate::page::version(&github.headway.page(&settings).await);
    let fields = [
        ("stack", "network"),
        ("version", version.as_str()),
        ("tracked_branch", "main"),
        ("project_root", "stacks/one"),
    ];
    github.headway.form(&settings, "save_source", &fields).await.says("Saved.");
    let (_, commit) = github.pull_request("elsewhere").await;
    let check = github.until_check(&commit, PLAN, "its end", ended("skipped")).await;
    assert_eq!(text(&check, "title"), "Not planned");
    // Whoever wants the plan all the same gets it.
    github.click(&check, "preview", "acme", false).await;
    github.until_check(&commit, PLAN, "a plan", ended("success")).await;
    github.is_true_to_github().await;
}
