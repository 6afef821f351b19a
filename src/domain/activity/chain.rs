//! The chain of the activity log, which anybody can check.
//!
//! Entries are numbered from 1 without a gap. An entry's hash is the SHA-256, in lower-case hexadecimal digits, of its
//! canonical form: the JSON object that an export shows as its line, without `hash`, in the form of RFC 8785 (keys by the
//! alphabet, no spaces, UTF-8). `previous` is the hash of the entry before, and empty in the first. So a line of an export
//! is checked with `jq -cjS 'del(.hash)' | sha256sum`, and a whole one with `headway audit verify --file`.

use super::{Entry, Outcome};
use crate::domain::difference::Differences;
use crate::domain::{RunId, StackId, Timestamp};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

/// The version of the canonical form.
const FORMAT: u32 = 1;

/// An entry at its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Link {
    /// The how manieth it is, from 1.
    pub number: i64,
    /// The hash of the one before; empty for the first.
    pub previous: String,
    /// Its own hash.
    pub hash: String,
    /// What happened.
    #[sqlx(flatten)]
    pub entry: Entry,
}

/// The end of a chain: how long it is, and the hash of its last entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Head {
    /// How many entries there are.
    pub number: i64,
    /// The hash of the last; empty when there is none.
    pub hash: String,
}

impl Head {
    /// Puts an entry behind the end, which it then is.
    pub fn append(&mut self, entry: Entry) -> Link {
        let link = Link::new(self.number + 1, std::mem::take(&mut self.hash), entry);
        *self = Self { number: link.number, hash: link.hash.clone() };
        link
    }
}

/// An export's line, as it is read back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    action: String,
    actor: String,
    at: String,
    detail: String,
    differences: Differences,
    format: u32,
    from: String,
    hash: String,
    id: String,
    number: i64,
    outcome: Outcome,
    previous: String,
    run: Option<RunId>,
    stack: Option<StackId>,
}

impl Link {
    /// Puts an entry behind the one that has the number `number - 1` and the hash `previous`.
    pub fn new(number: i64, previous: String, entry: Entry) -> Self {
        let mut link = Self { number, previous, hash: String::new(), entry };
        link.hash = link.digest();
        link
    }

    /// The hash that it should have.
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(self.canonical()))
    }

    /// What is hashed.
    pub fn canonical(&self) -> String {
        self.json(false)
    }

    /// The line of an export.
    pub fn line(&self) -> String {
        self.json(true)
    }

    fn json(&self, with_hash: bool) -> String {
        let Entry { id, at, actor, origin, action, stack_id, run_id, outcome, detail, differences } = &self.entry;
        let mut value = serde_json::Map::new();
        // By the alphabet, whichever map this is.
        value.insert("action".into(), json!(action));
        value.insert("actor".into(), json!(actor));
        value.insert("at".into(), json!(at.rfc3339_milliseconds()));
        value.insert("detail".into(), json!(detail));
        value.insert("differences".into(), json!(differences));
        value.insert("format".into(), json!(FORMAT));
        value.insert("from".into(), json!(origin));
        if with_hash {
            value.insert("hash".into(), json!(self.hash));
        }
        value.insert("id".into(), json!(id));
        value.insert("number".into(), json!(self.number));
        value.insert("outcome".into(), json!(outcome));
        value.insert("previous".into(), json!(self.previous));
        value.insert("run".into(), json!(run_id));
        value.insert("stack".into(), json!(stack_id));
        serde_json::Value::Object(value).to_string()
    }

    /// Reads a line of an export; nothing when it is none.
    pub fn parse(line: &str) -> Option<Self> {
        let line: Line = serde_json::from_str(line).ok().filter(|line: &Line| line.format == FORMAT)?;
        let at: jiff::Timestamp = line.at.parse().ok()?;
        Some(Self {
            number: line.number,
            previous: line.previous,
            hash: line.hash,
            entry: Entry {
                id: line.id,
                at: Timestamp(at.as_millisecond()),
                actor: line.actor,
                origin: line.from,
                action: line.action,
                stack_id: line.stack,
                run_id: line.run,
                outcome: line.outcome,
                detail: line.detail,
                differences: line.differences,
            },
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn link() -> Link {
        let entry = Entry {
            id: "01K".into(),
            at: Timestamp(1_800_000_000_007),
            actor: "ada".into(),
            origin: "192.0.2.1".into(),
            action: "change settings".into(),
            stack_id: Some(StackId::new("network")),
            run_id: None,
            outcome: Outcome::Done,
            detail: "Name: \"a\" → é\n".into(),
            differences: Differences::default().and("Name", "\"a\"", "é\n"),
        };
        Link::new(7, "00ff".into(), entry)
    }

    /// The canonical form is a promise: exports that are out there are checked against it.
    #[test]
    fn the_canonical_form_is_what_it_always_was() {
        let canonical = concat!(
            r#"{"action":"change settings","actor":"ada","at":"2027-01-15T08:00:00.007Z","#,
            r#""detail":"Name: \"a\" → é\n","#,
            r#""differences":[{"after":{"text":"é\n"},"before":{"text":"\"a\""},"field":"Name"}],"#,
            r#""format":1,"from":"192.0.2.1","id":"01K","number":7,"outcome":"done","previous":"00ff","#,
            r#""run":null,"stack":"network"}"#
        );
        assert_eq!(link().canonical(), canonical);
        assert_eq!(link().hash, hex::encode(Sha256::digest(canonical)));
    }

    #[test]
    fn a_line_reads_back_as_the_link_it_was() {
        let line = link().line();
        assert_eq!(Link::parse(&line).unwrap(), link());
        let spaced = line.replace(",\"", ", \"");
        assert_eq!(Link::parse(&spaced).unwrap(), link(), "spaces between mean nothing");
        for wrong in
            ["", "{}", &line.replace("\"format\":1", "\"format\":2"), &line.replace("{\"action", "{\"x\":1,\"action")]
        {
            assert_eq!(Link::parse(wrong), None, "{wrong}");
        }
    }
}
