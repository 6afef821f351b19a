//! Random lives of a stack: whatever people, pushes, workers and crashes do in whatever order, the rules hold after
//! every step, and everything that was begun can still come to an end.

use super::*;
use crate::commands::judge::look;
use crate::commands::receive_push::receive_push;
use crate::commands::save_settings::{Page, save_settings};
use crate::commands::set_current::set_current;
use crate::runner::Walking;
use crate::runner::recover::recover;
use crate::store::{Lease, NewStack, Repository};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

/// One thing that happens; numbers choose among what there is.
#[derive(Clone, Debug)]
enum Deed {
    Push(usize, usize),
    Delete(usize),
    Propose(usize),
    Promote(usize),
    Trigger,
    Confirm(usize),
    Discard(usize),
    Stop(usize),
    Retry(usize),
    Lock(usize),
    Unlock(usize, bool),
    Configure(bool, bool),
    SetCurrent(usize),
    /// Workers plan a proposed run to its end.
    Plan(usize),
    /// Queued runs that may start become ready.
    Ready,
    /// A worker takes the next run.
    Claim,
    /// A worker takes a run that it holds one step on.
    Work(usize, usize),
    /// The process ends and starts again.
    Crash,
}

fn deed() -> impl Strategy<Value = Deed> {
    let number = 0..1000_usize;
    prop_oneof![
        16 => (number.clone(), number.clone()).prop_map(|(branch, commit)| Deed::Push(branch, commit)),
        1 => number.clone().prop_map(Deed::Delete),
        1 => number.clone().prop_map(Deed::Propose),
        14 => number.clone().prop_map(Deed::Promote),
        1 => Just(Deed::Trigger),
        2 => number.clone().prop_map(Deed::Confirm),
        8 => number.clone().prop_map(Deed::Discard),
        1 => number.clone().prop_map(Deed::Stop),
        1 => number.clone().prop_map(Deed::Retry),
        1 => number.clone().prop_map(Deed::Lock),
        3 => (number.clone(), prop::bool::weighted(0.8)).prop_map(|(person, force)| Deed::Unlock(person, force)),
        1 => (prop::bool::weighted(0.9), prop::bool::weighted(0.1)).prop_map(|(allow, off)| Deed::Configure(allow, off)),
        1 => number.clone().prop_map(Deed::SetCurrent),
        14 => number.clone().prop_map(Deed::Plan),
        5 => Just(Deed::Ready),
        6 => Just(Deed::Claim),
        14 => (number.clone(), number).prop_map(|(run, step)| Deed::Work(run, step)),
        1 => Just(Deed::Crash),
    ]
}

const BRANCHES: [&str; 5] = ["main", "one", "two", "three", "four"];
const PEOPLE: [&str; 2] = ["ada", "grace"];

/// A mirror whose history has a line, two branches that go on from it, one that has diverged, and a merge.
fn history(folder: &std::path::Path) -> (Origin, Vec<CommitHash>) {
    let origin = Origin::new(&folder.join("origin.git"));
    let mut commits = vec![origin.commit("keep-a", None, "network/main.tf")];
    for (branch, from, file) in [
        ("keep-a", None, "network/main.tf"),
        ("keep-a", None, "README.md"),
        ("keep-a", None, "network/main.tf"),
        ("keep-a", None, "network/main.tf"),
        ("keep-a", None, "network/main.tf"),
        ("keep-a", None, "network/main.tf"),
        ("keep-b", Some("keep-a~1"), "network/b.tf"),
        ("keep-b", None, "README.md"),
        ("keep-c", Some("keep-a~3"), "network/c.tf"),
    ] {
        commits.push(origin.commit(branch, from, file));
    }
    commits.push(origin.merge("keep-b", "keep-c"));
    (origin, commits)
}

/// A stack in the middle of its life, and what product.md says that it must look like.
struct Life<'a> {
    world: &'a World,
    commits: &'a [CommitHash],
    heads: BTreeMap<String, CommitHash>,
    /// Whatever moved the current commit, oldest first: where to, and the run that did it.
    moves: Vec<(CommitHash, Option<RunId>)>,
}

