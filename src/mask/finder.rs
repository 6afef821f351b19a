//! Finds forms of secrets in a text that is read byte by byte, and knows how many of its last bytes may be the beginning
//! of one.

use aho_corasick::automaton::{Automaton as _, StateID};
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, BuildError, MatchError};

/// What looks for forms.
pub(super) struct Finder {
    automaton: NFA,
    /// Where it stands before it has read anything.
    start: StateID,
    /// For every other state, in order, how many bytes lead to it: they are the last that were read, and begin a form.
    depths: Box<[(StateID, u32)]>,
}

/// Why there is no finder.
#[derive(Debug)]
#[expect(dead_code, reason = "it is written to the log, which reads it by its Debug alone")]
pub(super) enum Unfindable {
    TooMany(BuildError),
    NoStart(MatchError),
}

/// Where a finder stands in a text; before it has read anything, nowhere.
#[derive(Clone, Copy, Default)]
pub(super) struct Standing(Option<StateID>);

impl Finder {
    /// Looks for these forms.
    pub(super) fn new<'a, Form: AsRef<[u8]> + 'a>(
        forms: impl IntoIterator<Item = &'a Form> + Clone,
    ) -> Result<Self, Unfindable> {
        let automaton = NFA::new(forms.clone()).map_err(Unfindable::TooMany)?;
        let start = automaton.start_state(Anchored::No).map_err(Unfindable::NoStart)?;
        let mut depths = Vec::new();
        // Where the bytes of the form before lead: the next one in order begins with many of the same.
        let (mut before, mut path): (&[u8], Vec<StateID>) = (&[], vec![start]);
        for form in forms {
            let form = form.as_ref();
            let same = before.iter().zip(form).take_while(|(one, other)| one == other).count();
            path.truncate(same + 1);
            for (depth, byte) in (1..).zip(form).skip(same) {
                let state = automaton.next_state(Anchored::No, path.last().copied().unwrap_or(start), *byte);
                path.push(state);
                depths.push((state, depth));
            }
            before = form;
        }
        depths.sort_unstable();
        depths.dedup();
        Ok(Self { automaton, start, depths: depths.into_boxed_slice() })
    }

    /// Reads one more byte; the length, in bytes, of the longest form that ends with it.
    pub(super) fn read(&self, standing: &mut Standing, byte: u8) -> Option<usize> {
        let state = self.automaton.next_state(Anchored::No, standing.0.unwrap_or(self.start), byte);
        standing.0 = Some(state);
        if !self.automaton.is_match(state) {
            return None;
        }
        let forms = (0..self.automaton.match_len(state)).map(|index| self.automaton.match_pattern(state, index));
        forms.map(|form| self.automaton.pattern_len(form)).max()
    }

    /// How many of the bytes that were read last may be the beginning of a form, or are a whole one.
    pub(super) fn begun(&self, standing: Standing) -> usize {
        let found = standing.0.and_then(|state| self.depths.binary_search_by_key(&state, |(state, _)| *state).ok());
        found.and_then(|found| self.depths.get(found)).map_or(0, |(_, depth)| *depth as usize)
    }
}
