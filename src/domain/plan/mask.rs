//! Masks: what Terraform marks as sensitive or unknown, alongside a value; and the secrets that the marks give away. A
//! mask that does not fit its value covers all of it: in doubt nothing is shown.

use super::document::Document;
use serde_json::Value as Json;
use std::collections::HashSet;

/// What is marked in a value.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Mask<'a> {
    /// Nothing.
    Nothing,
    /// The value as a whole.
    All,
    /// Something inside it, at the same place as in this object or list.
    Part(&'a Json),
}

impl<'a> Mask<'a> {
    /// Reads a mask: `true` marks everything, an object or a list marks what it holds.
    pub fn of(mask: Option<&'a Json>) -> Self {
        match mask {
            None | Some(Json::Null | Json::Bool(false)) => Self::Nothing,
            Some(part @ (Json::Object(_) | Json::Array(_))) if marks(part) => Self::Part(part),
            Some(Json::Object(_) | Json::Array(_)) => Self::Nothing,
            Some(Json::Bool(true) | Json::Number(_) | Json::String(_)) => Self::All,
        }
    }

    /// The mask of what an object holds under a key.
    pub fn key(self, key: &str) -> Self {
        match self {
            Self::Nothing => Self::Nothing,
            Self::Part(Json::Object(members)) => Self::of(members.get(key)),
            Self::All | Self::Part(_) => Self::All,
        }
    }

    /// The mask of one element of a list.
    pub fn index(self, index: usize) -> Self {
        match self {
            Self::Nothing => Self::Nothing,
            Self::Part(Json::Array(elements)) => Self::of(elements.get(index)),
            Self::All | Self::Part(_) => Self::All,
        }
    }

    /// Whether it covers the value as a whole.
    pub fn covers(self, value: &Json) -> bool {
        match (self, value) {
            (Self::Nothing, _) | (Self::Part(_), Json::Null) => false,
            (Self::Part(Json::Object(_)), Json::Object(_)) => false,
            (Self::Part(Json::Array(elements)), Json::Array(values)) => elements.len() != values.len(),
            (Self::All | Self::Part(_), _) => true,
        }
    }
}

/// Whether anything is marked in a mask.
fn marks(mask: &Json) -> bool {
    match mask {
        Json::Null | Json::Bool(false) => false,
        Json::Bool(true) | Json::Number(_) | Json::String(_) => true,
        Json::Array(elements) => elements.iter().any(marks),
        Json::Object(members) => members.values().any(marks),
    }
}

/// The texts that are sensitive somewhere in a plan. They are sensitive everywhere in it, since marks get lost on the
/// way: `output` of `terraform_data` shows what `input` hides.
#[derive(Default)]
pub(super) struct Secrets<'a>(HashSet<&'a str>);

impl<'a> Secrets<'a> {
    /// A shorter text is hidden only where it is marked: it may well be a word that means something else elsewhere.
    const SHORTEST: usize = 6;

    /// Collects them from everything that a plan marks.
    pub fn of(document: &'a Document) -> Self {
        let mut secrets = Self::default();
        for value in document.sensitive_variables() {
            secrets.collect(value, Mask::All);
        }
        for change in document.changes() {
            for (value, mask) in [(&change.before, &change.before_sensitive), (&change.after, &change.after_sensitive)]
            {
                if let Some(value) = value {
                    secrets.collect(value, Mask::of(mask.as_ref()));
                }
            }
        }
        secrets
    }

    fn collect(&mut self, value: &'a Json, mask: Mask<'_>) {
        let mask = if mask.covers(value) { Mask::All } else { mask };
        if mask == Mask::Nothing {
            return;
        }
        match value {
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
            Json::String(text) if text.chars().count() >= Self::SHORTEST => {
                self.0.insert(text);
            }
            Json::String(_) => {}
            Json::Array(values) => {
                for (index, value) in values.iter().enumerate() {
                    self.collect(value, mask.index(index));
                }
            }
            Json::Object(members) => {
                for (key, value) in members {
                    self.collect(value, mask.key(key));
                }
            }
        }
    }

    /// Whether this text is one of them.
    pub fn contain(&self, text: &str) -> bool {
        self.0.contains(text)
    }
}
