//! What the activity log says of commands: from where, what was before and after, never a secret, and repeats as one.

use super::*;
use crate::commands::repeats;
use crate::commands::set_variable::{NewVariable, remove_variable, set_variable};
use crate::domain::activity::{Entry, Outcome};

const SECRET: &str = "correct-horse-battery-staple";

/// The newest entry's differences as a sentence.
async fn newest(world: &World) -> String {
    world.activity().await[0].differences.to_string()
}

/// Every entry, oldest first.
async fn everything(world: &World) -> Vec<Entry> {
    let links = world.read().await.oldest_activity(&Filter::default(), 1000).await.unwrap();
    links.into_iter().map(|link| link.entry).collect()
}

#[tokio::test]
async fn a_promotion_and_its_discard_say_how_the_current_commit_moved() {
    let world = World::new().await;
    let first = world.deployed().await;
    let run = world.finished("topic", "main").await;
    let tracked = world.promoted(&run).await;
    let moved = format!("Current commit: {first} → {}", run.commit.hash);
    assert_eq!(newest(&world).await, moved);
    discard::discard(&world.context, &world.may("ada"), &tracked.id).await.unwrap();
    let back = format!("Current commit: {} → {first}; State: queued → discarded", run.commit.hash);
    assert_eq!(newest(&world).await, back);
}

#[tokio::test]
async fn a_run_that_a_push_started_was_started_by_headway() {
    let world = World::new().await;
    world.push("topic", Some("main")).await;
    let entry = &world.activity().await[0];
    assert_eq!(
        (entry.actor.as_str(), entry.origin.as_str(), entry.action.as_str()),
        ("Headway", "a Git push", "propose")
    );
    assert_eq!(entry.run_id.as_ref(), Some(&world.proposed("topic").await.id));
}

#[tokio::test]
async fn of_a_secret_the_log_says_that_there_is_one() {
    let world = World::new().await;
    let set = async |value: &str, secret: bool, applying: bool| {
        let known = world.read().await.variables(&world.stack).await.unwrap();
        let seen = known.first().map(|variable| variable.updated_at);
        let new = NewVariable { name: "TOKEN".into(), value: value.into(), secret, planning: true, applying, seen };
        set_variable(&world.context, &world.may("ada"), new).await.unwrap();
        newest(&world).await
    };
    assert_eq!(set("plain", false, true).await, "TOKEN: none → plain; For: none → planning and applying");
    assert_eq!(set(SECRET, true, true).await, "TOKEN: plain → a secret");
    assert_eq!(set("", true, false).await, "For: planning and applying → planning");
    assert_eq!(set(&format!("{SECRET}2"), true, false).await, "TOKEN: changed (secret)");
    let seen = world.read().await.variables(&world.stack).await.unwrap()[0].updated_at;
    remove_variable(&world.context, &world.may("ada"), "TOKEN", seen).await.unwrap();
    assert_eq!(newest(&world).await, "TOKEN: removed (secret); For: planning → none");
    for entry in everything(&world).await {
        assert!(!entry.detail.contains(SECRET) && !entry.differences.json().contains(SECRET));
    }
}

#[tokio::test]
async fn what_headway_does_by_itself_is_told_where_it_changes_or_ends_something() {
    let world = World::new().await;
    let first = world.deployed().await;
    let run = world.finished("topic", "main").await;
    let tracked = world.promoted(&run).await;
    let before = everything(&world).await.len();
    let mut now = tracked.clone();
    for state in [RunState::Ready, RunState::Preparing, RunState::Initializing, RunState::Planning, RunState::Failed] {
        let mut writing = world.context.store.write().await.unwrap();
        let note = (state == RunState::Failed).then_some("The plan failed.");
        now = advance_itself(&world.context, &mut writing, &now, state, note).await.unwrap();
        writing.commit().await.unwrap();
    }
    let told = everything(&world).await.split_off(before);
    assert_eq!(told.len(), 1, "{told:?}");
    let end = (told[0].actor.as_str(), told[0].action.as_str(), told[0].detail.as_str(), told[0].run_id.as_ref());
    let detail = format!("{} failed: The plan failed.", run.commit.hash.short());
    assert_eq!(end, ("Headway", "end", detail.as_str(), Some(&tracked.id)));
    let moved = format!("Current commit: {} → {first}; State: planning → failed", run.commit.hash);
    assert_eq!(told[0].differences.to_string(), moved);
}

#[tokio::test]
async fn a_stack_that_is_made_and_deleted_leaves_what_there_was() {
    let world = World::new().await;
    let made = world.activity().await.pop().unwrap();
    assert_eq!(made.action, "create stack");
    let address = world.stack().await.address;
    assert!(made.differences.to_string().contains(&format!("Repository: none → {address}")), "{}", made.differences);
    delete_stack::delete_stack(&world.context, &world.may("ada"), &world.stack().await.name).await.unwrap();
    let deleted = newest(&world).await;
    assert!(deleted.contains(&format!("Repository: {address} → none")), "{deleted}");
}

#[tokio::test]
async fn attempts_that_are_repeated_are_written_once_and_then_counted() {
    let world = World::new().await;
    let stranger = Viewer::stranger("192.0.2.7");
    let before = everything(&world).await.len();
    let attempt = async |viewer: &Viewer| {
        world.context.note_attempt(viewer, "sign in", None, None, "The password is wrong.").await.unwrap();
        everything(&world).await.split_off(before)
    };
    for _ in 0..5 {
        assert_eq!(attempt(&stranger).await.len(), 1);
    }
    let other = attempt(&Viewer::stranger("192.0.2.8")).await;
    assert_eq!(other.iter().map(|entry| entry.origin.as_str()).collect::<Vec<_>>(), ["192.0.2.7", "192.0.2.8"]);
    assert!(other.iter().all(|entry| entry.outcome == Outcome::Refused && entry.actor.is_empty()));
    world.context.clock.advance(600_000);
    let later = attempt(&stranger).await;
    assert_eq!(later[2].detail, "Tried and refused 4 more times within ten minutes. The password is wrong.");
    assert_eq!((later[2].origin.as_str(), later.len()), ("192.0.2.7", 4));
    // What was not written yet is written at the end.
    attempt(&stranger).await;
    repeats::finish(&world.context).await;
    let last = everything(&world).await.pop().unwrap();
    assert_eq!(last.detail, "Tried and refused 1 more times within ten minutes. The password is wrong.");
}
