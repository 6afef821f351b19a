//! Keys: rotated while Headway is stopped, killed in the middle, handed over to the environment.

use crate::headway::{Headway, program, terraform};
use crate::repository::Repository;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Opens the secret and the state, and finds that there is nothing to do.
async fn plans(headway: &Headway, stack: &str) {
    let run = headway.form(stack, "trigger_run", &[("stack", "network")]).await.path;
    headway.until_state(&run, "finished").await.says("The plan has no changes");
}

#[tokio::test]
async fn keys_are_rotated_while_headway_is_stopped_even_when_that_is_killed() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let (mut headway, stack) = Headway::with_network(&repository).await;
    let fields = [("stack", "network"), ("name", "TF_VAR_a"), ("value", "long-enough"), ("secret", "true")];
    let page = format!("{stack}/settings/environment");
    headway.form(&page, "set_variable", &[&fields[..], &[("planning", "true")]].concat()).await.says("Saved.");
    headway.deploy(&stack).await;
    let key = headway.data.path().join("key");
    let old = std::fs::read(&key).unwrap();
    let data = headway.data.path().to_owned();
    let rotate = |more: &[(&str, &str)]| {
        let mut command = Command::new(program());
        command.args(["keys", "rotate", "--data"]).arg(&data).envs(more.iter().copied());
        command
    };
    let refused = rotate(&[]).output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("is used by another Headway"), "{refused:?}");
    headway.end("-TERM");
    for pause in [0, 1, 2, 4, 8, 16, 32] {
        let mut child = rotate(&[]).stdout(Stdio::null()).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(pause)).await;
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let done = rotate(&[]).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && said.contains("Sealed anew with the new key"), "{done:?}");
    assert_ne!(std::fs::read(&key).unwrap(), old);
    assert!(!data.join("key.next").exists());
    headway.start_again();
    headway.page("/activity").await.says("rotate keys");
    plans(&headway, &stack).await;
    headway.end("-TERM");

    // The environment takes the key over.
    let new = Command::new(program()).args(["keys", "new"]).output().unwrap().stdout;
    let new = String::from_utf8(new).unwrap();
    let moved = rotate(&[("HEADWAY_NEXT_KEY", new.trim())]).output().unwrap();
    assert!(String::from_utf8_lossy(&moved.stdout).contains("The key file is gone"), "{moved:?}");
    let mut serve = Command::new(program());
    let without = serve.args(["serve", "--addr", "127.0.0.1:0", "--data"]).arg(&data).output().unwrap();
    let why = String::from_utf8_lossy(&without.stderr);
    assert!(!without.status.success() && why.contains("is gone, and the database holds texts"), "{why}");
    headway.start_again_with("HEADWAY_KEY", new.trim());
    plans(&headway, &stack).await;
    assert!(!key.exists());
}
