//! The mirror of one repository: a bare copy of all its branches with their whole history.
//!
//! A fetch may be repeated at any time and repairs what a crash left behind; one mirror is fetched by one caller at a
//! time. Pinned commits stay, whatever happens to the branches. A mirror knows no address and no credential.

use super::cause::LEFT_OUT;
use super::history::History;
use super::program::{Ended, Git};
use super::remote::Remote;
use super::stale;
use super::{Cause, GitError};
use crate::domain::CommitHash;
use crate::outgoing::Outgoing;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::fs;

/// How long putting a mirror in order may take.
const TIDYING: Duration = Duration::from_mins(10);
/// How long asking for the branches may take.
const PROBE: Duration = Duration::from_secs(30);
/// How many folders are offered at most.
const OFFERED: usize = 200;
/// How many files a checkout may have.
const MOST_FILES: usize = 500_000;
/// Above this many, pinned commits are moved from files of their own into one.
const PINS: usize = 500;

/// Where pinned commits stand.
const PINNED: &str = "refs/headway/pinned/";
/// Where the heads of pull requests from forks stand.
const PULLS: &str = "refs/headway/pull/";
/// Packs what lies about, when it is much, and drops what nothing leads to and has not for two weeks.
const TIDY: [&str; 9] =
    ["-c", "gc.auto=2000", "-c", "gc.autoPackLimit=50", "-c", "gc.autoDetach=false", "gc", "--auto", "--quiet"];

/// What a mirror must keep although no branch may have it.
#[derive(Clone, Debug, Default)]
pub struct Needed {
    /// Commits of runs.
    pub commits: BTreeSet<CommitHash>,
    /// The numbers of pull requests from forks whose head is not to be fetched again.
    pub pull_requests: BTreeSet<i64>,
}

/// Asks a repository which branches it has and where they stand, without a mirror.
pub async fn probe(
    outgoing: &Outgoing,
    address: &str,
    credential: Option<&str>,
) -> Result<BTreeMap<String, CommitHash>, GitError> {
    let remote = Remote::reach(outgoing, address, credential).await?;
    let git = Git::new("asking the repository for its branches")
        .arguments(["ls-remote", "--heads", "--quiet", "--end-of-options", &remote.address])
        .remote(&remote)
        .limit(PROBE);
    let ended = reached(git.run().await?)?;
    let answer = String::from_utf8_lossy(&ended.stdout);
    let heads = answer.lines().filter_map(|line| {
        let (hash, name) = line.split_once('\t')?;
        Some((name.strip_prefix("refs/heads/")?.to_owned(), CommitHash::parse(hash)?))
    });
    Ok(heads.collect())
}

/// The bare copy of one repository in a folder.
#[derive(Clone, Debug)]
pub struct Mirror {
    folder: PathBuf,
    fetch_limit: Duration,
}

impl Mirror {
    /// The mirror in this folder, whether it is there yet or not. A fetch that takes longer than `fetch_limit` is ended.
    pub fn at(folder: PathBuf, fetch_limit: Duration) -> Self {
        Self { folder, fetch_limit }
    }

    /// Makes the mirror's branches those of the repository at `address`, and says where they stand.
    pub async fn fetch(
        &self,
        outgoing: &Outgoing,
        address: &str,
        credential: Option<&str>,
    ) -> Result<BTreeMap<String, CommitHash>, GitError> {
        let remote = Remote::reach(outgoing, address, credential).await?;
        self.create().await?;
        let fetch = || {
            let git = self.git("fetching the repository").arguments(["fetch", "--quiet", "--prune", "--no-tags"]);
            git.arguments(["--no-recurse-submodules", "--no-auto-maintenance", "--no-write-fetch-head"])
                .arguments([
                    "--no-show-forced-updates",
                    "--end-of-options",
                    &remote.address,
                    "+refs/heads/*:refs/heads/*",
                ])
                .remote(&remote)
                .limit(self.fetch_limit)
                .raised_by("--fetch-limit")
        };
        reached(self.write(fetch).await?)?;
        self.pack_pins().await?;
        Ok(self.open()?.heads())
    }

