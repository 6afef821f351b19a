//! Fetches: that one repository keeps no other waiting, and one stack or branch no other from its answer.

use super::*;
use crate::commands::fetch::poll;
use crate::store::Repository;
use std::time::Duration;
use tokio::net::TcpListener;

/// How long anything may take before a test gives up: a limit against hanging, not a measure.
const PATIENCE: Duration = Duration::from_secs(60);

/// Has the poller look at a repository now.
async fn make_due(world: &World, id: &str, address: &str) {
    let mut writing = world.context.store.write().await.unwrap();
    let repository = Repository {
        id: RepositoryId::new(id),
        address: address.into(),
        credential: None,
        heads: std::collections::BTreeMap::new(),
        fetched_at: None,
        next_fetch_at: world.context.now(),
        failures: 0,
        problem: None,
    };
    writing.add_repository(&repository).await.unwrap();
    writing.commit().await.unwrap();
    world.context.poll.notify_one();
}

#[tokio::test]
async fn a_repository_that_hangs_keeps_no_other_one_waiting() {
    let mut world = World::new().await;
    world.context.outgoing = Outgoing::new(&["127.0.0.0/8".parse().unwrap()]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/hangs", listener.local_addr().unwrap());
    make_due(&world, "HANGS", &address).await;
    let poller = tokio::spawn(poll(world.context.clone()));
    // Somebody listens there, and never answers.
    let connection = tokio::time::timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();

    let pushed = world.origin.commit("topic", Some("main"), "network/main.tf");
    make_due(&world, world.repository.as_str(), &world.origin.address()).await;
    let answered = async {
        loop {
            match world.read().await.newest_proposed_of(&world.stack, "topic").await.unwrap() {
                Some(run) => break run,
                None => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    let run = tokio::time::timeout(PATIENCE, answered).await.expect("the other repository was fetched");
    assert_eq!(run.commit.hash, pushed);
    // Due again, the one that hangs is not fetched a second time beside the first.
    make_due(&world, "HANGS", &address).await;
    assert!(tokio::time::timeout(Duration::from_secs(3), listener.accept()).await.is_err());
    poller.abort();
    drop(connection);
}
