//! Attacks through providers: programs in the repository that Terraform would take for one. And the providers that runs
//! share, which must not become a way to attack each other.

use super::{bare, deployed, ended, proposed, write};
use crate::headway::{Headway, terraform};
use crate::page::Page;
use crate::repository::Repository;
use std::path::Path;

/// Nothing answers there, so nothing but what is on this machine can be found.
const ADDRESS: &str = "localhost:9/acme/evil";
const USE: &str = "terraform {\n  required_providers {\n    evil = { source = \"localhost:9/acme/evil\", version = \"1.0.0\" \
                   }\n  }\n}\nresource \"evil_thing\" \"one\" {}\n";

/// How Terraform calls the platform of these tests.
fn platform() -> String {
    let machine = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{}_{machine}", std::env::consts::OS)
}

/// A program that leaves a trace.
fn program(trace: &Path) -> String {
    format!("#!/bin/sh\ntouch {}\nexit 1\n", trace.display())
}

#[tokio::test]
async fn a_program_in_the_repository_is_no_provider() {
    if !terraform() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let work = folder.path().join("work");
    let package = format!("{ADDRESS}/1.0.0/{}/terraform-provider-evil_v1.0.0", platform());
    let committed = format!("terraform.d/plugins/{package}");
    write(&work, &[("use.tf", USE), (&committed, &program(&trace))]);
    let (installed, said) = bare(&work, &["init"], &[]);
    assert!(installed, "{said}");
    bare(&work, &["plan"], &[]);
    assert!(trace.exists(), "a bare runner runs it");
    std::fs::remove_file(&trace).unwrap();

    // The same program as if `init` had installed it, with a lock file that vouches for it.
    let lock = std::fs::read_to_string(work.join(".terraform.lock.hcl")).unwrap();
    std::fs::remove_dir_all(work.join("terraform.d")).unwrap();
    std::fs::remove_dir_all(work.join(".terraform")).unwrap();
    let initialized = format!(".terraform/providers/{package}");
    write(&work, &[(&initialized, &program(&trace))]);
    bare(&work, &["plan"], &[]);
    assert!(trace.exists(), "a bare runner runs it");
    std::fs::remove_file(&trace).unwrap();

    // Even without a sandbox.
    for files in [
        vec![("use.tf", USE), (committed.as_str(), &program(&trace))],
        vec![("use.tf", USE), (initialized.as_str(), &program(&trace)), (".terraform.lock.hcl", &lock)],
    ] {
        let (headway, repository, stack) = deployed("none", &[]).await;
        let page = proposed(&headway, &repository, &stack, &files).await;
        assert_eq!(page.state(), "failed");
        assert!(!trace.exists(), "{}", page.text());
    }
}

#[tokio::test]
async fn the_repository_does_not_configure_the_engine() {
    if !terraform() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (trace, work) = (folder.path().join("trace"), folder.path().join("work"));
    let package = format!("mirror/{ADDRESS}/1.0.0/{}/terraform-provider-evil_v1.0.0", platform());
    let settings = "provider_installation {\n  filesystem_mirror {\n    path = \"mirror\"\n  }\n}\n";
    let evil = program(&trace);
    let files =
        [("use.tf", USE), (".terraformrc", settings), ("terraform.rc", settings), (package.as_str(), evil.as_str())];
    write(&work, &files);
    let home = work.to_str().unwrap();
    let (installed, said) = bare(&work, &["init"], &[("HOME", home)]);
    assert!(installed, "{said}");
    bare(&work, &["plan"], &[("HOME", home)]);
    assert!(trace.exists(), "a bare runner whose home is the repository runs it");
    std::fs::remove_file(&trace).unwrap();
    let (headway, repository, stack) = deployed("none", &[]).await;
    let page = proposed(&headway, &repository, &stack, &files).await;
    assert_eq!(page.state(), "failed");
    assert!(!trace.exists(), "{}", page.text());
    for name in ["TF_CLI_CONFIG_FILE", "TF_REATTACH_PROVIDERS", "TF_PLUGIN_CACHE_DIR", "TERRAFORM_CONFIG"] {
        let fields = [("stack", "network"), ("name", name), ("value", "x"), ("planning", "true")];
        let page = headway.form(&format!("{stack}/settings/environment"), "set_variable", &fields).await;
        page.has_status(422).says("is kept for Headway itself");
    }
}

