//! Audit: the activity log as somebody outside checks it: exported as JSON lines, and verified from its first entry to its
//! last, in the database or in an export.

use crate::domain::activity::chain::{Head, Link};
use crate::domain::activity::walk::{Misfit, Walk};
use crate::store::{Filter, Store, StoreError};
use std::io::{self, BufRead};

/// How many entries are read at a time.
const PIECE: i64 = 1000;

/// An export on its way: the entries that there were when it began, oldest first.
#[derive(Debug)]
pub struct Export {
    filter: Filter,
    cut: Head,
}

impl Export {
    /// Begins an export of what the filter lets through.
    pub async fn begin(store: &Store, filter: Filter) -> Result<Self, StoreError> {
        let mut reading = store.read().await?;
        let end = reading.activity_head().await?.number + 1;
        let before = Some(filter.before.map_or(end, |before| before.min(end)));
        Ok(Self { filter: Filter { before, ..filter }, cut: reading.activity_cut().await? })
    }

    /// The next lines; nothing after the last. [`StoreError::Changed`] when the beginning of the log was cut off meanwhile:
    /// the lines would have a hole.
    pub async fn next(&mut self, store: &Store) -> Result<Option<String>, StoreError> {
        let mut reading = store.read().await?;
        if reading.activity_cut().await? != self.cut {
            return Err(StoreError::Changed);
        }
        let links = reading.oldest_activity(&self.filter, PIECE).await?;
        let Some(last) = links.last() else { return Ok(None) };
        self.filter.after = Some(last.number);
        Ok(Some(links.iter().map(|link| link.line() + "\n").collect()))
    }
}

/// Verifies the log in a database. `noted` is a hash that one of its entries must have.
pub async fn verify(store: &Store, noted: Option<String>) -> Result<Result<Head, Misfit>, StoreError> {
    let mut reading = store.read().await?;
    let mut walk = Walk::behind(reading.activity_cut().await?, noted);
    let mut piece = PIECE;
    loop {
        let filter = Filter { after: Some(walk.next() - 1), ..Filter::default() };
        let links = match reading.oldest_activity(&filter, piece).await {
            Err(error) if error.is_unreadable() && piece > 1 => {
                piece = 1;
                continue;
            }
            Err(error) if error.is_unreadable() => return Ok(Err(Misfit::Unreadable { expected: walk.next() })),
            found => found?,
        };
        if links.is_empty() {
            break;
        }
        for link in &links {
            if let Err(misfit) = walk.step(link) {
                return Ok(Err(misfit));
            }
        }
    }
    // Whatever has no number, or one that was met before, was not among those that came after.
    let count = reading.count_activity().await? - walk.count();
    if count > 0 {
        return Ok(Err(Misfit::Loose { count }));
    }
    Ok(walk.end(Some(&reading.activity_head().await?)))
}

/// Verifies an export of the whole log, from the entry on that it begins with.
pub fn verify_lines(lines: impl BufRead, noted: Option<String>) -> io::Result<Result<Head, Misfit>> {
    let mut walk = Walk::behind(Head::default(), noted.clone());
    for (place, line) in lines.lines().enumerate() {
        let line = line?;
        let Some(link) = Link::parse(&line) else { return Ok(Err(Misfit::Unreadable { expected: walk.next() })) };
        if place == 0 && link.number > 1 {
            walk = Walk::behind(Head { number: link.number - 1, hash: link.previous.clone() }, noted.clone());
        }
        if let Err(misfit) = walk.step(&link) {
            return Ok(Err(misfit));
        }
    }
    if walk.count() == 0 {
        return Ok(Err(Misfit::Empty));
    }
    Ok(walk.end(None))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::domain::activity::{Entry, Outcome};
    use crate::domain::difference::Differences;

    #[tokio::test]
    async fn an_export_is_whole_and_verifies_like_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(&folder.path().join("headway.db")).await.unwrap();
        let mut writing = store.write().await.unwrap();
        for number in 0..=PIECE {
            writing.add_activity(Entry {
                id: number.to_string(),
                at: Timestamp(number),
                actor: if number % 2 == 0 { "ada" } else { "grace" }.into(),
                origin: String::new(),
                action: "lock".into(),
                stack_id: None,
                run_id: None,
                outcome: Outcome::Done,
                detail: "\n".into(),
                differences: Differences::default(),
            });
        }
        writing.commit().await.unwrap();
        let head = verify(&store, None).await.unwrap().unwrap();
        assert_eq!(head.number, PIECE + 1);
        let lines = async |filter: Filter| {
            let mut export = Export::begin(&store, filter).await.unwrap();
            let mut lines = String::new();
            while let Some(more) = export.next(&store).await.unwrap() {
                lines += &more;
            }
            lines
        };
        let whole = lines(Filter::default()).await;
        assert_eq!(verify_lines(whole.as_bytes(), Some(head.hash.clone())).unwrap(), Ok(head.clone()));
        let some = lines(Filter { actor: Some("grace".into()), ..Filter::default() }).await;
        assert_eq!(some.lines().count(), 500);
        assert_eq!(verify_lines(some.as_bytes(), None).unwrap(), Err(Misfit::Missing { from: 3, to: 3 }));
        assert_eq!(verify_lines("".as_bytes(), None).unwrap(), Err(Misfit::Empty));
        let later = lines(Filter { after: Some(900), ..Filter::default() }).await;
        assert_eq!(verify_lines(later.as_bytes(), None).unwrap(), Err(Misfit::Untold { to: 900 }));
        assert_eq!(verify_lines("{}\n".as_bytes(), None).unwrap(), Err(Misfit::Unreadable { expected: 1 }));
        let unknown = Misfit::UnknownHead { hash: "ab".into() };
        assert_eq!(verify(&store, Some("ab".into())).await.unwrap(), Err(unknown));
        // Beside the Headway that works on it, and without writing anything.
        let beside = Store::open_sqlite_to_read(&folder.path().join("headway.db")).await.unwrap();
        assert_eq!(verify(&beside, None).await.unwrap(), Ok(head));
        assert!(beside.write().await.is_err());
    }
}
