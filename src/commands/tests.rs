//! The commands over a real Git repository and a real SQLite file, without Terraform: what a worker would do is done
//! through the store, step by step.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod activity;
mod clean;
mod deliveries;
mod environment;
mod fetches;
mod forks;
mod history;
mod kept;
mod keys;
mod locks;
mod moves;
mod promote;
mod pushes;
mod put_back;
mod queue;
mod random;
mod settings;
mod sign_in;
mod stacks;
mod verbs;

use super::add_repository::add_repository;
use super::connect_github::Connecting;
use super::create_stack::create_stack;
use super::fetch::fetch;
use super::promote::{Promotion, promote};
use super::*;
use crate::domain::permission::{CreateStack, Promote, Role, Viewer, permit};
use crate::domain::run_state::{RunKind, RunState};
use crate::domain::stack::{Behavior, Integration};
use crate::domain::vendor::Vendor;
use crate::store::{Filter, GithubRepository, Settings, databases};
use clap::Parser;
use history::Origin;
use std::time::Duration;
use tempfile::TempDir;

/// A Headway with one stack, `network`, that follows `main` and lives in the folder `network` of its repository.
pub struct World {
    folder: TempDir,
    origin: Origin,
    /// What its commands work with.
    pub context: Context,
    repository: RepositoryId,
    /// That stack.
    pub stack: StackId,
}

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    config: Config,
}

/// A context whose data is in this folder.
fn context(folder: &std::path::Path, store: Store) -> Context {
    let config = Line::parse_from(["headway".as_ref(), "--data".as_ref(), folder.as_os_str()]).config;
    let outgoing = Outgoing::new(&[]);
    Context {
        config: Arc::new(config),
        store,
        vault: Vault::open(&folder.join("key")).unwrap(),
        clock: Clock::set(1_800_000_000_000),
        ids: Ids::counted(),
        work: Arc::default(),
        poll: Arc::default(),
        fetching: Fetching::default(),
        github: GitHub::new(Clock::set(1_800_000_000_000), outgoing.clone()).unwrap(),
        commenting: Commenting::default(),
        connecting: Connecting::default(),
        openid: OpenId::new(outgoing.clone()).unwrap(),
        outgoing,
        departures: Departures::default(),
        delivered: Arc::default(),
        throttle: Throttle::default(),
        passwords: Passwords::default(),
        revealed: Revealed::default(),
        repeats: Repeats::default(),
    }
}

fn behavior() -> Behavior {
    Behavior { allow_run_promotion: true, ..Behavior::default() }
}

fn settings() -> Settings {
    Settings {
        name: "Network".into(),
        description: String::new(),
        labels: Vec::new(),
        tracked_branch: "main".into(),
        project_root: "network".into(),
        additional_globs: vec!["shared/**".into()],
        vendor: Vendor::Terraform,
        engine_binary: String::new(),
        behavior: behavior(),
        integration: Integration::default(),
        disabled: false,
    }
}

/// A person who may do everything that a writer may.
fn writer(name: &str) -> Viewer {
    Viewer::everywhere(name, Role::Writer)
}

/// The right to make stacks.
fn everywhere() -> Permit<CreateStack> {
    permit(&Viewer::system(), &StackId::new("")).unwrap()
}

/// Carries a deed out while this transaction keeps it from writing. The transaction is committed when the deed has kept
/// the commit, and so has read whatever it reads before it writes.
async fn behind<T>(world: &World, writing: Writing, commit: &CommitHash, deed: impl Future<Output = T>) -> T {
    let mirror = world.context.config.mirrors().join(world.repository.as_str());
    let pin = mirror.join("refs/headway/pinned").join(commit.as_str());
    let committed = async {
        while !pin.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        writing.commit().await.unwrap();
    };
    let both = async { tokio::join!(deed, committed).0 };
    tokio::time::timeout(Duration::from_secs(60), both).await.unwrap()
}

/// Runs a test on every database there is, each time in a world of its own.
async fn each(test: impl AsyncFn(World)) {
    let databases_folder = tempfile::tempdir().unwrap();
    for (kind, store) in databases(databases_folder.path()).await {
        println!("on {kind}");
        test(World::on(tempfile::tempdir().unwrap(), store).await).await;
    }
}

