//! Compares what a resource was with what it becomes, down to the smallest values that differ: objects by key, lists of
//! one length by index. Where the shapes differ, the whole values are shown.

use super::mask::Secrets;
use super::path::{self, Step};
use super::value::{Side, both};
use super::{AttributeChange, ResourceChange};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// How deep a value is taken apart; what lies deeper is shown as a whole.
const DEPTH: usize = 16;

/// The attributes that differ, and how many more there are.
pub(super) fn compare(
    before: Side<'_>,
    after: Side<'_>,
    replacing: &[Vec<Json>],
    secrets: &Secrets<'_>,
) -> (Vec<AttributeChange>, usize) {
    let mut comparison = Comparison { replacing, secrets, path: Vec::new(), found: Vec::new() };
    comparison.walk(before, after);
    let mut found = comparison.found;
    let more = found.len().saturating_sub(ResourceChange::ATTRIBUTES);
    if more > 0 {
        found.sort_by_key(|attribute| !attribute.forces_replacement);
        found.truncate(ResourceChange::ATTRIBUTES);
    }
    (found, more)
}

struct Comparison<'a> {
    replacing: &'a [Vec<Json>],
    secrets: &'a Secrets<'a>,
    path: Vec<Step<'a>>,
    found: Vec<AttributeChange>,
}

impl<'a> Comparison<'a> {
    fn walk(&mut self, before: Side<'a>, after: Side<'a>) {
        if before.is_absent() && after.is_absent() {
            return;
        }
        let hidden = before.is_hidden(self.secrets) || after.is_hidden(self.secrets);
        if !hidden && !after.is_unknown() && self.path.len() < DEPTH {
            if let Some(keys) = keys(before, after) {
                for key in keys {
                    // On the first level they are the names of attributes, which the resource's type gives.
                    if !self.path.is_empty() && self.secrets.contain(key) {
                        self.step(Step::SecretKey(key), before.key(key).sealed(), after.key(key).sealed());
                    } else {
                        self.step(Step::Key(key), before.key(key), after.key(key));
                    }
                }
                return;
            }
            if let Some(length) = length(before.value, after.value) {
                for index in 0..length {
                    self.step(Step::Index(index), before.index(index), after.index(index));
                }
                return;
            }
        }
        let marked = before.sensitive.covers(before.value) != after.sensitive.covers(after.value);
        if before.value != after.value || after.is_partly_unknown() || (hidden && marked) {
            self.push(before, after);
        }
    }

    fn step(&mut self, step: Step<'a>, before: Side<'a>, after: Side<'a>) {
        self.path.push(step);
        self.walk(before, after);
        self.path.pop();
    }

    fn push(&mut self, before: Side<'a>, after: Side<'a>) {
        let (before, after) = both(before, after, self.secrets);
        self.found.push(AttributeChange {
            path: path::text(&self.path),
            before,
            after,
            forces_replacement: self.replacing.iter().any(|replacing| path::meets(&self.path, replacing)),
        });
    }
}

/// The keys of both sides when they are objects, or one is and the other is not there; none when there is no key.
fn keys<'a>(before: Side<'a>, after: Side<'a>) -> Option<BTreeSet<&'a str>> {
    let keys: BTreeSet<&str> = match (before.keys(), after.keys()) {
        (Some(before), Some(after)) => before.chain(after).collect(),
        (Some(before), None) if after.is_absent() => before.collect(),
        (None, Some(after)) if before.is_absent() => after.collect(),
        (None, _) | (_, None) => return None,
    };
    // An empty object on its own is a value; two of them do not differ.
    (!keys.is_empty()).then_some(keys)
}

/// The length of both sides when they are lists that can be compared by index. A list on its own is taken apart only
/// when it holds more than plain values: `["a", "b"]` reads better in one piece.
fn length(before: &Json, after: &Json) -> Option<usize> {
    match (before.as_array(), after.as_array()) {
        (Some(before), Some(after)) => (before.len() == after.len()).then_some(before.len()),
        (Some(list), None) if after.is_null() && is_nested(list) => Some(list.len()),
        (None, Some(list)) if before.is_null() && is_nested(list) => Some(list.len()),
        (None, _) | (_, None) => None,
    }
}

fn is_nested(list: &[Json]) -> bool {
    list.iter().any(|element| element.is_object() || element.is_array())
}
