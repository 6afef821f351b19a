//! What the simulator knows: one picture of everything, kept in a file, changed by one request at a time.

use crate::faults::Faults;
use crate::limits::Limits;
use crate::webhooks::Outgoing;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// How a simulator runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder for its repositories and its memory.
    pub root: PathBuf,
    /// Whether it has GitHub's secondary limits of requests.
    pub limits: bool,
}

/// Everything it knows.
#[derive(Default, Serialize, Deserialize)]
pub struct World {
    /// The last id that was given.
    pub last_id: i64,
    /// Counts the changes, so that pages can tell.
    pub version: u64,
    pub users: BTreeMap<String, i64>,
    pub repositories: BTreeMap<i64, Repository>,
    pub pulls: Vec<Pull>,
    pub check_runs: BTreeMap<i64, CheckRun>,
    pub deployments: BTreeMap<i64, Deployment>,
    pub comments: BTreeMap<i64, Comment>,
    pub apps: BTreeMap<i64, App>,
    /// Manifest codes that were not exchanged yet.
    pub codes: BTreeMap<String, i64>,
    pub installations: BTreeMap<i64, Installation>,
    pub deliveries: Vec<Delivery>,
    /// Webhooks that were not what GitHub's schemas say: mistakes of the simulator itself.
    pub contract_violations: Vec<String>,
    /// The newest requests to the API.
    #[serde(skip)]
    pub requests: VecDeque<Requested>,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Repository {
    pub id: i64,
    pub owner: String,
    pub name: String,
    pub private: bool,
    pub default_branch: String,
    /// The repository it is a fork of.
    pub fork_of: Option<i64>,
    /// Names it had before, `owner/name`.
    pub former: Vec<String>,
    pub collaborators: BTreeMap<String, String>,
    /// The branches as the last notice saw them.
    pub heads: BTreeMap<String, String>,
    pub created_at: String,
    pub pushed_at: String,
    /// The folder, which stays when the name changes.
    pub folder: String,
}

impl Repository {
    /// `owner/name`.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// What this login may do: `admin`, `maintain`, `write`, `triage`, `read` or `none`.
    pub fn permission(&self, login: &str) -> &str {
        if login == self.owner {
            return "admin";
        }
        self.collaborators.get(login).map_or(if self.private { "none" } else { "read" }, String::as_str)
    }

