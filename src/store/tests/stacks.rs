//! Stacks in the store: settings with their version, lock, current commit, environment, and what goes with them.

use super::*;
use crate::domain::plan::Plan;
use crate::domain::stack::Lock;

#[tokio::test]
async fn a_stack_reads_back_as_it_was_written() {
    each(async |world| {
        let id = world.stack("network").await;
        let mut reading = world.read().await;
        let stack = reading.stack(&id).await.unwrap().unwrap();
        assert_eq!(Settings::from(&stack), settings("network"));
        assert_eq!((stack.manage_state, stack.created_at, stack.address.as_str()), (true, NOW, "/srv/one.git"));
        assert_eq!((&stack.current_commit, &stack.current_run, &stack.lock), (&None, &None, &None));
        assert_eq!(reading.stack(&StackId::new("nowhere")).await.unwrap(), None);
        assert_eq!(reading.stacks().await.unwrap(), [stack]);
        assert_eq!(reading.answered_heads(&id).await.unwrap(), BTreeMap::new());
        assert_eq!(reading.applied_commit(&id).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn stacks_come_by_name_whatever_its_letters() {
    each(async |world| {
        for name in ["b", "C", "a"] {
            world.stack(name).await;
        }
        let names: Vec<String> =
            world.read().await.stacks().await.unwrap().into_iter().map(|stack| stack.name).collect();
        assert_eq!(names, ["a", "b", "C"]);
    })
    .await;
}

#[tokio::test]
async fn a_name_or_slug_that_exists_is_a_duplicate() {
    each(async |world| {
        let first = world.stack("network").await;
        let second = world.stack("database").await;
        for (id, name) in [(first.as_str(), "other"), ("other", "network")] {
            let mut writing = world.write().await;
            let new = NewStack {
                id: StackId::new(id),
                repository: RepositoryId::new("R"),
                settings: settings(name),
                manage_state: false,
                created_at: NOW,
            };
            assert!(writing.add_stack(&new).await.unwrap_err().is_duplicate());
        }
        let mut writing = world.write().await;
        assert!(writing.save_settings(&second, &settings("network"), 2).await.unwrap_err().is_duplicate());
        drop(writing);
        assert_eq!(world.read().await.stack(&second).await.unwrap().unwrap().name, "database");
    })
    .await;
}

#[tokio::test]
async fn settings_are_saved_only_over_the_version_they_started_from() {
    each(async |world| {
        let id = world.stack("network").await;
        let version = world.read().await.stack(&id).await.unwrap().unwrap().version;
        let save = async |name: &str, from: i64| {
            let mut writing = world.write().await;
            writing.save_settings(&id, &settings(name), from).await?;
            writing.add_setting_changes(&id, from + 1, &["Name", "Labels"]).await?;
            writing.commit().await
        };
        save("first", version).await.unwrap();
        assert!(matches!(save("second", version).await, Err(StoreError::Changed)));
        let mut reading = world.read().await;
        let stack = reading.stack(&id).await.unwrap().unwrap();
        assert_eq!((stack.name.as_str(), stack.version), ("first", version + 1));
        assert_eq!(reading.settings_changed_since(&id, version).await.unwrap(), ["Labels", "Name"]);
        assert_eq!(reading.settings_changed_since(&id, version + 1).await.unwrap(), [""; 0]);
        drop(reading);
        save("third", version + 1).await.unwrap();
        assert_eq!(world.read().await.settings_changed_since(&id, version).await.unwrap(), ["Labels", "Name"]);
    })
    .await;
}

#[tokio::test]
async fn what_a_stack_stands_at_and_who_holds_it_can_be_moved() {
    each(async |world| {
        let id = world.stack("network").await;
        let run = world.queued(&id, RunKind::Tracked).await;
        let lock = Lock { holder: "ada".into(), note: Some("moving".into()), at: NOW };
        let mut writing = world.write().await;
        writing.add_repository(&repository("S", "/srv/two.git")).await.unwrap();
        writing.set_current(&id, Some(&hash('c')), Some(&run.id)).await.unwrap();
        writing.set_lock(&id, Some(&lock)).await.unwrap();
        writing.set_answered_heads(&id, &heads([("main", 'c'), ("topic", 'd')])).await.unwrap();
        writing.set_repository(&id, &RepositoryId::new("S")).await.unwrap();
        writing.commit().await.unwrap();
        let mut reading = world.read().await;
        let stack = reading.stack(&id).await.unwrap().unwrap();
        assert_eq!((stack.current_commit, stack.current_run), (Some(hash('c')), Some(run.id)));
        assert_eq!((stack.lock, stack.address.as_str()), (Some(lock), "/srv/two.git"));
        assert_eq!(reading.answered_heads(&id).await.unwrap(), heads([("main", 'c'), ("topic", 'd')]));
        assert_eq!(reading.stacks_of(&RepositoryId::new("R")).await.unwrap(), []);
        assert_eq!(reading.stacks_of(&RepositoryId::new("S")).await.unwrap().len(), 1);
        drop(reading);
        let mut writing = world.write().await;
        writing.set_current(&id, None, None).await.unwrap();
        writing.set_lock(&id, None).await.unwrap();
        let taken = writing.take_stack(&id).await.unwrap().unwrap();
        assert_eq!((taken.current_commit, taken.current_run, taken.lock), (None, None, None));
        assert_eq!(writing.take_stack(&StackId::new("nowhere")).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn the_applied_commit_is_that_of_the_newest_apply_whatever_became_of_it() {
    each(async |world| {
        let id = world.stack("network").await;
        for (letter, state, expected) in [
            ('c', RunState::Finished, None),
            ('d', RunState::Applying, Some('d')),
            ('e', RunState::Discarded, Some('d')),
        ] {
            let new = NewRun { commit: commit(letter), ..world.new_run(&id, RunKind::Tracked) };
            let run = world.to(&world.add(&new).await.unwrap(), state).await;
            assert_eq!(world.read().await.applied_commit(&id).await.unwrap(), expected.map(hash), "{state}");
            if state == RunState::Applying {
                world.step(&run, RunState::Failed).await.unwrap();
            }
        }
    })
    .await;
}

#[tokio::test]
async fn variables_are_set_replaced_and_removed() {
    each(async |world| {
        let id = world.stack("network").await;
        let variable = |name: &str, value: &str, secret: bool| Variable {
            name: name.into(),
            value: value.into(),
            secret,
            planning: true,
            applying: !secret,
            updated_at: NOW,
        };
        let mut writing = world.write().await;
        writing.set_variable(&id, &variable("B", "old", false)).await.unwrap();
        writing.set_variable(&id, &variable("A", "", true)).await.unwrap();
        writing.set_variable(&id, &variable("B", "new", true)).await.unwrap();
        writing.commit().await.unwrap();
        let expected = [variable("A", "", true), variable("B", "new", true)];
        assert_eq!(world.read().await.variables(&id).await.unwrap(), expected);
        let mut writing = world.write().await;
        assert!(writing.remove_variable(&id, "A").await.unwrap());
        assert!(!writing.remove_variable(&id, "A").await.unwrap());
        assert_eq!(writing.variables(&id).await.unwrap(), [variable("B", "new", true)]);
    })
    .await;
}

#[tokio::test]
async fn a_deleted_stack_takes_everything_with_it_but_its_activity() {
    each(async |world| {
        let (id, other) = (world.stack("network").await, world.stack("other").await);
        for stack in [&id, &other] {
            let proposed = world.to(&world.queued(stack, RunKind::Proposed).await, RunState::Finished).await;
            let tracked = world.promoted(&proposed).await.unwrap();
            let retry = NewRun { retry_of: Some(tracked.id.clone()), ..world.new_run(stack, RunKind::Tracked) };
            world.add(&retry).await.unwrap();
            let mut writing = world.write().await;
            writing.append_log(&tracked, 0, 0, &["line".into()]).await.unwrap();
            writing.save_plan(&tracked, &Plan::default()).await.unwrap();
            writing.set_variable(stack, &states::variable()).await.unwrap();
            writing.add_state(stack, &states::version(1, &tracked.id)).await.unwrap();
            writing.lock_state(stack, &states::lock("L", &tracked)).await.unwrap();
            writing.add_setting_changes(stack, 2, &["Name"]).await.unwrap();
            writing.add_activity(activity::entry(&world, Some(stack), "promote"));
            writing.commit().await.unwrap();
        }
        let mut reading = world.read().await;
        let gone = reading.runs_of_stack(&id, RunKind::Tracked, None, 9).await.unwrap();
        let kept = reading.runs_of_stack(&other, RunKind::Tracked, None, 9).await.unwrap();
        drop(reading);

        let mut writing = world.write().await;
        writing.delete_stack(&id).await.unwrap();
        writing.commit().await.unwrap();
        let mut reading = world.read().await;
        assert_eq!(reading.stack(&id).await.unwrap(), None);
        assert_eq!(reading.open_runs(&id).await.unwrap(), 0);
        assert_eq!(reading.variables(&id).await.unwrap(), []);
        assert_eq!(reading.state(&id).await.unwrap(), None);
        assert_eq!(reading.state_lock(&id).await.unwrap(), None);
        assert_eq!(reading.settings_changed_since(&id, 0).await.unwrap(), [""; 0]);
        for run in gone {
            assert_eq!(reading.run(&id, &run.id).await.unwrap(), None);
            assert_eq!(reading.transitions(&run.id).await.unwrap(), []);
            assert_eq!(reading.log_bytes(&run.id).await.unwrap(), 0);
            assert_eq!(reading.plan(&run.id).await.unwrap(), None);
        }
        let filter = Filter { stack: Some(id.clone()), ..Filter::default() };
        assert_eq!(reading.activity(&filter, 9).await.unwrap().len(), 1);

        assert_eq!(reading.runs_of_stack(&other, RunKind::Tracked, None, 9).await.unwrap(), kept);
        assert_eq!(reading.variables(&other).await.unwrap().len(), 1);
        assert!(reading.state(&other).await.unwrap().is_some() && reading.state_lock(&other).await.unwrap().is_some());
        let mut writing = world.write().await;
        assert!(writing.repository(&RepositoryId::new("R")).await.unwrap().is_some());
    })
    .await;
}
