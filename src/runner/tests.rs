//! The runner over a real repository and a real database, without Terraform: what is taken, what is recovered, and what is
//! left to whoever walks it.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use super::workspace::Workspace;
use super::*;
use crate::commands::tests::World;
use crate::commands::trigger::trigger;

/// A tracked run that a worker has just claimed.
async fn held(world: &World) -> Held {
    let run = trigger(&world.context, &world.may("ada")).await.unwrap();
    ready(&world.context).await.unwrap();
    let held = claim(&world.context).await.unwrap().unwrap();
    assert_eq!(held.run.id, run);
    held
}

#[tokio::test]
async fn a_run_that_is_walked_here_is_nobody_elses_however_late_its_lease_is() {
    let world = World::new().await;
    let (context, walking) = (&world.context, Walking::default());
    let held = held(&world).await;
    let workspace = Workspace::of(context, &held.run);
    workspace.create().unwrap();
    let walked = walking.begin(&held.run);

    // The machine slept for an hour.
    context.clock.advance(3_600_000);
    recover::recover(context, &walking, false).await.unwrap();
    assert_eq!(world.run(&held.run.id).await, held.run);
    let mut writing = context.store.write().await.unwrap();
    let state =
        writing.run_of_state_token(&world.stack, &held.run.id, &secret::fingerprint(&held.token)).await.unwrap();
    assert_eq!(state, Some(held.run.clone()), "its credential for the state is still good");
    writing.renew(&held.run.id, held.run.fence, context.now().plus(LEASE)).await.unwrap();
    drop(writing);

    // Who walks it no more has given it up.
    drop(walked);
    recover::recover(context, &walking, false).await.unwrap();
    assert_eq!(world.run(&held.run.id).await.state, RunState::Queued);
}

#[tokio::test]
async fn a_lease_that_somebody_held_here_before_does_not_keep_the_next_one() {
    let world = World::new().await;
    let (context, walking) = (&world.context, Walking::default());
    let held = held(&world).await;
    let _walked = walking.begin(&Run { fence: held.run.fence - 1, ..held.run.clone() });
    context.clock.advance(LEASE + 1);
    recover::recover(context, &walking, false).await.unwrap();
    assert_eq!(world.run(&held.run.id).await.state, RunState::Queued);
}

#[tokio::test]
async fn the_folder_of_a_run_that_has_ended_goes_when_nobody_walks_it_any_more() {
    let world = World::new().await;
    let (context, walking) = (&world.context, Walking::default());
    let held = held(&world).await;
    let workspace = Workspace::of(context, &held.run);
    workspace.create().unwrap();
    let walked = walking.begin(&held.run);
    world.to(&held.run.id, RunState::Failed).await;
    recover::sweep(context, &walking).await.unwrap();
    assert!(workspace.source().exists());
    drop(walked);
    recover::sweep(context, &walking).await.unwrap();
    assert!(!workspace.folder().exists());
}
