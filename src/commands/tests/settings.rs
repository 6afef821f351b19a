//! Save settings: all of a page or nothing, never over somebody else's, and each change by its name in the log.

use super::*;
use crate::commands::save_settings::{Page, save_settings};

async fn save(world: &World, version: i64, page: Page) -> Result<(), Problem> {
    save_settings(&world.context, &world.may("ada"), version, page).await
}

fn details(name: &str) -> Page {
    Page::Details { name: name.into(), description: String::new(), labels: Vec::new(), disabled: false }
}

fn source(tracked_branch: &str, project_root: &str, globs: &[&str]) -> Page {
    let additional_globs = globs.iter().map(|glob| (*glob).to_owned()).collect();
    Page::Source { tracked_branch: tracked_branch.into(), project_root: project_root.into(), additional_globs }
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
