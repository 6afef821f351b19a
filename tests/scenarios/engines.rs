//! Engines: OpenTofu from its own program, a version by its name, and how long each phase may take.

use crate::headway::{Headway, engine_before, terraform};
use crate::page::version;
use crate::repository::Repository;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// A program that says it is OpenTofu in this version and does what Terraform does.
fn tofu(folder: &Path, name: &str, version: &str) {
    let file = folder.join(name);
    let said = format!("{{\"terraform_version\": \"{version}\", \"platform\": \"linux_amd64\"}}");
    let script = format!("#!/bin/sh\n[ \"$1\" = version ] && echo '{said}' && exit\nexec terraform \"$@\"\n");
    std::fs::write(&file, script).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test]
async fn a_stack_of_opentofu_is_planned_and_applied_by_the_version_that_it_names() {
    if !terraform() {
        return;
    }
    let programs = tempfile::tempdir().unwrap();
    tofu(programs.path(), "tofu", "1.9.0");
    tofu(programs.path(), "tofu-1.8.0", "1.8.0");
    let path = format!("{}:{}", programs.path().display(), std::env::var("PATH").unwrap());
    let repository = Repository::new();
    let headway = Headway::start_with("serve", &[("PATH", &path)]).await;
    let stack = headway.stack(&repository, "Network", &[("vendor", "opentofu")]).await;
    let settings = format!("{stack}/settings/vendor");
    let choose = async |named: &str| {
        let version = version(&headway.page(&settings).await);
        let fields = [("stack", "network"), ("version", &version), ("vendor", "opentofu"), ("engine_binary", named)];
        headway.form(&settings, "save_vendor", &fields).await
    };
    headway.deploy(&stack).await;
    for named in ["1.9.0", "1.8.0"] {
        choose(named).await.says("Saved.");
        let run = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
        headway.until_state(&run, "finished").await;
    }
    for (named, wrong) in [
        ("1.7.0", "OpenTofu 1.7.0 is not installed. Put it on the path as tofu-1.7.0"),
        ("/nowhere/tofu", "There is no program at /nowhere/tofu."),
        ("tofu", "An absolute path such as"),
    ] {
        choose(named).await.has_status(422).says(wrong);
    }
    // Gone meanwhile, it is missed by the run.
    std::fs::remove_file(programs.path().join("tofu-1.8.0")).unwrap();
    let run = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    headway.until_state(&run, "failed").await.says("OpenTofu 1.8.0 is not installed. Put it on the path as tofu-1.8.0");
}

#[tokio::test]
async fn a_new_stack_has_an_engine_that_is_there_when_any_is() {
    if !terraform() {
        return;
    }
    let path = tempfile::tempdir().unwrap();
    for folder in std::env::split_paths(&std::env::var_os("PATH").unwrap()) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if !entry.file_name().to_string_lossy().starts_with("tofu") {
                let _ = std::os::unix::fs::symlink(entry.path(), path.path().join(entry.file_name()));
            }
        }
    }
    let repository = Repository::new();
    let headway = Headway::start_with("serve", &[("PATH", path.path().to_str().unwrap())]).await;
    let stack = headway.stack(&repository, "Network", &[]).await;
    let version = version(&headway.page(&format!("{stack}/settings/vendor")).await);
    let fields = [("stack", "network"), ("version", &version), ("vendor", "opentofu"), ("engine_binary", "")];
    let refused = headway.form(&format!("{stack}/settings/vendor"), "save_vendor", &fields).await;
    let missing = "OpenTofu is not installed: there is no program \"tofu\" on the path.";
    refused.has_status(422).says(missing);
    let second = headway.form("/stacks/new", "add_repository", &[("address", repository.address())]).await;
    let id = second.path.split("repository=").nth(1).unwrap();
    let fields = [("repository", id), ("name", "Tofu"), ("tracked_branch", "main"), ("vendor", "opentofu")];
    let refused = headway.form(&second.path, "create_stack", &fields).await;
    refused.has_status(422).says(missing).refuses("vendor", "OpenTofu is not installed");
    headway.page("/").await.lacks("Tofu");
}

#[tokio::test]
async fn init_and_plan_are_ended_when_they_take_longer_than_they_may() {
    if !terraform() {
        return;
    }
    for (phase, variable) in [("init", "HEADWAY_INIT_LIMIT"), ("plan", "HEADWAY_PLAN_LIMIT")] {
        let repository = Repository::new();
        let headway = Headway::start_with("serve", &[(variable, "2"), ("HEADWAY_GRACE", "1")]).await;
        let stack = headway.stack(&repository, "Network", &[]).await;
        let script = format!("[ \"$1\" = {phase} ] && exec sleep 600");
        headway.use_engine(&stack, &engine_before(headway.shared.path(), &script)).await;
        let run = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
        let page = headway.until_state(&run, "failed").await;
        page.says(&format!("terraform {phase} was ended: it took longer than 2 seconds.")).lacks("may have changed");
    }
}
