//! The runs that this process walks. Their keepers answer for them: whatever the clock or the database says of their leases,
//! neither the recovery nor the sweep takes them away.

use crate::domain::RunId;
use crate::domain::run::Run;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The runs that this process walks, each with the fence of its lease; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Walking(Arc<Mutex<HashSet<(RunId, i64)>>>);

/// That one run is walked, until this is dropped.
#[derive(Debug)]
pub struct Walked {
    walking: Walking,
    held: (RunId, i64),
}

impl Walking {
    /// Notes a run that was just claimed.
    pub fn begin(&self, run: &Run) -> Walked {
        let held = (run.id.clone(), run.fence);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(held.clone());
        Walked { walking: self.clone(), held }
    }

    /// Whether the run is walked here, under the lease that it has.
    pub fn holds(&self, run: &Run) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&(run.id.clone(), run.fence))
    }

    /// The ids of the runs that are walked here.
    pub fn ids(&self) -> HashSet<RunId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(id, _)| id.clone()).collect()
    }
}

impl Drop for Walked {
    fn drop(&mut self) {
        self.walking.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.held);
    }
}
