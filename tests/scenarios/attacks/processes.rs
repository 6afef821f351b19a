//! Attacks with processes: some that would outlive their run, and too many of them.

use super::{bare, ended, is_running, write};
use crate::headway::{Headway, bubblewrap, terraform};
use crate::repository::Repository;
use std::process::Command;
use std::time::Duration;

/// A configuration whose apply runs a command.
pub fn at_apply(command: &str) -> String {
    let command = serde_json::Value::from(command);
    format!(
        "resource \"terraform_data\" \"run\" {{\n  provisioner \"local-exec\" {{\n    command = {command}\n  }}\n}}\n"
    )
}

/// Applies a configuration that runs a command; the page of the run.
pub async fn applied(headway: &Headway, command: &str) -> crate::page::Page {
    let repository = Repository::new();
    repository.commit("main", "Run a command", &[("run.tf", &at_apply(command))]);
    let stack = headway.stack(&repository, "Network", &[]).await;
    let run = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    headway.until_state(&run, "unconfirmed").await;
    headway.press(&run, "confirm_run").await;
    ended(headway, &run).await
}

async fn gone(text: &str) -> bool {
    for _ in 0..100 {
        if !is_running(text) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

#[tokio::test]
async fn a_confined_run_is_alone_in_a_small_world_and_may_do_nothing_in_it() {
    if !terraform() || !bubblewrap() {
        return;
    }
    // Terraform prints the command as well, so that what the command prints must not stand in it.
    let look = r#"say() { echo "$1: $2;"; }
say places "$(ls / | xargs)"
say open "$(readlink /proc/self/fd/* | grep -e headway -e socket: | xargs)"
say rights "$(grep CapEff /proc/self/status | tr -d ':[:space:]')"
say bounds "$(grep CapBnd /proc/self/status | tr -d ':[:space:]')"
say user "$(id -u)"
say made "$(for place in /x /dev/x /run/x /usr/x /etc/x; do touch $place 2>/dev/null && echo $place; done)"
say temporary "$(touch /tmp/x /dev/shm/x && echo written)"
say host "$(uname -n)"
say core "$(ulimit -c)""#;
    let headway = Headway::start_with("serve", &[("HEADWAY_SANDBOX", "bubblewrap")]).await;
    let page = applied(&headway, look).await;
    assert_eq!(page.state(), "finished", "{}", page.text());
    for expected in [
        "rights: CapEff0000000000000000;",
        "bounds: CapBnd0000000000000000;",
        "open: ;",
        "user: 1000;",
        "made: ;",
        "temporary: written;",
        "host: headway;",
        "core: 0;",
    ] {
        page.says(expected);
    }
    let text = page.text();
    let places = text.split("places: ").nth(1).unwrap().split(';').next().unwrap();
    let known = ["bin", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "run", "sbin", "tmp", "usr"];
    let data = headway.data.path().components().nth(1).unwrap().as_os_str().to_str().unwrap();
    let other: Vec<_> = places.split_whitespace().filter(|place| !known.contains(place) && *place != data).collect();
    assert!(other.is_empty(), "{other:?}");
}

#[tokio::test]
async fn a_process_that_left_its_group_and_its_session_does_not_outlive_its_run() {
    if !terraform() || !bubblewrap() {
        return;
    }
    let hide = |sleep: &str| format!("setsid sh -c 'setsid {sleep} >/dev/null 2>&1 &' >/dev/null 2>&1 &");
    let folder = tempfile::tempdir().unwrap();
    let left = "sleep 57721566";
    write(folder.path(), &[("run.tf", &at_apply(&hide(left)))]);
    assert!(bare(folder.path(), &["init"], &[]).0);
    assert!(bare(folder.path(), &["apply", "-auto-approve"], &[]).0);
    // It is started in the background.
    while !is_running(left) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(Command::new("pkill").args(["-x", "-f", left]).status().unwrap().success());

    // Without a sandbox the supervisor ends it, which is who the kernel gives it to.
    for (sandbox, left) in [("bubblewrap", "sleep 57721567"), ("none", "sleep 57721568")] {
        let headway = Headway::start_with("serve", &[("HEADWAY_SANDBOX", sandbox)]).await;
        assert_eq!(applied(&headway, &hide(left)).await.state(), "finished");
        assert!(!is_running(left), "nothing is left when the run has ended: {sandbox}");
    }
}

#[tokio::test]
async fn a_bomb_of_processes_is_ended_with_its_run() {
    if !terraform() || !bubblewrap() {
        return;
    }
    let bomb = |count: u32, sleep: &str| {
        format!("i=0; while [ $i -lt {count} ]; do {sleep} >/dev/null 2>&1 & i=$((i+1)); done; wait")
    };
    let headway = Headway::start_with("serve", &[("HEADWAY_SANDBOX", "none"), ("HEADWAY_PROCESS_LIMIT", "100")]).await;
    let page = applied(&headway, &bomb(300, "sleep 1.4142135")).await;
    assert_eq!(page.state(), "finished", "a bare runner has them all: {}", page.text());

    let confined = "sleep 86602540";
    let limit = [("HEADWAY_SANDBOX", "bubblewrap"), ("HEADWAY_PROCESS_LIMIT", "100")];
    let headway = Headway::start_with("serve", &limit).await;
    let page = applied(&headway, &bomb(5000, confined)).await;
    assert_eq!(page.state(), "failed", "{}", page.text());
    // The kernel refuses them, or, to the root user, the watch ends them.
    let text = page.text();
    assert!(
        text.contains("more than 100 processes") || text.contains("Cannot fork") || text.contains("Resource"),
        "{text}"
    );
    assert!(gone(confined).await);
}

#[tokio::test]
async fn an_apply_is_interrupted_politely_and_gives_the_lock_of_its_state_back() {
    if !terraform() || !bubblewrap() {
        return;
    }
    let limits = [("HEADWAY_SANDBOX", "bubblewrap"), ("HEADWAY_APPLY_LIMIT", "2")];
    let headway = Headway::start_with("serve", &limits).await;
    let trace = headway.shared.path().join("interrupted");
    let command = format!("trap 'touch {}; exit 1' INT; sleep 30 & wait", trace.display());
    let page = applied(&headway, &command).await;
    page.says("it took longer than 2 seconds").says("Interrupt received");
    assert!(trace.exists(), "its children are interrupted as well");
    // Nothing is in the way of the next run.
    let again = headway.press(&page.path, "retry_run").await.path;
    headway.until_state(&again, "unconfirmed").await;
}
