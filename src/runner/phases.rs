//! What the engine is called with in each phase: `init`, `plan -out`, `show -json`, `apply` of the saved plan. The
//! arguments are Headway's own; a repository has no say in them.

use super::Held;
use super::process::Program;
use super::workspace::Workspace;
use crate::commands::Context;
use crate::domain::run_state::RunKind;
use crate::domain::stack::Stack;
use crate::store::Variable;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Makes a repository's own backend give way to Headway's. `-backend-config` needs a block to configure.
const OVERRIDE: &str =
    "# Written by Headway: it keeps the state of this stack.\nterraform {\n  backend \"http\" {}\n}\n";
/// Sorts after other override files, so that none of them can come later and win.
const OVERRIDE_FILE: &str = "zzzz_headway_override.tf";

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
    engine: PathBuf,
    folder: PathBuf,
    workspace: Workspace,
    environment: Vec<(String, String)>,
    state_address: Option<String>,
    locks: bool,
    limits: [Duration; 4],
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
    ) -> Self {
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
        let config = &context.config;
        Self {
            engine,
            folder,
            workspace,
            environment,
            state_address,
            // Proposed runs never wait for the stack, and they write no state.
            locks: held.run.kind == RunKind::Tracked,
            limits: [config.init_limit, config.plan_limit, config.apply_limit, config.grace],
        }
    }

    fn program(&self, arguments: Vec<String>, limit: Duration) -> Program<'_> {
        Program {
            file: &self.engine,
            arguments,
            folder: self.folder.clone(),
            environment: self.environment.clone(),
            output: None,
            limit,
            grace: self.limits[3],
        }
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
        Ok(self.program(arguments, self.limits[0]))
    }

    /// What is wrong with the backend that `init` set up, if anything.
    pub fn backend_problem(&self) -> Option<String> {
        let file = self.workspace.data().join("terraform.tfstate");
        let backend: Option<serde_json::Value> =
            std::fs::read(file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let backend = backend.as_ref().and_then(|document| document.get("backend"));
        match (&self.state_address, backend) {
            (Some(address), Some(backend)) => {
                let ours = backend.get("type").and_then(|kind| kind.as_str()) == Some("http")
                    && backend.pointer("/config/address").and_then(|found| found.as_str()) == Some(address);
                (!ours).then(|| "The configuration redirects its state elsewhere, so nothing was planned.".into())
            }
            (Some(_), None) => Some("The configuration keeps Headway from managing its state, so nothing was planned.".into()),
            (None, Some(_)) => None,
            (None, None) => Some(
                "The configuration names no backend, so its state would be lost with this run. Add a backend block, or \
                 make a stack for which Headway manages the state."
                    .into(),
            ),
        }
    }

    /// `plan`, into the workspace.
    pub fn plan(&self) -> Program<'_> {
        let arguments = vec![
            "plan".into(),
            "-input=false".into(),
            format!("-lock={}", self.locks),
            "-lock-timeout=60s".into(),
            format!("-out={}", self.workspace.plan().display()),
        ];
        self.program(arguments, self.limits[1])
    }

    /// `show` of the saved plan, as JSON into a file.
    pub fn show(&self) -> io::Result<Program<'_>> {
        let arguments = vec!["show".into(), "-json".into(), self.workspace.plan().display().to_string()];
        let output = Some(File::create(self.workspace.plan_document())?);
        Ok(Program { output, ..self.program(arguments, self.limits[1]) })
    }

    /// `apply` of exactly the saved plan.
    pub fn apply(&self) -> Program<'_> {
        let arguments = vec![
            "apply".into(),
            "-input=false".into(),
            "-lock-timeout=60s".into(),
            self.workspace.plan().display().to_string(),
        ];
        self.program(arguments, self.limits[2])
    }
}
