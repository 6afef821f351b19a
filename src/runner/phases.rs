//! What the engine is called with in each phase: `init`, `plan -out`, `show -json`, `apply` of the saved plan. The
//! arguments are Headway's own; a repository has no say in them.

use super::Held;
use super::limits::Limits;
use super::process::Program;
use super::provider_store;
use super::providers::{self, Shared};
use super::sandbox::{self, Seen};
use super::workspace::{self, Workspace};
use crate::commands::Context;
use crate::config::Config;
use crate::config::sandbox::{Confinement, ProviderMirror, Switch};
use crate::domain::run_state::RunKind;
use crate::domain::stack::Stack;
use crate::store::Variable;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Makes a repository's own backend give way to Headway's. `-backend-config` needs a block to configure.
const OVERRIDE: &str =
    "# Written by Headway: it keeps the state of this stack.\nterraform {\n  backend \"http\" {}\n}\n";
/// Sorts after most other override files. One that comes later and wins is found out: see [`Phases::backend_problem`].
const OVERRIDE_FILE: &str = "zzzz_headway_override.tf";

/// Where Terraform keeps a state that has no backend.
const LOCAL_STATE: &str = "terraform.tfstate";

/// The longest note of `init` about its backend that is read, in bytes.
const LONGEST_BACKEND: u64 = 1 << 20;

/// Variables of Headway's own environment that programs need to reach the network from here.
const PASSED_ON: [&str; 9] = [
    "PATH",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// Everything that the phases of one run share.
#[derive(Debug)]
pub struct Phases {
    config: Arc<Config>,
    engine: PathBuf,
    folder: PathBuf,
    workspace: Workspace,
    environment: Vec<(String, String)>,
    state_address: Option<String>,
    shared: Vec<Shared>,
    kind: RunKind,
    began: SystemTime,
}

/// Whether a phase may change infrastructure; decides which variables it sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// `init`, `plan`, `show`.
    Planning,
    /// `apply`.
    Applying,
}

/// The variables of Headway's own environment that programs get.
pub(super) fn passed_on() -> impl Iterator<Item = (String, String)> {
    PASSED_ON.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)))
}

impl Phases {
    /// Gathers what the phases need; the workspace is there and holds the configuration.
    pub fn new(
        context: &Context,
        stack: &Stack,
        held: &Held,
        engine: PathBuf,
        folder: PathBuf,
        variables: &[(Variable, String)],
        purpose: Purpose,
    ) -> io::Result<Self> {
        let workspace = Workspace::of(context, &held.run);
        let mut environment: Vec<(String, String)> = variables
            .iter()
            .filter(|(variable, _)| match purpose {
                Purpose::Planning => variable.planning,
                Purpose::Applying => variable.applying,
            })
            .map(|(variable, value)| (variable.name.clone(), value.clone()))
            .collect();
        environment.extend(passed_on());
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let own = [
            ("HOME", text(workspace.home())),
            ("TMPDIR", text(workspace.temporary())),
            ("LANG", "C.UTF-8".into()),
            ("TF_DATA_DIR", text(workspace.data())),
            ("TF_CLI_CONFIG_FILE", text(workspace.engine_settings())),
            // Modules come from other machines: a file address would lead to other repositories on this one, and others
            // would run programs.
            ("GIT_ALLOW_PROTOCOL", "https:http:ssh".into()),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
            ("GIT_TERMINAL_PROMPT", "0".into()),
            ("TF_IN_AUTOMATION", "1".into()),
            ("TF_INPUT", "0".into()),
            ("CHECKPOINT_DISABLE", "1".into()),
            ("TF_HTTP_USERNAME", held.run.id.to_string()),
            ("TF_HTTP_PASSWORD", held.token.clone()),
        ];
        environment.extend(own.map(|(name, value)| (name.to_owned(), value)));
        let state_address = stack
            .manage_state
            .then(|| format!("http://127.0.0.1:{}/state/{}/{}", context.config.state_port, stack.id, held.run.id));
        let config = context.config.clone();
        let shared = providers::shared(&config.providers(), &providers::locked(&folder));
        let now = UNIX_EPOCH + Duration::from_millis(context.now().0.unsigned_abs());
        provider_store::used(&shared, now);
        let settings = providers::settings(&shared, config.sandbox.provider_mirror.as_ref());
        std::fs::write(workspace.engine_settings(), settings)?;
        Ok(Self {
            config,
            engine,
            folder,
            workspace,
            environment,
            state_address,
            shared,
            kind: held.run.kind,
            began: now,
        })
    }

