//! A PostgreSQL server for the tests of one process: started from the system's own programs in a temporary folder,
//! gone when the process is, however it ends.

use sqlx::{Connection as _, PgConnection};
use std::io::{self, Write as _};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The running server. It ends when its guard's standard input does, which is when this process is gone.
struct Server {
    folder: PathBuf,
    _guard: Child,
}

/// Ends the server and removes its folder as soon as standard input is closed.
const GUARD: &str = r#"
program=$1 folder=$2
"$program" -D "$folder/data" -k "$folder" -F -c listen_addresses= -c synchronous_commit=off -c full_page_writes=off \
    -c max_connections=200 -c shared_buffers=16MB -c deadlock_timeout=200ms </dev/null >"$folder/log" 2>&1 &
server=$!
cat >/dev/null
# Too early for its own handlers, TERM ends it; later, TERM asks politely and QUIT does not wait for clients.
kill -TERM "$server"
sleep 0.2
kill -QUIT "$server"
wait "$server"
cd / && rm -rf "$folder"
"#;

static SERVER: OnceLock<Option<Server>> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// The address of a new, empty database; none when the system has no PostgreSQL.
pub async fn fresh_database() -> Option<String> {
    let server = SERVER.get_or_init(|| match start() {
        Ok(server) => Some(server),
        Err(reason) => {
            // Not `eprintln!`, which the test harness would keep to itself.
            let _ = writeln!(io::stderr(), "\nThe store is tested on SQLite only: {reason}.");
            None
        }
    });
    let server = server.as_ref()?;
    let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::SeqCst));
    let mut connection = connected(server).await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("create database {name}"))).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    Some(address(&server.folder, &name))
}

fn address(folder: &Path, database: &str) -> String {
    format!("postgres://headway@localhost/{database}?host={}", folder.display())
}

/// Waits until the server answers.
async fn connected(server: &Server) -> PgConnection {
    let started = Instant::now();
    loop {
        match PgConnection::connect(&address(&server.folder, "postgres")).await {
            Ok(connection) => return connection,
            Err(error) if started.elapsed() > Duration::from_secs(30) => {
                let log = std::fs::read_to_string(server.folder.join("log")).unwrap_or_default();
                panic!("PostgreSQL does not answer: {error}\n{log}");
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

fn start() -> Result<Server, String> {
    let programs = programs().ok_or("the programs initdb and postgres are not installed")?;
    let user = rustix::process::geteuid().is_root().then(other_user);
    let folder = tempfile::Builder::new().prefix("headway-pg-").tempdir().map_err(|error| error.to_string())?.keep();
    if let Some((user, group)) = user {
        chown(&folder, Some(user), Some(group)).map_err(|error| error.to_string())?;
    }
    let mut initdb = as_user(Command::new(programs.join("initdb")), user);
    initdb.args(["--username=headway", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata"]);
    let output = initdb.arg(folder.join("data")).current_dir(&folder).output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        let _ = std::fs::remove_dir_all(&folder);
        return Err(format!("initdb failed: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    let guard = as_user(Command::new("sh"), user)
        .args(["-c", GUARD, "guard"])
        .arg(programs.join("postgres"))
        .arg(&folder)
        .current_dir(&folder)
        // A Ctrl-C at the terminal reaches the tests; the guard then still has something to tidy up.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    Ok(Server { folder, _guard: guard })
}

fn as_user(mut command: Command, user: Option<(u32, u32)>) -> Command {
    if let Some((user, group)) = user {
        command.uid(user).gid(group);
    }
    // What a developer's shell says about another server must not be heard by this one.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
        command.env_remove(name);
    }
    command
}

/// The folder that holds `initdb` and `postgres`.
fn programs() -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    for (parent, below) in [
        ("/usr/lib/postgresql", "bin"),
        ("/opt/homebrew/opt", "bin"),
        ("/usr/local/opt", "bin"),
        ("/home/linuxbrew/.linuxbrew/opt", "bin"),
        ("/Applications/Postgres.app/Contents/Versions", "bin"),
    ] {
        let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
        let mut found: Vec<PathBuf> = entries.map(|entry| entry.path().join(below)).collect();
        found.sort();
        folders.extend(found.into_iter().rev());
    }
    folders.push("/usr/local/pgsql/bin".into());
    folders.into_iter().find(|folder| ["initdb", "postgres"].iter().all(|program| folder.join(program).is_file()))
}

/// Whom to become instead of root, whom `initdb` refuses: user and group.
fn other_user() -> (u32, u32) {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let find = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut numbers = line.split(':').skip(2).map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    };
    find("postgres").or_else(|| find("nobody")).unwrap_or((65_534, 65_534))
}

#[test]
fn the_server_ends_with_the_process_that_started_it() {
    if SERVER.get_or_init(|| start().ok()).is_none() {
        return;
    }
    // A second one, whose standard input is closed here as it would be by an end of the process.
    let mut second = start().unwrap();
    drop(second._guard.stdin.take());
    second._guard.wait().unwrap();
    assert!(!second.folder.exists());
}