fn pick<T>(items: &[T], number: usize) -> Option<&T> {
    items.get(number.checked_rem(items.len())?)
}

impl Life<'_> {
    async fn all(&self) -> Vec<Run> {
        let mut runs = self.world.runs(RunKind::Tracked).await;
        runs.extend(self.world.runs(RunKind::Proposed).await);
        runs.sort_by(|one, other| one.id.as_str().cmp(other.id.as_str()));
        runs
    }

    async fn happen(&mut self, deed: &Deed) {
        let (world, context) = (self.world, &self.world.context);
        let before = self.all().await;
        let some = |number: usize| pick(&before, number).map_or_else(|| RunId::new("none"), |run| run.id.clone());
        let person = |number: usize| PEOPLE[number % PEOPLE.len()];
        // Refusals are as good as successes here: the rules must hold after both.
        match *deed {
            Deed::Push(branch, commit) => {
                let branch = BRANCHES[branch % BRANCHES.len()];
                // The tracked branch stays in the older part of the history, so that the others can be ahead of it.
                let reach = if branch == "main" { 3 } else { self.commits.len() };
                let hash = self.commits[commit % reach].clone();
                self.heads.insert(branch.into(), hash);
                self.tell().await;
            }
            Deed::Delete(branch) => {
                self.heads.remove(BRANCHES[1 + branch % 4]);
                self.tell().await;
            }
            Deed::Propose(branch) => {
                let branch = BRANCHES[branch % BRANCHES.len()];
                let _ = propose::propose(context, &world.may("ada"), branch).await;
            }
            Deed::Promote(run) => {
                let viewer = writer(person(run));
                let stack = world.stack().await;
                let mut promotable = Vec::new();
                for finished in before.iter().filter(|run| run.state == RunState::Finished) {
                    if look(context, &stack, finished, &viewer).await.unwrap().may_promote() {
                        promotable.push(finished);
                    }
                }
                // What may not be promoted is tried as well.
                let id = pick(&promotable, run).filter(|_| run % 8 > 0).map_or_else(|| some(run), |run| run.id.clone());
                let _ = promote(context, &world.may(person(run)), &id).await;
            }
            Deed::Trigger => {
                let _ = trigger::trigger(context, &world.may("ada")).await;
            }
            Deed::Confirm(run) => {
                let waiting: Vec<&Run> = before.iter().filter(|run| run.state == RunState::Unconfirmed).collect();
                let id = pick(&waiting, run).map_or_else(|| some(run), |run| run.id.clone());
                let _ = confirm::confirm(context, &world.may(person(run)), &id).await;
            }
            Deed::Discard(run) => {
                let discardable = |run: &&Run| run.state.may_become(RunState::Discarded, run.kind);
                let waiting: Vec<&Run> = before.iter().filter(discardable).collect();
                let id = pick(&waiting, run).map_or_else(|| some(run), |run| run.id.clone());
                let _ = discard::discard(context, &world.may(person(run)), &id).await;
            }
            Deed::Stop(run) => {
                let _ = stop::stop(context, &world.may("ada"), &some(run)).await;
            }
            Deed::Retry(run) => {
                let _ = retry::retry(context, &world.may("ada"), &some(run)).await;
            }
            Deed::Lock(number) => {
                let _ = lock::lock(context, &world.may(person(number)), "").await;
            }
            Deed::Unlock(number, force) => {
                let role = if force { Role::Administrator } else { Role::Writer };
                let _ = lock::unlock(context, &world.may_as(person(number), role)).await;
            }
            Deed::Configure(allow_run_promotion, disabled) => {
                let stack = world.stack().await;
                let page = Page::Behavior(Behavior { allow_run_promotion, ..behavior() });
                save_settings(context, &world.may("ada"), stack.version, page).await.unwrap();
                self.set_disabled(disabled).await;
            }
            Deed::SetCurrent(commit) => {
                let hash = pick(self.commits, commit).unwrap();
                if set_current(context, &world.may("ada"), hash.as_str()).await.is_ok() {
                    self.moves.push((hash.clone(), None));
                }
            }
            Deed::Plan(run) => {
                let open = |run: &&Run| run.kind == RunKind::Proposed && !run.state.is_terminal();
                let open: Vec<&Run> = before.iter().filter(open).collect();
                if let Some(run) = pick(&open, run) {
                    world.to(&run.id, RunState::Finished).await;
                }
            }
            Deed::Ready => self.ready().await,
            Deed::Claim => {
                self.claim().await;
            }
            Deed::Work(run, step) => {
                let working: Vec<&Run> = before.iter().filter(|run| is_held(run)).collect();
                if let Some(run) = pick(&working, run) {
                    self.work(run, step).await;
                }
            }
            Deed::Crash => recover(context, &Walking::default(), true).await.unwrap(),
        }
        for run in self.all().await {
            let is_new = before.iter().all(|old| old.id != run.id);
            if is_new && run.kind == RunKind::Tracked {
                self.moves.push((run.commit.hash, Some(run.id)));
            }
        }
    }

    /// Tells the stack what its branches are now.
    async fn tell(&self) {
        let context = &self.world.context;
        let mut writing = context.store.write().await.unwrap();
        let now = context.now();
        writing.fetched(&self.world.repository, &self.heads, false, now, now).await.unwrap();
        writing.commit().await.unwrap();
        receive_push(context, &self.world.stack, &self.world.repository, &self.heads).await.unwrap();
    }

    async fn set_disabled(&self, disabled: bool) {
        let Stack { name, version, .. } = self.world.stack().await;
        let page = Page::Details { name, description: String::new(), labels: Vec::new(), disabled };
        save_settings(&self.world.context, &self.world.may("ada"), version, page).await.unwrap();
    }

    async fn ready(&self) {
        let startable = self.world.read().await.startable().await.unwrap();
        for run in startable {
            self.step(&run, RunState::Ready).await;
        }
    }

    async fn claim(&self) -> Option<Run> {
        let context = &self.world.context;
        let mut writing = context.store.write().await.unwrap();
        let run = writing.next_for_worker().await.unwrap()?;
        let until = context.now().plus(30_000);
        let lease = Lease { owner: "worker".into(), until, state_token: run.id.to_string() };
        let run = writing.claim(&run, &lease, context.now()).await.unwrap();
        writing.commit().await.unwrap();
        Some(run)
    }

    /// What a worker does next with a run it holds: it obeys a stop, otherwise anything that the table allows.
    async fn work(&self, run: &Run, step: usize) {
        let asked = run.stop_requested_by.is_some() && run.state.may_become(RunState::Stopped, run.kind);
        let to = if asked { RunState::Stopped } else { *pick(run.state.next(run.kind), step).unwrap() };
        self.step(run, to).await;
    }

    async fn step(&self, run: &Run, to: RunState) {
        let context = &self.world.context;
        let mut writing = context.store.write().await.unwrap();
        advance(&mut writing, run, to, "worker", None, context.now()).await.unwrap();
        writing.commit().await.unwrap();
    }

    async fn check(&self) {
        let runs = self.all().await;
        let blockers = runs.iter().filter(|run| run.kind == RunKind::Tracked && run.state.blocks()).count();
        assert!(blockers <= 1, "{blockers} tracked runs keep one stack to themselves");
        for proposed in runs.iter().filter(|run| run.kind == RunKind::Proposed) {
            let live = |run: &&Run| run.promoted_from.as_ref() == Some(&proposed.id) && !run.ended_before_apply();
            let live: Vec<&RunId> = runs.iter().filter(live).map(|run| &run.id).collect();
            assert!(live.len() <= 1, "{} is promoted as {live:?}", proposed.id);
            let found = self.world.read().await.promoted_as(&proposed.id).await.unwrap();
            assert_eq!(found.as_ref(), live.first().copied());
        }
        // The current commit is where the newest move went that was not a promotion taken back.
        let taken_back = |id: &RunId| {
            let run = runs.iter().find(|run| run.id == *id).unwrap();
            run.promoted_from.is_some() && run.ended_before_apply()
        };
        let last = self.moves.iter().rfind(|(_, by)| !by.as_ref().is_some_and(taken_back));
        let stack = self.world.stack().await;
        let expected = last.cloned().unzip();
        assert_eq!((stack.current_commit, stack.current_run), (expected.0, expected.1.flatten()));
        let mut reading = self.world.read().await;
        for run in &runs {
            let steps = reading.transitions(&run.id).await.unwrap();
            let states: Vec<RunState> = steps.iter().map(|step| step.state).collect();
            assert_eq!((states.first(), states.last()), (Some(&RunState::Queued), Some(&run.state)));
            for pair in states.windows(2) {
                assert!(pair[0].may_become(pair[1], run.kind), "{}: {} to {}", run.id, pair[0], pair[1]);
            }
            assert_eq!(run.ended_at.is_some(), run.state.is_terminal());
        }
    }

    /// Lets everything come to its end: workers work, a person rejects what waits.
    async fn come_to_rest(&self) {
        let (world, context) = (self.world, &self.world.context);
        let _ = lock::unlock(context, &world.may("ada")).await;
        self.set_disabled(false).await;
        for _ in 0..400 {
            let runs = self.all().await;
            if runs.iter().all(|run| run.state.is_terminal()) {
                return;
            }
            for run in runs.iter().filter(|run| is_held(run)) {
                self.work(run, 0).await;
            }
            for run in runs.iter().filter(|run| run.state == RunState::Unconfirmed) {
                discard::discard(context, &world.may("ada"), &run.id).await.unwrap();
            }
            self.ready().await;
            while self.claim().await.is_some() {}
        }
        let stuck: Vec<Run> = self.all().await.into_iter().filter(|run| !run.state.is_terminal()).collect();
        panic!("these runs have no way out: {stuck:#?}");
    }
}

