//! The providers that runs share: once a tracked run has downloaded one, the next `init` that wants it links it from
//! here and downloads nothing.
//!
//! A package lies under its own hash, and a run gets it only if the lock file of its own commit names that hash. So a run
//! that put something else there has put it where nobody looks, and two runs that put the same do no harm to each other:
//! it is copied, verified, then renamed into place. Without a lock file there is nothing to verify with, and nothing is
//! shared.

use super::workspace;
use crate::config::sandbox::ProviderMirror;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The longest lock file that is read, in bytes.
const LONGEST_LOCK: u64 = 4 << 20;
/// How long a package stays that nobody uses.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
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

/// Puts what `init` downloaded into the store, as far as the lock file vouches for it: what was added. No program of the
/// run may be running.
pub fn share(store: &Path, run: &str, data: &Path, locked: &[Locked]) -> io::Result<Vec<String>> {
    let staging = store.join(format!(".{run}"));
    let _ = std::fs::remove_dir_all(&staging);
    let mut added = Vec::new();
    for one in locked {
        let place = Path::new(&one.address).join(&one.version);
        for platform in real_folders(&data.join("providers"), &place) {
            let target = staging.join(&place).join(platform.file_name().unwrap_or_default());
            copy(&platform, &target)?;
            let hash = hash(&target)?;
            if one.hashes.contains(&hash) {
                std::fs::create_dir_all(store)?;
                // Whoever was first had the same.
                if std::fs::rename(&staging, store.join(&hash)).is_ok() {
                    added.push(format!("{} {}", one.address, one.version));
                }
            }
            let _ = std::fs::remove_dir_all(&staging);
        }
    }
    Ok(added)
}

/// Notes that a run uses these packages, so that they stay.
pub fn used(shared: &[Shared], now: SystemTime) {
    for one in shared {
        // A package whose use cannot be noted is downloaded once more some day.
        let _ = std::fs::File::open(&one.mirror).and_then(|folder| folder.set_modified(now));
    }
}

/// Removes the packages that nobody has used for a month, unless a workspace that waits still links to them.
pub fn forget(store: &Path, workspaces: &Path, now: SystemTime) {
    let mut links = Vec::new();
    for (_, folder) in workspace::all(workspaces) {
        links_below(&folder.join("terraform/providers"), 5, &mut links);
    }
    for mirror in std::fs::read_dir(store).into_iter().flatten().flatten().map(|entry| entry.path()) {
        let last = std::fs::metadata(&mirror).and_then(|about| about.modified()).unwrap_or(now);
        let unused = now.duration_since(last).is_ok_and(|unused| unused > KEPT);
        if unused
            && !links.iter().any(|link| link.starts_with(&mirror))
            && let Err(error) = std::fs::remove_dir_all(&mirror)
        {
            tracing::warn!(%error, "cannot remove a provider that nobody uses");
        }
    }
}

/// Where the links lead that are at most so many folders deep.
fn links_below(folder: &Path, depth: u8, links: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match std::fs::read_link(entry.path()) {
            Ok(link) => links.push(link),
            Err(_) if depth > 1 => links_below(&entry.path(), depth - 1, links),
            Err(_) => {}
        }
    }
}

/// Removes what an earlier process did not finish; nobody else uses the store meanwhile.
pub fn clear(store: &Path) {
    for entry in std::fs::read_dir(store).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with('.')
            && let Err(error) = std::fs::remove_dir_all(entry.path())
        {
            tracing::warn!(%error, "cannot remove a provider that was not shared to its end");
        }
    }
}

/// The real folders in `place` below `root`; none where a link stands on the way. A package that was linked from the
/// store is a link, and is there already.
fn real_folders(root: &Path, place: &Path) -> Vec<PathBuf> {
    let is_real = |path: &Path| std::fs::symlink_metadata(path).is_ok_and(|about| about.is_dir());
    let mut folder = root.to_owned();
    for part in place.components() {
        folder.push(part);
        if !is_real(&folder) {
            return Vec::new();
        }
    }
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| is_real(path)).collect()
}

/// Copies real files and folders; anything else is an error. A link to the file outside could change it later, a copy
/// cannot be changed.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &target)?;
        } else if kind.is_file() {
            std::fs::copy(entry.path(), &target)?;
            std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o555))?;
        } else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a provider's package holds a link or a device"));
        }
    }
    Ok(())
}

