//! The engine: which program plans and applies for a stack. Either the path that the stack names, or the version it
//! names, or what is found on the path.

use crate::domain::vendor::Vendor;
use rustix::process::{Pid, Signal, kill_process_group};
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;

/// There is no such program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// Nothing is on the path.
    #[error(
        "{} is not installed: there is no program {:?} on the path. Get it from {}, or name its path in Settings > Vendor.",
        .0.label(), .0.program(), .0.home()
    )]
    NotInstalled(Vendor),
    /// The stack names a path at which there is no program.
    #[error("There is no program at {0}. Change the path in Settings > Vendor.")]
    NoProgram(String),
    /// The stack names a version that is not there.
    #[error("{} {version} is not installed. Put it on the path as {}-{version}, or change the version in Settings > Vendor.", vendor.label(), vendor.program())]
    NoVersion {
        /// Whose program.
        vendor: Vendor,
        /// Which version.
        version: String,
    },
}

/// Finds the program for a stack; `named` is a path, a version, or empty.
pub async fn find(vendor: Vendor, named: &str) -> Result<PathBuf, EngineError> {
    find_in(vendor, named, std::env::var_os("PATH").as_deref()).await
}

async fn find_in(vendor: Vendor, named: &str, path: Option<&OsStr>) -> Result<PathBuf, EngineError> {
    if let Some(error) = missing_in(vendor, named, path) {
        return Err(error);
    }
    if named.starts_with('/') {
        // It is not asked for its version: whoever configures a stack could name a file that a run has written, and this
        // question is not confined as a run is.
        return Ok(PathBuf::from(named));
    }
    let of_version = among(path, &format!("{}-{named}", vendor.program())).filter(|_| !named.is_empty());
    match of_version.or_else(|| among(path, vendor.program())) {
        None => Err(EngineError::NotInstalled(vendor)),
        Some(file) if named.is_empty() || version(&file).await.as_deref() == Some(named) => Ok(file),
        Some(_) => Err(EngineError::NoVersion { vendor, version: named.into() }),
    }
}

/// Why a stack has no program, as far as a look at the path can tell: it does not ask for versions.
pub fn missing(vendor: Vendor, named: &str) -> Option<EngineError> {
    missing_in(vendor, named, std::env::var_os("PATH").as_deref())
}

fn missing_in(vendor: Vendor, named: &str, path: Option<&OsStr>) -> Option<EngineError> {
    if named.starts_with('/') {
        return (!is_program(Path::new(named))).then(|| EngineError::NoProgram(named.into()));
    }
    let found = among(path, vendor.program()).or_else(|| among(path, &format!("{}-{named}", vendor.program())));
    found.is_none().then(|| match named {
        "" => EngineError::NotInstalled(vendor),
        version => EngineError::NoVersion { vendor, version: version.into() },
    })
}

/// The program of that name on the path.
pub(super) fn on_path(program: &str) -> Option<PathBuf> {
    among(std::env::var_os("PATH").as_deref(), program)
}

fn among(path: Option<&OsStr>, program: &str) -> Option<PathBuf> {
    let folders = std::env::split_paths(path.unwrap_or_default()).filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(program)).find(|file| is_program(file))
}

/// How long a program may take to say its version.
const LIMIT: Duration = Duration::from_secs(10);

/// The longest answer that is read, in bytes.
const LONGEST: u64 = 1 << 20;

/// The version that a program says it is. It is told nothing but where other programs are, and nothing of it is left.
pub async fn version(program: &Path) -> Option<String> {
    version_within(program, LIMIT).await
}

async fn version_within(program: &Path, limit: Duration) -> Option<String> {
    let mut child = tokio::process::Command::new(program)
        .args(["version", "-json"])
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("CHECKPOINT_DISABLE", "1")
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .ok()?;
    let _group = Group(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw));
    let stdout = child.stdout.take()?;
    let mut said = Vec::new();
    tokio::time::timeout(limit, stdout.take(LONGEST).read_to_end(&mut said)).await.ok()?.ok()?;
    let said: serde_json::Value = serde_json::from_slice(&said).ok()?;
    said.get("terraform_version")?.as_str().map(str::to_owned)
}

/// A process group that ends when this is dropped.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // All of it may have ended by itself.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

