//! Looking for secrets: in files, on pages, in answers, among the arguments of processes; as they are and encoded.

use crate::headway::Headway;
use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

/// What is looked for: the bytes, and which secret they give away.
pub type Needles = BTreeMap<Vec<u8>, String>;

/// A text that is in no other file of this machine, with characters that every encoding changes after it.
pub fn canary(kind: &str) -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{kind}{:016x}{:016x}/+é \"&%", random(), random())
}

/// Adds the ways in which a plain text is found although it was encoded: as it is, in hexadecimal digits, and in base64
/// wherever in a group of three bytes it begins.
pub fn add(plain: &str, needles: &mut Needles) {
    let mut insert = |needle: String| needles.insert(needle.into_bytes(), plain.to_owned());
    insert(plain.to_owned());
    insert(plain.bytes().map(|byte| format!("{byte:02x}")).collect());
    insert(plain.bytes().map(|byte| format!("{byte:02X}")).collect());
    for before in 0..3 {
        let encoded = STANDARD.encode(["x".repeat(before), plain.to_owned()].concat());
        insert(encoded[4..encoded.len() - 4].to_owned());
    }
}

/// Which secrets a text gives away.
pub fn found(bytes: &[u8], needles: &Needles) -> BTreeSet<String> {
    let finder = AhoCorasick::new(needles.keys()).unwrap();
    let secrets: Vec<&String> = needles.values().collect();
    finder.find_overlapping_iter(bytes).map(|found| secrets[found.pattern().as_usize()].clone()).collect()
}

/// Files under a folder that were changed since then, small enough to read.
fn files(folder: &Path, since: SystemTime, files_found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(about) = entry.metadata() else { continue };
        if about.is_dir() {
            files(&entry.path(), since, files_found);
        } else if about.is_file() && about.len() < 64 * 1024 * 1024 && about.modified().is_ok_and(|at| at >= since) {
            files_found.push(entry.path());
        }
    }
}

/// Fails when a file gives a secret away, or is a saved plan in clear: Terraform packs those, so that nothing is found in
/// them by looking.
pub fn search_files(folder: &Path, since: SystemTime, needles: &Needles, except: &[&Path]) {
    let mut all = Vec::new();
    files(folder, since, &mut all);
    for file in all.iter().filter(|file| !except.iter().any(|except| file.starts_with(except))) {
        let Ok(bytes) = std::fs::read(file) else { continue };
        let found = found(&bytes, needles);
        assert!(found.is_empty(), "{} gives away {found:?}", file.display());
    }
}

/// Fails when a saved plan lies about in clear.
pub fn search_saved_plans(data: &Path) {
    let mut all = Vec::new();
    files(&data.join("runs"), SystemTime::UNIX_EPOCH, &mut all);
    for file in all {
        let bytes = std::fs::read(&file).unwrap_or_default();
        assert!(!bytes.starts_with(b"PK\x03\x04"), "{} is a saved plan in clear", file.display());
    }
}

/// Fails when a page or an answer of the API that can be reached from these gives a secret away.
pub async fn search_pages(headway: &Headway, begin: &[String], needles: &Needles) {
    let mut open: Vec<String> = begin.to_vec();
    let mut seen: BTreeSet<String> = open.iter().cloned().collect();
    while let Some(path) = open.pop() {
        let page = headway.page(&path).await;
        let found = found(page.html.as_bytes(), needles);
        assert!(found.is_empty(), "{path} gives away {found:?}");
        for link in page.html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let link = link.split('#').next().unwrap().replace("&amp;", "&");
            let ours = link.starts_with('/') && !link.starts_with("/pkg/") && !link.starts_with("//");
            if ours && seen.len() < 400 && seen.insert(link.clone()) {
                open.push(link);
            }
        }
    }
    assert!(seen.len() > 20, "only {} pages were found", seen.len());
    for (function, fields) in [
        ("settings", vec![("stack", "leaky")]),
        ("activity", vec![]),
        ("stacks", vec![("search", ""), ("filter", "")]),
        ("github", vec![("web", ""), ("api", ""), ("organization", "")]),
        ("deliveries", vec![]),
        ("people", vec![]),
        ("account", vec![]),
        ("ways_to_sign_in", vec![]),
    ] {
        let (status, answer) = headway.call(function, &fields).await;
        let found = found(answer.to_string().as_bytes(), needles);
        assert!(found.is_empty(), "{function} answers {status} and gives away {found:?}");
    }
}

/// Looks at the arguments of every process of the machine until it is told to end; what it found.
pub fn watch_arguments(needles: Needles, ends: Arc<AtomicBool>) -> std::thread::JoinHandle<BTreeSet<String>> {
    std::thread::spawn(move || {
        let mut all = BTreeSet::new();
        while !ends.load(Ordering::Relaxed) {
            for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
                if let Ok(arguments) = std::fs::read(process.path().join("cmdline")) {
                    all.extend(found(&arguments, &needles));
                }
            }
            std::thread::yield_now();
        }
        all
    })
}
