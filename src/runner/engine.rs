//! The engine: which program plans and applies for a stack. Either the path that the stack names, or the version it
//! names, or what is found on the path.

use crate::domain::vendor::Vendor;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// There is no such program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// Nothing is on the path.
    #[error(
        "{} is not installed: there is no program {:?} on the path. Get it from {}, or name its path in Settings > Vendor.",
        .0.label(), .0.program(), .0.home()
    )]
    NotInstalled(Vendor),
    /// The stack names a path at which there is no program.
    #[error("There is no program at {0}. Change the path in Settings > Vendor.")]
    NoProgram(String),
    /// The stack names a version that is not there.
    #[error("{} {version} is not installed. Put it on the path as {}-{version}, or change the version in Settings > Vendor.", vendor.label(), vendor.program())]
    NoVersion {
        /// Whose program.
        vendor: Vendor,
        /// Which version.
        version: String,
    },
}

/// Finds the program for a stack; `named` is a path, a version, or empty.
pub async fn find(vendor: Vendor, named: &str) -> Result<PathBuf, EngineError> {
    if let Some(error) = missing(vendor, named) {
        return Err(error);
    }
    if named.starts_with('/') {
        return Ok(PathBuf::from(named));
    }
    let of_version = on_path(&format!("{}-{named}", vendor.program())).filter(|_| !named.is_empty());
    match of_version.or_else(|| on_path(vendor.program())) {
        None => Err(EngineError::NotInstalled(vendor)),
        Some(file) if named.is_empty() || version(&file).await.as_deref() == Some(named) => Ok(file),
        Some(_) => Err(EngineError::NoVersion { vendor, version: named.into() }),
    }
}

/// Why a stack has no program, as far as a look at the path can tell: it does not ask for versions.
pub fn missing(vendor: Vendor, named: &str) -> Option<EngineError> {
    if named.starts_with('/') {
        return (!is_program(Path::new(named))).then(|| EngineError::NoProgram(named.into()));
    }
    let found = on_path(vendor.program()).or_else(|| on_path(&format!("{}-{named}", vendor.program())));
    found.is_none().then_some(EngineError::NotInstalled(vendor))
}

/// The program of that name on the path.
pub(super) fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(program)).find(|file| is_program(file))
}

/// The version that a program says it is.
pub async fn version(program: &Path) -> Option<String> {
    let run = tokio::process::Command::new(program)
        .args(["version", "-json"])
        .env("CHECKPOINT_DISABLE", "1")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(std::time::Duration::from_secs(10), run).await.ok()?.ok()?;
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
    said.get("terraform_version")?.as_str().map(str::to_owned)
}

fn is_program(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_is_found_by_its_path_or_the_refusal_says_how_to_get_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("terraform");
        let named = file.to_str().unwrap();
        assert_eq!(find(Vendor::Terraform, named).await, Err(EngineError::NoProgram(named.into())));
        std::fs::write(&file, "#!/bin/sh\necho '{\"terraform_version\":\"9.8.7\"}'\n").unwrap();
        assert_eq!(find(Vendor::Terraform, named).await, Err(EngineError::NoProgram(named.into())));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(find(Vendor::Terraform, named).await.unwrap(), file);
        assert_eq!(version(&file).await.as_deref(), Some("9.8.7"));

        let missing = EngineError::NotInstalled(Vendor::OpenTofu).to_string();
        assert!(
            missing.contains("OpenTofu") && missing.contains("\"tofu\"") && missing.contains("https://"),
            "{missing}"
        );
    }
}
