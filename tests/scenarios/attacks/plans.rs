//! Attacks on the plan itself: what it holds in clear, and what a configuration gets out of the secrets it is given.

use super::{bare, write};
use crate::headway::{Headway, terraform};
use crate::repository::{Repository, resource};
use std::path::{Path, PathBuf};

const CANARY: &str = "canary-9d02e4";

/// A configuration that keeps a sensitive value.
const SENSITIVE: &str = "variable \"password\" {\n  type      = string\n  sensitive = true\n  default   = \"absent\"\n}\nresource \
                         \"terraform_data\" \"keeper\" {\n  input = var.password\n}\n";

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() && !entry.is_symlink() {
            files(&entry, found);
        } else if entry.is_file() {
            found.push(entry);
        }
    }
}

#[tokio::test]
async fn a_plan_that_waits_is_sealed_and_after_its_apply_it_is_gone() {
    if !terraform() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("main.tf", SENSITIVE)]);
    bare(folder.path(), &["init"], &[]);
    bare(folder.path(), &["plan", "-out=plan"], &[("TF_VAR_password", CANARY)]);
    let (_, shown) = bare(folder.path(), &["show", "-json", "plan"], &[]);
    assert!(shown.contains(CANARY), "a saved plan holds it in clear");
    let begins = |file: &Path| std::fs::read(file).unwrap().starts_with(b"PK");
    assert!(begins(&folder.path().join("plan")), "this is how a saved plan begins");

    let repository = Repository::new();
    repository.commit("main", "Keep a password", &[("main.tf", SENSITIVE)]);
    let headway = Headway::start().await;
    let stack = headway.stack(&repository, "Network", &[]).await;
    let settings = format!("{stack}/settings/environment");
    let fields = [
        ("stack", "network"),
        ("name", "TF_VAR_password"),
        ("value", CANARY),
        ("secret", "true"),
        ("planning", "true"),
        ("applying", "true"),
    ];
    headway.form(&settings, "set_variable", &fields).await.has_status(200);
    let run = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    headway.until_state(&run, "unconfirmed").await;
    let mut waiting = Vec::new();
    files(&headway.data.path().join("runs"), &mut waiting);
    assert!(waiting.iter().any(|file| file.ends_with("plan.sealed")), "{waiting:?}");
    for file in &waiting {
        let bytes = std::fs::read(file).unwrap();
        let holds = bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
        assert!(!begins(file) && !holds, "{} can be read", file.display());
    }

    // A sealed plan that is not this run's own is not applied.
    let sealed = waiting.iter().find(|file| file.ends_with("plan.sealed")).unwrap();
    let own = std::fs::read(sealed).unwrap();
    let mut other = own.clone();
    *other.last_mut().unwrap() ^= 1;
    std::fs::write(sealed, other).unwrap();
    headway.press(&run, "confirm_run").await;
    headway.until_state(&run, "failed").await.says("Headway could not open the plan");
    let again = headway.press(&run, "retry_run").await.path;
    headway.until_state(&again, "unconfirmed").await;
    headway.press(&again, "confirm_run").await;
    headway.until_state(&again, "finished").await;
    let mut left = Vec::new();
    files(&headway.data.path().join("runs"), &mut left);
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn masking_is_no_wall_and_what_only_an_apply_needs_is_not_given_to_a_plan() {
    if !terraform() {
        return;
    }
    // Every mask is passed by printing letter by letter.
    let spell =
        format!("{SENSITIVE}output \"spelt\" {{\n  value = join(\"-\", split(\"\", nonsensitive(var.password)))\n}}\n");
    let letters = |word: &str| word.chars().map(String::from).collect::<Vec<_>>().join("-");
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("main.tf", &spell)]);
    bare(folder.path(), &["init"], &[]);
    let (_, said) = bare(folder.path(), &["plan"], &[("TF_VAR_password", CANARY)]);
    assert!(said.contains(&letters(CANARY)), "{said}");

    let repository = Repository::new();
    let headway = Headway::start().await;
    let stack = headway.stack(&repository, "Network", &[]).await;
    let fields = [
        ("stack", "network"),
        ("name", "TF_VAR_password"),
        ("value", CANARY),
        ("secret", "true"),
        ("applying", "true"),
    ];
    headway.form(&format!("{stack}/settings/environment"), "set_variable", &fields).await.has_status(200);
    headway.deploy(&stack).await;
    repository.branch("spell", "main", "Spell it", &[("spell.tf", &spell), ("first.tf", &resource("first"))]);
    headway.sync(&stack).await;
    let run = headway.proposed(&stack, "spell").await;
    headway.until_state(&run, "finished").await.says(&letters("absent")).lacks(&letters(CANARY));
}
