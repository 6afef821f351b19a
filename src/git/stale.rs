//! Lock files that an ended Git left behind: they would fail every later fetch. Git holds each of them for seconds, and
//! one mirror is fetched by one Headway at a time, so an old one has no owner.

use std::fs;
use std::path::Path;
use std::time::Duration;

/// How old a lock must be to have no owner.
const OLD: Duration = Duration::from_mins(2);

/// Whether Git's messages complain about a lock.
pub(super) fn locked(messages: &str) -> bool {
    messages.contains(".lock'") && messages.contains("File exists")
}

/// Removes old lock files from a mirror; whether there were any.
pub(super) fn remove_locks(mirror: &Path) -> bool {
    let top = remove_in(mirror, false);
    let references = remove_in(&mirror.join("refs"), true);
    let graph = remove_in(&mirror.join("objects/info"), true);
    top || references || graph
}

fn remove_in(folder: &Path, deep: bool) -> bool {
    let mut removed = false;
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(about) = entry.metadata() else { continue };
        if about.is_dir() {
            removed |= deep && remove_in(&path, deep);
        } else if path.extension().is_some_and(|extension| extension == "lock") {
            let old = about.modified().is_ok_and(|at| at.elapsed().is_ok_and(|age| age >= OLD));
            removed |= old && fs::remove_file(&path).is_ok();
        }
    }
    removed
}
