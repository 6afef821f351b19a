//! The simulated GitHub beside the sample: a process of its own that ends with the server, however that ends.

use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// Starts it on the port of its last start, or on a free one; its address.
pub fn start(workspace: &Workspace, data: &Path) -> Result<String> {
    let root = data.join("github");
    std::fs::create_dir_all(&root).with_context(|| format!("cannot make {}", root.display()))?;
    let kept = root.join("address");
    // Its repositories and its App know each other by this address.
    let address = std::fs::read_to_string(&kept).unwrap_or_else(|_| "127.0.0.1:0".into());
    let program = workspace.target.join("debug/headway-simulator");
    let mut child = Command::new(&program)
        .args(["--addr", address.trim(), "--until", &std::process::id().to_string(), "--root"])
        .arg(&root)
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let mut line = String::new();
    let output = child.stdout.take().context("the simulated GitHub says nothing")?;
    BufReader::new(output).read_line(&mut line)?;
    let Some(url) = line.trim().strip_prefix("A simulated GitHub is at ") else {
        bail!("the simulated GitHub did not start: is {address} in use? Stop what listens there, or use another --data")
    };
    std::fs::write(&kept, url.trim_start_matches("http://"))?;
    println!("{}", line.trim());
    Ok(url.to_owned())
}
