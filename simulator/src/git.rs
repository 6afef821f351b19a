//! Git: the bare repositories, by the `git` program.

use anyhow::{Context as _, bail};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use tokio::process::Command;

/// No commit: what GitHub says of a branch before it was made, and after it is gone.
pub const NONE: &str = "0000000000000000000000000000000000000000";

/// Runs git in a repository; what it answers.
pub async fn git(folder: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let mut command = Command::new("git");
    command
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("GIT_DIR", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_NAME", "GitHub")
        .env("GIT_AUTHOR_EMAIL", "noreply@example.com")
        .env("GIT_COMMITTER_NAME", "GitHub")
        .env("GIT_COMMITTER_EMAIL", "noreply@example.com")
        .stdin(Stdio::null());
    let output = command.output().await.context("cannot run git")?;
    if !output.status.success() {
        bail!("git {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// Makes a bare repository.
pub async fn init(folder: &Path, default_branch: &str) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    let branch = format!("--initial-branch={default_branch}");
    git(folder, &["init", "--quiet", "--bare", &branch]).await.map(|_| ())
}

/// The branches and where they stand.
pub async fn heads(folder: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let listed = git(folder, &["for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", "refs/heads"]).await?;
    Ok(listed.lines().filter_map(|line| line.split_once(' ')).map(|(sha, name)| (name.into(), sha.into())).collect())
}

/// Whether the repository has this commit.
pub async fn has_commit(folder: &Path, sha: &str) -> bool {
    git(folder, &["cat-file", "-e", &format!("{sha}^{{commit}}")]).await.is_ok()
}

/// Whether one commit contains another.
pub async fn contains(folder: &Path, commit: &str, ancestor: &str) -> bool {
    git(folder, &["merge-base", "--is-ancestor", ancestor, commit]).await.is_ok()
}

/// One commit in a push.
pub struct Pushed {
    pub id: String,
    pub tree: String,
    pub message: String,
    pub author: (String, String),
    pub at: String,
    pub files: Vec<(char, String)>,
}

/// The commits that a push brought, oldest first, at most twenty.
pub async fn pushed(folder: &Path, before: &str, after: &str) -> anyhow::Result<Vec<Pushed>> {
    let range = if before == NONE { after.to_owned() } else { format!("{before}..{after}") };
    let format = "--format=%x01%H%x00%T%x00%an%x00%ae%x00%cI%x00%B%x00";
    let text =
        git(folder, &["log", "--max-count=20", "--reverse", "--name-status", "--no-renames", format, &range]).await?;
    let mut commits = Vec::new();
    for record in text.split('\u{1}').skip(1) {
        let mut parts = record.split('\0');
        let mut next = || parts.next().unwrap_or_default().to_owned();
        let (id, tree, name, email, at, message) = (next(), next(), next(), next(), next(), next());
        let files = next()
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .map(|(status, path)| (status.chars().next().unwrap_or('M'), path.to_owned()))
            .collect();
        commits.push(Pushed { id, tree, message: message.trim_end().into(), author: (name, email), at, files });
    }
    Ok(commits)
}

/// Merges a commit into a branch with a commit of its own; that commit.
pub async fn merge(folder: &Path, base: &str, head: &str, message: &str) -> anyhow::Result<String> {
    let onto = git(folder, &["rev-parse", &format!("refs/heads/{base}")]).await?;
    let tree = git(folder, &["merge-tree", "--write-tree", &onto, head]).await?;
    let merged = git(folder, &["commit-tree", &tree, "-p", &onto, "-p", head, "-m", message]).await?;
    git(folder, &["update-ref", &format!("refs/heads/{base}"), &merged, &onto]).await?;
    Ok(merged)
}
