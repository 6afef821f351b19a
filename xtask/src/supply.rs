//! The supply chain: whether everything that Headway is built from may be part of it, by the rules of `deny.toml`. Where
//! cargo-deny is installed it checks all of them; else this checks licences, bans and sources, and says what it did not.

use crate::metadata::{Metadata, Package};
use crate::workspace::{Workspace, on_path, run};
use anyhow::{Context, Result, bail};
use spdx::{Expression, ParseMode};
use std::collections::BTreeMap;
use std::fs;
use toml::{Table, Value};

/// Checks everything.
pub fn check(workspace: &Workspace) -> Result<()> {
    if on_path("cargo-deny").is_some() {
        run(&mut workspace.cargo(&["deny", "--locked", "check", "licenses", "bans", "sources"]))?;
        // The database of advisories lies elsewhere; without it nothing can be said.
        let fetch = run(&mut workspace.cargo(&["deny", "--locked", "fetch", "db"]));
        return match fetch {
            Ok(()) => run(&mut workspace.cargo(&["deny", "--locked", "check", "--disable-fetch", "advisories"])),
            Err(_) => {
                println!("not checked: advisories; their database cannot be fetched from here");
                Ok(())
            }
        };
    }
    let text = fs::read_to_string(workspace.root.join("deny.toml")).context("deny.toml cannot be read")?;
    let rules = Rules::read(&text)?;
    let metadata = Metadata::read(workspace, &["--workspace"], &["--all-features"], None)?;
    let problems = rules.problems(&metadata.packages);
    for problem in &problems {
        eprintln!("error: {problem}");
    }
    for (name, versions) in duplicates(&metadata.packages) {
        println!("warning: {name} is there in {} versions: {}", versions.len(), versions.join(", "));
    }
    println!(
        "{} packages: licences, bans and sources checked\n\
         not checked: advisories, yanked versions; install cargo-deny for that: cargo install --locked cargo-deny",
        metadata.packages.len()
    );
    if problems.is_empty() { Ok(()) } else { bail!("{} packages may not be part of Headway", problems.len()) }
}

/// What of `deny.toml` is checked here.
struct Rules {
    allowed: Vec<String>,
    banned: Vec<String>,
    registries: Vec<String>,
}

impl Rules {
    fn read(text: &str) -> Result<Self> {
        let table: Table = text.parse().context("deny.toml is no TOML")?;
        let list = |section: &str, key: &str| -> Result<Vec<String>> {
            let values = table.get(section).and_then(|section| section.get(key)).and_then(Value::as_array);
            let values = values.with_context(|| format!("deny.toml has no list {section}.{key}"))?;
            let text = |value: &Value| value.get("crate").unwrap_or(value).as_str().map(str::to_owned);
            values.iter().map(|value| text(value).with_context(|| format!("{section}.{key} holds {value:?}"))).collect()
        };
        Ok(Self {
            allowed: list("licenses", "allow")?,
            banned: list("bans", "deny")?,
            registries: list("sources", "allow-registry")?,
        })
    }

    fn problems(&self, packages: &[Package]) -> Vec<String> {
        let mut problems = Vec::new();
        for package in packages {
            let name = format!("{} {}", package.name, package.version);
            // Headway itself has no source.
            let Some(source) = &package.source else { continue };
            if !self.registries.iter().any(|registry| *source == format!("registry+{registry}")) {
                problems.push(format!("{name} comes from {source}"));
            }
            if self.banned.contains(&package.name) {
                problems.push(format!("{name} is banned"));
            }
            match package.license.as_deref() {
                None => problems.push(format!("{name} names no licence")),
                Some(license) if !self.allows(license) => problems.push(format!("{name} has the licence {license}")),
                Some(_) => {}
            }
        }
        problems
    }

    fn allows(&self, license: &str) -> bool {
        let Ok(expression) = Expression::parse_mode(license, ParseMode::LAX) else { return false };
        expression.evaluate(|requirement| self.allowed.contains(&requirement.to_string()))
    }
}

fn duplicates(packages: &[Package]) -> BTreeMap<&str, Vec<&str>> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages {
        versions.entry(&package.name).or_default().push(&package.version);
    }
    versions.retain(|_, versions| versions.len() > 1);
    versions
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn package(name: &str, license: Option<&str>, source: Option<&str>) -> Package {
        Package {
            id: name.into(),
            name: name.into(),
            version: "1.0.0".into(),
            license: license.map(str::to_owned),
            source: source.map(str::to_owned),
        }
    }

    #[test]
    fn what_may_not_be_part_of_headway_is_named() {
        let index = "registry+https://github.com/rust-lang/crates.io-index";
        let rules = Rules::read(include_str!("../../deny.toml")).unwrap();
        let packages = [
            package("headway", None, None),
            package("good", Some("MIT/Apache-2.0"), Some(index)),
            package("both", Some("(MIT OR GPL-3.0) AND Unicode-3.0"), Some(index)),
            package("exception", Some("Apache-2.0 WITH LLVM-exception"), Some(index)),
            package("ring", Some("ISC"), Some(index)),
            package("copyleft", Some("MIT AND GPL-3.0"), Some(index)),
            package("silent", None, Some(index)),
            package("elsewhere", Some("MIT"), Some("git+https://example.com/elsewhere")),
        ];
        assert_eq!(
            rules.problems(&packages),
            [
                "ring 1.0.0 is banned",
                "copyleft 1.0.0 has the licence MIT AND GPL-3.0",
                "silent 1.0.0 names no licence",
                "elsewhere 1.0.0 comes from git+https://example.com/elsewhere",
            ]
        );
    }
}
