//! Attacks: what somebody who may push a branch can try. Each test first shows that the attack works on a bare runner,
//! then that it does not here.

mod files;
mod limits;
mod network;
mod plans;
mod processes;
mod providers;
mod redirects;
mod repositories;
mod texts;
mod warnings;

use crate::headway::Headway;
use crate::page::Page;
use crate::repository::Repository;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

/// The newest proposed run of a new branch with these files, when it has ended.
async fn proposed(headway: &Headway, repository: &Repository, stack: &str, files: &[(&str, &str)]) -> Page {
    repository.branch("attack", "main", "Attack", files);
    headway.sync(stack).await;
    let run = headway.proposed(stack, "attack").await;
    ended(headway, &run).await
}

/// The page of a run, when it has ended.
async fn ended(headway: &Headway, run: &str) -> Page {
    let over = |page: &Page| ["finished", "failed", "stopped"].contains(&page.state().as_str());
    headway.until(run, "its end", over).await
}

/// A Headway whose runs are confined, or not, with a stack whose commit was deployed.
async fn deployed(sandbox: &str, more: &[(&str, &str)]) -> (Headway, Repository, String) {
    let repository = Repository::new();
    let mut environment = vec![("HEADWAY_SANDBOX", sandbox)];
    environment.extend(more);
    let headway = Headway::start_with("serve", &environment).await;
    let stack = headway.stack(&repository, "Network", &[]).await;
    headway.deploy(&stack).await;
    (headway, repository, stack)
}

/// What a proposed run with these files shows, on a Headway with this sandbox.
async fn tried(sandbox: &str, more: &[(&str, &str)], files: &[(&str, &str)]) -> Page {
    let (headway, repository, stack) = deployed(sandbox, more).await;
    proposed(&headway, &repository, &stack, files).await
}

/// Writes files below a folder.
fn write(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let file = folder.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let mode = if text.starts_with("#!") { 0o755 } else { 0o644 };
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    }
}

/// A bare runner: Terraform in the folder of the files; what it said, and whether it succeeded.
fn bare(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> (bool, String) {
    let output = Command::new("terraform")
        .args(arguments)
        .current_dir(folder)
        .env("CHECKPOINT_DISABLE", "1")
        .env_remove("TF_CLI_CONFIG_FILE")
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// Whether some process has this text in its command line.
fn is_running(text: &str) -> bool {
    Command::new("pgrep").args(["-f", text]).output().is_ok_and(|found| found.status.success())
}
