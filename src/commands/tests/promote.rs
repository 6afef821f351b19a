//! Promote: one tracked run for the commit that was reviewed, however often and by however many it is asked for; and
//! what is refused leaves everything as it was.

use super::*;
use crate::commands::judge::{Ancestry, look};
use crate::commands::save_settings::{Page, save_settings};
use tokio::task::JoinSet;

#[tokio::test]
async fn a_promotion_is_a_tracked_run_for_the_same_commit_and_moves_the_current_commit() {
    let world = World::new().await;
    let base = world.deployed().await;
    let before = world.stack().await;
    let proposed = world.finished("topic", "main").await;
    let news = world.context.store.changes();
    let tracked = world.promoted(&proposed).await;
    assert!(!news.is_empty());
    assert_eq!((tracked.kind, tracked.state), (RunKind::Tracked, RunState::Queued));
    assert_eq!((&tracked.commit, &tracked.branch), (&proposed.commit, &proposed.branch));
    assert_eq!((&tracked.promoted_from, tracked.triggered_by.as_str()), (&Some(proposed.id.clone()), "ada"));
    assert_eq!((&tracked.previous.commit, &tracked.previous.run), (&Some(base), &before.current_run));
    let after = world.stack().await;
    assert_eq!(
        (after.current_commit, after.current_run),
        (Some(proposed.commit.hash.clone()), Some(tracked.id.clone()))
    );
    assert_eq!(world.run(&proposed.id).await, proposed, "nothing else ever happens to a proposed run");
    let entry = &world.activity().await[0];
    assert_eq!((entry.outcome, entry.actor.as_str(), entry.action.as_str()), (Outcome::Done, "ada", "promote"));
    assert_eq!(entry.run_id.as_ref(), Some(&proposed.id));
    assert!(entry.detail.contains(tracked.id.as_str()), "{}", entry.detail);
    assert_eq!(world.read().await.transitions(&tracked.id).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_stack_without_a_current_commit_takes_any_promotion() {
    let world = World::new().await;
    let proposed = world.finished("topic", "main").await;
    assert_eq!(world.stack().await.current_commit, None);
    let tracked = world.promoted(&proposed).await;
    assert_eq!(tracked.previous.commit, None);
    world.to(&tracked.id, RunState::Discarded).await;
    assert_eq!(world.stack().await.current_commit, None);
}

#[tokio::test]
async fn what_history_says_holds_while_the_stack_stands_where_it_stood() {
    let world = World::new().await;
    world.deployed().await;
    let proposed = world.finished("topic", "main").await;
    let stack = world.stack().await;
    let ancestry = Ancestry::read(world.context.history(&stack.repository).as_ref(), &stack, &proposed);
    assert!(ancestry.holds_for(&stack));
    assert!(!ancestry.holds_for(&Stack { repository: RepositoryId::new("elsewhere"), ..stack.clone() }));
    assert!(!ancestry.holds_for(&Stack { current_commit: Some(proposed.commit.hash), ..stack }));
}

#[tokio::test]
async fn whoever_promotes_second_is_shown_what_the_first_one_made() {
    let world = World::new().await;
    world.deployed().await;
    let proposed = world.finished("topic", "main").await;
    let Promotion::Created(tracked) = world.promote(&proposed, "ada").await.unwrap() else { panic!("not created") };
    let entries = world.activity().await.len();
    for state in [RunState::Queued, RunState::Unconfirmed, RunState::Applying, RunState::Finished] {
        world.to(&tracked, state).await;
        assert_eq!(world.promote(&proposed, "grace").await, Ok(Promotion::Existing(tracked.clone())), "{state}");
    }
    assert_eq!(world.runs(RunKind::Tracked).await.len(), 2);
    assert_eq!(world.activity().await.len(), entries);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_people_who_promote_at_once_make_one_run() {
    let world = World::new().await;
    world.deployed().await;
    let proposed = world.finished("topic", "main").await;
    let mut promotions = JoinSet::new();
    for number in 0..16 {
        let (context, run) = (world.context.clone(), proposed.id.clone());
        let permission = permit::<Promote>(&writer(&format!("person {number}")), &world.stack).unwrap();
        promotions.spawn(async move { promote(&context, &permission, &run).await.unwrap() });
    }
    let promotions = promotions.join_all().await;
    let created = promotions.iter().filter(|promotion| matches!(promotion, Promotion::Created(_))).count();
    assert_eq!(created, 1);
    assert!(promotions.iter().all(|promotion| promotion.run() == promotions[0].run()));
    assert_eq!(world.runs(RunKind::Tracked).await.len(), 2);
    assert_eq!(world.activity().await.iter().filter(|entry| entry.action == "promote").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_branches_that_are_promoted_at_once_one_is_refused_because_the_stack_moved_on() {
    let world = World::new().await;
    world.deployed().await;
    let one = world.finished("one", "main").await;
    let two = world.finished("two", "main").await;
    let (first, second) = tokio::join!(world.promote(&one, "ada"), world.promote(&two, "grace"));
    let (won, lost) = if first.is_ok() { (first, second) } else { (second, first) };
    let Refusal::Promotion(verdict) = refusal(lost) else { panic!("refused by another rule") };
    assert_eq!(verdict.refusals().map(|condition| condition.name.name()).collect::<Vec<_>>(), ["newer"]);
    assert_eq!(world.stack().await.current_run.as_ref(), Some(won.unwrap().run()));
}

/// Promotes, expects exactly these conditions to fail and nothing to change, and finds the refusal in the log.
async fn refused(world: &World, run: &Run, conditions: &[&str]) {
    let before = world.picture().await;
    let Refusal::Promotion(verdict) = refusal(world.promote(run, "ada").await) else { panic!("another rule") };
    assert_eq!(verdict.refusals().map(|condition| condition.name.name()).collect::<Vec<_>>(), conditions);
    assert_eq!(world.picture().await, before);
    let entry = &world.activity().await[0];
    assert_eq!((entry.outcome, entry.action.as_str(), entry.actor.as_str()), (Outcome::Refused, "promote", "ada"));
    assert_eq!(entry.run_id.as_ref(), Some(&run.id));
    assert_eq!(Some(&entry.detail), verdict.refusals().next().map(|condition| &condition.reason));
}

#[tokio::test]
async fn what_the_rule_forbids_is_refused_changes_nothing_and_is_noted() {
    let world = World::new().await;
    world.push("old", Some("main")).await;
    let old = world.to(&world.proposed("old").await.id, RunState::Finished).await;
    world.push("main", Some("old")).await;
    let tracked = world.runs(RunKind::Tracked).await.remove(0);
    world.to(&tracked.id, RunState::Applying).await;
    let tracked = world.to(&tracked.id, RunState::Finished).await;
    refused(&world, &tracked, &["proposed", "newer"]).await;
    refused(&world, &old, &["newer"]).await;

    world.push("diverged", Some("old")).await;
    let diverged = world.to(&world.proposed("diverged").await.id, RunState::Finished).await;
    refused(&world, &diverged, &["newer"]).await;

    world.push("topic", Some("main")).await;
    let run = world.proposed("topic").await;
    for state in [RunState::Queued, RunState::Ready, RunState::Planning, RunState::Failed] {
        let run = world.to(&run.id, state).await;
        refused(&world, &run, &["finished"]).await;
    }
    let run = world.finished("topic", "topic").await;
    lock::lock(&world.context, &world.may("grace"), "moving the database").await.unwrap();
    refused(&world, &run, &["unlocked"]).await;
    lock::unlock(&world.context, &world.may("grace")).await.unwrap();

    world.origin.delete("topic");
    world.fetch().await;
    refused(&world, &run, &["own_code"]).await;
}

#[tokio::test]
async fn who_holds_the_lock_may_promote() {
    let world = World::new().await;
    world.deployed().await;
    let proposed = world.finished("topic", "main").await;
    lock::lock(&world.context, &world.may("ada"), "").await.unwrap();
    assert!(matches!(world.promote(&proposed, "ada").await, Ok(Promotion::Created(_))));
}

#[tokio::test]
async fn a_setting_that_is_switched_off_between_look_and_click_counts() {
    let world = World::new().await;
    world.deployed().await;
    let proposed = world.finished("topic", "main").await;
    let seen = look(&world.context, &world.stack().await, &proposed, &writer("ada")).await.unwrap();
    assert!(seen.may_promote());
    let version = world.stack().await.version;
    let page = Page::Behavior(Behavior { allow_run_promotion: false, ..behavior() });
    save_settings(&world.context, &world.may("grace"), version, page).await.unwrap();
    refused(&world, &proposed, &["allowed"]).await;
    let page = Page::Details { name: "Network".into(), description: String::new(), labels: vec![], disabled: true };
    save_settings(&world.context, &world.may("grace"), version + 1, page).await.unwrap();
    refused(&world, &proposed, &["allowed", "enabled"]).await;
}

#[tokio::test]
async fn a_push_that_moves_the_stack_between_look_and_click_counts() {
    let world = World::new().await;
    world.deployed().await;
    let proposed = world.finished("topic", "main").await;
    let seen = look(&world.context, &world.stack().await, &proposed, &writer("ada")).await.unwrap();
    assert!(seen.may_promote());
    world.push("main", None).await;
    refused(&world, &proposed, &["newer"]).await;
    // The cure: merge what the stack has, push, and promote the new proposed run.
    world.origin.merge("topic", "main");
    world.fetch().await;
    let cured = world.to(&world.proposed("topic").await.id, RunState::Finished).await;
    assert!(matches!(world.promote(&cured, "ada").await, Ok(Promotion::Created(_))));
}

#[tokio::test]
async fn a_history_that_cannot_be_read_refuses() {
    let world = World::new().await;
    world.deployed().await;
    let proposed = world.finished("topic", "main").await;
    std::fs::remove_dir_all(world.context.config.mirrors()).unwrap();
    refused(&world, &proposed, &["newer", "own_code"]).await;
}

#[tokio::test]
async fn a_run_of_nowhere_is_not_found() {
    let world = World::new().await;
    let permission = world.may::<Promote>("ada");
    let result = promote(&world.context, &permission, &RunId::new("nowhere")).await;
    assert_eq!(result, Err(Problem::NotFound(Thing::Run)));
}
