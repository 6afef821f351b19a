//! The store on every database: the same tests on a SQLite file and, where its programs are installed, on a PostgreSQL
//! server of their own.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod activity;
mod concurrency;
mod github;
mod leases;
mod logs;
mod news;
mod postgres;
mod queue;
mod repositories;
mod rules;
mod runs;
mod scans;
mod schema;
mod stacks;
mod states;

pub use postgres::fresh_database;

use super::*;
use crate::clock::Ids;
use crate::domain::run::{Previous, Run};
use crate::domain::run_state::{RunKind, RunState};
use crate::domain::stack::{Behavior, Integration};
use crate::domain::vendor::Vendor;
use crate::domain::{Commit, CommitHash, RepositoryId, Timestamp};
use std::collections::BTreeMap;

/// The moment at which everything happens unless a test says otherwise.
const NOW: Timestamp = Timestamp(1_800_000_000_000);

/// A database with what tests put into it.
#[derive(Clone)]
struct World {
    store: Store,
    ids: Ids,
}

/// A fresh database of every kind there is, with the kind's name; the file of SQLite's is in the folder.
pub async fn databases(folder: &Path) -> Vec<(&'static str, Store)> {
    let mut stores = vec![("SQLite", Store::open_sqlite(&folder.join("headway.db")).await.unwrap())];
    if let Some(address) = postgres::fresh_database().await {
        stores.push(("PostgreSQL", Store::open_postgres(&address).await.unwrap()));
    }
    stores
}

/// Runs a test on every database there is, each time on a fresh one.
async fn each(test: impl AsyncFn(World)) {
    let folder = tempfile::tempdir().unwrap();
    for (kind, store) in databases(folder.path()).await {
        println!("on {kind}");
        test(World { store: store.clone(), ids: Ids::counted() }).await;
        store.close().await;
    }
}

/// The columns of a SQLite file that hold a text which begins like this, sorted: `table.column`.
pub async fn columns_that_hold(file: &Path, beginning: &str) -> Vec<String> {
    use sqlx::AssertSqlSafe;
    let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(file)).await.unwrap();
    let columns: Vec<(String, String)> = sqlx::query_as(
        "select master.name, info.name from sqlite_master master join pragma_table_info(master.name) info
         where master.type = 'table' order by 1, 2",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let mut found = Vec::new();
    for (table, column) in columns {
        let statement = format!("select count(*) from {table} where cast({column} as text) like $1 || '%'");
        let (count,): (i64,) = sqlx::query_as(AssertSqlSafe(statement)).bind(beginning).fetch_one(&pool).await.unwrap();
        if count > 0 {
            found.push(format!("{table}.{column}"));
        }
    }
    found.sort();
    found
}

fn hash(letter: char) -> CommitHash {
    CommitHash::new(letter.to_string().repeat(40))
}

fn commit(letter: char) -> Commit {
    Commit { hash: hash(letter), subject: format!("Change {letter}"), author: "Ada".into(), committed_at: Timestamp(5) }
}

fn heads<const COUNT: usize>(heads: [(&str, char); COUNT]) -> BTreeMap<String, CommitHash> {
    heads.into_iter().map(|(branch, letter)| (branch.to_owned(), hash(letter))).collect()
}

fn settings(name: &str) -> Settings {
    Settings {
        name: name.into(),
        description: "What it is for".into(),
        labels: vec!["eu".into(), "prod".into()],
        tracked_branch: "main".into(),
        project_root: "stacks/network".into(),
        additional_globs: vec!["modules/**".into()],
        vendor: Vendor::OpenTofu,
        engine_binary: "/opt/tofu".into(),
        behavior: Behavior { autodeploy: true, allow_run_promotion: true, ..Behavior::default() },
        integration: Integration::default(),
        disabled: false,
    }
}

