//! A stack: a folder of a Git repository, the branch it follows, its settings and where it stands.

use super::vendor::Vendor;
use super::{CommitHash, RepositoryId, RunId, StackId, Timestamp};
use serde::{Deserialize, Serialize};

/// A stack as it is stored, without its environment and its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack {
    /// Its slug.
    pub id: StackId,
    /// What people call it; may be changed.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Words to find it by.
    pub labels: Vec<String>,
    /// The repository it is a folder of.
    pub repository: RepositoryId,
    /// That repository's address, without any credential.
    pub address: String,
    /// The branch whose pushes are deployed.
    pub tracked_branch: String,
    /// The folder that holds the configuration; empty for the whole repository.
    pub project_root: String,
    /// Files outside the project root that belong to it as well.
    pub additional_globs: Vec<String>,
    /// Terraform or OpenTofu.
    pub vendor: Vendor,
    /// A path or a version of its program; empty for the one that is found on the path.
    pub engine_binary: String,
    /// Whether Headway keeps the Terraform state; fixed at creation.
    pub manage_state: bool,
    /// The switches of *Behavior*.
    pub behavior: Behavior,
    /// What it shares with GitHub.
    pub integration: Integration,
    /// Whether it starts no runs at all.
    pub disabled: bool,
    /// The commit the stack stands at.
    pub current_commit: Option<CommitHash>,
    /// The tracked run that moved it there; none when a person set it.
    pub current_run: Option<RunId>,
    /// Who keeps the stack for themselves.
    pub lock: Option<Lock>,
    /// Counts the changes of its settings.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The switches on the page *Behavior* (product.md, The stack's settings), in the page's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behavior {
    /// Plans are applied without asking.
    pub autodeploy: bool,
    /// After an apply, proposed runs that it may have outdated are planned again.
    pub autoretry: bool,
    /// The stack cannot be deleted.
    pub protect_from_deletion: bool,
    /// Proposed runs can be promoted.
    pub allow_run_promotion: bool,
    /// Secret values are masked in logs.
    pub secret_masking: bool,
}

impl Default for Behavior {
    fn default() -> Self {
        Self {
            autodeploy: false,
            autoretry: false,
            protect_from_deletion: false,
            allow_run_promotion: false,
            secret_masking: true,
        }
    }
}

/// The switches on the page *Integrations*; all of them off until somebody decides otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Integration {
    /// A maintainer may let a commit of a fork be planned. Such a plan runs a stranger's code with the stack's
    /// credentials.
    pub fork_plans: bool,
    /// A pull request gets a comment that lists its stacks.
    pub pull_request_comment: bool,
    /// The checks of a public repository list the changes, not only their numbers.
    pub public_changes: bool,
}

/// Somebody keeps a stack for themselves: nobody else triggers, promotes or accepts anything on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// The viewer's name.
    pub holder: String,
    /// Why, if they said.
    pub note: Option<String>,
    /// Since when.
    pub at: Timestamp,
}

/// The longest name of a stack, in characters.
pub const NAME_LIMIT: usize = 80;

/// The longest description of a stack, in characters.
pub const DESCRIPTION_LIMIT: usize = 2000;

/// Reads a project root: a folder inside the repository, with slashes and without one at either end; empty for all of
/// it.
///
/// What leaves the repository, or cannot be a folder of one, is refused with a sentence.
pub fn project_root(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.starts_with('/') {
        return Err("A project root is a folder inside the repository, without a slash at its beginning.".into());
    }
    if text.len() > 400 || text.chars().any(|character| character.is_control() || character == '\\') {
        return Err("A project root has at most 400 characters, slashes between folders, and no backslashes.".into());
    }
    let folders: Vec<&str> = text.split('/').filter(|folder| !folder.is_empty() && *folder != ".").collect();
    if folders.contains(&"..") {
        return Err("A project root stays inside the repository: it cannot have \"..\" in it.".into());
    }
    if folders.iter().any(|folder| folder.eq_ignore_ascii_case(".git")) {
        return Err("Git's own folder is no project root.".into());
    }
    Ok(folders.join("/"))
}

/// Makes the slug of a stack's name: lower-case letters and digits, everything else one dash.
///
/// Empty when the name has no letter or digit that a slug can hold.
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    for character in name.chars().flat_map(char::to_lowercase) {
        if character.is_ascii_alphanumeric() {
            slug.push(character);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(63);
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{project_root, slug};

    #[test]
    fn a_project_root_stays_inside_the_repository() {
        for (text, expected) in [
            ("", Some("")),
            (".", Some("")),
            (" ./stacks//network/ ", Some("stacks/network")),
            ("/etc", None),
            ("..", None),
            ("a/../../b", None),
            ("a\\b", None),
            ("a\0b", None),
            (".GIT/hooks", None),
        ] {
            assert_eq!(project_root(text).ok().as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_slug_is_what_an_address_can_hold() {
        for (name, expected) in [
            ("Network", "network"),
            ("  Prod / EU-west (1) ", "prod-eu-west-1"),
            ("--a--b--", "a-b"),
            ("Ünïcode 9", "n-code-9"),
            ("…", ""),
            ("", ""),
        ] {
            assert_eq!(slug(name), expected, "{name:?}");
        }
        assert_eq!(slug(&"x".repeat(200)).len(), 63);
    }
}
