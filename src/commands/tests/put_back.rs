//! A promotion that ends before its apply is put back: the stack stands where it stood, unless something else moved it.

use super::*;
use crate::commands::discard::discard;
use crate::commands::set_current::set_current;

/// Every way in which a tracked run ends before its apply, with where it ends from.
const ENDS: [(RunState, RunState); 7] = [
    (RunState::Queued, RunState::Discarded),
    (RunState::Unconfirmed, RunState::Discarded),
    (RunState::Ready, RunState::Canceled),
    (RunState::Initializing, RunState::Stopped),
    (RunState::Planning, RunState::Stopped),
    (RunState::Planning, RunState::Failed),
    (RunState::Confirmed, RunState::Failed),
];

#[tokio::test]
async fn a_promotion_that_ends_before_its_apply_puts_the_current_commit_back_and_can_be_promoted_again() {
    let world = World::new().await;
    world.deployed().await;
    let proposed = world.finished("topic", "main").await;
    let before = world.stack().await;
    for (from, end) in ENDS {
        let tracked = world.promoted(&proposed).await;
        assert_eq!(world.stack().await.current_commit.as_ref(), Some(&proposed.commit.hash));
        world.to(&tracked.id, from).await;
        world.to(&tracked.id, end).await;
        assert_eq!(world.stack().await, before, "{from} to {end}");
    }
    let promotions = world.read().await.promotions_of(&proposed.id).await.unwrap();
    assert_eq!(promotions.len(), ENDS.len());
}

#[tokio::test]
async fn a_person_who_discards_it_puts_it_back_as_well() {
    let world = World::new().await;
    let base = world.deployed().await;
    let proposed = world.finished("topic", "main").await;
    let tracked = world.promoted(&proposed).await;
    world.to(&tracked.id, RunState::Unconfirmed).await;
    discard(&world.context, &world.may("grace"), &tracked.id).await.unwrap();
    assert_eq!(world.stack().await.current_commit, Some(base));
    assert!(matches!(world.promote(&proposed, "ada").await, Ok(Promotion::Created(_))));
}

#[tokio::test]
async fn a_promotion_whose_apply_began_or_that_had_nothing_to_apply_stays() {
    let world = World::new().await;
    world.deployed().await;
    for (branch, way) in [
        ("unchanged", &[RunState::Planning, RunState::Finished][..]),
        ("applied", &[RunState::Applying, RunState::Finished]),
        ("broken", &[RunState::Applying, RunState::Failed]),
    ] {
        let current = world.stack().await.current_commit.unwrap();
        let proposed = world.finished(branch, current.as_str()).await;
        let tracked = world.promoted(&proposed).await;
        for state in way {
            world.to(&tracked.id, *state).await;
        }
        assert_eq!(world.stack().await.current_commit, Some(proposed.commit.hash.clone()), "{branch}");
        assert_eq!(world.promote(&proposed, "grace").await, Ok(Promotion::Existing(tracked.id)), "{branch}");
    }
}

#[tokio::test]
async fn what_something_else_has_moved_since_stays_there() {
    let world = World::new().await;
    let base = world.deployed().await;
    let proposed = world.finished("topic", "main").await;

    // A push.
    let tracked = world.promoted(&proposed).await;
    let pushed = world.push("main", None).await;
    assert_eq!(world.stack().await.current_commit.as_ref(), Some(&pushed));
    world.to(&tracked.id, RunState::Discarded).await;
    assert_eq!(world.stack().await.current_commit.as_ref(), Some(&pushed));

    // A person, who even sets the very same commit.
    set_current(&world.context, &world.may("ada"), base.as_str()).await.unwrap();
    let tracked = world.promoted(&proposed).await;
    set_current(&world.context, &world.may("ada"), proposed.commit.hash.as_str()).await.unwrap();
    world.to(&tracked.id, RunState::Discarded).await;
    assert_eq!(world.stack().await.current_commit.as_ref(), Some(&proposed.commit.hash));
}

/// Promotes one run, then one that goes on from it.
async fn nested(world: &World) -> (Run, Run) {
    let first = world.finished("one", "main").await;
    let first = world.promoted(&first).await;
    let second = world.finished("two", "one").await;
    (first, world.promoted(&second).await)
}

