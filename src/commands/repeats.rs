//! Repeats: attempts of those who lack the right, which they can make as often as they like.
//!
//! The first is written to the activity log at once; those like it that follow within ten minutes are counted and written
//! as one, so that nobody can flood a log that never forgets.

use super::Context;
use crate::domain::activity::{Entry, Outcome};
use crate::domain::permission::Viewer;
use crate::domain::problem::Problem;
use crate::domain::{RunId, StackId, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long repeats are counted before they are written, in milliseconds.
const SPAN: i64 = 600_000;

/// How many kinds of attempts are told apart at a time; all others are counted as one for each action.
const KINDS: usize = 1000;

/// What makes two attempts the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Attempt {
    actor: String,
    origin: String,
    action: &'static str,
    stack: Option<StackId>,
    run: Option<RunId>,
    /// Why it was refused.
    sentence: String,
}

impl Attempt {
    /// What stands for all attempts at an action when there are too many kinds to tell them apart.
    fn any(action: &'static str) -> Self {
        let (actor, origin, sentence) = (String::new(), "many addresses".into(), String::new());
        Self { actor, origin, action, stack: None, run: None, sentence }
    }
}

#[derive(Clone, Copy, Debug)]
struct Counted {
    since: Timestamp,
    more: u64,
}

/// The attempts of the last ten minutes.
#[derive(Clone, Debug, Default)]
pub struct Repeats(Arc<Mutex<HashMap<Attempt, Counted>>>);

impl Repeats {
    /// Counts an attempt; whether it is to be written at once, because there was none like it.
    fn count(&self, attempt: Attempt, now: Timestamp) -> bool {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let attempt = if counted.len() >= KINDS && !counted.contains_key(&attempt) {
            Attempt::any(attempt.action)
        } else {
            attempt
        };
        match counted.get_mut(&attempt) {
            Some(known) => {
                known.more += 1;
                false
            }
            None => {
                counted.insert(attempt, Counted { since: now, more: 0 });
                true
            }
        }
    }

    /// Takes what began before `limit` away; what was repeated, and how often.
    fn take(&self, limit: Timestamp) -> Vec<(Attempt, u64)> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let over = counted.extract_if(|_, counted| counted.since <= limit);
        let mut repeated: Vec<_> =
            over.filter(|(_, counted)| counted.more > 0).map(|(attempt, counted)| (attempt, counted.more)).collect();
        repeated.sort_by(|(one, _), (other, _)| (&one.origin, one.action).cmp(&(&other.origin, other.action)));
        repeated
    }
}

impl Context {
    /// Writes a refused attempt of somebody who can try again and again, the first time; after that it counts.
    pub async fn note_attempt(
        &self,
        viewer: &Viewer,
        action: &'static str,
        stack: Option<&StackId>,
        run: Option<&RunId>,
        sentence: &str,
    ) -> Result<(), Problem> {
        let now = self.now();
        self.write_repeats(now.plus(-SPAN)).await?;
        let attempt = Attempt {
            actor: viewer.name.clone(),
            origin: viewer.from.clone(),
            action,
            stack: stack.cloned(),
            run: run.cloned(),
            sentence: sentence.to_owned(),
        };
        if !self.repeats.count(attempt, now) {
            return Ok(());
        }
        let entry = self.entry(viewer, action, stack, run);
        let mut writing = self.store.write().await?;
        writing.add_activity(Entry { outcome: Outcome::Refused, detail: sentence.to_owned(), ..entry });
        Ok(writing.commit().await?)
    }

    /// Writes how often what began before `limit` was repeated.
    async fn write_repeats(&self, limit: Timestamp) -> Result<(), Problem> {
        let repeated = self.repeats.take(limit);
        if repeated.is_empty() {
            return Ok(());
        }
        let mut writing = self.store.write().await?;
        for (Attempt { actor, origin, action, stack, run, sentence }, more) in repeated {
            let viewer = Viewer { name: actor, ..Viewer::stranger(origin) };
            let entry = self.entry(&viewer, action, stack.as_ref(), run.as_ref());
            let detail =
                format!("Tried and refused {more} more times within ten minutes. {sentence}").trim().to_owned();
            writing.add_activity(Entry { outcome: Outcome::Refused, detail, ..entry });
        }
        Ok(writing.commit().await?)
    }
}

/// Writes what has been counted long enough, every minute.
pub async fn work(context: Context) {
    loop {
        tokio::time::sleep(Duration::from_secs(60)).await;
        if let Err(problem) = context.write_repeats(context.now().plus(-SPAN)).await {
            tracing::warn!(?problem, "cannot write how often attempts were repeated");
        }
    }
}

/// Writes everything that has been counted: this Headway ends.
pub async fn finish(context: &Context) {
    if let Err(problem) = context.write_repeats(Timestamp(i64::MAX)).await {
        tracing::warn!(?problem, "cannot write how often attempts were repeated");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(origin: &str) -> Attempt {
        Attempt { origin: origin.into(), ..Attempt::any("sign in") }
    }

    #[test]
    fn the_first_is_written_and_the_others_are_counted_for_each_address() {
        let repeats = Repeats::default();
        let now = Timestamp(1_000_000);
        assert!(repeats.count(attempt("a"), now) && repeats.count(attempt("b"), now));
        assert!(!repeats.count(attempt("a"), now.plus(5)) && !repeats.count(attempt("a"), now.plus(6)));
        assert_eq!(repeats.take(now.plus(-1)), []);
        assert_eq!(repeats.take(now), [(attempt("a"), 2)]);
        assert!(repeats.count(attempt("a"), now.plus(SPAN)), "after that it is new again");
    }

    #[test]
    fn from_however_many_addresses_few_are_written() {
        let repeats = Repeats::default();
        let written =
            (0..10 * KINDS).filter(|number| repeats.count(attempt(&number.to_string()), Timestamp(5))).count();
        assert_eq!(written, KINDS + 1);
        let repeated = repeats.take(Timestamp(5));
        assert_eq!(repeated, [(attempt("many addresses"), 9 * KINDS as u64 - 1)]);
    }
}
