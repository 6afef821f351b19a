//! Cut log: removes the oldest entries of the activity log when they have been kept long enough, and tells of it in the
//! log itself, so that what is left still verifies.

use super::Context;
use crate::domain::activity::chain::Head;
use crate::domain::activity::cut::{CUT, tell};
use crate::domain::permission::Viewer;
use crate::domain::problem::Problem;
use crate::store::Filter;

const DAY: i64 = 24 * 3_600_000;

/// How many entries are removed in one transaction.
const BATCH: i64 = 500;

/// Removes what is older than `kept` milliseconds, in one cut a day at most: each adds an entry. How many entries went.
pub async fn cut_log(context: &Context, kept: i64) -> Result<u64, Problem> {
    let before = context.now().plus(-kept);
    let oldest = context.store.read().await?.oldest_activity(&Filter::default(), 1).await?;
    if oldest.first().is_some_and(|link| link.entry.at < before.plus(-DAY)) {
        let mut writing = context.store.write().await?;
        let begun = writing.activity_cut().await?;
        if let Some(last) = writing.last_activity_before(before).await? {
            let cut = Head { number: last.number, hash: last.hash };
            writing.cut_activity(&cut).await?;
            context.record(&mut writing, &Viewer::system(), CUT, None, None, tell(&begun, &cut, kept / DAY)).await?;
            writing.commit().await?;
        }
    }
    // Also what a Headway that was ended in between has left.
    let mut count = 0;
    loop {
        let mut writing = context.store.write().await?;
        let removed = writing.remove_cut_activity(BATCH).await?;
        writing.commit().await?;
        count += removed;
        if removed == 0 {
            return Ok(count);
        }
        tokio::task::yield_now().await;
    }
}
