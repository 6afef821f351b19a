//! The providers of a run: which of those that runs share fit the lock file of its commit, and where all others come
//! from, as Terraform's configuration of itself.

use super::workspace;
use crate::config::sandbox::ProviderMirror;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::path::{Path, PathBuf};

/// The longest lock file that is read, in bytes.
const LONGEST_LOCK: u64 = 4 << 20;
/// How Terraform calls it.
const LOCK_FILE: &str = ".terraform.lock.hcl";

/// A provider that a lock file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    /// `registry.terraform.io/hashicorp/aws`
    pub address: String,
    /// The version.
    pub version: String,
    /// The hashes of unpacked packages, 32 bytes in hexadecimal.
    pub hashes: Vec<String>,
}

/// A shared package that a run may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// Its provider.
    pub address: String,
    /// A filesystem mirror that holds this package alone.
    pub mirror: PathBuf,
}

/// The providers that the lock file in a configuration's folder names; none when there is no lock file.
pub fn locked(folder: &Path) -> Vec<Locked> {
    let text = workspace::read(&folder.join(LOCK_FILE), LONGEST_LOCK).unwrap_or_default();
    read_lock(&String::from_utf8_lossy(&text))
}

/// Reads a lock file as Terraform writes it; a block that looks otherwise is left out, and then nothing of it is shared.
fn read_lock(text: &str) -> Vec<Locked> {
    let mut found: Vec<Locked> = Vec::new();
    let quoted = |text: &str| text.split('"').nth(1).map(str::to_owned);
    for line in text.lines().map(str::trim) {
        if let Some(block) = line.strip_prefix("provider ") {
            let address = quoted(block).filter(|address| is_address(address)).unwrap_or_default();
            found.push(Locked { address, version: String::new(), hashes: Vec::new() });
        } else if let Some(last) = found.last_mut() {
            if line.starts_with("version") {
                last.version = quoted(line).filter(|version| is_part(version)).unwrap_or_default();
            } else if let Some(hash) = line.strip_prefix("\"h1:") {
                let hash = hash.split('"').next().and_then(|hash| STANDARD.decode(hash).ok());
                last.hashes.extend(hash.filter(|hash| hash.len() == 32).map(hex::encode));
            }
        }
    }
    found.retain(|locked| !locked.address.is_empty() && !locked.version.is_empty());
    found
}

/// Three parts that are nothing but names of folders.
fn is_address(address: &str) -> bool {
    address.split('/').count() == 3 && address.split('/').all(is_part)
}

fn is_part(part: &str) -> bool {
    let plain = part.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.:+".contains(letter));
    plain && !part.is_empty() && !part.starts_with('.')
}

/// The packages in the store that fit the lock file.
pub fn shared(store: &Path, locked: &[Locked]) -> Vec<Shared> {
    let there = |one: &Locked| {
        let mirrors = one.hashes.iter().map(|hash| store.join(hash));
        let mirror = mirrors.into_iter().find(|mirror| mirror.join(&one.address).join(&one.version).is_dir())?;
        Some(Shared { address: one.address.clone(), mirror })
    };
    locked.iter().filter_map(there).collect()
}

/// Terraform's configuration of itself: where each provider comes from, and from nowhere else. That leaves out the
/// folders in which Terraform would look by itself, of which one is in the repository.
pub fn settings(shared: &[Shared], mirror: Option<&ProviderMirror>) -> String {
    let quote = |text: &str| serde_json::Value::from(text).to_string();
    let mut text = "# Written by Headway.\ndisable_checkpoint = true\nprovider_installation {\n".to_owned();
    for one in shared {
        let (path, address) = (quote(&one.mirror.to_string_lossy()), quote(&one.address));
        text += &format!("  filesystem_mirror {{\n    path    = {path}\n    include = [{address}]\n  }}\n");
    }
    let (name, place) = match mirror {
        None => ("direct", String::new()),
        Some(ProviderMirror::Network(address)) => ("network_mirror", format!("    url     = {}\n", quote(address))),
        Some(ProviderMirror::Folder(path)) => {
            ("filesystem_mirror", format!("    path    = {}\n", quote(&path.to_string_lossy())))
        }
    };
    let others: Vec<String> = shared.iter().map(|one| quote(&one.address)).collect();
    text + &format!("  {name} {{\n{place}    exclude = [{}]\n  }}\n}}\n", others.join(", "))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    const ADDRESS: &str = "registry.terraform.io/acme/fake";

    fn lock(hash: &str) -> String {
        let hash = STANDARD.encode(hex::decode(hash).unwrap());
        format!(
            "# This file is maintained automatically.\n\nprovider \"{ADDRESS}\" {{\n  version     = \"1.2.3\"\n  constraints = \
             \">= 1.0.0\"\n  hashes = [\n    \"h1:{hash}\",\n    \"zh:00\",\n  ]\n}}\n"
        )
    }

    #[test]
    fn a_lock_file_is_read_and_what_could_lead_elsewhere_is_left_out() {
        let hash = "ab".repeat(32);
        let found = read_lock(&lock(&hash));
        assert_eq!(found, [Locked { address: ADDRESS.into(), version: "1.2.3".into(), hashes: vec![hash.clone()] }]);
        for (from, to) in [(ADDRESS, "../../etc"), (ADDRESS, "a/b/c/d"), ("1.2.3", "../x"), ("1.2.3", "..")] {
            assert_eq!(read_lock(&lock(&hash).replace(from, to)), [], "{to}");
        }
        assert_eq!(read_lock(&lock(&hash).replace("h1:", "h1:!"))[0].hashes, [""; 0]);
        assert_eq!(read_lock("version = \"1\"\n\"h1:x\"\nprovider\n"), []);
    }

    #[test]
    fn each_provider_has_one_place_to_come_from() {
        let shared = [Shared { address: ADDRESS.into(), mirror: "/srv/data/providers/ab".into() }];
        let text = settings(&shared, None);
        assert!(
            text.contains("path    = \"/srv/data/providers/ab\"\n    include = [\"registry.terraform.io/acme/fake\"]")
        );
        assert!(text.contains("direct {\n    exclude = [\"registry.terraform.io/acme/fake\"]\n"), "{text}");
        assert!(settings(&[], None).contains("direct {\n    exclude = []\n"));
        let mirror = ProviderMirror::Network("https://mirror.example.com/".into());
        let text = settings(&[], Some(&mirror));
        assert!(
            text.contains("network_mirror {\n    url     = \"https://mirror.example.com/\"\n")
                && !text.contains("direct")
        );
        let text = settings(&[], Some(&ProviderMirror::Folder("/srv/providers".into())));
        assert!(text.contains("filesystem_mirror {\n    path    = \"/srv/providers\"\n") && !text.contains("direct"));
    }
}
