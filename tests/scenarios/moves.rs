//! Stacks and their repositories on GitHub: two stacks of one repository, and a stack that goes to another one.

use crate::headway::terraform;
use crate::page::version;
use crate::simulated::{Simulated, buttons, ended};
use serde_json::{Value, json};

const PLAN: &str = "headway/network";

/// The values of a table of the simulated GitHub.
fn all<'a>(state: &'a Value, table: &str) -> Vec<&'a Value> {
    state[table].as_object().unwrap().values().collect()
}

#[tokio::test]
async fn two_stacks_of_one_repository_keep_one_comment_together() {
    if !terraform() {
        return;
    }
    let github = Simulated::start().await;
    let address = format!("{}/acme/network.git", github.url);
    let other = github.headway.stack_at(&address, "Other", &[]).await;
    for stack in [&github.stack, &other] {
        let settings = format!("{stack}/settings/integrations");
        let version = version(&github.headway.page(&settings).await);
        let id = stack.trim_start_matches("/stack/");
        let on = [("stack", id), ("version", version.as_str()), ("pull_request_comment", "true")];
        github.headway.form(&settings, "save_integrations", &on).await.says("Saved.");
    }
    // Long enough for the one stack to look for a comment before that of the other one is there.
    github.fault(json!({ "method": "POST", "path": "/repos/*/issues/*/comments", "delay_ms": 2000 })).await;
    let (_, commit) = github.pull_request("cache").await;
    for plan in [PLAN, "headway/other"] {
        github.until_check(&commit, plan, "its plan", ended("success")).await;
    }
    let tells_of_both = |comment: &Value| comment["body"].as_str().unwrap().matches("**Deploy**").count() == 2;
    let state = github.until("a comment", |state| all(state, "comments").into_iter().any(tells_of_both)).await;
    assert_eq!(all(&state, "comments").len(), 1, "{:#}", state["comments"]);
    github.is_true_to_github().await;
}

#[tokio::test]
async fn the_checks_of_a_stack_that_moved_end_where_they_stand() {
    if !terraform() {
        return;
    }
    let github = Simulated::start().await;
    let (_, commit) = github.pull_request("cache").await;
    let has_deploy = |check: &Value| buttons(check).contains(&"deploy");
    let check = github.until_check(&commit, PLAN, "Deploy", has_deploy).await;
    let old = check["id"].to_string();

    let new = json!({ "owner": "acme", "name": "moved", "private": true });
    let made = github.control("POST", "/repositories", new).await;
    github.work.git(&["push", "--quiet", made["path"].as_str().unwrap(), "main", "cache"]);
    github.control("POST", "/repositories/acme/moved/notice", json!({})).await;
    github.check_now().await;
    let settings = format!("{}/settings/source", github.stack);
    let version = version(&github.headway.page(&settings).await);
    let address = format!("{}/acme/moved.git", github.url);
    let fields = [
        ("stack", "network"),
        ("version", version.as_str()),
        ("address", address.as_str()),
        ("tracked_branch", "main"),
        ("project_root", ""),
    ];
    github.headway.form(&settings, "save_source", &fields).await.says("Saved.");
    let title = |state: &Value| state["check_runs"][&old]["output"]["title"] == "This run no longer exists";
    let state = github.until("its end", title).await;
    let gone = &state["check_runs"][&old];
    assert_eq!((buttons(gone).len(), &gone["conclusion"]), (0, &check["conclusion"]), "what has ended stays so");

    // Whoever presses it all the same is told why nothing comes of it.
    let says = |what: &'static str| {
        let old = old.clone();
        move |state: &Value| state["check_runs"][&old]["output"]["summary"].as_str().unwrap().contains(what)
    };
    github.click(&check, "deploy", "acme", true).await;
    github.until("a reason", says("follows another repository now")).await;
    assert_eq!(github.headway.page(&github.stack).await.runs().len(), 1, "only the first commit was deployed");

    // In the repository that it follows now, the same commit has a check of its own.
    let pull = json!({ "title": "The same here", "head": "cache", "author": "acme" });
    github.control("POST", "/repositories/acme/moved/pulls", pull).await;
    let there = |run: &&Value| run["repository"] == made["id"] && run["name"] == PLAN && run["head_sha"] == commit;
    github.until("its check there", |state| all(state, "check_runs").into_iter().filter(there).any(has_deploy)).await;
    github.click(&check, "preview", "acme", true).await;
    github.until("another reason", says("Headway does not know this check run")).await;
    github.is_true_to_github().await;
}
