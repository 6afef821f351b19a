//! The sample: a Git repository made on the spot, whose branches show the promotion rule.
//!
//! Its history is made as a team would have made it, push after push, so that everything on its pages really happened:
//! a branch that was merged, a deployment, a branch that is ahead, one that has diverged, and one whose plan fails. With a
//! simulated GitHub at hand it lies there, with pull requests; else it is plain Git.

mod simulated;

use crate::commands::Context;
use crate::commands::add_repository::add_repository;
use crate::commands::create_stack::create_stack;
use crate::commands::fetch::fetch;
use crate::commands::invite::new_person;
use crate::domain::permission::{CreateStack, Role, Viewer, permit};
use crate::domain::person::{Holder, PersonId};
use crate::domain::problem::Problem;
use crate::domain::run_state::RunKind;
use crate::domain::stack::{Behavior, Integration};
use crate::domain::vendor::Vendor;
use crate::domain::{RepositoryId, StackId};
use crate::runner::engine;
use crate::store::Settings;
use anyhow::{Context as _, bail};
use simulated::Simulated;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

const STACK: &str = "network";

/// The name under which everybody acts here.
const OPERATOR: &str = "operator";

/// One commit of the sample.
struct Change {
    branch: &'static str,
    /// The branch it goes on from; none begins the history.
    from: Option<&'static str>,
    subject: &'static str,
    author: &'static str,
    files: &'static [(&'static str, &'static str)],
    hours_ago: i64,
}

const NETWORK: &str = include_str!("sample/network.tf");
const SUBNETS: &str = include_str!("sample/subnets.tf");
const GATEWAY: &str = include_str!("sample/gateway.tf");
const CACHE: &str = include_str!("sample/cache.tf");
const FIREWALL: &str = include_str!("sample/firewall.tf");
const TYPO: &str = include_str!("sample/dns.tf");

const FIRST: Change = Change {
    branch: "main",
    from: None,
    subject: "Lay out the network",
    author: "Ada",
    files: &[("network.tf", NETWORK)],
    hours_ago: 50,
};
const MERGED: Change = Change {
    branch: "add-subnets",
    from: Some("main"),
    subject: "Split the network into subnets",
    author: "Grace",
    files: &[("subnets.tf", SUBNETS)],
    hours_ago: 28,
};
const NEWEST: Change = Change {
    branch: "main",
    from: Some("add-subnets"),
    subject: "Open a gateway to the subnets",
    author: "Ada",
    files: &[("gateway.tf", GATEWAY)],
    hours_ago: 25,
};
const DIVERGED: Change = Change {
    branch: "firewall",
    from: Some("main"),
    subject: "Put a firewall around the network",
    author: "Linus",
    files: &[("firewall.tf", FIREWALL)],
    hours_ago: 26,
};
const AHEAD: Change = Change {
    branch: "add-cache",
    from: Some("main"),
    subject: "Add a cache to the private subnet",
    author: "Grace",
    files: &[("cache.tf", CACHE)],
    hours_ago: 3,
};
const BROKEN: Change = Change {
    branch: "dns-records",
    from: Some("main"),
    subject: "Point DNS at the gateway",
    author: "Linus",
    files: &[("dns.tf", TYPO)],
    hours_ago: 2,
};

/// Makes the sample, once; a sample that is there is left alone, and one that was cut off is made whole.
pub async fn seed(context: Context) {
    if let Err(error) = make(&context).await {
        tracing::error!("cannot make the sample: {error:#}");
    }
}

/// The person that everybody is who reaches the sample: an administrator who needs no password.
pub async fn operator(context: &Context) -> anyhow::Result<PersonId> {
    let mut writing = context.store.write().await?;
    if let Some(known) = writing.person_named(OPERATOR).await? {
        return Ok(known.id);
    }
    let person = new_person(context, OPERATOR);
    writing.add_person(&person).await?;
    let holder = Holder::Person(person.id.clone());
    writing.set_grant(&context.ids.next(context.now()), &holder, None, Some(Role::Administrator)).await?;
    writing.commit().await?;
    Ok(person.id)
}

async fn make(context: &Context) -> anyhow::Result<()> {
    let done = context.config.data.join("sample.made");
    if done.exists() {
        return Ok(());
    }
    let place = place(context).await?;
    let viewer = Viewer::everywhere("the sample", Role::Administrator);
    let everywhere = permit(&viewer, &StackId::new("")).map_err(|_| anyhow::anyhow!("the sample has no right"))?;
    place.push(context, &FIRST).await?;
    // Made while it was the newest, left behind since.
    place.push(context, &DIVERGED).await?;
    if let Some(github) = &place.github {
        github.connect(context, &viewer).await?;
    }
    let id = add_repository(context, &everywhere, &place.address).await.map_err(said)?;
    let stack = StackId::new(STACK);
    let Ok(permission) = permit::<CreateStack>(&viewer, &stack) else { bail!("the sample may not make its stack") };
    if context.store.read().await?.stack(&stack).await?.is_none() {
        create_stack(context, &permission, &id, settings().await, true).await.map_err(said)?;
    }

    for change in [&MERGED, &NEWEST] {
        place.push(context, change).await?;
        fetched(context, &id).await?;
    }
    deployed(context, &stack).await?;
    // Told of once more, now that the stack knows what it stands at: the branch gets its proposed run.
    let moved =
        Change { from: Some("firewall"), hours_ago: 1, subject: "Let the firewall pass the office", ..DIVERGED };
    for change in [&AHEAD, &BROKEN, &Change { files: &[("office.tf", OFFICE)], ..moved }] {
        place.push(context, change).await?;
        if let Some(github) = &place.github {
            github.open(change.branch, change.subject, change.author).await?;
        }
    }
    fetched(context, &id).await?;
    std::fs::write(done, "").context("cannot note that the sample is made")
}

