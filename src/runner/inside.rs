//! Inside the sandbox: the process that starts the engine there, interrupts it politely when it is told to, and leaves
//! nothing of its process group behind.
//!
//! It is told through its standard input: a byte is an interrupt, the end is the end. Signals would not do: they do not
//! pass from one process namespace into another's group.

use super::limits;
use clap::Args;
use rustix::process::{Pid, Resource, Signal, kill_process_group};
use std::ffi::OsString;
use std::io::Read as _;
use std::net::Ipv4Addr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use tokio::net::{TcpListener, UnixStream};
use tokio::process::Command;
use tokio::sync::mpsc;

/// What it exits with when the program could not be started.
pub const CANNOT_START: i32 = 127;

/// What is started inside, and with what.
#[derive(Args, Clone, Debug)]
pub struct Inside {
    /// How many processes and threads there may be; only where they are counted for this sandbox alone.
    #[arg(long)]
    pub processes: Option<u64>,
    /// The port at which the state backend is expected, where the network does not lead to it.
    #[arg(long, requires = "state")]
    pub port: Option<u16>,
    /// The socket that leads there.
    #[arg(long)]
    pub state: Option<PathBuf>,
    /// The program and its arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub program: Vec<OsString>,
}

/// Runs the program and returns its exit code, when nothing of its process group is left.
pub async fn inside(inside: Inside) -> i32 {
    let Some((program, arguments)) = inside.program.split_first() else { return CANNOT_START };
    if let (Some(port), Some(state)) = (inside.port, inside.state.clone())
        && let Err(error) = relay(port, state).await
    {
        eprintln!("cannot listen for the state backend: {error}");
        return CANNOT_START;
    }
    let mut told = lifeline();
    if let Some(processes) = inside.processes
        && let Err(error) = limits::lower(Resource::Nproc, processes)
    {
        eprintln!("cannot limit the processes: {error}");
        return CANNOT_START;
    }
    let mut child = match Command::new(program).args(arguments).stdin(Stdio::null()).process_group(0).spawn() {
        Ok(child) => child,
        Err(error) => {
            eprintln!("cannot start {}: {error}", program.display());
            return CANNOT_START;
        }
    };
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let signal = |signal| {
        if let Some(group) = group {
            // All of them may have ended a moment ago; then there is nothing to signal.
            let _ = kill_process_group(group, signal);
        }
    };
    let code = loop {
        tokio::select! {
            status = child.wait() => break status.map_or(CANNOT_START, |status| {
                status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
            }),
            word = told.recv() => match word {
                Some(()) => signal(Signal::INT),
                None => break CANNOT_START,
            },
        }
    };
    signal(Signal::KILL);
    // Gone for good before this is reported.
    let _ = child.wait().await;
    code
}

/// A message for every byte of standard input; closed when it ends.
fn lifeline() -> mpsc::Receiver<()> {
    let (sender, receiver) = mpsc::channel(8);
    // Not a task: a blocking read could not be taken back at the end.
    std::thread::spawn(move || {
        let mut byte = [0; 1];
        while matches!(std::io::stdin().read(&mut byte), Ok(1)) && sender.blocking_send(()).is_ok() {}
    });
    receiver
}

/// Passes whatever is sent to the port on to the socket, and back.
async fn relay(port: u16, state: PathBuf) -> std::io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let state = state.clone();
            tokio::spawn(async move {
                if let Ok(mut far) = UnixStream::connect(state).await {
                    // Whoever called sees that the connection ended.
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                }
            });
        }
    });
    Ok(())
}
