//! Adding repositories, making stacks and deleting them.

use super::*;
use crate::commands::clean::clean;
use crate::commands::create_stack::id_for;
use crate::commands::delete_stack::delete_stack;
use crate::commands::save_settings::{Page, save_settings};
use crate::domain::sealed::Place;

async fn create(world: &World, id: &str, settings: Settings) -> Result<StackId, Problem> {
    let permission = permit::<CreateStack>(&Viewer::system(), &StackId::new(id)).unwrap();
    create_stack(&world.context, &permission, &world.repository, settings, false).await
}

#[tokio::test]
async fn a_repository_is_added_once_and_only_by_an_administrator() {
    let world = World::new().await;
    let address = world.origin.address();
    let again = add_repository(&world.context, &everywhere(), &format!(" {address}/ ")).await;
    assert_eq!(again, Ok(world.repository.clone()));
    let forbidden = world.context.permitted::<CreateStack>(&writer("ada"), &StackId::new("")).await;
    assert_eq!(forbidden.unwrap_err(), Problem::Forbidden { needs: Role::Administrator });
    let refused = world.read().await.activity(&Filter::default(), 1).await.unwrap().remove(0).entry;
    assert_eq!((refused.actor.as_str(), refused.outcome), ("ada", Outcome::Refused));
    for address in ["", "ext::sh -c true", "--upload-pack=x", "/nowhere/at/all"] {
        let result = add_repository(&world.context, &everywhere(), address).await;
        assert_eq!(fields(result), ["address"], "{address}");
    }
}

#[tokio::test]
async fn an_empty_repository_makes_no_stack() {
    let world = World::new().await;
    let empty = Origin::new(&world.folder.path().join("empty.git"));
    let result = add_repository(&world.context, &everywhere(), &empty.address()).await;
    assert_eq!(fields(result), ["address"]);
}

#[tokio::test]
async fn a_new_stack_has_its_settings_and_starts_nothing() {
    let world = World::new().await;
    let stack = world.stack().await;
    assert_eq!(Settings::from(&stack), settings());
    assert_eq!((stack.current_commit, stack.manage_state), (None, true));
    assert_eq!(world.read().await.open_run_ids().await.unwrap(), []);
    assert_eq!(world.activity().await[0].action, "create stack");
}

#[tokio::test]
async fn a_stack_that_cannot_be_is_not_made() {
    let world = World::new().await;
    for (id, settings, field) in [
        ("network", Settings { name: "Other".into(), ..settings() }, "name"),
        ("other", settings(), "name"),
        ("other", Settings { name: " ".into(), ..settings() }, "name"),
        ("other", Settings { name: "Other".into(), tracked_branch: "nowhere".into(), ..settings() }, "tracked_branch"),
        ("other", Settings { name: "Other".into(), project_root: "nowhere".into(), ..settings() }, "project_root"),
    ] {
        assert_eq!(fields(create(&world, id, settings).await), [field]);
    }
    assert_eq!(world.read().await.stacks().await.unwrap().len(), 1);
    for name in ["…", "New", ""] {
        assert_eq!(fields(id_for(name)), ["name"]);
    }
    assert_eq!(id_for("Core / EU").map(|id| id.to_string()), Ok("core-eu".into()));
}

#[tokio::test]
async fn two_stacks_of_one_repository_answer_one_push_each_for_its_own_files() {
    let world = World::new().await;
    world.origin.commit("main", None, "core/main.tf");
    let core = Settings { name: "Core".into(), project_root: "core".into(), additional_globs: vec![], ..settings() };
    let core = create(&world, "core", core).await.unwrap();
    let runs =
        async |stack: &StackId| world.read().await.runs_of_stack(stack, RunKind::Tracked, None, 9).await.unwrap().len();
    assert_eq!((runs(&world.stack).await, runs(&core).await), (0, 0));
    for (file, expected) in [("core/main.tf", (0, 1)), ("network/main.tf", (1, 1)), ("shared/a.tf", (2, 1))] {
        world.origin.commit("main", None, file);
        world.fetch().await;
        assert_eq!((runs(&world.stack).await, runs(&core).await), expected, "{file}");
    }
}