/// Whether a worker may have a step to take with it.
fn is_held(run: &Run) -> bool {
    run.state.is_working() || run.state == RunState::Confirmed
}

/// Lives one life on a stack of its own.
async fn live(folder: &std::path::Path, database: &str, commits: &[CommitHash], deeds: &[Deed]) {
    let context = context(folder, Store::open_sqlite(&folder.join(database)).await.unwrap());
    let (repository, stack) = (RepositoryId::new("mirror"), StackId::new("network"));
    let heads: BTreeMap<String, CommitHash> = [("main".to_owned(), commits[0].clone())].into();
    let mut writing = context.store.write().await.unwrap();
    writing
        .add_repository(&Repository {
            id: repository.clone(),
            address: "/srv/origin.git".into(),
            credential: None,
            heads: heads.clone(),
            fetched_at: None,
            next_fetch_at: context.now(),
            failures: 0,
            problem: None,
            added_at: context.now(),
        })
        .await
        .unwrap();
    let new = NewStack {
        id: stack.clone(),
        repository: repository.clone(),
        settings: settings(),
        manage_state: true,
        created_at: context.now(),
    };
    writing.add_stack(&new).await.unwrap();
    writing.set_answered_heads(&stack, &heads).await.unwrap();
    writing.commit().await.unwrap();

    let folder = tempfile::tempdir_in(folder).unwrap();
    let world = World { origin: Origin::new(&folder.path().join("none.git")), folder, context, repository, stack };
    let mut life = Life { world: &world, commits, heads, moves: Vec::new() };
    for deed in deeds {
        life.happen(deed).await;
        life.check().await;
        world.context.clock.advance(1_000);
    }
    life.come_to_rest().await;
    life.check().await;
    world.context.store.close().await;
}

#[test]
fn the_rules_hold_whatever_happens_in_whatever_order() {
    let folder = tempfile::tempdir().unwrap();
    let (origin, commits) = history(folder.path());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mirror = Mirror::at(folder.path().join("mirrors/mirror"), Duration::from_mins(10));
    runtime.block_on(mirror.fetch(&Outgoing::new(&[]), &origin.address(), None)).unwrap();
    let lives = std::cell::Cell::new(0);
    let configuration =
        ProptestConfig { cases: 20, max_shrink_iters: 60, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(configuration);
    let outcome = runner.run(&prop::collection::vec(deed(), 20..70), |deeds| {
        lives.set(lives.get() + 1);
        runtime.block_on(live(folder.path(), &format!("life-{}.db", lives.get()), &commits, &deeds));
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
