//! Paths to attributes, as Terraform's language writes them: `input.tags["first name"]`, `rules[0].port`.

use super::value::{SENSITIVE, cut, quoted};
use serde_json::Value as Json;

/// One step into a value.
#[derive(Clone, Copy)]
pub(super) enum Step<'a> {
    /// Into an object.
    Key(&'a str),
    /// Into an object, by a key that must not be shown.
    SecretKey(&'a str),
    /// Into a list.
    Index(usize),
}

impl Step<'_> {
    /// Whether Terraform's plan means this step by a string or a number.
    fn is(self, json: &Json) -> bool {
        match self {
            Self::Key(key) | Self::SecretKey(key) => json.as_str() == Some(key),
            Self::Index(index) => json.as_u64() == u64::try_from(index).ok(),
        }
    }
}

/// Writes a path.
pub(super) fn text(path: &[Step<'_>]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if is_identifier(key) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
            Step::Key(key) => {
                text.push('[');
                text.push_str(&quoted(key));
                text.push(']');
            }
            Step::SecretKey(_) => text.push_str(&format!("[{SENSITIVE}]")),
            Step::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    cut(text)
}

/// Whether one of two paths leads to, or through, the place where the other ends.
pub(super) fn meets(path: &[Step<'_>], other: &[Json]) -> bool {
    path.iter().zip(other).all(|(step, json)| step.is(json))
}

fn is_identifier(key: &str) -> bool {
    let letter = |character: char| character.is_ascii_alphabetic() || character == '_';
    key.starts_with(letter)
        && key.chars().all(|character| letter(character) || character.is_ascii_digit() || character == '-')
}
