//! Managed state in the store: versions are added, the lock is taken once.

use super::*;

pub(super) fn version(version: i64, run: &RunId) -> StateVersion {
    StateVersion {
        version,
        serial: version * 10,
        lineage: "lineage".into(),
        md5: "md5".into(),
        document: format!("document {version}"),
        run_id: run.clone(),
        created_at: NOW,
    }
}

pub(super) fn lock(id: &str, run: &Run) -> StateLock {
    StateLock { lock_id: id.into(), document: "{}".into(), run_id: run.id.clone(), fence: run.fence, created_at: NOW }
}

pub(super) fn variable() -> Variable {
    Variable { name: "A".into(), value: "1".into(), secret: false, planning: true, applying: true, updated_at: NOW }
}

#[tokio::test]
async fn the_newest_state_is_the_one_with_the_highest_version() {
    each(async |world| {
        let stack = world.stack("network").await;
        let run = world.queued(&stack, RunKind::Tracked).await;
        let mut writing = world.write().await;
        assert_eq!(writing.state(&stack).await.unwrap(), None);
        for number in [1, 2, 10] {
            writing.add_state(&stack, &version(number, &run.id)).await.unwrap();
        }
        assert_eq!(writing.state(&stack).await.unwrap(), Some(version(10, &run.id)));
        assert!(writing.add_state(&stack, &version(10, &run.id)).await.unwrap_err().is_duplicate());
    })
    .await;
}

#[tokio::test]
async fn the_lock_on_a_state_is_taken_once_and_given_back() {
    each(async |world| {
        let (stack, other) = (world.stack("network").await, world.stack("other").await);
        let run = world.queued(&stack, RunKind::Tracked).await;
        let foreign = world.queued(&other, RunKind::Tracked).await;
        let mut writing = world.write().await;
        writing.lock_state(&stack, &lock("first", &run)).await.unwrap();
        assert!(matches!(writing.lock_state(&stack, &lock("second", &run)).await, Err(StoreError::Changed)));
        writing.lock_state(&other, &lock("third", &foreign)).await.unwrap();
        assert_eq!(writing.state_lock(&stack).await.unwrap(), Some(lock("first", &run)));

        writing.unlock_state_of(&foreign.id).await.unwrap();
        assert_eq!(writing.state_lock(&other).await.unwrap(), None);
        assert_eq!(writing.state_lock(&stack).await.unwrap(), Some(lock("first", &run)));
        writing.unlock_state(&stack).await.unwrap();
        writing.lock_state(&stack, &lock("second", &run)).await.unwrap();
        writing.commit().await.unwrap();
    })
    .await;
}
