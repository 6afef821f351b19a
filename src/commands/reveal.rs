//! Reveal: hands a secret that was just made to the page that shows it, once, to whoever made it. It waits in memory only,
//! under a name nobody can guess, and not for long.

use crate::domain::Timestamp;
use crate::domain::permission::Oneself;
use crate::domain::problem::Problem;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How long a page may take to show it, in milliseconds.
const PATIENCE: i64 = 60_000;

#[derive(Clone, Debug)]
struct Waiting {
    person: String,
    until: i64,
    text: String,
}

/// What waits to be shown.
#[derive(Clone, Debug, Default)]
pub struct Revealed(Arc<Mutex<HashMap<String, Waiting>>>);

impl super::Context {
    /// Keeps a text for the next page; the name to ask for it by.
    pub fn reveal(&self, oneself: &Oneself, text: String) -> Result<String, Problem> {
        let name = self.fresh_secret()?;
        let now = self.now();
        let mut waiting = self.revealed.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, waiting| waiting.until > now.0);
        let person = oneself.person().to_string();
        waiting.insert(name.clone(), Waiting { person, until: now.plus(PATIENCE).0, text });
        Ok(name)
    }
}

impl Revealed {
    /// The text of this name, if it is this person's, and never again.
    pub fn take(&self, oneself: &Oneself, name: &str, now: Timestamp) -> Option<String> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.get(name).is_none_or(|waiting| waiting.person != oneself.person().as_str()) {
            return None;
        }
        waiting.remove(name).filter(|waiting| waiting.until > now.0).map(|waiting| waiting.text)
    }
}
