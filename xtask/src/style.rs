//! The stylesheet: `style/main.css` with each `@import` replaced by the file it names, so that the order is written
//! down in one place. A file that nobody imports is an error, not a surprise.

use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The file that imports all others.
const MAIN: &str = "main.css";

/// The whole stylesheet of the folder.
pub fn concatenate(folder: &Path) -> Result<String> {
    let read = |name: &str| {
        fs::read_to_string(folder.join(name)).with_context(|| format!("{}/{name} cannot be read", folder.display()))
    };
    let mut unused = BTreeSet::new();
    for entry in fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".css") && name != MAIN {
            unused.insert(name);
        }
    }
    let mut sheet = String::new();
    for line in read(MAIN)?.lines() {
        match Import::parse(line)? {
            None => push_line(&mut sheet, line),
            Some(import) => {
                let text = read(import.file)?;
                let nested = text.lines().any(|line| line.trim_start().starts_with("@import"));
                ensure!(!nested, "{} imports a file: only {MAIN} may", import.file);
                ensure!(unused.remove(import.file), "{MAIN} imports {} twice", import.file);
                match import.layer {
                    None => push_line(&mut sheet, text.trim_end()),
                    Some(layer) => push_line(&mut sheet, &format!("@layer {layer} {{\n{}\n}}", text.trim_end())),
                }
            }
        }
    }
    ensure!(unused.is_empty(), "{MAIN} does not import {}", unused.into_iter().collect::<Vec<_>>().join(", "));
    Ok(sheet)
}

fn push_line(sheet: &mut String, line: &str) {
    sheet.push_str(line);
    sheet.push('\n');
}

/// `@import "file.css";` or `@import "file.css" layer(name);`, alone on a line.
struct Import<'line> {
    file: &'line str,
    layer: Option<&'line str>,
}

impl<'line> Import<'line> {
    fn parse(line: &'line str) -> Result<Option<Self>> {
        let Some(rest) = line.trim().strip_prefix("@import") else { return Ok(None) };
        let parts = rest.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix(';')?.split_once('"'));
        let layer = parts.map(|(_, condition)| condition.trim());
        let layer = layer.map(|text| text.strip_prefix("layer(").and_then(|text| text.strip_suffix(')')).ok_or(text));
        match (parts, layer) {
            (Some((file, _)), Some(Ok(layer))) => Ok(Some(Self { file, layer: Some(layer) })),
            (Some((file, _)), Some(Err(""))) => Ok(Some(Self { file, layer: None })),
            _ => bail!("{MAIN}: write `@import \"file.css\";` or `@import \"file.css\" layer(name);`, not `{line}`"),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    fn folder(files: &[(&str, &str)]) -> Scratch {
        let folder = Scratch::new();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn imports_are_replaced_where_they_stand() {
        let main = "@layer base, pages;\n@import \"b.css\";\n@import \"a.css\" layer(pages);\nhtml { margin: 0 }\n";
        let folder = folder(&[("main.css", main), ("a.css", "a { top: 0 }\n"), ("b.css", "b { top: 0 }\n\n")]);
        let sheet = concatenate(folder.path()).unwrap();
        assert_eq!(sheet, "@layer base, pages;\nb { top: 0 }\n@layer pages {\na { top: 0 }\n}\nhtml { margin: 0 }\n");
    }

    #[test]
    fn what_cannot_be_right_is_refused() {
        let refused = |files: &[(&str, &str)]| concatenate(folder(files).path()).unwrap_err().to_string();
        assert!(refused(&[]).contains("main.css cannot be read"));
        assert!(refused(&[("main.css", "@import \"a.css\";")]).contains("a.css cannot be read"));
        assert!(refused(&[("main.css", "@import url(a.css);"), ("a.css", "")]).contains("write `@import"));
        assert!(refused(&[("main.css", ""), ("a.css", "")]).contains("does not import a.css"));
        let twice = "@import \"a.css\";\n@import \"a.css\";";
        assert!(refused(&[("main.css", twice), ("a.css", "")]).contains("twice"));
        let nested = [("main.css", "@import \"a.css\";"), ("a.css", "@import \"b.css\";")];
        assert!(refused(&nested).contains("only main.css may"));
    }
}
