//! Walking along the chain of the activity log, entry by entry, to find the first that does not fit and to say why.

use super::chain::{Head, Link};
use super::cut;
use std::fmt;

/// Why a chain does not verify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// Entries that must be there are not.
    Missing {
        /// The first.
        from: i64,
        /// The last.
        to: i64,
    },
    /// An entry stands where another should.
    Misplaced {
        /// Its number.
        number: i64,
        /// The number that should come.
        expected: i64,
    },
    /// An entry was made behind another one than that which stands before it.
    Detached {
        /// Its number.
        number: i64,
    },
    /// An entry does not say what it said when it was made.
    Changed {
        /// Its number.
        number: i64,
    },
    /// What stands there is no entry.
    Unreadable {
        /// The number that should come.
        expected: i64,
    },
    /// The log has no more entries, but once had.
    CutOff {
        /// How many there are.
        found: i64,
        /// How many there were.
        expected: i64,
    },
    /// Its last entry is another than Headway wrote last.
    OtherHead,
    /// Entries stand in the log that have no place in the chain.
    Loose {
        /// How many.
        count: i64,
    },
    /// There is not one entry.
    Empty,
    /// The first entries are not there, and no entry tells that Headway cut them off.
    Untold {
        /// The number of the last of them.
        to: i64,
    },
    /// The hash that was noted earlier is that of no entry.
    UnknownHead {
        /// The hash.
        hash: String,
    },
}

impl fmt::Display for Misfit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { from, to } if from == to => write!(formatter, "Entry {from} is missing: it was removed."),
            Self::Missing { from, to } => write!(formatter, "Entries {from} to {to} are missing: they were removed."),
            Self::Misplaced { number, expected } => {
                write!(formatter, "Entry {number} stands where entry {expected} should: it was moved there or put in.")
            }
            Self::Detached { number } => write!(
                formatter,
                "Entry {number} does not follow the entry before it: one of the two was put in, exchanged or changed \
                 together with its hash."
            ),
            Self::Changed { number } => {
                write!(formatter, "Entry {number} was changed: its hash does not fit what it says.")
            }
            Self::Unreadable { expected } => {
                write!(formatter, "What stands where entry {expected} should is no entry that can be read.")
            }
            Self::CutOff { found, expected } => write!(
                formatter,
                "The log ends with entry {found}, but had {expected} entries: the last ones were removed."
            ),
            Self::OtherHead => write!(formatter, "The last entry is another than the one that was written last."),
            Self::Loose { count } => {
                write!(
                    formatter,
                    "Entries without a place in the chain stand in the log, {count} of them: put in past Headway."
                )
            }
            Self::Empty => write!(formatter, "It has no entries."),
            Self::Untold { to } => write!(
                formatter,
                "It begins behind entry {to}, and no entry tells that Headway removed those before because they had been \
                 kept long enough."
            ),
            Self::UnknownHead { hash } => write!(
                formatter,
                "No entry has the hash {hash}: the log was written anew, cut off before that entry, or has been kept long \
                 enough since then."
            ),
        }
    }
}

/// Somebody who walks along a chain from its first entry on.
#[derive(Clone, Debug, Default)]
pub struct Walk {
    begun: Head,
    told: bool,
    head: Head,
    noted: Option<String>,
    met: bool,
}

impl Walk {
    /// Starts behind the entry `begun`, with which those before it were cut off, or, where none were, before the first.
    /// On the way an entry must tell of the cut, and the entry with the hash `noted` must be met.
    pub fn behind(begun: Head, noted: Option<String>) -> Self {
        let met = noted.as_ref() == Some(&begun.hash);
        Self { told: begun == Head::default(), head: begun.clone(), begun, noted, met }
    }

    /// How many entries were met.
    pub fn count(&self) -> i64 {
        self.head.number - self.begun.number
    }

    /// The number of the entry that should come next.
    pub fn next(&self) -> i64 {
        self.head.number + 1
    }

    /// Goes on to the next entry.
    pub fn step(&mut self, link: &Link) -> Result<(), Misfit> {
        let (number, expected) = (link.number, self.next());
        if number > expected {
            return Err(Misfit::Missing { from: expected, to: number - 1 });
        }
        if number < expected {
            return Err(Misfit::Misplaced { number, expected });
        }
        if link.previous != self.head.hash {
            return Err(Misfit::Detached { number });
        }
        if link.hash != link.digest() {
            return Err(Misfit::Changed { number });
        }
        self.told = self.told || cut::read(&link.entry).as_ref() == Some(&self.begun);
        self.met = self.met || self.noted.as_ref() == Some(&link.hash);
        self.head = Head { number, hash: link.hash.clone() };
        Ok(())
    }

    /// Ends behind the last entry and says how long the chain is. `known` is the end that it should have, where that is
    /// known.
    pub fn end(self, known: Option<&Head>) -> Result<Head, Misfit> {
        if let Some(known) = known.filter(|known| **known != self.head) {
            return Err(match self.head.number < known.number {
                true => Misfit::CutOff { found: self.head.number, expected: known.number },
                false => Misfit::OtherHead,
            });
        }
        if !self.told {
            return Err(Misfit::Untold { to: self.begun.number });
        }
        match self.noted {
            Some(hash) if !self.met => Err(Misfit::UnknownHead { hash }),
            Some(_) | None => Ok(self.head),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests;
