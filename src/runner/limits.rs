//! The limits of one phase: how much memory, how many processes and how much of the disk it may use, as arguments of the
//! supervisor and as limits of the kernel.

use clap::Args;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

/// How many files a process may have open.
const OPEN_FILES: u64 = 4096;
/// How many files and folders a workspace may hold.
pub const ENTRIES: u64 = 500_000;

/// What a phase may use.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Memory of all its processes together, in bytes.
    #[arg(long)]
    pub memory: u64,
    /// Processes and threads.
    #[arg(long)]
    pub processes: u64,
    /// All files in the folder together, in bytes.
    #[arg(long)]
    pub disk: u64,
    /// The folder whose files are counted.
    #[arg(long)]
    pub folder: PathBuf,
}

impl Limits {
    /// The supervisor's arguments that say so.
    pub fn arguments(&self) -> Vec<OsString> {
        let numbers = [("--memory", self.memory), ("--processes", self.processes), ("--disk", self.disk)];
        let mut arguments: Vec<OsString> =
            numbers.into_iter().flat_map(|(name, number)| [name.into(), number.to_string().into()]).collect();
        arguments.extend(["--folder".into(), self.folder.clone().into()]);
        arguments
    }

    /// Sets what the kernel itself keeps, for this process and all that come after it.
    ///
    /// The kernel counts memory for each process; the watch counts it for all together.
    pub fn set(&self) -> io::Result<()> {
        lower(Resource::Data, self.memory)?;
        lower(Resource::Fsize, self.disk)?;
        lower(Resource::Nofile, OPEN_FILES)?;
        // A core dump would hold secrets.
        lower(Resource::Core, 0)
    }
}

/// Lowers a limit; one that is lower already stays.
pub fn lower(resource: Resource, to: u64) -> io::Result<()> {
    let now = getrlimit(resource);
    let least = |limit: Option<u64>| Some(limit.map_or(to, |limit| limit.min(to)));
    Ok(setrlimit(resource, Rlimit { current: least(now.current), maximum: least(now.maximum) })?)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        limits: Limits,
    }

    #[test]
    fn the_supervisor_reads_what_headway_writes() {
        let limits = Limits { memory: 1, processes: 2, disk: 3, folder: "/srv/-x y".into() };
        let mut line = vec![OsString::from("supervise")];
        line.extend(limits.arguments());
        assert_eq!(Command::try_parse_from(line).unwrap().limits, limits);
    }
}