    /// Fetches the commit of a pull request from a fork, which no branch of the repository has, and pins it. GitHub keeps
    /// it under the pull request's number; [`GitError::Missing`] when another commit stands there by now.
    pub async fn fetch_pull_request(
        &self,
        outgoing: &Outgoing,
        address: &str,
        credential: Option<&str>,
        number: i64,
        commit: &CommitHash,
    ) -> Result<(), GitError> {
        let remote = Remote::reach(outgoing, address, credential).await?;
        let commit = whole(commit)?;
        self.create().await?;
        let wanted = format!("+refs/pull/{number}/head:{PULLS}{number}");
        let fetch = || {
            let git = self.git("fetching a pull request").arguments(["fetch", "--quiet", "--no-tags"]);
            git.arguments(["--no-recurse-submodules", "--no-auto-maintenance", "--no-write-fetch-head"])
                .arguments(["--end-of-options", &remote.address, &wanted])
                .remote(&remote)
                .limit(self.fetch_limit)
                .raised_by("--fetch-limit")
        };
        reached(self.write(fetch).await?)?;
        self.pin(commit).await
    }

    /// Opens the history for questions.
    pub fn open(&self) -> Result<History, GitError> {
        History::open(self.folder.clone())
    }

    /// Keeps a commit in the mirror for good, whatever happens to the branches.
    pub async fn pin(&self, commit: &CommitHash) -> Result<(), GitError> {
        let commit = whole(commit)?;
        let pin = format!("{PINNED}{commit}");
        let update = || self.git("pinning a commit").arguments(["update-ref", &pin, commit.as_str()]);
        self.done(self.write(update).await?, &[commit]).map(|_| ())
    }

    /// Lets Git put the mirror in order, then takes away the pins of commits that are not needed; how many. A needed commit
    /// that lost its pin gets it back first.
    pub async fn tidy(&self, needed: &Needed) -> Result<u64, GitError> {
        let kept = self.kept().await?;
        let pinned: BTreeSet<&str> = kept.iter().filter_map(|name| name.strip_prefix(PINNED)).collect();
        for commit in needed.commits.iter().filter(|commit| !pinned.contains(commit.as_str())) {
            // Gone for good, it cannot be pinned, and whoever needs it will say so.
            let _ = self.pin(commit).await;
        }
        let gc = || self.git("putting the mirror in order").arguments(TIDY).limit(TIDYING);
        self.done(self.write(gc).await?, &[])?;
        let unneeded = kept.iter().filter(|name| {
            let pinned = name.strip_prefix(PINNED).and_then(CommitHash::parse);
            let pull = name.strip_prefix(PULLS).and_then(|number| number.parse().ok());
            pinned.is_some_and(|commit| !needed.commits.contains(&commit))
                || pull.is_some_and(|number| !needed.pull_requests.contains(&number))
        });
        let mut count = 0;
        for name in unneeded.take(PINS) {
            let delete = || self.git("taking a pin away").arguments(["update-ref", "-d", name]);
            self.done(self.write(delete).await?, &[])?;
            count += 1;
        }
        Ok(count)
    }

