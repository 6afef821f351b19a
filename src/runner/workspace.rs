//! The workspace of a run: a folder that only Headway's user may enter, with the commit's files, a home and a temporary
//! folder of its own, and the saved plan until it has been applied.

use crate::commands::Context;
use crate::domain::run::Run;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

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
        for folder in [self.folder.clone(), self.source(), self.home(), self.temporary()] {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        Ok(())
    }

    /// Removes it with everything in it; one that is not there is no error.
    pub fn remove(&self) -> io::Result<()> {
        match std::fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Err(_) | Ok(()) => Ok(()),
        }
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

    /// Where Terraform keeps providers, modules and what it knows of its backend; outside the commit's files, so that a
    /// `.terraform` folder in the repository is never taken for it.
    pub fn data(&self) -> PathBuf {
        self.folder.join("terraform")
    }

    /// The saved plan.
    pub fn plan(&self) -> PathBuf {
        self.folder.join("plan")
    }

    /// The saved plan as JSON, while it is read.
    pub fn plan_document(&self) -> PathBuf {
        self.folder.join("plan.json")
    }

    /// Whether there is a plan to apply.
    pub fn has_plan(&self) -> bool {
        self.plan().is_file()
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

/// Every workspace that is there: the run's id and the folder.
pub fn all(workspaces: &Path) -> Vec<(String, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(workspaces) else { return Vec::new() };
    entries.flatten().map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path())).collect()
}
