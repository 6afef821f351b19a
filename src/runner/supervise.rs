//! The supervisor: a small process between Headway and a run, in a sandbox or not, that sees to it that nothing of the run
//! outlives it or Headway, or uses more than it may.
//!
//! It holds one end of a pipe; when the other end goes away, because Headway ended or was killed, it ends what it runs.
//! An interrupt that is sent to it is passed on inside.

use super::inside::CANNOT_START;
use super::limits::Limits;
use super::reap::{adopt, reap};
use super::usage;
use clap::Args;
use rustix::io::{FdFlags, fcntl_setfd};
use std::ffi::OsString;
use std::io::{self, PipeReader, Read as _};
use std::os::fd::AsRawFd as _;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// What the supervisor exits with when it ended the program.
const ENDED: i32 = 125;
/// How long what was killed may take to be gone.
const LAST: Duration = Duration::from_secs(5);

/// What is supervised.
#[derive(Args, Clone, Debug)]
pub struct Supervise {
    /// What it may use.
    #[command(flatten)]
    pub limits: Limits,
    /// Whether the program is bubblewrap.
    #[arg(long)]
    pub confined: bool,
    /// The program and its arguments; what it starts is [`super::inside`].
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub program: Vec<OsString>,
}

/// Runs the program and exits as it does; never returns while Headway lives and the program runs.
pub async fn supervise(supervise: Supervise) -> i32 {
    // Registered before the program starts, so that no interrupt can end the supervisor alone.
    let (Ok(mut interrupted), Ok(mut terminated)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return CANNOT_START;
    };
    let (mut child, first) = match adopt().and_then(|()| start(&supervise)) {
        Ok(started) => started,
        Err(error) => {
            eprintln!("cannot start: {error}");
            return CANNOT_START;
        }
    };
    let mut told = child.stdin.take();
    let (mut headway, mut first) = (lifeline(), first);
    let mut asked = supervise.confined;
    let mut watched = Box::pin(usage::passed(supervise.limits.clone(), None));
    let code = loop {
        tokio::select! {
            status = child.wait() => break status.ok().and_then(|status| status.code()).unwrap_or(CANNOT_START),
            found = &mut first, if asked => {
                asked = false;
                watched = Box::pin(usage::passed(supervise.limits.clone(), found.ok()));
            }
            _ = interrupted.recv() => if let Some(told) = &mut told {
                // Whoever is gone needs no interrupt.
                let _ = told.write_all(b"!").await;
            },
            _ = terminated.recv() => {}
            reason = &mut watched => {
                eprintln!("\nHeadway ended this run: {reason}.");
                end(&mut child, told.take(), supervise.confined).await;
                break ENDED;
            }
            _ = &mut headway => {
                end(&mut child, told.take(), supervise.confined).await;
                break ENDED;
            }
        }
    };
    reap(LAST).await;
    code
}

/// Starts the program; the answer to come is its sandbox's first process.
fn start(supervise: &Supervise) -> io::Result<(Child, oneshot::Receiver<u32>)> {
    let (program, arguments) = supervise.program.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    supervise.limits.set()?;
    let mut command = Command::new(program);
    let (sender, receiver) = oneshot::channel();
    let mut information = None;
    if supervise.confined {
        let (reader, writer) = io::pipe()?;
        // This process starts nothing else that could inherit it.
        fcntl_setfd(&writer, FdFlags::empty())?;
        command.arg("--info-fd").arg(writer.as_raw_fd().to_string());
        information = Some((reader, writer));
    }
    let child = command.args(arguments).stdin(Stdio::piped()).kill_on_drop(true).spawn()?;
    if let Some((reader, writer)) = information {
        drop(writer);
        std::thread::spawn(move || first_process(reader).map(|first| sender.send(first)));
    }
    Ok((child, receiver))
}

/// The first process of a sandbox, from what bubblewrap tells of it.
fn first_process(mut reader: PipeReader) -> Option<u32> {
    let mut text = String::new();
    reader.read_to_string(&mut text).ok()?;
    let told: serde_json::Value = serde_json::from_str(&text).ok()?;
    u32::try_from(told.get("child-pid")?.as_u64()?).ok()
}

/// Ends the program with everything in it.
async fn end(child: &mut Child, told: Option<tokio::process::ChildStdin>, confined: bool) {
    // With this end of it, what is inside ends its own; a sandbox ends whatever is in it.
    drop(told);
    if confined {
        let _ = child.start_kill();
    }
    if tokio::time::timeout(LAST, child.wait()).await.is_err() {
        let _ = child.start_kill();
    }
}

/// Resolves when the other end of standard input is gone.
fn lifeline() -> oneshot::Receiver<()> {
    let (sender, receiver) = oneshot::channel();
    // Not a task: a blocking read could not be taken back at the end.
    std::thread::spawn(move || {
        let mut byte = [0; 1];
        while matches!(io::stdin().read(&mut byte), Ok(1)) {}
        // Whoever waited has ended with its program.
        let _ = sender.send(());
    });
    receiver
}
