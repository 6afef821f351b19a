//! SSH: repositories that are reached through the `ssh` program. Here it is one that runs on this machine what it was asked
//! to run on the other.

use crate::headway::{Headway, terraform};
use crate::repository::{Repository, resource};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Notes what it was called with, and knows two hosts: one that shuts everybody out, and any other one.
const SSH: &str = r#"#!/bin/sh
echo "$@" >> "$(dirname "$0")/calls"
for command; do :; done
case "$*" in
*denied.invalid*) echo "git@denied.invalid: Permission denied (publickey)." >&2; exit 255 ;;
esac
exec sh -c "$command"
"#;

/// A Headway that finds this `ssh` first.
async fn start(folder: &Path) -> Headway {
    let program = folder.join("ssh");
    std::fs::write(&program, SSH).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    Headway::start_with("serve", &[("PATH", &path)]).await
}

#[tokio::test]
async fn a_repository_is_fetched_over_ssh_in_both_spellings() {
    if !terraform() {
        return;
    }
    let (folder, repository) = (tempfile::tempdir().unwrap(), Repository::new());
    let headway = start(folder.path()).await;
    let short = format!("git@git.invalid:{}", repository.address());
    let stack = headway.stack_at(&short, "Network", &[]).await;
    let url = format!("ssh://git@git.invalid:2222{}", repository.address());
    let other = headway.stack_at(&url, "Other", &[]).await;
    repository.branch("more", "main", "Make more", &[("more.tf", &resource("more"))]);
    for stack in [stack, other] {
        headway.sync(&stack).await.has_status(200);
        let proposed = headway.proposed(&stack, "more").await;
        headway.until_state(&proposed, "finished").await;
    }
    let calls = std::fs::read_to_string(folder.path().join("calls")).unwrap();
    let upload = format!("git-upload-pack '{}'", repository.address());
    assert!(calls.contains("-oBatchMode=yes") && calls.contains(&format!("git@git.invalid {upload}")), "{calls}");
    assert!(calls.contains(&format!("-p 2222 git@git.invalid {upload}")), "{calls}");
}

#[tokio::test]
async fn a_host_that_refuses_the_key_is_told_at_the_address() {
    let folder = tempfile::tempdir().unwrap();
    let headway = start(folder.path()).await;
    let refused = headway.form("/stacks/new", "add_repository", &[("address", "git@denied.invalid:team/live")]).await;
    refused
        .has_status(422)
        .says("asks for credentials and refuses the ones it got")
        .says("Permission denied (publickey)");
}
