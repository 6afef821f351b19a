//! Runs the `git` program so that nothing from outside can steer it: argument vectors only, a cleared environment, no
//! configuration but this one, no prompts, no hooks, its own process group and a time limit after which the whole group
//! is ended, as it is when Headway ends, however that happens. A credential goes in through the environment and is
//! scrubbed from whatever comes out.

use super::GitError;
use super::remote::Remote;
use crate::mask::Masker;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustix::process::{Pid, Signal, kill_process_group};
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

/// How long everything but a fetch may take.
pub(super) const SHORT: Duration = Duration::from_mins(1);
/// More output than this is given up on.
const MOST_OUTPUT: u64 = 256 * 1024 * 1024;
/// How much of the end of Git's messages is kept.
const MESSAGES: usize = 16 * 1024;

/// Runs Git beside a watcher, for a shell. The watcher reads what never comes: when Headway is gone, the reading ends, and
/// so does the whole process group. When Git has ended it goes first: nobody may be there to bury it later.
const WATCHED: &str = r#"exec 3<&0 </dev/null
{ read -r never <&3; kill -KILL 0; } >/dev/null 2>&1 &
git "$@" 3<&-
code=$?
{ kill -KILL $!; wait $!; } 2>/dev/null
exit $code"#;
/// What a shell exits with when there is no such program.
const NO_PROGRAM: i32 = 127;

/// The variables that Git gets from Headway's own environment.
const INHERITED: [&str; 11] = [
    "PATH",
    "HOME",
    "SSH_AUTH_SOCK",
    "ALL_PROXY",
    "all_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "NO_PROXY",
    "no_proxy",
];

/// By which name Git knows the certificate authorities, and the one that everything else reads: it stands for the first
/// where that is not set.
const AUTHORITIES: [(&str, &str); 2] = [("GIT_SSL_CAINFO", "SSL_CERT_FILE"), ("GIT_SSL_CAPATH", "SSL_CERT_DIR")];

/// The variables that Git gets from here.
const GIVEN: [(&str, &str); 11] = [
    ("LC_ALL", "C"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_ALLOW_PROTOCOL", "https:http:ssh:file"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_LITERAL_PATHSPECS", "1"),
    ("GIT_DEFAULT_HASH", "sha1"),
    ("GIT_DEFAULT_REF_FORMAT", "files"),
    ("GIT_SSH_COMMAND", "ssh -oBatchMode=yes -oConnectTimeout=20 -oServerAliveInterval=15 -oControlMaster=no"),
];

/// The configuration that Git gets, besides the mirror's own.
const SETTINGS: [(&str, &str); 18] = [
    ("core.attributesFile", "/dev/null"),
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.commitGraph", "true"),
    // Names that another file system would take for `.git`, wherever the data folder lies.
    ("core.protectHFS", "true"),
    ("core.protectNTFS", "true"),
    ("credential.helper", ""),
    ("fetch.fsckObjects", "true"),
    // Old repositories have these for good, and they harm nobody.
    ("fetch.fsck.badTimezone", "ignore"),
    ("fetch.fsck.missingSpaceBeforeDate", "ignore"),
    ("fetch.fsck.zeroPaddedFilemode", "ignore"),
    ("fetch.writeCommitGraph", "true"),
    ("gc.auto", "0"),
    ("http.lowSpeedLimit", "1000"),
    ("http.lowSpeedTime", "60"),
    ("maintenance.auto", "false"),
    ("safe.bareRepository", "explicit"),
    ("submodule.recurse", "false"),
];

/// How a run of Git ended.
#[derive(Debug)]
pub(super) struct Ended {
    status: ExitStatus,
    /// What it answered.
    pub stdout: Vec<u8>,
    /// The end of what it said, without secrets.
    pub messages: String,
}

impl Ended {
    /// Whether Git reports success.
    pub fn succeeded(&self) -> bool {
        self.status.success()
    }
}

/// One run of Git.
#[derive(Debug)]
pub(super) struct Git {
    command: Command,
    settings: Vec<(String, String)>,
    secrets: Vec<String>,
    action: &'static str,
    limit: Duration,
    setting: Option<&'static str>,
}