/// An archive with one file, stored as it is.
fn archive(name: &str, text: &[u8]) -> Vec<u8> {
    let checksum = !text.iter().fold(!0_u32, |mut sum, byte| {
        sum ^= u32::from(*byte);
        (0..8).for_each(|_| sum = (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()));
        sum
    });
    let number = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let name_length = u16::try_from(name.len()).unwrap().to_le_bytes();
    // The version, flags, method, time, date; then what both headers say of the file.
    let about = [
        [20, 0, 0, 0, 0, 0, 0, 0, 33, 0].as_slice(),
        &checksum.to_le_bytes(),
        &number(text.len()),
        &number(text.len()),
        &name_length,
        &[0, 0],
    ]
    .concat();
    let local = [b"PK\x03\x04".as_slice(), &about, name.as_bytes(), text].concat();
    let attributes = (0o100_755_u32 << 16).to_le_bytes();
    let central = [b"PK\x01\x02\x14\x03".as_slice(), &about, &[0; 6], &attributes, &[0; 4], name.as_bytes()].concat();
    let end =
        [b"PK\x05\x06\0\0\0\0\x01\0\x01\0".as_slice(), &number(central.len()), &number(local.len()), &[0, 0]].concat();
    [local, central, end].concat()
}

#[tokio::test]
async fn the_second_init_of_a_provider_downloads_nothing_and_a_proposed_run_shares_nothing() {
    if !terraform() {
        return;
    }
    // Where it comes from first: an operator's mirror, packed as downloads are.
    let origin = tempfile::tempdir().unwrap();
    let packed = format!("localhost:9/acme/fake/terraform-provider-fake_1.0.0_{}.zip", platform());
    let packed = origin.path().join(packed);
    std::fs::create_dir_all(packed.parent().unwrap()).unwrap();
    std::fs::write(&packed, archive("terraform-provider-fake_v1.0.0", b"#!/bin/sh\nexit 1\n")).unwrap();
    // It installs like any other; when a plan starts it, it does nothing, so plans fail, and it is `init` that tells.
    let require = "terraform {\n  required_providers {\n    fake = { source = \"localhost:9/acme/fake\", version = \"1.0.0\" }\n  \
                   }\n}\n";
    let folder = tempfile::tempdir().unwrap();
    let rc = format!(
        "provider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n",
        origin.path().display()
    );
    write(folder.path(), &[("require.tf", require), (".terraformrc", &rc)]);
    let (installed, said) = bare(folder.path(), &["init"], &[("HOME", folder.path().to_str().unwrap())]);
    assert!(installed, "{said}");
    let lock = std::fs::read_to_string(folder.path().join(".terraform.lock.hcl")).unwrap();

    let repository = Repository::new();
    let environment = [("HEADWAY_PROVIDER_MIRROR", origin.path().to_str().unwrap())];
    let headway = Headway::start_with("serve", &environment).await;
    let stack = headway.stack(&repository, "Network", &[]).await;
    headway.deploy(&stack).await;
    let store = headway.data.path().join("providers");
    let shared = || std::fs::read_dir(&store).map_or(0, |entries| entries.count());
    let files = [("require.tf", require), (".terraform.lock.hcl", lock.as_str())];
    let page = proposed(&headway, &repository, &stack, &files).await;
    page.says("terraform plan failed");
    assert_eq!(shared(), 0, "a proposed run shares nothing");

    repository.commit("main", "Require a provider", &files);
    headway.sync(&stack).await;
    let run = headway.page(&stack).await.runs()[0].clone();
    headway.until_state(&run, "failed").await.says("terraform plan failed");
    assert_eq!(shared(), 1);

    // What it came from is gone: from now on nothing can be downloaded.
    std::fs::remove_file(&packed).unwrap();
    let page = proposed_again(&headway, &repository, &stack).await;
    page.says("terraform plan failed");
    let second = Repository::new();
    second.commit("main", "Require a provider", &files);
    triggered(&headway, &second, "other").await.says("terraform plan failed");
    // Whoever names no hash gets nothing that could not be verified.
    let careless = Repository::new();
    careless.commit("main", "Require a provider", &[("require.tf", require)]);
    triggered(&headway, &careless, "careless").await.says("terraform init failed");
}

async fn proposed_again(headway: &Headway, repository: &Repository, stack: &str) -> Page {
    repository.branch("again", "attack", "Again", &[]);
    headway.sync(stack).await;
    let run = headway.proposed(stack, "again").await;
    ended(headway, &run).await
}

/// A tracked run of a new stack, when it has ended.
async fn triggered(headway: &Headway, repository: &Repository, name: &str) -> Page {
    let stack = headway.stack(repository, name, &[]).await;
    let run = headway.form(&stack, "trigger_run", &[("stack", name)]).await.path;
    ended(headway, &run).await
}
