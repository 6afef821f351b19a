//! The site: every file that the server embeds, under a name that changes with its content, with its brotli twin and a
//! manifest. A build with the same inputs leaves every file as it is, so that cargo sees no reason to build the server.

use crate::client::Client;
use crate::style;
use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Files that keep their name, because browsers and robots ask for them by it.
const PLAIN_NAMES: [&str; 2] = ["favicon.svg", "robots.txt"];

/// Says which rules the site was built by; a change of them is a change of the site.
const RULES: &str = "1";

/// What a site is built from.
#[derive(Clone, Debug)]
pub struct Inputs {
    style: String,
    public: BTreeMap<String, Vec<u8>>,
    stamp: String,
    quality: u8,
}

impl Inputs {
    /// Reads them: `style/` and `public/` under the root, and the client as rustc wrote it.
    pub fn read(root: &Path, wasm: &Path, release: bool) -> Result<Self> {
        let style = style::concatenate(&root.join("style"))?;
        let public = read_public(&root.join("public"))?;
        // Quality 11 takes ten times as long as quality 4 and saves a fifth.
        let quality = if release { 11 } else { 4 };
        let wasm = fs::read(wasm).with_context(|| format!("{} cannot be read", wasm.display()))?;
        let mut stamp = format!("rules {RULES} quality {quality}\n{}\n{}\n", hash(&wasm), hash(style.as_bytes()));
        for (name, content) in &public {
            stamp.push_str(&format!("{name} {}\n", hash(content)));
        }
        Ok(Self { style, public, stamp, quality })
    }
}

/// Brings the site up to date; `bind` makes the client and is only asked when something has changed.
pub fn update(site: &Path, inputs: &Inputs, bind: impl FnOnce() -> Result<Client>) -> Result<()> {
    let stamp = site.join("stamp.txt");
    if fs::read_to_string(&stamp).is_ok_and(|text| text == inputs.stamp) {
        return Ok(());
    }
    let client = bind()?;
    let mut logical: BTreeMap<&str, &[u8]> = BTreeMap::from([
        ("headway.css", inputs.style.as_bytes()),
        ("headway.js", client.script.as_bytes()),
        ("headway.wasm", client.module.as_slice()),
    ]);
    logical.extend(inputs.public.iter().map(|(name, content)| (name.as_str(), content.as_slice())));

    let mut manifest = String::new();
    let mut written = BTreeSet::from(["manifest.txt".to_owned(), "stamp.txt".to_owned()]);
    for (name, content) in logical {
        let hash = hash(content);
        let path = served_path(name, &hash)?;
        write_changed(&site.join(&path), content)?;
        write_changed(&site.join(format!("{path}.br")), &compress(content, inputs.quality)?)?;
        manifest.push_str(&format!("{name}\t/{path}\t{}\t{hash}\n", content_type(name)?));
        written.extend([format!("{path}.br"), path]);
    }
    write_changed(&site.join("manifest.txt"), manifest.as_bytes())?;
    remove_others(site, "", &written)?;
    // Last, so that a build that was cut short is done again.
    fs::write(&stamp, &inputs.stamp).context("the stamp cannot be written")
}

fn read_public(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            files.insert(name, fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?);
        }
    }
    Ok(files)
}

fn hash(content: &[u8]) -> String {
    Sha256::digest(content).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// `headway.js` → `pkg/headway.0123456789abcdef.js`; without a leading slash.
fn served_path(name: &str, hash: &str) -> Result<String> {
    if PLAIN_NAMES.contains(&name) {
        return Ok(name.to_owned());
    }
    let (stem, extension) = name.rsplit_once('.').with_context(|| format!("public/{name} has no extension"))?;
    Ok(format!("pkg/{stem}.{hash}.{extension}"))
}

fn content_type(name: &str) -> Result<&'static str> {
    Ok(match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "css" => "text/css; charset=utf-8",
        "ico" => "image/x-icon",
        "js" => "text/javascript; charset=utf-8",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        other => bail!("{name}: no content type is known for `.{other}`"),
    })
}

fn compress(content: &[u8], quality: u8) -> Result<Vec<u8>> {
    let parameters =
        brotli::enc::BrotliEncoderParams { quality: quality.into(), size_hint: content.len(), ..Default::default() };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &*content, &mut compressed, &parameters).context("brotli failed")?;
    Ok(compressed)
}

