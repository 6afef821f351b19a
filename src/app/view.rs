//! What the pages show, as the server hands it to them: plain data, read from one picture of the database, without
//! anything that a page must not know.
//!
//! Every page says when it was read, so that "5 minutes ago" is the same on the server and in the browser.

mod activity;
mod github;
mod people;

pub use activity::{ActivityFilter, ActivityRow, ActivityView};
pub use github::{AppView, DeliveriesView, DeliveryRow, GithubView, InstallationView, IntegrationView};
pub use people::{AccessRow, AccessView, AccountView, PeopleView, PersonRow, PersonView, WaysView};

use crate::domain::log_line::LogLine;
use crate::domain::permission::Role;
use crate::domain::plan::{Delta, Piece, Selection};
use crate::domain::promotion::Verdict;
use crate::domain::pull_request::PullRequest;
use crate::domain::relation::{Missing, Relation};
use crate::domain::run::{Run, Transition};
use crate::domain::run_state::RunState;
use crate::domain::stack::{Behavior, Integration, Lock};
use crate::domain::variable::ShownVariable;
use crate::domain::vendor::Vendor;
use crate::domain::{Commit, CommitHash, RepositoryId, RunId, StackId, Timestamp};
use serde::{Deserialize, Serialize};

/// The list of stacks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StacksView {
    /// When it was read.
    pub now: Timestamp,
    /// Those that fit the search, by name.
    pub stacks: Vec<StackRow>,
    /// How many there are in all.
    pub total: usize,
}

/// One stack in the list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StackRow {
    /// Its slug.
    pub id: StackId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Words to find it by.
    pub labels: Vec<String>,
    /// Its repository, without any credential.
    pub address: String,
    /// Its project root.
    pub project_root: String,
    /// The branch it follows.
    pub tracked_branch: String,
    /// The commit it stands at.
    pub current: Option<Commit>,
    /// The tracked run that keeps it to itself, or else its newest one.
    pub newest: Option<RunRow>,
    /// The run whose plan waits for a person.
    pub unconfirmed: Option<RunId>,
    /// Who keeps it for themselves.
    pub lock: Option<Lock>,
    /// Whether it starts no runs.
    pub disabled: bool,
    /// Why its repository cannot be read.
    pub problem: Option<String>,
}

/// One run in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRow {
    /// Its ULID.
    pub id: RunId,
    /// Where it stands.
    pub state: RunState,
    /// Its branch.
    pub branch: String,
    /// Its commit.
    pub commit: Commit,
    /// Who or what started it.
    pub triggered_by: String,
    /// The proposed run it was promoted from.
    pub promoted_from: Option<RunId>,
    /// Its delta, once it has planned.
    pub delta: Option<Delta>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

impl From<&Run> for RunRow {
    fn from(run: &Run) -> Self {
        Self {
            id: run.id.clone(),
            state: run.state,
            branch: run.branch.clone(),
            commit: run.commit.clone(),
            triggered_by: run.triggered_by.clone(),
            promoted_from: run.promoted_from.clone(),
            delta: run.delta,
            created_at: run.created_at,
            ended_at: run.ended_at,
        }
    }
}

/// What stands above every page of a stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// When it was read.
    pub now: Timestamp,
    /// The viewer's name.
    pub viewer: String,
    /// The viewer's role on this stack.
    pub role: Role,
    /// The stack's slug.
    pub id: StackId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its repository, without any credential.
    pub address: String,
    /// The branch it follows.
    pub tracked_branch: String,
    /// Its project root.
    pub project_root: String,
    /// Whose program plans and applies.
    pub vendor: Vendor,
    /// Whether Headway keeps its state.
    pub manage_state: bool,
    /// Whether plans are applied without asking.
    pub autodeploy: bool,
    /// The commit it stands at.
    pub current: Option<Commit>,
    /// How the head of the tracked branch relates to the current commit; none when there is no such branch.
    pub head: Option<(Commit, Relation)>,
    /// Where the tracked run that keeps it to itself stands, or else its newest one.
    pub state: Option<RunState>,
    /// The tracked run that keeps the stack to itself.
    pub blocker: Option<RunRow>,
    /// Who keeps it for themselves.
    pub lock: Option<Lock>,
    /// Whether it starts no runs.
    pub disabled: bool,
    /// Why its repository cannot be read, and when that is tried again.
    pub problem: Option<(String, Timestamp)>,
    /// When the repository was last fetched.
    pub fetched_at: Option<Timestamp>,
    /// Why its program cannot run.
    pub engine_problem: Option<String>,
    /// Why runs are not confined to a sandbox, or refused for want of one.
    pub sandbox_warning: Option<String>,
}

