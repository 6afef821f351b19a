//! It restarts: a polite end, a sudden one, and what becomes of the runs that were at work.

use crate::headway::{Headway, engine_before, program, terraform};
use crate::repository::{Repository, resource};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// A configuration whose apply writes `began`, takes its time, and writes `ended`.
fn slow_apply(folder: &Path, seconds: u32) -> String {
    format!(
        "resource \"terraform_data\" \"slow\" {{\n  provisioner \"local-exec\" {{\n    command = \"touch {0}/began; sleep \
         {seconds}; touch {0}/ended\"\n  }}\n}}\n",
        folder.display()
    )
}

pub async fn until_exists(file: &Path) {
    for _ in 0..900 {
        if file.exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{} never came", file.display());
}

/// Whether some process has this text in its command line.
pub fn is_running(text: &str) -> bool {
    Command::new("pgrep").args(["-f", text]).output().is_ok_and(|found| found.status.success())
}

#[tokio::test]
async fn what_a_killed_git_has_locked_is_free_after_a_new_start() {
    let repository = Repository::new();
    let (mut headway, stack) = Headway::with_network(&repository).await;
    headway.end("-KILL");
    for mirror in std::fs::read_dir(headway.data.path().join("mirrors")).unwrap() {
        for lock in ["packed-refs.lock", "refs/heads/main.lock", "objects/info/commit-graphs/commit-graph-chain.lock"] {
            std::fs::write(mirror.as_ref().unwrap().path().join(lock), "").unwrap();
        }
    }
    headway.start_again();
    let pushed = repository.commit("main", "Push on", &[("second.tf", &resource("second"))]);
    headway.sync(&stack).await.has_status(200).says("Push on").says(&pushed[..7]);
}

#[tokio::test]
async fn a_killed_headway_takes_its_terraform_along_and_plans_again() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let mut headway = Headway::start().await;
    let stack = headway.stack(&repository, "Network", &[]).await;
    let folder = headway.shared.path().to_owned();
    // The first plan hangs; later ones do not.
    let first = folder.join("first");
    let script = format!("[ \"$1\" = plan ] && [ ! -e {0} ] && touch {0} && exec sleep 314159265", first.display());
    headway.use_engine(&stack, &engine_before(&folder, &script)).await;
    let run = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    until_exists(&first).await;
    assert!(is_running("sleep 314159265"));

    headway.end("-KILL");
    for _ in 0..100 {
        if !is_running("sleep 314159265") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!is_running("sleep 314159265"), "Terraform has outlived Headway");
    headway.start_again();
    let page = headway.until_state(&run, "unconfirmed").await;
    page.says("Headway ended while it planned; it plans again.");
    headway.press(&run, "confirm_run").await;
    headway.until_state(&run, "finished").await;
}

#[tokio::test]
async fn an_apply_that_is_cut_off_has_failed_and_says_that_things_may_have_changed() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let mut headway = Headway::start().await;
    let folder = headway.shared.path().to_owned();
    repository.commit("main", "Take long", &[("slow.tf", &slow_apply(&folder, 60))]);
    let stack = headway.stack(&repository, "Network", &[]).await;
    let run = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    headway.until_state(&run, "unconfirmed").await;
    headway.press(&run, "confirm_run").await;
    until_exists(&folder.join("began")).await;
    headway.end("-KILL");
    headway.start_again();
    headway.until_state(&run, "failed").await.says("The infrastructure may have changed");
    assert!(!folder.join("ended").exists());

    // Nothing is stuck: the state's lock is free, and the next run plans and applies.
    std::fs::remove_file(folder.join("began")).unwrap();
    repository.commit("main", "Take less long", &[("slow.tf", &slow_apply(&folder, 0))]);
    headway.sync(&stack).await;
    let next = headway.page(&stack).await.runs()[0].clone();
    headway.until_state(&next, "unconfirmed").await;
    headway.press(&next, "confirm_run").await;
    headway.until_state(&next, "finished").await;
}

#[tokio::test]
async fn asked_to_end_it_lets_an_apply_finish_and_puts_a_plan_back() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let mut headway = Headway::start().await;
    let folder = headway.shared.path().to_owned();
    repository.commit("main", "Take long", &[("slow.tf", &slow_apply(&folder, 3))]);
    let stack = headway.stack(&repository, "Network", &[]).await;
    let run = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    headway.until_state(&run, "unconfirmed").await;
    // Beside the apply, a plan that would take for ever.
    let engines = headway.shared.path().to_owned();
    let first = engines.join("first");
    let script = format!("[ \"$1\" = plan ] && [ ! -e {0} ] && touch {0} && exec sleep 271828182", first.display());
    headway.use_engine(&stack, &engine_before(&engines, &script)).await;
    repository.branch("more", "main", "Make a second thing", &[("second.tf", &resource("second"))]);
    headway.sync(&stack).await;
    let proposed = headway.proposed(&stack, "more").await;
    until_exists(&first).await;
    headway.press(&run, "confirm_run").await;
    until_exists(&folder.join("began")).await;

    assert_eq!(headway.end("-TERM"), Some(0));
    assert!(folder.join("ended").exists(), "the apply was given time to end");
    assert!(!is_running("sleep 271828182"));
    headway.start_again();
    headway.until_state(&run, "finished").await.says("Apply complete!");
    headway.until_state(&proposed, "finished").await.says("Headway was stopped while it planned; it plans again.");
}