impl World {
    /// One over a SQLite file.
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(&folder.path().join("headway.db")).await.unwrap();
        Self::on(folder, store).await
    }

    async fn on(folder: TempDir, store: Store) -> Self {
        let origin = Origin::new(&folder.path().join("origin.git"));
        origin.commit("main", None, "network/main.tf");
        let context = context(folder.path(), store);
        let administrator = Viewer::system();
        let repository = add_repository(&context, &everywhere(), &origin.address()).await.unwrap();
        let stack = StackId::new("network");
        let permission = permit::<CreateStack>(&administrator, &stack).unwrap();
        create_stack(&context, &permission, &repository, settings(), true).await.unwrap();
        Self { folder, origin, context, repository, stack }
    }

    /// What this person needs to do `A`, as an administrator.
    pub fn may<A: Action>(&self, name: &str) -> Permit<A> {
        self.may_as(name, Role::Administrator)
    }

    /// What this person needs to do `A`, with this role.
    fn may_as<A: Action>(&self, name: &str, role: Role) -> Permit<A> {
        permit(&Viewer::everywhere(name, role), &self.stack).unwrap()
    }

    async fn fetch(&self) {
        fetch(&self.context, &self.repository).await.unwrap();
    }

    /// Makes the repository the one that GitHub has under the number 1. It is fetched from where it was, and no
    /// installation reaches it.
    async fn on_github(&self) {
        let on_github = GithubRepository {
            id: 1,
            installation_id: None,
            full_name: "acme/network".into(),
            clone_address: "https://github.com/acme/network.git".into(),
            default_branch: "main".into(),
            private: true,
            repository_id: None,
            linked_at: None,
            pulls_read_at: None,
        };
        let mut writing = self.context.store.write().await.unwrap();
        writing.save_github_repository(&on_github).await.unwrap();
        writing.link_repository(1, &self.repository, self.context.now()).await.unwrap();
        writing.commit().await.unwrap();
    }

    /// Pushes a commit that changes a file of the stack, and lets Headway see it.
    async fn push(&self, branch: &str, from: Option<&str>) -> CommitHash {
        let hash = self.origin.commit(branch, from, "network/main.tf");
        self.fetch().await;
        hash
    }

    async fn read(&self) -> Reading {
        self.context.store.read().await.unwrap()
    }

    /// The stack, as it is now.
    pub async fn stack(&self) -> Stack {
        find_stack(&mut self.read().await, &self.stack).await.unwrap()
    }

    /// A run of the stack, as it is now.
    pub async fn run(&self, id: &RunId) -> Run {
        find_run(&mut self.read().await, &self.stack, id).await.unwrap()
    }

    /// Every run of a kind, newest first.
    async fn runs(&self, kind: RunKind) -> Vec<Run> {
        self.read().await.runs_of_stack(&self.stack, kind, None, 1000).await.unwrap()
    }

    /// The newest proposed run of a branch.
    async fn proposed(&self, branch: &str) -> Run {
        self.read().await.newest_proposed_of(&self.stack, branch).await.unwrap().unwrap()
    }

    /// Pushes a branch that goes on from another one, and has its proposed run finish.
    pub async fn finished(&self, branch: &str, from: &str) -> Run {
        self.push(branch, Some(from)).await;
        self.to(&self.proposed(branch).await.id, RunState::Finished).await
    }

    /// A stack whose current commit is its first one, deployed.
    pub async fn deployed(&self) -> CommitHash {
        let run = trigger::trigger(&self.context, &self.may("ada")).await.unwrap();
        self.to(&run, RunState::Applying).await;
        self.to(&run, RunState::Finished).await.commit.hash
    }

    /// Takes the run to a state as the workers would, by way of its plan.
    pub async fn to(&self, id: &RunId, state: RunState) -> Run {
        let mut run = self.run(id).await;
        while run.state != state {
            let next = if run.state.may_become(state, run.kind) {
                state
            } else if run.state == RunState::Planning {
                RunState::Unconfirmed
            } else {
                run.state.next(run.kind)[0]
            };
            let mut writing = self.context.store.write().await.unwrap();
            run = advance(&mut writing, &run, next, "worker", None, self.context.now()).await.unwrap();
            writing.commit().await.unwrap();
        }
        run
    }

    async fn promote(&self, run: &Run, name: &str) -> Result<Promotion, Problem> {
        let permission = permit::<Promote>(&writer(name), &self.stack).unwrap();
        promote(&self.context, &permission, &run.id).await
    }

    /// Promotes the run and returns the tracked run.
    pub async fn promoted(&self, run: &Run) -> Run {
        let promotion = self.promote(run, "ada").await.unwrap();
        self.run(promotion.run()).await
    }

    /// The activity of the stack, newest first: outcome, actor, action, detail.
    async fn activity(&self) -> Vec<Entry> {
        let filter = Filter { stack: Some(self.stack.clone()), ..Filter::default() };
        let links = self.read().await.activity(&filter, 1000).await.unwrap();
        links.into_iter().map(|link| link.entry).collect()
    }

    /// Everything that a refusal must leave as it was.
    async fn picture(&self) -> (Stack, Vec<Run>, Vec<Run>) {
        (self.stack().await, self.runs(RunKind::Tracked).await, self.runs(RunKind::Proposed).await)
    }
}

/// The refusal of something that a rule forbids.
fn refusal<T: std::fmt::Debug>(result: Result<T, Problem>) -> Refusal {
    match result {
        Err(Problem::Refused(refusal)) => *refusal,
        other => panic!("this was not refused: {other:?}"),
    }
}

/// The fields that could not be taken.
fn fields<T: std::fmt::Debug>(result: Result<T, Problem>) -> Vec<String> {
    match result {
        Err(Problem::Invalid(fields)) => fields.into_iter().map(|field| field.field).collect(),
        other => panic!("this was taken: {other:?}"),
    }
}
