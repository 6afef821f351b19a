//! Values as they may be shown: JSON text of a bounded length in which nothing sensitive is left and no character plays
//! tricks with the reader's eyes.

use super::mask::{Mask, Secrets};
use crate::domain::log_line::written_out;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// A value as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// JSON text, cut at [`Value::LIMIT`] characters. What is sensitive or unknown inside an object or a list is a string
    /// that says so.
    Known(String),
    /// Terraform knows it only after the apply.
    Unknown,
    /// It is sensitive, so it is nowhere.
    Sensitive,
}

impl Value {
    /// The longest text of a value that is kept, in characters.
    pub const LIMIT: usize = 4000;

    /// The value without what is too long, beside one that begins with so many of the same characters.
    fn cut(self, alike: usize) -> Self {
        match self {
            Self::Known(text) => Self::Known(cut_beside(text, alike)),
            Self::Unknown | Self::Sensitive => self,
        }
    }
}

/// One side of a change: a value and its marks.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    /// The value; a missing one is null.
    pub value: &'a Json,
    /// What is sensitive in it.
    pub sensitive: Mask<'a>,
    /// What is unknown in it.
    pub unknown: Mask<'a>,
}

/// Stands for what must not be shown inside an object or a list.
pub(super) const SENSITIVE: &str = "\"(sensitive value)\"";

/// Stands for whatever is missing.
const NULL: &Json = &Json::Null;

impl<'a> Side<'a> {
    /// Reads a value and its masks.
    pub fn new(value: Option<&'a Json>, sensitive: Option<&'a Json>, unknown: Option<&'a Json>) -> Self {
        Self { value: value.unwrap_or(NULL), sensitive: Mask::of(sensitive), unknown: Mask::of(unknown) }
    }

    /// Whether there is nothing: neither a value nor one to come.
    pub fn is_absent(self) -> bool {
        self.value.is_null() && self.unknown == Mask::Nothing
    }

    /// Whether it is unknown as a whole.
    pub fn is_unknown(self) -> bool {
        // A list whose elements are unknown is there, with nulls in it; where it is not, nothing of it is known.
        self.unknown.covers(self.value) || (self.value.is_null() && matches!(self.unknown, Mask::Part(Json::Array(_))))
    }

    /// Whether it must not be shown: because it is marked, or because it is a secret that is marked elsewhere.
    pub fn is_hidden(self, secrets: &Secrets<'_>) -> bool {
        self.sensitive.covers(self.value) || self.value.as_str().is_some_and(|text| secrets.contain(text))
    }

    /// The same, marked as a whole.
    pub fn sealed(self) -> Self {
        Self { sensitive: Mask::All, ..self }
    }

