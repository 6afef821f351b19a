//! `cargo xtask run`: a Headway to look at, built from these sources, and for its sample a simulated GitHub. The server
//! takes this process over, so signals reach it and its exit code is ours; the simulator ends when the server has.

use crate::workspace::Workspace;
use crate::{build, simulator};
use anyhow::{Context, Result};
use clap::Args;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// How to run it.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Small and fast instead of soon
    #[arg(long)]
    release: bool,
    /// The address to listen on, instead of the server's own default
    #[arg(long, value_parser = address)]
    addr: Option<SocketAddr>,
    /// The data folder, by default data/sample, or data/empty with --empty
    #[arg(long)]
    data: Option<PathBuf>,
    /// Start without the sample stack
    #[arg(long)]
    empty: bool,
}

/// Read before anything is built, in the words of the server.
fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "an IP address and a port, like 127.0.0.1:3000".to_owned())
}

/// Builds, then becomes the server; comes back only when that fails.
pub fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    build::all(workspace, options.release)?;
    if !options.empty {
        build::simulator(workspace)?;
    }
    let data = data(&workspace.root, options)?;
    let simulated = if options.empty { None } else { Some(simulator::start(workspace, &data)?) };
    let mut server = server(workspace.server(options.release), options, data, simulated);
    Err(server.exec()).with_context(|| format!("cannot start {}", server.get_program().display()))
}

/// Where the server keeps its data; a folder that a person typed is meant from where they stand.
fn data(root: &Path, options: &Options) -> Result<PathBuf> {
    let folder = if options.empty { "empty" } else { "sample" };
    let data = options.data.clone().unwrap_or_else(|| root.join("data").join(folder));
    std::path::absolute(data).context("that is no folder for data")
}

fn server(program: PathBuf, options: &Options, data: PathBuf, github: Option<String>) -> Command {
    let mut command = Command::new(program);
    command.arg(if options.empty { "serve" } else { "demo" }).arg("--data").arg(data);
    if let Some(github) = github {
        command.arg("--sample-github").arg(github);
    }
    if let Some(addr) = options.addr {
        command.arg("--addr").arg(addr.to_string());
    }
    command
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    /// What is started for a command line, on one line.
    fn started(line: &str) -> String {
        let options = Line::parse_from(line.split(' ')).options;
        let data = data(Path::new("/project"), &options).unwrap();
        let github = (!options.empty).then(|| "http://127.0.0.1:4000".to_owned());
        let command = server("headway".into(), &options, data, github);
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_option_reaches_the_server() {
        let github = "--sample-github http://127.0.0.1:4000";
        assert_eq!(started("run"), format!("headway demo --data /project/data/sample {github}"));
        assert_eq!(started("run --empty"), "headway serve --data /project/data/empty");
        assert_eq!(
            started("run --release --data /tmp/mine --addr 127.0.0.1:4321"),
            format!("headway demo --data /tmp/mine {github} --addr 127.0.0.1:4321")
        );
        let here = std::env::current_dir().unwrap().join("mine");
        assert_eq!(started("run --empty --data mine"), format!("headway serve --data {}", here.display()));
    }
}