#[tokio::test]
async fn a_stack_is_deleted_by_its_name_when_nothing_keeps_it() {
    let world = World::new().await;
    world.deployed().await;
    let delete = async |typed: &str| delete_stack(&world.context, &world.may("ada"), typed).await;
    for typed in ["", "network", "Networks"] {
        assert_eq!(fields(delete(typed).await), ["name"]);
    }
    let proposed = world.finished("topic", "main").await;
    let tracked = world.promoted(&proposed).await;
    for state in [RunState::Queued, RunState::Planning, RunState::Unconfirmed, RunState::Applying] {
        world.to(&tracked.id, state).await;
        assert_eq!(refusal(delete("Network").await), Refusal::RunsOpen { count: 1 }, "{state}");
    }
    world.to(&tracked.id, RunState::Finished).await;
    let page = |protect_from_deletion| Page::Behavior(Behavior { protect_from_deletion, ..behavior() });
    let version = world.stack().await.version;
    save_settings(&world.context, &world.may("ada"), version, page(true)).await.unwrap();
    assert_eq!(refusal(delete("Network").await), Refusal::Protected);
    save_settings(&world.context, &world.may("ada"), version + 1, page(false)).await.unwrap();
    delete(" Network ").await.unwrap();
    assert_eq!(world.read().await.stacks().await.unwrap(), []);
    let activity = world.activity().await;
    assert_eq!((activity[0].action.as_str(), activity[0].outcome), ("delete stack", Outcome::Done));
    assert!(activity.len() > 5, "the log outlives the stack");
    assert_eq!(delete("Network").await, Err(Problem::NotFound(Thing::Stack)));
    // The name is free again.
    create(&world, "network", settings()).await.unwrap();
    assert_eq!(world.stack().await.current_commit, None);
}

#[tokio::test]
async fn a_repository_is_forgotten_with_its_credential_and_its_mirror_when_no_stack_uses_it() {
    each(async |world| {
        let address = world.origin.address();
        let mirror = world.context.config.mirrors().join(world.repository.as_str());
        let credential = Some(world.context.vault.seal(&Place::credential(&world.repository), "s3cret").unwrap());
        let mut writing = world.context.store.write().await.unwrap();
        let repository = writing.repository(&world.repository).await.unwrap().unwrap();
        writing.add_repository(&crate::store::Repository { credential, ..repository }).await.unwrap();
        writing.commit().await.unwrap();
        let day = 24 * 3_600_000;
        world.context.clock.advance(2 * day);
        assert_eq!(clean(&world.context).await.unwrap().repositories, 0, "a stack uses it");

        delete_stack(&world.context, &world.may("ada"), "Network").await.unwrap();
        // Somebody is about to make a stack of it.
        let again = add_repository(&world.context, &everywhere(), &address).await.unwrap();
        world.context.clock.advance(day);
        assert_eq!((clean(&world.context).await.unwrap().repositories, again), (0, world.repository.clone()));
        assert!(mirror.exists());
        world.context.clock.advance(1);
        assert_eq!(clean(&world.context).await.unwrap().repositories, 1);
        assert!(!mirror.exists());
        assert_eq!(world.read().await.repository(&world.repository).await.unwrap(), None);
        let entry = world.read().await.activity(&Filter::default(), 1).await.unwrap().remove(0).entry;
        let told = format!("Repository: {address} → none; Credential: removed (secret)");
        assert_eq!((entry.action.as_str(), entry.differences.to_string()), ("forget repository", told));
        assert_eq!(clean(&world.context).await.unwrap().repositories, 0);
        assert_ne!(add_repository(&world.context, &everywhere(), &address).await.unwrap(), world.repository);
    })
    .await;
}
