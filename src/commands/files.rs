//! Files: which files of a repository belong to a stack: those under its project root, and those that its additional globs
//! match.
//!
//! A glob names files from the top of the repository: `*` stays inside one folder, `**` goes through any number of them.

use crate::domain::stack::Stack;
use globset::{Error, Glob, GlobBuilder, GlobSet, GlobSetBuilder};

/// The files that belong to a stack.
pub(super) struct Files {
    root: String,
    /// None when the globs cannot be understood: then every file may be one of them.
    additional: Option<GlobSet>,
}

impl Files {
    /// Those of this stack.
    pub fn of(stack: &Stack) -> Self {
        let additional = set(&stack.additional_globs);
        if let Err(error) = &additional {
            tracing::warn!(stack.id = %stack.id, %error, "cannot tell the additional globs, so every file counts");
        }
        Self { root: stack.project_root.clone(), additional: additional.ok() }
    }

    /// Whether this file is one of them.
    pub fn contain(&self, path: &str) -> bool {
        self.root.is_empty()
            || path.strip_prefix(&self.root).is_some_and(|rest| rest.starts_with('/'))
            || self.additional.as_ref().is_none_or(|globs| globs.is_match(path))
    }
}

/// Writes a glob as it is kept: from the top of the repository, and of a folder everything that is in it.
pub(super) fn tidy_glob(glob: &str) -> String {
    let mut rest = glob.trim();
    while let Some(shorter) = rest.strip_prefix("./").or_else(|| rest.strip_prefix('/')) {
        rest = shorter;
    }
    if rest.ends_with('/') { format!("{rest}**") } else { rest.to_owned() }
}

/// Says what is wrong with globs; what it lets pass, [`Files`] can use.
pub(super) fn check_globs(globs: &[String]) -> Result<(), String> {
    for text in globs {
        if text.starts_with('!') {
            return Err(format!("{text:?} leaves files out, but globs only add some: name those that belong to it."));
        }
        if text.split('/').any(|folder| folder == "..") {
            return Err(format!("{text:?} leaves the repository: a glob cannot have \"..\" in it."));
        }
        glob(text).map_err(|error| format!("{text:?} is not a glob: {}.", error.kind()))?;
    }
    set(globs).map(|_| ()).map_err(|error| format!("These globs are too much together: {}.", error.kind()))
}

fn glob(text: &str) -> Result<Glob, Error> {
    // Saved before globs were tidied, it may still begin with a slash.
    GlobBuilder::new(&tidy_glob(text)).literal_separator(true).build()
}

fn set(globs: &[String]) -> Result<GlobSet, Error> {
    let mut set = GlobSetBuilder::new();
    for text in globs {
        set.add(glob(text)?);
    }
    set.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(root: &str, globs: &[&str]) -> Files {
        let globs: Vec<String> = globs.iter().map(|glob| (*glob).to_owned()).collect();
        Files { root: root.to_owned(), additional: set(&globs).ok() }
    }

    #[test]
    fn files_of_a_stack_are_those_under_its_root_and_its_globs() {
        let whole = files("", &[]);
        assert!(whole.contain("main.tf") && whole.contain("a/b/c.txt"));
        let network = files("stacks/network", &["modules/**", "*.auto.tfvars", "/shared/*/vars.{tf,json}", "./env/"]);
        for (path, expected) in [
            ("stacks/network/main.tf", true),
            ("stacks/network/sub/main.tf", true),
            ("stacks/network2/main.tf", false),
            ("stacks/network", false),
            ("modules/vpc/main.tf", true),
            ("common.auto.tfvars", true),
            ("other/common.auto.tfvars", false),
            ("shared/eu/vars.tf", true),
            ("shared/eu/vars.json", true),
            ("shared/eu/west/vars.tf", false),
            ("env/eu/west.tfvars", true),
            ("README.md", false),
        ] {
            assert_eq!(network.contain(path), expected, "{path}");
        }
        assert!(files("network", &["**/*.tfvars"]).contain("a/b/c.tfvars"));
    }

    #[test]
    fn globs_that_would_match_nothing_are_refused_and_none_is_lost_silently() {
        for (text, wrong) in
            [("a[", "is not a glob"), ("!docs/**", "globs only add"), ("../up/*", "leaves the repository")]
        {
            let problem = check_globs(&["fine/**".to_owned(), text.to_owned()]).err().unwrap_or_default();
            assert!(problem.contains(wrong) && problem.contains(text), "{text}: {problem}");
        }
        assert_eq!(check_globs(&["modules/**".to_owned(), "*.tf".to_owned()]), Ok(()));
        assert!(files("network", &["a["]).contain("README.md"), "what cannot be told counts");
    }

    #[test]
    fn a_glob_is_kept_from_the_top_of_the_repository() {
        for (typed, kept) in [
            (" /modules/** ", "modules/**"),
            ("././/modules/*", "modules/*"),
            ("modules/", "modules/**"),
            ("/", ""),
            (".terraform-version", ".terraform-version"),
        ] {
            assert_eq!(tidy_glob(typed), kept, "{typed}");
        }
    }
}
