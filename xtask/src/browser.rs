//! The browser tests' needs: Node's packages and a browser. What the machine has is used, what it lacks is fetched,
//! and what cannot be fetched is named.

use crate::workspace::{Workspace, on_path, output, run};
use crate::{debian, packages};
use anyhow::{Result, bail, ensure};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const NAMES: [&str; 5] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

const PLACES: [&str; 4] = [
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/opt/google/chrome/chrome",
    "/snap/bin/chromium",
];

/// Runs the browser tests against the server that was built.
pub fn test(workspace: &Workspace) -> Result<()> {
    packages::install(workspace)?;
    let mut playwright = playwright(workspace);
    if let Some(browser) = find_or_install(workspace)? {
        playwright.env("HEADWAY_BROWSER", browser);
    }
    playwright.arg("test").env("HEADWAY_BINARY", workspace.server(false));
    run(&mut playwright)
}

/// Whether there is anything to run.
pub fn has_specs(workspace: &Workspace) -> bool {
    let is_spec = |entry: fs::DirEntry| entry.file_name().to_string_lossy().ends_with(".spec.ts");
    fs::read_dir(workspace.end2end().join("tests")).is_ok_and(|entries| entries.flatten().any(is_spec))
}

fn playwright(workspace: &Workspace) -> Command {
    let mut command = Command::new(workspace.end2end().join("node_modules/.bin/playwright"));
    command.current_dir(workspace.end2end());
    command
}

/// The browser to use; none means the one that Playwright keeps for itself.
fn find_or_install(workspace: &Workspace) -> Result<Option<PathBuf>> {
    if let Some(browser) = env::var_os("HEADWAY_BROWSER") {
        let browser = PathBuf::from(browser);
        ensure!(works(&browser), "HEADWAY_BROWSER is {}, which does not start", browser.display());
        return Ok(Some(browser));
    }
    if let Some(browser) = find() {
        return Ok(Some(browser));
    }
    // Only on Debian: Ubuntu's package of that name is a snap, which does not start in most containers.
    match (debian::install("chromium"), find()) {
        (Ok(true), Some(browser)) => return Ok(Some(browser)),
        (Ok(true), None) => eprintln!("the chromium that apt-get installed does not start"),
        (Ok(false), _) => {}
        (Err(error), _) => eprintln!("{error:#}"),
    }
    if let Err(error) = run(playwright(workspace).args(["install", "chromium"])) {
        bail!(
            "no browser: none is on the PATH and none can be fetched ({error:#}). Install Chromium or Chrome with your \
             system's packages, or set HEADWAY_BROWSER to one"
        );
    }
    Ok(None)
}

fn find() -> Option<PathBuf> {
    let named = NAMES.iter().filter_map(|name| on_path(name));
    named.chain(PLACES.iter().map(PathBuf::from)).find(|browser| works(browser))
}

fn works(browser: &Path) -> bool {
    output(Command::new(browser).arg("--version")).is_some_and(|version| version.contains("Chrom"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_say_it_is_a_browser_is_none() {
        assert!(!works(Path::new("/bin/true")));
        assert!(!works(Path::new("/nowhere/chromium")));
    }
}
