//! Every setting of the server, with its default. Each can be given as an option or as an environment variable;
//! `headway serve` needs none of them.

pub mod limits;
pub mod sandbox;

use clap::Args;
use ipnet::IpNet;
use limits::Limits;
use sandbox::Sandbox;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// The name of the SQLite file in the data folder.
pub const DATABASE_FILE: &str = "headway.db";

/// The settings of one Headway.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// The address to listen on.
    #[arg(long, env = "HEADWAY_ADDR", default_value = "127.0.0.1:3000", value_parser = address)]
    pub addr: SocketAddr,
    /// The folder that holds the database, the mirrors and the runs' files; made if it is missing.
    #[arg(long, env = "HEADWAY_DATA", default_value = "data")]
    pub data: PathBuf,
    /// A PostgreSQL address; without it the database is a SQLite file in the data folder.
    #[arg(long, env = "HEADWAY_DATABASE", hide_env_values = true)]
    pub database: Option<String>,
    /// The address under which browsers and GitHub reach this Headway; without it, the one it listens on.
    #[arg(long, env = "HEADWAY_PUBLIC_URL", value_parser = public_url)]
    pub public_url: Option<String>,
    /// The port of the state backend on this machine; decided at the first start.
    #[arg(skip)]
    pub state_port: u16,
    /// Whether this is the sample; decided by the subcommand.
    #[arg(skip)]
    pub sample: bool,
    /// The simulated GitHub that the sample's repository is to be on.
    #[arg(long, env = "HEADWAY_SAMPLE_GITHUB", hide = true, value_parser = public_url)]
    pub sample_github: Option<String>,
    /// Networks besides the public internet that addresses which people enter may lead to (repositories, GitHub, a provider
    /// that signs in), separated by commas: `10.1.2.3`, `10.0.0.0/8`.
    #[arg(long, env = "HEADWAY_ALLOW_NETWORK", value_delimiter = ',', value_parser = network)]
    pub allow_network: Vec<IpNet>,
    /// The proxies that are believed when they say, in `X-Forwarded-For`, whom they speak for: networks or addresses,
    /// separated by commas. Without them the log and the limits of tries know the proxy alone.
    #[arg(long, env = "HEADWAY_TRUSTED_PROXY", value_delimiter = ',', value_parser = network)]
    pub trusted_proxy: Vec<IpNet>,
    /// After how long without use a session ends, in seconds.
    #[arg(long, env = "HEADWAY_SESSION_IDLE", default_value = "43200", value_parser = seconds)]
    pub session_idle: Duration,
    /// After how long a session ends in any case, in seconds.
    #[arg(long, env = "HEADWAY_SESSION_LIMIT", default_value = "604800", value_parser = seconds)]
    pub session_limit: Duration,
    /// How often repositories are fetched, in seconds.
    #[arg(long, env = "HEADWAY_FETCH_INTERVAL", default_value = "30", value_parser = seconds)]
    pub fetch_interval: Duration,
    /// How long one fetch of a repository may take, in seconds; the first one brings its whole history.
    #[arg(long, env = "HEADWAY_FETCH_LIMIT", default_value = "600", value_parser = seconds)]
    pub fetch_limit: Duration,
    /// How many runs work at the same time.
    #[arg(long, env = "HEADWAY_WORKERS", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub workers: u16,
    /// How long init may take, in seconds.
    #[arg(long, env = "HEADWAY_INIT_LIMIT", default_value = "900", value_parser = seconds)]
    pub init_limit: Duration,
    /// How long plan may take, in seconds.
    #[arg(long, env = "HEADWAY_PLAN_LIMIT", default_value = "3600", value_parser = seconds)]
    pub plan_limit: Duration,
    /// How long apply may take, in seconds.
    #[arg(long, env = "HEADWAY_APPLY_LIMIT", default_value = "21600", value_parser = seconds)]
    pub apply_limit: Duration,
    /// How long a phase that is interrupted may take to end by itself before it is killed, in seconds; and how long an
    /// apply may go on before it is interrupted when Headway is asked to end.
    #[arg(long, env = "HEADWAY_GRACE", default_value = "60", value_parser = seconds)]
    pub grace: Duration,
    /// What runs may see and use of this machine.
    #[command(flatten)]
    pub sandbox: Sandbox,
    /// How far everything may grow, and how long it is kept.
    #[command(flatten)]
    pub limits: Limits,
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 1..=604_800) => Ok(Duration::from_secs(seconds)),
        Ok(_) | Err(_) => Err("a number of seconds from 1 to 604800 (a week)".into()),
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "an IP address and a port, like 127.0.0.1:3000".to_owned())
}

fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    network.map_err(|_| "a network like 10.0.0.0/8, or an address like 10.1.2.3".to_owned())
}

fn public_url(text: &str) -> Result<String, String> {
    let wrong = || "an address like https://headway.example.com, without a path".to_owned();
    let url = url::Url::parse(text).map_err(|_| wrong())?;
    let plain = matches!(url.scheme(), "http" | "https") && url.has_host() && url.username().is_empty();
    if !plain || url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

impl Config {
    /// These settings for the sample, whose simulated GitHub is on this machine.
    pub fn for_sample(mut self) -> Self {
        self.sample = true;
        self.allow_network.extend([Ipv4Addr::LOCALHOST.into(), IpAddr::from(Ipv6Addr::LOCALHOST)].map(IpNet::from));
        self
    }

    /// The address under which browsers and GitHub reach this Headway, without a slash at the end.
    pub fn home(&self) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://{}", self.addr))
    }

    /// The SQLite file.
    pub fn database_file(&self) -> PathBuf {
        self.data.join(DATABASE_FILE)
    }

    /// The file of the key that seals secrets, unless the environment gives the key.
    pub fn key_file(&self) -> PathBuf {
        self.data.join("key")
    }

    /// The file that keeps the port of the state backend.
    pub fn state_port_file(&self) -> PathBuf {
        self.data.join("state.port")
    }

    /// The folder of the repositories' mirrors.
    pub fn mirrors(&self) -> PathBuf {
        self.data.join("mirrors")
    }

    /// The socket of the state backend, for runs that reach no network.
    pub fn state_socket(&self) -> PathBuf {
        self.data.join("state.sock")
    }

    /// The folder of the providers that runs share.
    pub fn providers(&self) -> PathBuf {
        self.data.join("providers")
    }

    /// The folder of the states that Terraform could not write and Headway could not store.
    pub fn errored_states(&self) -> PathBuf {
        self.data.join("errored")
    }

    /// The folder of the runs' files.
    pub fn workspaces(&self) -> PathBuf {
        self.data.join("runs")
    }
}
