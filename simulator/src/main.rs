//! The program: a simulated GitHub at an address, with its repositories and its memory in a folder.

use clap::Parser;
use headway_simulator::{Options, serve};
use std::net::SocketAddr;
use std::path::PathBuf;
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
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let line = Line::parse();
    let listener = TcpListener::bind(line.addr).await?;
    println!("A simulated GitHub is at http://{}", listener.local_addr()?);
    serve(listener, Options { root: line.root, limits: true }).await
}
