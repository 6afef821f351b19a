//! The program: a simulated GitHub at an address, with its repositories and its memory in a folder.

use clap::Parser;
use headway_simulator::{Options, serve};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::net::TcpListener;

/// A simulated GitHub, on this machine alone.
#[derive(Parser)]
struct Line {
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1:3010")]
    addr: SocketAddr,
    /// The folder for its repositories and its memory
    #[arg(long)]
    root: PathBuf,
    /// The process with which it ends
    #[arg(long)]
    until: Option<u32>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let line = Line::parse();
    let listener = TcpListener::bind(line.addr).await?;
    println!("A simulated GitHub is at http://{}", listener.local_addr()?);
    let serving = serve(listener, Options { root: line.root, limits: true });
    tokio::select! {
        served = serving => served,
        () = gone(line.until) => Ok(()),
    }
}

/// Returns when the process is gone; never, when none was named.
async fn gone(process: Option<u32>) {
    let Some(process) = process else { return std::future::pending().await };
    // By signal 0, which asks only whether it is there; works wherever there is a `kill`.
    let there = || {
        let mut asked = tokio::process::Command::new("kill");
        asked.args(["-0", &process.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
        async move { asked.status().await.is_ok_and(|status| status.success()) }
    };
    while there().await {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
