//! Where time and new names come from. Both are handed in, so that a test decides what "now" is and which id comes next.

use crate::domain::{RunId, Timestamp};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use ulid::Ulid;

/// A source of time.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that stands still until a test moves it: milliseconds since 1970.
    Set(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `milliseconds`.
    pub fn set(milliseconds: i64) -> Self {
        Self::Set(Arc::new(AtomicI64::new(milliseconds)))
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
            }
            Self::Set(milliseconds) => Timestamp(milliseconds.load(Ordering::SeqCst)),
        }
    }

    /// Moves a set clock on; the machine's clock cannot be moved.
    pub fn advance(&self, milliseconds: i64) {
        match self {
            Self::System => {}
            Self::Set(now) => {
                now.fetch_add(milliseconds, Ordering::SeqCst);
            }
        }
    }
}

/// A source of ids.
#[derive(Clone, Debug)]
pub enum Ids {
    /// ULIDs from the clock and the machine's randomness, each greater than the one before; holds the last.
    Random(Arc<Mutex<Ulid>>),
    /// 1, 2, 3 … in ULID form, for tests.
    Counted(Arc<AtomicI64>),
}

impl Ids {
    /// A source of ids that no other source makes as well.
    pub fn random() -> Self {
        Self::Random(Arc::new(Mutex::new(Ulid::nil())))
    }

    /// A source that counts from 1.
    pub fn counted() -> Self {
        Self::Counted(Arc::new(AtomicI64::new(0)))
    }

    /// The next id. Ids of one source sort in the order in which they were made, whatever the clock does; those of
    /// different moments by `now`.
    pub fn next(&self, now: Timestamp) -> String {
        match self {
            Self::Random(last) => {
                let mut random = [0; 16];
                // Without the machine's randomness the time alone still sorts; a collision is refused by the store.
                let _ = getrandom::fill(&mut random);
                let made = Ulid::from_parts(u64::try_from(now.0).unwrap_or(0), u128::from_be_bytes(random) >> 48);
                let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
                // Runs are taken oldest first, and what is newest is told by the ids: two of one moment have an order.
                *last = made.max(last.increment().unwrap_or(made));
                last.to_string()
            }
            Self::Counted(counter) => {
                let count = counter.fetch_add(1, Ordering::SeqCst) + 1;
                Ulid::from_parts(0, u128::from(count.unsigned_abs())).to_string()
            }
        }
    }

    /// The next id, for a run.
    pub fn run(&self, now: Timestamp) -> RunId {
        RunId::new(self.next(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_as_they_were_made_even_when_the_clock_goes_back() {
        let ids = Ids::random();
        let moments = [5, 5, 5, 4, 1, 5, 6, 6, 3, 7].map(|at| Timestamp(1_000_000 + at));
        let made: Vec<String> = moments.into_iter().map(|at| ids.next(at)).collect();
        assert!(made.is_sorted_by(|one, other| one < other), "{made:?}");
        assert!(made[9].starts_with(&Ulid::from_parts(1_000_007, 0).to_string()[..10]));
    }
}
