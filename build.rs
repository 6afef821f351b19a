//! Embeds the site that `cargo xtask build` made: turns its manifest into a list of `Asset`s for
//! `src/server/assets.rs`. Without a site the list is empty, so that plain `cargo test` works; pages then come without
//! style and client. The manifest names, a line a file: logical name, served path, content type, hash.

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{env, fs, io};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=CARGO_TARGET_DIR");
    if env::var_os("CARGO_FEATURE_SSR").is_none() {
        return Ok(());
    }
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo did not say where the crate is")?);
    let site = root.join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into())).join("site");
    let manifest = site.join("manifest.txt");
    if !manifest.exists() {
        // Cargo takes a file that is missing for one that has changed, and would build everything again each time.
        create_empty(&manifest)?;
    }
    println!("cargo::rerun-if-changed={}", manifest.display());
    let list = assets(&fs::read_to_string(&manifest)?, &site)?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo did not say where to write")?);
    fs::write(out.join("assets.rs"), list)?;
    Ok(())
}

/// The list as a Rust expression.
fn assets(manifest: &str, site: &Path) -> Result<String, Box<dyn Error>> {
    let mut list = "&[\n".to_owned();
    for line in manifest.lines() {
        let [name, path, content_type, hash] = line.split('\t').collect::<Vec<_>>()[..] else {
            return Err(format!("the manifest of the site has a line that is no entry: {line}").into());
        };
        let raw = site.join(path.trim_start_matches('/'));
        let brotli = site.join(format!("{}.br", path.trim_start_matches('/')));
        for file in [&raw, &brotli] {
            println!("cargo::rerun-if-changed={}", file.display());
        }
        let immutable = path.starts_with("/pkg/");
        writeln!(
            list,
            "Asset {{ name: {name:?}, path: {path:?}, content_type: {content_type:?}, hash: {hash:?}, \
             raw: include_bytes!({raw:?}), brotli: include_bytes!({brotli:?}), immutable: {immutable} }},"
        )?;
    }
    list.push(']');
    Ok(list)
}

/// An empty file as old as files can be, so that it is no change either.
fn create_empty(file: &Path) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::File::create(file)?.set_modified(SystemTime::UNIX_EPOCH)
}
