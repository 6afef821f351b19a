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
        headway.form(&settings, "save_vendor", &fields).await.says("Saved.");
    };
    headway.deploy(&stack).await;
    for (named, state) in [("1.8.0", "finished"), ("1.9.0", "finished"), ("1.7.0", "failed")] {
        choose(named).await;
        let run = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
        let page = headway.until_state(&run, state).await;
        if state == "failed" {
            page.says("OpenTofu 1.7.0 is not installed. Put it on the path as tofu-1.7.0");
        }
    }
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
