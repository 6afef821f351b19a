//! Attacks that lead the state elsewhere.

use super::{bare, deployed, proposed, write};
use crate::headway::terraform;

#[tokio::test]
async fn a_later_override_does_not_lead_the_state_elsewhere() {
    if !terraform() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (theirs, work) = (folder.path().join("theirs.tfstate"), folder.path().join("work"));
    let local = |path: &str| format!("terraform {{\n  backend \"local\" {{\n    path = \"{path}\"\n  }}\n}}\n");
    let attack = local(theirs.to_str().unwrap());
    // A bare runner writes an override of its own, and the repository has one that comes later.
    write(
        &work,
        &[
            ("main.tf", "resource \"terraform_data\" \"one\" {}\n"),
            ("zz_override.tf", &local("ours.tfstate")),
            ("zzz_override.tf", &attack),
        ],
    );
    bare(&work, &["init"], &[]);
    bare(&work, &["apply", "-auto-approve"], &[]);
    assert!(theirs.exists() && !work.join("ours.tfstate").exists());
    std::fs::remove_file(&theirs).unwrap();

    let json = format!("{{\"terraform\":{{\"backend\":{{\"local\":{{\"path\":\"{}\"}}}}}}}}", theirs.display());
    let http = "terraform {\n  backend \"http\" {\n    address = \"http://127.0.0.1:9/theirs\"\n  }\n}\n";
    let cloud = "terraform {\n  cloud {\n    organization = \"theirs\"\n    workspaces {\n      name = \"theirs\"\n    }\n  }\n}\n";
    for (name, text, state) in [
        ("zzzzz_override.tf", attack.as_str(), "failed"),
        ("zzzz_headway_override.tf.json", &json, "failed"),
        ("zzzzz_override.tf", cloud, "failed"),
        // What is given to `init` wins over what a file says.
        ("zzzzz_override.tf", http, "finished"),
        ("zzzz_headway_override.tf", &attack, "finished"),
        ("backend.tf", &attack, "finished"),
    ] {
        let (headway, repository, stack) = deployed("none", &[]).await;
        let page = proposed(&headway, &repository, &stack, &[(name, text)]).await;
        assert_eq!(page.state(), state, "{name}: {text}{}", page.text());
        assert!(!theirs.exists(), "{name}");
        if state == "finished" {
            // It was planned with the state of the stack.
            page.says("No changes");
        }
    }
}
