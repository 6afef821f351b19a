//! The runner over a real repository and a real database, without Terraform: what is taken, what is recovered, and what is
//! left to whoever walks it.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use super::workspace::{SEALED_PLAN, Workspace};
use super::*;
use crate::commands::save_settings::{Page, save_settings};
use crate::commands::tests::World;
use crate::commands::trigger::trigger;
use crate::domain::permission::Configure;
use crate::domain::run::PlannedWith;
use crate::domain::vendor::Vendor;

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

/// A promoted run that was confirmed, with its folder and a sealed plan in it.
async fn confirmed(world: &World) -> Run {
    world.deployed().await;
    let proposed = world.finished("topic", "main").await;
    let run = world.to(&world.promoted(&proposed).await.id, RunState::Confirmed).await;
    let workspace = Workspace::of(&world.context, &run);
    workspace.create().unwrap();
    std::fs::create_dir_all(workspace.source().join("network")).unwrap();
    std::fs::write(workspace.plan(), "a plan").unwrap();
    sealed_plan::seal(&world.context.vault, &workspace, &run, 100).unwrap();
    run
}

async fn use_engine(world: &World, engine: &str) {
    let page = Page::Vendor { vendor: Vendor::Terraform, engine_binary: engine.into() };
    save_settings(&world.context, &world.may::<Configure>("ada"), world.stack().await.version, page).await.unwrap();
}

/// Lets a worker take the next run and walk it to its end.
async fn work_once(world: &World) {
    let held = claim(&world.context).await.unwrap().unwrap();
    let (_ends, shutdown) = watch::channel(false);
    walk::walk(world.context.clone(), held, shutdown).await;
}

#[tokio::test]
async fn what_keeps_an_apply_from_beginning_has_changed_nothing_and_is_put_back() {
    for (what, note) in [
        ("engine", "There is no program at /nowhere/terraform."),
        ("folder", "Headway could not find the run's folder"),
        ("gone", "The saved plan is gone"),
        ("damaged", "Headway could not open the plan"),
        ("secret", "The secret variable TF_VAR_token cannot be opened"),
    ] {
        let world = World::new().await;
        use_engine(&world, if what == "engine" { "/nowhere/terraform" } else { "/bin/sh" }).await;
        let run = confirmed(&world).await;
        let workspace = Workspace::of(&world.context, &run);
        let before = world.stack().await;
        match what {
            "folder" => std::fs::remove_dir(workspace.source().join("network")).unwrap(),
            "gone" => std::fs::remove_file(workspace.sealed_plan()).unwrap(),
            "damaged" => std::fs::write(workspace.folder().join(SEALED_PLAN), "1:nonsense").unwrap(),
            "secret" => add_damaged_secret(&world).await,
            _ => {}
        }
        work_once(&world).await;
        let run = world.run(&run.id).await;
        assert_eq!((run.state, run.apply_started_at), (RunState::Failed, None), "{what}: {:?}", run.note);
        let said = run.note.unwrap();
        assert!(said.starts_with(note) && !said.contains("may have changed"), "{what}: {said}");
        let after = world.stack().await;
        assert_eq!(before.current_run, Some(run.id), "{what}");
        assert_ne!(after.current_commit, before.current_commit, "{what}: the promotion was put back");
        assert!(!workspace.folder().exists(), "{what}");
    }
}

/// Gives the stack a secret variable that another key sealed.
async fn add_damaged_secret(world: &World) {
    let variable = crate::store::Variable {
        name: "TF_VAR_token".into(),
        value: "1:00000000:nonsense".into(),
        secret: true,
        planning: true,
        applying: true,
        updated_at: world.context.now(),
    };
    let mut writing = world.context.store.write().await.unwrap();
    writing.set_variable(&world.stack, &variable).await.unwrap();
    writing.commit().await.unwrap();
}

#[tokio::test]
async fn a_secret_that_cannot_be_opened_ends_a_run_that_was_to_plan() {
    let world = World::new().await;
    add_damaged_secret(&world).await;
    let run = trigger(&world.context, &world.may("ada")).await.unwrap();
    ready(&world.context).await.unwrap();
    work_once(&world).await;
    let run = world.run(&run).await;
    assert_eq!(run.state, RunState::Failed);
    let note = run.note.unwrap();
    assert!(note.contains("TF_VAR_token") && note.contains("Settings > Environment"), "{note}");
}

