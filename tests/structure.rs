//! The shape of the source tree, as architecture.md draws it: who may know whom, where SQL and other programs stand,
//! how long a file may be and how it opens.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// One source file.
struct Source {
    /// Its path from the project's root, with slashes.
    path: String,
    /// Its lines as they are.
    text: String,
    /// Its lines without comments and without its inline tests.
    code: String,
}

impl Source {
    fn is_test(&self) -> bool {
        self.path.starts_with("tests/") || self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }

    /// The part of the tree it belongs to: `domain`, `store`, `app/api` …
    fn part(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        if inside == "app/api.rs" || inside.starts_with("app/api/") {
            return "app/api";
        }
        inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs")
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, ending, found);
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
}

fn sources(folders: &[&str]) -> Vec<Source> {
    let mut paths = Vec::new();
    for folder in folders {
        files(&root().join(folder), ".rs", &mut paths);
    }
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let path = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
        Source { path, code: code(&text), text }
    };
    paths.into_iter().map(read).collect()
}

/// The text without line comments, and without inline test modules: those stand at the end of a file.
fn code(text: &str) -> String {
    let production = text.split("\n#[cfg(test)]\n").next().unwrap_or_default();
    // A module that only tests see, declared among the others, ends nothing.
    let whole = if text.contains("\nmod tests {") { production } else { text };
    whole.lines().map(|line| line.split("// ").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The parts of the crate that a file names, however its paths are written: `crate::store::Run`, or `crate::{…}`.
fn named(source: &Source) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for rest in source.code.split("crate::").skip(1) {
        // `pub(in crate::…)` and `sqlx::migrate!` aside, a group is written with braces.
        let heads = match rest.strip_prefix('{') {
            Some(group) => group.split('}').next().unwrap_or_default().split(',').collect(),
            None => vec![rest],
        };
        for head in heads {
            let path: String = head
                .trim()
                .chars()
                .take_while(|character| character.is_alphanumeric() || "_:".contains(*character))
                .collect();
            let mut parts = path.split("::");
            let first = parts.next().unwrap_or_default();
            match (first, parts.next()) {
                ("app", Some(second)) => named.insert(format!("app::{second}")),
                (first, _) => named.insert(first.to_owned()),
            };
        }
    }
    named
}

/// The parts that each part may name; architecture.md, "Arrows point one way".
fn allowed(part: &str) -> Option<&'static [&'static str]> {
    Some(match part {
        "domain" => &["domain"],
        "store" | "git" | "github" | "vault" | "clock" | "ansi" => {
            &["domain", "config", "store", "git", "github", "vault", "clock", "ansi", "mask", "outgoing"]
        }
        "openid" => &["domain", "secret", "openid", "outgoing"],
        "password" | "secret" => &["password", "secret"],
        "mask" => &["domain", "mask"],
        "outgoing" => &["outgoing"],
        "config" => &["config"],
        "commands" => &[
            "domain", "store", "git", "github", "openid", "outgoing", "password", "secret", "vault", "clock", "config",
            "mask", "commands",
        ],
        "queries" => &[
            "domain",
            "store",
            "git",
            "github",
            "commands",
            "runner",
            "ansi",
            "config",
            "clock",
            "vault",
            "app::view",
            "queries",
        ],
        "runner" => {
            &["domain", "store", "git", "commands", "secret", "vault", "clock", "ansi", "config", "mask", "runner"]
        }
        "sample" => &["domain", "store", "git", "github", "commands", "runner", "vault", "clock", "config"],
        "app" => &["domain", "app"],
        "app/api" | "server" | "main" | "lib" => return None,
        other => panic!("architecture.md knows no src/{other}: say there and here what it may name"),
    })
}

