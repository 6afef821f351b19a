//! Leases: who holds a run, until when, and that a worker which lost it cannot write any more.

use super::*;
use crate::domain::plan::Plan;

/// A ready run that a worker has claimed.
async fn held(world: &World) -> Run {
    let stack = world.stack("network").await;
    let ready = world.to(&world.queued(&stack, RunKind::Tracked).await, RunState::Ready).await;
    world.claim(&ready, "worker").await.unwrap()
}

/// Everything that only the holder of a run may do, attempted with this picture of it.
async fn attempts(world: &World, run: &Run) -> Vec<(&'static str, Result<()>)> {
    let mut attempts = Vec::new();
    let mut writing = world.write().await;
    attempts.push(("append a log", writing.append_log(run, 2, run.fence * 100, &["line".into()]).await));
    attempts.push(("save a plan", writing.save_plan(run, &Plan::default()).await));
    attempts.push(("renew", writing.renew(&run.id, run.fence, NOW.plus(60_000)).await));
    attempts.push(("ask for orders", writing.stop_requested(run).await.map(|_| ())));
    attempts.push(("step", writing.step(run, RunState::Initializing, "worker", None, NOW).await.map(|_| ())));
    attempts
}

#[tokio::test]
async fn a_claim_takes_a_ready_run_to_preparing_and_leaves_a_confirmed_one_until_its_apply_begins() {
    each(async |world| {
        let run = held(&world).await;
        assert_eq!((run.state, run.fence), (RunState::Preparing, 1));
        let confirmed = world.to(&run, RunState::Confirmed).await;
        assert_eq!(confirmed.fence, 1);
        let claimed = world.claim(&confirmed, "other").await.unwrap();
        assert_eq!((claimed.state, claimed.fence, claimed.apply_started_at), (RunState::Confirmed, 2, None));
        assert_eq!(world.reread(&run).await, claimed);
        let applying = world.step(&claimed, RunState::Applying).await.unwrap();
        assert_eq!((applying.fence, applying.apply_started_at), (2, Some(NOW)));
    })
    .await;
}

#[tokio::test]
async fn a_confirmed_run_is_taken_once_and_can_be_given_back() {
    each(async |world| {
        let stack = world.stack("network").await;
        let confirmed = world.to(&world.queued(&stack, RunKind::Tracked).await, RunState::Confirmed).await;
        let claimed = world.claim(&confirmed, "first").await.unwrap();
        assert!(matches!(world.claim(&confirmed, "second").await, Err(StoreError::Changed)));
        let next = async || world.read().await.next_for_worker().await.unwrap().map(|run| run.fence);
        let late = async || world.read().await.abandoned(NOW.plus(30_001)).await.unwrap();
        assert_eq!(next().await, None);
        assert_eq!(late().await, std::slice::from_ref(&claimed));
        let mut writing = world.write().await;
        assert!(matches!(writing.release(&confirmed).await, Err(StoreError::Changed)), "of an old picture");
        writing.release(&claimed).await.unwrap();
        writing.commit().await.unwrap();
        assert_eq!((next().await, late().await), (Some(1), Vec::new()));
        assert_eq!(world.claim(&claimed, "third").await.unwrap().fence, 2);
    })
    .await;
}