fn write_changed(file: &Path, content: &[u8]) -> Result<()> {
    if fs::read(file).is_ok_and(|present| present == content) {
        return Ok(());
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    fs::write(file, content).with_context(|| format!("{} cannot be written", file.display()))
}

/// Removes what earlier builds left.
fn remove_others(site: &Path, below: &str, keep: &BTreeSet<String>) -> Result<()> {
    for entry in fs::read_dir(site.join(below))? {
        let entry = entry?;
        let path = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            remove_others(site, &format!("{path}/"), keep)?;
        } else if !keep.contains(&path) {
            fs::remove_file(entry.path()).with_context(|| format!("{path} cannot be removed"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::scratch::Scratch;
    use std::cell::Cell;

    fn project(css: &str) -> Scratch {
        let root = Scratch::new();
        for folder in ["style", "public"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        fs::write(root.path().join("style/main.css"), css).unwrap();
        fs::write(root.path().join("public/favicon.svg"), "<svg/>").unwrap();
        fs::write(root.path().join("public/icons.svg"), "<svg></svg>").unwrap();
        fs::write(root.path().join("headway.wasm"), "wasm").unwrap();
        root
    }

    fn build(root: &Path, bound: &Cell<u32>) -> String {
        let inputs = Inputs::read(root, &root.join("headway.wasm"), false).unwrap();
        let bind = || {
            bound.set(bound.get() + 1);
            Ok(Client { script: "script".into(), module: b"module".into() })
        };
        update(&root.join("site"), &inputs, bind).unwrap();
        fs::read_to_string(root.join("site/manifest.txt")).unwrap()
    }

    #[test]
    fn the_manifest_names_every_file_and_the_files_are_there() {
        let root = project("body {}");
        let manifest = build(root.path(), &Cell::new(0));
        let lines: Vec<Vec<&str>> = manifest.lines().map(|line| line.split('\t').collect()).collect();
        let names: Vec<&str> = lines.iter().map(|line| line[0]).collect();
        assert_eq!(names, ["favicon.svg", "headway.css", "headway.js", "headway.wasm", "icons.svg"]);
        let script = hash(b"script");
        assert_eq!(lines[0][1], "/favicon.svg");
        assert_eq!(
            lines[2],
            ["headway.js", &format!("/pkg/headway.{script}.js"), "text/javascript; charset=utf-8", &script]
        );
        for line in &lines {
            let raw = fs::read(root.path().join(format!("site{}", line[1]))).unwrap();
            let packed = fs::read(root.path().join(format!("site{}.br", line[1]))).unwrap();
            let mut unpacked = Vec::new();
            brotli::BrotliDecompress(&mut packed.as_slice(), &mut unpacked).unwrap();
            assert_eq!(raw, unpacked);
        }
    }

    #[test]
    fn the_same_inputs_change_nothing_and_other_inputs_only_what_they_must() {
        let root = project("body {}");
        let bound = Cell::new(0);
        let first = build(root.path(), &bound);
        assert_eq!(build(root.path(), &bound), first);
        assert_eq!(bound.get(), 1);

        let script = root.path().join(format!("site/pkg/headway.{}.js", hash(b"script")));
        let style = root.path().join(format!("site/pkg/headway.{}.css", hash(b"body {}\n")));
        let before = fs::metadata(&script).unwrap().modified().unwrap();
        assert!(style.exists());
        fs::write(root.path().join("style/main.css"), "main {}").unwrap();
        assert_ne!(build(root.path(), &bound), first);
        assert_eq!(bound.get(), 2);
        assert_eq!(fs::metadata(&script).unwrap().modified().unwrap(), before);
        assert!(!style.exists(), "what is old is removed");
    }

    #[test]
    fn a_hash_is_short_and_depends_on_the_content() {
        assert_eq!(hash(b""), "e3b0c44298fc1c14");
        assert_ne!(hash(b"a"), hash(b"b"));
    }

    #[test]
    fn a_file_of_an_unknown_kind_is_refused() {
        assert!(content_type("notes.odt").is_err());
        assert!(served_path("LICENSE", "0").is_err());
    }
}
