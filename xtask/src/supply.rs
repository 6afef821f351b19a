//! The supply chain: whether everything that Headway is built from may be part of it, by the rules of `deny.toml`.
//!
//! cargo-deny judges. One on the path is taken; else one is built from the registry, once, beside everything else that is
//! built here.

use crate::workspace::{Workspace, on_path, run};
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The cargo-deny that is built here.
const CARGO_DENY: &str = "0.20.2";

/// Checks everything; false when there is nothing to check it with.
pub fn check(workspace: &Workspace) -> Result<bool> {
    let Some(program) = find_or_install(workspace) else {
        println!(
            "not checked: cargo-deny is not installed and cannot be built from the registry; install it with\n\
             `cargo install cargo-deny --locked`, then run this again"
        );
        return Ok(false);
    };
    run(deny(&program, workspace).args(["check", "--hide-inclusion-graph", "licenses", "bans", "sources"]))?;
    // The database of advisories lies elsewhere; without it nothing can be said.
    match run(deny(&program, workspace).args(["fetch", "db"])) {
        Ok(()) => run(deny(&program, workspace).args(["check", "--disable-fetch", "advisories"]))?,
        Err(_) => println!("not checked: advisories; their database cannot be fetched from here"),
    }
    Ok(true)
}

fn deny(program: &Path, workspace: &Workspace) -> Command {
    let mut command = workspace.program(program);
    command.arg("--locked");
    command
}

fn find_or_install(workspace: &Workspace) -> Option<PathBuf> {
    if let Some(program) = on_path("cargo-deny") {
        return Some(program);
    }
    let folder = workspace.target.join("tools").join(format!("cargo-deny-{CARGO_DENY}"));
    let program = folder.join("bin/cargo-deny");
    if !program.exists() {
        // Unoptimised: it is built for longer than it runs.
        let mut install = workspace.cargo(&["install", "cargo-deny", "--version", CARGO_DENY, "--locked", "--debug"]);
        run(install.arg("--root").arg(&folder)).ok()?;
    }
    Some(program)
}
