//! `cargo xtask test`: every suite in an order in which later ones find built what they need. A suite that fails does
//! not stop the next; the table at the end says what became of each, and what was left out of one.

use crate::workspace::{Workspace, on_path, run as call};
use crate::{browser, build, client, packages, sandbox, supply};
use anyhow::Result;
use clap::ValueEnum;
use std::fs;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// What can be tested by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Suite {
    /// The sources are formatted
    Format,
    /// The sources are free of warnings, as server, as client and as xtask
    Clippy,
    /// Everything that Headway is built from may be part of it
    Supply,
    /// The client and the server build
    Build,
    /// Tests of single modules
    Unit,
    /// Tests of the whole program, without a browser
    Scenarios,
    /// Tests in a browser
    Browser,
}

/// What is said before the suites that need Terraform when there is none.
const WITHOUT_TERRAFORM: &str = "\
warning: no terraform is on the PATH. The scenarios that plan for real are skipped, so most of what Headway does is not
warning: tried, and the browser tests that plan for real fail. Get Terraform from
warning: https://developer.hashicorp.com/terraform/install, then run this again.";

/// What became of a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    /// What was tried passed, and not all of it was tried: Terraform is missing.
    InPart,
    Failed,
    Skipped,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::InPart => "in part",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// Runs the suite, or all; the exit code is 1 when one failed.
pub fn run(workspace: &Workspace, only: Option<Suite>) -> Result<ExitCode> {
    let suites = only.map_or_else(|| Suite::value_variants().to_vec(), |suite| vec![suite]);
    let terraform = on_path("terraform").is_some();
    if !terraform && suites.iter().any(|suite| [Suite::Scenarios, Suite::Browser].contains(suite)) {
        println!("{WITHOUT_TERRAFORM}");
    }
    let mut results = Vec::new();
    for suite in suites {
        println!("\n=== {}", suite.name());
        let start = Instant::now();
        let outcome = suite.run(workspace).unwrap_or_else(|error| {
            eprintln!("error: {error:#}");
            Outcome::Failed
        });
        let in_part = suite == Suite::Scenarios && outcome == Outcome::Passed && !terraform;
        let outcome = if in_part { Outcome::InPart } else { outcome };
        results.push((suite.name(), outcome, start.elapsed()));
    }
    println!("\n{}", table(&results));
    let failed = results.iter().any(|(_, outcome, _)| *outcome == Outcome::Failed);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

impl Suite {
    fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    fn run(self, workspace: &Workspace) -> Result<Outcome> {
        let cargo = |line: &str| call(&mut workspace.cargo(&line.split(' ').collect::<Vec<_>>()));
        match self {
            Self::Format => cargo("fmt --all --check")?,
            Self::Clippy => {
                client::ensure_target(workspace)?;
                let server = cargo("clippy --package headway --all-targets --features ssr -- -D warnings");
                let client = cargo(
                    "clippy --package headway --lib --target wasm32-unknown-unknown --features hydrate -- -D warnings",
                );
                let others = cargo("clippy --package xtask --package headway-simulator --all-targets -- -D warnings");
                server.and(client).and(others)?;
            }
            Self::Supply => {
                if !supply::check(workspace)? {
                    return Ok(Outcome::Skipped);
                }
            }
            Self::Build => build::for_tests(workspace)?,
            Self::Unit => {
                let headway = cargo("test --package headway --features ssr --lib");
                let others = cargo("test --package xtask --package headway-simulator");
                headway.and(others)?;
            }
            Self::Scenarios if has_scenarios(workspace) => {
                sandbox::find_or_install();
                packages::find_opentofu(workspace);
                call(&mut workspace.cargo(&["test", "--package", "headway", "--features", "ssr", "--test", "*"]))?;
            }
            Self::Browser if browser::has_specs(workspace) => {
                build::for_tests(workspace)?;
                browser::test(workspace)?;
            }
            Self::Scenarios | Self::Browser => {
                println!("there are none");
                return Ok(Outcome::Skipped);
            }
        }
        Ok(Outcome::Passed)
    }
}

fn has_scenarios(workspace: &Workspace) -> bool {
    let is_source = |entry: fs::DirEntry| entry.path().extension().is_some_and(|extension| extension == "rs");
    fs::read_dir(workspace.root.join("tests")).is_ok_and(|entries| entries.flatten().any(is_source))
}

/// The table, and below it one line that counts.
fn table(results: &[(String, Outcome, Duration)]) -> String {
    let mut text = format!("{:<10} {:<8} {:>8}\n", "suite", "result", "seconds");
    for (name, outcome, time) in results {
        text.push_str(&format!("{name:<10} {:<8} {:>8.1}\n", outcome.name(), time.as_secs_f32()));
    }
    let count = |wanted| results.iter().filter(|(_, outcome, _)| *outcome == wanted).count();
    text.push_str(&format!("\n{} passed, {} failed", count(Outcome::Passed), count(Outcome::Failed)));
    match count(Outcome::Skipped) {
        0 => {}
        skipped => text.push_str(&format!(", {skipped} skipped")),
    }
    match count(Outcome::InPart) {
        0 => {}
        in_part => text.push_str(&format!(", {in_part} in part: without a terraform, nothing was planned or applied")),
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_ends_with_a_line_that_counts() {
        let results = [
            ("format".to_owned(), Outcome::Passed, Duration::from_millis(1250)),
            ("clippy".to_owned(), Outcome::Failed, Duration::from_secs(61)),
        ];
        assert_eq!(
            table(&results),
            "suite      result    seconds\n\
             format     passed        1.2\n\
             clippy     failed       61.0\n\n\
             1 passed, 1 failed"
        );
        let in_part = [("scenarios".to_owned(), Outcome::InPart, Duration::ZERO)];
        let said = table(&in_part);
        assert!(
            said.contains("scenarios  in part ")
                && said.contains("\n0 passed, 0 failed, 1 in part: without a terraform")
        );
        let skipped = [("browser".to_owned(), Outcome::Skipped, Duration::ZERO)];
        assert!(table(&skipped).ends_with("\n0 passed, 0 failed, 1 skipped"));
    }

    #[test]
    fn what_is_built_is_built_before_it_is_tested() {
        let order: Vec<String> = Suite::value_variants().iter().map(|suite| suite.name()).collect();
        assert_eq!(order, ["format", "clippy", "supply", "build", "unit", "scenarios", "browser"]);
    }
}