/// The tracked runs of a stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrackedView {
    /// The stack.
    pub header: Header,
    /// The runs, newest first, those of one commit that follow each other together.
    pub groups: Vec<Vec<RunRow>>,
    /// The run after which older ones begin.
    pub older: Option<RunId>,
}

/// The pull requests and branches of a stack with their newest proposed runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProposedView {
    /// The stack.
    pub header: Header,
    /// The open pull requests, newest first.
    pub pulls: Vec<PullRow>,
    /// The branches without one, the one with the newest run first.
    pub branches: Vec<BranchRow>,
    /// How many more branches there are without a run.
    pub more: usize,
}

/// One open pull request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PullRow {
    /// The pull request.
    pub pull: PullRequest,
    /// The newest run of its branch, with the verdict on it.
    pub run: Option<(RunRow, Verdict)>,
    /// Whether it is a fork's whose newest commit waits for a maintainer.
    pub waits: bool,
    /// Whether the stack lets a maintainer allow it.
    pub may_be_allowed: bool,
}

/// One branch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BranchRow {
    /// Its name.
    pub branch: String,
    /// Where it points; none when it is gone.
    pub head: Option<CommitHash>,
    /// Its newest proposed run, with the verdict on it.
    pub run: Option<(RunRow, Verdict)>,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunView {
    /// The stack.
    pub header: Header,
    /// The run.
    pub run: Run,
    /// The steps of its life, oldest first.
    pub steps: Vec<Step>,
    /// The verdict of the promotion rule; only for a proposed run.
    pub verdict: Option<Verdict>,
    /// The commits that it lacks, when it has diverged.
    pub missing: Option<Missing>,
    /// Every tracked run that was promoted from it, newest first.
    pub promotions: Vec<RunRow>,
    /// The newest proposed run of its branch, when that is not this one.
    pub newer: Option<RunRow>,
    /// The pull requests that have its commit or its branch, newest first.
    pub pulls: Vec<PullRequest>,
    /// The newer commit of its pull request from a fork, which waits for a maintainer: number and commit.
    pub allowable: Option<(i64, CommitHash)>,
    /// Whether its commit may be planned once more: a fork's only where the stack plans forks.
    pub retryable: bool,
    /// That its log was removed, as a sentence.
    pub removed: Option<String>,
    /// The log that is open: the position of its step and the lines to begin with.
    pub log: Option<(i64, LogView)>,
}

/// One step of a run's life, with the length of its log in lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The step.
    pub transition: Transition,
    /// How many lines it printed.
    pub lines: i64,
    /// When the next step began; none while it lasts.
    pub until: Option<Timestamp>,
}

/// Some lines of a log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LogView {
    /// The number of the first of them, counted from 0.
    pub first: i64,
    /// The lines.
    pub lines: Vec<LogLine>,
    /// How many lines there are in all.
    pub total: i64,
}

/// What a run would change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangesView {
    /// The stack.
    pub header: Header,
    /// The run.
    pub run: Run,
    /// Which of its changes were asked for.
    pub selection: Selection,
    /// As many of them as one page shows, once its plan is there.
    pub plan: Option<Piece>,
    /// That its plan was removed, as a sentence.
    pub removed: Option<String>,
}

/// Everything that a stack's settings pages show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SettingsView {
    /// The stack.
    pub header: Header,
    /// The version of the settings; a save says from which one it started.
    pub version: i64,
    /// Words to find it by.
    pub labels: Vec<String>,
    /// Files outside the project root that belong to it.
    pub additional_globs: Vec<String>,
    /// A path or a version of its program, or nothing.
    pub engine_binary: String,
    /// The switches of *Behavior*.
    pub behavior: Behavior,
    /// The switches of *Integrations*.
    pub integration: Integration,
    /// The repository on GitHub, when the App knows it.
    pub github: Option<IntegrationView>,
    /// Whether the viewer may lead the stack to another repository.
    pub may_change_repository: bool,
    /// The branches of the repository.
    pub branches: Vec<String>,
    /// The folders of the tracked branch that hold a configuration.
    pub configurations: Vec<String>,
    /// The environment, without secret values.
    pub variables: Vec<ShownVariable>,
    /// How many of its runs have not ended.
    pub open_runs: i64,
}

/// The second step of a new stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RepositoryView {
    /// Its id.
    pub id: RepositoryId,
    /// Its address, without any credential.
    pub address: String,
    /// Its branches.
    pub branches: Vec<String>,
    /// The branch that is offered first.
    pub branch: String,
    /// The folders of that branch that hold a configuration; none while the repository is still being read.
    pub configurations: Option<Vec<String>>,
    /// Why it cannot be read.
    pub problem: Option<String>,
    /// A name for the stack.
    pub name: String,
}
