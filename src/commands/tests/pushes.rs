//! Pushes: which branches get which runs, which runs a newer push retires, and that each push is answered once.

use super::*;
use crate::commands::propose::propose;
use crate::commands::receive_push::{PUSH, receive_push};
use crate::commands::retry_outdated::retry_outdated;
use crate::commands::save_settings::{Page, save_settings};
use crate::commands::sync::{Synced, sync};

/// How many tracked and proposed runs there are.
async fn counts(world: &World) -> (usize, usize) {
    (world.runs(RunKind::Tracked).await.len(), world.runs(RunKind::Proposed).await.len())
}

#[tokio::test]
async fn the_branches_that_are_there_when_a_stack_is_made_start_nothing() {
    let world = World::new().await;
    world.fetch().await;
    assert_eq!(counts(&world).await, (0, 0));
    assert_eq!(world.stack().await.current_commit, None);
}

#[tokio::test]
async fn the_tracked_branch_gets_a_tracked_run_that_moves_the_stack() {
    let world = World::new().await;
    let pushed = world.push("main", None).await;
    let run = world.runs(RunKind::Tracked).await.remove(0);
    assert_eq!((&run.commit.hash, run.branch.as_str(), run.triggered_by.as_str()), (&pushed, "main", PUSH));
    let stack = world.stack().await;
    assert_eq!((stack.current_commit, stack.current_run), (Some(pushed), Some(run.id)));
    assert_eq!(counts(&world).await, (1, 0));
}

#[tokio::test]
async fn every_other_branch_gets_a_proposed_run_and_the_stack_stays_where_it_is() {
    let world = World::new().await;
    let base = world.deployed().await;
    let new = world.push("topic", Some("main")).await;
    assert_eq!(world.proposed("topic").await.commit.hash, new);
    let moved = world.push("topic", None).await;
    assert_eq!(world.proposed("topic").await.commit.hash, moved);
    assert_eq!(world.stack().await.current_commit, Some(base));
    assert_eq!(counts(&world).await, (1, 2));
}

#[tokio::test]
async fn only_files_under_the_project_root_and_its_globs_count() {
    let world = World::new().await;
    for (number, (file, counted)) in
        [("README.md", false), ("network2/main.tf", false), ("network/sub/x.tf", true), ("shared/vpc/main.tf", true)]
            .into_iter()
            .enumerate()
    {
        let (tracked, proposed) = counts(&world).await;
        world.origin.commit(&format!("topic-{number}"), Some("main"), file);
        world.origin.commit("main", None, file);
        world.fetch().await;
        let more = usize::from(counted);
        assert_eq!(counts(&world).await, (tracked + more, proposed + more), "{file}");
    }
}

#[tokio::test]
async fn a_branch_that_brings_nothing_beyond_the_tracked_one_gets_no_run() {
    let world = World::new().await;
    world.origin.point("same", "main");
    world.push("main", None).await;
    world.origin.point("older", "main^");
    world.fetch().await;
    assert_eq!(counts(&world).await, (1, 0));
}

#[tokio::test]
async fn a_newer_push_cancels_what_waits_and_asks_what_works_to_stop() {
    let world = World::new().await;
    world.push("topic", Some("main")).await;
    for (state, canceled, asked) in [
        (RunState::Queued, true, false),
        (RunState::Ready, true, false),
        (RunState::Preparing, false, true),
        (RunState::Initializing, false, true),
        (RunState::Planning, false, true),
        (RunState::Finished, false, false),
        (RunState::Failed, false, false),
    ] {
        let old = world.to(&world.proposed("topic").await.id, state).await;
        let newer = world.push("topic", None).await;
        let after = world.run(&old.id).await;
        assert_eq!(after.state, if canceled { RunState::Canceled } else { state });
        assert_eq!(after.stop_requested_by.is_some(), asked, "{state}");
        if let Some(note) = after.stop_requested_by.or(after.note.filter(|_| canceled)) {
            assert_eq!(note, format!("Superseded by {} on topic.", newer.short()));
        }
        assert_eq!(world.proposed("topic").await.commit.hash, newer);
    }
}

#[tokio::test]
async fn a_push_to_one_branch_leaves_the_runs_of_the_others_alone() {
    let world = World::new().await;
    world.push("one", Some("main")).await;
    world.push("two", Some("main")).await;
    let one = world.proposed("one").await;
    world.push("two", None).await;
    assert_eq!(world.run(&one.id).await, one);
}

#[tokio::test]
async fn a_deleted_branch_retires_its_runs_and_starts_none() {
    let world = World::new().await;
    world.push("topic", Some("main")).await;
    let run = world.proposed("topic").await;
    world.origin.delete("topic");
    world.fetch().await;
    let after = world.run(&run.id).await;
    assert_eq!((after.state, after.note.as_deref()), (RunState::Canceled, Some("The branch topic was deleted.")));
    assert_eq!(counts(&world).await, (0, 1));
}