    /// Whether this login may push.
    pub fn may_write(&self, login: &str) -> bool {
        matches!(self.permission(login), "admin" | "maintain" | "write")
    }
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Pull {
    pub id: i64,
    pub repository: i64,
    pub number: i64,
    pub title: String,
    pub author: String,
    pub state: String,
    pub merged_at: Option<String>,
    pub closed_at: Option<String>,
    pub merge_commit: Option<String>,
    pub draft: bool,
    pub base: String,
    pub head: String,
    /// Where the head branch is; none when that fork was deleted.
    pub head_repository: Option<i64>,
    pub head_sha: String,
    pub created_at: String,
    pub updated_at: String,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct CheckRun {
    pub id: i64,
    pub app: i64,
    pub repository: i64,
    pub name: String,
    pub head_sha: String,
    pub external_id: String,
    pub details_url: Option<String>,
    pub status: String,
    pub conclusion: Option<String>,
    pub started_at: String,
    pub completed_at: Option<String>,
    pub output: Value,
    pub actions: Vec<Value>,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Deployment {
    pub id: i64,
    pub repository: i64,
    pub sha: String,
    pub reference: String,
    pub environment: String,
    pub description: Option<String>,
    pub payload: Value,
    pub created_at: String,
    pub statuses: Vec<Value>,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Comment {
    pub id: i64,
    pub repository: i64,
    pub number: i64,
    pub app: i64,
    pub body: String,
    pub created_at: String,
    pub updated_at: String,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct App {
    pub id: i64,
    pub slug: String,
    pub name: String,
    pub owner: String,
    pub client_id: String,
    pub client_secret: String,
    pub webhook_secret: String,
    pub webhook_url: String,
    pub setup_url: Option<String>,
    /// Where people may be led back to who sign in.
    #[serde(default)]
    pub callback_urls: Vec<String>,
    /// PKCS#1 in PEM.
    pub private_key: String,
    pub revoked: bool,
    pub permissions: BTreeMap<String, String>,
    pub events: Vec<String>,
    pub created_at: String,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Installation {
    pub id: i64,
    pub app: i64,
    pub account: String,
    /// The repositories; none stands for all of the account.
    pub selected: Option<Vec<i64>>,
    pub permissions: BTreeMap<String, String>,
    pub suspended_at: Option<String>,
    pub created_at: String,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Delivery {
    pub id: i64,
    pub app: i64,
    pub guid: String,
    pub event: String,
    pub action: Option<String>,
    pub body: String,
    pub delivered_at: String,
    pub redelivery: bool,
    pub duration: f64,
    pub status: String,
    /// 0 when nobody answered.
    pub status_code: u16,
    pub installation: Option<i64>,
    pub repository: Option<i64>,
}

#[derive(Clone, Serialize)]
pub struct Requested {
    pub method: String,
    pub path: String,
    pub status: u16,
}

/// Somebody was signed in for an App, which has not exchanged the code yet.
pub struct Authorization {
    pub app: i64,
    pub login: String,
    pub redirect_uri: String,
    pub challenge: String,
}

/// The simulator; cheap to clone.
#[derive(Clone)]
pub struct Simulator {
    world: Arc<Mutex<World>>,
    /// The folder of everything.
    pub root: PathBuf,
    /// Its own address: `http://127.0.0.1:3010`.
    pub home: String,
    /// The installation tokens that are good: token → installation.
    pub tokens: Arc<Mutex<HashMap<String, i64>>>,
    /// The codes that sign somebody in: code → whom.
    pub authorizations: Arc<Mutex<HashMap<String, Authorization>>>,
    /// The tokens of people: token → login.
    pub user_tokens: Arc<Mutex<HashMap<String, String>>>,
    pub faults: Faults,
    pub limits: Limits,
    pub outgoing: Outgoing,
}

impl Simulator {
    /// Remembers what is in the folder.
    pub fn open(options: Options, address: SocketAddr) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&options.root)?;
        let root = std::fs::canonicalize(&options.root)?;
        let file = root.join("state.json");
        let world: World =
            if file.exists() { serde_json::from_slice(&std::fs::read(file)?)? } else { World::default() };
        let (outgoing, queue) = Outgoing::new();
        let simulator = Self {
            world: Arc::new(Mutex::new(world)),
            root,
            home: format!("http://{address}"),
            tokens: Arc::default(),
            authorizations: Arc::default(),
            user_tokens: Arc::default(),
            faults: Faults::default(),
            limits: Limits::new(options.limits),
            outgoing,
        };
        tokio::spawn(crate::webhooks::deliver(simulator.clone(), queue));
        Ok(simulator)
    }

    /// Looks.
    pub fn look<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.world.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes something, and keeps it.
    pub fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut world);
        world.version += 1;
        let new = self.root.join("state.json.new");
        let kept = serde_json::to_vec(&*world)
            .map_err(std::io::Error::other)
            .and_then(|text| std::fs::write(&new, text))
            .and_then(|()| std::fs::rename(&new, self.root.join("state.json")));
        if let Err(error) = kept {
            eprintln!("the simulator cannot keep what it knows: {error}");
        }
        result
    }

    /// Notes a request; requests are not kept in the file.
    pub fn note(&self, requested: Requested) {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.requests.push_back(requested);
        if world.requests.len() > 1000 {
            world.requests.pop_front();
        }
    }

    /// The bare repository.
    pub fn folder(&self, repository: &Repository) -> PathBuf {
        Path::new(&self.root).join(&repository.folder)
    }
}

impl World {
    /// The next id.
    pub fn id(&mut self) -> i64 {
        self.last_id = self.last_id.max(1000) + 1;
        self.last_id
    }

    /// The id of a user, who is there from the first mention on.
    pub fn user(&mut self, login: &str) -> i64 {
        if let Some(id) = self.users.get(login) {
            return *id;
        }
        let id = self.id();
        self.users.insert(login.to_owned(), id);
        id
    }

    /// The repository of this name.
    pub fn named(&self, owner: &str, name: &str) -> Option<&Repository> {
        self.repositories.values().find(|one| one.owner == owner && one.name == name)
    }

    /// The repository that had this name.
    pub fn formerly(&self, owner: &str, name: &str) -> Option<&Repository> {
        let wanted = format!("{owner}/{name}");
        self.repositories.values().find(|one| one.former.contains(&wanted))
    }

    /// The pull request with this number.
    pub fn pull(&self, repository: i64, number: i64) -> Option<&Pull> {
        self.pulls.iter().find(|pull| pull.repository == repository && pull.number == number)
    }

    /// The installations that may see a repository.
    pub fn installations_of(&self, repository: &Repository) -> Vec<Installation> {
        let sees = |one: &&Installation| match &one.selected {
            Some(selected) => selected.contains(&repository.id),
            None => one.account == repository.owner,
        };
        self.installations.values().filter(sees).cloned().collect()
    }
}

/// The time: a GitHub has a clock of its own.
#[expect(clippy::disallowed_methods, reason = "no test sets GitHub's clock")]
pub fn clock() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// Now, as GitHub writes it.
pub fn now() -> String {
    clock().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A name nobody can guess, of this many bytes.
pub fn random(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    if let Err(error) = getrandom::fill(&mut random) {
        eprintln!("no randomness: {error}");
    }
    hex::encode(random)
}