    /// Removes the mirror with everything in it, if it is there.
    pub async fn remove(&self) -> Result<(), GitError> {
        for folder in [self.unfinished(), self.folder.clone()] {
            match fs::remove_dir_all(&folder).await {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(GitError::Unreadable(error.to_string()));
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// The references of Headway's own: pinned commits, and heads of pull requests from forks.
    async fn kept(&self) -> Result<Vec<String>, GitError> {
        let git = self.git("listing pins").arguments(["for-each-ref", "--format=%(refname)", "refs/headway/"]);
        let ended = self.done(git.run().await?, &[])?;
        Ok(String::from_utf8_lossy(&ended.stdout).lines().map(str::to_owned).collect())
    }

    /// The paths that differ between two commits.
    pub async fn changed_files(&self, from: &CommitHash, to: &CommitHash) -> Result<Vec<String>, GitError> {
        let (from, to) = (whole(from)?, whole(to)?);
        let git = self.git("comparing two commits").arguments(["diff-tree", "-r", "-z", "--name-only", "--no-renames"]);
        let git = git.arguments(["--end-of-options", from.as_str(), to.as_str()]);
        let ended = self.done(git.run().await?, &[from, to])?;
        Ok(records(&ended.stdout).map(|path| String::from_utf8_lossy(path).into_owned()).collect())
    }

    /// Writes the commit's files into an existing empty folder, unless they are longer than `most` bytes together.
    /// Submodules stay empty and large-file pointers stay pointers; nothing of the repository is run.
    pub async fn checkout(&self, commit: &CommitHash, into: &Path, most: u64) -> Result<(), GitError> {
        let commit = whole(commit)?;
        // A small pack can hold files of any length.
        let list = self.git("measuring a commit").arguments(["ls-tree", "-r", "-l", "-z", "--end-of-options"]);
        let list = self.done(list.arguments([commit.as_str()]).run().await?, &[commit])?;
        let sizes: Vec<u64> = records(&list.stdout).map(size).collect();
        if sizes.len() > MOST_FILES || sizes.iter().sum::<u64>() > most {
            return Err(GitError::TooLarge { files: MOST_FILES, mebibytes: most >> 20 });
        }
        let not_folder = || GitError::NotFolder(into.to_owned());
        let mut entries = fs::read_dir(into).await.map_err(|_| not_folder())?;
        if !matches!(entries.next_entry().await, Ok(None)) {
            return Err(not_folder());
        }
        let into = fs::canonicalize(into).await.map_err(|_| not_folder())?;
        let mut name = into.file_name().ok_or_else(not_folder)?.to_owned();
        name.push(".index");
        let index = Index::new(into.with_file_name(name));
        let git = || {
            let git = self.git("checking a commit out").variable("GIT_WORK_TREE", &into);
            git.variable("GIT_INDEX_FILE", &index.0)
        };
        let read = git().arguments(["read-tree", "--end-of-options", commit.as_str()]).run().await?;
        self.done(read, &[commit])?;
        let written = git().arguments(["checkout-index", "--all", "--quiet"]).run().await?;
        self.done(written, &[]).map(|_| ())
    }

    /// Whether a path is a folder of the commit, "" being its root; a link or a submodule is none.
    pub async fn is_folder(&self, commit: &CommitHash, path: &str) -> Result<bool, GitError> {
        self.open()?.is_folder(commit, path).ok_or_else(|| GitError::Missing(commit.clone()))
    }

    /// The folders of the commit that hold a configuration, sorted, "" being the root; at most 200.
    pub async fn configurations(&self, commit: &CommitHash) -> Result<Vec<String>, GitError> {
        let commit = whole(commit)?;
        let git = self.git("listing a commit's files").arguments(["ls-tree", "-r", "-z"]);
        let ended = self.done(git.arguments(["--end-of-options", commit.as_str()]).run().await?, &[commit])?;
        let folders: BTreeSet<_> = records(&ended.stdout).filter_map(configuration).collect();
        Ok(folders.into_iter().take(OFFERED).collect())
    }

    fn git(&self, action: &'static str) -> Git {
        Git::new(action).repository(&self.folder)
    }

    /// Runs what writes to the mirror, once more if only the lock of a dead process was in the way.
    async fn write(&self, git: impl Fn() -> Git) -> Result<Ended, GitError> {
        let ended = git().run().await?;
        if !ended.succeeded() && stale::locked(&ended.messages) && stale::remove_locks(&self.folder) {
            return git().run().await;
        }
        Ok(ended)
    }

    /// Makes an empty mirror unless there is one. What is in it may be private, so nobody else on this machine reads it.
    async fn create(&self) -> Result<(), GitError> {
        self.begin().await?;
        let private = fs::set_permissions(&self.folder, Permissions::from_mode(0o700));
        private.await.map_err(|error| GitError::Unreadable(error.to_string()))
    }

    /// The mirror appears under its name only when it is whole; one that a power failure damaged gets back what it lacks,
    /// and keeps what it has.
    async fn begin(&self) -> Result<(), GitError> {
        let unreadable = |error: std::io::Error| GitError::Unreadable(error.to_string());
        let head = self.folder.join("HEAD");
        let has_head = fs::metadata(&head).await.is_ok_and(|about| about.len() > 0);
        let is_folder = async |name| fs::metadata(self.folder.join(name)).await.is_ok_and(|about| about.is_dir());
        if has_head && is_folder("objects").await && is_folder("refs").await {
            return Ok(());
        }
        if fs::metadata(&self.folder).await.is_ok() {
            // Git keeps a head that is there, even an empty one.
            let _ = fs::remove_file(&head).await;
            return initialize(&self.folder).await;
        }
        let new = self.unfinished();
        let _ = fs::remove_dir_all(&new).await;
        fs::create_dir_all(&new).await.map_err(unreadable)?;
        initialize(&new).await?;
        fs::rename(&new, &self.folder).await.map_err(unreadable)
    }

    /// Where the mirror is made.
    fn unfinished(&self) -> PathBuf {
        let mut name = self.folder.file_name().map(ToOwned::to_owned).unwrap_or_default();
        name.push(".new");
        self.folder.with_file_name(name)
    }

    /// Thousands of pins in files of their own would slow every fetch down.
    async fn pack_pins(&self) -> Result<(), GitError> {
        let Ok(mut entries) = fs::read_dir(self.folder.join("refs/headway/pinned")).await else { return Ok(()) };
        for _ in 0..PINS {
            if !matches!(entries.next_entry().await, Ok(Some(_))) {
                return Ok(());
            }
        }
        let pack = || self.git("packing references").arguments(["pack-refs", "--all"]);
        self.done(self.write(pack).await?, &[]).map(|_| ())
    }

    /// Takes a failure of a command that works on the mirror apart: a commit that is not there, or a broken mirror.
    fn done(&self, ended: Ended, commits: &[&CommitHash]) -> Result<Ended, GitError> {
        if ended.succeeded() {
            return Ok(ended);
        }
        let gone = commits.iter().find(|commit| match self.open() {
            Ok(history) => history.commit(commit).is_none(),
            Err(_) => false,
        });
        match gone {
            Some(commit) => Err(GitError::Missing((*commit).clone())),
            None => Err(GitError::Unreadable(Cause::read(&ended.messages).1)),
        }
    }
}

/// The private index of a checkout, beside the folder; removed when the checkout ends, however it ends.
struct Index(PathBuf);

impl Index {
    fn new(path: PathBuf) -> Self {
        let index = Self(path);
        index.remove();
        index
    }

    fn remove(&self) {
        let _ = std::fs::remove_file(&self.0);
        let _ = std::fs::remove_file(self.0.with_added_extension("lock"));
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        self.remove();
    }
}

async fn initialize(folder: &Path) -> Result<(), GitError> {
    let git = Git::new("creating a mirror").repository(folder).arguments(["init", "--bare", "--quiet", "--template="]);
    let ended = git.run().await?;
    if ended.succeeded() { Ok(()) } else { Err(GitError::Unreadable(Cause::read(&ended.messages).1)) }
}

/// Takes a failure of a command that talks to the repository apart.
fn reached(ended: Ended) -> Result<Ended, GitError> {
    if ended.succeeded() && !ended.messages.contains(LEFT_OUT) {
        return Ok(ended);
    }
    let (cause, detail) = Cause::read(&ended.messages);
    Err(GitError::Unreachable { cause, detail })
}

/// Only a whole commit name may stand in an argument.
fn whole(commit: &CommitHash) -> Result<&CommitHash, GitError> {
    let whole = CommitHash::parse(commit.as_str()).is_some();
    whole.then_some(commit).ok_or_else(|| GitError::Missing(commit.clone()))
}

/// The length of a file, from a line of `ls-tree -l`; a submodule has none.
fn size(record: &[u8]) -> u64 {
    let record = String::from_utf8_lossy(record);
    let about = record.split('\t').next().unwrap_or_default();
    about.split_whitespace().nth(3).and_then(|size| size.parse().ok()).unwrap_or(0)
}

fn records(output: &[u8]) -> impl Iterator<Item = &[u8]> {
    output.split(|byte| *byte == 0).filter(|record| !record.is_empty())
}

/// The folder of a configuration file, from a line of `ls-tree`.
fn configuration(record: &[u8]) -> Option<String> {
    let record = String::from_utf8_lossy(record);
    let (about, path) = record.split_once('\t')?;
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let endings = [".tf", ".tf.json", ".tofu", ".tofu.json"];
    let read = about.contains(" blob ") && !name.starts_with('.') && endings.iter().any(|end| name.ends_with(end));
    // What `terraform init` downloads is sometimes committed, and is nobody's project.
    let own = !folder.split('/').any(|part| part == ".terraform");
    (read && own).then(|| folder.to_owned())
}
