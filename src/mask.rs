//! Masks secrets in everything that is shown or kept, in any form that programs give them on the way, across the borders
//! of chunks and lines.
//!
//! The forms are base64, percent-encoded, escaped and hexadecimal.
//!
//! Masking saves from accidents, not from a program that means to give a secret away: that one can spell it.

mod finder;
mod forms;
mod stream;
#[cfg(test)]
mod tests;

pub use stream::Stream;

use finder::Finder;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// What stands in the place of a secret.
pub const MASKED: &str = "••••••";

/// Shorter texts, in bytes, are not taken for secrets: masking "a" would make a log unreadable and hide nothing.
pub const SHORTEST_SECRET: usize = 4;

/// Shorter forms, in bytes, are not looked for across the ends of lines, where chance would often make them up.
const SHORTEST_FOLDED: usize = 8;

/// Masks the secrets that it was made with; cheap to clone.
#[derive(Clone, Default)]
pub struct Masker(Option<Arc<Automata>>);

/// What finds every form of every secret.
struct Automata {
    /// In the text as it is.
    plain: Finder,
    /// In the text without the ends of its lines and the blanks that begin the next ones.
    folded: Finder,
    /// The longest form, in bytes.
    longest: usize,
}

impl fmt::Debug for Masker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Masker")
    }
}

impl Masker {
    /// Masks these secrets, each as a whole and each of its lines.
    pub fn new<Text: AsRef<str>>(secrets: impl IntoIterator<Item = Text>) -> Self {
        let mut plain = BTreeSet::new();
        for secret in secrets {
            forms::add(secret.as_ref(), &mut plain);
        }
        if plain.is_empty() {
            return Self(None);
        }
        let mut folded: BTreeSet<String> = plain.iter().map(|form| fold(form)).collect();
        folded.retain(|form| form.len() >= SHORTEST_FOLDED);
        let longest = plain.iter().map(String::len).max().unwrap_or(0);
        match (Finder::new(&plain), Finder::new(&folded)) {
            (Ok(plain), Ok(folded)) => Self(Some(Arc::new(Automata { plain, folded, longest }))),
            (plain, folded) => {
                // Only gigabytes of secrets could be too many; then nothing is shown rather than anything.
                tracing::error!(error = ?plain.err().or(folded.err()), "too many secrets to mask: every byte is");
                Self::everything()
            }
        }
    }

    /// Masks every byte.
    fn everything() -> Self {
        let bytes: Vec<[u8; 1]> = (0..=u8::MAX).map(|byte| [byte]).collect();
        let all = || Finder::new(&bytes).ok();
        Self(all().zip(all()).map(|(plain, folded)| Arc::new(Automata { plain, folded, longest: 1 })))
    }

    /// A text without them.
    pub fn mask(&self, text: &str) -> String {
        if self.0.is_none() {
            return text.to_owned();
        }
        let mut stream = self.stream();
        let mut masked = stream.push(text.as_bytes());
        masked.extend(stream.finish());
        String::from_utf8(masked).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// Whether one of them is in a text, in any form.
    pub fn finds(&self, text: &str) -> bool {
        self.0.is_some() && {
            let mut stream = self.stream();
            stream.push(text.as_bytes());
            stream.has_found()
        }
    }

    /// Whether a text, cut off at its end, may have had more of a secret after the cut.
    pub fn may_begin_at_the_end_of(&self, text: &str) -> bool {
        let mut stream = self.stream();
        stream.push(text.as_bytes());
        stream.held() >= SHORTEST_SECRET
    }

    /// Masks a text that comes in pieces.
    pub fn stream(&self) -> Stream {
        Stream::new(self.0.clone())
    }
}

/// The text without the ends of its lines and the blanks that begin the next ones.
fn fold(text: &str) -> String {
    let mut folded = String::new();
    let mut begins = false;
    for character in text.chars() {
        match character {
            '\n' | '\r' => begins = true,
            ' ' | '\t' if begins => {}
            _ => {
                begins = false;
                folded.push(character);
            }
        }
    }
    folded
}