    /// The keys of an object, the unknown ones included, which the value lacks; none when it is no object.
    pub fn keys(self) -> Option<impl Iterator<Item = &'a str>> {
        let (known, unknown) = match (self.value, self.unknown) {
            (Json::Object(members), Mask::Part(Json::Object(marks))) => (Some(members), Some(marks)),
            (Json::Object(members), Mask::Nothing | Mask::All | Mask::Part(_)) => (Some(members), None),
            (Json::Null, Mask::Part(Json::Object(marks))) => (None, Some(marks)),
            (Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_), _) => return None,
        };
        Some(known.into_iter().chain(unknown).flat_map(|members| members.keys().map(String::as_str)))
    }

    /// What an object holds under a key.
    pub fn key(self, key: &str) -> Self {
        Self {
            value: self.value.get(key).unwrap_or(NULL),
            sensitive: self.sensitive.key(key),
            unknown: self.unknown.key(key),
        }
    }

    /// One element of a list.
    pub fn index(self, index: usize) -> Self {
        Self {
            value: self.value.get(index).unwrap_or(NULL),
            sensitive: self.sensitive.index(index),
            unknown: self.unknown.index(index),
        }
    }

    /// Whether anything in it is unknown.
    pub fn is_partly_unknown(self) -> bool {
        self.unknown != Mask::Nothing
    }

    /// The value as something that must not be shown; none when there is nothing.
    pub fn concealed(self) -> Option<Value> {
        (!self.is_absent()).then_some(Value::Sensitive)
    }

    /// The value as it may be shown; none when there is nothing.
    pub fn shown(self, secrets: &Secrets<'_>) -> Option<Value> {
        self.whole(secrets).map(|value| value.cut(0))
    }

    /// The value as it may be shown, however long it is.
    fn whole(self, secrets: &Secrets<'_>) -> Option<Value> {
        if self.is_absent() {
            None
        } else if self.is_hidden(secrets) {
            Some(Value::Sensitive)
        } else if self.is_unknown() {
            Some(Value::Unknown)
        } else {
            let mut text = String::new();
            self.write(&mut text, secrets);
            Some(Value::Known(text))
        }
    }

    fn write(self, text: &mut String, secrets: &Secrets<'_>) {
        if self.is_hidden(secrets) {
            text.push_str(SENSITIVE);
        } else if self.is_unknown() {
            text.push_str("\"(known after apply)\"");
        } else if let Some(keys) = self.keys() {
            text.push('{');
            for (position, key) in keys.collect::<BTreeSet<_>>().into_iter().enumerate() {
                if position > 0 {
                    text.push(',');
                }
                let secret = secrets.contain(key);
                text.push_str(&if secret { SENSITIVE.into() } else { quoted(key) });
                text.push(':');
                let member = self.key(key);
                (if secret { member.sealed() } else { member }).write(text, secrets);
            }
            text.push('}');
        } else if let Json::Array(elements) = self.value {
            text.push('[');
            for index in 0..elements.len() {
                if index > 0 {
                    text.push(',');
                }
                self.index(index).write(text, secrets);
            }
            text.push(']');
        } else if let Json::String(string) = self.value {
            text.push_str(&quoted(string));
        } else {
            text.push_str(&self.value.to_string());
        }
    }
}

/// Both sides of a change as they may be shown. What is sensitive on one side is on the other, lest a value that has just
/// been marked be shown as the old one. Long texts that read alike as far as they are kept say where they differ.
pub(super) fn both(before: Side<'_>, after: Side<'_>, secrets: &Secrets<'_>) -> (Option<Value>, Option<Value>) {
    if before.is_hidden(secrets) || after.is_hidden(secrets) {
        return (before.concealed(), after.concealed());
    }
    let (before, after) = (before.whole(secrets), after.whole(secrets));
    let alike = match (&before, &after) {
        (Some(Value::Known(before)), Some(Value::Known(after))) => {
            before.chars().zip(after.chars()).take_while(|(before, after)| before == after).count()
        }
        (None | Some(Value::Known(_) | Value::Unknown | Value::Sensitive), _) => 0,
    };
    (before.map(|value| value.cut(alike)), after.map(|value| value.cut(alike)))
}

/// Writes a JSON string in which characters that cannot be seen, or that reorder others, are escaped.
pub(super) fn quoted(text: &str) -> String {
    written_out(&Json::from(text).to_string())
}

/// Cuts a text that is longer than [`Value::LIMIT`], and says how long it was.
pub(super) fn cut(text: String) -> String {
    cut_beside(text, 0)
}

/// Cuts a text that begins with so many characters like the other side of its change, and says where they differ when
/// that is cut off.
fn cut_beside(text: String, alike: usize) -> String {
    // No text has more characters than bytes, and most are short.
    if text.len() <= Value::LIMIT {
        return text;
    }
    let length = text.chars().count();
    if length <= Value::LIMIT {
        return text;
    }
    let kept = |note: &str| Value::LIMIT - note.chars().count();
    let mut note = format!("… ({length} characters)");
    if (kept(&note)..length).contains(&alike) {
        note = format!("… ({length} characters, the first that differs is number {})", alike + 1);
    }
    text.chars().take(kept(&note)).chain(note.chars()).collect()
}