#[tokio::test]
async fn two_promotions_that_end_in_either_order_put_the_stack_back_to_where_it_stood_before_both() {
    for inner_first in [true, false] {
        let world = World::new().await;
        world.deployed().await;
        let before = world.stack().await;
        let (outer, inner) = nested(&world).await;
        let (first, last) = if inner_first { (&inner, &outer) } else { (&outer, &inner) };
        world.to(&first.id, RunState::Discarded).await;
        let between = world.stack().await.current_run;
        assert_eq!(between.as_ref(), Some(&last.id), "inner first: {inner_first}");
        world.to(&last.id, RunState::Discarded).await;
        assert_eq!(world.stack().await, before, "inner first: {inner_first}");
    }
}

#[tokio::test]
async fn three_promotions_that_end_in_any_order_leave_the_stack_at_the_newest_that_is_left() {
    let world = World::new().await;
    world.deployed().await;
    let before = world.stack().await;
    let mut proposed = Vec::new();
    for (branch, from) in [("one", "main"), ("two", "one"), ("three", "two")] {
        proposed.push(world.finished(branch, from).await);
    }
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut left = Vec::new();
        for run in &proposed {
            left.push(Some(world.promoted(run).await));
        }
        for which in order {
            let ends = left[which].take().unwrap();
            world.to(&ends.id, RunState::Discarded).await;
            let stack = world.stack().await;
            match left.iter().flatten().last() {
                Some(run) => assert_eq!(stack.current_run.as_ref(), Some(&run.id), "{order:?} at {which}"),
                None => assert_eq!(stack, before, "{order:?}"),
            }
        }
    }
}

#[tokio::test]
async fn an_inner_promotion_goes_back_to_the_outer_one_that_was_applied() {
    let world = World::new().await;
    world.deployed().await;
    let (outer, inner) = nested(&world).await;
    world.to(&outer.id, RunState::Applying).await;
    world.to(&outer.id, RunState::Failed).await;
    world.to(&inner.id, RunState::Stopped).await;
    let stack = world.stack().await;
    assert_eq!((stack.current_commit, stack.current_run), (Some(outer.commit.hash), Some(outer.id)));
}

#[tokio::test]
async fn a_promotion_over_a_push_goes_back_to_the_push_and_not_further() {
    let world = World::new().await;
    world.deployed().await;
    let first = world.finished("one", "main").await;
    let first = world.promoted(&first).await;
    let pushed = world.push("main", Some("one")).await;
    let second = world.finished("two", "main").await;
    let second = world.promoted(&second).await;
    world.to(&first.id, RunState::Discarded).await;
    world.to(&second.id, RunState::Discarded).await;
    assert_eq!(world.stack().await.current_commit, Some(pushed));
}

#[tokio::test]
async fn a_tracked_run_that_was_not_promoted_puts_nothing_back() {
    let world = World::new().await;
    world.deployed().await;
    let pushed = world.push("main", None).await;
    let tracked = world.runs(RunKind::Tracked).await.remove(0);
    discard(&world.context, &world.may("ada"), &tracked.id).await.unwrap();
    assert_eq!(world.stack().await.current_commit, Some(pushed));
}

#[tokio::test]
async fn a_state_lock_goes_with_the_run_that_held_it() {
    let world = World::new().await;
    world.deployed().await;
    let proposed = world.finished("topic", "main").await;
    let tracked = world.promoted(&proposed).await;
    let planning = world.to(&tracked.id, RunState::Planning).await;
    let mut writing = world.context.store.write().await.unwrap();
    let lock = crate::store::StateLock {
        lock_id: "L".into(),
        document: "{}".into(),
        run_id: planning.id.clone(),
        fence: planning.fence,
        created_at: world.context.now(),
    };
    writing.lock_state(&world.stack, &lock).await.unwrap();
    writing.commit().await.unwrap();
    world.to(&tracked.id, RunState::Failed).await;
    assert_eq!(world.read().await.state_lock(&world.stack).await.unwrap(), None);
}
