//! Mirrors of real repositories: what a fetch brings and takes away, what stays pinned, what a checkout holds, and that
//! no credential is ever seen.

use super::mirror::{Mirror, probe};
use super::{Cause, GitError};
use crate::domain::CommitHash;
use crate::domain::relation::Relation;
use crate::outgoing::Outgoing;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// More than any checkout here holds, in bytes.
const MOST: u64 = 1 << 20;

/// This machine is open: everything that is fetched from is here.
fn near() -> Outgoing {
    Outgoing::new(&["127.0.0.0/8".parse().unwrap()])
}

/// A repository to fetch from, with a working folder, and a mirror of it.
struct World {
    folder: TempDir,
    origin: PathBuf,
    mirror: Mirror,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let origin = folder.path().join("origin");
        fs::create_dir(&origin).unwrap();
        let mirror = Mirror::at(folder.path().join("mirrors/one"), Duration::from_mins(10));
        let world = Self { folder, origin, mirror };
        world.git(&["init", "--quiet", "--initial-branch=main"]);
        world
    }

    fn git(&self, arguments: &[&str]) -> String {
        run(&self.origin, arguments)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.origin.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn commit(&self, subject: &str) -> CommitHash {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", subject]);
        CommitHash::parse(&self.git(&["rev-parse", "HEAD"])).unwrap()
    }

    async fn fetch(&self) -> BTreeMap<String, CommitHash> {
        self.mirror.fetch(&near(), self.origin.to_str().unwrap(), None).await.unwrap()
    }

    fn mirror_folder(&self) -> PathBuf {
        self.folder.path().join("mirrors/one")
    }

    fn empty_folder(&self, name: &str) -> PathBuf {
        let folder = self.folder.path().join(name);
        fs::create_dir(&folder).unwrap();
        folder
    }
}

fn run(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "Ann").env(format!("GIT_{who}_EMAIL"), "ann@example.com");
        command.env(format!("GIT_{who}_DATE"), "2026-01-02T03:04:05Z");
    }
    let output = command.env("GIT_CONFIG_GLOBAL", "/dev/null").current_dir(folder).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn heads<const COUNT: usize>(heads: [(&str, &CommitHash); COUNT]) -> BTreeMap<String, CommitHash> {
    heads.into_iter().map(|(branch, head)| (branch.to_owned(), head.clone())).collect()
}

#[tokio::test]
async fn a_fetch_brings_the_branches_as_they_are() {
    let world = World::new();
    assert_eq!(world.fetch().await, BTreeMap::new());
    assert_eq!(probe(&near(), world.origin.to_str().unwrap(), None).await, Ok(BTreeMap::new()));

    let first = world.commit("first");
    world.git(&["branch", "topic"]);
    assert_eq!(world.fetch().await, heads([("main", &first), ("topic", &first)]));
    let second = world.commit("second");
    world.git(&["branch", "--delete", "topic"]);
    world.git(&["branch", "topic/one"]);
    world.git(&["tag", "v1"]);
    let expected = heads([("main", &second), ("topic/one", &second)]);
    assert_eq!(world.fetch().await, expected);
    let address = format!("file://{}/", world.origin.display());
    assert_eq!(probe(&near(), &address, None).await, Ok(expected));
    assert_eq!(run(&world.mirror_folder(), &["tag"]), "");

    world.git(&["reset", "--quiet", "--hard", first.as_str()]);
    let other = world.commit("other");
    assert_eq!(world.fetch().await, heads([("main", &other), ("topic/one", &second)]));
    let history = world.mirror.open().unwrap();
    assert_eq!(history.head("main"), Some(other.clone()));
    assert_eq!(history.head("topic"), None);
    assert!(matches!(history.relation(Some(&second), &other), Relation::Diverged { missing } if missing.count == 1));
    assert!(world.mirror_folder().join("objects/info/commit-graphs").exists());
}

#[tokio::test]
async fn nobody_else_on_this_machine_reads_a_mirror() {
    let world = World::new();
    world.commit("one");
    world.fetch().await;
    let mode = || fs::metadata(world.mirror_folder()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o700);
    // One that an older Headway made.
    fs::set_permissions(world.mirror_folder(), fs::Permissions::from_mode(0o755)).unwrap();
    world.fetch().await;
    assert_eq!(mode(), 0o700);
}