    /// A call of the engine; while it `saves`, it may write the saved plan.
    fn program(&self, arguments: Vec<String>, limit: Duration, saves: bool) -> io::Result<Program<'_>> {
        let settings = &self.config.sandbox;
        let limits = Limits {
            memory: settings.memory_limit << 20,
            processes: settings.process_limit,
            disk: settings.disk_limit << 20,
            folder: self.workspace.folder().to_owned(),
        };
        let offline = self.kind == RunKind::Proposed && settings.proposed_network == Switch::Off;
        let mut inside: Vec<OsString> = Vec::new();
        let sandbox = match &settings.confinement {
            Confinement::Chosen | Confinement::Missing(_) | Confinement::Refused(_) => None,
            Confinement::Bubblewrap { program, closed } => {
                // Counted for the sandbox alone, as it has its own users.
                inside.extend(["--processes".into(), limits.processes.to_string().into()]);
                if offline {
                    inside.extend(["--port".into(), self.config.state_port.to_string().into()]);
                    inside.extend(["--state".into(), sandbox::state().into()]);
                }
                let mut bubblewrap = vec![program.into()];
                bubblewrap.extend(self.bubblewrap(*closed, offline, saves)?);
                Some(bubblewrap)
            }
        };
        Ok(Program {
            engine: &self.engine,
            arguments,
            folder: self.folder.clone(),
            environment: self.environment.clone(),
            sandbox,
            inside,
            limits,
            kept: None,
            limit,
            grace: self.config.grace,
        })
    }

    fn bubblewrap(&self, closed: bool, offline: bool, saves: bool) -> io::Result<Vec<OsString>> {
        let (settings, workspace) = (&self.config.sandbox, &self.workspace);
        let socket = self.config.state_socket();
        let mut read = vec![workspace.engine_settings()];
        read.extend(self.shared.iter().map(|one| one.mirror.clone()));
        let mut write = workspace.changeable().to_vec();
        if saves { &mut write } else { &mut read }.push(workspace.saved());
        let mut shared = settings.read.clone();
        // Certificates that Headway itself was told to trust; the names of the variables are passed on.
        shared.extend(["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().filter_map(std::env::var_os).map(PathBuf::from));
        if let Some(ProviderMirror::Folder(folder)) = &settings.provider_mirror {
            shared.push(folder.clone());
        }
        Ok(sandbox::arguments(&Seen {
            network: !offline,
            closed,
            links: sandbox::links(),
            engine: &self.engine,
            headway: &std::env::current_exe()?,
            state: offline.then_some(socket.as_path()),
            shared: [&shared, &settings.write],
            data: &self.config.data,
            read,
            write,
            named: vec![(workspace.temporary(), "/tmp"), (workspace.shared_memory(), "/dev/shm")],
            names: workspace.names(),
            folder: &self.folder,
        }))
    }

    /// `init`, with Headway as the backend when it manages the state.
    pub fn init(&self) -> io::Result<Program<'_>> {
        let mut arguments = vec!["init".into(), "-input=false".into(), "-reconfigure".into()];
        if let Some(address) = &self.state_address {
            let file = self.folder.join(OVERRIDE_FILE);
            // Whatever the commit has under this name, a link included, gives way.
            if std::fs::symlink_metadata(&file).is_ok() {
                std::fs::remove_file(&file)?;
            }
            std::fs::write(file, OVERRIDE)?;
            for (name, value) in [
                ("address", address.clone()),
                ("lock_address", format!("{address}/lock")),
                ("unlock_address", format!("{address}/lock")),
                ("lock_method", "POST".into()),
                ("unlock_method", "DELETE".into()),
                ("retry_max", "5".into()),
            ] {
                arguments.push(format!("-backend-config={name}={value}"));
            }
        }
        self.program(arguments, self.config.init_limit, false)
    }

    /// That the commit brings a state along where Headway keeps it: `init` would want to move it, and to plan without it
    /// would plan to make everything once more.
    pub fn state_problem(&self) -> Option<String> {
        let brought = self.state_address.is_some() && self.folder.join(LOCAL_STATE).symlink_metadata().is_ok();
        brought.then(|| {
            format!(
                "The commit has a {LOCAL_STATE}, but Headway keeps the state of this stack, so nothing was planned. Take \
                 the file out of the repository (git rm {LOCAL_STATE}), or make a stack whose state Headway does not manage."
            )
        })
    }

    /// What is wrong with the backend that `init` set up, if anything.
    pub fn backend_problem(&self) -> Option<String> {
        let file = self.workspace.data().join("terraform.tfstate");
        let backend: Option<serde_json::Value> =
            workspace::read(&file, LONGEST_BACKEND).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let backend = backend.as_ref().and_then(|document| document.get("backend"));
        match (&self.state_address, backend) {
            (Some(address), Some(backend)) => {
                let ours = backend.get("type").and_then(|kind| kind.as_str()) == Some("http")
                    && backend.pointer("/config/address").and_then(|found| found.as_str()) == Some(address);
                (!ours).then(|| "The configuration redirects its state elsewhere, so nothing was planned.".into())
            }
            (Some(_), None) => Some(
                "After init there is no state that Headway manages, so nothing was planned. Either the configuration keeps \
                 Headway from it, or the program in Settings > Vendor is neither Terraform nor OpenTofu."
                    .into(),
            ),
            (None, Some(_)) => None,
            (None, None) => Some(
                "The configuration names no backend, so its state would be lost with this run. Add a backend block, or \
                 make a stack for which Headway manages the state."
                    .into(),
            ),
        }
    }

    /// Puts the providers that `init` downloaded where other runs find them: what was added. Only what a tracked run
    /// brought: anybody who can propose could fill the disk.
    pub fn share_providers(&self) -> io::Result<Vec<String>> {
        match self.kind {
            RunKind::Proposed => Ok(Vec::new()),
            RunKind::Tracked => {
                let run = self.workspace.folder().file_name().unwrap_or_default().to_string_lossy().into_owned();
                let locked = providers::locked(&self.folder);
                let store = self.config.providers();
                let added = provider_store::share(&store, &run, &self.workspace.data(), &locked)?;
                if !added.is_empty() {
                    provider_store::forget(&store, &self.config.workspaces(), self.began);
                }
                Ok(added)
            }
        }
    }

    /// `plan`, into the workspace.
    pub fn plan(&self) -> io::Result<Program<'_>> {
        let arguments = vec![
            "plan".into(),
            "-input=false".into(),
            // Proposed runs never wait for the stack, and they write no state.
            format!("-lock={}", self.kind == RunKind::Tracked),
            "-lock-timeout=60s".into(),
            format!("-out={}", self.workspace.plan().display()),
        ];
        self.program(arguments, self.config.plan_limit, true)
    }

    /// `show` of the saved plan, as JSON that is kept.
    pub fn show(&self) -> io::Result<Program<'_>> {
        let arguments = vec!["show".into(), "-json".into(), self.workspace.plan().display().to_string()];
        let kept = Some(self.config.sandbox.plan_size_limit << 20);
        Ok(Program { kept, ..self.program(arguments, self.config.plan_limit, false)? })
    }

    /// `apply` of exactly the saved plan.
    pub fn apply(&self) -> io::Result<Program<'_>> {
        let arguments = vec![
            "apply".into(),
            "-input=false".into(),
            "-lock-timeout=60s".into(),
            self.workspace.plan().display().to_string(),
        ];
        self.program(arguments, self.config.apply_limit, false)
    }
}
