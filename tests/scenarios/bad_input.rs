//! Bad input: each with a clear message at the field, the page or the command line, and nothing changed.

use crate::activity::past_headway;
use crate::headway::{Headway, program, terraform};
use crate::page::version;
use crate::repository::Repository;
use std::process::Command;

#[tokio::test]
async fn a_repository_that_cannot_be_used_is_refused_at_the_field_and_what_was_typed_stays() {
    let empty = tempfile::tempdir().unwrap();
    assert!(Command::new("git").args(["init", "--quiet", "--bare"]).current_dir(&empty).status().unwrap().success());
    let headway = Headway::start().await;
    for (address, message) in [
        ("", ""),
        ("relative/path", ""),
        ("ext::sh -c touch", ""),
        ("--upload-pack=touch", ""),
        ("/nowhere/at/all", ""),
        ("http://127.0.0.1:9/x.git", ""),
        (empty.path().to_str().unwrap(), "The repository is empty. Push a branch to it first."),
    ] {
        let page = headway.form("/stacks/new", "add_repository", &[("address", address)]).await;
        page.has_status(422).says(message).says("Step 1 of 2");
        if !address.is_empty() {
            assert!(page.html.contains(&format!("value=\"{address}\"")), "{address} is gone: {}", page.html);
        }
    }
    // Mistyped, it comes back without its password.
    for (typed, back) in [("ann:s3cret@host/a", "host/a"), ("https:/ann:s3cret@host/a", "host/a")] {
        let page = headway.form("/stacks/new", "add_repository", &[("address", typed)]).await;
        page.has_status(422).refuses("address", "This is not a complete address");
        assert!(!page.html.contains("s3cret") && page.html.contains(&format!("value=\"{back}\"")), "{}", page.html);
    }
    headway.page("/").await.says("No stacks yet");
}

#[tokio::test]
async fn credentials_in_an_address_reach_no_page_no_log_and_no_file() {
    let canary = "canary-77aa01";
    let headway = Headway::start().await;
    let address = format!("http://me:{canary}@127.0.0.1:9/x.git");
    let page = headway.form("/stacks/new", "add_repository", &[("address", &address)]).await;
    page.has_status(422);
    assert!(!page.html.contains(canary), "{}", page.html);
    assert!(page.html.contains("value=\"http://127.0.0.1:9/x.git\""), "the rest of the address stays");
    for file in std::fs::read_dir(headway.data.path()).unwrap().map(|entry| entry.unwrap().path()) {
        let bytes = if file.is_file() { std::fs::read(&file).unwrap() } else { Vec::new() };
        assert!(!bytes.windows(canary.len()).any(|window| window == canary.as_bytes()), "{}", file.display());
    }
}

#[tokio::test]
async fn a_new_stack_is_refused_field_by_field() {
    let repository = Repository::new();
    let headway = Headway::start().await;
    headway.stack(&repository, "Network", &[]).await;
    let second = headway.form("/stacks/new", "add_repository", &[("address", repository.address())]).await;
    let id = second.path.split("repository=").nth(1).unwrap().to_owned();
    let long = "n".repeat(81);
    for (name, branch, root, message) in [
        ("", "main", "", "at least one letter"),
        ("…", "main", "", "at least one letter"),
        ("New", "main", "", "taken by a page"),
        ("Network", "main", "", "Another stack is called"),
        ("NETWORK!", "main", "", "or nearly so"),
        (long.as_str(), "main", "", "at most 80 characters"),
        ("Other", "nope", "", "no branch"),
        ("Other", "main", "nowhere", "no folder"),
        ("Other", "main", "../..", "stays inside"),
        ("Other", "main", "first.tf", "no folder"),
    ] {
        let fields = [
            ("repository", id.as_str()),
            ("name", name),
            ("tracked_branch", branch),
            ("project_root", root),
            ("vendor", "terraform"),
            ("description", "typed before"),
        ];
        let page = headway.form(&second.path, "create_stack", &fields).await;
        page.has_status(422).says(message);
        assert!(page.html.contains("typed before"), "what was typed is gone");
    }
    let long = "d".repeat(2001);
    let fields = [
        ("repository", id.as_str()),
        ("name", "Other"),
        ("tracked_branch", "main"),
        ("vendor", "terraform"),
        ("description", &long),
    ];
    let page = headway.form(&second.path, "create_stack", &fields).await;
    page.has_status(422).refuses("description", "A description has at most 2000 characters.");
    // A name that no stack could be made with is none for a stack that is there either.
    let settings = "/stack/network/settings/details";
    for (name, message) in [("", "A stack needs a name."), ("…", "at least one letter"), (&*long, "at most 80")] {
        let version = version(&headway.page(settings).await);
        let fields = [("stack", "network"), ("version", &*version), ("name", name)];
        headway.form(settings, "save_details", &fields).await.has_status(422).refuses("name", message);
    }
    assert_eq!(headway.page("/").await.html.matches("<li class=\"card").count(), 1);
}

