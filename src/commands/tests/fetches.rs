//! Fetches: that one repository keeps no other waiting, and one stack or branch no other from its answer.

use super::*;
use crate::commands::fetch::poll;
use crate::commands::receive_push::receive_push;
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
        added_at: world.context.now(),
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
    let run = tokio::time::timeout(PATIENCE, answered).await.unwrap();
    assert_eq!(run.commit.hash, pushed);
    // Due again, the one that hangs is not fetched a second time beside the first.
    make_due(&world, "HANGS", &address).await;
    assert!(tokio::time::timeout(Duration::from_secs(3), listener.accept()).await.is_err());
    poller.abort();
    drop(connection);
}

#[tokio::test]
async fn a_head_that_cannot_be_read_keeps_no_other_branch_from_its_answer() {
    let world = World::new().await;
    let pushed = world.origin.commit("topic", Some("main"), "network/main.tf");
    let mirror = world.context.mirror(&world.repository);
    let mut heads = mirror.fetch(&world.context.outgoing, &world.origin.address(), None).await.unwrap();
    heads.insert("broken".into(), CommitHash::new("f".repeat(40)));
    let started = receive_push(&world.context, &world.stack, &world.repository, &heads).await.unwrap();
    let topic = world.proposed("topic").await;
    assert_eq!((started, &topic.commit.hash), (vec![topic.id], &pushed));
    // As soon as it can be read, it has its answer as well.
    assert!(!world.read().await.answered_heads(&world.stack).await.unwrap().contains_key("broken"));
    heads.insert("broken".into(), world.push("broken", Some("main")).await);
    assert_eq!(world.proposed("broken").await.commit.hash, heads["broken"]);
}

#[tokio::test]
async fn a_stack_that_cannot_answer_keeps_no_other_one_from_it() {
    let mut world = World::new().await;
    let other = StackId::new("other");
    let permission = permit::<CreateStack>(&Viewer::system(), &other).unwrap();
    let second = Settings { name: "Other".into(), ..settings() };
    create_stack(&world.context, &permission, &world.repository, second, true).await.unwrap();
    let newest = async |world: &World, stack: &StackId, branch: &str| {
        world.read().await.newest_proposed_of(stack, branch).await.unwrap().map(|run| (run.id, run.commit.hash))
    };
    world.push("topic", Some("main")).await;
    let (last, _) = newest(&world, &other, "topic").await.unwrap();

    // The ids begin anew at that of the newest run: the stack that comes first cannot add its own.
    let count = i64::try_from(ulid::Ulid::from_string(last.as_str()).unwrap().0).unwrap() - 1;
    world.context.ids = Ids::Counted(Arc::new(std::sync::atomic::AtomicI64::new(count)));
    let pushed = world.push("more", Some("main")).await;
    assert_eq!(newest(&world, &world.stack, "more").await, None);
    assert_eq!(newest(&world, &other, "more").await.unwrap().1, pushed);
    // The next fetch tells it again.
    world.fetch().await;
    assert_eq!(newest(&world, &world.stack, "more").await.unwrap().1, pushed);
}
