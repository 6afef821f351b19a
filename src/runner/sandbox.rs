//! The sandbox: what a confined run sees of this machine, as arguments of bubblewrap.
//!
//! Its own process, mount, user, IPC and host name namespaces, no capability, the system's programs and certificates to
//! read, its workspace to write, and nothing else: no other run, no data folder, no home. The network is the machine's,
//! or none at all.

use crate::config::sandbox::{Choice, Confinement};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// Where a confined run finds what Headway itself brings along.
pub const OWN: &str = "/run/headway";
/// Who a confined run is to itself; on the machine it is Headway's user.
const USER: &str = "1000";

/// The folders of a system that are nowadays links into `/usr`.
const LINKED: [&str; 6] = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];
/// What of `/etc` a program needs to resolve names, trust certificates and find libraries; no key is among it.
const SETTINGS: [&str; 20] = [
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/pki/ca-trust",
    "/etc/pki/tls/cert.pem",
    "/etc/pki/tls/certs",
    "/etc/protocols",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/ssh/ssh_known_hosts",
    "/etc/ssl/cert.pem",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
];

/// What one phase of a run may see.
#[derive(Debug)]
pub struct Seen<'a> {
    /// Whether it reaches the network.
    pub network: bool,
    /// Whether it is kept from making user namespaces of its own.
    pub closed: bool,
    /// Which of the system's folders are links, and where to.
    pub links: Vec<(&'static str, PathBuf)>,
    /// The engine, wherever it is.
    pub engine: &'a Path,
    /// Headway's own program.
    pub headway: &'a Path,
    /// The socket of the state backend, where the network does not lead to it.
    pub state: Option<&'a Path>,
    /// What somebody lets runs read and change outside of their workspaces.
    pub shared: [&'a [PathBuf]; 2],
    /// Headway's data folder: of it nothing but the next two is there.
    pub data: &'a Path,
    /// What Headway made for this run to read.
    pub read: Vec<PathBuf>,
    /// What this run may change.
    pub write: Vec<PathBuf>,
    /// Folders that this run may change and has under another name.
    pub named: Vec<(PathBuf, &'static str)>,
    /// Who this run is: what it has as `/etc/passwd` and `/etc/group`.
    pub names: (PathBuf, PathBuf),
    /// Where it works.
    pub folder: &'a Path,
}

/// Where a confined run finds its engine: its name stays, because some look at it.
pub fn engine(engine: &Path) -> PathBuf {
    Path::new(OWN).join("engine").join(engine.file_name().unwrap_or_default())
}

/// Where a confined run finds Headway's own program.
pub fn headway() -> PathBuf {
    Path::new(OWN).join("headway")
}

/// Where a confined run without a network finds the state backend.
pub fn state() -> PathBuf {
    Path::new(OWN).join("state.sock")
}

/// Bubblewrap's arguments for a phase; the program to run comes after them.
pub fn arguments(seen: &Seen<'_>) -> Vec<OsString> {
    let mut arguments = Arguments::default();
    arguments.flags("--unshare-user --unshare-pid --unshare-ipc --unshare-uts --unshare-cgroup-try");
    if !seen.network {
        arguments.flags("--unshare-net");
    }
    if seen.closed {
        arguments.flags("--disable-userns");
    }
    arguments.flags("--die-with-parent --new-session --cap-drop ALL --hostname headway");
    arguments.flags(&format!("--uid {USER} --gid {USER}"));
    arguments.bind("--ro-bind", Path::new("/usr"), Path::new("/usr"));
    for place in LINKED {
        match seen.links.iter().find(|(link, _)| *link == place) {
            Some((_, target)) => arguments.bind("--symlink", target, Path::new(place)),
            None => arguments.same("--ro-bind-try", Path::new(place)),
        }
    }
    for place in SETTINGS {
        arguments.same("--ro-bind-try", Path::new(place));
    }
    arguments.flags("--proc /proc --dev /dev");
    arguments.bind("--ro-bind", &seen.names.0, Path::new("/etc/passwd"));
    arguments.bind("--ro-bind", &seen.names.1, Path::new("/etc/group"));
    for (folder, name) in &seen.named {
        arguments.bind("--bind", folder, Path::new(name));
    }
    let [read, write] = seen.shared;
    read.iter().for_each(|path| arguments.same("--ro-bind-try", path));
    write.iter().for_each(|path| arguments.same("--bind-try", path));
    // After all that: whatever of the data folder lay in it is gone again.
    arguments.flags("--tmpfs");
    arguments.0.push(seen.data.into());
    seen.read.iter().for_each(|path| arguments.same("--ro-bind", path));
    seen.write.iter().for_each(|path| arguments.same("--bind", path));
    arguments.bind("--ro-bind", seen.engine, &engine(seen.engine));
    arguments.bind("--ro-bind", seen.headway, &headway());
    if let Some(socket) = seen.state {
        arguments.bind("--ro-bind", socket, &state());
    }
    // These live in memory that no limit counts.
    arguments.flags("--remount-ro");
    arguments.0.push(seen.data.into());
    arguments.flags("--remount-ro /dev --remount-ro / --chdir");
    arguments.0.push(seen.folder.into());
    arguments.flags("--");
    arguments.0
}

#[derive(Default)]
struct Arguments(Vec<OsString>);

impl Arguments {
    fn flags(&mut self, flags: &str) {
        self.0.extend(flags.split(' ').map(OsString::from));
    }

    fn bind(&mut self, how: &str, from: &Path, to: &Path) {
        self.0.extend([how.into(), from.into(), to.into()]);
    }

    fn same(&mut self, how: &str, path: &Path) {
        self.bind(how, path, path);
    }
}

/// Which of the system's folders are links on this machine.
pub fn links() -> Vec<(&'static str, PathBuf)> {
    LINKED.into_iter().filter_map(|place| Some((place, std::fs::read_link(place).ok()?))).collect()
}

/// Decides how runs are confined here: tries bubblewrap for real, once.
pub async fn probe(choice: Choice) -> Confinement {
    if choice == Choice::None {
        return Confinement::Chosen;
    }
    let why = match super::engine::on_path("bwrap") {
        None => {
            "There is no bubblewrap: no program \"bwrap\" is on the path. Install the package `bubblewrap` of your \
                 system, then start Headway again."
                .to_owned()
        }
        Some(program) => {
            let mut said = String::new();
            for closed in [true, false] {
                match attempt(&program, closed).await {
                    Ok(()) => return Confinement::Bubblewrap { program, closed },
                    Err(error) => said = error,
                }
            }
            format!(
                "Bubblewrap does not work here; it says: {said}. Let Headway's user make user namespaces (the \
                 settings user.max_user_namespaces and kernel.unprivileged_userns_clone, or the profile of the \
                 container that Headway runs in), then start Headway again."
            )
        }
    };
    match choice {
        Choice::Bubblewrap => Confinement::Refused(why),
        Choice::Auto | Choice::None => Confinement::Missing(why),
    }
}

/// Runs `true` in a sandbox like that of a run; what bubblewrap says when it cannot.
async fn attempt(program: &Path, closed: bool) -> Result<(), String> {
    let mut flags = "--unshare-user --unshare-pid --unshare-ipc --unshare-uts --unshare-cgroup-try --unshare-net \
                     --die-with-parent --new-session --cap-drop ALL --uid 1000 --gid 1000 --ro-bind / / --proc /proc \
                     --dev /dev"
        .to_owned();
    if closed {
        flags += " --disable-userns";
    }
    let mut command = Command::new(program);
    command.args(flags.split_whitespace()).args(["--", "true"]);
    command.stdin(Stdio::null()).kill_on_drop(true);
    match tokio::time::timeout(Duration::from_secs(10), command.output()).await {
        Err(_) => Err("nothing for ten seconds".into()),
        Ok(Err(error)) => Err(error.to_string()),
        Ok(Ok(output)) if output.status.success() => Ok(()),
        Ok(Ok(output)) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(said.lines().next().unwrap_or("nothing").trim_start_matches("bwrap: ").chars().take(200).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen<'a>(shared: [&'a [PathBuf]; 2]) -> Seen<'a> {
        Seen {
            network: true,
            closed: false,
            links: vec![("/bin", "usr/bin".into())],
            engine: Path::new("/opt/engines/tofu"),
            headway: Path::new("/opt/headway/headway"),
            state: None,
            shared,
            data: Path::new("/srv/data"),
            read: vec!["/srv/data/runs/1/terraform.rc".into()],
            write: vec!["/srv/data/runs/1/source".into()],
            named: vec![("/srv/data/runs/1/tmp".into(), "/tmp")],
            names: ("/srv/data/runs/1/passwd".into(), "/srv/data/runs/1/group".into()),
            folder: Path::new("/srv/data/runs/1/source/live"),
        }
    }

    fn line(seen: &Seen<'_>) -> String {
        let words: Vec<String> = arguments(seen).iter().map(|word| word.to_string_lossy().into_owned()).collect();
        format!(" {} ", words.join(" "))
    }

    fn before(line: &str, first: &str, second: &str) -> bool {
        matches!((line.find(first), line.find(second)), (Some(first), Some(second)) if first < second)
    }

    #[test]
    fn a_run_sees_what_is_named_and_nothing_else() {
        let line = line(&seen([&[], &[]]));
        for expected in [
            " --unshare-user --unshare-pid --unshare-ipc --unshare-uts ",
            " --die-with-parent --new-session --cap-drop ALL ",
            " --ro-bind /usr /usr --symlink usr/bin /bin --ro-bind-try /sbin /sbin ",
            " --ro-bind /srv/data/runs/1/passwd /etc/passwd ",
            " --bind /srv/data/runs/1/tmp /tmp ",
            " --ro-bind /srv/data/runs/1/terraform.rc /srv/data/runs/1/terraform.rc ",
            " --bind /srv/data/runs/1/source /srv/data/runs/1/source ",
            " --ro-bind /opt/engines/tofu /run/headway/engine/tofu ",
            " --ro-bind /opt/headway/headway /run/headway/headway ",
            " --remount-ro /srv/data --remount-ro /dev --remount-ro / --chdir /srv/data/runs/1/source/live -- ",
        ] {
            assert!(line.contains(expected), "{expected} is not in{line}");
        }
        for secret in ["/etc/shadow", " /etc ", "/root", "/home", "/var", "/etc/ssl/private", "ro-bind / /", "--share"]
        {
            assert!(!line.contains(secret), "{secret} is in{line}");
        }
        assert!(!line.contains("--unshare-net") && !line.contains("--disable-userns"));
    }

    #[test]
    fn whatever_is_shared_the_data_folder_is_hidden_again_before_the_runs_own_part_of_it_appears() {
        let (read, write) = ([PathBuf::from("/srv")], [PathBuf::from("/srv/data/runs")]);
        let line = line(&seen([&read, &write]));
        assert!(before(&line, "--ro-bind-try /srv /srv", "--tmpfs /srv/data"));
        assert!(before(&line, "--bind-try /srv/data/runs", "--tmpfs /srv/data"));
        assert!(before(&line, "--tmpfs /srv/data", "--bind /srv/data/runs/1/source"));
    }

    #[test]
    fn without_a_network_only_the_state_is_reached() {
        let open = seen([&[], &[]]);
        let line = line(&Seen { network: false, closed: true, state: Some(Path::new("/srv/data/state.sock")), ..open });
        assert!(line.contains(" --unshare-net --disable-userns "));
        assert!(before(&line, "--tmpfs /srv/data", "--ro-bind /srv/data/state.sock /run/headway/state.sock"));
    }

    #[tokio::test]
    async fn who_wants_none_gets_none_and_is_not_warned() {
        assert_eq!(probe(Choice::None).await, Confinement::Chosen);
    }
}
