//! Masks a text that comes in pieces. What may turn out to be the beginning of a secret is held back until the rest of it
//! has come; everything else goes on at once.

use super::finder::{Finder, Standing};
use super::{Automata, MASKED};
use std::collections::VecDeque;
use std::sync::Arc;

/// A text on its way.
pub struct Stream {
    automata: Option<Arc<Automata>>,
    plain: View,
    folded: View,
    /// Whether the folded text is at the beginning of a line.
    begins: bool,
    /// What was not given out yet.
    held: VecDeque<u8>,
    /// Where secrets stand in it: places from and until, in order, none touching the next.
    hidden: VecDeque<(usize, usize)>,
    /// How many bytes were given out.
    given: usize,
    /// Whether the last byte that was given out was part of a secret, whose mask is written.
    masked: bool,
    found: bool,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Stream").finish_non_exhaustive()
    }
}

/// How far one finder has read.
#[derive(Default)]
struct View {
    standing: Standing,
    /// Where the bytes that it has read last stand in the text.
    places: VecDeque<usize>,
}

impl View {
    /// Reads the byte at a place; the place where the longest secret that ends there begins.
    fn read(&mut self, finder: &Finder, longest: usize, byte: u8, place: usize) -> Option<usize> {
        self.places.push_back(place);
        if self.places.len() > longest {
            self.places.pop_front();
        }
        let length = finder.read(&mut self.standing, byte)?;
        self.places.get(self.places.len().checked_sub(length)?).copied()
    }

    /// Where the first byte stands that may still belong to a secret; what stands before it is done with.
    fn open_from(&mut self, finder: &Finder, next: usize) -> usize {
        let done = self.places.len().saturating_sub(finder.begun(self.standing));
        self.places.drain(..done);
        self.places.front().copied().unwrap_or(next)
    }
}

impl Stream {
    pub(super) fn new(automata: Option<Arc<Automata>>) -> Self {
        Self {
            automata,
            plain: View::default(),
            folded: View::default(),
            begins: false,
            held: VecDeque::new(),
            hidden: VecDeque::new(),
            given: 0,
            masked: false,
            found: false,
        }
    }

    /// Takes a piece; gives out what surely belongs to no secret that has not ended, with the others masked.
    pub fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        let Some(automata) = self.automata.clone() else { return piece.to_vec() };
        for byte in piece {
            let place = self.given + self.held.len();
            self.held.push_back(*byte);
            if let Some(from) = self.plain.read(&automata.plain, automata.longest, *byte, place) {
                self.hide(from, place + 1);
            }
            let skipped = match byte {
                b'\n' | b'\r' => {
                    self.begins = true;
                    true
                }
                b' ' | b'\t' => self.begins,
                _ => {
                    self.begins = false;
                    false
                }
            };
            if !skipped && let Some(from) = self.folded.read(&automata.folded, automata.longest, *byte, place) {
                self.hide(from, place + 1);
            }
        }
        let next = self.given + self.held.len();
        let open = self.plain.open_from(&automata.plain, next).min(self.folded.open_from(&automata.folded, next));
        self.give(open)
    }

    /// Gives out the whole lines that are held back: nothing has come for a while, and people wait for them. Should a
    /// secret have begun there, the rest of it is still masked.
    pub fn release(&mut self) -> Vec<u8> {
        let whole = self.held.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        self.give(self.given + whole)
    }

    /// Gives out the rest; nothing comes after it.
    pub fn finish(&mut self) -> Vec<u8> {
        self.give(self.given + self.held.len())
    }

    /// How many bytes are held back.
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    /// Whether there was a secret in what came so far.
    pub(super) fn has_found(&self) -> bool {
        self.found
    }

    /// Marks a part of what is held; `until` is never less than the last time.
    fn hide(&mut self, mut from: usize, until: usize) {
        self.found = true;
        while let Some((before, _)) = self.hidden.pop_back_if(|(_, end)| *end >= from) {
            from = from.min(before);
        }
        self.hidden.push_back((from, until));
    }

    fn give(&mut self, until: usize) -> Vec<u8> {
        let mut given = Vec::new();
        for byte in self.held.drain(..until.saturating_sub(self.given)) {
            while self.hidden.pop_front_if(|(_, end)| *end <= self.given).is_some() {}
            let hidden = self.hidden.front().is_some_and(|(from, _)| *from <= self.given);
            self.given += 1;
            match (hidden, byte) {
                // The lines of a secret stay lines.
                (true, b'\n') => {
                    given.push(byte);
                    self.masked = false;
                }
                (true, _) if self.masked => {}
                (true, _) => {
                    given.extend(MASKED.as_bytes());
                    self.masked = true;
                }
                (false, byte) => {
                    given.push(byte);
                    self.masked = false;
                }
            }
        }
        given
    }
}