#[tokio::test]
async fn a_plan_that_waits_survives_a_restart() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let mut headway = Headway::start().await;
    let stack = headway.stack(&repository, "Network", &[]).await;
    let run = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    headway.until_state(&run, "unconfirmed").await;
    let port = |headway: &Headway| std::fs::read_to_string(headway.data.path().join("state.port")).unwrap();
    let before = port(&headway);
    headway.end("-KILL");
    headway.start_again();
    // The plan knows the state by its address.
    assert_eq!(port(&headway), before);
    headway.until_state(&run, "unconfirmed").await;
    headway.press(&run, "confirm_run").await;
    let done = headway.until_state(&run, "finished").await;
    done.says("Apply complete!");
    assert_eq!(std::fs::read_dir(headway.data.path().join("runs")).unwrap().count(), 0, "nothing is left of the run");
}

#[tokio::test]
async fn a_person_stops_a_plan_and_a_branch_goes_on_without_it() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    let engines = headway.shared.path().to_owned();
    let first = engines.join("first");
    let script = format!("[ \"$1\" = plan ] && [ ! -e {0} ] && touch {0} && exec sleep 161803398", first.display());
    headway.use_engine(&stack, &engine_before(&engines, &script)).await;
    let run = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    until_exists(&first).await;
    headway.press(&run, "stop_run").await.has_status(200);
    headway.until_state(&run, "stopped").await.says("Stopped by operator.");
    assert!(!is_running("sleep 161803398"));
    headway.press(&run, "confirm_run").await.has_status(409).says("it is stopped");
    let again = headway.press(&run, "retry_run").await.path;
    headway.until_state(&again, "unconfirmed").await.says("Retry of");
}

#[tokio::test]
async fn a_stop_that_is_asked_for_while_headway_ends_is_not_forgotten() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let mut headway = Headway::start_with("serve", &[("HEADWAY_GRACE", "4")]).await;
    let stack = headway.stack(&repository, "Network", &[]).await;
    let folder = headway.shared.path().to_owned();
    let first = folder.join("first");
    let script = format!("[ \"$1\" = plan ] && trap '' INT && touch {} && exec sleep 600", first.display());
    headway.use_engine(&stack, &engine_before(&folder, &script)).await;
    let run = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    until_exists(&first).await;
    headway.signal("-TERM");
    headway.until_logged("ending: no new runs").await;
    headway.press(&run, "stop_run").await.has_status(200);
    assert_eq!(headway.ended(), Some(0));
    headway.start_again();
    headway.until_state(&run, "stopped").await.says("Stopped by operator.");
}

#[tokio::test]
async fn a_run_that_was_ready_or_confirmed_when_headway_was_killed_goes_on() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let mut headway = Headway::start_with("serve", &[("HEADWAY_WORKERS", "1")]).await;
    let stack = headway.stack(&repository, "Network", &[]).await;
    let confirmed = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    headway.until_state(&confirmed, "unconfirmed").await;
    // A proposed run takes the only worker for ever, so the others stay where they are.
    let folder = headway.shared.path().to_owned();
    let first = folder.join("first");
    let script = format!("[ \"$1\" = plan ] && [ ! -e {0} ] && touch {0} && exec sleep 141421356", first.display());
    headway.use_engine(&stack, &engine_before(&folder, &script)).await;
    repository.branch("more", "main", "Make a second thing", &[("second.tf", &resource("second"))]);
    repository.branch("most", "main", "Make a third thing", &[("third.tf", &resource("third"))]);
    headway.sync(&stack).await;
    until_exists(&first).await;
    headway.press(&confirmed, "confirm_run").await;
    let (one, other) = (headway.proposed(&stack, "more").await, headway.proposed(&stack, "most").await);
    headway.until_state(&confirmed, "confirmed").await;
    let waits = async |run: &str| headway.page(run).await.state() == "ready";
    assert!(waits(&one).await || waits(&other).await);

    headway.end("-KILL");
    headway.start_again();
    headway.until_state(&confirmed, "finished").await.says("Apply complete!");
    headway.until_state(&one, "finished").await;
    headway.until_state(&other, "finished").await;
}

#[tokio::test]
async fn a_program_that_was_replaced_applies_nothing_until_it_is_restarted() {
    if !terraform() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let copy = place.path().join("headway");
    std::fs::copy(program(), &copy).unwrap();
    let repository = Repository::new();
    let mut headway = Headway::start_program(copy.clone(), "serve", &[]).await;
    let stack = headway.stack(&repository, "Network", &[]).await;
    let run = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    headway.until_state(&run, "unconfirmed").await;

    std::fs::remove_file(&copy).unwrap();
    headway.press(&run, "confirm_run").await.has_status(200);
    let failed = headway.until_state(&run, "failed").await;
    failed.says("program was replaced").says("Restart Headway").lacks("may have changed");

    std::fs::copy(program(), &copy).unwrap();
    headway.end("-TERM");
    headway.start_again();
    let again = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    headway.until_state(&again, "unconfirmed").await;
}

#[tokio::test]
async fn a_killed_headway_takes_its_git_along() {
    let headway = Headway::start().await;
    // It takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/silent.git", silent.local_addr().unwrap());
    let fields = [("address", address.as_str())];
    let mut adding = Box::pin(headway.form("/stacks/new", "add_repository", &fields));
    while !is_running(&address) {
        tokio::select! {
            _ = &mut adding => panic!("nobody answered"),
            () = tokio::time::sleep(Duration::from_millis(50)) => {}
        }
    }
    headway.signal("-KILL");
    for _ in 0..100 {
        if !is_running(&address) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("Git has outlived Headway");
}
