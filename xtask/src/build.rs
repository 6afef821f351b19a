//! The build: the client, the site made of it, then the server that carries the site.

use crate::client;
use crate::sbom;
use crate::site::{self, Inputs};
use crate::workspace::{Workspace, run};
use anyhow::Result;

/// Builds everything.
pub fn all(workspace: &Workspace, release: bool) -> Result<()> {
    site(workspace, release)?;
    let mut server = workspace.cargo(&["build", "--package", "headway", "--bin", "headway", "--features", "ssr"]);
    if release {
        server.arg("--release");
    }
    run(&mut server)?;
    // A release says what it is made of.
    if release { sbom::write(workspace, &workspace.server(true).with_extension("cdx.json")) } else { Ok(()) }
}

/// Builds the simulated GitHub; optimised it would be no use to anybody.
pub fn simulator(workspace: &Workspace) -> Result<()> {
    run(&mut workspace.cargo(&["build", "--package", "headway-simulator", "--bin", "headway-simulator"]))
}

/// Builds the server together with its tests, so that both share one build of every dependency: on its own, the server
/// would be built with other features of some.
pub fn for_tests(workspace: &Workspace) -> Result<()> {
    site(workspace, false)?;
    run(&mut workspace.cargo(&["build", "--package", "headway", "--bin", "headway", "--tests", "--features", "ssr"]))?;
    simulator(workspace)
}

/// Builds the client and brings `target/site/` up to date.
fn site(workspace: &Workspace, release: bool) -> Result<()> {
    client::ensure_target(workspace)?;
    client::check_versions(workspace)?;
    let wasm = client::compile(workspace, release)?;
    let inputs = Inputs::read(&workspace.root, &wasm, release)?;
    site::update(&workspace.site(), &inputs, || client::bind(&wasm, release))
}

/// Builds the server as it is released and measures it.
pub fn bench(workspace: &Workspace) -> Result<()> {
    site(workspace, true)?;
    run(&mut workspace.cargo(&["bench", "--package", "headway", "--bench", "github", "--features", "ssr"]))
}
