//! Applies that meet trouble: a state that Terraform cannot write, a database that is away at the end, settings that were
//! changed since the plan, a stack that is disabled.

use crate::activity::past_headway;
use crate::headway::{Headway, engine_before, terraform};
use crate::page::version;
use crate::recovery::until_exists;
use crate::repository::{Repository, resource};
use crate::state::{Credential, tell, told};
use serde_json::json;
use std::path::Path;

/// A configuration whose apply says that it began, and goes on when it is told to.
fn waits(folder: &Path) -> String {
    format!(
        "resource \"terraform_data\" \"waits\" {{\n  provisioner \"local-exec\" {{\n    command = \"touch {0}/began; until [ -e \
         {0}/go ]; do sleep 0.1; done\"\n  }}\n}}\n",
        folder.display()
    )
}

/// A stack with a run that applies and waits, and the credential of its Terraform.
async fn applying(repository: &Repository) -> (Headway, String, String, Credential) {
    let headway = Headway::start().await;
    let folder = headway.shared.path().to_owned();
    repository.commit("main", "Wait", &[("waits.tf", &waits(&folder))]);
    let stack = headway.stack(repository, "Network", &[]).await;
    let file = folder.join("told");
    headway.use_engine(&stack, &engine_before(&folder, &tell(&headway, "apply", &file))).await;
    let run = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    headway.until_state(&run, "unconfirmed").await;
    headway.press(&run, "confirm_run").await;
    let credential = told(&file).await;
    until_exists(&folder.join("began")).await;
    (headway, stack, run, credential)
}

fn go(headway: &Headway) {
    std::fs::write(headway.shared.path().join("go"), "").unwrap();
}

/// Gives the lock on the state back, which whoever applies then does not hold any more.
async fn unlock(headway: &Headway, own: &Credential) {
    let answer = headway.client().delete(format!("{}/lock", own.address));
    let answer = answer.basic_auth(own.user.clone(), Some(own.password.clone())).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
}

#[tokio::test]
async fn a_state_that_terraform_could_not_write_is_stored_for_it() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let (headway, stack, run, own) = applying(&repository).await;
    unlock(&headway, &own).await;
    go(&headway);
    let failed = headway.until_state(&run, "failed").await;
    failed.says("could not write its last state; Headway stored it from errored.tfstate as version");
    failed.says("The infrastructure may have changed");
    assert!(!headway.data.path().join("errored").exists());

    // What was made is known: there is nothing left to do.
    let next = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    headway.until_state(&next, "finished").await.says("The plan has no changes");
}

#[tokio::test]
async fn a_state_that_fits_nothing_is_kept_where_no_sweep_takes_it() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let (headway, stack, run, own) = applying(&repository).await;
    unlock(&headway, &own).await;
    // Somebody else writes the first state meanwhile.
    let http = headway.client();
    let lock = format!("{}/lock", own.address);
    let credential = || (own.user.clone(), Some(own.password.clone()));
    let (user, password) = credential();
    let taken = http.post(&lock).basic_auth(user, password).body(json!({ "ID": "other" }).to_string()).send();
    assert_eq!(taken.await.unwrap().status().as_u16(), 200);
    let document = json!({ "version": 4, "serial": 1, "lineage": "another", "resources": [] }).to_string();
    let (user, password) = credential();
    let written = http.post(format!("{}?ID=other", own.address)).basic_auth(user, password).body(document).send();
    assert_eq!(written.await.unwrap().status().as_u16(), 200);
    unlock(&headway, &own).await;
    go(&headway);
    let failed = headway.until_state(&run, "failed").await;
    failed.says("did not store it either").says("The stored state has serial 1").says("write import blocks");
    let id = run.rsplit('/').next().unwrap();
    let kept = headway.data.path().join("errored").join(format!("{id}.tfstate"));
    failed.says(kept.to_str().unwrap());

    let next = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    headway.until_state(&next, "unconfirmed").await;
    assert!(!headway.data.path().join("runs").join(id).exists(), "its folder is gone");
    assert!(std::fs::read_to_string(kept).unwrap().contains("terraform_data"));
}

#[tokio::test]
async fn an_apply_that_ended_well_is_stored_so_when_the_database_is_back() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let (headway, _, run, _) = applying(&repository).await;
    let away = "create trigger away before update of state on run when new.state in ('finished', 'failed')
                begin select raise(abort, 'the database is away'); end";
    past_headway(headway.data.path(), away).await.unwrap();
    go(&headway);
    headway.until(&run, "its last line", |page| page.text().contains("Apply complete!")).await;
    headway.until_logged("cannot store the end of a run; it is tried again").await;
    assert_eq!(headway.page(&run).await.state(), "applying");
    past_headway(headway.data.path(), "drop trigger away").await.unwrap();
    headway.until_state(&run, "finished").await;
}

#[tokio::test]
async fn what_was_confirmed_is_applied_where_and_with_what_it_was_planned() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    repository.commit("main", "Make another folder", &[("other/other.tf", &resource("other"))]);
    let (headway, stack) = Headway::with_network(&repository).await;
    let run = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    headway.until_state(&run, "unconfirmed").await;
    headway.use_engine(&stack, &engine_before(headway.shared.path(), "exit 1")).await;
    let settings = format!("{stack}/settings/source");
    let version = version(&headway.page(&settings).await);
    let fields = [
        ("stack", "network"),
        ("version", version.as_str()),
        ("tracked_branch", "main"),
        ("project_root", "other"),
        ("additional_globs", ""),
    ];
    headway.form(&settings, "save_source", &fields).await.says("Saved.");
    headway.press(&run, "confirm_run").await;
    headway.until_state(&run, "finished").await.says("terraform_data.first: Creation complete").says("Apply complete!");
}

/// Switches *Disabled*.
async fn set_disabled(headway: &Headway, stack: &str, disabled: &str) {
    let settings = format!("{stack}/settings/details");
    let version = version(&headway.page(&settings).await);
    let mut fields = vec![("stack", "network"), ("version", version.as_str()), ("name", "Network")];
    fields.extend([("description", ""), ("labels", "")]);
    if !disabled.is_empty() {
        fields.push(("disabled", disabled));
    }
    headway.form(&settings, "save_details", &fields).await.says("Saved.");
}

#[tokio::test]
async fn a_stack_that_is_disabled_starts_nothing_and_says_so() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    headway.behave(&stack, &["autodeploy", "secret_masking"]).await;
    let folder = headway.shared.path().to_owned();
    let script = format!(
        "[ \"$1\" = plan ] && touch {0}/planning && until [ -e {0}/plan ]; do sleep 0.1; done",
        folder.display()
    );
    headway.use_engine(&stack, &engine_before(&folder, &script)).await;
    let run = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    let next = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    until_exists(&folder.join("planning")).await;
    set_disabled(&headway, &stack, "true").await;
    std::fs::write(folder.join("plan"), "").unwrap();
    let held = headway.until_state(&run, "unconfirmed").await;
    held.says("The stack is disabled: nothing is applied by itself.").lacks("Autodeploy is off");
    headway.press(&run, "confirm_run").await.has_status(409).says("The stack is disabled");
    headway.press(&run, "discard_run").await.has_status(200);
    headway.page(&next).await.says("Waits until the stack is enabled");
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(headway.page(&next).await.state(), "queued");
    set_disabled(&headway, &stack, "").await;
    headway.until_state(&next, "finished").await;
}
