//! `cargo xtask sbom`: the bill of materials of a release, as `CycloneDX` 1.6 has it: every crate of the server and of the
//! client with its licence and checksum, and, marked as excluded, the packages that only the browser tests use.

use crate::metadata::{Metadata, Package};
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Writes it to a file.
pub fn write(workspace: &Workspace, file: &Path) -> Result<()> {
    let part = |feature: &str, machine: &str| {
        let scope = ["--package", "headway", "--edges", "normal,build"];
        Metadata::read(workspace, &scope, &["--features", feature], Some(machine))
    };
    let (server, client) = (part("ssr", "x86_64-unknown-linux-gnu")?, part("hydrate", "wasm32-unknown-unknown")?);
    let lock = fs::read_to_string(workspace.root.join("Cargo.lock")).context("Cargo.lock cannot be read")?;
    let npm = fs::read_to_string(workspace.end2end().join("package-lock.json")).unwrap_or_default();
    let npm = serde_json::from_str(&npm).unwrap_or(Value::Null);
    let bill = bill(&server, &client, &checksums(&lock), &npm).context("cargo does not know the package headway")?;
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, serde_json::to_string_pretty(&bill)? + "\n")
        .with_context(|| format!("{} cannot be written", file.display()))?;
    println!("The bill of materials is in {}", file.display());
    Ok(())
}

/// The checksums of a lock file, by name and version.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let mut found = BTreeMap::new();
    for block in lock.split("[[package]]").skip(1) {
        let value = |key: &str| {
            let line = block.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "))?;
            Some(line.trim_matches('"').to_owned())
        };
        if let (Some(name), Some(version), Some(checksum)) = (value("name"), value("version"), value("checksum")) {
            found.insert((name, version), checksum);
        }
    }
    found
}

fn bill(
    server: &Metadata,
    client: &Metadata,
    checksums: &BTreeMap<(String, String), String>,
    npm: &Value,
) -> Option<Value> {
    let parts = [server.part("headway"), client.part("headway")];
    let packages: BTreeMap<&str, &Package> =
        parts.iter().flatten().map(|package| (package.id.as_str(), *package)).collect();
    let headway = packages.values().find(|package| package.name == "headway" && package.source.is_none())?;
    let mut components: BTreeMap<String, Value> = BTreeMap::new();
    let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (id, package) in &packages {
        let reference = reference(package);
        for needed in [server, client].iter().filter_map(|metadata| metadata.needs.get(*id)).flatten() {
            if let Some(needed) = packages.get(needed.as_str()) {
                needs.entry(reference.clone()).or_default().insert(self::reference(needed));
            }
        }
        needs.entry(reference.clone()).or_default();
        if package.id != headway.id {
            let checksum = checksums.get(&(package.name.clone(), package.version.clone()));
            components.insert(reference.clone(), component(package, &reference, checksum));
        }
    }
    let mut components: Vec<Value> = components.into_values().collect();
    components.extend(npm_components(npm));
    let dependencies: Vec<Value> =
        needs.into_iter().map(|(from, to)| json!({ "ref": from, "dependsOn": to })).collect();
    Some(json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": { "components": [{ "type": "application", "name": "cargo xtask sbom" }] },
            "component": {
                "type": "application",
                "bom-ref": reference(headway),
                "name": headway.name,
                "version": headway.version,
                "licenses": licenses(headway.license.as_deref()),
            },
        },
        "components": components,
        "dependencies": dependencies,
    }))
}

fn reference(package: &Package) -> String {
    format!("pkg:cargo/{}@{}", package.name, package.version)
}

fn component(package: &Package, reference: &str, checksum: Option<&String>) -> Value {
    let mut component = Map::from_iter([
        ("type".to_owned(), "library".into()),
        ("bom-ref".to_owned(), reference.into()),
        ("name".to_owned(), package.name.clone().into()),
        ("version".to_owned(), package.version.clone().into()),
        ("scope".to_owned(), "required".into()),
        ("licenses".to_owned(), licenses(package.license.as_deref())),
        ("purl".to_owned(), reference.into()),
    ]);
    if let Some(checksum) = checksum {
        component.insert("hashes".to_owned(), json!([{ "alg": "SHA-256", "content": checksum }]));
    }
    component.into()
}

fn licenses(license: Option<&str>) -> Value {
    // The slash is an old way to say OR.
    let expression = |license: &str| json!([{ "expression": license.replace(" / ", " OR ").replace('/', " OR ") }]);
    license.map_or_else(|| json!([]), expression)
}

/// What the browser tests use; nothing of it is in a release.
fn npm_components(lock: &Value) -> Vec<Value> {
    let packages = lock.get("packages").and_then(Value::as_object).into_iter().flatten();
    let components = packages.filter_map(|(path, package)| {
        let name = path.rsplit_once("node_modules/")?.1;
        let version = package.get("version")?.as_str()?;
        let purl = format!("pkg:npm/{}@{version}", name.replace('@', "%40"));
        Some((
            purl.clone(),
            json!({
                "type": "library",
                "bom-ref": purl,
                "name": name,
                "version": version,
                "scope": "excluded",
                "licenses": licenses(package.get("license").and_then(Value::as_str)),
                "purl": purl,
            }),
        ))
    });
    components.collect::<BTreeMap<_, _>>().into_values().collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn the_bill_of_this_very_project_names_every_crate_once_with_its_checksum() {
        let workspace = Workspace::find().unwrap();
        let scratch = crate::scratch::Scratch::new();
        let file = scratch.path().join("headway.cdx.json");
        write(&workspace, &file).unwrap();
        let bill: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let components = bill["components"].as_array().unwrap();
        let names = |name: &str| components.iter().filter(|component| component["name"] == name).count();
        assert_eq!(
            (names("axum"), names("gloo-net"), names("headway"), names("proptest") + names("ring")),
            (1, 1, 0, 0)
        );
        let mut references: Vec<&str> =
            components.iter().map(|component| component["bom-ref"].as_str().unwrap()).collect();
        references.sort_unstable();
        let count = references.len();
        references.dedup();
        assert_eq!(references.len(), count);
        for component in components.iter().filter(|component| component["scope"] == "required") {
            assert_eq!(component["hashes"][0]["content"].as_str().unwrap().len(), 64, "{component}");
            assert!(component["licenses"][0]["expression"].is_string(), "{component}");
        }
        let known = |reference: &Value| {
            let reference = reference.as_str().unwrap();
            references.contains(&reference) || reference.starts_with("pkg:cargo/headway@")
        };
        for dependency in bill["dependencies"].as_array().unwrap() {
            assert!(known(&dependency["ref"]));
            assert!(dependency["dependsOn"].as_array().unwrap().iter().all(known));
        }
    }
}
