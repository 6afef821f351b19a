//! The store of the providers that runs share: once a tracked run has downloaded one, the next `init` that wants it links
//! it from here and downloads nothing.
//!
//! A package lies under its own hash, and a run gets it only if the lock file of its own commit names that hash. So a run
//! that put something else there has put it where nobody looks, and two runs that put the same do no harm to each other:
//! it is copied, verified, then renamed into place. Without a lock file there is nothing to verify with, and nothing is
//! shared.

use super::providers::{Locked, Shared};
use super::workspace;
use sha2::{Digest, Sha256};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How long a package stays that nobody uses.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

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
    use super::super::providers::shared;
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    const ADDRESS: &str = "registry.terraform.io/acme/fake";

    fn locked(hash: &str) -> [Locked; 1] {
        [Locked { address: ADDRESS.into(), version: "1.2.3".into(), hashes: vec![hash.into()] }]
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
        let good = locked(&hash(&package).unwrap());
        assert_eq!(shared(&store, &good), []);
        assert_eq!(share(&store, "run", &data, &good).unwrap(), [format!("{ADDRESS} 1.2.3")]);
        assert_eq!(share(&store, "run", &data, &good).unwrap(), [""; 0], "it is there");
        let found = shared(&store, &good);
        assert_eq!((found.len(), found[0].address.as_str()), (1, ADDRESS));
        assert!(found[0].mirror.join(ADDRESS).join("1.2.3/linux_amd64/more/LICENSE.txt").is_file());

        // Another run's lock file vouches for another package, which does not get into the way of the first.
        std::fs::write(package.join("terraform-provider-fake_v1.2.3"), "the other one").unwrap();
        assert_eq!(share(&store, "run", &data, &good).unwrap(), [""; 0], "nobody vouches for it");
        let evil = locked(&hash(&package).unwrap());
        share(&store, "run", &data, &evil).unwrap();
        assert_eq!(shared(&store, &good), found);
        assert_eq!(std::fs::read_dir(&store).unwrap().count(), 2, "nothing half-made stays");
    }

    #[test]
    fn runs_that_share_the_same_package_at_the_same_time_do_each_other_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        let datas: Vec<_> = (0..8).map(|run| folder.path().join(run.to_string())).collect();
        let text = "the real one".repeat(100_000);
        let wanted = locked(&hash(&datas.iter().map(|data| installed(data, &text)).collect::<Vec<_>>()[0]).unwrap());
        let added: usize = std::thread::scope(|scope| {
            let share = |data: &Path| {
                let (store, wanted, data) = (store.clone(), wanted.clone(), data.to_owned());
                scope.spawn(move || share(&store, &data.file_name().unwrap().to_string_lossy(), &data, &wanted))
            };
            let runs: Vec<_> = datas.iter().map(|data| share(data)).collect();
            runs.into_iter().map(|run| run.join().unwrap().unwrap().len()).sum()
        });
        assert_eq!(added, 1);
        assert_eq!(std::fs::read_dir(&store).unwrap().count(), 1);
        let package = shared(&store, &wanted)[0].mirror.join(ADDRESS).join("1.2.3/linux_amd64");
        assert_eq!([hash(&package).unwrap()], wanted[0].hashes[..]);
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
        let other = locked(&"ab".repeat(32));
        assert!(share(&store, "run", &data, &other).is_err());
        std::fs::rename(&package, folder.path().join("elsewhere")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &package).unwrap();
        assert_eq!(share(&store, "run", &data, &other).unwrap(), [""; 0]);
    }
}
