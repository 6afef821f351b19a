//! `cargo xtask`: builds, runs and tests Headway on a machine that has only Rust, Git, Node and a C compiler.

mod browser;
mod build;
mod client;
mod debian;
mod metadata;
mod packages;
mod run;
mod sandbox;
mod sbom;
#[cfg(test)]
mod scratch;
mod simulator;
mod site;
mod style;
mod suites;
mod supply;
mod workspace;

use anyhow::Result;
use clap::Parser;
use std::process::ExitCode;
use workspace::Workspace;

/// Builds, runs and tests Headway.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Build the client, then the server that carries it
    Build {
        /// Small and fast instead of soon
        #[arg(long)]
        release: bool,
    },
    /// Build, then start a Headway with a sample stack
    Run(run::Options),
    /// Measure what BENCHMARKS.md says
    Bench,
    /// Write the bill of materials
    Sbom {
        /// The file, by default target/headway.cdx.json
        #[arg(long)]
        output: Option<std::path::PathBuf>,
    },
    /// Run one suite, or all
    Test {
        /// The suite
        #[arg(value_enum)]
        suite: Option<suites::Suite>,
    },
}

fn main() -> ExitCode {
    perform(Task::parse()).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn perform(task: Task) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    match task {
        Task::Build { release } => build::all(&workspace, release).map(|()| ExitCode::SUCCESS),
        Task::Bench => build::bench(&workspace).map(|()| ExitCode::SUCCESS),
        Task::Sbom { output } => {
            let file = output.unwrap_or_else(|| workspace.target.join("headway.cdx.json"));
            sbom::write(&workspace, &file).map(|()| ExitCode::SUCCESS)
        }
        Task::Run(options) => run::run(&workspace, &options),
        Task::Test { suite } => suites::run(&workspace, suite),
    }
}
