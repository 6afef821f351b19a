//! The schema and the enums name the same things, and every list of states inside the SQL agrees with the domain.

use super::*;

const SCHEMA: &str = include_str!("../../../migrations/0001_main_job.sql");

/// The words of the check constraint that begins like this.
fn checked(beginning: &str) -> Vec<String> {
    let rest = SCHEMA.split(beginning).nth(1).unwrap_or_else(|| panic!("the schema has no {beginning:?}"));
    let list = rest.split(')').next().unwrap();
    list.split('\'').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_checks_of_the_schema_name_exactly_what_the_enums_name() {
    assert_eq!(checked("check (state in ("), RunState::ALL.map(RunState::name));
    assert_eq!(checked("check (kind in ("), RunKind::ALL.map(RunKind::name));
    assert_eq!(checked("check (vendor in ("), Vendor::ALL.map(Vendor::name));
    assert_eq!(checked("check (outcome in ("), ["done", "refused"]);
}

#[test]
fn the_partial_indexes_name_the_states_that_the_domain_names() {
    let named = |predicate: fn(RunState) -> bool| -> Vec<&str> {
        RunState::ALL.into_iter().filter(|state| predicate(*state)).map(RunState::name).collect()
    };
    assert_eq!(
        checked("create index run_waiting on run (state, id)\n    where state in ("),
        named(|state| { !state.is_terminal() })
    );
    assert_eq!(checked("on run (stack_id)\n    where kind = 'tracked' and state in ("), named(RunState::blocks));
}

#[tokio::test]
async fn the_database_takes_every_state_kind_and_vendor_and_reads_it_back() {
    each(async |world| {
        for (number, vendor) in Vendor::ALL.into_iter().enumerate() {
            let stack = world.stack(&format!("vendor-{number}")).await;
            let mut writing = world.write().await;
            let settings = Settings { vendor, ..settings(stack.as_str()) };
            writing.save_settings(&stack, &settings, 2).await.unwrap();
            assert_eq!(writing.stack(&stack).await.unwrap().unwrap().vendor, vendor);
            writing.commit().await.unwrap();
        }
        for (number, (kind, state)) in every_place().into_iter().enumerate() {
            let stack = world.stack(&format!("place-{number}")).await;
            let run = world.to(&world.queued(&stack, kind).await, state).await;
            assert_eq!((run.kind, run.state), (kind, state));
            assert_eq!(world.reread(&run).await, run);
        }
    })
    .await;
}

/// Every state that a run of each kind can come to.
fn every_place() -> Vec<(RunKind, RunState)> {
    let all = RunKind::ALL.into_iter().flat_map(|kind| RunState::ALL.map(|state| (kind, state)));
    all.filter(|(kind, state)| way(RunState::Queued, *state, *kind).is_some()).collect()
}

#[test]
fn a_tracked_run_can_come_to_every_state_and_a_proposed_one_to_all_but_three() {
    let count = |wanted| every_place().into_iter().filter(|(kind, _)| *kind == wanted).count();
    assert_eq!((count(RunKind::Tracked), count(RunKind::Proposed)), (13, 10));
}

#[tokio::test]
async fn every_question_about_states_is_answered_as_the_domain_would() {
    each(async |world| {
        for (number, (kind, state)) in every_place().into_iter().enumerate() {
            let stack = world.stack(&format!("stack-{number}")).await;
            let run = world.to(&world.queued(&stack, kind).await, state).await;
            let proposed = world.to(&world.queued(&stack, RunKind::Proposed).await, RunState::Finished).await;
            let waiting = world.queued(&stack, RunKind::Tracked).await;
            let what = format!("{} {state}", kind.name());
            let blocks = kind == RunKind::Tracked && state.blocks();
            let mut reading = world.read().await;

            assert_eq!(reading.blocker(&stack).await.unwrap().is_some(), blocks, "{what}");
            let waits_first = kind == RunKind::Tracked && state == RunState::Queued;
            let startable = reading.startable().await.unwrap();
            assert_eq!(startable.iter().any(|other| other.id == waiting.id), !blocks && !waits_first, "{what}");
            assert_eq!(startable.iter().any(|other| other.id == run.id), state == RunState::Queued, "{what}");

            let open = 1 + i64::from(!state.is_terminal());
            assert_eq!(reading.open_runs(&stack).await.unwrap(), open, "{what}");
            let open_ids = reading.open_run_ids().await.unwrap();
            assert_eq!(open_ids.contains(&run.id), !state.is_terminal(), "{what}");
            let open_proposed = reading.open_proposed(&stack, "topic").await.unwrap();
            let is_open_proposed = kind == RunKind::Proposed && !state.is_terminal();
            assert_eq!(open_proposed.iter().any(|other| other.id == run.id), is_open_proposed, "{what}");
            assert!(open_proposed.iter().all(|other| other.id != proposed.id), "{what}");

            let abandoned = reading.abandoned(Timestamp(i64::MAX)).await.unwrap();
            assert_eq!(abandoned.iter().any(|other| other.id == run.id), state.is_working(), "{what}");
            assert_eq!(run.ended_at.is_some(), state.is_terminal(), "{what}");
            drop(reading);

            // Whatever was there goes, so that the next round sees its own runs alone.
            let mut writing = world.write().await;
            let next = writing.next_for_worker().await.unwrap();
            let may_be_claimed = matches!(state, RunState::Ready | RunState::Confirmed);
            assert_eq!(next.is_some_and(|next| next.id == run.id), may_be_claimed, "{what}");
            writing.delete_stack(&stack).await.unwrap();
            writing.commit().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_promotion_counts_until_it_ended_before_its_apply() {
    each(async |world| {
        for (number, state) in RunState::ALL.into_iter().enumerate() {
            let stack = world.stack(&format!("stack-{number}")).await;
            let proposed = world.to(&world.queued(&stack, RunKind::Proposed).await, RunState::Finished).await;
            let tracked = world.to(&world.promoted(&proposed).await.unwrap(), state).await;
            let live = !tracked.ended_before_apply();
            let found = world.read().await.promoted_as(&proposed.id).await.unwrap();
            assert_eq!(found, live.then(|| tracked.id.clone()), "{state}");
            match world.promoted(&proposed).await {
                Ok(_) => assert!(!live, "{state}"),
                Err(error) => assert!(live && error.is_duplicate(), "{state}: {error}"),
            }
        }
    })
    .await;
}

#[tokio::test]
async fn migrations_run_twice_without_harm() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("headway.db");
    let mut addresses = vec![None];
    addresses.extend(postgres::fresh_database().await.map(Some));
    for address in addresses {
        let mut kept = None;
        for _ in 0..2 {
            let store = match &address {
                None => Store::open_sqlite(&file).await.unwrap(),
                Some(address) => Store::open_postgres(address).await.unwrap(),
            };
            let world = World { store: store.clone(), ids: Ids::counted() };
            if kept.is_none() {
                let stack = world.stack("network").await;
                world.queued(&stack, RunKind::Tracked).await;
            }
            let mut reading = world.read().await;
            let stacks = reading.stacks().await.unwrap();
            let runs = reading.open_run_ids().await.unwrap();
            drop(reading);
            assert_eq!((stacks.len(), runs.len()), (1, 1));
            let found = (stacks, runs);
            assert_eq!(kept.get_or_insert_with(|| found.clone()), &found);
            store.close().await;
        }
    }
}

#[test]
fn versions_of_sqlite_compare_as_numbers() {
    assert!(parse_version("3.51.3") >= (3, 51, 3));
    assert!(parse_version("3.9.0") < (3, 51, 3));
    assert!(parse_version("3.51.2") < (3, 51, 3));
    assert!(parse_version("10.0") > (3, 51, 3));
}

#[tokio::test]
async fn nobody_but_headways_own_user_reads_the_database_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("headway.db");
    let modes = || {
        let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().metadata().unwrap());
        files.map(|about| about.permissions().mode() & 0o777).collect::<Vec<_>>()
    };
    let store = Store::open_sqlite(&file).await.unwrap();
    assert_eq!(modes(), [0o600; 3], "the file, its log and what they share");
    drop(store);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let _store = Store::open_sqlite(&file).await.unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn the_runs_of_forks_get_their_new_name_and_branches_called_like_the_old_one_keep_theirs() {
    use crate::domain::pull_request::fork_branch;
    let migration = include_str!("../../../migrations/0007_repositories.sql");
    let statement = migration.split_once("update run").map(|(_, rest)| rest.split(';').next().unwrap()).unwrap();
    each(async |world| {
        let stack = world.stack("network").await;
        let mut writing = world.write().await;
        writing.allow_fork(&stack, &hash('f'), "ada", NOW).await.unwrap();
        writing.commit().await.unwrap();
        let add = async |branch: &str, digit: char| {
            let run = world.new_run(&stack, RunKind::Proposed);
            world.add(&NewRun { branch: branch.into(), commit: commit(digit), ..run }).await.unwrap()
        };
        let runs = [
            (add("pull/17/head", 'f').await, fork_branch(17)),
            (add("pull/17/head", 'a').await, "pull/17/head".into()),
            (add("topic", 'f').await, "topic".into()),
        ];
        let mut writing = world.write().await;
        let statement = sqlx::AssertSqlSafe(format!("update run{statement}"));
        on!(writing, connection => sqlx::query(statement).execute(connection).await.map(|_| ())).unwrap();
        writing.commit().await.unwrap();
        for (run, branch) in runs {
            assert_eq!(world.reread(&run).await.branch, branch);
        }
    })
    .await;
}
