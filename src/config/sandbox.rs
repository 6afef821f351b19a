//! The settings of the sandbox: whether runs are confined, what they may see and use of this machine, and where their
//! providers come from.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Whether runs are confined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Choice {
    /// By bubblewrap where it works; else they run without, and every page of a run warns.
    Auto,
    /// By bubblewrap, or they do not run.
    Bubblewrap,
    /// They are not.
    None,
}

/// A thing that is on or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// It is on.
    On,
    /// It is off.
    Off,
}

/// Where providers come from instead of their own registries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderMirror {
    /// A network mirror; Terraform demands https.
    Network(String),
    /// A folder of this machine, laid out as a filesystem mirror.
    Folder(PathBuf),
}

/// How runs are confined in this process; decided once, at its start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Confinement {
    /// Not at all, as somebody chose.
    #[default]
    Chosen,
    /// Not at all, because bubblewrap does not work here: why, and what cures it.
    Missing(String),
    /// They do not run, because bubblewrap was demanded and does not work here: why, and what cures it.
    Refused(String),
    /// By bubblewrap.
    Bubblewrap {
        /// The program.
        program: PathBuf,
        /// Whether it can keep a run from making user namespaces of its own; older ones cannot.
        closed: bool,
    },
}

impl Confinement {
    /// What every page of a run warns of, if anything.
    pub fn warning(&self) -> Option<String> {
        match self {
            Self::Missing(why) => Some(format!("Runs are not confined to a sandbox. {why}")),
            Self::Refused(why) => Some(format!("Runs are refused, because they cannot be confined. {why}")),
            Self::Chosen | Self::Bubblewrap { .. } => None,
        }
    }
}

/// What runs may see and use of this machine.
#[derive(Args, Clone, Debug)]
pub struct Sandbox {
    /// Whether runs are confined by bubblewrap.
    #[arg(long = "sandbox", env = "HEADWAY_SANDBOX", value_enum, default_value = "auto")]
    pub choice: Choice,
    /// Files and folders outside of its own that a confined run may read, separated by colons.
    #[arg(long = "sandbox-read", env = "HEADWAY_SANDBOX_READ", value_delimiter = ':', value_parser = whole_path)]
    pub read: Vec<PathBuf>,
    /// Files and folders outside of its own that a confined run may change, separated by colons.
    #[arg(long = "sandbox-write", env = "HEADWAY_SANDBOX_WRITE", value_delimiter = ':', value_parser = whole_path)]
    pub write: Vec<PathBuf>,
    /// Whether proposed runs reach the network; without it a confined one reaches nothing but the state of its stack.
    #[arg(long, env = "HEADWAY_PROPOSED_NETWORK", value_enum, default_value = "on")]
    pub proposed_network: Switch,
    /// How much memory a confined run may use, in MiB.
    #[arg(long, env = "HEADWAY_MEMORY_LIMIT", default_value_t = 4096, value_parser = mebibytes())]
    pub memory_limit: u64,
    /// How many processes and threads a confined run may have at the same time.
    #[arg(long, env = "HEADWAY_PROCESS_LIMIT", default_value_t = 1024, value_parser = clap::value_parser!(u64).range(32..=100_000))]
    pub process_limit: u64,
    /// How much the files of a run may hold, in MiB.
    #[arg(long, env = "HEADWAY_DISK_LIMIT", default_value_t = 8192, value_parser = mebibytes())]
    pub disk_limit: u64,
    /// How long a plan may be, in MiB, as a file and as JSON.
    #[arg(long, env = "HEADWAY_PLAN_SIZE_LIMIT", default_value_t = 128, value_parser = mebibytes())]
    pub plan_size_limit: u64,
    /// Where providers come from instead of their registries: the https address of a network mirror, or a folder.
    #[arg(long, env = "HEADWAY_PROVIDER_MIRROR", value_parser = provider_mirror)]
    pub provider_mirror: Option<ProviderMirror>,
    /// How runs are confined in this process; decided at its start.
    #[arg(skip)]
    pub confinement: Confinement,
}

