//! Reaping: whatever a program leaves behind falls to the supervisor, which ends it and asks how it ended, so that neither
//! a process nor a trace of one outlives the run; also where Headway is the first process of a container.

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, wait};
use std::io;
use std::time::{Duration, Instant};

/// Has the kernel hand every orphan below this process to it, as it would to the first process of the machine.
pub fn adopt() -> io::Result<()> {
    Ok(set_child_subreaper(Some(getpid()))?)
}

/// Ends whatever is left below this process, until nothing is or the time is over.
pub async fn reap(limit: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < limit {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(Errno::INTR) => continue,
            Ok(None) => children().into_iter().for_each(|child| {
                // It may have ended by itself meanwhile.
                let _ = kill_process(child, Signal::KILL);
            }),
            // There is none any more.
            Err(_) => return,
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// The processes whose parent is this one.
fn children() -> Vec<Pid> {
    let own = getpid().as_raw_nonzero().get();
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let child = |entry: std::fs::DirEntry| {
        let process = entry.file_name().to_str()?.parse().ok()?;
        let status = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        // The parent is the second word after the name, which may hold anything.
        let parent = status.rsplit_once(") ")?.1.split_whitespace().nth(1)?;
        (parent.parse() == Ok(own)).then(|| Pid::from_raw(process)).flatten()
    };
    entries.flatten().filter_map(child).collect()
}