/// The hash of an unpacked package as lock files have it after `h1:` (Go's `dirhash.Hash1`), in hexadecimal.
fn hash(package: &Path) -> io::Result<String> {
    let mut files = Vec::new();
    list(package, "", &mut files)?;
    files.sort();
    let mut whole = Sha256::new();
    for name in files {
        let mut file = Sha256::new();
        io::copy(&mut std::fs::File::open(package.join(&name))?, &mut HashWriter(&mut file))?;
        whole.update(format!("{}  {name}\n", hex::encode(file.finalize())));
    }
    Ok(hex::encode(whole.finalize()))
}

struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn list(folder: &Path, before: &str, files: &mut Vec<String>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{before}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            list(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.push(name);
        }
    }
    Ok(())
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

    /// A folder as `init` leaves it, with one package.
    fn installed(data: &Path, text: &str) -> PathBuf {
        let package = data.join("providers").join(ADDRESS).join("1.2.3/linux_amd64");
        std::fs::create_dir_all(package.join("more")).unwrap();
        std::fs::write(package.join("terraform-provider-fake_v1.2.3"), text).unwrap();
        std::fs::write(package.join("more/LICENSE.txt"), "free").unwrap();
        package
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
    fn the_hash_is_that_of_terraform() {
        // As `terraform init` wrote it into a lock file for a package of these two files.
        let folder = tempfile::tempdir().unwrap();
        let package = installed(folder.path(), "#!/bin/sh\nexit 1\n");
        let expected = "h1:kcN9UUlUIvPl1RFw1ZXpA7j5Sq38GBv9X93coifkdhc=";
        assert_eq!(format!("h1:{}", STANDARD.encode(hex::decode(hash(&package).unwrap()).unwrap())), expected);
    }

    #[test]
    fn a_package_is_shared_once_and_only_with_whoever_names_its_hash() {
        let folder = tempfile::tempdir().unwrap();
        let (store, data) = (folder.path().join("store"), folder.path().join("data"));
        let package = installed(&data, "the real one");
        let good = read_lock(&lock(&hash(&package).unwrap()));
        assert_eq!(shared(&store, &good), []);
        assert_eq!(share(&store, "run", &data, &good).unwrap(), [format!("{ADDRESS} 1.2.3")]);
        assert_eq!(share(&store, "run", &data, &good).unwrap(), [""; 0], "it is there");
        let found = shared(&store, &good);
        assert_eq!((found.len(), found[0].address.as_str()), (1, ADDRESS));
        assert!(found[0].mirror.join(ADDRESS).join("1.2.3/linux_amd64/more/LICENSE.txt").is_file());

        // Another run's lock file vouches for another package, which does not get into the way of the first.
        std::fs::write(package.join("terraform-provider-fake_v1.2.3"), "the other one").unwrap();
        assert_eq!(share(&store, "run", &data, &good).unwrap(), [""; 0], "nobody vouches for it");
        let evil = read_lock(&lock(&hash(&package).unwrap()));
        share(&store, "run", &data, &evil).unwrap();
        assert_eq!(shared(&store, &good), found);
        assert_eq!(std::fs::read_dir(&store).unwrap().count(), 2, "nothing half-made stays");
    }

    #[test]
    fn a_package_that_nobody_uses_goes_unless_a_run_that_waits_links_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let (store, runs) = (folder.path().join("store"), folder.path().join("runs"));
        let began = SystemTime::UNIX_EPOCH + KEPT * 600;
        for name in ["used", "linked", "lonely"] {
            std::fs::create_dir_all(store.join(name)).unwrap();
            used(&[Shared { address: ADDRESS.into(), mirror: store.join(name) }], began);
        }
        let package = runs.join("1/terraform/providers").join(ADDRESS).join("1.2.3");
        std::fs::create_dir_all(&package).unwrap();
        std::os::unix::fs::symlink(store.join("linked").join(ADDRESS), package.join("linux_amd64")).unwrap();
        let there = || ["used", "linked", "lonely"].map(|name| store.join(name).exists());
        forget(&store, &runs, began + KEPT);
        assert_eq!(there(), [true; 3]);
        let later = began + KEPT + Duration::from_secs(1);
        used(&[Shared { address: ADDRESS.into(), mirror: store.join("used") }], later);
        forget(&store, &runs, later);
        assert_eq!(there(), [true, true, false]);
    }

    #[test]
    fn a_link_in_a_package_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (store, data) = (folder.path().join("store"), folder.path().join("data"));
        let package = installed(&data, "the real one");
        std::os::unix::fs::symlink("/etc/passwd", package.join("link")).unwrap();
        let locked = read_lock(&lock(&"ab".repeat(32)));
        assert!(share(&store, "run", &data, &locked).is_err());
        std::fs::rename(&package, folder.path().join("elsewhere")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &package).unwrap();
        assert_eq!(share(&store, "run", &data, &locked).unwrap(), [""; 0]);
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
