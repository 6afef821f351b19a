//! The sample: what a newcomer sees in the first minute.

use crate::headway::{Headway, program, terraform};
use crate::page::card;
use std::process::Command;
use std::time::Duration;

#[tokio::test]
async fn the_sample_shows_the_rule_and_can_be_promoted() {
    if !terraform() {
        return;
    }
    let headway = Headway::start_with("demo", &[]).await;
    headway.page("/").await.has_status(200).says("This is the sample").lacks("so every run fails");
    let list = "/stack/network/proposed";
    let page = headway
        .until(list, "its four branches", |page| {
            let text = page.text();
            text.matches("Cannot be promoted").count() == 3
                && text.contains("Review and promote")
                && !text.contains("is not there yet")
        })
        .await;
    for (branch, reason) in [
        ("firewall", "has diverged from the current commit"),
        ("add-subnets", "is older than the stack's current commit"),
        ("dns-records", "Its plan failed."),
        ("add-cache", "Review and promote"),
    ] {
        let card = card(&page, branch).replace("&#x27;", "'").replace("&#39;", "'");
        assert!(card.contains(reason), "{branch}: {card}");
    }
    let proposed = headway.proposed("/stack/network", "add-cache").await;
    let tracked = headway.press(&proposed, "promote_run").await.path;
    headway.until_state(&tracked, "finished").await.says("warming the cache, step 3 of 3").says("1 added");
    headway.page("/").await.says("Add a cache to the private subnet");
}

#[tokio::test]
async fn a_sample_that_was_cut_off_is_made_whole() {
    if !terraform() {
        return;
    }
    let mut headway = Headway::start_with("demo", &[]).await;
    for pause in [0, 30, 100, 300, 900] {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        headway.end("-KILL");
        headway.start_again();
    }
    let shows_the_rule = |page: &crate::page::Page| {
        let text = page.text();
        text.matches("Cannot be promoted").count() == 3 && text.contains("Review and promote")
    };
    headway.until("/stack/network/proposed", "its four branches", shows_the_rule).await;
    headway.until("/stack/network", "its deployment", |page| page.text().contains("4 to add")).await;
    headway.end("-TERM");
    headway.start_again();
    let page = headway.until("/stack/network/proposed", "its four branches", shows_the_rule).await;
    assert_eq!(page.runs().len(), 4, "nothing is made twice: {}", page.text());
}

#[tokio::test]
async fn the_sample_is_for_this_machine_alone() {
    let folder = tempfile::tempdir().unwrap();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let mut demo = Command::new(program());
        let refused = demo.args(["demo", "--addr", address, "--data"]).arg(folder.path()).output().unwrap();
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains("it listens on this machine alone"), "{address}: {said}");
    }
    let headway = Headway::start_with("demo", &[]).await;
    headway.page("/").await.says("signed in as its operator").says("this machine alone can");
    let foreign = headway.client().get(&headway.url).header("host", "headway.example.com").send().await.unwrap();
    assert_eq!(foreign.status(), 421);
    let sync = headway.client().post(format!("{}/api/sync_stack", headway.url)).form(&[("stack", "network")]);
    let forged = sync.header("origin", "https://evil.example").send().await.unwrap();
    assert_eq!(forged.status(), 403);
}

#[tokio::test]
async fn without_an_engine_the_sample_says_how_to_get_one_and_nothing_else_breaks() {
    // Git and the programs it needs, and nothing else.
    let path = tempfile::tempdir().unwrap();
    for folder in std::env::split_paths(&std::env::var_os("PATH").unwrap()) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if !["terraform", "tofu"].iter().any(|engine| name.to_string_lossy().starts_with(engine)) {
                let _ = std::os::unix::fs::symlink(entry.path(), path.path().join(name));
            }
        }
    }
    let headway = Headway::start_with("demo", &[("PATH", path.path().to_str().unwrap())]).await;
    let banner = headway.page("/").await;
    banner.says("neither Terraform nor OpenTofu is on the path").says("Get Terraform from https://");
    banner.says("get OpenTofu from https://");
    let sentence = "Terraform is not installed: there is no program \"terraform\" on the path. Get it from https://";
    let page = headway.until("/stack/network", "its tracked run", |page| !page.runs().is_empty()).await;
    page.says(sentence);
    headway.until_state(&page.runs()[0], "failed").await.says(sentence);
    headway.page("/stack/network/settings/vendor").await.has_status(200).says(sentence);
}
