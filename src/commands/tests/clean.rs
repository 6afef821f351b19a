//! Cleaning against a model: whatever lives runs have had, exactly what nobody needs any more goes.

use super::*;
use crate::commands::clean::{Cleaned, clean};
use crate::domain::plan::Plan;
use crate::domain::run::Previous;
use crate::store::{Cleanable, NewRun, NewStack, Repository, StateVersion};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const DAY: i64 = 86_400_000;

/// One run: which stack and kind, which branch, how far it came, how many days before the last it began, and which
/// proposed run it was promoted from.
#[derive(Clone, Debug)]
struct Life {
    stack: usize,
    tracked: bool,
    branch: usize,
    end: usize,
    days: i64,
    promoted_from: Option<usize>,
    becomes_current: bool,
}

fn life() -> impl Strategy<Value = Life> {
    let promoted = prop::option::weighted(0.5, 0..20_usize);
    (0..2_usize, any::<bool>(), 0..3_usize, 0..6_usize, 0..200_i64, promoted, any::<bool>()).prop_map(
        |(stack, tracked, branch, end, days, promoted_from, becomes_current)| Life {
            stack,
            tracked,
            branch,
            end,
            days,
            promoted_from,
            becomes_current,
        },
    )
}

/// A run as it was made.
#[derive(Clone, Debug)]
struct Made {
    run: Run,
    stack: usize,
    applied_at: Option<Timestamp>,
}

const STACKS: [&str; 2] = ["one", "two"];
/// The last one is gone from the repository.
const BRANCHES: [&str; 3] = ["main", "kept", "deleted"];

struct Lives {
    context: Context,
    made: Vec<Made>,
    current: BTreeMap<usize, RunId>,
}

impl Lives {
    async fn on(folder: &std::path::Path, store: Store) -> Self {
        let context = context(folder, store);
        let mut writing = context.store.write().await.unwrap();
        let commit = CommitHash::new("a".repeat(40));
        let repository = Repository {
            id: RepositoryId::new("R"),
            address: "/nowhere".into(),
            credential: None,
            heads: BRANCHES[..2].iter().map(|branch| ((*branch).to_owned(), commit.clone())).collect(),
            fetched_at: None,
            next_fetch_at: context.now(),
            failures: 0,
            problem: None,
            added_at: context.now(),
        };
        let repository = writing.add_repository(&repository).await.unwrap().id;
        for name in STACKS {
            let settings = Settings { name: name.into(), ..settings() };
            let created_at = context.now();
            let new = NewStack {
                id: StackId::new(name),
                repository: repository.clone(),
                settings,
                manage_state: true,
                created_at,
            };
            writing.add_stack(&new).await.unwrap();
        }
        writing.commit().await.unwrap();
        Self { context, made: Vec::new(), current: BTreeMap::new() }
    }

    async fn live(&mut self, life: &Life) {
        self.context.clock.advance(life.days * DAY / 4);
        let now = self.context.now();
        let stack = StackId::new(STACKS[life.stack]);
        let proposed: Vec<&Made> = self
            .made
            .iter()
            .filter(|made| {
                let kind = made.run.kind == RunKind::Proposed && made.stack == life.stack;
                kind && !self.made.iter().any(|other| other.run.promoted_from.as_ref() == Some(&made.run.id))
            })
            .collect();
        let promoted_from = life.promoted_from.filter(|_| life.tracked && !proposed.is_empty());
        let promoted_from = promoted_from.map(|number| proposed[number % proposed.len()].run.id.clone());
        let blocked = self.made.iter().any(|made| {
            made.stack == life.stack && made.run.kind == RunKind::Tracked && made.run.state == RunState::Unconfirmed
        });
        let mut writing = self.context.store.write().await.unwrap();
        let mut run = writing
            .add_run(&NewRun {
                id: self.context.ids.run(now),
                stack: stack.clone(),
                kind: if life.tracked { RunKind::Tracked } else { RunKind::Proposed },
                branch: BRANCHES[life.branch].into(),
                commit: Commit {
                    hash: CommitHash::new("b".repeat(40)),
                    subject: "Change".into(),
                    author: "Ada".into(),
                    committed_at: now,
                },
                triggered_by: "ada".into(),
                promoted_from,
                retry_of: None,
                previous: Previous::default(),
                created_at: now,
            })
            .await
            .unwrap();
        writing.append_log(&run, 0, 0, &["printed".into()]).await.unwrap();
        writing.append_log(&run, 0, 1, &["printed too".into()]).await.unwrap();
        writing.save_plan(&run, &Plan::default()).await.unwrap();
        use RunState::{Applying, Discarded, Finished, Initializing, Planning, Preparing, Ready, Unconfirmed};
        let planned = [Ready, Preparing, Initializing, Planning];
        let way: Vec<RunState> = match (life.tracked, life.end) {
            _ if blocked && life.tracked => vec![],
            (_, 0) => vec![],
            (_, 1) => vec![Discarded],
            (false, _) => [&planned[..], &[Finished]].concat(),
            (true, 2) => [&planned[..], &[Unconfirmed]].concat(),
            (true, 3) => [&planned[..], &[Unconfirmed, Discarded]].concat(),
            (true, _) => [&planned[..], &[Applying, Finished]].concat(),
        };
        let mut applied_at = None;
        for state in way {
            run = writing.step(&run, state, "worker", None, now).await.unwrap();
            applied_at = applied_at.or((state == Applying).then_some(now));
        }
        if life.tracked && life.becomes_current {
            writing.set_current(&stack, Some(&run.commit.hash), Some(&run.id)).await.unwrap();
            self.current.insert(life.stack, run.id.clone());
        }
        writing.commit().await.unwrap();
        self.made.push(Made { run, stack: life.stack, applied_at });
    }