impl Git {
    /// Prepares a run; `action` says in an error what Git was doing.
    pub fn new(action: &'static str) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", WATCHED, "git"]);
        command.env_clear().current_dir("/").process_group(0).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.envs(inherited(|name| std::env::var_os(name)));
        command.envs(GIVEN);
        let settings = SETTINGS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { command, settings, secrets: Vec::new(), action, limit: SHORT, setting: None }
    }

    /// Adds arguments.
    pub fn arguments<Argument: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = Argument>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Names the repository to work on.
    pub fn repository(self, folder: &Path) -> Self {
        self.variable("GIT_DIR", folder)
    }

    /// Sets a variable.
    pub fn variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Changes the time limit.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Names the setting that the time limit is.
    pub fn raised_by(mut self, setting: &'static str) -> Self {
        self.setting = Some(setting);
        self
    }

    /// Lets Git talk to a repository where it lives: with its credential, at no other address than it was judged by.
    pub fn remote(mut self, remote: &Remote) -> Self {
        // A server could lead anywhere, and Git would take the credential there.
        self.settings.push(("http.followRedirects".into(), "false".into()));
        if let Some(place) = &remote.place {
            self.settings.push(("http.curloptResolve".into(), place.clone()));
        }
        let credential = remote.credential.as_ref().filter(|_| remote.address.starts_with("http"));
        let Some(credential) = credential else { return self };
        let (user, password) = credential.split_once(':').unwrap_or(("x-access-token", credential));
        let encoded = STANDARD.encode(format!("{user}:{password}"));
        self.settings.push((format!("http.{}.extraHeader", remote.address), format!("Authorization: Basic {encoded}")));
        self.secrets.extend([encoded, credential.to_owned(), password.to_owned()]);
        self
    }

    /// Runs Git to its end.
    pub async fn run(mut self) -> Result<Ended, GitError> {
        self.command.env("GIT_CONFIG_COUNT", self.settings.len().to_string());
        for (number, (name, value)) in self.settings.iter().enumerate() {
            self.command.env(format!("GIT_CONFIG_KEY_{number}"), name).env(format!("GIT_CONFIG_VALUE_{number}"), value);
        }
        let mut child = self.command.spawn().map_err(|error| GitError::Program(error.to_string()))?;
        let group = Group(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw));
        // Kept open to the end: the watcher takes its closing for the end of Headway.
        let _lifeline = child.stdin.take();
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let work = async { tokio::try_join!(answer(stdout), messages(stderr), child.wait()) };
        let ended = tokio::time::timeout(self.limit, work).await;
        let (stdout, messages, status) = match ended {
            Ok(Ok(ended)) => ended,
            Ok(Err(error)) => return Err(GitError::Unreadable(error.to_string())),
            Err(_) => {
                let (action, seconds, setting) = (self.action, self.limit.as_secs(), self.setting);
                return Err(GitError::TimedOut { action, seconds, setting });
            }
        };
        group.left();
        if status.code() == Some(NO_PROGRAM) {
            return Err(GitError::Program("no program \"git\" is on the path".into()));
        }
        let messages = scrub(&String::from_utf8_lossy(&messages), &self.secrets);
        Ok(Ended { status, stdout, messages })
    }
}

/// What Git gets of an environment.
fn inherited(look: impl Fn(&str) -> Option<OsString>) -> Vec<(&'static str, OsString)> {
    let set = |name: &str| look(name).filter(|value| !value.is_empty());
    let plain = INHERITED.iter().filter_map(|name| Some((*name, look(name)?)));
    let authorities = AUTHORITIES.iter().filter_map(|(git, others)| Some((*git, set(git).or_else(|| set(others))?)));
    plain.chain(authorities).collect()
}

/// The process group of a running Git; ended with all its members unless it ended by itself.
struct Group(Option<Pid>);

