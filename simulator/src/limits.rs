//! GitHub's limits of requests: 5,000 an hour, and for each installation 80 that make content and 900 points a minute.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many requests an hour.
pub const HOURLY: usize = 5000;
const CONTENT: usize = 80;
const POINTS: usize = 900;
const MINUTE: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Used {
    hour: VecDeque<Instant>,
    content: VecDeque<Instant>,
    points: VecDeque<(Instant, usize)>,
}

/// What an installation has used; cheap to clone.
#[derive(Clone)]
pub struct Limits {
    on: bool,
    used: Arc<Mutex<HashMap<i64, Used>>>,
}

impl Limits {
    /// Limits, or none.
    pub fn new(on: bool) -> Self {
        Self { on, used: Arc::default() }
    }

    /// Counts a request; how many are left this hour, or how many seconds to wait.
    pub fn count(&self, installation: i64, writes: bool) -> Result<usize, u64> {
        let mut all = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let used = all.entry(installation).or_default();
        let now = Instant::now();
        forget(&mut used.hour, now, Duration::from_secs(3600), |at| *at);
        forget(&mut used.content, now, MINUTE, |at| *at);
        forget(&mut used.points, now, MINUTE, |(at, _)| *at);
        let points: usize = used.points.iter().map(|(_, points)| points).sum();
        if self.on && ((writes && used.content.len() >= CONTENT) || points >= POINTS || used.hour.len() >= HOURLY) {
            return Err(60);
        }
        used.hour.push_back(now);
        used.points.push_back((now, if writes { 5 } else { 1 }));
        if writes {
            used.content.push_back(now);
        }
        Ok(HOURLY.saturating_sub(used.hour.len()))
    }
}

fn forget<T>(queue: &mut VecDeque<T>, now: Instant, after: Duration, at: impl Fn(&T) -> Instant) {
    while queue.front().is_some_and(|oldest| now.duration_since(at(oldest)) > after) {
        queue.pop_front();
    }
}
