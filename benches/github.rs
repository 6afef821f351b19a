//! How soon GitHub is answered, how soon something comes of it, and how soon a page has what a run prints: `cargo xtask
//! bench`.
//!
//! Every number stands beside a yardstick of the same run, because machines differ and are noisy.
#![expect(clippy::unwrap_used, reason = "a measurement may panic")]

#[expect(dead_code, reason = "the scenarios' harness, of which a measurement uses a part")]
#[path = "../tests/scenarios/headway.rs"]
mod headway;
#[expect(dead_code, reason = "the scenarios' harness, of which a measurement uses a part")]
#[path = "../tests/scenarios/page.rs"]
mod page;
#[path = "../tests/scenarios/repository.rs"]
mod repository;
#[expect(dead_code, reason = "the scenarios' harness, of which a measurement uses a part")]
#[path = "../tests/scenarios/simulated.rs"]
mod simulated;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use simulated::{Simulated, buttons};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How many deliveries come at once.
const BURST: usize = 1000;

/// Over how many connections a burst comes that is not all at once.
const CONNECTIONS: usize = 50;

/// How many pushes and clicks are measured.
const TIMES: usize = 20;

#[tokio::main]
async fn main() {
    if !headway::terraform() {
        return;
    }
    let github = Simulated::start().await;
    let alone = deliveries(&github, 200, 1).await;
    let crowd = deliveries(&github, BURST, CONNECTIONS).await;
    let burst = deliveries(&github, BURST, BURST).await;
    report("webhook answered, one after the other", &alone);
    report(&format!("webhook answered, {BURST} over {CONNECTIONS} connections"), &crowd);
    report(&format!("webhook answered, {BURST} at once"), &burst);
    let program = repeat(|| Command::new("terraform").arg("version").output().unwrap());
    report("yardstick: terraform version", &program);
    // The clicks first: each changes the checks of every branch, and GitHub takes few writes a minute.
    report("click to tracked run", &clicks(&github).await);
    report("push to terraform started", &pushes(&github).await);
    report("line printed to the page that shows it", &lines(&github).await);
}

fn report(what: &str, times: &[Duration]) {
    let mut sorted = times.to_vec();
    sorted.sort();
    let at = |percent: usize| sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)].as_secs_f64() * 1000.0;
    println!(
        "{what:<42} n {:>4}  p50 {:>7.1} ms  p95 {:>7.1} ms  p99 {:>7.1} ms",
        sorted.len(),
        at(50),
        at(95),
        at(99)
    );
}

fn repeat<T>(mut work: impl FnMut() -> T) -> Vec<Duration> {
    (0..TIMES)
        .map(|_| {
            let begun = Instant::now();
            work();
            begun.elapsed()
        })
        .collect()
}

/// Sends deliveries that lead to nothing, some at a time.
async fn deliveries(github: &Simulated, count: usize, together: usize) -> Vec<Duration> {
    let secret = github.app["webhook_secret"].as_str().unwrap().to_owned();
    let address = format!("{}/webhooks/github", github.headway.url);
    let client = reqwest::Client::new();
    let mut times = Vec::new();
    for start in (0..count).step_by(together) {
        let mut waiting = tokio::task::JoinSet::new();
        for number in start..(start + together).min(count) {
            let body = json!({ "action": format!("{together}-{number}"), "padding": "x".repeat(20_000) }).to_string();
            let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
            mac.update(body.as_bytes());
            let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
            let request = client
                .post(&address)
                .header("content-type", "application/json")
                .header("x-github-event", "star")
                .header("x-github-delivery", format!("{together}-{number}"))
                .header("x-hub-signature-256", signature)
                .body(body);
            waiting.spawn(async move {
                let begun = Instant::now();
                assert_eq!(request.send().await.unwrap().status(), 202);
                begun.elapsed()
            });
        }
        times.extend(waiting.join_all().await);
    }
    times
}

