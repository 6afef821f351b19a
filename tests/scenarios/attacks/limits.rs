//! Attacks on what a machine has: memory, disk, plans without end, archives that unpack to more than anybody has.

use super::processes::{applied, at_apply};
use super::{bare, ended, proposed, tried, write};
use crate::headway::{Headway, bubblewrap, terraform};
use crate::repository::Repository;

#[tokio::test]
async fn a_run_that_takes_more_memory_than_it_may_is_ended() {
    if !terraform() || !bubblewrap() {
        return;
    }
    // It keeps everything until the last line; whether it can is its exit code.
    let hoard = "head -c 700000000 /dev/zero | tail -n 1 >/dev/null";
    for (sandbox, state) in [("none", "finished"), ("bubblewrap", "failed")] {
        // The kernel's own limit, for a single process, holds in both.
        let memory = if sandbox == "none" { "4096" } else { "400" };
        let environment = [("HEADWAY_SANDBOX", sandbox), ("HEADWAY_MEMORY_LIMIT", memory)];
        let headway = Headway::start_with("serve", &environment).await;
        let page = applied(&headway, hoard).await;
        assert_eq!(page.state(), state, "{sandbox}: {}", page.text());
    }
}

#[tokio::test]
async fn several_processes_together_take_no_more_memory_than_one() {
    if !terraform() || !bubblewrap() {
        return;
    }
    let hoard = "for i in 1 2 3 4; do { head -c 150000000 /dev/zero; sleep 8; } | tail -n 1 >/dev/null & done; wait";
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("hoard.tf", &at_apply(hoard))]);
    bare(folder.path(), &["init"], &[]);
    assert!(bare(folder.path(), &["apply", "-auto-approve"], &[]).0, "a bare runner gives them all they want");

    let environment = [("HEADWAY_SANDBOX", "bubblewrap"), ("HEADWAY_MEMORY_LIMIT", "400")];
    let headway = Headway::start_with("serve", &environment).await;
    let page = applied(&headway, hoard).await;
    assert_eq!(page.state(), "failed");
    page.says("it uses more than 400 MiB of memory");
}

#[tokio::test]
async fn a_run_that_fills_the_disk_is_ended() {
    if !terraform() {
        return;
    }
    let fill = "for i in 1 2 3 4 5 6 7 8 9; do head -c 9000000 /dev/urandom > $i; done; sleep 20";
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("fill.tf", &at_apply(&fill.replace("sleep 20", "true")))]);
    bare(folder.path(), &["init"], &[]);
    assert!(bare(folder.path(), &["apply", "-auto-approve"], &[]).0);
    assert!(
        std::fs::metadata(folder.path().join("9")).is_ok_and(|file| file.len() == 9_000_000),
        "a bare runner has it all"
    );

    let headway = Headway::start_with("serve", &[("HEADWAY_DISK_LIMIT", "40")]).await;
    let page = applied(&headway, fill).await;
    assert_eq!(page.state(), "failed");
    page.says("its workspace holds more than 40 MiB");
}

#[tokio::test]
async fn three_lines_do_not_make_a_plan_that_nobody_can_hold() {
    if !terraform() {
        return;
    }
    let endless =
        "output \"endless\" {\n  value = [for a in range(200) : [for b in range(1000) : \"sixteen letters.\"]]\n}\n";
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("endless.tf", endless)]);
    bare(folder.path(), &["init"], &[]);
    bare(folder.path(), &["plan", "-out=plan"], &[]);
    let (_, shown) = bare(folder.path(), &["show", "-json", "plan"], &[]);
    assert!(shown.len() > 3 << 20, "{} bytes", shown.len());

    let page = tried("auto", &[("HEADWAY_PLAN_SIZE_LIMIT", "1")], &[("endless.tf", endless)]).await;
    assert_eq!(page.state(), "failed");
    page.says("is longer than 1 MiB. Split the stack, or raise the setting --plan-size-limit.");
}

#[tokio::test]
async fn a_commit_that_unpacks_to_more_than_a_run_may_hold_is_not_checked_out() {
    if !terraform() {
        return;
    }
    let zeros = "0".repeat(60 << 20);
    let repository = Repository::new();
    let headway = Headway::start_with("serve", &[("HEADWAY_DISK_LIMIT", "40")]).await;
    let stack = headway.stack(&repository, "Network", &[]).await;
    headway.deploy(&stack).await;
    let page = proposed(&headway, &repository, &stack, &[("zeros.txt", &zeros)]).await;
    let clone = tempfile::tempdir().unwrap();
    repository.git(&["clone", "--quiet", "--branch=attack", repository.address(), clone.path().to_str().unwrap()]);
    let unpacked = std::fs::metadata(clone.path().join("zeros.txt")).unwrap().len();
    assert!(unpacked > 50 << 20, "a bare runner has it all");
    assert_eq!(page.state(), "failed");
    page.says("cannot be checked out").says("more than 40 MiB");
    let again = headway.press(&page.path, "retry_run").await.path;
    ended(&headway, &again).await;
}
