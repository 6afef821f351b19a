//! A bare repository to push to, as a team would, one commit after the other.

use crate::domain::CommitHash;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// The repository that the stacks are made from.
pub(super) struct Origin {
    folder: PathBuf,
    commits: AtomicU32,
}

impl Origin {
    pub(super) fn new(folder: &Path) -> Self {
        std::fs::create_dir(folder).unwrap();
        let origin = Self { folder: folder.to_owned(), commits: AtomicU32::new(0) };
        origin.git(&["init", "--quiet", "--bare", "--initial-branch=main"], "");
        origin
    }

    pub(super) fn address(&self) -> String {
        self.folder.to_str().unwrap().to_owned()
    }

    /// Runs `git` in the repository; what it printed.
    pub(super) fn git(&self, arguments: &[&str], input: &str) -> String {
        let mut child = Command::new("git")
            .args(arguments)
            .current_dir(&self.folder)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Adds a commit to a branch, which then goes on from another branch or commit when one is given; it changes one
    /// file.
    pub(super) fn commit(&self, branch: &str, from: Option<&str>, file: &str) -> CommitHash {
        let number = self.commits.fetch_add(1, Ordering::SeqCst);
        let subject = format!("Change {number} on {branch}");
        let text = format!("# {number}\n");
        let from = match from {
            Some(from) => self.git(&["rev-parse", from], ""),
            None => self.git(&["for-each-ref", "--format=%(objectname)", &format!("refs/heads/{branch}")], ""),
        };
        let from = if from.is_empty() { from } else { format!("from {from}\n") };
        self.git(
            &["fast-import", "--quiet", "--force"],
            &format!(
                "commit refs/heads/{branch}\ncommitter Ada <ada@example.com> {} +0000\ndata {}\n{subject}\n{from}\
                 M 100644 inline {file}\ndata {}\n{text}\n",
                // Younger commits have older dates: nothing may look at them.
                1_700_000_000 - number,
                subject.len(),
                text.len(),
            ),
        );
        CommitHash::parse(&self.git(&["rev-parse", branch], "")).unwrap()
    }

    /// Merges a branch into another one.
    pub(super) fn merge(&self, into: &str, branch: &str) -> CommitHash {
        let [one, other] = [into, branch].map(|branch| self.git(&["rev-parse", branch], ""));
        self.git(
            &["fast-import", "--quiet"],
            &format!(
                "commit refs/heads/{into}\ncommitter Ada <ada@example.com> 1600000000 +0000\ndata 5\nMerge\nfrom \
                 {one}\nmerge {other}\nM 100644 inline network/merged.tf\ndata 2\n#\n\n"
            ),
        );
        CommitHash::parse(&self.git(&["rev-parse", into], "")).unwrap()
    }

    pub(super) fn point(&self, branch: &str, at: &str) {
        self.git(&["update-ref", &format!("refs/heads/{branch}"), at], "");
    }

    pub(super) fn delete(&self, branch: &str) {
        self.git(&["update-ref", "-d", &format!("refs/heads/{branch}")], "");
    }
}
