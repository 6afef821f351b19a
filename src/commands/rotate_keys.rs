//! Rotate keys: seals every sealed text anew with the next key. It may be cut off anywhere and be begun again: until the
//! last text is sealed anew both keys are kept, and both open.

use crate::domain::Timestamp;
use crate::domain::activity::{Entry, Outcome};
use crate::domain::difference::Differences;
use crate::domain::permission::Viewer;
use crate::domain::sealed::SealedColumn;
use crate::store::{Store, StoreError};
use crate::vault::Vault;
use std::collections::BTreeMap;

/// From where keys are rotated: a shell on the machine.
const FROM: &str = "the command line";

/// How many rows are asked for at a time.
const BATCH: i64 = 500;

/// Why the keys were not rotated; what was sealed anew until then stays so.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A text does not open.
    #[error(
        "the text in {0} does not open with the present key. Bring the key back that it was sealed with, or set it anew \
         or remove it in Headway; then rotate again. Nothing is lost"
    )]
    Unreadable(String),
    /// A text cannot be sealed.
    #[error("cannot seal: {0}")]
    Seal(#[from] std::io::Error),
}

/// How many texts of each column were sealed anew.
pub type Counts = BTreeMap<SealedColumn, usize>;

/// Seals every text anew that the vault's first key has not sealed; stops after `most` of them when that is given.
pub async fn rotate_keys(store: &Store, vault: &Vault, most: Option<usize>) -> Result<Counts, RotateError> {
    let mark = vault.mark();
    let mut counts = Counts::new();
    for column in SealedColumn::ALL {
        let mut after = String::new();
        loop {
            let rows = store.read().await?.rows_sealed_otherwise(column, &mark, &after, BATCH).await?;
            let Some(last) = rows.last() else { break };
            after.clone_from(last);
            for row in rows {
                if most.is_some_and(|most| counts.values().sum::<usize>() >= most) {
                    return Ok(counts);
                }
                // One text at a time: a state may be large, and nobody else writes meanwhile.
                let Some(before) = store.read().await?.sealed_text(column, &row).await? else { continue };
                let place = column.at(row.as_str());
                let text = vault.open_text(&place, &before).map_err(|_| RotateError::Unreadable(place.name()))?;
                let sealed = vault.seal(&place, &text)?;
                let mut writing = store.write().await?;
                writing.reseal(column, &row, &before, &sealed).await?;
                writing.commit().await?;
                *counts.entry(column).or_default() += 1;
            }
        }
    }
    Ok(counts)
}

/// Writes to the activity log that the keys were rotated.
pub async fn record(store: &Store, counts: &Counts, id: String, at: Timestamp) -> Result<(), RotateError> {
    let mut writing = store.write().await?;
    writing.add_activity(Entry {
        id,
        at,
        actor: Viewer::system().name,
        origin: FROM.into(),
        action: "rotate keys".into(),
        stack_id: None,
        run_id: None,
        outcome: Outcome::Done,
        detail: summary(counts),
        differences: Differences::default(),
    });
    Ok(writing.commit().await?)
}

/// What was done, in words: `3 secret variables and 12 state versions`.
pub fn summary(counts: &Counts) -> String {
    let parts: Vec<String> = counts.iter().map(|(column, count)| format!("{count} {}", column.label())).collect();
    match parts.as_slice() {
        [] => "nothing was sealed".into(),
        [all @ .., last] if !all.is_empty() => format!("{} and {last}", all.join(", ")),
        parts => parts.join(""),
    }
}
