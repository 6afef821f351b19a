//! Save settings: all of a page or nothing, never over somebody else's, and each change by its name in the log.

use super::*;
use crate::commands::save_settings::{Page, save_settings};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::IntoResponse as _;
use std::sync::Mutex;

async fn save(world: &World, version: i64, page: Page) -> Result<(), Problem> {
    save_settings(&world.context, &world.may("ada"), version, page).await
}

fn details(name: &str) -> Page {
    Page::Details { name: name.into(), description: String::new(), labels: Vec::new(), disabled: false }
}

fn source(tracked_branch: &str, project_root: &str, globs: &[&str]) -> Page {
    let additional_globs = globs.iter().map(|glob| (*glob).to_owned()).collect();
    Page::Source {
        address: None,
        tracked_branch: tracked_branch.into(),
        project_root: project_root.into(),
        additional_globs,
    }
}

#[tokio::test]
async fn a_save_changes_its_page_and_says_what_in_the_log() {
    let world = World::new().await;
    let before = world.stack().await;
    let labels = vec![" prod ".into(), "eu".into(), "eu".into(), String::new()];
    let page = Page::Details { name: " Core ".into(), description: "All of it".into(), labels, disabled: true };
    save(&world, before.version, page).await.unwrap();
    let after = world.stack().await;
    assert_eq!((after.name.as_str(), after.description.as_str(), after.disabled), ("Core", "All of it", true));
    assert_eq!((after.labels, after.version), (vec!["eu".to_owned(), "prod".to_owned()], before.version + 1));
    assert_eq!((after.behavior, after.tracked_branch), (before.behavior, before.tracked_branch));
    assert_eq!(
        world.activity().await[0].detail,
        "Name: Network → Core; Description: none → All of it; Labels: none → eu, prod; Disabled: off → on"
    );
    let page = Page::Vendor { vendor: Vendor::OpenTofu, engine_binary: "/opt/tofu".into() };
    save(&world, before.version + 1, page).await.unwrap();
    let after = world.stack().await;
    assert_eq!((after.vendor, after.engine_binary.as_str()), (Vendor::OpenTofu, "/opt/tofu"));
}

#[tokio::test]
async fn a_stale_save_is_refused_with_what_changed_and_overwrites_nothing() {
    let world = World::new().await;
    let version = world.stack().await.version;
    save(&world, version, details("Renamed")).await.unwrap();
    save(&world, version + 1, Page::Behavior(Behavior { autodeploy: true, ..behavior() })).await.unwrap();
    let before = world.stack().await;
    let stale = save(&world, version, details("Mine")).await;
    let changed = vec!["Autodeploy (now on)".to_owned(), "Name (now Renamed)".to_owned()];
    assert_eq!(stale, Err(Problem::Stale { changed, version: version + 2 }));
    let stale = save(&world, version + 1, Page::Behavior(behavior())).await;
    assert_eq!(stale, Err(Problem::Stale { changed: vec!["Autodeploy (now on)".into()], version: version + 2 }));
    assert_eq!(world.stack().await, before);
    assert_eq!(world.activity().await[0].outcome, Outcome::Refused);
}

#[tokio::test]
async fn a_save_that_changes_nothing_is_no_change() {
    let world = World::new().await;
    let before = (world.stack().await, world.activity().await);
    save(&world, before.0.version, details("Network")).await.unwrap();
    assert_eq!((world.stack().await, world.activity().await), before);
}

#[tokio::test]
async fn what_a_field_cannot_take_is_said_at_that_field() {
    let world = World::new().await;
    let before = world.stack().await;
    for (page, field) in [
        (details(""), "name"),
        (details(&"x".repeat(81)), "name"),
        (details("two\nlines"), "name"),
        (source("", "network", &[]), "tracked_branch"),
        (source("nowhere", "network", &[]), "tracked_branch"),
        (source("main", "nowhere", &[]), "project_root"),
        (source("main", "../up", &[]), "project_root"),
        (source("main", "network", &["a[b"]), "additional_globs"),
        (source("main", "network", &["!docs/**"]), "additional_globs"),
        (Page::Vendor { vendor: Vendor::Terraform, engine_binary: "sh -c".into() }, "engine_binary"),
    ] {
        assert_eq!(fields(save(&world, before.version, page.clone()).await), [field], "{page:?}");
    }
    assert_eq!(world.stack().await, before);
}

#[tokio::test]
async fn the_tracked_branch_and_the_project_root_follow_what_the_repository_has() {
    let world = World::new().await;
    world.origin.commit("release", Some("main"), "core/main.tf");
    world.fetch().await;
    let version = world.stack().await.version;
    save(&world, version, source("release", "core/", &["*.tfvars"])).await.unwrap();
    let stack = world.stack().await;
    assert_eq!((stack.tracked_branch.as_str(), stack.project_root.as_str()), ("release", "core"));
    let pushed = world.origin.commit("release", None, "core/main.tf");
    world.push("main", None).await;
    assert_eq!(world.stack().await.current_commit, Some(pushed));
}