impl Group {
    /// Every member is gone, and the number may soon be another's.
    fn left(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

async fn answer(stream: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream
        && stream.take(MOST_OUTPUT).read_to_end(&mut bytes).await? as u64 == MOST_OUTPUT
    {
        return Err(std::io::Error::other("Git's answer is too long"));
    }
    Ok(bytes)
}

async fn messages(stream: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let Some(mut stream) = stream else { return Ok(bytes) };
    while stream.read_buf(&mut bytes).await? > 0 {
        if bytes.len() > 2 * MESSAGES {
            bytes.drain(..bytes.len() - MESSAGES);
        }
    }
    Ok(bytes)
}

/// Takes secrets, and whatever stands before the `@` of a web address, out of a text.
pub(super) fn scrub(text: &str, secrets: &[String]) -> String {
    let clean = Masker::new(secrets).mask(text);
    let mut parts = clean.split("://");
    let mut scrubbed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let authority = part.split(|letter: char| letter == '/' || letter.is_whitespace()).next().unwrap_or_default();
        scrubbed.push_str("://");
        match authority.rfind('@') {
            Some(at) if !scrubbed.ends_with("ssh://") || authority[..at].contains(':') => {
                scrubbed.push_str("***");
                scrubbed.push_str(&part[at..]);
            }
            Some(_) | None => scrubbed.push_str(part),
        }
    }
    scrubbed
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::{Git, GitError, inherited, scrub};
    use std::collections::BTreeMap;
    use std::time::Duration;

    #[test]
    fn secrets_are_scrubbed() {
        let secrets = ["s3cret".to_owned(), String::new()];
        assert_eq!(scrub("fatal: s3cret at https://ann:x@host/a?", &secrets), "fatal: •••••• at https://***@host/a?");
        assert_eq!(scrub("ssh://git@host/a and ssh://a:b@host", &secrets), "ssh://git@host/a and ssh://***@host");
        assert_eq!(scrub("https://host/a@b", &secrets), "https://host/a@b");
    }

    #[test]
    fn git_gets_the_authorities_by_the_names_it_reads() {
        let given = |environment: &[(&str, &str)]| {
            let environment: BTreeMap<_, _> = environment.iter().copied().collect();
            let got = inherited(|name| environment.get(name).map(Into::into));
            got.into_iter().map(|(name, value)| format!("{name}={}", value.display())).collect::<Vec<_>>()
        };
        assert_eq!(given(&[("SSL_CERT_FILE", "/f"), ("HOME", "/h")]), ["HOME=/h", "GIT_SSL_CAINFO=/f"]);
        assert_eq!(given(&[("SSL_CERT_FILE", "/f"), ("GIT_SSL_CAINFO", "/g")]), ["GIT_SSL_CAINFO=/g"]);
        assert_eq!(given(&[("SSL_CERT_DIR", "/d"), ("GIT_SSL_CAPATH", "")]), ["GIT_SSL_CAPATH=/d"]);
        assert_eq!(given(&[("SSL_CERT_FILE", ""), ("CURL_CA_BUNDLE", "/c"), ("LD_PRELOAD", "x")]), [""; 0]);
    }

    #[tokio::test]
    async fn how_git_ended_is_told_and_nobody_is_left() {
        let alias = "alias.tell=!ps -o pgid= -p $$; exit 3";
        let ended = Git::new("telling").arguments(["-c", alias, "tell"]).run().await.unwrap();
        assert_eq!((ended.status.code(), ended.messages.as_str()), (Some(3), ""));
        // In a container Headway may be the first process, which gets the orphans and does not bury them.
        let group = String::from_utf8(ended.stdout).unwrap();
        let left = std::process::Command::new("pgrep").args(["-g", group.trim()]).output().unwrap();
        assert_eq!(String::from_utf8(left.stdout).unwrap(), "");
    }

    #[tokio::test]
    async fn a_git_that_hangs_is_ended_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let trace = folder.path().join("trace");
        let alias = format!("alias.nap=!sleep 1; touch {}", trace.display());
        let git = Git::new("sleeping").arguments(["-c", &alias, "nap"]).limit(Duration::from_millis(200));
        assert!(matches!(git.run().await, Err(GitError::TimedOut { .. })));
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert!(!trace.exists());
    }
}
