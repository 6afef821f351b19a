//! One phase as a child process: Terraform in its sandbox under a supervisor, with an environment that has only what it
//! was given. Asked to stop, it is interrupted politely and, when it takes too long, killed.

use super::limits::Limits;
use super::sandbox;
use rustix::process::{Pid, Signal};
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

/// How long what was ended may take to be gone.
const LAST: Duration = Duration::from_secs(10);

/// What to run.
#[derive(Debug)]
pub struct Program<'a> {
    /// The engine.
    pub engine: &'a Path,
    /// Its arguments; none comes from a repository.
    pub arguments: Vec<String>,
    /// Where it runs.
    pub folder: PathBuf,
    /// All of its environment.
    pub environment: Vec<(String, String)>,
    /// Bubblewrap and its arguments; none runs it bare.
    pub sandbox: Option<Vec<OsString>>,
    /// The options of [`super::inside`].
    pub inside: Vec<OsString>,
    /// What it may use.
    pub limits: Limits,
    /// How many bytes of standard output are kept, instead of being among the lines; more end the program.
    pub kept: Option<u64>,
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
    /// It wrote more than is kept.
    TooLong,
}

/// Runs the program to its end and sends everything it prints, in pieces as they come; how it ended, and what was kept.
pub async fn run(
    program: Program<'_>,
    pieces: mpsc::Sender<Vec<u8>>,
    mut orders: watch::Receiver<Order>,
) -> io::Result<(Ended, Vec<u8>)> {
    let (reader, writer) = io::pipe()?;
    let (kept_reader, kept_writer) = io::pipe()?;
    let stdout = if program.kept.is_some() {
        kept_writer
    } else {
        drop(kept_writer);
        writer.try_clone()?
    };
    let mut child = command(&program)?
        .stdin(Stdio::piped())
        .stdout(Stdio::from(stdout))
        .stderr(Stdio::from(writer))
        .kill_on_drop(true)
        .spawn()?;
    // Held open to the end: the supervisor takes its closing for the end of Headway.
    let lifeline = child.stdin.take();
    let leader = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let mut printed = tokio::spawn(read(pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?, pieces));
    let most = program.kept.unwrap_or(0);
    let kept = pipe::Receiver::from_owned_fd(OwnedFd::from(kept_reader))?;
    let (full, filled) = oneshot::channel();
    let kept = tokio::spawn(keep(kept, most, full));

    let deadline = Instant::now() + program.limit;
    let reason = tokio::select! {
        status = child.wait() => Ended::Exited(status?.code().unwrap_or(-1)),
        () = tokio::time::sleep_until(deadline) => Ended::TimedOut,
        Ok(order) = orders.wait_for(|order| *order != Order::Work) => Ended::Ordered(*order),
        Ok(()) = filled => Ended::TooLong,
    };
    let ended = match reason {
        Ended::Exited(_) => reason,
        Ended::TooLong => {
            end(&mut child, lifeline).await?;
            reason
        }
        Ended::TimedOut | Ended::Ordered(_) => {
            let code = interrupt(&mut child, leader, lifeline, program.grace).await?;
            // It may have come to its own end just as it was interrupted; what it did then counts.
            if code == Some(0) { Ended::Exited(0) } else { reason }
        }
    };
    // Whatever the supervisor left behind in its group goes with it, and with it the last writer of the pipes.
    if let Some(leader) = leader {
        let _ = rustix::process::kill_process_group(leader, Signal::KILL);
    }
    if tokio::time::timeout(Duration::from_secs(5), &mut printed).await.is_err() {
        // Somebody still holds the pipe; whoever writes the log must not wait for them.
        printed.abort();
    }
    match tokio::time::timeout(Duration::from_secs(5), kept).await {
        Ok(Ok(Some(kept))) => Ok((ended, kept)),
        Ok(Ok(None)) => Ok((Ended::TooLong, Vec::new())),
        Ok(Err(_)) | Err(_) => Err(io::ErrorKind::BrokenPipe.into()),
    }
}

/// The supervisor, the sandbox in it, and the engine in that.
fn command(program: &Program<'_>) -> io::Result<Command> {
    let headway = std::env::current_exe()?;
    let mut command = Command::new(&headway);
    command.arg("supervise").args(program.limits.arguments());
    let (inside, engine) = match &program.sandbox {
        Some(bubblewrap) => {
            command.arg("--confined").arg("--").args(bubblewrap);
            (sandbox::headway(), sandbox::engine(program.engine))
        }
        None => {
            command.arg("--");
            (headway, program.engine.to_owned())
        }
    };
    command.arg(inside).arg("inside").args(&program.inside).arg("--").arg(engine).args(&program.arguments);
    command.current_dir(&program.folder).env_clear().process_group(0);
    command.envs(program.environment.iter().map(|(name, value)| (name, value)));
    Ok(command)
}

/// Interrupts the program, waits, ends it. The exit code, if it ended by itself.
async fn interrupt(
    child: &mut Child,
    leader: Option<Pid>,
    lifeline: Option<ChildStdin>,
    grace: Duration,
) -> io::Result<Option<i32>> {
    if let Some(leader) = leader {
        // The supervisor alone, which passes it on: bubblewrap would end by it. It may have ended a moment ago.
        let _ = rustix::process::kill_process(leader, Signal::INT);
    }
    match tokio::time::timeout(grace, child.wait()).await {
        Ok(status) => Ok(status?.code()),
        Err(_) => {
            end(child, lifeline).await?;
            Ok(None)
        }
    }
}

/// Ends the supervisor and everything under it, as the end of Headway would.
async fn end(child: &mut Child, lifeline: Option<ChildStdin>) -> io::Result<()> {
    drop(lifeline);
    if tokio::time::timeout(LAST, child.wait()).await.is_err() {
        child.kill().await?;
    }
    Ok(())
}

/// Keeps what comes, and says so when it is too much.
async fn keep(reader: pipe::Receiver, most: u64, full: oneshot::Sender<()>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(most + 1).read_to_end(&mut bytes).await.ok()?;
    if bytes.len() as u64 > most {
        // Nobody listens when the program has ended meanwhile.
        let _ = full.send(());
        return None;
    }
    Some(bytes)
}

async fn read(mut reader: pipe::Receiver, pieces: mpsc::Sender<Vec<u8>>) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = reader.read(&mut buffer).await {
        if pieces.send(buffer[..count].to_vec()).await.is_err() {
            return;
        }
    }
}
