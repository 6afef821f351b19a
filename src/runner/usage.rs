//! The usage of one phase, watched: counts the memory and the processes of its sandbox and the files of its workspace, as the
//! kernel's own limits do not (they count for each process, and processes of the root user not at all).

use super::limits::{ENTRIES, Limits};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often processes are counted.
const PROCESSES: Duration = Duration::from_millis(100);
/// How often files are counted; longer when counting takes long.
const FILES: Duration = Duration::from_secs(1);

/// Returns the reason as soon as a limit is passed; `first` is the first process of the sandbox, seen from outside.
pub async fn passed(limits: Limits, first: Option<u32>) -> String {
    let limits = &limits;
    let processes = async {
        // Its own view of itself: nothing else is there, and nothing of it is missing.
        let Some(listing) = first.map(|first| PathBuf::from(format!("/proc/{first}/root/proc"))) else {
            return std::future::pending::<String>().await;
        };
        loop {
            tokio::time::sleep(PROCESSES).await;
            let used = used(&listing, limits.processes);
            if used.tasks > limits.processes {
                return format!("it has more than {} processes and threads", limits.processes);
            }
            if used.memory > limits.memory {
                return format!("it uses more than {} MiB of memory", limits.memory >> 20);
            }
        }
    };
    let files = async {
        loop {
            let (begun, counted) = (Instant::now(), limits.clone());
            let held = tokio::task::spawn_blocking(move || held(&counted.folder, &counted)).await.unwrap_or_default();
            if let Some(folder) = held.uncounted {
                return format!("its workspace has a folder that cannot be counted ({folder})");
            }
            if held.entries > ENTRIES {
                return format!("its workspace holds more than {ENTRIES} files");
            }
            if held.bytes > limits.disk {
                return format!("its workspace holds more than {} MiB", limits.disk >> 20);
            }
            tokio::time::sleep(FILES.max(begun.elapsed() * 20)).await;
        }
    };
    tokio::select! {
        reason = processes => reason,
        reason = files => reason,
    }
}

#[derive(Debug, Default)]
struct Used {
    tasks: u64,
    memory: u64,
}

/// What the processes of a `/proc` use together; counting ends when there are too many anyway.
fn used(listing: &Path, most: u64) -> Used {
    let mut used = Used::default();
    let Ok(entries) = std::fs::read_dir(listing) else { return used };
    for entry in entries.flatten() {
        let is_process = entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit());
        if !is_process || used.tasks > most {
            continue;
        }
        // A process that ended in this moment has no status.
        let status = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0)
        };
        used.tasks += field("Threads:");
        used.memory += (field("RssAnon:") + field("RssShmem:") + field("VmSwap:")) << 10;
    }
    used
}

#[derive(Debug, Default)]
struct Held {
    entries: u64,
    bytes: u64,
    /// A folder that does not let itself be looked into, or lies too deep: why. Anything might be in there.
    uncounted: Option<io::ErrorKind>,
}

/// What a folder holds; links are not followed, and counting ends when it is too much anyway.
fn held(folder: &Path, limits: &Limits) -> Held {
    let mut held = Held::default();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let counted = std::fs::read_dir(folder).and_then(|mut entries| {
            entries.try_for_each(|entry| {
                let entry = entry?;
                held.entries += 1;
                let Some(about) = unless_gone(std::fs::symlink_metadata(entry.path()))? else { return Ok(()) };
                if about.is_dir() {
                    folders.push(entry.path());
                }
                held.bytes += about.blocks() * 512;
                Ok(())
            })
        });
        held.uncounted = unless_gone(counted).err().map(|error| error.kind());
        if held.uncounted.is_some() || held.entries > ENTRIES || held.bytes > limits.disk {
            break;
        }
    }
    held
}

/// What was found, or nothing where the program has taken it away meanwhile.
fn unless_gone<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_uses_is_read_from_the_kernel() {
        let ballast = vec![1_u8; 64 << 20];
        let used = used(Path::new("/proc"), u64::MAX);
        assert!(used.tasks >= 2 && used.memory >= ballast.len() as u64, "{used:?}");
    }

    #[tokio::test]
    async fn a_workspace_that_grows_too_large_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("deep")).unwrap();
        std::os::unix::fs::symlink("/", folder.path().join("link")).unwrap();
        std::fs::write(folder.path().join("deep/file"), vec![1; 3 << 20]).unwrap();
        let limits = Limits { disk: 2 << 20, folder: folder.path().to_owned(), ..Limits::default() };
        assert_eq!(passed(limits, None).await, "its workspace holds more than 2 MiB");
    }

    #[tokio::test]
    async fn a_workspace_hides_nothing_from_being_counted() {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits { disk: 1 << 30, folder: folder.path().to_owned(), ..Limits::default() };
        // Deeper than any path may be long. A folder that may not be read is refused alike, but not to root.
        let deep = "i=0; while [ $i -lt 20 ]; do mkdir $(printf %0250d 0); cd 0*; i=$((i+1)); done";
        let made = std::process::Command::new("sh").args(["-c", deep]).current_dir(folder.path()).status().unwrap();
        assert!(made.success());
        let said = passed(limits, None).await;
        assert!(said.starts_with("its workspace has a folder that cannot be counted"), "{said}");
        let removed = std::process::Command::new("rm").arg("-rf").arg(folder.path()).status().unwrap();
        assert!(removed.success(), "the standard library cannot remove it");
    }

    #[test]
    fn what_goes_away_while_it_is_counted_is_no_trouble() {
        let held = held(Path::new("/nowhere/at/all"), &Limits::default());
        assert_eq!((held.entries, held.bytes, held.uncounted), (0, 0, None));
    }
}
