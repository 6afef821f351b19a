//! The supply chain: whether everything that Headway is built from may be part of it, by the rules of `deny.toml`.
//!
//! cargo-deny judges. One on the path is taken; else one is built from the registry, once, beside everything else that is
//! built here.

use crate::workspace::{Workspace, on_path, run};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The cargo-deny that is built here.
const CARGO_DENY: &str = "0.20.2";

/// Checks everything.
pub fn check(workspace: &Workspace) -> Result<()> {
    let program = program(workspace)?;
    run(deny(&program, workspace).args(["check", "--hide-inclusion-graph", "licenses", "bans", "sources"]))?;
    // The database of advisories lies elsewhere; without it nothing can be said.
    match run(deny(&program, workspace).args(["fetch", "db"])) {
        Ok(()) => run(deny(&program, workspace).args(["check", "--disable-fetch", "advisories"])),
        Err(_) => {
            println!("not checked: advisories; their database cannot be fetched from here");
            Ok(())
        }
    }
}

fn deny(program: &Path, workspace: &Workspace) -> Command {
    let mut command = workspace.program(program);
    command.arg("--locked");
    command
}

fn program(workspace: &Workspace) -> Result<PathBuf> {
    if let Some(program) = on_path("cargo-deny") {
        return Ok(program);
    }
    let folder = workspace.target.join("tools").join(format!("cargo-deny-{CARGO_DENY}"));
    let program = folder.join("bin/cargo-deny");
    if !program.exists() {
        // Unoptimised: it is built for longer than it runs.
        let mut install = workspace.cargo(&["install", "cargo-deny", "--version", CARGO_DENY, "--locked", "--debug"]);
        run(install.arg("--root").arg(&folder)).context("cargo-deny could not be installed from the registry")?;
    }
    Ok(program)
}
