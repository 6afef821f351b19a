//! How much may be asked of GitHub, for each installation: nothing while it asks to wait, and never more content at once
//! than it takes (80 requests a minute that make something).

use super::{GitHubError, Result};
use crate::domain::Timestamp;
use reqwest::header::HeaderMap;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How many writes may follow each other at once.
const BURST: f64 = 30.0;
/// How many more may follow each second: with the burst, never more than 80 in any minute.
const WRITES_A_SECOND: f64 = 0.8;

/// What GitHub said of an installation's requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many an hour.
    pub limit: i64,
    /// How many are left.
    pub remaining: i64,
    /// When they are all there again.
    pub resets_at: Timestamp,
}

#[derive(Debug)]
struct State {
    paused_until: Timestamp,
    rate: Option<Rate>,
    writes: f64,
    filled_at: Timestamp,
}

/// The limits of every installation; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits(Arc<Mutex<HashMap<i64, State>>>);

impl Limits {
    /// Waits for the turn of a write; [`GitHubError::Limited`] while GitHub asks to wait.
    pub async fn wait(&self, installation: i64, writes: bool, now: Timestamp) -> Result<()> {
        let wait = self.turn(installation, writes, now)?;
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }

    /// How long the request that comes now has to wait for its turn.
    fn turn(&self, installation: i64, writes: bool, now: Timestamp) -> Result<Duration> {
        self.with(installation, now, |state| {
            if state.paused_until > now {
                return Err(GitHubError::Limited { until: state.paused_until });
            }
            if !writes {
                return Ok(Duration::ZERO);
            }
            #[expect(clippy::cast_precision_loss, reason = "a few seconds")]
            let passed = now.since(state.filled_at) as f64 / 1000.0;
            state.writes = (state.writes + passed * WRITES_A_SECOND).min(BURST) - 1.0;
            state.filled_at = now;
            Ok(Duration::from_secs_f64((-state.writes / WRITES_A_SECOND).max(0.0)))
        })
    }

    /// Asks nothing more until then.
    pub fn pause(&self, installation: i64, until: Timestamp) {
        self.with(installation, until, |state| state.paused_until = state.paused_until.max(until));
    }

    /// Notes what an answer says of the limit.
    pub fn note(&self, installation: i64, headers: &HeaderMap, now: Timestamp) {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.parse::<i64>().ok();
        let (Some(limit), Some(remaining), Some(reset)) =
            (number("x-ratelimit-limit"), number("x-ratelimit-remaining"), number("x-ratelimit-reset"))
        else {
            return;
        };
        let rate = Rate { limit, remaining, resets_at: Timestamp(reset.saturating_mul(1000)) };
        self.with(installation, now, |state| state.rate = Some(rate));
    }

    /// What GitHub last said.
    pub fn rate(&self, installation: i64) -> Option<Rate> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&installation).and_then(|state| state.rate)
    }

    fn with<T>(&self, installation: i64, now: Timestamp, use_it: impl FnOnce(&mut State) -> T) -> T {
        let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || State { paused_until: Timestamp(0), rate: None, writes: BURST, filled_at: now };
        use_it(states.entry(installation).or_insert_with(fresh))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_paused_installation_asks_nothing_and_the_others_go_on() {
        let limits = Limits::default();
        let until = Timestamp(5000);
        limits.pause(1, until);
        assert_eq!(limits.turn(1, false, Timestamp(4999)), Err(GitHubError::Limited { until }));
        assert_eq!(limits.turn(2, false, Timestamp(4999)), Ok(Duration::ZERO));
        assert_eq!(limits.turn(1, false, until), Ok(Duration::ZERO));
    }

    #[test]
    fn no_minute_has_more_than_eighty_writes() {
        let limits = Limits::default();
        // All asked for at once, or one every half second.
        for pace in [0, 500] {
            let turns = (0..300).map(|number| {
                let asked = Timestamp(1_000_000 * (pace + 1) + number * pace);
                asked.0 + i64::try_from(limits.turn(pace, true, asked).unwrap().as_millis()).unwrap()
            });
            let turns: Vec<i64> = turns.collect();
            for at in &turns {
                let minute = turns.iter().filter(|other| (*at..*at + 60_000).contains(other)).count();
                assert!(minute <= 80, "{minute} writes in the minute after {at}");
            }
        }
    }
}
