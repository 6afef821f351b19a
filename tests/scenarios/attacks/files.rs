//! Attacks on what is on the machine: environments, keys, other stacks' states, other repositories.

use super::{bare, deployed, proposed, tried, write};
use crate::headway::{bubblewrap, terraform};
use crate::repository::{Repository, resource};
use std::os::unix::fs::symlink;
use std::path::Path;

const CANARY: &str = "canary-5f3a71";

/// Counts what it finds, so that a log shows numbers and no secrets.
fn search(data: &str) -> String {
    format!(
        "locals {{\n  seen = [for file in fileset(\"/proc\", \"*/environ\") : file if can(regex(\"{CANARY}\", \
         file(\"/proc/${{file}}\")))]\n}}\noutput \"environments\" {{\n  value = \"there are ${{length(local.seen)}}\"\n}}\noutput \
         \"key\" {{\n  value = \"there is ${{fileexists(\"{data}/key\")}}\"\n}}\noutput \"accounts\" {{\n  value = \"there is \
         ${{fileexists(\"/etc/shadow\")}}\"\n}}\noutput \"others\" {{\n  value = \"there are ${{length(fileset(\"{data}\", \
         \"mirrors/*/HEAD\"))}}\"\n}}\n"
    )
}

#[tokio::test]
async fn a_plan_reads_no_environment_no_key_and_no_other_repository_of_the_machine() {
    if !terraform() || !bubblewrap() {
        return;
    }
    for (sandbox, found) in [("none", true), ("bubblewrap", false)] {
        let (headway, repository, stack) = deployed(sandbox, &[("A_SECRET_OF_HEADWAY", CANARY)]).await;
        let search = search(headway.data.path().to_str().unwrap());
        let page = proposed(&headway, &repository, &stack, &[("search.tf", &search)]).await;
        assert_eq!(page.state(), "finished", "{}", page.text());
        assert_eq!(!page.text().contains("environments = \"there are 0\""), found, "{sandbox}: {}", page.text());
        page.says(&format!("key = \"there is {found}\""));
        page.says(&format!("accounts = \"there is {found}\""));
        page.says(&format!("others = \"there are {}\"", u8::from(found)));
    }
}

#[tokio::test]
async fn a_plan_reads_no_state_of_another_stack() {
    if !terraform() || !bubblewrap() {
        return;
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let state = format!(
        "{{\"version\":4,\"terraform_version\":\"1.0.0\",\"serial\":1,\"lineage\":\"x\",\"outputs\":{{\"password\":{{\"value\":\
         \"{CANARY}\",\"type\":\"string\"}}}},\"resources\":[]}}"
    );
    write(elsewhere.path(), &[("terraform.tfstate", &state)]);
    let steal = format!(
        "data \"terraform_remote_state\" \"other\" {{\n  backend = \"local\"\n  config = {{ path = \
         \"{}/terraform.tfstate\" }}\n}}\noutput \"stolen\" {{\n  value = \
         data.terraform_remote_state.other.outputs.password\n}}\n",
        elsewhere.path().display()
    );
    tried("none", &[], &[("steal.tf", &steal)]).await.says(CANARY);
    let page = tried("bubblewrap", &[], &[("steal.tf", &steal)]).await;
    assert_eq!(page.state(), "failed");
    page.lacks(CANARY);
}

#[tokio::test]
async fn a_link_in_the_repository_leads_to_nothing_outside() {
    if !terraform() || !bubblewrap() {
        return;
    }
    let elsewhere = tempfile::tempdir().unwrap();
    write(elsewhere.path(), &[("secret", CANARY), ("other.tf", &resource("other"))]);
    let mut shown = Vec::new();
    for sandbox in ["none", "bubblewrap"] {
        let (headway, repository, stack) = deployed(sandbox, &[]).await;
        symlink(elsewhere.path().join("secret"), Path::new(repository.address()).join("innocent.txt")).unwrap();
        let read = "output \"read\" {\n  value = try(file(\"innocent.txt\"), \"nothing\")\n}\n";
        shown.push(proposed(&headway, &repository, &stack, &[("read.tf", read)]).await);
    }
    shown[0].says(CANARY);
    shown[1].says("read = \"nothing\"").lacks(CANARY);

    // A project root that is a link is no folder of the commit, confined or not.
    let repository = Repository::new();
    symlink(elsewhere.path(), Path::new(repository.address()).join("live")).unwrap();
    repository.commit("main", "Link a folder", &[]);
    let headway = crate::headway::Headway::start().await;
    let second = headway.form("/stacks/new", "add_repository", &[("address", repository.address())]).await;
    let id = second.path.split("repository=").nth(1).unwrap().to_owned();
    for root in ["live", "../..", "/etc", ".git", "live/../.."] {
        let fields =
            [("repository", id.as_str()), ("name", "Linked"), ("tracked_branch", "main"), ("project_root", root)];
        let fields: Vec<_> = fields.into_iter().chain([("vendor", "terraform"), ("manage_state", "true")]).collect();
        headway.form(&second.path, "create_stack", &fields).await.has_status(422);
    }
}

#[tokio::test]
async fn a_module_comes_from_no_other_repository_of_the_machine() {
    if !terraform() {
        return;
    }
    let other = Repository::new();
    other.commit(
        "main",
        "Tell a secret",
        &[("secret.tf", &format!("output \"secret\" {{\n  value = \"{CANARY}\"\n}}\n"))],
    );
    let module = format!(
        "module \"other\" {{\n  source = \"git::file://{}\"\n}}\noutput \"stolen\" {{\n  value = module.other.secret\n}}\n",
        other.address()
    );
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("module.tf", &module)]);
    bare(folder.path(), &["init"], &[]);
    let (_, said) = bare(folder.path(), &["plan"], &[]);
    assert!(said.contains(CANARY), "{said}");
    // Even without a sandbox.
    let page = tried("none", &[], &[("module.tf", &module)]).await;
    assert_eq!(page.state(), "failed");
    page.lacks(CANARY).says("transport 'file' not allowed");
}

#[tokio::test]
async fn a_run_leaves_nothing_on_the_machine_but_what_it_was_given_to_change() {
    if !terraform() || !bubblewrap() {
        return;
    }
    for (sandbox, written) in [("none", true), ("bubblewrap", false)] {
        let repository = Repository::new();
        let headway = crate::headway::Headway::start_with("serve", &[("HEADWAY_SANDBOX", sandbox)]).await;
        let outside = tempfile::tempdir().unwrap();
        let places = [
            outside.path().join("trace"),
            headway.data.path().join("trace"),
            headway.data.path().join("runs/trace"),
            headway.shared.path().join("trace"),
        ];
        let touch: Vec<String> = places.iter().map(|place| format!("touch {} || true", place.display())).collect();
        let command = format!("mkdir shut && touch shut/file && chmod 0 shut; {}", touch.join("; "));
        let litter = format!(
            "resource \"terraform_data\" \"litter\" {{\n  provisioner \"local-exec\" {{\n    command = \"{command}\"\n  }}\n}}\n"
        );
        repository.commit("main", "Litter", &[("litter.tf", &litter)]);
        let stack = headway.stack(&repository, "Network", &[]).await;
        headway.deploy(&stack).await;
        let found: Vec<bool> = places.iter().map(|place| place.exists()).collect();
        assert_eq!(found, [written, written, written, true], "{sandbox}");
        let left = std::fs::read_dir(headway.data.path().join("runs")).unwrap();
        let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).filter(|name| name != "trace").collect();
        assert!(left.is_empty(), "{left:?}");
    }
}
