//! Pushes: what new, moved and deleted branches lead to.

use crate::headway::{Headway, engine_before, terraform};
use crate::page::card;
use crate::repository::{Repository, resource};

#[tokio::test]
async fn each_push_is_answered_once_and_only_when_files_of_the_stack_changed() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    repository.commit("main", "Lay out folders", &[("network/main.tf", &resource("net")), ("modules/m.tf", "")]);
    let headway = Headway::start().await;
    let stack = headway.stack(&repository, "Network", &[("project_root", "network")]).await;

    repository.branch("docs", "main", "Write it down", &[("README.md", "text")]);
    repository.branch("more", "main", "Make more", &[("network/more.tf", &resource("more"))]);
    headway.sync(&stack).await;
    let page = headway.page(&format!("{stack}/proposed")).await;
    assert!(card(&page, "docs").contains("No proposed run yet"), "{}", page.text());
    let proposed = headway.proposed(&stack, "more").await;
    headway.until_state(&proposed, "finished").await;
    headway.sync(&stack).await;
    assert_eq!(headway.proposed(&stack, "more").await, proposed, "a push that was answered is not answered again");

    // A person may plan the other one all the same.
    let asked = headway
        .form(&format!("{stack}/proposed"), "propose_run", &[("stack", "network"), ("branch", "docs")])
        .await
        .path;
    headway.until_state(&asked, "finished").await.says("Started by operator");

    repository.commit("main", "Make another", &[("network/another.tf", &resource("another"))]);
    headway.sync(&stack).await;
    let tracked = headway.page(&stack).await.runs()[0].clone();
    headway.until_state(&tracked, "unconfirmed").await.says("Started by a Git push");

    repository.commit("main", "Touch nothing of it", &[("README.md", "more text")]);
    headway.sync(&stack).await;
    assert_eq!(headway.page(&stack).await.runs()[0], tracked);
}

#[tokio::test]
async fn a_newer_push_takes_the_place_of_the_older_one_and_a_deleted_branch_stops_its_run() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    let engines = tempfile::tempdir().unwrap();
    headway.use_engine(&stack, &engine_before(engines.path(), "[ \"$1\" = plan ] && exec sleep 141421356")).await;
    repository.branch("more", "main", "Make more", &[("more.tf", &resource("more"))]);
    headway.sync(&stack).await;
    let older = headway.proposed(&stack, "more").await;
    headway.until_state(&older, "planning").await;
    // Rewritten, not gone on from.
    repository.git(&["commit", "--quiet", "--amend", "--message", "Make more, better"]);
    headway.sync(&stack).await;
    headway.until_state(&older, "stopped").await.says("Superseded by").says("has a newer proposed run");
    let newer = headway.proposed(&stack, "more").await;
    assert_ne!(newer, older);
    headway.until_state(&newer, "planning").await;

    repository.git(&["checkout", "--quiet", "main"]);
    repository.git(&["branch", "--quiet", "-D", "more"]);
    headway.sync(&stack).await;
    headway.until_state(&newer, "stopped").await.says("The branch more was deleted.");
}

