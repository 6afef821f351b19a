//! The sealed plan: a saved plan holds every variable and attribute in clear, so it waits for its confirmation sealed
//! with Headway's key, and is in clear only while it is made, read and applied.
//!
//! What is sealed is sealed before anybody sees the plan, so what was confirmed is what is applied.

use super::workspace::{self, SEALED_PLAN, Workspace};
use crate::domain::run::Run;
use crate::vault::Vault;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Seals the plan that a run just made; no longer than `most` bytes.
pub fn seal(vault: &Vault, workspace: &Workspace, run: &Run, most: u64) -> io::Result<()> {
    let plan = workspace::read(&workspace.plan(), most)?;
    write(&workspace.sealed_plan(), &vault.seal_bytes(&plan, run.id.as_str())?)
}

fn write(place: &Path, sealed: &[u8]) -> io::Result<()> {
    let part = place.with_extension("part");
    let mut file = File::create(&part)?;
    file.write_all(sealed)?;
    // It must be there after a power failure when the database says so.
    file.sync_all()?;
    std::fs::rename(part, place)
}

/// Seals the plans that wait in these workspaces anew, those that the vault's first key has not sealed; how many.
pub fn rotate(vault: &Vault, workspaces: &Path) -> io::Result<usize> {
    let folders = match std::fs::read_dir(workspaces) {
        Ok(folders) => folders,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut count = 0;
    for folder in folders {
        let folder = folder?;
        // A workspace has the name of its run.
        let (Ok(run), place) = (folder.file_name().into_string(), folder.path().join(SEALED_PLAN)) else { continue };
        let sealed = match std::fs::read(&place) {
            Ok(sealed) => sealed,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => continue,
            Err(error) => return Err(error),
        };
        if !vault.has_sealed(&sealed) {
            let plan = vault.open_bytes(&sealed, &run).map_err(io::Error::other)?;
            write(&place, &vault.seal_bytes(&plan, &run)?)?;
            count += 1;
        }
    }
    Ok(count)
}

/// Removes the plan in clear; one that is not there is no error.
pub fn forget(workspace: &Workspace) -> io::Result<()> {
    match std::fs::remove_file(workspace.plan()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Err(_) | Ok(()) => Ok(()),
    }
}

/// Writes the plan in clear, for the apply that follows at once.
pub fn open(vault: &Vault, workspace: &Workspace, run: &Run) -> io::Result<()> {
    let sealed = std::fs::read(workspace.sealed_plan())?;
    let plan = vault.open_bytes(&sealed, run.id.as_str()).map_err(io::Error::other)?;
    forget(workspace)?;
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(workspace.plan())?;
    file.write_all(&plan)
}
