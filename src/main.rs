//! The program: reads the command line, opens the store, starts the workers, serves, and ends in good order.

#[path = "main/keys.rs"]
mod keys;

use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand};
use headway::clock::{Clock, Ids};
use headway::commands::{Connecting, Context, Fetching, answer_delivery, catch_up, clean, fetch, reconcile};
use headway::config::Config;
use headway::github::GitHub;
use headway::store::Store;
use headway::{runner, sample, server};
use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, watch};
use tracing_subscriber::EnvFilter;

/// Self-hosted run promotion for Terraform and OpenTofu.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves Headway.
    Serve(Config),
    /// Serves Headway with a sample: a repository made on the spot, ready to promote.
    Demo(Config),
    /// Makes and rotates the keys that seal secrets.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Runs one program that must not outlive Headway; used by Headway itself.
    #[command(hide = true)]
    Supervise {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        program: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("headway: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = match Cli::parse().command {
        Command::Supervise { program } => {
            let code = runtime.block_on(runner::supervise::supervise(&program));
            return ExitCode::from(u8::try_from(code).unwrap_or(1));
        }
        Command::Keys(keys) => runtime.block_on(keys::run(keys)),
        Command::Serve(config) => runtime.block_on(serve(config)),
        Command::Demo(config) => runtime.block_on(serve(Config { sample: true, ..config })),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("headway: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(mut config: Config) -> anyhow::Result<()> {
    log_to_stderr();
    keep_memory_private();
    config.data = absolute(&config.data)?;
    let _lock = take(&config.data)?;
    let listener = listen(config.addr).await?;
    config.addr = listener.local_addr().context("cannot tell the address")?;
    let state_listener = listen_for_state(&mut config).await?;
    let context = open(config).await?;

    let (stop, stopping) = watch::channel(false);
    let (close, closing) = watch::channel(false);
    let workers = tokio::spawn(runner::work(context.clone(), stopping));
    let poller = tokio::spawn(fetch::poll(context.clone()));
    let cleaner = tokio::spawn(clean::work(context.clone()));
    let github = [
        tokio::spawn(answer_delivery::work(context.clone())),
        tokio::spawn(reconcile::work(context.clone())),
        tokio::spawn(catch_up::work(context.clone())),
    ];
    let seeding = context.config.sample.then(|| tokio::spawn(sample::seed(context.clone())));
    let state = tokio::spawn(axum::serve(state_listener, server::state_router(context.clone())).into_future());
    let router = server::router(context.clone(), closing.clone());
    let mut closed = closing;
    let serving = tokio::spawn(
        axum::serve(listener, router)
            .with_graceful_shutdown(async move {
                // An error means that nobody will ask to close any more.
                let _ = closed.wait_for(|closed| *closed).await;
            })
            .into_future(),
    );
    println!("Headway is at http://{}", context.config.addr);

    ended().await?;
    tracing::info!("ending: no new runs, what plans goes back to the queue, what applies is given time");
    poller.abort();
    cleaner.abort();
    if let Some(seeding) = seeding {
        seeding.abort();
    }
    stop.send_replace(true);
    // Runs that apply still write their state, and people still look; both end with the last run.
    tokio::select! {
        worked = workers => worked.context("the workers ended badly")?,
        again = ended() => { again?; bail!("ended at once: it was asked twice") }
    }
    // What GitHub was not told yet stands in the outbox.
    for worker in github {
        worker.abort();
    }
    state.abort();
    close.send_replace(true);
    let close_limit = std::time::Duration::from_secs(5);
    if let Ok(served) = tokio::time::timeout(close_limit, serving).await {
        served.context("the server ended badly")?.context("the server ended badly")?;
    }
    context.store.close().await;
    Ok(())
}

/// Keeps what is in memory, keys and secrets, out of core dumps and away from other processes of the same user.
fn keep_memory_private() {
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = rustix::process::setrlimit(rustix::process::Resource::Core, none) {
        tracing::warn!(%error, "cannot switch core dumps off");
    }
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "cannot keep other processes of this user out of the memory");
    }
}

fn log_to_stderr() {
    let filter = EnvFilter::try_from_env("HEADWAY_LOG").unwrap_or_else(|_| EnvFilter::new("warn,headway=info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

async fn ended() -> anyhow::Result<()> {
    let mut terminated = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    let mut interrupted = signal(SignalKind::interrupt()).context("cannot listen for signals")?;
    tokio::select! {
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
    }
    Ok(())
}

fn absolute(folder: &Path) -> anyhow::Result<std::path::PathBuf> {
    std::path::absolute(folder).with_context(|| format!("{} is no place for data", folder.display()))
}

/// Makes the data folder and keeps it for this process alone.
fn take(folder: &Path) -> anyhow::Result<File> {
    let cannot = || format!("cannot use the data folder {}", folder.display());
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(cannot)?;
    let lock = File::create(folder.join("lock")).with_context(cannot)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => bail!(
            "the data folder {} is used by another Headway. Stop that one first, or name another folder with --data",
            folder.display()
        ),
        Err(TryLockError::Error(error)) => Err(error).with_context(cannot),
    }
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        if error.kind() == std::io::ErrorKind::AddrInUse {
            anyhow::anyhow!("the address {address} is in use. Stop what listens there, or name another with --addr")
        } else {
            anyhow::anyhow!("cannot listen on {address}: {error}")
        }
    })
}

/// Listens for the Terraform of the runs, on the port of the first start if it is free.
async fn listen_for_state(config: &mut Config) -> anyhow::Result<TcpListener> {
    let file = config.state_port_file();
    let kept: u16 = std::fs::read_to_string(&file).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, kept)).await {
        Ok(listener) => listener,
        Err(error) => {
            tracing::warn!(port = kept, %error, "the state backend moves: plans that wait cannot be applied any more");
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("cannot listen on this machine")?
        }
    };
    config.state_port = listener.local_addr().context("cannot tell the state backend's port")?.port();
    std::fs::write(&file, config.state_port.to_string()).context("cannot keep the state backend's port")?;
    Ok(listener)
}

async fn open_store(config: &Config) -> anyhow::Result<Store> {
    let store = match &config.database {
        Some(address) => Store::open_postgres(address).await,
        None => Store::open_sqlite(&config.database_file()).await,
    };
    store.context("cannot open the database")
}

async fn open(config: Config) -> anyhow::Result<Context> {
    let store = open_store(&config).await?;
    let vault = keys::vault(&config, &store).await?;
    Ok(Context {
        config: Arc::new(config),
        store,
        vault,
        clock: Clock::System,
        ids: Ids::Random,
        work: Arc::new(Notify::new()),
        poll: Arc::new(Notify::new()),
        fetching: Fetching::default(),
        github: GitHub::new(Clock::System).context("cannot prepare requests to GitHub")?,
        connecting: Connecting::default(),
        delivered: Arc::new(Notify::new()),
    })
}