#[tokio::test]
async fn branches_at_one_commit_share_its_plan_until_the_last_of_them_leaves_it() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    let engines = tempfile::tempdir().unwrap();
    headway.use_engine(&stack, &engine_before(engines.path(), "[ \"$1\" = plan ] && exec sleep 141421357")).await;
    repository.branch("one", "main", "Make more", &[("more.tf", &resource("more"))]);
    headway.sync(&stack).await;
    let shared = headway.proposed(&stack, "one").await;
    headway.until_state(&shared, "planning").await;
    repository.git(&["branch", "--quiet", "two"]);
    headway.sync(&stack).await;
    let list = format!("{stack}/proposed");
    let page = headway.page(&list).await;
    assert_eq!(page.runs(), std::slice::from_ref(&shared), "one run for both");
    page.says("two");

    repository.git(&["commit", "--quiet", "--amend", "--message", "Make more, better"]);
    headway.sync(&stack).await;
    let newer = headway.proposed(&stack, "one").await;
    assert_ne!(newer, shared);
    headway.until_state(&newer, "planning").await;
    headway.until_state(&shared, "planning").await;
    assert_eq!(headway.page(&list).await.runs().len(), 2, "the other branch shows the plan of its commit");

    // A branch that comes to that commit now, and one that is renamed, share it as well.
    repository.git(&["branch", "--quiet", "three", "two"]);
    headway.sync(&stack).await;
    repository.git(&["branch", "--quiet", "-D", "two"]);
    repository.git(&["branch", "--quiet", "--move", "three", "four"]);
    headway.sync(&stack).await;
    assert_eq!(headway.page(&list).await.says("four").runs().len(), 2);
    headway.until_state(&shared, "planning").await;

    repository.git(&["branch", "--quiet", "-D", "four"]);
    headway.sync(&stack).await;
    headway.until_state(&shared, "stopped").await.says("The branch four was deleted.");
    headway.until_state(&newer, "planning").await;
    // The very branch of a run, renamed.
    repository.git(&["branch", "--quiet", "--move", "one", "uno"]);
    headway.sync(&stack).await;
    headway.until_state(&newer, "planning").await;
    assert_eq!(headway.proposed(&stack, "uno").await, newer);

    // What a person asked for goes on, whatever leaves its commit.
    repository.git(&["checkout", "--quiet", "main"]);
    headway.form(&list, "propose_run", &[("stack", "network"), ("branch", "main")]).await.has_status(200);
    let asked = headway.page(&list).await.runs().into_iter().find(|run| *run != newer && *run != shared).unwrap();
    headway.until_state(&asked, "planning").await;
    repository.git(&["branch", "--quiet", "fresh", "main"]);
    headway.sync(&stack).await;
    repository.git(&["checkout", "--quiet", "fresh"]);
    repository.commit("fresh", "Make fresh", &[("fresh.tf", &resource("fresh"))]);
    headway.sync(&stack).await;
    headway.proposed(&stack, "fresh").await;
    headway.until_state(&asked, "planning").await;
}

#[tokio::test]
async fn a_force_push_takes_no_commit_away_from_a_run_but_the_rule_refuses_what_no_branch_has() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    headway.deploy(&stack).await;
    let proposed = headway.propose_second(&repository, &stack).await;
    repository.git(&["commit", "--quiet", "--amend", "--message", "Make more, better"]);
    headway.sync(&stack).await;
    headway.press(&proposed, "promote_run").await.has_status(409).says("No branch of the stack's own repository");

    let mirrors = headway.data.path().join("mirrors");
    let mirror = std::fs::read_dir(mirrors).unwrap().next().unwrap().unwrap().path();
    let collected =
        std::process::Command::new("git").args(["gc", "--quiet", "--prune=now"]).current_dir(mirror).status();
    assert!(collected.unwrap().success());
    let again = headway.press(&proposed, "retry_run").await.path;
    headway.until_state(&again, "finished").await;
}

#[tokio::test]
async fn a_repository_out_of_reach_says_why_and_comes_back_by_itself() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let headway = Headway::start_with("serve", &[("HEADWAY_FETCH_INTERVAL", "1")]).await;
    let stack = headway.stack(&repository, "Network", &[]).await;
    let away = format!("{}.away", repository.address());
    std::fs::rename(repository.address(), &away).unwrap();
    let refused = headway.sync(&stack).await;
    refused.has_status(409).says("The repository cannot be read").says("is tried again in");
    std::fs::rename(&away, repository.address()).unwrap();
    repository.branch("more", "main", "Make more", &[("more.tf", &resource("more"))]);
    // Nobody presses Sync.
    let proposed = headway.proposed(&stack, "more").await;
    headway.until_state(&proposed, "finished").await;
    headway.page(&stack).await.lacks("is tried again in");
}