impl Sandbox {
    /// Why a run is not run, if so: it would have to do without what was demanded for it.
    pub fn refusal(&self, proposed: bool) -> Option<String> {
        let why = match &self.confinement {
            Confinement::Bubblewrap { .. } => return None,
            Confinement::Refused(why) => {
                return Some(format!("The sandbox is demanded and does not work, so nothing was run. {why}"));
            }
            Confinement::Missing(why) => why,
            Confinement::Chosen => "The setting --sandbox is none.",
        };
        let kept = proposed && self.proposed_network == Switch::Off;
        kept.then(|| format!("Proposed runs are to reach no network, which takes a sandbox, so nothing was run. {why}"))
    }
}

fn mebibytes() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(1..=1_048_576)
}

fn whole_path(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    let plain = path.is_absolute() && path.parent().is_some() && !text.contains("/../") && !text.ends_with("/..");
    plain.then_some(path).ok_or_else(|| "a path from the root, like /srv/certificates".into())
}

fn provider_mirror(text: &str) -> Result<ProviderMirror, String> {
    if text.starts_with('/') {
        return whole_path(text).map(ProviderMirror::Folder);
    }
    match url::Url::parse(text) {
        Ok(url) if url.scheme() == "https" && url.has_host() && url.username().is_empty() => {
            // Terraform demands the slash.
            Ok(ProviderMirror::Network(format!("{}/", url.as_str().trim_end_matches('/'))))
        }
        Ok(_) | Err(_) => {
            Err("an address like https://mirror.example.com/providers/, or a folder like /srv/providers".into())
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        sandbox: Sandbox,
    }

    fn parse(arguments: &[&str]) -> Result<Sandbox, clap::Error> {
        Command::try_parse_from(["headway"].iter().chain(arguments)).map(|command| command.sandbox)
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let sandbox = parse(&["--sandbox-read", "/srv/a:/srv/b", "--provider-mirror", "https://mirror.example.com/x"]);
        let sandbox = sandbox.unwrap();
        assert_eq!(sandbox.read, [PathBuf::from("/srv/a"), PathBuf::from("/srv/b")]);
        let address = "https://mirror.example.com/x/".to_owned();
        assert_eq!(sandbox.provider_mirror, Some(ProviderMirror::Network(address)));
        for wrong in [
            ["--sandbox-read", "relative"],
            ["--sandbox-write", "/"],
            ["--sandbox-write", "/srv/../etc"],
            ["--sandbox", "docker"],
            ["--provider-mirror", "http://mirror.example.com"],
            ["--memory-limit", "0"],
            ["--process-limit", "2"],
        ] {
            assert!(parse(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_run_that_would_have_to_do_without_what_was_demanded_is_refused() {
        let bubblewrap = Confinement::Bubblewrap { program: "/usr/bin/bwrap".into(), closed: true };
        for (confinement, network, refused) in [
            (bubblewrap, Switch::Off, [false, false]),
            (Confinement::Refused("Why.".into()), Switch::On, [true, true]),
            (Confinement::Missing("Why.".into()), Switch::On, [false, false]),
            (Confinement::Missing("Why.".into()), Switch::Off, [true, false]),
            (Confinement::Chosen, Switch::Off, [true, false]),
        ] {
            let sandbox = Sandbox { confinement, proposed_network: network, ..parse(&[]).unwrap() };
            assert_eq!([true, false].map(|proposed| sandbox.refusal(proposed).is_some()), refused, "{sandbox:?}");
        }
    }

    #[test]
    fn only_what_somebody_chose_goes_without_a_warning() {
        assert_eq!(Confinement::default().warning(), None);
        assert_eq!(Confinement::Bubblewrap { program: "/usr/bin/bwrap".into(), closed: true }.warning(), None);
        for confinement in [Confinement::Missing("Why.".into()), Confinement::Refused("Why.".into())] {
            assert!(confinement.warning().unwrap().ends_with("Why."), "{confinement:?}");
        }
    }
}
