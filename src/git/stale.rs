//! Lock files that an ended Git left behind: they would fail every later fetch. Git holds each of them for seconds, and
//! one mirror is fetched by one Headway at a time, so an old one has no owner. Nor has any that was there before Headway
//! started: Git ends with the Headway that began it.

use std::fs;
use std::path::Path;
use std::time::Duration;

/// How old a lock must be to have no owner.
const OLD: Duration = Duration::from_mins(2);

/// Whether Git's messages complain about a lock.
pub(super) fn locked(messages: &str) -> bool {
    messages.contains(".lock'") && messages.contains("File exists")
}

/// Removes every lock file from the mirrors in this folder, which this process has to itself and has not used yet.
pub fn remove_every_lock(mirrors: &Path) {
    for mirror in fs::read_dir(mirrors).into_iter().flatten().flatten() {
        remove_older(&mirror.path(), Duration::ZERO);
    }
}

/// Removes old lock files from a mirror; whether there were any.
pub(super) fn remove_locks(mirror: &Path) -> bool {
    remove_older(mirror, OLD)
}

fn remove_older(mirror: &Path, least: Duration) -> bool {
    let top = remove_in(mirror, false, least);
    let references = remove_in(&mirror.join("refs"), true, least);
    let graph = remove_in(&mirror.join("objects/info"), true, least);
    top || references || graph
}

fn remove_in(folder: &Path, deep: bool, least: Duration) -> bool {
    let mut removed = false;
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(about) = entry.metadata() else { continue };
        if about.is_dir() {
            removed |= deep && remove_in(&path, deep, least);
        } else if path.extension().is_some_and(|extension| extension == "lock") {
            // One from the future tells that the clock was set back, and not how old it is.
            let age = about.modified().map(|at| at.elapsed().unwrap_or_default());
            let old = age.is_ok_and(|age| age >= least);
            removed |= old && fs::remove_file(&path).is_ok();
        }
    }
    removed
}
