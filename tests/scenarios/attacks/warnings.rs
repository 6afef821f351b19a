//! Where runs are not confined, everybody is told; where they must be, they do not run.

use crate::headway::{Headway, terraform};
use crate::repository::Repository;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

fn on_path(program: &str) -> PathBuf {
    let folders = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|file| file.is_file()).unwrap()
}

#[tokio::test]
async fn without_bubblewrap_every_run_warns_or_none_runs() {
    if !terraform() {
        return;
    }
    let programs = tempfile::tempdir().unwrap();
    for program in ["git", "terraform", "sh"] {
        symlink(on_path(program), programs.path().join(program)).unwrap();
    }
    let path = programs.path().to_str().unwrap();
    let repository = Repository::new();

    let headway = Headway::start_with("serve", &[("PATH", path), ("HEADWAY_SANDBOX", "auto")]).await;
    let stack = headway.stack(&repository, "Network", &[]).await;
    let run = headway.deploy(&stack).await;
    let warning = "Runs are not confined to a sandbox. There is no bubblewrap";
    for page in [run.clone(), format!("{run}/changes")] {
        headway.page(&page).await.says(warning).says("Install the package `bubblewrap`");
    }
    let page = headway.page(&run).await;
    let first = page.html.split("/log/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    headway.page(&format!("{run}/log/{first}")).await;
    let log = std::fs::read_to_string(headway.data.path().join("headway.log")).unwrap();
    assert!(log.contains(warning), "{log}");

    let headway = Headway::start_with("serve", &[("PATH", path), ("HEADWAY_SANDBOX", "bubblewrap")]).await;
    let stack = headway.stack(&repository, "Network", &[]).await;
    let run = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    let page = headway.until_state(&run, "failed").await;
    page.says("The sandbox is demanded and does not work, so nothing was run. There is no bubblewrap");

    let headway = Headway::start_with("serve", &[("PATH", path), ("HEADWAY_SANDBOX", "none")]).await;
    let stack = headway.stack(&repository, "Network", &[]).await;
    let run = headway.deploy(&stack).await;
    headway.page(&run).await.lacks("not confined");
}