fn said(problem: Problem) -> anyhow::Error {
    anyhow::anyhow!("{}", problem.sentence())
}

/// Where the sample's repository lies.
struct Place {
    /// The bare repository.
    folder: PathBuf,
    /// Where a stack finds it.
    address: String,
    /// The simulated GitHub it is on.
    github: Option<Simulated>,
}

async fn place(context: &Context) -> anyhow::Result<Place> {
    if let Some(address) = &context.config.sample_github {
        let github = Simulated::new(address)?;
        let (folder, address) = github.repository().await?;
        return Ok(Place { folder, address, github: Some(github) });
    }
    let folder = context.config.data.join("sample.git");
    git(&folder, &["init", "--quiet", "--bare", "--initial-branch=main"], None).await?;
    Ok(Place { address: folder.to_string_lossy().into_owned(), folder, github: None })
}

impl Place {
    /// Adds a commit, as a push would; one that is there is not added again.
    async fn push(&self, context: &Context, change: &Change) -> anyhow::Result<()> {
        let subjects = git(&self.folder, &["log", "--branches", "--format=%s"], None).await?;
        if !subjects.lines().any(|subject| subject == change.subject) {
            push(context, &self.folder, change).await?;
        }
        match &self.github {
            Some(github) => github.notice(change.author).await,
            None => Ok(()),
        }
    }
}

const OFFICE: &str = include_str!("sample/office.tf");

/// The stack: everything on, and whichever program is there.
async fn settings() -> Settings {
    let has = |vendor| engine::missing(vendor, "").is_none();
    let vendor = if !has(Vendor::Terraform) && has(Vendor::OpenTofu) { Vendor::OpenTofu } else { Vendor::Terraform };
    Settings {
        name: "Network".into(),
        description: "The sample: a small network that exists only in Terraform's state.".into(),
        labels: vec!["sample".into()],
        tracked_branch: "main".into(),
        project_root: String::new(),
        additional_globs: Vec::new(),
        vendor,
        engine_binary: String::new(),
        behavior: Behavior { autodeploy: true, allow_run_promotion: true, ..Behavior::default() },
        integration: Integration::default(),
        disabled: false,
    }
}

async fn fetched(context: &Context, repository: &RepositoryId) -> anyhow::Result<()> {
    fetch(context, repository).await.map_err(said)?;
    Ok(())
}

/// Waits until the deployment has ended, so that the branches are planned against what it made.
async fn deployed(context: &Context, stack: &StackId) -> anyhow::Result<()> {
    for _ in 0..600 {
        let newest = context.store.read().await?.runs_of_stack(stack, RunKind::Tracked, None, 1).await?;
        if newest.first().is_some_and(|run| run.state.is_terminal()) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// Adds a commit to the repository, as a push would.
async fn push(context: &Context, repository: &Path, change: &Change) -> anyhow::Result<()> {
    let when = context.now().0 / 1000 - change.hours_ago * 3600;
    let email = format!("{}@example.com", change.author.to_lowercase());
    let mut stream = format!(
        "commit refs/heads/{}\ncommitter {} <{email}> {when} +0000\n{}",
        change.branch,
        change.author,
        data(change.subject)
    );
    if let Some(from) = change.from {
        stream += &format!("from refs/heads/{from}^0\n");
    }
    for (path, text) in change.files {
        stream += &format!("M 100644 inline {path}\n{}", data(text));
    }
    git(repository, &["fast-import", "--quiet"], Some(&stream)).await.map(|_| ())
}

fn data(text: &str) -> String {
    format!("data {}\n{text}\n", text.len())
}

/// Runs Git on the bare repository, whatever a person's own configuration says; its answer.
async fn git(repository: &Path, arguments: &[&str], input: Option<&str>) -> anyhow::Result<String> {
    std::fs::create_dir_all(repository).with_context(|| format!("cannot make {}", repository.display()))?;
    let mut child = Command::new("git")
        .args(arguments)
        .current_dir(repository)
        .envs([("GIT_DIR", "."), ("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("cannot run git: is it installed?")?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.unwrap_or_default().as_bytes()).await.context("cannot write to git")?;
    }
    let output = child.wait_with_output().await.context("cannot run git")?;
    if !output.status.success() {
        bail!("git {} failed: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