#[tokio::test]
async fn a_run_is_claimed_once() {
    each(async |world| {
        let stack = world.stack("network").await;
        let ready = world.to(&world.queued(&stack, RunKind::Tracked).await, RunState::Ready).await;
        world.claim(&ready, "first").await.unwrap();
        assert!(matches!(world.claim(&ready, "second").await, Err(StoreError::Changed)));
        let token = |owner: &str| format!("token of {owner}");
        let mut reading = world.read().await;
        assert!(reading.run_of_state_token(&stack, &ready.id, &token("first")).await.unwrap().is_some());
        assert!(reading.run_of_state_token(&stack, &ready.id, &token("second")).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn a_claim_from_an_old_picture_of_a_run_that_came_back_to_the_queue_is_refused() {
    each(async |world| {
        let stack = world.stack("network").await;
        let ready = world.to(&world.queued(&stack, RunKind::Tracked).await, RunState::Ready).await;
        let claimed = world.claim(&ready, "first").await.unwrap();
        let again = world.to(&world.step(&claimed, RunState::Queued).await.unwrap(), RunState::Ready).await;
        assert!(matches!(world.claim(&ready, "second").await, Err(StoreError::Changed)));
        assert_eq!(world.reread(&again).await, again);
        assert_eq!(world.claim(&again, "third").await.unwrap().fence, 2);
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_was_fenced_off_cannot_write() {
    each(async |world| {
        let run = held(&world).await;
        for (what, result) in attempts(&world, &run).await {
            assert!(result.is_ok(), "the holder may {what}: {result:?}");
        }
        let mut writing = world.write().await;
        let fenced = writing.fence_off(&run).await.unwrap();
        writing.commit().await.unwrap();
        for (what, result) in attempts(&world, &run).await {
            assert!(matches!(result, Err(StoreError::Changed)), "fenced off, it could {what}: {result:?}");
        }
        assert_eq!(world.reread(&run).await, fenced);
        assert_eq!(world.read().await.log_bytes(&run.id).await.unwrap(), 0);
        assert_eq!(world.step(&fenced, RunState::Queued).await.unwrap().state, RunState::Queued);
    })
    .await;
}

#[tokio::test]
async fn a_worker_whose_run_was_claimed_anew_cannot_write() {
    each(async |world| {
        let old = held(&world).await;
        let ready = world.to(&world.step(&old, RunState::Queued).await.unwrap(), RunState::Ready).await;
        let new = world.claim(&ready, "other").await.unwrap();
        for (what, result) in attempts(&world, &old).await {
            assert!(matches!(result, Err(StoreError::Changed)), "the old worker could {what}: {result:?}");
        }
        for (what, result) in attempts(&world, &new).await {
            assert!(result.is_ok(), "the new worker may {what}: {result:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn fencing_off_an_old_picture_takes_nothing_from_the_worker_that_holds_the_run_now() {
    each(async |world| {
        let old = held(&world).await;
        let ready = world.to(&world.step(&old, RunState::Queued).await.unwrap(), RunState::Ready).await;
        let new = world.claim(&ready, "other").await.unwrap();
        let mut writing = world.write().await;
        let stolen = match writing.fence_off(&old).await {
            Ok(fenced) => writing.step(&fenced, RunState::Queued, "Headway", None, NOW).await.map(|_| ()),
            Err(error) => Err(error),
        };
        assert!(matches!(stolen, Err(StoreError::Changed)));
        drop(writing);
        assert_eq!(world.reread(&new).await, new);
    })
    .await;
}

#[tokio::test]
async fn a_lease_runs_out_unless_it_is_renewed() {
    each(async |world| {
        let run = held(&world).await;
        let abandoned = async |at: Timestamp| !world.read().await.abandoned(at).await.unwrap().is_empty();
        assert!(!abandoned(NOW.plus(30_000)).await);
        assert!(abandoned(NOW.plus(30_001)).await);
        let mut writing = world.write().await;
        writing.renew(&run.id, run.fence, NOW.plus(90_000)).await.unwrap();
        writing.commit().await.unwrap();
        assert!(!abandoned(NOW.plus(90_000)).await);
        assert!(abandoned(NOW.plus(90_001)).await);
    })
    .await;
}

#[tokio::test]
async fn a_lease_and_its_token_end_with_the_work() {
    each(async |world| {
        let run = held(&world).await;
        let planning = world.to(&run, RunState::Planning).await;
        let found = async |id: &RunId| {
            let mut reading = world.read().await;
            reading.run_of_state_token(&run.stack, id, "token of worker").await.unwrap().is_some()
        };
        assert!(found(&run.id).await);
        assert!(!found(&RunId::new("another")).await);
        let waiting = world.step(&planning, RunState::Unconfirmed).await.unwrap();
        assert!(!found(&run.id).await);
        let mut writing = world.write().await;
        let renewed = writing.renew(&run.id, waiting.fence, NOW.plus(60_000)).await;
        assert!(matches!(renewed, Err(StoreError::Changed)));
    })
    .await;
}
