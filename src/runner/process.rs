//! One phase as a child process: Terraform under a supervisor, in a process group of its own, with an environment that
//! has only what it was given. Asked to stop, it is interrupted politely and, when it takes too long, killed.

use rustix::process::{Pid, Signal};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// What to run.
#[derive(Debug)]
pub struct Program<'a> {
    /// The program.
    pub file: &'a Path,
    /// Its arguments; none comes from a repository.
    pub arguments: Vec<String>,
    /// Where it runs.
    pub folder: PathBuf,
    /// All of its environment.
    pub environment: Vec<(String, String)>,
    /// Where its standard output goes instead of among the lines.
    pub output: Option<File>,
    /// How long it may take.
    pub limit: Duration,
    /// How long it may take to end once it is interrupted.
    pub grace: Duration,
}

/// What a keeper tells the one who works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Go on.
    Work,
    /// Somebody asked the run to stop.
    Stop,
    /// Headway ends.
    Shutdown,
    /// The lease is lost: nothing this worker does counts any more.
    Lost,
}

/// How a phase ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this code; 0 is success.
    Exited(i32),
    /// Because of an order.
    Ordered(Order),
    /// It took longer than it may.
    TimedOut,
}

/// Runs the program to its end and sends everything it prints, in pieces as they come.
pub async fn run(
    program: Program<'_>,
    pieces: mpsc::Sender<Vec<u8>>,
    mut orders: watch::Receiver<Order>,
) -> io::Result<Ended> {
    let (reader, writer) = io::pipe()?;
    let output = program.output.map_or_else(|| writer.try_clone().map(Stdio::from), |file| Ok(Stdio::from(file)))?;
    let mut child = Command::new(std::env::current_exe()?)
        .arg("supervise")
        .arg("--")
        .arg(program.file)
        .args(&program.arguments)
        .current_dir(&program.folder)
        .env_clear()
        .envs(program.environment.iter().map(|(name, value)| (name, value)))
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(output)
        .stderr(Stdio::from(writer))
        .kill_on_drop(true)
        .spawn()?;
    // Held open to the end: the supervisor takes its closing for the end of Headway.
    let _lifeline = child.stdin.take();
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let printed = tokio::spawn(read(pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?, pieces));

    let deadline = Instant::now() + program.limit;
    let reason = tokio::select! {
        status = child.wait() => Ended::Exited(status?.code().unwrap_or(-1)),
        () = tokio::time::sleep_until(deadline) => Ended::TimedOut,
        Ok(order) = orders.wait_for(|order| *order != Order::Work) => Ended::Ordered(*order),
    };
    let ended = match reason {
        Ended::Exited(_) => reason,
        Ended::TimedOut | Ended::Ordered(_) => {
            let code = interrupt(&mut child, group, program.grace).await?;
            // It may have come to its own end just as it was interrupted; what it did then counts.
            if code == Some(0) { Ended::Exited(0) } else { reason }
        }
    };
    // Whatever the program left behind in its group goes with it, and with it the last writer of the pipe.
    kill(group, Signal::KILL);
    let _ = tokio::time::timeout(Duration::from_secs(5), printed).await;
    Ok(ended)
}

/// Interrupts the group, waits, kills. The exit code, if it ended by itself.
async fn interrupt(child: &mut Child, group: Option<Pid>, grace: Duration) -> io::Result<Option<i32>> {
    kill(group, Signal::INT);
    match tokio::time::timeout(grace, child.wait()).await {
        Ok(status) => Ok(status?.code()),
        Err(_) => {
            kill(group, Signal::KILL);
            child.wait().await?;
            Ok(None)
        }
    }
}

fn kill(group: Option<Pid>, signal: Signal) {
    if let Some(group) = group {
        // It may have ended a moment ago; then there is nothing to signal.
        let _ = rustix::process::kill_process_group(group, signal);
    }
}

async fn read(mut reader: pipe::Receiver, pieces: mpsc::Sender<Vec<u8>>) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = reader.read(&mut buffer).await {
        if pieces.send(buffer[..count].to_vec()).await.is_err() {
            return;
        }
    }
}