fn at(address: &str) -> Page {
    let mut page = source("main", "network", &["shared/**"]);
    if let Page::Source { address: typed, .. } = &mut page {
        *typed = Some(address.into());
    }
    page
}

#[tokio::test]
async fn a_stack_moves_with_its_repository_and_stays_where_it_stands() {
    each(async |world| {
        let current = world.deployed().await;
        let run = world.finished("topic", "main").await;
        let moved = world.folder.path().join("moved.git");
        world.origin.git(&["clone", "--quiet", "--bare", ".", moved.to_str().unwrap()], "");
        let before = world.stack().await;
        save(&world, before.version, at(&format!("{}/", moved.display()))).await.unwrap();
        let after = world.stack().await;
        assert_eq!((after.address.as_str(), after.version), (moved.to_str().unwrap(), before.version + 1));
        assert_eq!((after.current_commit, after.current_run), (Some(current), before.current_run));
        let told = format!("Repository: {} → {}", before.address, moved.display());
        assert_eq!(world.activity().await[0].differences.to_string(), told);
        // What was there is answered, in the one repository as in the other.
        fetch(&world.context, &after.repository).await.unwrap();
        world.push("topic", None).await;
        assert_eq!(world.runs(RunKind::Proposed).await, std::slice::from_ref(&run));
        world.promoted(&run).await;
        // And the next push is answered from where it now is.
        world.origin.git(&["push", "--quiet", moved.to_str().unwrap(), "topic"], "");
        fetch(&world.context, &after.repository).await.unwrap();
        assert_ne!(world.proposed("topic").await.id, run.id);
        let stale = save(&world, before.version, source("main", "", &[])).await;
        assert_eq!(stale, Err(Problem::Stale { changed: vec!["Repository".into()], version: before.version + 1 }));
    })
    .await;
}

#[tokio::test]
async fn in_a_repository_without_its_commit_a_stack_begins_anew() {
    let world = World::new().await;
    let current = world.deployed().await;
    let run = world.finished("topic", "main").await;
    let other = history::Origin::new(&world.folder.path().join("other.git"));
    other.commit("main", None, "network/other.tf");
    let before = world.stack().await;
    save(&world, before.version, at(&other.address())).await.unwrap();
    let after = world.stack().await;
    assert_eq!((after.current_commit, after.current_run), (None, None));
    let told = format!("Repository: {} → {}; Current commit: {current} → none", before.address, other.address());
    assert_eq!(world.activity().await[0].differences.to_string(), told);
    // What was planned of the old one is not promoted; what the new one brings is.
    let refused = refusal(world.promote(&run, "ada").await).reason();
    assert!(refused.contains("cannot be told"), "{refused}");
    other.commit("more", Some("main"), "network/more.tf");
    fetch(&world.context, &after.repository).await.unwrap();
    let more = world.to(&world.proposed("more").await.id, RunState::Finished).await;
    world.promoted(&more).await;
    assert!(matches!(refusal(world.promote(&run, "ada").await), Refusal::Promotion(_)));
}

#[tokio::test]
async fn a_repository_that_will_not_do_is_refused_at_its_field_and_the_stack_stays() {
    let world = World::new().await;
    let make = |name: &str| history::Origin::new(&world.folder.path().join(name));
    let (empty, elsewhere, flat) = (make("empty.git"), make("elsewhere.git"), make("flat.git"));
    elsewhere.commit("trunk", None, "network/main.tf");
    flat.commit("main", None, "main.tf");
    let before = (world.stack().await, world.read().await.answered_heads(&world.stack).await.unwrap());
    for (address, field) in [
        (String::new(), "address"),
        ("ext::sh -c true".into(), "address"),
        ("/nowhere/at/all".into(), "address"),
        ("http://127.0.0.1/closed".into(), "address"),
        (empty.address(), "address"),
        (elsewhere.address(), "tracked_branch"),
        (flat.address(), "project_root"),
    ] {
        assert_eq!(fields(save(&world, before.0.version, at(&address)).await), [field], "{address}");
    }
    // Nobody looks at it for a save that is stale.
    let stale = save(&world, before.0.version + 1, at("/nowhere/at/all")).await;
    assert!(matches!(stale, Err(Problem::Stale { .. })), "{stale:?}");
    assert_eq!((world.stack().await, world.read().await.answered_heads(&world.stack).await.unwrap()), before);
}

