//! Managed state: who may read and write it, and what is refused.

use crate::headway::{Headway, engine_before, terraform};
use crate::repository::{Repository, resource};
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// What a run's Terraform was given.
pub struct Credential {
    pub address: String,
    pub user: String,
    pub password: String,
}

/// Waits for what the engine of [`tell`] has told.
pub async fn told(file: &Path) -> Credential {
    for _ in 0..900 {
        if let Ok(text) = std::fs::read_to_string(file)
            && let [address, user, password] = text.lines().collect::<Vec<_>>().as_slice()
        {
            return Credential {
                address: (*address).to_owned(),
                user: (*user).to_owned(),
                password: (*password).to_owned(),
            };
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{} never came", file.display());
}

/// A script that tells the credential before the phase and then waits.
pub fn tell(headway: &Headway, phase: &str, file: &Path) -> String {
    let port = std::fs::read_to_string(headway.data.path().join("state.port")).unwrap();
    format!(
        "[ \"$1\" = {phase} ] && printf '%s\\n' \"http://127.0.0.1:{port}/state/network/$TF_HTTP_USERNAME\" \"$TF_HTTP_USERNAME\" \
         \"$TF_HTTP_PASSWORD\" > {0}.part && mv {0}.part {0} && sleep 5",
        file.display()
    )
}

#[tokio::test]
async fn only_the_run_that_applies_and_holds_the_lock_writes_and_never_an_older_state() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    headway.deploy(&stack).await;
    repository.commit("main", "Make a second thing", &[("second.tf", &resource("second"))]);
    let engines = headway.shared.path().to_owned();
    let file = engines.join("told");
    headway.use_engine(&stack, &engine_before(&engines, &tell(&headway, "apply", &file))).await;
    headway.sync(&stack).await;
    let run = headway.page(&stack).await.runs()[0].clone();
    headway.until_state(&run, "unconfirmed").await;
    headway.press(&run, "confirm_run").await;
    let own = told(&file).await;
    let http = headway.client();
    let get = |address: &str, user: &str, password: &str| {
        http.get(address).basic_auth(user.to_owned(), Some(password.to_owned())).send()
    };

    assert_eq!(http.get(&own.address).send().await.unwrap().status().as_u16(), 401);
    assert_eq!(get(&own.address, &own.user, "wrong").await.unwrap().status().as_u16(), 401);
    let other = own.address.replace("network", "other");
    assert_eq!(get(&other, &own.user, &own.password).await.unwrap().status().as_u16(), 401);
    let answer = get(&own.address, &own.user, &own.password).await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    let state: serde_json::Value = answer.json().await.unwrap();
    let (serial, lineage) = (state["serial"].as_i64().unwrap(), state["lineage"].as_str().unwrap().to_owned());

    let lock = format!("{}/lock", own.address);
    let take = |id: &str| {
        let body = json!({ "ID": id, "Who": "a test" }).to_string();
        http.post(&lock).basic_auth(own.user.clone(), Some(own.password.clone())).body(body).send()
    };
    let write = |lock: &str, document: serde_json::Value| {
        let address = format!("{}?ID={lock}", own.address);
        http.post(address).basic_auth(own.user.clone(), Some(own.password.clone())).body(document.to_string()).send()
    };
    let next = json!({ "version": 4, "serial": serial + 1, "lineage": lineage, "resources": [] });
    assert_eq!(write("mine", next.clone()).await.unwrap().status().as_u16(), 409, "without the lock");
    assert_eq!(take("mine").await.unwrap().status().as_u16(), 200);
    let held = take("yours").await.unwrap();
    assert_eq!(held.status().as_u16(), 423);
    assert!(held.text().await.unwrap().contains("a test"), "it says who holds the lock");
    for (document, status) in [
        (json!({ "version": 4, "serial": serial - 1, "lineage": lineage }), 409),
        (json!({ "version": 4, "serial": serial, "lineage": lineage, "resources": ["other"] }), 409),
        (json!({ "version": 4, "serial": serial + 1, "lineage": "another" }), 409),
        (json!({ "nonsense": true }), 400),
    ] {
        assert_eq!(write("mine", document.clone()).await.unwrap().status().as_u16(), status, "{document}");
    }
    let damaged = http
        .post(format!("{}?ID=mine", own.address))
        .basic_auth(own.user.clone(), Some(own.password.clone()))
        .header("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")
        .body(next.to_string());
    assert_eq!(damaged.send().await.unwrap().status().as_u16(), 409);
    let give_back = http.delete(&lock).basic_auth(own.user.clone(), Some(own.password.clone()));
    let give_back = give_back.body(json!({ "ID": "mine" }).to_string()).send().await.unwrap();
    assert_eq!(give_back.status().as_u16(), 200);

    headway.until_state(&run, "finished").await;
    assert_eq!(get(&own.address, &own.user, &own.password).await.unwrap().status().as_u16(), 401, "it is over");
}

#[tokio::test]
async fn a_proposed_run_reads_the_state_and_cannot_write_it() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    headway.deploy(&stack).await;
    let engines = headway.shared.path().to_owned();
    let file = engines.join("told");
    headway.use_engine(&stack, &engine_before(&engines, &tell(&headway, "plan", &file))).await;
    repository.branch("more", "main", "Make a second thing", &[("second.tf", &resource("second"))]);
    headway.sync(&stack).await;
    let own = told(&file).await;
    let document = json!({ "version": 4, "serial": 99, "lineage": "x" }).to_string();
    let written = headway.client().post(format!("{}?ID=x", own.address)).basic_auth(&own.user, Some(&own.password));
    assert_eq!(written.body(document).send().await.unwrap().status().as_u16(), 403);
    let locked = headway.client().post(format!("{}/lock", own.address)).basic_auth(own.user, Some(own.password));
    let locked = locked.body(json!({ "ID": "mine" }).to_string()).send().await.unwrap();
    assert_eq!(locked.status().as_u16(), 403, "nor does it keep others from it");
    let proposed = headway.proposed(&stack, "more").await;
    headway.until_state(&proposed, "finished").await;
}