#[tokio::test]
async fn a_configuration_that_does_not_parse_fails_with_what_terraform_says() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    repository.branch("broken", "main", "Break it", &[("broken.tf", "resource {")]);
    headway.sync(&stack).await;
    let run = headway.proposed(&stack, "broken").await;
    headway.until_state(&run, "failed").await.says("failed (exit code 1)").says("Error").says("Its plan failed.");
}

#[tokio::test]
async fn what_is_not_there_is_404_and_what_cannot_be_read_is_400() {
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    for path in [
        "/nope",
        "/stack/nope",
        "/stack/nope/proposed",
        "/stack/nope/settings/behavior",
        &format!("{stack}/run/01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        &format!("{stack}/run/01ARZ3NDEKTSV4RRFFQ69G5FAV/changes"),
        &format!("{stack}/run/01ARZ3NDEKTSV4RRFFQ69G5FAV/log/0"),
        &format!("{stack}/settings/nope"),
        "/pkg/nope.js",
    ] {
        headway.page(path).await.has_status(404);
    }
    let (status, _) = headway.call("promote_run", &[("stack", "nope"), ("run", "nope")]).await;
    assert_eq!(status, 404);
    let (status, _) = headway.call("promote_run", &[("stack", "network")]).await;
    assert_eq!(status, 400);
    // A role that is none invites nobody, not even without one.
    let (status, _) = headway.call("invite_person", &[("name", "mallory"), ("role", "admin")]).await;
    assert_eq!(status, 400);
    headway.page("/settings/people").await.lacks("mallory");
    let ask = async |path: &str, length: usize| {
        let post = headway.client().post(format!("{}{path}", headway.url)).header("accept", "application/json");
        let form = format!("stack=network&note={}", "x".repeat(length));
        let answer = post.header("content-type", "application/x-www-form-urlencoded").body(form).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (status, said) = ask("/api/nosuch", 1).await;
    assert!(status == 404 && !said.contains("server"), "{said}");
    assert_eq!(ask("/api/lock_stack", 300_000).await.0, 413);
    let far = format!("{stack}/run/01ARZ3NDEKTSV4RRFFQ69G5FAV/log/99999999999999999999");
    headway.page(&far).await.has_status(404).lacks("i64");
    let cross = headway
        .client()
        .post(format!("{}/api/trigger_run", headway.url))
        .header("origin", "https://evil.example")
        .header("sec-fetch-site", "cross-site")
        .form(&[("stack", "network")])
        .send()
        .await
        .unwrap();
    assert_eq!(cross.status().as_u16(), 403);
    headway.page(&stack).await.says("No tracked runs yet");
}

#[tokio::test]
async fn the_command_line_says_what_is_wrong_and_exits_with_an_error() {
    let headway = Headway::start().await;
    let run = |arguments: &[&str]| {
        let output = Command::new(program()).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let other = tempfile::tempdir().unwrap();
    let taken = headway.url.trim_start_matches("http://");
    let (code, message) = run(&["serve", "--addr", taken, "--data", other.path().to_str().unwrap()]);
    assert!(code == Some(1) && message.contains("is in use"), "{code:?} {message}");

    let data = headway.data.path().to_str().unwrap();
    let (code, message) = run(&["serve", "--addr", "127.0.0.1:0", "--data", data]);
    assert!(code == Some(1) && message.contains("used by another Headway"), "{code:?} {message}");

    let (code, message) = run(&["serve", "--addr", "localhost:3000", "--data", other.path().to_str().unwrap()]);
    assert!(code == Some(2) && message.contains("a port, like 127.0.0.1:3000"), "{code:?} {message}");
    let (code, message) = run(&["serve", "--addr", "127.0.0.1:0", "--data", "/dev/null/nope"]);
    assert!(code == Some(1) && message.contains("cannot use the data folder"), "{code:?} {message}");
    let (code, message) = run(&["serve", "--workers", "0"]);
    assert!(code == Some(2) && message.contains("--workers"), "{code:?} {message}");
    let (code, _) = run(&["nonsense"]);
    assert_eq!(code, Some(2));
}

#[tokio::test]
async fn nothing_of_one_stack_is_found_at_the_address_of_another() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let headway = Headway::start().await;
    let one = headway.stack(&repository, "One", &[]).await;
    let other = headway.stack(&repository, "Other", &[]).await;
    let tracked = headway.deploy(&one).await;
    let proposed = headway.propose_second(&repository, &one).await;
    for run in [&tracked, &proposed] {
        headway.page(run).await.has_status(200);
        let elsewhere = run.replace(&one, &other);
        for path in ["", "/changes", "/log/0", "/log/2"] {
            headway.page(&format!("{elsewhere}{path}")).await.has_status(404);
        }
        let id = run.rsplit('/').next().unwrap();
        let fields = [("stack", "other"), ("run", id)];
        for function in ["promote_run", "confirm_run", "discard_run", "stop_run", "retry_run"] {
            assert_eq!(headway.call(function, &fields).await.0, 404, "{function}");
        }
        for (function, more) in [("run", vec![]), ("changes", vec![]), ("log", vec![("position", "0"), ("from", "0")])]
        {
            let fields: Vec<_> = fields.iter().copied().chain(more).collect();
            assert_eq!(headway.call(function, &fields).await.0, 404, "{function}");
        }
    }
    let state = headway.page(&format!("{other}/proposed")).await;
    assert!(state.runs().iter().all(|run| run.starts_with(&other)), "{:?}", state.runs());
}

#[tokio::test]
async fn what_fails_inside_tells_its_request_and_nothing_else() {
    let headway = Headway::start().await;
    past_headway(headway.data.path(), "alter table stack rename to mislaid; alter table run rename to ran")
        .await
        .unwrap();
    let mut requests = Vec::new();
    for (method, path, accept) in [
        ("GET", "/", "text/html"),
        ("GET", "/stack/network", "text/html"),
        ("POST", "/api/sync_stack", "application/json"),
        ("GET", "/stack/network/run/01ARZ3NDEKTSV4RRFFQ69G5FAV/log/0", "text/plain"),
    ] {
        let address = format!("{}{path}", headway.url);
        let request = headway.client().request(method.parse().unwrap(), address).header("accept", accept);
        let answer = request.form(&[("stack", "network")]).send().await.unwrap();
        assert_eq!(answer.status(), 500, "{path}");
        let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
        let said = answer.text().await.unwrap();
        assert!(said.contains(&id), "{path} does not tell {id}: {said}");
        for inside in ["no such table", "sqlite", "from stack", "mislaid", ".rs:"] {
            assert!(!said.contains(inside), "{path} tells {inside}: {said}");
        }
        requests.push(id);
    }
    let log = std::fs::read_to_string(headway.data.path().join("headway.log")).unwrap();
    for id in requests {
        let line =
            log.lines().find(|line| line.contains(&id)).unwrap_or_else(|| panic!("{id} is not in the log:\n{log}"));
        assert!(line.contains("no such table"), "{line}");
    }
}
