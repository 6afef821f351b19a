//! The queue has an end: then people are refused, and pushes wait until there is room.

use super::*;
use crate::commands::propose::propose;
use crate::commands::trigger::trigger;

/// A world in which two runs of a stack may be open.
async fn narrow() -> World {
    let mut world = World::new().await;
    let mut config = (*world.context.config).clone();
    config.limits.queue = 2;
    world.context.config = Arc::new(config);
    world
}

#[tokio::test]
async fn a_full_queue_refuses_people_with_the_reason_and_the_cure() {
    let world = narrow().await;
    world.fetch().await;
    for _ in 0..2 {
        trigger(&world.context, &world.may("ada")).await.unwrap();
    }
    let full = Refusal::QueueFull { limit: 2 };
    assert_eq!(refusal(trigger(&world.context, &world.may("ada")).await), full);
    assert_eq!(refusal(propose(&world.context, &world.may("ada"), "main").await), full);
    assert!(full.reason().contains("2 runs") && full.cure().unwrap().contains("Discard or stop"));
    let newest = world.runs(RunKind::Tracked).await[0].id.clone();
    discard::discard(&world.context, &world.may("ada"), &newest).await.unwrap();
    trigger(&world.context, &world.may("ada")).await.unwrap();
}

#[tokio::test]
async fn pushes_to_a_full_queue_are_answered_with_the_newest_as_soon_as_there_is_room() {
    let world = narrow().await;
    world.fetch().await;
    for branch in ["one", "two", "three"] {
        world.push(branch, Some("main")).await;
    }
    let open = async || world.runs(RunKind::Proposed).await.into_iter().map(|run| run.branch).collect::<Vec<_>>();
    assert_eq!(open().await, ["two", "one"]);
    world.push("three", None).await;
    let newest = world.push("three", None).await;
    assert_eq!(open().await, ["two", "one"], "{newest}");

    let one = world.proposed("one").await.id;
    world.to(&one, RunState::Finished).await;
    world.fetch().await;
    assert_eq!(world.proposed("three").await.commit.hash, newest);
    assert_eq!(open().await, ["three", "two", "one"], "what lay in between got no run");
    // Its own branch's older run makes room for the newer one.
    let again = world.push("two", None).await;
    assert_eq!(world.proposed("two").await.commit.hash, again);
}

#[tokio::test]
async fn what_works_goes_on_while_the_push_that_takes_its_place_has_no_room() {
    let world = narrow().await;
    world.fetch().await;
    for branch in ["one", "two"] {
        world.push(branch, Some("main")).await;
        world.to(&world.proposed(branch).await.id, RunState::Planning).await;
    }
    let (one, two) = (world.proposed("one").await, world.proposed("two").await);
    for branch in ["one", "two"] {
        world.push(branch, None).await;
    }
    assert_eq!(
        (world.run(&one.id).await, world.run(&two.id).await),
        (one.clone(), two.clone()),
        "nothing came instead"
    );

    world.to(&one.id, RunState::Finished).await;
    world.fetch().await;
    let newer = world.proposed("one").await.id;
    assert_ne!(newer, one.id);
    assert_eq!(world.run(&two.id).await, two, "it still has no room");
    world.to(&newer, RunState::Finished).await;
    world.fetch().await;
    let newer = world.proposed("two").await;
    let note = world.run(&two.id).await.stop_requested_by;
    assert_eq!(note, Some(format!("Superseded by {} on two.", newer.commit.hash.short())));
}
