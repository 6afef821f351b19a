//! Locks: one person keeps the stack; what nobody else may do meanwhile, verb by verb.

use super::*;
use crate::commands::lock::{NOTE_LIMIT, lock, unlock};
use crate::commands::set_current::set_current;
use crate::commands::sync::{Synced, sync};

#[tokio::test]
async fn a_lock_is_taken_noted_renewed_by_its_holder_and_given_back() {
    let world = World::new().await;
    lock(&world.context, &world.may("ada"), "  moving the database ").await.unwrap();
    let held = world.stack().await.lock.unwrap();
    assert_eq!((held.holder.as_str(), held.note.as_deref()), ("ada", Some("moving the database")));
    world.context.clock.advance(5_000);
    lock(&world.context, &world.may("ada"), "").await.unwrap();
    let renewed = world.stack().await.lock.unwrap();
    assert_eq!((renewed.note, renewed.at), (None, held.at));
    unlock(&world.context, &world.may("ada")).await.unwrap();
    assert_eq!(world.stack().await.lock, None);
    assert_eq!(refusal(unlock(&world.context, &world.may("ada")).await), Refusal::NotLocked);
    let actions: Vec<String> = world.activity().await.into_iter().map(|entry| entry.action).collect();
    assert_eq!(actions, ["unlock", "unlock", "lock", "lock", "create stack"]);
}

#[tokio::test]
async fn somebody_else_neither_takes_a_lock_nor_gives_it_back_unless_by_force() {
    let world = World::new().await;
    lock(&world.context, &world.may("ada"), "mine").await.unwrap();
    let held = world.stack().await.lock;
    assert!(matches!(refusal(lock(&world.context, &world.may("grace"), "").await), Refusal::Locked { .. }));
    assert!(matches!(
        refusal(unlock(&world.context, &world.may_as("grace", Role::Writer)).await),
        Refusal::Locked { .. }
    ));
    assert_eq!(world.stack().await.lock, held);
    unlock(&world.context, &world.may("grace")).await.unwrap();
    assert_eq!(world.stack().await.lock, None);
    let entry = &world.activity().await[0];
    assert_eq!((entry.action.as_str(), entry.detail.as_str()), ("force unlock", "was held by ada"));
}

#[tokio::test]
async fn a_note_has_its_limit() {
    let world = World::new().await;
    let long = "ä".repeat(NOTE_LIMIT + 1);
    assert_eq!(fields(lock(&world.context, &world.may("ada"), &long).await), ["note"]);
    lock(&world.context, &world.may("ada"), &"ä".repeat(NOTE_LIMIT)).await.unwrap();
}

/// A stack that `ada` has locked, with a run in each state that verbs work on.
struct Locked {
    world: World,
    proposed: Run,
    waiting: Run,
    unconfirmed: Run,
    ended: Run,
}

async fn locked() -> Locked {
    let world = World::new().await;
    world.deployed().await;
    let proposed = world.finished("topic", "main").await;
    let ended = trigger::trigger(&world.context, &world.may("ada")).await.unwrap();
    let ended = world.to(&ended, RunState::Discarded).await;
    let unconfirmed = trigger::trigger(&world.context, &world.may("ada")).await.unwrap();
    let unconfirmed = world.to(&unconfirmed, RunState::Unconfirmed).await;
    let waiting = trigger::trigger(&world.context, &world.may("ada")).await.unwrap();
    let waiting = world.run(&waiting).await;
    lock(&world.context, &world.may("ada"), "mine").await.unwrap();
    Locked { world, proposed, waiting, unconfirmed, ended }
}

/// Does every verb that starts or accepts something, as this person; each with how it went.
async fn attempts(locked: &Locked, name: &str) -> Vec<(&'static str, Result<(), Problem>)> {
    let (world, context) = (&locked.world, &locked.world.context);
    let mut attempts = Vec::new();
    attempts.push(("retry", retry::retry(context, &world.may(name), &locked.ended.id).await.map(|_| ())));
    attempts.push(("confirm", confirm::confirm(context, &world.may(name), &locked.unconfirmed.id).await));
    attempts.push(("discard", discard::discard(context, &world.may(name), &locked.waiting.id).await));
    attempts.push(("trigger", trigger::trigger(context, &world.may(name)).await.map(|_| ())));
    attempts.push(("promote", world.promote(&locked.proposed, name).await.map(|_| ())));
    let base = world.origin.git(&["rev-parse", "main"], "");
    attempts.push(("set current commit", set_current(context, &world.may(name), &base).await));
    attempts
}

#[tokio::test]
async fn nobody_else_starts_promotes_accepts_or_rejects_anything_on_a_locked_stack() {
    let locked = locked().await;
    let before = locked.world.picture().await;
    for (verb, result) in attempts(&locked, "grace").await {
        let refusal = refusal(result);
        if let Refusal::Promotion(verdict) = refusal {
            let failing: Vec<_> = verdict.refusals().map(|condition| condition.name.name()).collect();
            assert_eq!((verb, failing), ("promote", vec!["unlocked"]));
        } else if let Refusal::Locked { holder, note, .. } = refusal {
            assert_eq!((holder.as_str(), note.as_deref()), ("ada", Some("mine")), "{verb}");
        } else {
            panic!("{verb}: {refusal:?}");
        }
    }
    assert_eq!(locked.world.picture().await, before);
    let refused = locked.world.activity().await.into_iter().filter(|entry| entry.outcome == Outcome::Refused);
    assert_eq!(refused.count(), 6);
}

#[tokio::test]
async fn who_holds_the_lock_does_all_of_it() {
    let locked = locked().await;
    for (verb, result) in attempts(&locked, "ada").await {
        assert_eq!(result, Ok(()), "{verb}");
    }
}

#[tokio::test]
async fn a_sync_of_a_stack_that_somebody_else_locked_fetches_and_does_not_move_it() {
    let world = World::new().await;
    world.deployed().await;
    lock(&world.context, &world.may("ada"), "").await.unwrap();
    assert_eq!(sync(&world.context, &world.may("grace")).await, Ok(Synced::InStep));
    let before = world.stack().await;
    world.origin.commit("main", None, "README.md");
    assert!(matches!(refusal(sync(&world.context, &world.may("grace")).await), Refusal::Locked { .. }));
    assert_eq!(world.stack().await, before);
    assert_eq!(sync(&world.context, &world.may("ada")).await, Ok(Synced::Moved));
}

#[tokio::test]
async fn planning_a_branch_again_and_stopping_a_run_are_no_business_of_a_lock() {
    let world = World::new().await;
    let proposed = world.finished("topic", "main").await;
    lock(&world.context, &world.may("ada"), "").await.unwrap();
    let again = retry::retry(&world.context, &world.may("grace"), &proposed.id).await.unwrap();
    world.to(&again, RunState::Planning).await;
    stop::stop(&world.context, &world.may("grace"), &again).await.unwrap();
    propose::propose(&world.context, &world.may("grace"), "topic").await.unwrap();
}
