//! `cargo xtask run`: a Headway to look at, built from these sources, and for its sample a simulated GitHub. The server
//! takes this process over, so signals reach it and its exit code is ours; the simulator ends when the server has.

use crate::workspace::Workspace;
use crate::{build, simulator};
use anyhow::{Context, Result};
use clap::Args;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::ExitCode;

/// How to run it.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Small and fast instead of soon
    #[arg(long)]
    release: bool,
    /// The address to listen on, instead of the server's own default
    #[arg(long)]
    addr: Option<SocketAddr>,
    /// The data folder, by default data/sample, or data/empty with --empty
    #[arg(long)]
    data: Option<PathBuf>,
    /// Start without the sample stack
    #[arg(long)]
    empty: bool,
}

/// Builds, then becomes the server; comes back only when that fails.
pub fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    build::all(workspace, options.release)?;
    if !options.empty {
        build::simulator(workspace)?;
    }
    let server = workspace.server(options.release);
    let (verb, folder) = if options.empty { ("serve", "empty") } else { ("demo", "sample") };
    let data = options.data.clone().unwrap_or_else(|| workspace.root.join("data").join(folder));
    let data = std::path::absolute(data).context("that is no folder for data")?;
    let simulated = if options.empty { None } else { Some(simulator::start(workspace, &data)?) };
    // Not in the root: a folder that a person typed is meant from where they stand.
    let mut command = std::process::Command::new(&server);
    command.arg(verb).arg("--data").arg(data);
    if let Some(github) = simulated {
        command.arg("--sample-github").arg(github);
    }
    if let Some(addr) = options.addr {
        command.arg("--addr").arg(addr.to_string());
    }
    Err(command.exec()).with_context(|| format!("cannot start {}", server.display()))
}