#[tokio::test]
async fn a_stack_waits_for_its_runs_before_it_moves() {
    let world = World::new().await;
    let moved = world.folder.path().join("moved.git");
    world.origin.git(&["clone", "--quiet", "--bare", ".", moved.to_str().unwrap()], "");
    world.push("topic", Some("main")).await;
    let run = world.proposed("topic").await;
    let version = world.stack().await.version;
    for state in [RunState::Queued, RunState::Planning] {
        world.to(&run.id, state).await;
        let refused = refusal(save(&world, version, at(moved.to_str().unwrap())).await);
        assert_eq!(refused, Refusal::RunsOpen { count: 1 });
    }
    // Its address as it is asks for nothing.
    save(&world, version, at(&world.origin.address())).await.unwrap();
    world.to(&run.id, RunState::Finished).await;
    save(&world, version, at(moved.to_str().unwrap())).await.unwrap();
}

#[tokio::test]
async fn another_repository_takes_the_right_to_add_one() {
    let world = World::new().await;
    let moved = world.folder.path().join("moved.git");
    world.origin.git(&["clone", "--quiet", "--bare", ".", moved.to_str().unwrap()], "");
    let here = Viewer { role: None, stacks: [(world.stack.clone(), Role::Administrator)].into(), ..writer("ada") };
    let permission = permit(&here, &world.stack).unwrap();
    let version = world.stack().await.version;
    let save = async |address: &str, version| save_settings(&world.context, &permission, version, at(address)).await;
    let refused = save(moved.to_str().unwrap(), version).await;
    assert_eq!(refused, Err(Problem::Forbidden { needs: Role::Administrator }));
    assert_eq!(world.activity().await[0].outcome, Outcome::Refused);
    assert_eq!(save(&world.origin.address(), version).await, Ok(()));
}

/// Serves a folder over HTTP to whoever knows the credential, as a plain web server serves a repository; its address.
async fn serve(folder: std::path::PathBuf, credential: Arc<Mutex<&'static str>>) -> String {
    let answer = async move |headers: HeaderMap, uri: Uri| {
        use base64::Engine as _;
        let expected = base64::engine::general_purpose::STANDARD.encode(*credential.lock().unwrap());
        let given = headers.get(AUTHORIZATION).and_then(|given| given.to_str().ok()).unwrap_or_default();
        if given != format!("Basic {expected}") {
            return (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Basic")]).into_response();
        }
        match std::fs::read(folder.join(uri.path().trim_start_matches('/'))) {
            Ok(file) => file.into_response(),
            Err(_) => StatusCode::NOT_FOUND.into_response(),
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(axum::serve(listener, axum::Router::new().fallback(answer)).into_future());
    address
}

#[tokio::test]
async fn the_credential_is_renewed_by_typing_it_and_stays_when_it_is_not_typed() {
    let mut world = World::new().await;
    world.context.outgoing = Outgoing::new(&["127.0.0.0/8".parse().unwrap()]);
    world.origin.git(&["update-server-info"], "");
    let password = Arc::new(Mutex::new("ann:first-canary"));
    let place = serve(world.folder.path().to_owned(), password.clone()).await;
    let (clean, typed) =
        (format!("http://{place}/origin.git"), |credential: &str| format!("http://{credential}@{place}/origin.git"));
    let version = world.stack().await.version;
    assert_eq!(fields(save(&world, version, at(&clean)).await), ["address"]);
    save(&world, version, at(&typed("ann:first-canary"))).await.unwrap();
    let moved = world.stack().await;
    assert_eq!((moved.address.as_str(), moved.version), (clean.as_str(), version + 1));

    *password.lock().unwrap() = "ann:second-canary";
    fetch(&world.context, &moved.repository).await.unwrap_err();
    let refused = save(&world, version + 1, at(&typed("ann:wrong"))).await;
    assert_eq!(fields(refused), ["address"]);
    fetch(&world.context, &moved.repository).await.unwrap_err();
    save(&world, version + 1, at(&typed("ann:second-canary"))).await.unwrap();
    fetch(&world.context, &moved.repository).await.unwrap();
    save(&world, version + 1, at(&clean)).await.unwrap();
    fetch(&world.context, &moved.repository).await.unwrap();
    assert_eq!(world.stack().await.version, version + 1, "a credential is no setting of the stack");

    let entries = world.read().await.activity(&Filter::default(), 9).await.unwrap();
    let told: Vec<String> = entries.iter().map(|link| link.entry.differences.to_string()).collect();
    assert_eq!(told[0], "Credential: changed (secret)");
    assert!(!format!("{entries:?}").contains("canary"));
    let kept = world.read().await.repository(&moved.repository).await.unwrap().unwrap();
    assert!(!format!("{kept:?}").contains("canary"));
}
