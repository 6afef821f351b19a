//! The queue: which runs may start, and which one a free worker takes next.

use super::*;

#[tokio::test]
async fn a_confirmed_apply_comes_first_then_tracked_runs_then_proposed_ones_each_oldest_first() {
    each(async |world| {
        let mut expected = Vec::new();
        for (order, kind, state) in [
            (5, RunKind::Proposed, RunState::Ready),
            (3, RunKind::Tracked, RunState::Ready),
            (1, RunKind::Tracked, RunState::Confirmed),
            (6, RunKind::Proposed, RunState::Ready),
            (4, RunKind::Tracked, RunState::Ready),
            (2, RunKind::Tracked, RunState::Confirmed),
        ] {
            let stack = world.stack(&format!("stack-{order}")).await;
            let run = world.to(&world.queued(&stack, kind).await, state).await;
            expected.push((order, run.id));
        }
        expected.sort();
        let mut taken = Vec::new();
        while let Some(run) = world.read().await.next_for_worker().await.unwrap() {
            world.claim(&run, "worker").await.unwrap();
            taken.push((i32::try_from(taken.len()).unwrap() + 1, run.id));
        }
        assert_eq!(taken, expected);
    })
    .await;
}

#[tokio::test]
async fn of_each_free_stack_its_oldest_tracked_run_may_start_and_every_proposed_one() {
    each(async |world| {
        let (busy, free) = (world.stack("busy").await, world.stack("free").await);
        let blocker = world.to(&world.queued(&busy, RunKind::Tracked).await, RunState::Unconfirmed).await;
        let waiting = world.queued(&busy, RunKind::Tracked).await;
        let proposed = world.queued(&busy, RunKind::Proposed).await;
        let another = world.queued(&busy, RunKind::Proposed).await;
        let oldest = world.queued(&free, RunKind::Tracked).await;
        world.queued(&free, RunKind::Tracked).await;
        let startable = async || {
            let mut ids: Vec<RunId> =
                world.read().await.startable().await.unwrap().into_iter().map(|run| run.id).collect();
            ids.sort();
            ids
        };
        let ids = |runs: &[&Run]| runs.iter().map(|run| run.id.clone()).collect::<Vec<_>>();
        assert_eq!(startable().await, ids(&[&proposed, &another, &oldest]));
        world.step(&blocker, RunState::Discarded).await.unwrap();
        assert_eq!(startable().await, ids(&[&waiting, &proposed, &another, &oldest]));
        world.step(&oldest, RunState::Ready).await.unwrap();
        assert_eq!(startable().await, ids(&[&waiting, &proposed, &another]));
    })
    .await;
}

#[tokio::test]
async fn an_empty_queue_has_nothing_for_anybody() {
    each(async |world| {
        let mut reading = world.read().await;
        assert_eq!(reading.next_for_worker().await.unwrap(), None);
        assert_eq!(reading.startable().await.unwrap(), []);
        assert_eq!(reading.abandoned(Timestamp(i64::MAX)).await.unwrap(), []);
    })
    .await;
}
