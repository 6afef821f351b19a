//! A Headway under test: the program itself, and what a person does with it.

use crate::page::{Page, card, card_run, shown_once, version};
use crate::repository::{Repository, resource};
use reqwest::header::{ACCEPT, LOCATION, ORIGIN, REFERER};
use reqwest::redirect::Policy;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything may take before a test gives up: a limit against hanging, not a measure.
const PATIENCE: Duration = Duration::from_secs(90);

/// The password of everybody here.
pub const PASSWORD: &str = "umbrella-tractor-violin-38";

/// Whether there is a Terraform; a test that needs one says so and ends.
pub fn terraform() -> bool {
    let found = Command::new("terraform").arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        eprintln!("SKIPPED: this scenario plans for real, and there is no terraform on the path");
    }
    found
}

/// Whether there is a bubblewrap that works; a test of the sandbox says so and ends.
pub fn bubblewrap() -> bool {
    let arguments = "--unshare-all --unshare-user --ro-bind / / --proc /proc --dev /dev -- true";
    let works = Command::new("bwrap").args(arguments.split(' ')).stderr(Stdio::null()).status();
    let works = works.is_ok_and(|status| status.success());
    if !works {
        eprintln!("SKIPPED: this scenario is about the sandbox, and there is no bubblewrap that works");
    }
    works
}

/// One Headway with its data folder.
pub struct Headway {
    program: PathBuf,
    subcommand: String,
    child: Child,
    pub url: String,
    pub data: TempDir,
    /// What its runs may change besides their own files.
    pub shared: TempDir,
    client: reqwest::Client,
    environment: Vec<(String, String)>,
}

impl Headway {
    /// Starts with an empty data folder.
    pub async fn start() -> Self {
        Self::start_with("serve", &[]).await
    }

    /// Starts a subcommand with an empty data folder and more of an environment.
    pub async fn start_with(subcommand: &str, environment: &[(&str, &str)]) -> Self {
        Self::start_program(program(), subcommand, environment).await
    }

    /// Starts a subcommand of a copy of the program.
    pub async fn start_program(program: PathBuf, subcommand: &str, environment: &[(&str, &str)]) -> Self {
        let (data, shared) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut environment: Vec<(String, String)> =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        // The simulated GitHub, providers and servers of Git are all on this machine.
        if !environment.iter().any(|(name, _)| name == "HEADWAY_ALLOW_NETWORK") {
            environment.push(("HEADWAY_ALLOW_NETWORK".into(), "127.0.0.0/8,::1".into()));
        }
        environment.push(("HEADWAY_SANDBOX_WRITE".into(), shared.path().to_str().unwrap().into()));
        let (child, url, link) = spawn(&program, subcommand, data.path(), &environment);
        let subcommand = subcommand.to_owned();
        let headway = Self { program, subcommand, child, url, data, shared, client: browser(), environment };
        if let Some(link) = link {
            headway.welcome(&headway.client, &link, "operator").await;
        }
        headway
    }

    /// Follows a one-time link with a browser: chooses a password, and the name where it may be chosen.
    pub async fn welcome(&self, browser: &reqwest::Client, link: &str, name: &str) {
        let secret = link.split("link=").nth(1).unwrap();
        let fields = [("link", secret), ("name", name), ("password", PASSWORD)];
        let answer = browser.post(format!("{}/api/accept_invitation", self.url)).header(ACCEPT, "application/json");
        let answer = answer.form(&fields).send().await.unwrap();
        assert!(answer.status().is_success(), "{}: {}", answer.status(), answer.text().await.unwrap());
    }

    /// Invites somebody with a role in the whole; their browser, signed in.
    pub async fn invite(&self, name: &str, role: &str) -> reqwest::Client {
        let page = self.form("/settings/people", "invite_person", &[("name", name), ("role", role)]).await;
        page.has_status(200).says("Send them this link now");
        let browser = browser();
        self.welcome(&browser, &format!("link={}", shown_once(&page, "/welcome?link=")), name).await;
        browser
    }

    /// From now on somebody else is at this Headway.
    pub fn act_with(&mut self, browser: reqwest::Client) -> reqwest::Client {
        std::mem::replace(&mut self.client, browser)
    }