#[tokio::test]
async fn a_pinned_commit_stays() {
    let world = World::new();
    let base = world.commit("base");
    let (pinned, lost) = (world.commit("pinned"), world.commit("lost"));
    world.fetch().await;
    world.mirror.pin(&pinned).await.unwrap();
    world.mirror.pin(&pinned).await.unwrap();
    world.git(&["reset", "--quiet", "--hard", base.as_str()]);
    let main = world.commit("main again");
    world.fetch().await;
    run(&world.mirror_folder(), &["gc", "--quiet", "--prune=now"]);
    world.fetch().await;

    let history = world.mirror.open().unwrap();
    assert_eq!(
        history.commit(&pinned).map(|commit| (commit.subject, commit.author)),
        Some(("pinned".into(), "Ann".into()))
    );
    assert!(matches!(history.relation(Some(&main), &pinned), Relation::Diverged { .. }));
    assert!(!history.reachable_from_heads(&pinned, Some("main")));
    assert!(history.reachable_from_heads(&base, Some("main")));
    assert_eq!(history.relation(Some(&main), &lost), Relation::Unknown);
    assert_eq!(world.mirror.pin(&lost).await, Err(GitError::Missing(lost.clone())));
    assert_eq!(
        world.mirror.checkout(&lost, &world.empty_folder("out"), MOST).await,
        Err(GitError::Missing(lost.clone()))
    );
    assert_eq!(world.mirror.changed_files(&main, &lost).await, Err(GitError::Missing(lost.clone())));
    assert_eq!(world.mirror.is_folder(&lost, "").await, Err(GitError::Missing(lost.clone())));
    assert_eq!(world.mirror.configurations(&lost).await, Err(GitError::Missing(lost)));
}

#[tokio::test]
async fn a_checkout_holds_the_commit_and_nothing_else() {
    let world = World::new();
    world.write("main.tf", "one");
    world.write("modules/a/x.tf.json", "{}");
    world.write("modules/.terraform/x.tf", "");
    world.write("tool/run.tofu", "");
    world.write("docs/ü.md", "");
    world.write(".gitattributes", "*.bin filter=evil\n");
    world.write("a.bin", "raw");
    symlink("modules", world.origin.join("link")).unwrap();
    let first = world.commit("first");
    world.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{first},sub")]);
    world.write("main.tf", "two");
    fs::rename(world.origin.join("docs/ü.md"), world.origin.join("docs/new.md")).unwrap();
    world.git(&["add", "main.tf", "docs"]);
    world.git(&["commit", "--quiet", "--message", "second"]);
    let second = CommitHash::parse(&world.git(&["rev-parse", "HEAD"])).unwrap();
    world.fetch().await;

    let out = world.empty_folder("out");
    let too_large = GitError::TooLarge { files: 500_000, mebibytes: 0 };
    assert_eq!(world.mirror.checkout(&second, &out, 30).await, Err(too_large));
    assert_eq!(fs::read_dir(&out).unwrap().count(), 0);
    world.mirror.checkout(&second, &out, MOST).await.unwrap();
    let names = |folder: &Path| {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&out), [".gitattributes", "a.bin", "docs", "link", "main.tf", "modules", "sub", "tool"]);
    assert_eq!(fs::read_to_string(out.join("main.tf")).unwrap(), "two");
    assert_eq!(fs::read_link(out.join("link")).unwrap(), Path::new("modules"));
    assert_eq!(names(&out.join("sub")), [""; 0]);
    assert_eq!(names(world.folder.path()), ["mirrors", "origin", "out"]);
    assert_eq!(world.mirror.checkout(&second, &out, MOST).await, Err(GitError::NotFolder(out.clone())));
    let nowhere = world.folder.path().join("nowhere");
    assert_eq!(world.mirror.checkout(&second, &nowhere, MOST).await, Err(GitError::NotFolder(nowhere.clone())));

    let changed = world.mirror.changed_files(&first, &second).await.unwrap();
    assert_eq!(changed, ["docs/new.md", "docs/ü.md", "main.tf", "sub"]);
    assert_eq!(world.mirror.configurations(&second).await.unwrap(), ["", "modules/a", "tool"]);
    for (path, expected) in [("", true), ("modules", true), ("modules/a", true), ("link", false), ("link/a", false)]
        .into_iter()
        .chain([("sub", false), ("main.tf", false), ("nowhere", false), ("modules/../modules", false), ("/", false)])
        .chain([("modules/", false), (".", false), ("modules/a\0", false)])
    {
        assert_eq!(world.mirror.is_folder(&second, path).await, Ok(expected), "{path}");
    }
}

#[tokio::test]
async fn a_crash_is_repaired_by_the_next_fetch() {
    let world = World::new();
    let first = world.commit("first");
    fs::create_dir_all(world.mirror_folder().with_file_name("one.new/objects")).unwrap();
    assert!(matches!(world.mirror.open(), Err(GitError::Unreadable(_))));
    assert_eq!(world.fetch().await, heads([("main", &first)]));
    world.mirror.pin(&first).await.unwrap();

    fs::write(world.mirror_folder().join("HEAD"), "").unwrap();
    assert_eq!(world.fetch().await, heads([("main", &first)]));
    fs::remove_dir_all(world.mirror_folder()).unwrap();
    fs::create_dir(world.mirror_folder()).unwrap();
    assert_eq!(world.fetch().await, heads([("main", &first)]));

    let second = world.commit("second");
    let lock = world.mirror_folder().join("refs/heads/main.lock");
    let file = fs::File::create(&lock).unwrap();
    let error = world.mirror.fetch(&near(), world.origin.to_str().unwrap(), None).await.unwrap_err();
    assert!(error.to_string().contains("main.lock"), "{error}");
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(world.fetch().await, heads([("main", &second)]));

    // Those of a Headway that was ended a moment ago.
    let third = world.commit("third");
    for lock in ["refs/heads/main.lock", "packed-refs.lock", "objects/info/commit-graphs/commit-graph-chain.lock"] {
        fs::write(world.mirror_folder().join(lock), "").unwrap();
    }
    world.mirror.fetch(&near(), world.origin.to_str().unwrap(), None).await.unwrap_err();
    super::remove_every_lock(world.mirror_folder().parent().unwrap());
    assert_eq!(world.fetch().await, heads([("main", &third)]));
}