/// From the moment at which GitHub notices a push to the first line of the program's own.
async fn pushes(github: &Simulated) -> Vec<Duration> {
    let folder = tempfile::tempdir().unwrap();
    // Where a confined run may write.
    let mark = github.headway.shared.path().join("started");
    let script = format!("touch {}", mark.display());
    let engine = headway::engine_before(folder.path(), &script);
    github.headway.use_engine(&github.stack, &engine).await;
    let mut times = Vec::new();
    for number in 0..TIMES {
        let branch = format!("push-{number}");
        let text = repository::resource(&branch);
        github.work.branch(&branch, "main", "Push", &[(format!("{branch}.tf").as_str(), text.as_str())]);
        github.work.git(&["push", "--quiet", "origin", &branch]);
        let _ = std::fs::remove_file(&mark);
        let begun = Instant::now();
        github.control("POST", "/repositories/acme/network/notice", json!({})).await;
        while !mark.exists() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        times.push(begun.elapsed());
        let run = github.headway.proposed(&github.stack, &branch).await;
        github.headway.until_state(&run, "finished").await;
    }
    github.headway.use_engine(&github.stack, "").await;
    times
}

/// From the moment at which a program prints a line to the one at which a page that listens has read it.
async fn lines(github: &Simulated) -> Vec<Duration> {
    let folder = tempfile::tempdir().unwrap();
    let script = format!("[ \"$1\" = plan ] && for n in $(seq {}); do sleep 0.13; date +'stamp %s%N'; done", TIMES * 2);
    let engine = headway::engine_before(folder.path(), &script);
    let (headway, stack) = (&github.headway, github.stack.as_str());
    headway.use_engine(stack, &engine).await;
    let run = headway.form(stack, "trigger_run", &[("stack", "network")]).await.path;
    let id = run.rsplit('/').next().unwrap();
    let address = format!("{}/events?stack=network&run={id}", headway.url);
    let mut stream = headway.client().get(address).send().await.unwrap();
    let page = headway.until(&run, "its first lines", |page| page.text().contains("stamp ")).await;
    let position = page.html.split("/log/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let mut times = Vec::new();
    let mut next = page.text().matches("stamp ").count();
    while next < TIMES * 2 {
        let news = stream.chunk().await.unwrap().unwrap();
        if !String::from_utf8_lossy(&news).contains("event: log") {
            continue;
        }
        let from = next.to_string();
        let fields = [("stack", "network"), ("run", id), ("position", &position), ("from", &from)];
        let (_, log) = headway.call("log", &fields).await;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let text = log["lines"].to_string();
        for stamp in text.split("stamp ").skip(1) {
            let printed: String = stamp.chars().take_while(char::is_ascii_digit).collect();
            times.push(now.saturating_sub(Duration::from_nanos(printed.parse().unwrap())));
            next += 1;
        }
    }
    headway.use_engine(stack, "").await;
    times
}

/// From a click on Deploy to the tracked run that the stack's page shows.
async fn clicks(github: &Simulated) -> Vec<Duration> {
    let mut times = Vec::new();
    let mut from = "main".to_owned();
    for number in 0..TIMES / 2 {
        let branch = format!("click-{number}");
        let text = repository::resource(&branch);
        let file = format!("{branch}.tf");
        let commit = github.work.branch(&branch, &from, &branch, &[(file.as_str(), text.as_str())]);
        github.push(&[&branch]).await;
        let deployable = |check: &serde_json::Value| buttons(check).contains(&"deploy");
        let check = github.until_check(&commit, "headway/network", "Deploy", deployable).await;
        let begun = Instant::now();
        github.click(&check, "deploy", "acme", false).await;
        while !github.headway.page(&github.stack).await.text().contains(&branch) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        times.push(begun.elapsed());
        let run = github.headway.page(&github.stack).await.runs()[0].clone();
        github.headway.until_state(&run, "finished").await;
        from = branch;
    }
    times
}