    /// Sends a signal and waits until the program has ended; its exit code, none when the signal ended it.
    pub fn end(&mut self, signal: &str) -> Option<i32> {
        self.signal(signal);
        self.ended()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Waits until the program has ended; its exit code, none when a signal ended it.
    pub fn ended(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// Waits until the program has written this to its log.
    pub async fn until_logged(&self, text: &str) {
        let begun = Instant::now();
        let log = self.data.path().join("headway.log");
        while !std::fs::read_to_string(&log).unwrap().contains(text) {
            assert!(begun.elapsed() < PATIENCE, "{text:?} was never logged");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Starts anew on the same data folder; the link that it prints when nobody manages it.
    pub fn start_again(&mut self) -> Option<String> {
        let (child, url, link) = spawn(&self.program, &self.subcommand, self.data.path(), &self.environment);
        self.child = child;
        self.url = url;
        link
    }

    /// Starts anew, with one more variable in its environment.
    pub fn start_again_with(&mut self, name: &str, value: &str) {
        self.environment.push((name.into(), value.into()));
        self.start_again();
    }

    pub async fn page(&self, path: &str) -> Page {
        let answer = self.client.get(format!("{}{path}", self.url)).header(ACCEPT, "text/html").send().await.unwrap();
        let status = answer.status().as_u16();
        Page { status, path: path.to_owned(), html: answer.text().await.unwrap() }
    }

    /// Sends a form that stands on the page `from`, and follows to the page that shows the answer.
    pub async fn form(&self, from: &str, function: &str, fields: &[(&str, &str)]) -> Page {
        let answer = self
            .client
            .post(format!("{}/api/{function}", self.url))
            .header(ACCEPT, "text/html,application/xhtml+xml")
            .header(REFERER, format!("{}{from}", self.url))
            .header(ORIGIN, &self.url)
            .form(fields)
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        let location = answer.headers().get(LOCATION).map(|location| location.to_str().unwrap().to_owned());
        let Some(location) = location else { panic!("{function} answered {status} without a page to go to") };
        assert_eq!(status, 303, "{function} leads to {location}");
        self.page(&location).await
    }

    /// Calls a function as a script would: the status and the JSON.
    pub async fn call(&self, function: &str, fields: &[(&str, &str)]) -> (u16, serde_json::Value) {
        let request = self.client.post(format!("{}/api/{function}", self.url)).header(ACCEPT, "application/json");
        let answer = request.form(fields).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }

    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// Reads a page again and again until it is as wanted.
    pub async fn until(&self, path: &str, what: &str, wanted: impl Fn(&Page) -> bool) -> Page {
        let begun = Instant::now();
        loop {
            let page = self.page(path).await;
            if wanted(&page) {
                return page;
            }
            assert!(begun.elapsed() < PATIENCE, "{path} never got {what}:\n{}", page.text());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until a run is in this state.
    pub async fn until_state(&self, run: &str, state: &str) -> Page {
        let begun = Instant::now();
        loop {
            let page = self.page(run).await;
            let now = page.state();
            if now == state {
                return page;
            }
            let ended = ["finished", "failed", "discarded", "canceled", "stopped"].contains(&now.as_str());
            assert!(!ended && begun.elapsed() < PATIENCE, "{run} is {now}, not {state}:\n{}", page.text());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Makes a stack of a repository, through the two forms; its address.
    pub async fn stack(&self, repository: &Repository, name: &str, more: &[(&str, &str)]) -> String {
        self.stack_at(repository.address(), name, more).await
    }

    /// Makes a stack of the repository at an address; its address.
    pub async fn stack_at(&self, repository: &str, name: &str, more: &[(&str, &str)]) -> String {
        let second = self.form("/stacks/new", "add_repository", &[("address", repository)]).await;
        second.has_status(200).says("Step 2 of 2");
        let id = second.path.split("repository=").nth(1).unwrap().to_owned();
        let mut fields = vec![
            ("repository", id.as_str()),
            ("name", name),
            ("tracked_branch", "main"),
            ("vendor", "terraform"),
            ("manage_state", "true"),
            ("allow_run_promotion", "true"),
        ];
        fields.retain(|(field, _)| !more.iter().any(|(other, _)| other == field));
        fields.extend(more.iter().filter(|(_, value)| !value.is_empty()));
        let page = self.form(&second.path, "create_stack", &fields).await;
        page.has_status(200);
        assert!(page.path.starts_with("/stack/"), "{}: {}", page.path, page.text());
        page.path
    }

    /// Starts with one stack, called Network, of a repository; the stack's address.
    pub async fn with_network(repository: &Repository) -> (Self, String) {
        let headway = Self::start().await;
        let stack = headway.stack(repository, "Network", &[]).await;
        (headway, stack)
    }

    /// Pushes a branch `more` that makes a second thing, and waits for the plan of it.
    pub async fn propose_second(&self, repository: &Repository, stack: &str) -> String {
        repository.branch("more", "main", "Make a second thing", &[("second.tf", &resource("second"))]);
        self.sync(stack).await;
        let proposed = self.proposed(stack, "more").await;
        self.until_state(&proposed, "finished").await;
        proposed
    }

    /// Has the stack look at its repository now.
    pub async fn sync(&self, stack: &str) -> Page {
        self.form(stack, "sync_stack", &[("stack", stack.trim_start_matches("/stack/"))]).await
    }

    /// Sends a form about a run.
    pub async fn press(&self, run: &str, function: &str) -> Page {
        let (stack, id) = run.trim_start_matches("/stack/").split_once("/run/").unwrap();
        self.form(run, function, &[("stack", stack), ("run", id)]).await
    }

    /// Triggers a tracked run, confirms it and waits for its end; its address.
    pub async fn deploy(&self, stack: &str) -> String {
        let run = self.form(stack, "trigger_run", &[("stack", stack.trim_start_matches("/stack/"))]).await.path;
        self.until_state(&run, "unconfirmed").await;
        self.press(&run, "confirm_run").await;
        self.until_state(&run, "finished").await;
        run
    }

    /// The newest proposed run of a branch, once it is there.
    pub async fn proposed(&self, stack: &str, branch: &str) -> String {
        let page = self
            .until(&format!("{stack}/proposed"), branch, |page| {
                !card(page, branch).is_empty() && card_run(page, branch).is_some()
            })
            .await;
        card_run(&page, branch).unwrap()
    }

    /// The newest proposed run of a pull request, by its title, once it is there.
    pub async fn proposed_pull(&self, stack: &str, title: &str) -> String {
        let run = |page: &Page| {
            let card = page.html.split("<li class=\"card").find(|card| card.contains(title)).unwrap_or_default();
            Page { status: 200, path: String::new(), html: card.to_owned() }.runs().first().cloned()
        };
        let page = self.until(&format!("{stack}/proposed"), title, |page| run(page).is_some()).await;
        run(&page).unwrap()
    }

    /// Saves *Behavior* with these switches on and all others off.
    pub async fn behave(&self, stack: &str, on: &[&str]) -> Page {
        let settings = format!("{stack}/settings/behavior");
        let version = version(&self.page(&settings).await);
        let name = stack.trim_start_matches("/stack/");
        let mut fields = vec![("stack", name), ("version", version.as_str())];
        fields.extend(on.iter().map(|switch| (*switch, "true")));
        self.form(&settings, "save_behavior", &fields).await
    }
}

impl Drop for Headway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", std::fs::read_to_string(self.data.path().join("headway.log")).unwrap_or_default());
        }
    }
}

/// The program.
pub fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_headway"))
}

/// A browser: it keeps cookies, and follows redirects only when it is told to.
pub fn browser() -> reqwest::Client {
    reqwest::Client::builder().redirect(Policy::none()).cookie_store(true).build().unwrap()
}

/// Starts the program; its address, and the link for the first administrator when there is none yet.
fn spawn(
    program: &Path,
    subcommand: &str,
    data: &Path,
    environment: &[(String, String)],
) -> (Child, String, Option<String>) {
    use std::io::{BufRead as _, BufReader};
    let log = std::fs::File::options().create(true).append(true).open(data.join("headway.log")).unwrap();
    let mut child = Command::new(program)
        .args([subcommand, "--addr", "127.0.0.1:0", "--data"])
        .arg(data)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let (mut link, mut url) = (None, None);
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some(found) = line.strip_prefix("Headway is at ") {
            url = Some(found.to_owned());
            break;
        }
        link = line.contains("/welcome?link=").then_some(line).or(link);
    }
    let Some(url) = url else {
        child.wait().unwrap();
        panic!("it did not start: {}", std::fs::read_to_string(data.join("headway.log")).unwrap_or_default());
    };
    (child, url, link)
}

/// A program that stands in front of the real Terraform: runs `script` first, with the phase in `$1`.
pub fn engine_before(folder: &Path, script: &str) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let file = folder.join("engine");
    std::fs::write(&file, format!("#!/bin/sh\n{script}\nexec terraform \"$@\"\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    file.to_str().unwrap().to_owned()
}

impl Headway {
    /// Gives the stack another program.
    pub async fn use_engine(&self, stack: &str, engine: &str) {
        let settings = format!("{stack}/settings/vendor");
        let version = version(&self.page(&settings).await);
        let fields = [
            ("stack", stack.trim_start_matches("/stack/")),
            ("version", &version),
            ("vendor", "terraform"),
            ("engine_binary", engine),
        ];
        self.form(&settings, "save_vendor", &fields).await.says("Saved.");
    }
}
