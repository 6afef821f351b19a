//! The workspace of a run: a folder that only Headway's user may enter. The run may change some folders in it: the
//! commit's files, a home and a temporary folder of its own, what Terraform keeps, the saved plan. What Headway itself
//! keeps there stands beside them, where no program of the run comes.

use crate::commands::Context;
use crate::domain::run::Run;
use std::fs::{DirBuilder, Permissions};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The file of the saved plan while it waits, in the folder of its run.
pub const SEALED_PLAN: &str = "plan.sealed";

/// The files of one run.
#[derive(Clone, Debug)]
pub struct Workspace {
    folder: PathBuf,
}

impl Workspace {
    /// The workspace of a run, whether it is there or not.
    pub fn of(context: &Context, run: &Run) -> Self {
        Self { folder: context.config.workspaces().join(run.id.as_str()) }
    }

    /// Makes it anew; what an earlier try left is removed.
    pub fn create(&self) -> io::Result<()> {
        self.remove()?;
        let own = [self.folder.clone(), self.saved(), self.shared_memory()];
        for folder in own.into_iter().chain(self.changeable()) {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let (users, groups) = self.names();
        std::fs::write(users, format!("headway:x:1000:1000::{}:/bin/sh\n", self.home().display()))?;
        std::fs::write(groups, "headway:x:1000:\n")
    }

    /// Removes it with everything in it; one that is not there is no error.
    pub fn remove(&self) -> io::Result<()> {
        remove(&self.folder)
    }

    /// All of it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folders that every phase may change.
    pub fn changeable(&self) -> [PathBuf; 4] {
        [self.source(), self.home(), self.temporary(), self.data()]
    }

    /// The commit's files.
    pub fn source(&self) -> PathBuf {
        self.folder.join("source")
    }

    /// The home of the programs that run here.
    pub fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// The temporary folder of the programs that run here.
    pub fn temporary(&self) -> PathBuf {
        self.folder.join("tmp")
    }

    /// What those programs have as `/dev/shm`.
    pub fn shared_memory(&self) -> PathBuf {
        self.folder.join("shm")
    }

    /// Where Terraform keeps providers, modules and what it knows of its backend; outside the commit's files, so that a
    /// `.terraform` folder in the repository is never taken for it.
    pub fn data(&self) -> PathBuf {
        self.folder.join("terraform")
    }

    /// The folder that holds nothing but the saved plan.
    pub fn saved(&self) -> PathBuf {
        self.folder.join("saved")
    }

    /// The saved plan, in clear; only while it is made, read and applied.
    pub fn plan(&self) -> PathBuf {
        self.saved().join("plan")
    }

    /// The saved plan, sealed, while it waits.
    pub fn sealed_plan(&self) -> PathBuf {
        self.folder.join(SEALED_PLAN)
    }

    /// Terraform's configuration of itself, which Headway writes.
    pub fn engine_settings(&self) -> PathBuf {
        self.folder.join("terraform.rc")
    }

    /// What a confined run has as `/etc/passwd` and `/etc/group`.
    pub fn names(&self) -> (PathBuf, PathBuf) {
        (self.folder.join("passwd"), self.folder.join("group"))
    }

    /// Whether there is a plan to apply.
    pub fn has_plan(&self) -> bool {
        self.sealed_plan().is_file()
    }

    /// The folder that holds the configuration; [`io::ErrorKind::NotFound`] when the commit has no such folder, or
    /// something that is not a real folder stands there.
    pub fn configuration(&self, project_root: &str) -> io::Result<PathBuf> {
        let mut folder = self.source();
        for part in Path::new(project_root).components() {
            folder.push(part);
            // A link could lead out of the commit's files.
            if !std::fs::symlink_metadata(&folder)?.is_dir() {
                return Err(io::ErrorKind::NotFound.into());
            }
        }
        Ok(folder)
    }
}

/// Reads a file that a run may have made: a real one, no link, no pipe, and no longer than `most` bytes.
pub fn read(file: &Path, most: u64) -> io::Result<Vec<u8>> {
    if !std::fs::symlink_metadata(file)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no file"));
    }
    // It could have become something else since, and a pipe would be waited for.
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    let opened = std::fs::OpenOptions::new().read(true).custom_flags(flags).open(file)?;
    let mut bytes = Vec::new();
    opened.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is too long"));
    }
    Ok(bytes)
}

/// Removes a workspace, even one in which a run took its own folders' permissions away.
pub fn remove(folder: &Path) -> io::Result<()> {
    let mut removed = std::fs::remove_dir_all(folder);
    if removed.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied) {
        open_up(folder);
        removed = std::fs::remove_dir_all(folder);
    }
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Err(_) | Ok(()) => Ok(()),
    }
}

/// Lets Headway into every folder below, as far as it may.
fn open_up(folder: &Path) {
    if !std::fs::symlink_metadata(folder).is_ok_and(|about| about.is_dir()) {
        return;
    }
    // What still cannot be entered is reported by the removal.
    let _ = std::fs::set_permissions(folder, Permissions::from_mode(0o700));
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        open_up(&entry.path());
    }
}

/// Every workspace that is there: the run's id and the folder.
pub fn all(workspaces: &Path) -> Vec<(String, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(workspaces) else { return Vec::new() };
    entries.flatten().map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path())).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn only_a_real_file_of_a_fair_length_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "12345").unwrap();
        assert_eq!(read(&file, 5).unwrap(), b"12345");
        assert_eq!(read(&file, 4).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(read(&link, 5).is_err());
        assert!(read(folder.path(), 5).is_err());
        assert!(read(Path::new("/dev/zero"), 5).is_err());
    }

    #[test]
    fn a_workspace_goes_even_when_a_run_shut_its_own_folders() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = folder.path().join("run");
        std::fs::create_dir_all(workspace.join("source/shut/deep")).unwrap();
        std::fs::write(workspace.join("source/shut/deep/file"), "").unwrap();
        std::fs::set_permissions(workspace.join("source/shut/deep"), Permissions::from_mode(0o0)).unwrap();
        std::fs::set_permissions(workspace.join("source/shut"), Permissions::from_mode(0o0)).unwrap();
        open_up(&workspace);
        assert_eq!(std::fs::metadata(workspace.join("source/shut")).unwrap().permissions().mode() & 0o777, 0o700);
        remove(&workspace).unwrap();
        assert!(!workspace.exists());
        remove(&workspace).unwrap();
    }
}