#[tokio::test]
async fn a_confirmed_run_whose_worker_ended_before_its_apply_is_applied_by_the_next_one() {
    let world = World::new().await;
    let (context, walking) = (&world.context, Walking::default());
    let run = confirmed(&world).await;
    let held = claim(context).await.unwrap().unwrap();
    assert!(claim(context).await.unwrap().is_none(), "it is taken");
    recover::recover(context, &walking, true).await.unwrap();
    assert_eq!(world.run(&run.id).await.state, RunState::Confirmed);
    let again = claim(context).await.unwrap().unwrap();
    assert_eq!((&again.run.id, again.run.fence), (&run.id, held.run.fence + 2));
    assert!(Workspace::of(context, &run).has_plan());
}

#[tokio::test]
async fn a_plan_is_applied_with_the_settings_that_it_was_made_with() {
    let world = World::new().await;
    use_engine(&world, "/nowhere/planned-with").await;
    let run = confirmed(&world).await;
    let mut writing = world.context.store.write().await.unwrap();
    writing.save_planned_with(&run, &PlannedWith::of(&world.stack().await)).await.unwrap();
    writing.commit().await.unwrap();
    use_engine(&world, "/bin/sh").await;
    work_once(&world).await;
    let note = world.run(&run.id).await.note.unwrap();
    assert!(note.contains("/nowhere/planned-with"), "{note}");
}

#[tokio::test]
async fn an_errored_state_that_a_killed_headway_left_is_stored_and_one_that_does_not_fit_is_kept() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new().await;
    let (context, walking) = (&world.context, Walking::default());
    let state = |serial: i64, lineage: &str| format!("{{\"version\":4,\"serial\":{serial},\"lineage\":\"{lineage}\"}}");
    let kept = |run: &Run| context.config.errored_states().join(format!("{}.tfstate", run.id));
    for (document, version) in [(state(3, "ours"), 1), (state(5, "ours"), 2), (state(9, "another"), 2)] {
        let run = trigger(context, &world.may("ada")).await.unwrap();
        world.to(&run, RunState::Confirmed).await;
        let held = claim(context).await.unwrap().unwrap();
        let run = world.to(&held.run.id, RunState::Applying).await;
        let workspace = Workspace::of(context, &run);
        workspace.create().unwrap();
        std::fs::create_dir_all(workspace.source().join("network")).unwrap();
        std::fs::write(workspace.source().join("network/errored.tfstate"), &document).unwrap();
        recover::recover(context, &walking, true).await.unwrap();
        let run = world.run(&run.id).await;
        let note = run.note.clone().unwrap();
        assert_eq!(run.state, RunState::Failed);
        assert!(note.contains("The infrastructure may have changed"), "{note}");
        let stored = context.store.read().await.unwrap().state(&world.stack).await.unwrap().unwrap();
        assert_eq!(stored.version, version, "{note}");
        assert!(!workspace.folder().exists());
        if document.contains("another") {
            assert!(note.contains("another lineage") && note.contains(kept(&run).to_str().unwrap()), "{note}");
            assert_eq!(std::fs::read_to_string(kept(&run)).unwrap(), document);
            assert_eq!(std::fs::metadata(kept(&run)).unwrap().permissions().mode() & 0o777, 0o600);
        } else {
            assert!(note.contains(&format!("stored it from errored.tfstate as version {version}")), "{note}");
            assert_eq!(stored.run_id, run.id);
            assert!(!kept(&run).exists());
        }
    }
}

#[tokio::test]
async fn a_disabled_stack_starts_nothing_until_it_is_enabled() {
    let world = World::new().await;
    let context = &world.context;
    let disable = async |disabled| {
        let (name, description, labels) = ("Network".into(), String::new(), Vec::new());
        let page = Page::Details { name, description, labels, disabled };
        save_settings(context, &world.may("ada"), world.stack().await.version, page).await.unwrap();
    };
    let run = trigger(context, &world.may("ada")).await.unwrap();
    disable(true).await;
    ready(context).await.unwrap();
    assert_eq!(world.run(&run).await.state, RunState::Queued);
    for state in [RunState::Ready, RunState::Confirmed] {
        world.to(&run, state).await;
        assert!(claim(context).await.unwrap().is_none(), "{state}");
    }
    disable(false).await;
    assert_eq!(claim(context).await.unwrap().unwrap().run.id, run);
}
