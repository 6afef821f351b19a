//! Cut: the oldest entries of the activity log go when they have been kept long enough.
//!
//! The entry that tells of it names the last of them with its hash. It stands in the chain itself, so whoever verifies
//! what is left knows behind which entry it begins, and that Headway has cut there.

use super::chain::Head;
use super::{Detail, Entry, Outcome};
use crate::domain::actor::ActorKind;
use crate::domain::difference::{Differences, Held};

/// What the log calls it.
pub const CUT: &str = "cut log";

const NUMBER: &str = "Begins behind entry";
const HASH: &str = "Hash of that entry";

/// What an entry says of a log that began behind `before` and begins behind `after` now, since it is kept for so many days.
pub fn tell(before: &Head, after: &Head, days: i64) -> Detail {
    let sentence = format!(
        "Entries {} to {} were removed: the activity log is kept for {days} days.",
        before.number + 1,
        after.number
    );
    let differences = Differences::default().and(NUMBER, before.number.to_string(), after.number.to_string()).and(
        HASH,
        before.hash.clone(),
        after.hash.clone(),
    );
    (sentence, differences).into()
}

/// Behind what the log begins, when the entry tells of that.
pub fn read(entry: &Entry) -> Option<Head> {
    let headway = ActorKind::of(&entry.actor) == ActorKind::Headway && entry.outcome == Outcome::Done;
    if !headway || entry.action != CUT {
        return None;
    }
    let after = |name: &str| {
        let field = entry.differences.iter().find(|difference| difference.field == name)?;
        match &field.after {
            Some(Held::Text(text)) => Some(text.clone()),
            Some(Held::Secret) | None => None,
        }
    };
    Some(Head { number: after(NUMBER)?.parse().ok()?, hash: after(HASH)? })
}
