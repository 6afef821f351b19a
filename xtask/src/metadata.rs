//! What cargo knows of the packages that Headway is built from, as far as xtask reads it.

use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

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
    /// Asks cargo, with more arguments that say which features and which machine are meant.
    pub fn read(workspace: &Workspace, arguments: &[&str]) -> Result<Self> {
        let mut cargo = workspace.cargo(&["metadata", "--format-version", "1"]);
        let output = cargo.args(arguments).output().context("cannot start cargo")?;
        if !output.status.success() {
            bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let document: Value = serde_json::from_slice(&output.stdout).context("cargo metadata is no JSON")?;
        Self::parse(&document).context("cargo metadata lacks what is needed")
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
        let mut found = BTreeSet::from([&root.id]);
        let mut open = vec![&root.id];
        while let Some(id) = open.pop() {
            for needed in self.needs.get(id).into_iter().flatten() {
                if found.insert(needed) {
                    open.push(needed);
                }
            }
        }
        self.packages.iter().filter(|package| found.contains(&package.id)).collect()
    }
}