    /// The runs that somebody needs, by the words of the settings.
    fn needed(&self) -> BTreeSet<RunId> {
        let mut needed: BTreeSet<RunId> = self.current.values().cloned().collect();
        needed.extend(self.made.iter().filter(|made| made.run.ended_at.is_none()).map(|made| made.run.id.clone()));
        for stack in 0..STACKS.len() {
            let applied = self.made.iter().filter(|made| made.stack == stack && made.applied_at.is_some());
            needed.extend(applied.max_by_key(|made| (made.applied_at, &made.run.id)).map(|made| made.run.id.clone()));
        }
        let from: Vec<RunId> = self
            .made
            .iter()
            .filter(|made| needed.contains(&made.run.id))
            .filter_map(|made| made.run.promoted_from.clone())
            .collect();
        needed.extend(from);
        for stack in 0..STACKS.len() {
            for branch in &BRANCHES[..2] {
                let proposed = self.made.iter().filter(|made| {
                    made.stack == stack && made.run.kind == RunKind::Proposed && made.run.branch == *branch
                });
                needed.extend(proposed.map(|made| made.run.id.clone()).max());
            }
        }
        needed
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]
    #[test]
    fn exactly_what_is_old_and_needed_by_nobody_goes(lives in prop::collection::vec(life(), 1..20)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            for (_, store) in databases(folder.path()).await {
                lived(folder.path(), store, &lives).await;
            }
        });
    }
}

async fn lived(folder: &std::path::Path, store: Store, lives: &[Life]) {
    let mut world = Lives::on(folder, store).await;
    for life in lives {
        world.live(life).await;
    }
    let cleaned = clean(&world.context).await.unwrap();
    let needed = world.needed();
    let now = world.context.now();
    let mut reading = world.context.store.read().await.unwrap();
    let mut expected = Cleaned::default();
    for Made { run, .. } in &world.made {
        for (what, days) in [(Cleanable::Log, 180), (Cleanable::Plan, 365)] {
            let goes = run.ended_at.is_some_and(|ended| ended < now.plus(-days * DAY)) && !needed.contains(&run.id);
            let is_there = match what {
                Cleanable::Log => reading.log_bytes(&run.id).await.unwrap() > 0,
                Cleanable::Plan => reading.plan(&run.id).await.unwrap().is_some(),
            };
            assert_eq!(is_there, !goes, "{what:?} of {run:?}");
            assert_eq!(reading.cleaned(&run.id, what).await.unwrap(), goes.then_some(now));
            match what {
                Cleanable::Log => expected.logs += u64::from(goes),
                Cleanable::Plan => expected.plans += u64::from(goes),
            }
        }
    }
    assert_eq!(cleaned, expected);
    drop(reading);
    assert_eq!(clean(&world.context).await.unwrap(), Cleaned::default(), "once is enough");
}

#[tokio::test]
async fn old_versions_of_a_state_go_and_the_newest_stay() {
    let folder = tempfile::tempdir().unwrap();
    for (_, store) in databases(folder.path()).await {
        old_versions_go(Lives::on(folder.path(), store).await).await;
    }
}

async fn old_versions_go(mut world: Lives) {
    let open =
        Life { stack: 0, tracked: true, branch: 0, end: 0, days: 0, promoted_from: None, becomes_current: false };
    world.live(&open).await;
    let ended = RunId::new("gone");
    let mut writing = world.context.store.write().await.unwrap();
    for version in 1..=130 {
        let state = StateVersion {
            version,
            serial: version,
            lineage: "l".into(),
            md5: String::new(),
            document: "sealed".into(),
            // The run that has not ended wrote the seventh.
            run_id: if version == 7 { world.made[0].run.id.clone() } else { ended.clone() },
            created_at: world.context.now(),
        };
        writing.add_state(&StackId::new("one"), &state).await.unwrap();
    }
    writing.commit().await.unwrap();
    assert_eq!(clean(&world.context).await.unwrap(), Cleaned { states: 29, ..Cleaned::default() });
    assert_eq!(
        world.context.store.read().await.unwrap().state(&StackId::new("one")).await.unwrap().unwrap().version,
        130
    );
    assert_eq!(clean(&world.context).await.unwrap(), Cleaned::default());
}

#[tokio::test]
async fn the_pin_of_a_commit_goes_when_no_run_needs_it_and_comes_back_when_one_does() {
    let world = World::new().await;
    world.fetch().await;
    let first = world.push("topic", Some("main")).await;
    world.to(&world.proposed("topic").await.id, RunState::Finished).await;
    // Rewritten: no branch has the first one any more.
    let second = world.push("topic", Some("main")).await;
    world.to(&world.proposed("topic").await.id, RunState::Finished).await;
    let mirror = world.context.config.mirrors().join(world.repository.as_str());
    let pinned = || {
        let output = std::process::Command::new("git")
            .args(["for-each-ref", "--format=%(refname)", "refs/headway/"])
            .env("GIT_DIR", &mirror)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(pinned().contains(first.as_str()) && pinned().contains(second.as_str()));
    assert_eq!(clean(&world.context).await.unwrap(), Cleaned::default());

    world.context.clock.advance(366 * DAY);
    let third = world.push("topic", Some("main")).await;
    std::fs::remove_file(mirror.join("refs/headway/pinned").join(third.as_str())).unwrap();
    let pins = clean(&world.context).await.unwrap().pins;
    assert_eq!(pins, 2, "{}", pinned());
    assert!(!pinned().contains(first.as_str()) && !pinned().contains(second.as_str()));
    assert!(pinned().contains(third.as_str()), "a run that has not ended needs it");
}
