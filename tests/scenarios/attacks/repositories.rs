//! Attacks through Git: programs that a checkout would start.

use super::{deployed, proposed, write};
use crate::headway::terraform;
use std::process::Command;

#[tokio::test]
async fn neither_filters_nor_hooks_nor_submodules_are_run() {
    if !terraform() {
        return;
    }
    // What many machines have: Git LFS for everybody, hooks for everybody, helpers allowed.
    let home = tempfile::tempdir().unwrap();
    let trace = |name: &str| home.path().join(name);
    let settings = format!(
        "[filter \"lfs\"]\n  smudge = touch {} && cat\n  required = true\n[core]\n  hooksPath = {}/hooks\n[protocol \
         \"ext\"]\n  allow = always\n",
        trace("filtered").display(),
        home.path().display()
    );
    let hook = format!("#!/bin/sh\ntouch {}\n", trace("hooked").display());
    write(home.path(), &[(".gitconfig", &settings), ("hooks/post-checkout", &hook)]);
    let traces = || ["filtered", "hooked", "helped"].map(|name| trace(name).exists());

    let (headway, repository, stack) = deployed("none", &[("HOME", home.path().to_str().unwrap())]).await;
    let modules =
        format!("[submodule \"evil\"]\n  path = evil\n  url = ext::sh -c touch% {}\n", trace("helped").display());
    let files =
        [(".gitmodules", modules.as_str()), (".gitattributes", "*.bin filter=lfs\n"), ("large.bin", "a pointer\n")];
    let commit = repository.git(&["rev-parse", "HEAD"]);
    repository.branch("attack", "main", "Bring files", &files);
    repository.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},evil")]);
    repository.git(&["commit", "--quiet", "--message", "Bring a submodule"]);
    repository.git(&["checkout", "--quiet", "main"]);

    let clone = tempfile::tempdir().unwrap();
    let mut bare = Command::new("git");
    bare.args(["clone", "--quiet", "--recurse-submodules", "--branch=attack", repository.address()]);
    bare.arg(clone.path().join("clone")).env("HOME", home.path()).env_remove("GIT_CONFIG_GLOBAL").output().unwrap();
    assert_eq!(traces(), [true; 3], "a bare runner starts them");
    for name in ["filtered", "hooked", "helped"] {
        std::fs::remove_file(trace(name)).unwrap();
    }

    headway.sync(&stack).await;
    let run = headway.proposed(&stack, "attack").await;
    headway.until_state(&run, "finished").await;
    assert_eq!(traces(), [false; 3]);
    let address = format!("ext::sh -c touch% {}", trace("helped").display());
    headway.form("/stacks/new", "add_repository", &[("address", &address)]).await.has_status(422);
    // The same as a module's source.
    let module = format!("module \"evil\" {{\n  source = \"git::{address}\"\n}}\n");
    repository.git(&["branch", "-D", "attack"]);
    let page = proposed(&headway, &repository, &stack, &[("module.tf", &module)]).await;
    assert_eq!((page.state().as_str(), traces()), ("failed", [false; 3]));
}