fn repository(id: &str, address: &str) -> Repository {
    Repository {
        id: RepositoryId::new(id),
        address: address.into(),
        credential: None,
        heads: heads([("main", 'a')]),
        fetched_at: None,
        next_fetch_at: NOW,
        failures: 0,
        problem: None,
        added_at: NOW,
    }
}

impl World {
    async fn read(&self) -> Reading {
        self.store.read().await.unwrap()
    }

    async fn write(&self) -> Writing {
        self.store.write().await.unwrap()
    }

    /// Adds a stack of this name in a repository that all stacks share.
    async fn stack(&self, name: &str) -> StackId {
        let id = StackId::new(name);
        let mut writing = self.write().await;
        let repository = writing.add_repository(&repository("R", "/srv/one.git")).await.unwrap().id;
        let new =
            NewStack { id: id.clone(), repository, settings: settings(name), manage_state: true, created_at: NOW };
        writing.add_stack(&new).await.unwrap();
        writing.commit().await.unwrap();
        id
    }

    /// What a new run of the stack starts with.
    fn new_run(&self, stack: &StackId, kind: RunKind) -> NewRun {
        NewRun {
            id: self.ids.run(NOW),
            stack: stack.clone(),
            kind,
            branch: if kind == RunKind::Tracked { "main" } else { "topic" }.into(),
            commit: commit('b'),
            triggered_by: "ada".into(),
            promoted_from: None,
            retry_of: None,
            previous: Previous::default(),
            created_at: NOW,
        }
    }

    async fn add(&self, new: &NewRun) -> Result<Run> {
        let mut writing = self.write().await;
        let run = writing.add_run(new).await?;
        writing.commit().await?;
        Ok(run)
    }

    async fn queued(&self, stack: &StackId, kind: RunKind) -> Run {
        self.add(&self.new_run(stack, kind)).await.unwrap()
    }

    async fn promoted(&self, proposed: &Run) -> Result<Run> {
        let promoted_from = Some(proposed.id.clone());
        self.add(&NewRun { promoted_from, ..self.new_run(&proposed.stack, RunKind::Tracked) }).await
    }

    async fn step(&self, run: &Run, to: RunState) -> Result<Run> {
        let mut writing = self.write().await;
        let run = writing.step(run, to, "Headway", None, NOW).await?;
        writing.commit().await?;
        Ok(run)
    }

    /// Takes the run along allowed steps to a state.
    async fn to(&self, run: &Run, state: RunState) -> Run {
        let mut run = run.clone();
        for step in way(run.state, state, run.kind).unwrap() {
            run = self.step(&run, step).await.unwrap();
        }
        run
    }

    async fn claim(&self, run: &Run, owner: &str) -> Result<Run> {
        let lease = Lease { owner: owner.into(), until: NOW.plus(30_000), state_token: format!("token of {owner}") };
        let mut writing = self.write().await;
        let run = writing.claim(run, &lease, NOW).await?;
        writing.commit().await?;
        Ok(run)
    }

    async fn reread(&self, run: &Run) -> Run {
        self.read().await.run(&run.stack, &run.id).await.unwrap().unwrap()
    }
}

/// The shortest allowed way from one state to another.
fn way(from: RunState, to: RunState, kind: RunKind) -> Option<Vec<RunState>> {
    let mut ways = vec![(from, Vec::new())];
    let mut seen = vec![from];
    while !ways.is_empty() {
        if let Some((_, way)) = ways.iter().find(|(state, _)| *state == to) {
            return Some(way.clone());
        }
        let mut longer = Vec::new();
        for (state, way) in ways {
            for next in state.next(kind).iter().filter(|next| !seen.contains(*next)) {
                longer.push((*next, way.iter().copied().chain([*next]).collect::<Vec<_>>()));
            }
        }
        seen.extend(longer.iter().map(|(state, _)| *state));
        ways = longer;
    }
    None
}

fn ids(runs: &[Run]) -> Vec<&str> {
    runs.iter().map(|run| run.id.as_str()).collect()
}
