//! What cargo knows of the packages that Headway is built from, as far as xtask reads it.

use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// One package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Cargo's name for exactly this one.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its licence, as an SPDX expression.
    pub license: Option<String>,
    /// Where it comes from; none for what lies here.
    pub source: Option<String>,
}

/// Packages, and which of them need which.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// The packages.
    pub packages: Vec<Package>,
    /// By id, the ids of what a package needs when it runs or is built, tests aside.
    pub needs: BTreeMap<String, BTreeSet<String>>,
}

impl Metadata {
    /// Asks cargo, with arguments that say which packages and features are meant, and for which machine: all when none is
    /// named.
    pub fn read(workspace: &Workspace, scope: &[&str], features: &[&str], machine: Option<&str>) -> Result<Self> {
        let mut about = workspace.cargo(&["metadata", "--format-version", "1"]);
        about.args(features);
        if let Some(machine) = machine {
            about.args(["--filter-platform", machine]);
        }
        let document: Value = serde_json::from_str(&answer(&mut about)?).context("cargo metadata is no JSON")?;
        let mut metadata = Self::parse(&document).context("cargo metadata lacks what is needed")?;
        // The metadata names more than is ever built: what features would need that nobody switches on.
        let mut tree = workspace.cargo(&["tree", "--prefix", "none", "--format", "{p}"]);
        tree.args(scope).args(features).args(["--target", machine.unwrap_or("all")]);
        let tree = answer(&mut tree)?;
        let built: BTreeSet<(&str, &str)> = tree
            .lines()
            .filter_map(|line| {
                let (name, rest) = line.split_once(" v")?;
                Some((name, rest.split(' ').next()?))
            })
            .collect();
        metadata.packages.retain(|package| built.contains(&(&package.name, &package.version)));
        Ok(metadata)
    }

    fn parse(document: &Value) -> Option<Self> {
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let packages: Option<Vec<Package>> = document
            .get("packages")?
            .as_array()?
            .iter()
            .map(|package| {
                Some(Package {
                    id: text(package, "id")?,
                    name: text(package, "name")?,
                    version: text(package, "version")?,
                    license: text(package, "license"),
                    source: text(package, "source"),
                })
            })
            .collect();
        let mut needs = BTreeMap::new();
        for node in document.get("resolve")?.get("nodes")?.as_array()? {
            let needed = node.get("deps")?.as_array()?.iter().filter(|needed| {
                let kinds = needed.get("dep_kinds").and_then(Value::as_array);
                kinds.is_none_or(|kinds| kinds.iter().any(|kind| kind.get("kind").is_none_or(|kind| kind != "dev")))
            });
            needs.insert(text(node, "id")?, needed.filter_map(|needed| text(needed, "pkg")).collect());
        }
        Some(Self { packages: packages?, needs })
    }

    /// The package of this name that lies here, and all that it needs.
    pub fn part(&self, name: &str) -> Vec<&Package> {
        let Some(root) = self.packages.iter().find(|package| package.name == name && package.source.is_none()) else {
            return Vec::new();
        };
        let found = reached(BTreeSet::from([root.id.clone()]), &self.needs);
        self.packages.iter().filter(|package| found.contains(&package.id)).collect()
    }
}

/// What a command prints; an error when it fails.
fn answer(command: &mut Command) -> Result<String> {
    let output = command.output().context("cannot start cargo")?;
    if !output.status.success() {
        bail!("cargo failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// These, and everything that they need.
fn reached(mut found: BTreeSet<String>, needs: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    let mut open: Vec<String> = found.iter().cloned().collect();
    while let Some(id) = open.pop() {
        for needed in needs.get(&id).into_iter().flatten() {
            if found.insert(needed.clone()) {
                open.push(needed.clone());
            }
        }
    }
    found
}
