//! The supervisor: a small process between Headway and Terraform that sees to it that Terraform never outlives Headway.
//!
//! It holds one end of a pipe; when the other end goes away, because Headway ended or was killed, it kills its whole
//! process group.
//!
//! An interrupt that is sent to the group is Terraform's business: the supervisor lets it pass and waits.

use std::ffi::OsString;
use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// What the supervisor exits with when the program could not be started.
pub const CANNOT_START: i32 = 127;

/// Runs the program and exits as it does; never returns while Headway lives and the program runs.
pub async fn supervise(program: &[OsString]) -> i32 {
    let Some((program, arguments)) = program.split_first() else { return CANNOT_START };
    // Registered before the program starts, so that no interrupt can end the supervisor alone.
    let (Ok(mut interrupted), Ok(mut terminated)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return CANNOT_START;
    };
    let mut child = match Command::new(program).args(arguments).stdin(Stdio::null()).spawn() {
        Ok(child) => child,
        Err(error) => {
            eprintln!("cannot start {}: {error}", program.display());
            return CANNOT_START;
        }
    };
    let mut headway = lifeline();
    loop {
        tokio::select! {
            status = child.wait() => return match status {
                Ok(status) => status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)),
                Err(_) => CANNOT_START,
            },
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
            _ = &mut headway => {
                kill_group();
                return CANNOT_START;
            }
        }
    }
}

/// Resolves when the other end of standard input is gone.
fn lifeline() -> oneshot::Receiver<()> {
    let (sender, receiver) = oneshot::channel();
    // Not a task: a blocking read could not be taken back at the end.
    std::thread::spawn(move || {
        let mut byte = [0; 1];
        while matches!(std::io::stdin().read(&mut byte), Ok(1)) {}
        // Whoever waited has ended with its program.
        let _ = sender.send(());
    });
    receiver
}

fn kill_group() {
    // The group is the supervisor's own: Headway starts each supervisor as the leader of a new one.
    let _ = rustix::process::kill_process_group(rustix::process::getpgrp(), rustix::process::Signal::KILL);
}
