//! Many at once: writers on one stack come one after the other, and whatever is to be had once is had by one.

use super::*;
use crate::commands::advance;
use std::time::Duration;
use tokio::task::JoinSet;

const MANY: usize = 12;

/// Does it many times at once; how many did it, and why the others did not.
async fn at_once<T: Send + 'static, F: Future<Output = Result<T>> + Send + 'static>(
    attempt: impl Fn() -> F,
) -> (usize, Vec<StoreError>) {
    let attempts: JoinSet<Result<T>> = (0..MANY).map(|_| attempt()).collect();
    let (mut won, mut lost) = (0, Vec::new());
    for result in attempts.join_all().await {
        match result {
            Ok(_) => won += 1,
            Err(error) => lost.push(error),
        }
    }
    (won, lost)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_claims_exactly_one_wins() {
    each(async |world| {
        let stack = world.stack("network").await;
        let ready = world.to(&world.queued(&stack, RunKind::Tracked).await, RunState::Ready).await;
        let (won, lost) = at_once(|| {
            let (world, ready) = (world.clone(), ready.clone());
            async move { world.claim(&ready, "worker").await }
        })
        .await;
        assert_eq!(won, 1);
        assert!(lost.iter().all(|error| matches!(error, StoreError::Changed)), "{lost:?}");
        assert_eq!(world.reread(&ready).await.fence, 1);
        assert_eq!(world.read().await.transitions(&ready.id).await.unwrap().len(), 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_promotions_exactly_one_wins() {
    each(async |world| {
        let stack = world.stack("network").await;
        let proposed = world.to(&world.queued(&stack, RunKind::Proposed).await, RunState::Finished).await;
        let (won, lost) = at_once(|| {
            let (world, proposed) = (world.clone(), proposed.clone());
            async move { world.promoted(&proposed).await }
        })
        .await;
        assert_eq!(won, 1);
        assert!(lost.iter().all(StoreError::is_duplicate), "{lost:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_tracked_runs_exactly_one_becomes_the_blocker() {
    each(async |world| {
        let stack = world.stack("network").await;
        let mut steps = JoinSet::new();
        for _ in 0..MANY {
            let run = world.queued(&stack, RunKind::Tracked).await;
            let world = world.clone();
            steps.spawn(async move { world.step(&run, RunState::Ready).await });
        }
        let results = steps.join_all().await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        assert!(results.iter().flat_map(|result| result.as_ref().err()).all(StoreError::is_duplicate), "{results:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_on_one_stack_come_one_after_the_other() {
    each(async |world| {
        let stack = world.stack("network").await;
        let (won, lost) = at_once(|| {
            let (world, id) = (world.clone(), stack.clone());
            async move {
                let mut writing = world.store.write().await?;
                let stack = writing.take_stack(&id).await?.ok_or(StoreError::Changed)?;
                // Whoever did not wait for the one before would count on from the same number.
                tokio::time::sleep(Duration::from_millis(2)).await;
                let count: usize = stack.lock.map_or(0, |lock| lock.holder.parse().unwrap());
                let lock = crate::domain::stack::Lock { holder: (count + 1).to_string(), note: None, at: NOW };
                writing.set_lock(&id, Some(&lock)).await?;
                writing.commit().await
            }
        })
        .await;
        assert_eq!((won, lost.len()), (MANY, 0), "{lost:?}");
        let lock = world.read().await.stack(&stack).await.unwrap().unwrap().lock;
        assert_eq!(lock.map(|lock| lock.holder), Some(MANY.to_string()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_saves_from_one_version_exactly_one_wins() {
    each(async |world| {
        let stack = world.stack("network").await;
        let (won, lost) = at_once(|| {
            let (world, stack) = (world.clone(), stack.clone());
            async move {
                let mut writing = world.store.write().await?;
                writing.save_settings(&stack, &settings("renamed"), 2).await?;
                writing.commit().await
            }
        })
        .await;
        assert_eq!(won, 1);
        assert!(lost.iter().all(|error| matches!(error, StoreError::Changed)), "{lost:?}");
    })
    .await;
}

/// A worker ends a promoted run at the moment at which a person discards it: one of them does it, nobody is thrown out
/// by the database because each waits for what the other holds.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_and_a_worker_that_end_the_same_promotion_do_not_wait_for_each_other() {
    each(async |world| {
        let stack = world.stack("network").await;
        let proposed = world.to(&world.queued(&stack, RunKind::Proposed).await, RunState::Finished).await;
        let tracked = world.to(&world.promoted(&proposed).await.unwrap(), RunState::Ready).await;
        let mut person = world.write().await;
        person.take_stack(&stack).await.unwrap();
        let worker = tokio::spawn({
            let (world, tracked) = (world.clone(), tracked.clone());
            async move {
                let mut writing = world.store.write().await?;
                match advance(&mut writing, &tracked, RunState::Canceled, "Headway", None, NOW).await {
                    Ok(_) => writing.commit().await.map(|()| true),
                    Err(problem) => {
                        assert_eq!(problem, StoreError::Changed.into());
                        Ok(false)
                    }
                }
            }
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
        let discarded = advance(&mut person, &tracked, RunState::Discarded, "ada", None, NOW).await;
        assert_eq!(discarded.map(|run| run.state), Ok(RunState::Discarded));
        person.commit().await.unwrap();
        assert!(!worker.await.unwrap().unwrap());
        assert_eq!(world.reread(&tracked).await.state, RunState::Discarded);
    })
    .await;
}
