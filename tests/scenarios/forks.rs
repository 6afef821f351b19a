//! Forks: nothing of theirs runs until a maintainer lets exactly that commit be planned, and nothing of theirs is deployed.

use crate::headway::terraform;
use crate::page::version;
use crate::repository::resource;
use crate::simulated::{Simulated, buttons, ended};
use serde_json::{Value, json};
use std::process::Command;

const PLAN: &str = "headway/network";

impl Simulated {
    /// Pushes a commit to a branch of eve's fork; the commit.
    async fn push_fork(&self, folder: &str, subject: &str) -> String {
        let file = format!("{subject}.tf");
        self.work.branch(subject, "main", subject, &[(file.as_str(), resource(subject).as_str())]);
        let commit = self.work.git(&["rev-parse", "HEAD"]);
        self.work.git(&["push", "--quiet", "--force", folder, "HEAD:refs/heads/change"]);
        self.work.git(&["checkout", "--quiet", "main"]);
        self.control("POST", "/repositories/eve/network/notice", json!({})).await;
        commit
    }
}

#[tokio::test]
async fn a_forks_commit_is_planned_when_it_was_allowed_and_never_deployed() {
    if !terraform() {
        return;
    }
    let github = Simulated::start().await;
    let fork = github.control("POST", "/repositories/acme/network/forks", json!({ "owner": "eve" })).await;
    let folder = fork["path"].as_str().unwrap().to_owned();
    let first = github.push_fork(&folder, "first-change").await;
    let pull = json!({ "title": "From afar", "head": "eve:change" });
    github.control("POST", "/repositories/acme/network/pulls", pull).await;
    let check = github.until_check(&first, PLAN, "its end", ended("skipped")).await;
    assert!(buttons(&check).is_empty(), "the stack does not plan forks");
    github.headway.page(&format!("{}/proposed", github.stack)).await.says("From afar #1").lacks("Allow plan");
    github.click(&check, "allow_plan", "acme", true).await;
    let reason = |check: &Value| check["output"]["summary"].as_str().unwrap().contains("does not plan forks");
    github.until_check(&first, PLAN, "a reason", reason).await;

    let settings = format!("{}/settings/integrations", github.stack);
    let version = version(&github.headway.page(&settings).await);
    let on = [("stack", "network"), ("version", version.as_str()), ("fork_plans", "true")];
    github.headway.form(&settings, "save_integrations", &on).await.says("Saved.");
    let check = github.until_check(&first, PLAN, "Allow plan", |check| buttons(check) == ["allow_plan"]).await;
    github.headway.page(&format!("{}/proposed", github.stack)).await.says(&format!("Allow plan of {}", &first[..7]));
    // Who may not write lets nothing be planned.
    github.click(&check, "allow_plan", "eve", true).await;
    let refused = |check: &Value| check["output"]["summary"].as_str().unwrap().contains("eve has no write access");
    github.until_check(&first, PLAN, "a reason", refused).await;
    github.click(&check, "allow_plan", "acme", false).await;
    let planned = github.until_check(&first, PLAN, "a plan", ended("success")).await;
    assert_eq!(buttons(&planned), ["preview"], "never Deploy");
    github.click(&planned, "deploy", "acme", true).await;
    let refused = |check: &Value| check["output"]["summary"].as_str().unwrap().contains("Nothing was done");
    github.until_check(&first, PLAN, "a reason", refused).await;
    let proposed = github.headway.proposed_pull(&github.stack, "From afar").await;
    github.headway.page(&proposed).await.says("From afar #1").says("No branch of the stack's own repository");

    // The next commit is another one.
    let second = github.push_fork(&folder, "second-change").await;
    github.until_check(&second, PLAN, "Allow plan", |check| buttons(check) == ["allow_plan"]).await;
    github
        .until_check(&first, PLAN, "its end", |check| {
            check["output"]["title"].as_str().unwrap().starts_with("Superseded")
        })
        .await;
    let stale = [("stack", "network"), ("pull_request", "1"), ("commit", first.as_str())];
    github
        .headway
        .form(&format!("{}/proposed", github.stack), "allow_plan", &stale)
        .await
        .has_status(409)
        .says("is at");
    let page = github.headway.page(&proposed).await;
    page.says(&format!("Allow plan of {}", &second[..7]));
    let fields = [("stack", "network"), ("pull_request", "1"), ("commit", second.as_str())];
    let run = github.headway.form(&proposed, "allow_plan", &fields).await;
    github.headway.until_state(&run.path, "finished").await;
    github.headway.page("/activity").await.says("allow plan");
    assert_eq!(github.headway.page(&github.stack).await.runs().len(), 1, "nothing of it was deployed");

    // Switched off again, nothing of it is planned once more, wherever that is asked for.
    let check = github.until_check(&second, PLAN, "its plan", ended("success")).await;
    github.headway.page(&run.path).await.says("Retry");
    let newest = crate::page::version(&github.headway.page(&settings).await);
    let off = [("stack", "network"), ("version", newest.as_str())];
    github.headway.form(&settings, "save_integrations", &off).await.says("Saved.");
    github.headway.page(&run.path).await.says("the stack does not plan forks").lacks("Retry");
    github.headway.press(&run.path, "retry_run").await.has_status(409).says("The stack does not plan forks");
    github.click(&check, "preview", "acme", true).await;
    github.until_check(&second, PLAN, "a reason", reason).await;
    github.is_true_to_github().await;
}

