//! A repository under test: a real one, pushed to as a team would.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use tempfile::TempDir;

/// A configuration that makes one thing that lives in the state alone.
pub fn resource(name: &str) -> String {
    format!("resource \"terraform_data\" \"{name}\" {{\n  input = \"{name}\"\n}}\n")
}

/// A repository with a work tree.
pub struct Repository {
    folder: TempDir,
}

impl Repository {
    /// One with a first commit on `main` that makes the thing `first`.
    pub fn new() -> Self {
        let repository = Self { folder: tempfile::tempdir().unwrap() };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.commit("main", "Make the first thing", &[("first.tf", &resource("first"))]);
        repository
    }

    /// The address of the repository.
    pub fn address(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    /// Commits files to a branch, which is made at the present commit when it is new; the commit's name.
    pub fn commit(&self, branch: &str, subject: &str, files: &[(&str, &str)]) -> String {
        if !self.git(&["branch", "--list", branch]).is_empty() {
            self.git(&["checkout", "--quiet", branch]);
        } else if self.git(&["branch", "--show-current"]) != branch {
            self.git(&["checkout", "--quiet", "-b", branch]);
        }
        for (path, text) in files {
            let file = self.folder.path().join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            let program = text.starts_with("#!");
            std::fs::write(&file, text).unwrap();
            if program {
                std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
            }
        }
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", subject]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// A branch that goes on from another one, with one commit; the commit's name.
    pub fn branch(&self, name: &str, from: &str, subject: &str, files: &[(&str, &str)]) -> String {
        self.git(&["checkout", "--quiet", "-b", name, from]);
        self.commit(name, subject, files)
    }

    /// Runs git in the work tree; what it printed.
    pub fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(arguments)
            .current_dir(self.folder.path())
            .envs([
                ("GIT_AUTHOR_NAME", "Ada"),
                ("GIT_AUTHOR_EMAIL", "ada@example.com"),
                ("GIT_COMMITTER_NAME", "Ada"),
                ("GIT_COMMITTER_EMAIL", "ada@example.com"),
                ("GIT_CONFIG_GLOBAL", "/dev/null"),
                ("GIT_CONFIG_NOSYSTEM", "1"),
            ])
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}