#[tokio::test]
async fn a_configuration_cannot_send_its_state_elsewhere_and_one_without_a_backend_is_not_run_into_the_void() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let elsewhere = "terraform {\n  backend \"local\" {\n    path = \"/tmp/elsewhere.tfstate\"\n  }\n}\n";
    repository.commit("main", "Bring a backend", &[("backend.tf", elsewhere)]);
    let headway = Headway::start().await;
    let managed = headway.stack(&repository, "Managed", &[]).await;
    // The repository's own backend gives way.
    headway.deploy(&managed).await;
    assert!(!Path::new("/tmp/elsewhere.tfstate").exists());

    // An override that comes later in the alphabet does not help.
    repository.branch("attack", "main", "Redirect it", &[("zzzzz_override.tf", elsewhere)]);
    headway.sync(&managed).await;
    let attack = headway.proposed(&managed, "attack").await;
    headway.until_state(&attack, "failed").await;

    // A state that was committed is neither moved nor passed over.
    let state = "{\"version\":4,\"serial\":1,\"lineage\":\"x\",\"outputs\":{},\"resources\":[]}";
    repository.branch("stateful", "main", "Commit the state", &[("terraform.tfstate", state)]);
    headway.sync(&managed).await;
    let stateful = headway.proposed(&managed, "stateful").await;
    headway.until_state(&stateful, "failed").await.says("The commit has a terraform.tfstate").says("git rm");

    let bare = Repository::new();
    let unmanaged = headway.stack(&bare, "Unmanaged", &[("manage_state", "")]).await;
    let run = headway.form(&unmanaged, "trigger_run", &[("stack", "unmanaged")]).await.path;
    headway.until_state(&run, "failed").await.says("names no backend, so its state would be lost");
}
