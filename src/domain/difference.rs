//! Differences: what something was before and is after, field by field, as the activity log keeps it.
//!
//! What a secret holds is never in it, only that there is one.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest text of a field that is kept, in characters.
const LIMIT: usize = 1000;

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// This text.
    Text(String),
    /// Something secret.
    Secret,
}

impl Held {
    /// A text as it is kept: shortened when it is very long.
    pub fn text(text: &str) -> Self {
        let mut kept: String = text.chars().take(LIMIT).collect();
        if kept.len() < text.len() {
            kept.push('…');
        }
        Self::Text(kept)
    }
}

/// One field of a thing.
// The fields stand by the alphabet, as the canonical form has them (RFC 8785).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// What it holds now; nothing when it was taken away.
    pub after: Option<Held>,
    /// What it held; nothing when it is new.
    pub before: Option<Held>,
    /// What the pages call it.
    pub field: String,
}

/// Everything that differs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Differences(Vec<Difference>);

impl Differences {
    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &Difference> {
        self.0.iter()
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a field, if it differs. An empty text is nothing.
    #[must_use]
    pub fn and(mut self, field: &str, before: impl Into<String>, after: impl Into<String>) -> Self {
        let (before, after) = (before.into(), after.into());
        if before != after {
            let held = |text: &str| (!text.is_empty()).then(|| Held::text(text));
            self.0.push(Difference { after: held(&after), before: held(&before), field: field.into() });
        }
        self
    }

    /// Adds a switch, if it differs.
    #[must_use]
    pub fn and_switch(self, field: &str, before: bool, after: bool) -> Self {
        let word = |on: bool| if on { "on" } else { "off" };
        self.and(field, word(before), word(after))
    }

    /// Adds what a secret, or a field that may become one, is before and after, whether or not its value is the same.
    #[must_use]
    pub fn and_held(mut self, field: &str, before: Option<Held>, after: Option<Held>) -> Self {
        self.0.push(Difference { after, before, field: field.into() });
        self
    }

    /// The same when everything that there is was there before, and nothing after: what went when it was deleted.
    #[must_use]
    pub fn gone(self) -> Self {
        Self(self.0.into_iter().map(|field| Difference { before: field.after, after: None, ..field }).collect())
    }

    /// As the store keeps it: JSON, fields by the alphabet, without spaces.
    pub fn json(&self) -> String {
        serde_json::json!(self).to_string()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = &self.field;
        match (&self.before, &self.after) {
            (None, Some(Held::Secret)) => write!(formatter, "{field}: set (secret)"),
            (Some(Held::Secret), Some(Held::Secret)) => write!(formatter, "{field}: changed (secret)"),
            (Some(Held::Secret), None) => write!(formatter, "{field}: removed (secret)"),
            (before, after) => write!(formatter, "{field}: {} → {}", word(before.as_ref()), word(after.as_ref())),
        }
    }
}

/// What a page shows of what a field holds.
pub fn word(held: Option<&Held>) -> &str {
    match held {
        Some(Held::Text(text)) => text,
        Some(Held::Secret) => "a secret",
        None => "none",
    }
}

/// As the store keeps them.
impl TryFrom<String> for Differences {
    type Error = serde_json::Error;

    fn try_from(json: String) -> Result<Self, Self::Error> {
        serde_json::from_str(&json)
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, difference) in self.0.iter().enumerate() {
            let between = if position == 0 { "" } else { "; " };
            write!(formatter, "{between}{difference}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_kept_and_reads_as_a_sentence() {
        let differences = Differences::default()
            .and("Name", "Network", "Net")
            .and("Labels", "eu", "eu")
            .and("Description", "", "What it is for")
            .and_switch("Autodeploy", false, true)
            .and_switch("Autoretry", true, true);
        let sentence = "Name: Network → Net; Description: none → What it is for; Autodeploy: off → on";
        assert_eq!(differences.to_string(), sentence);
        assert_eq!(serde_json::from_str::<Differences>(&differences.json()).unwrap(), differences);
        assert!(Differences::default().and("Name", "a", "a").is_empty());
    }

    #[test]
    fn a_secret_is_there_or_not_and_nothing_else() {
        let (secret, plain) = (Some(Held::Secret), Some(Held::text("eu")));
        for (before, after, sentence) in [
            (None, secret.clone(), "TOKEN: set (secret)"),
            (secret.clone(), secret.clone(), "TOKEN: changed (secret)"),
            (secret.clone(), None, "TOKEN: removed (secret)"),
            (secret, plain.clone(), "TOKEN: a secret → eu"),
            (plain, None, "TOKEN: eu → none"),
        ] {
            assert_eq!(Differences::default().and_held("TOKEN", before, after).to_string(), sentence);
        }
    }

    #[test]
    fn what_is_deleted_was_there_before() {
        let gone = Differences::default().and("Name", "", "Network").gone();
        assert_eq!(gone.to_string(), "Name: Network → none");
        assert_eq!(gone.json(), r#"[{"after":null,"before":{"text":"Network"},"field":"Name"}]"#);
    }

    #[test]
    fn a_long_text_is_shortened_between_characters() {
        let Held::Text(kept) = Held::text(&"é".repeat(1001)) else { panic!("a text is a text") };
        assert_eq!(kept.chars().count(), 1001);
        assert!(kept.ends_with("é…"));
    }
}
