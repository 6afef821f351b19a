//! The rules that the database itself keeps: one blocker for each stack, one promotion for each proposed run.

use super::*;

#[tokio::test]
async fn a_stack_has_one_blocker_at_a_time() {
    each(async |world| {
        let (stack, other) = (world.stack("network").await, world.stack("other").await);
        let first = world.queued(&stack, RunKind::Tracked).await;
        let second = world.queued(&stack, RunKind::Tracked).await;
        let elsewhere = world.queued(&other, RunKind::Tracked).await;
        let proposed = world.queued(&stack, RunKind::Proposed).await;
        let mut first = world.step(&first, RunState::Ready).await.unwrap();
        world.step(&elsewhere, RunState::Ready).await.unwrap();
        world.step(&proposed, RunState::Ready).await.unwrap();
        let way = [RunState::Preparing, RunState::Initializing, RunState::Planning, RunState::Unconfirmed];
        for next in way.into_iter().chain([RunState::Confirmed, RunState::Applying]) {
            assert!(world.step(&second, RunState::Ready).await.unwrap_err().is_duplicate(), "{next}");
            first = world.step(&first, next).await.unwrap();
            assert_eq!(world.read().await.blocker(&stack).await.unwrap().map(|run| run.id), Some(first.id.clone()));
        }
        assert_eq!(world.reread(&second).await, second);
        world.step(&first, RunState::Finished).await.unwrap();
        assert_eq!(world.read().await.blocker(&stack).await.unwrap(), None);
        world.step(&second, RunState::Ready).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_proposed_run_is_promoted_once_until_its_promotion_ends_before_the_apply() {
    each(async |world| {
        let stack = world.stack("network").await;
        let proposed = world.to(&world.queued(&stack, RunKind::Proposed).await, RunState::Finished).await;
        let mut ended = Vec::new();
        for end in [RunState::Discarded, RunState::Canceled, RunState::Stopped, RunState::Failed] {
            let tracked = world.promoted(&proposed).await.unwrap();
            assert!(world.promoted(&proposed).await.unwrap_err().is_duplicate());
            assert_eq!(world.read().await.promoted_as(&proposed.id).await.unwrap(), Some(tracked.id.clone()));
            let tracked = world.to(&tracked, end).await;
            assert_eq!(world.read().await.promoted_as(&proposed.id).await.unwrap(), None, "{end}");
            ended.insert(0, tracked);
        }
        let last = world.to(&world.promoted(&proposed).await.unwrap(), RunState::Applying).await;
        let last = world.step(&last, RunState::Failed).await.unwrap();
        // Its apply began, so the infrastructure may have changed: that promotion has happened.
        assert!(world.promoted(&proposed).await.unwrap_err().is_duplicate());
        assert_eq!(world.read().await.promoted_as(&proposed.id).await.unwrap(), Some(last.id.clone()));
        ended.insert(0, last);
        assert_eq!(world.read().await.promotions_of(&proposed.id).await.unwrap(), ended);
    })
    .await;
}

#[tokio::test]
async fn one_stack_may_have_many_promotions_of_different_runs() {
    each(async |world| {
        let stack = world.stack("network").await;
        for _ in 0..3 {
            let proposed = world.to(&world.queued(&stack, RunKind::Proposed).await, RunState::Finished).await;
            world.promoted(&proposed).await.unwrap();
        }
    })
    .await;
}
