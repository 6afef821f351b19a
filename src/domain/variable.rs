//! A variable of a stack's environment, and which names it may have.

use super::Timestamp;
use serde::{Deserialize, Serialize};

/// A variable as a page may show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownVariable {
    /// Its name.
    pub name: String,
    /// Its value; none when it is secret.
    pub value: Option<String>,
    /// Whether `init` and `plan` see it.
    pub planning: bool,
    /// Whether `apply` sees it.
    pub applying: bool,
    /// When it was last set.
    pub updated_at: Timestamp,
}

/// What is wrong with the name of a variable, if anything.
///
/// Names by which Headway itself steers Terraform, or by which a program is made to load other code, are refused.
pub fn name_problem(name: &str) -> Option<String> {
    const KEPT: [&str; 23] = [
        "PATH",
        "HOME",
        "TMPDIR",
        "IFS",
        "ENV",
        "BASH_ENV",
        "SHELLOPTS",
        "GCONV_PATH",
        "GLIBC_TUNABLES",
        "CHECKPOINT_DISABLE",
        "TERRAFORM_CONFIG",
        "TF_DATA_DIR",
        "TF_CLI_CONFIG_FILE",
        "TF_DISABLE_PLUGIN_TLS",
        "TF_IN_AUTOMATION",
        "TF_INPUT",
        "TF_LOG_PATH",
        "TF_PLUGIN_CACHE_DIR",
        "TF_REATTACH_PROVIDERS",
        "TF_WORKSPACE",
        "GIT_ALLOW_PROTOCOL",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_EXEC_PATH",
    ];
    const KEPT_BEGINNINGS: [&str; 7] =
        ["HEADWAY_", "TF_HTTP_", "TF_CLI_ARGS", "TF_PLUGIN_CACHE_", "LD_", "DYLD_", "MALLOC_"];
    let mut bytes = name.bytes();
    let well_formed = bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !well_formed || name.len() > 200 {
        return Some(
            "A name has letters, digits and underscores, does not begin with a digit, and ends within 200.".into(),
        );
    }
    if KEPT.contains(&name) || KEPT_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning)) {
        return Some(format!("{name} is kept for Headway itself."));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::name_problem;

    #[test]
    fn names_are_what_a_shell_takes_and_headway_does_not_need() {
        for name in ["A", "TF_VAR_region", "_x9", "AWS_ACCESS_KEY_ID"] {
            assert_eq!(name_problem(name), None, "{name}");
        }
        for name in
            ["", "9A", "A B", "A=B", "Ä", "PATH", "TF_HTTP_ADDRESS", "TF_CLI_ARGS_plan", "LD_PRELOAD", "BASH_ENV"]
        {
            assert!(name_problem(name).is_some(), "{name}");
        }
        assert!(name_problem(&"A".repeat(201)).is_some());
    }
}