#[test]
fn arrows_point_one_way() {
    let mut wrong = Vec::new();
    for source in sources(&["src"]).iter().filter(|source| !source.is_test()) {
        let Some(allowed) = allowed(source.part()) else { continue };
        for name in named(source) {
            let app = name.starts_with("app::") && allowed.contains(&"app");
            // Names with a capital are macros or types at the root of the crate; there are none of ours.
            if !app && !allowed.contains(&name.as_str()) {
                wrong.push(format!("{} names crate::{name}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_store_git_the_vault_and_the_clock_do_not_know_each_other() {
    let mut wrong = Vec::new();
    for source in sources(&["src"]).iter().filter(|source| !source.is_test()) {
        if !["store", "git", "github", "vault", "clock", "ansi"].contains(&source.part()) {
            continue;
        }
        for name in named(source) {
            // GitHub's tokens and limits are about time; what Git says may hold a credential; both lead elsewhere.
            let tells_time = source.part() == "github" && name == "clock";
            let masks = source.part() == "git" && name == "mask";
            let leads = ["git", "github"].contains(&source.part()) && name == "outgoing";
            if name != "domain" && name != "config" && name != source.part() && !tells_time && !masks && !leads {
                wrong.push(format!("{} names crate::{name}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_opens_with_what_it_promises() {
    let sources = sources(&["src", "xtask/src", "tests", "simulator"]);
    assert!(sources.len() > 100, "only {} files were found", sources.len());
    let silent: Vec<&str> = sources
        .iter()
        .filter(|source| !source.text.starts_with("//! ") || source.text.lines().next().unwrap_or_default().len() < 20)
        .map(|source| source.path.as_str())
        .collect();
    assert!(silent.is_empty(), "{silent:?}");
}

#[test]
fn no_file_is_longer_than_four_hundred_lines() {
    let long: Vec<String> = sources(&["src", "xtask/src", "tests", "simulator"])
        .iter()
        .map(|source| (source.text.lines().count(), &source.path))
        .filter(|(lines, _)| *lines > 400)
        .map(|(lines, path)| format!("{path}: {lines}"))
        .collect();
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn sql_stands_in_the_store_alone() {
    let elsewhere: Vec<String> = sources(&["src", "xtask/src"])
        .into_iter()
        .filter(|source| source.part() != "store" && !source.is_test() && source.code.contains("sqlx::query"))
        .map(|source| source.path)
        .collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
}

#[test]
fn other_programs_are_started_by_git_the_runner_and_the_sample_alone() {
    let elsewhere: Vec<String> = sources(&["src"])
        .into_iter()
        .filter(|source| !["git", "runner", "sample"].contains(&source.part()) && !source.is_test())
        .filter(|source| source.code.contains("Command::new") || source.code.contains("process::Command"))
        .map(|source| source.path)
        .collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
}

#[test]
fn nothing_of_the_crate_is_unsafe_or_ends_the_process() {
    let wrong: Vec<String> = sources(&["src"])
        .into_iter()
        .filter(|source| source.code.contains("unsafe {") || source.code.contains("process::exit"))
        .map(|source| source.path)
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn every_field_that_may_be_wrong_names_its_reason() {
    let mut silent = Vec::new();
    for source in sources(&["src/app"]) {
        for field in source.text.split("<Field").skip(1).map(|rest| rest.split("</Field>").next().unwrap_or_default()) {
            if field.contains("aria-invalid=") && !field.contains("aria-describedby=described(") {
                silent.push(format!("{}: {}", source.path, field.trim().lines().next().unwrap_or_default()));
            }
        }
    }
    assert!(silent.is_empty(), "{silent:?}");
}

/// The words that `RunState::name` writes.
fn state_names() -> Vec<String> {
    let text = fs::read_to_string(root().join("src/domain/run_state.rs")).unwrap();
    let body = text.split("impl RunState {").nth(1).unwrap().split("pub fn name(self)").nth(1).unwrap();
    let body = body.split("\n    }\n").next().unwrap();
    body.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_state_of_a_run_has_its_look() {
    let names = state_names();
    assert_eq!(names.len(), 13, "{names:?}");
    let mut styles = Vec::new();
    files(&root().join("style"), ".css", &mut styles);
    let css: String = styles.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let plain: Vec<&String> = names.iter().filter(|name| !css.contains(&format!("[data-state=\"{name}\"]"))).collect();
    assert!(plain.is_empty(), "no rule [data-state=\"…\"] in style/ for {plain:?}");
}