#[tokio::test]
async fn many_pins_are_packed() {
    let world = World::new();
    let first = world.commit("first");
    world.fetch().await;
    world.mirror.pin(&first).await.unwrap();
    let pins = world.mirror_folder().join("refs/headway/pinned");
    for number in 0..500 {
        fs::write(pins.join(format!("{number:040}")), format!("{first}\n")).unwrap();
    }
    world.fetch().await;
    assert!(!pins.join(first.as_str()).exists());
    assert_eq!(run(&world.mirror_folder(), &["for-each-ref", "refs/headway"]).lines().count(), 501);
}

#[tokio::test]
async fn what_cannot_be_reached_is_said_clearly() {
    let world = World::new();
    let plain = world.empty_folder("plain");
    for (address, expected) in [
        (world.folder.path().join("nowhere").display().to_string(), Cause::NotRepository),
        (format!("file://{}", plain.display()), Cause::NotRepository),
        ("https://nowhere.invalid/a/b".into(), Cause::Host),
        ("http://127.0.0.1:1/a/b".into(), Cause::Connection),
    ] {
        let fetched = world.mirror.fetch(&near(), &address, None).await.unwrap_err();
        let probed = probe(&near(), &address, None).await.unwrap_err();
        for error in [fetched, probed] {
            assert!(matches!(&error, GitError::Unreachable { cause, .. } if *cause == expected), "{error}");
        }
    }
    for address in ["--upload-pack=touch x", "ext::sh -c true", "../origin", "git://host/a"] {
        assert!(matches!(world.mirror.fetch(&near(), address, None).await, Err(GitError::Address(_))));
        assert!(matches!(probe(&near(), address, None).await, Err(GitError::Address(_))));
    }
}

#[tokio::test]
async fn a_fetch_that_takes_too_long_names_the_setting_that_gives_it_longer() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/a", listener.local_addr().unwrap());
    let hasty = Mirror::at(world.mirror_folder(), Duration::from_secs(1));
    let error = hasty.fetch(&near(), &address, None).await.unwrap_err().to_string();
    assert!(error.contains("did not finish fetching") && error.contains("raise the setting --fetch-limit"), "{error}");
}

#[tokio::test]
async fn a_shallow_clone_is_no_repository_without_branches() {
    let world = World::new();
    world.commit("first");
    let second = world.commit("second");
    let origin = format!("file://{}", world.origin.display());
    run(world.folder.path(), &["clone", "--quiet", "--depth=1", &origin, "shallow"]);
    let shallow = world.folder.path().join("shallow");
    let error = world.mirror.fetch(&near(), shallow.to_str().unwrap(), None).await.unwrap_err();
    assert!(matches!(error, GitError::Unreachable { cause: Cause::Shallow, .. }), "{error}");
    assert!(error.to_string().contains("git fetch --unshallow"), "{error}");
    run(&shallow, &["fetch", "--quiet", "--unshallow"]);
    let fetched = world.mirror.fetch(&near(), shallow.to_str().unwrap(), None).await;
    assert_eq!(fetched, Ok(heads([("main", &second)])));
}

#[tokio::test]
async fn a_credential_is_sent_and_never_seen() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let mut requests = Vec::new();
        for answer in
            ["401 Unauthorized\r\nWWW-Authenticate: Basic", "302 Found\r\nLocation: http://127.0.0.1:1/s3cret/"]
        {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap();
            requests.push(String::from_utf8_lossy(&request[..length]).into_owned());
            write!(stream, "HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        }
        requests
    });
    let held = format!("http://ann:s3cret@127.0.0.1:{port}/a");
    let refused = world.mirror.fetch(&near(), &held, None).await.unwrap_err();
    assert!(matches!(refused, GitError::Unreachable { cause: Cause::Authentication, .. }), "{refused}");
    let given = probe(&near(), &format!("http://127.0.0.1:{port}/a"), Some("s3cret")).await.unwrap_err();
    assert!(matches!(given, GitError::Unreachable { cause: Cause::Moved, .. }), "{given}");
    let requests = server.join().unwrap();
    assert!(requests[0].contains("Authorization: Basic YW5uOnMzY3JldA=="), "{requests:?}");
    assert!(requests[1].contains("Authorization: Basic eC1hY2Nlc3MtdG9rZW46czNjcmV0"), "{requests:?}");
    for error in [refused, given] {
        let (shown, debugged) = (error.to_string(), format!("{error:?}"));
        assert!(!shown.contains("s3cret") && !debugged.contains("s3cret"), "{shown}");
    }
    let config = fs::read_to_string(world.mirror_folder().join("config")).unwrap();
    assert!(!config.contains("s3cret") && !config.contains("127.0.0.1"), "{config}");
}
