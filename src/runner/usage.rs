//! The usage of one phase, watched: counts the memory and the processes of its sandbox and the files of its workspace, as the
//! kernel's own limits do not (they count for each process, and processes of the root user not at all).

use super::limits::{ENTRIES, Limits};
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
}

/// What a folder holds; links are not followed, and counting ends when it is too much anyway.
fn held(folder: &Path, limits: &Limits) -> Held {
    let mut held = Held::default();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for entry in entries.flatten() {
            held.entries += 1;
            let Ok(about) = std::fs::symlink_metadata(entry.path()) else { continue };
            if about.is_dir() {
                folders.push(entry.path());
            }
            held.bytes += about.blocks() * 512;
        }
        if held.entries > ENTRIES || held.bytes > limits.disk {
            break;
        }
    }
    held
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
}