#[tokio::test]
async fn a_force_push_is_a_push() {
    let world = World::new().await;
    world.push("topic", Some("main")).await;
    let first = world.push("main", None).await;
    let rewritten = world.push("topic", Some("main")).await;
    assert_eq!(world.proposed("topic").await.commit.hash, rewritten);
    let replaced = world.push("main", Some("main^")).await;
    assert_ne!(first, replaced);
    assert_eq!(world.stack().await.current_commit, Some(replaced));
    assert_eq!(counts(&world).await, (2, 2));
}

#[tokio::test]
async fn the_same_heads_are_answered_once_however_often_they_are_told() {
    let world = World::new().await;
    world.push("topic", Some("main")).await;
    world.push("main", None).await;
    let before = world.picture().await;
    world.fetch().await;
    let heads = world.read().await.repository(&world.repository).await.unwrap().unwrap().heads;
    let (one, two) = tokio::join!(
        receive_push(&world.context, &world.stack, &world.repository, &heads),
        receive_push(&world.context, &world.stack, &world.repository, &heads)
    );
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(world.picture().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_tell_of_one_push_at_once_start_one_run() {
    let world = World::new().await;
    let pushed = world.origin.commit("main", None, "network/main.tf");
    let mirror = world.context.mirror(&world.repository);
    let heads = mirror.fetch(&world.context.outgoing, &world.origin.address(), None).await.unwrap();
    assert_eq!(heads.get("main"), Some(&pushed));
    let mut tellers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (context, stack, heads) = (world.context.clone(), world.stack.clone(), heads.clone());
        let repository = world.repository.clone();
        tellers.spawn(async move { receive_push(&context, &stack, &repository, &heads).await.unwrap() });
    }
    tellers.join_all().await;
    assert_eq!(counts(&world).await, (1, 0));
}

async fn disable(world: &World, disabled: bool) {
    let page = Page::Details { name: "Network".into(), description: String::new(), labels: Vec::new(), disabled };
    let version = world.stack().await.version;
    save_settings(&world.context, &world.may("ada"), version, page).await.unwrap();
}

#[tokio::test]
async fn a_disabled_stack_answers_nothing_and_a_sync_follows_once_it_is_enabled() {
    let world = World::new().await;
    let base = world.deployed().await;
    disable(&world, true).await;
    let pushed = world.push("main", None).await;
    world.push("topic", Some("main")).await;
    assert_eq!(counts(&world).await, (1, 0));
    assert_eq!(world.stack().await.current_commit, Some(base));
    assert_eq!(refusal(sync(&world.context, &world.may("ada")).await), Refusal::Disabled);
    disable(&world, false).await;
    let Synced::Started(run) = sync(&world.context, &world.may("ada")).await.unwrap() else { panic!("not started") };
    assert_eq!(world.run(&run).await.commit.hash, pushed);
    assert_eq!(world.stack().await.current_commit, Some(pushed));
    assert_eq!(sync(&world.context, &world.may("ada")).await, Ok(Synced::InStep));
}

#[tokio::test]
async fn a_sync_moves_the_stack_over_commits_that_touch_none_of_its_files() {
    let world = World::new().await;
    world.deployed().await;
    let pushed = world.origin.commit("main", None, "README.md");
    assert_eq!(sync(&world.context, &world.may("ada")).await, Ok(Synced::Moved));
    let stack = world.stack().await;
    assert_eq!((stack.current_commit, stack.current_run), (Some(pushed), None));
    assert_eq!(counts(&world).await, (1, 0));
}

#[tokio::test]
async fn a_sync_of_a_stack_that_is_ahead_of_its_branch_leaves_it_there() {
    let world = World::new().await;
    world.deployed().await;
    let proposed = world.finished("topic", "main").await;
    world.promoted(&proposed).await;
    assert_eq!(sync(&world.context, &world.may("ada")).await, Ok(Synced::InStep));
    assert_eq!(world.stack().await.current_commit, Some(proposed.commit.hash.clone()));
    // Merged as it is, the promoted commit is what the stack stands at already.
    world.origin.point("main", "topic");
    world.fetch().await;
    assert_eq!(world.runs(RunKind::Tracked).await.len(), 2);
}

#[tokio::test]
async fn a_repository_out_of_reach_is_said_so_and_starts_nothing() {
    let world = World::new().await;
    world.deployed().await;
    let before = world.picture().await;
    std::fs::rename(world.folder.path().join("origin.git"), world.folder.path().join("away")).unwrap();
    assert!(matches!(refusal(sync(&world.context, &world.may("ada")).await), Refusal::Unreachable { .. }));
    assert_eq!(world.picture().await, before);
    let repository = world.read().await.repository(&world.repository).await.unwrap().unwrap();
    assert_eq!((repository.failures, repository.problem.is_some()), (1, true));
}

#[tokio::test]
async fn autoretry_plans_again_what_still_stands_and_nothing_else() {
    let world = World::new().await;
    world.deployed().await;
    let stands = world.finished("stands", "main").await;
    let failed = world.finished("failed", "main").await;
    world.push("failed", None).await;
    world.to(&world.proposed("failed").await.id, RunState::Failed).await;
    retry_outdated(&world.context, &world.stack).await.unwrap();
    assert_eq!(world.proposed("stands").await, stands, "it is off by default");
    let page = Page::Behavior(Behavior { autoretry: true, ..behavior() });
    save_settings(&world.context, &world.may("ada"), world.stack().await.version, page).await.unwrap();
    retry_outdated(&world.context, &world.stack).await.unwrap();
    let again = world.proposed("stands").await;
    assert_eq!((again.retry_of, again.commit), (Some(stands.id), stands.commit));
    assert_eq!(world.proposed("failed").await.retry_of, None);
    assert_eq!(world.run(&failed.id).await.state, RunState::Finished);
}

#[tokio::test]
async fn a_branch_called_like_github_keeps_a_pull_request_is_a_branch_like_any_other() {
    let world = World::new().await;
    world.push("pull/17/head", Some("main")).await;
    let run = world.proposed("pull/17/head").await;
    // Branches share one plan of a commit; with a fork they never do.
    world.origin.point("topic", "pull/17/head");
    world.fetch().await;
    assert_eq!(world.runs(RunKind::Proposed).await, [run]);
}

#[tokio::test]
async fn a_branch_gets_its_run_whatever_git_lets_it_be_called() {
    let world = World::new().await;
    let long = "n".repeat(200);
    for branch in ["-x", "--upload-pack=x", "größe/日本", "a@b", "refs/heads/main", "v1.0+rc,1{x}", long.as_str()] {
        let pushed = world.origin.commit("to-be-named", Some("main"), "network/main.tf");
        world.origin.point(branch, "to-be-named");
        world.origin.delete("to-be-named");
        world.fetch().await;
        assert_eq!(world.proposed(branch).await.commit.hash, pushed, "{branch}");
        assert_eq!(propose(&world.context, &world.may("ada"), branch).await.map(|_| ()), Ok(()), "{branch}");
    }
}

#[tokio::test]
async fn a_branch_that_becomes_a_folder_of_branches_goes_and_they_come() {
    let world = World::new().await;
    world.push("topic", Some("main")).await;
    let old = world.proposed("topic").await;
    let from = world.origin.git(&["rev-parse", "topic"], "");
    world.origin.delete("topic");
    let one = world.push("topic/one", Some(&from)).await;
    assert_eq!(world.proposed("topic/one").await.commit.hash, one);
    assert_eq!(world.run(&old.id).await.state, RunState::Canceled);
    // And back.
    world.origin.delete("topic/one");
    let again = world.push("topic", Some(&from)).await;
    assert_eq!(world.proposed("topic").await.commit.hash, again);
}

#[tokio::test]
async fn a_merge_counts_by_the_files_that_it_brings() {
    let world = World::new().await;
    let merge = |into: &str, branch: &str| {
        let [one, other] = [into, branch].map(|branch| world.origin.git(&["rev-parse", branch], ""));
        let tree = world.origin.git(&["merge-tree", "--write-tree", &one, &other], "");
        let who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
        let commit = ["commit-tree", &tree, "-p", &one, "-p", &other, "-m", "Merge"];
        world.origin.point(into, &world.origin.git(&[&who[..], &commit[..]].concat(), ""));
    };
    world.origin.commit("docs", Some("main"), "README.md");
    world.origin.commit("topic", Some("main"), "network/topic.tf");
    world.fetch().await;
    assert_eq!(counts(&world).await, (0, 1));
    // What the other side brings counts, whichever parent it comes by.
    merge("main", "docs");
    world.fetch().await;
    assert_eq!(counts(&world).await, (0, 1), "it brought no file of the stack");
    merge("topic", "main");
    world.fetch().await;
    assert_eq!(counts(&world).await, (0, 1), "nor did that one");
    merge("main", "topic");
    world.fetch().await;
    assert_eq!(counts(&world).await, (1, 1), "this one did");
    merge("docs", "main");
    world.fetch().await;
    assert_eq!(counts(&world).await, (1, 2), "its files of the stack are others than before");
}
