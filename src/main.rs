//! The program: reads the command line, opens the store, starts the workers, serves, and ends in good order.

#[path = "main/audit.rs"]
mod audit;
#[path = "main/keys.rs"]
mod keys;

use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand};
use headway::clock::{Clock, Ids};
use headway::commands::{
    Commenting, Connecting, Context, Departures, Fetching, Repeats, Revealed, Throttle, answer_delivery, catch_up,
    clean, fetch, invite, reconcile, repeats,
};
use headway::config::Config;
use headway::config::sandbox::Switch;
use headway::domain::problem::Problem;
use headway::github::GitHub;
use headway::openid::OpenId;
use headway::outgoing::Outgoing;
use headway::password::Passwords;
use headway::runner::inside::{Inside, inside};
use headway::runner::supervise::{Supervise, supervise};
use headway::store::Store;
use headway::{git, runner, sample, server};
use std::fs::{File, TryLockError};
use std::io::IsTerminal as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::{TcpListener, UnixListener};
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
    /// Prints a link that makes an administrator, once: for when nobody can sign in any more. Headway must not be running.
    Administrator(Config),
    /// Verifies or exports the activity log.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Makes and rotates the keys that seal secrets.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Runs one program that must not outlive Headway; used by Headway itself.
    #[command(hide = true)]
    Supervise(Supervise),
    /// Runs one program inside a sandbox; used by Headway itself.
    #[command(hide = true)]
    Inside(Inside),
}

fn main() -> ExitCode {
    let command = Cli::parse().command;
    let runtime = match &command {
        Command::Serve(_) | Command::Demo(_) | Command::Administrator(_) | Command::Audit(_) | Command::Keys(_) => {
            tokio::runtime::Builder::new_multi_thread().enable_all().build()
        }
        // They are started for every phase of every run, and do next to nothing.
        Command::Supervise(_) | Command::Inside(_) => {
            tokio::runtime::Builder::new_current_thread().enable_all().build()
        }
    };
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("headway: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let exit = |code| ExitCode::from(u8::try_from(code).unwrap_or(1));
    let done = match command {
        Command::Supervise(supervised) => return exit(runtime.block_on(supervise(supervised))),
        Command::Inside(started) => return exit(runtime.block_on(inside(started))),
        Command::Audit(audit) => {
            return runtime.block_on(audit::run(audit)).unwrap_or_else(|error| {
                eprintln!("headway: {error:#}");
                ExitCode::from(2)
            });
        }
        Command::Keys(keys) => runtime.block_on(keys::run(keys)),
        Command::Serve(config) => runtime.block_on(serve(config)),
        Command::Administrator(config) => runtime.block_on(administrator(config)),
        Command::Demo(config) => runtime.block_on(serve(config.for_sample())),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("headway: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn administrator(mut config: Config) -> anyhow::Result<()> {
    log_to_stderr();
    config.data = absolute(&config.data)?;
    let _lock = take(&config.data)?;
    let context = open(config).await?;
    let invite::Link(link) = invite::administrator_link(&context).await.map_err(told)?;
    println!("{link}");
    context.store.close().await;
    Ok(())
}

async fn serve(mut config: Config) -> anyhow::Result<()> {
    log_to_stderr();
    keep_memory_private();
    if config.sample && !config.addr.ip().is_loopback() {
        bail!(
            "the sample takes whoever reaches it for its operator, so it listens on this machine alone: give an address \
             like 127.0.0.1:3000, or start `headway serve`"
        );
    }
    config.data = absolute(&config.data)?;
    let _lock = take(&config.data)?;
    let listener = listen(config.addr).await?;
    config.addr = listener.local_addr().context("cannot tell the address")?;
    let state_listener = listen_for_state(&mut config).await?;
    config.sandbox.confinement = runner::sandbox::probe(config.sandbox.choice).await;
    if let Some(warning) = config.sandbox.confinement.warning() {
        tracing::warn!("{warning}");
    }
    let state_socket = listen_on_socket(&config)?;
    git::remove_every_lock(&config.mirrors());
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
    let repeats = tokio::spawn(repeats::work(context.clone()));
    let seeding = context.config.sample.then(|| tokio::spawn(sample::seed(context.clone())));
    let state = tokio::spawn(axum::serve(state_listener, server::state_router(context.clone())).into_future());
    let operator = if context.config.sample { Some(sample::operator(&context).await?) } else { None };
    let router =
        server::router(context.clone(), operator, closing.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let state_socket = state_socket
        .map(|listener| tokio::spawn(axum::serve(listener, server::state_router(context.clone())).into_future()));
    let mut closed = closing;
    let serving = tokio::spawn(
        axum::serve(listener, router)
            .with_graceful_shutdown(async move {
                // An error means that nobody will ask to close any more.
                let _ = closed.wait_for(|closed| *closed).await;
            })
            .into_future(),
    );
    if !context.config.sample && invite::needs_administrator(&context).await.map_err(told)? {
        let invite::Link(link) = invite::administrator_link(&context).await.map_err(told)?;
        println!(
            "Nobody can manage this Headway yet. Whoever follows this link within three days becomes its administrator:"
        );
        println!("{link}");
    }
    println!("Headway is at http://{}", context.config.addr);

    tokio::select! {
        ended = ended() => ended?,
        () = context.store.lost() => bail!(LOST),
    }
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
        () = context.store.lost() => bail!(LOST),
    }
    // What GitHub was not told yet stands in the outbox.
    for worker in github {
        worker.abort();
    }
    state.abort();
    if let Some(state_socket) = state_socket {
        state_socket.abort();
    }
    close.send_replace(true);
    let close_limit = std::time::Duration::from_secs(5);
    if let Ok(served) = tokio::time::timeout(close_limit, serving).await {
        served.context("the server ended badly")?.context("the server ended badly")?;
    }
    repeats.abort();
    repeats::finish(&context).await;
    context.store.close().await;
    Ok(())
}

/// What this process ends with when another one works in its place.
const LOST: &str = "ended at once: another Headway has taken the database, and with it the runs";

fn told(problem: Problem) -> anyhow::Error {
    anyhow::anyhow!(problem.sentence())
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
    // Colours are for a terminal: in a file they would be in the way of whoever searches it.
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr).init();
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

/// Listens for the Terraform of runs that reach no network, if there are any.
fn listen_on_socket(config: &Config) -> anyhow::Result<Option<UnixListener>> {
    if config.sandbox.proposed_network == Switch::On {
        return Ok(None);
    }
    let place = config.state_socket();
    // The data folder is this process's alone, so whoever listened there is gone.
    let _ = std::fs::remove_file(&place);
    let listener = UnixListener::bind(&place);
    listener.map(Some).with_context(|| format!("cannot listen at {}; is its path too long?", place.display()))
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
    let outgoing = Outgoing::new(&config.allow_network);
    Ok(Context {
        config: Arc::new(config),
        store,
        vault,
        clock: Clock::System,
        ids: Ids::random(),
        work: Arc::new(Notify::new()),
        poll: Arc::new(Notify::new()),
        fetching: Fetching::default(),
        github: GitHub::new(Clock::System, outgoing.clone()).context("cannot prepare requests to GitHub")?,
        commenting: Commenting::default(),
        connecting: Connecting::default(),
        openid: OpenId::new(outgoing.clone()).context("cannot prepare requests to a provider")?,
        outgoing,
        departures: Departures::default(),
        delivered: Arc::new(Notify::new()),
        throttle: Throttle::default(),
        passwords: Passwords::default(),
        revealed: Revealed::default(),
        repeats: Repeats::default(),
    })
}
