//! The client: WebAssembly by cargo, JavaScript by the wasm-bindgen library, so that nothing has to be installed and
//! the two cannot be of different versions.

use crate::workspace::{Workspace, on_path, output, run};
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use wasm_bindgen_cli_support::Bindgen;

const TARGET: &str = "wasm32-unknown-unknown";

/// The client as a browser loads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The JavaScript that loads the WebAssembly.
    pub script: String,
    /// The WebAssembly.
    pub module: Vec<u8>,
}

/// Makes sure that rustc can compile to WebAssembly.
pub fn ensure_target(workspace: &Workspace) -> Result<()> {
    let sysroot = output(workspace.program("rustc").args(["--print", "sysroot"])).context("rustc does not run")?;
    if Path::new(&sysroot).join("lib/rustlib").join(TARGET).is_dir() {
        return Ok(());
    }
    ensure!(
        on_path("rustup").is_some(),
        "this Rust cannot compile to {TARGET}, and there is no rustup to add it: \
         install Rust with rustup (https://rustup.rs), or your system's package of Rust for WebAssembly"
    );
    run(workspace.program("rustup").args(["target", "add", TARGET]))
}

/// Fails when the client is compiled for another wasm-bindgen than the one that xtask is.
pub fn check_versions(workspace: &Workspace) -> Result<()> {
    let lock = fs::read_to_string(workspace.root.join("Cargo.lock")).context("Cargo.lock cannot be read")?;
    let client = locked_version(&lock, "wasm-bindgen").context("Cargo.lock has no wasm-bindgen")?;
    let library =
        locked_version(&lock, "wasm-bindgen-cli-support").context("Cargo.lock has no wasm-bindgen library")?;
    ensure!(
        client == library,
        "the client uses wasm-bindgen {client}, xtask has {library}: \
         give `wasm-bindgen` in Cargo.toml and `wasm-bindgen-cli-support` in xtask/Cargo.toml the same version"
    );
    Ok(())
}

/// Compiles the client; the answer is the file that rustc wrote.
pub fn compile(workspace: &Workspace, release: bool) -> Result<PathBuf> {
    let profile = if release { "wasm-release" } else { "wasm-dev" };
    let mut cargo = workspace.cargo(&["build", "--package", "headway", "--lib", "--target", TARGET]);
    cargo.args(["--no-default-features", "--features", "hydrate", "--profile", profile]);
    run(&mut cargo)?;
    Ok(workspace.target.join(TARGET).join(profile).join("headway.wasm"))
}

/// Turns what rustc wrote into what a browser loads.
pub fn bind(wasm: &Path, release: bool) -> Result<Client> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(wasm).out_name("headway").web(true)?.typescript(false);
    // The page says where the module is: its name has a hash that the script cannot know.
    bindgen.omit_default_module_path(true);
    bindgen.remove_name_section(release).remove_producers_section(true);
    let mut output = bindgen.generate_output()?;
    if output.snippets().values().any(|files| !files.is_empty()) || !output.local_modules().is_empty() {
        bail!("a dependency of the client brings JavaScript files of its own, which the server would not serve");
    }
    Ok(Client { script: output.js().to_owned(), module: output.wasm_mut().emit_wasm() })
}

/// The version of a package in a `Cargo.lock`, when there is exactly one.
fn locked_version<'lock>(lock: &'lock str, name: &str) -> Option<&'lock str> {
    let mut versions = lock.split("[[package]]").filter_map(|package| {
        let value = |key: &str| {
            package.lines().find_map(|line| line.strip_prefix(key)?.trim().strip_prefix("= \"")?.strip_suffix('"'))
        };
        (value("name ")? == name).then(|| value("version "))?
    });
    let version = versions.next()?;
    versions.next().is_none().then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "version = 4\n\n[[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n\n\
        [[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"0.2.131\"\n\n\
        [[package]]\nname = \"syn\"\nversion = \"2.0.0\"\n\n[[package]]\nname = \"syn\"\nversion = \"3.0.0\"\n";

    #[test]
    fn the_version_of_a_package_is_found_by_its_whole_name() {
        assert_eq!(locked_version(LOCK, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(locked_version(LOCK, "wasm-bindgen-macro"), Some("0.2.131"));
    }

    #[test]
    fn a_package_that_is_missing_or_there_twice_has_no_version() {
        assert_eq!(locked_version(LOCK, "wasm"), None);
        assert_eq!(locked_version(LOCK, "syn"), None);
    }
}