#[tokio::test]
async fn a_public_repository_gets_numbers_only_and_a_comment_where_it_is_wanted() {
    if !terraform() {
        return;
    }
    let github = Simulated::start().await;
    github.control("POST", "/repositories/acme/network/visibility", json!({ "private": false })).await;
    github.headway.form("/settings/github", "check_github", &[]).await;
    let settings = format!("{}/settings/integrations", github.stack);
    let save = async |switch: &str| {
        let version = version(&github.headway.page(&settings).await);
        let on = [("stack", "network"), ("version", version.as_str()), (switch, "true")];
        github.headway.form(&settings, "save_integrations", &on).await.says("Saved.");
    };
    save("pull_request_comment").await;
    let (number, commit) = github.pull_request("cache").await;
    let check = github.until_check(&commit, PLAN, "its plan", ended("success")).await;
    assert!(!check["output"]["text"].as_str().unwrap().contains("terraform_data"), "{check:#?}");
    let state = github
        .until("a comment", |state| {
            state["comments"].as_object().unwrap().values().any(|one| one["body"].as_str().unwrap().contains("Deploy"))
        })
        .await;
    let comments: Vec<&Value> = state["comments"].as_object().unwrap().values().collect();
    assert_eq!((comments.len(), comments[0]["number"].as_i64()), (1, Some(number)));
    save("public_changes").await;
    let listed = |check: &Value| check["output"]["text"].as_str().unwrap().contains("+ terraform_data.cache");
    github.until_check(&commit, PLAN, "the changes", listed).await;
    github.is_true_to_github().await;
}

#[tokio::test]
async fn no_token_is_in_a_log_a_page_the_database_or_a_command_line() {
    if !terraform() {
        return;
    }
    let github = Simulated::start().await;
    let (_, commit) = github.pull_request("cache").await;
    github.until_check(&commit, PLAN, "its plan", ended("success")).await;
    let pages = [github.stack.clone(), "/settings/github".into(), format!("{}/settings/source", github.stack)];
    for page in &pages {
        assert!(!github.headway.page(page).await.html.contains("ghs_"), "{page}");
    }
    // Neither the tokens nor the key stand anywhere in the data folder in clear.
    for secret in ["ghs_", "BEGIN RSA PRIVATE KEY", github.app["webhook_secret"].as_str().unwrap()] {
        let found = Command::new("grep").args(["-rlaF", secret]).arg(github.headway.data.path()).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&found.stdout), "", "{secret:.8}");
    }
}