fn is_program(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_is_found_by_its_path_or_the_refusal_says_how_to_get_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("terraform");
        let named = file.to_str().unwrap();
        assert_eq!(find(Vendor::Terraform, named).await, Err(EngineError::NoProgram(named.into())));
        std::fs::write(&file, "#!/bin/sh\necho '{\"terraform_version\":\"9.8.7\"}'\n").unwrap();
        assert_eq!(find(Vendor::Terraform, named).await, Err(EngineError::NoProgram(named.into())));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(find(Vendor::Terraform, named).await.unwrap(), file);
        assert_eq!(version(&file).await.as_deref(), Some("9.8.7"));

        let missing = EngineError::NotInstalled(Vendor::OpenTofu).to_string();
        assert!(
            missing.contains("OpenTofu") && missing.contains("\"tofu\"") && missing.contains("https://"),
            "{missing}"
        );
    }

    fn script(folder: &Path, text: &str) -> PathBuf {
        let file = folder.join("engine");
        std::fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        file
    }

    #[tokio::test]
    async fn a_program_that_says_its_version_sees_nothing_of_headway() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().display();
        let file = script(
            folder.path(),
            &format!(
                "env > {place}/env; pwd > {place}/pwd; ps -o pgid= -p $$ > {place}/group; \
            echo $$ >> {place}/group; echo '{{\"terraform_version\":\"1.2.3\"}}'"
            ),
        );
        assert_eq!(version(&file).await.as_deref(), Some("1.2.3"));
        let told = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        // What a shell adds by itself aside.
        let own = ["PATH", "CHECKPOINT_DISABLE", "PWD", "OLDPWD", "SHLVL", "_"];
        for line in told("env").lines() {
            assert!(own.contains(&line.split('=').next().unwrap()), "{line}");
        }
        assert_eq!(told("pwd"), "/\n");
        let group: Vec<u32> = told("group").lines().map(|line| line.trim().parse().unwrap()).collect();
        assert_eq!(group[0], group[1], "it has a process group of its own");
    }

    #[tokio::test]
    async fn a_program_that_does_not_say_its_version_is_ended_with_all_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let file = script(
            folder.path(),
            &format!("sleep 600 & echo $! > {0}.part; mv {0}.part {0}; wait", folder.path().join("child").display()),
        );
        assert_eq!(version_within(&file, Duration::from_secs(1)).await, None);
        let child = std::fs::read_to_string(folder.path().join("child")).unwrap();
        let gone = || {
            let status = std::fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
            // One that has ended and that nobody has asked after is a zombie.
            status.is_empty() || status.contains(") Z ")
        };
        for _ in 0..100 {
            if gone() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it outlived the question");
    }

    #[tokio::test]
    async fn a_version_is_found_under_its_name_or_as_the_program_itself_or_missed() {
        let folder = tempfile::tempdir().unwrap();
        let says = |name: &str, version: &str| {
            let file = script(folder.path(), &format!("echo '{{\"terraform_version\":\"{version}\"}}'"));
            std::fs::rename(file, folder.path().join(name)).unwrap();
        };
        says("tofu", "1.9.0");
        says("tofu-1.8.0", "1.8.0");
        says("tofu-1.7.0", "1.7.1");
        let path = Some(folder.path().as_os_str().to_owned());
        let found = async |named: &str| find_in(Vendor::OpenTofu, named, path.as_deref()).await;
        assert_eq!(found("").await.unwrap(), folder.path().join("tofu"));
        assert_eq!(found("1.9.0").await.unwrap(), folder.path().join("tofu"));
        assert_eq!(found("1.8.0").await.unwrap(), folder.path().join("tofu-1.8.0"));
        assert_eq!(find_in(Vendor::OpenTofu, "", None).await, Err(EngineError::NotInstalled(Vendor::OpenTofu)));
        for version in ["1.7.0", "1.6.0"] {
            let missing = EngineError::NoVersion { vendor: Vendor::OpenTofu, version: version.into() };
            assert_eq!(found(version).await, Err(missing.clone()));
            assert_eq!(find_in(Vendor::OpenTofu, version, None).await, Err(missing.clone()), "nothing at all is there");
            let said = missing.to_string();
            assert!(said.contains(&format!("as tofu-{version},")) && said.contains("Settings > Vendor"), "{said}");
        }
    }
}
