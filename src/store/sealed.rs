//! The sealed texts of every table, as the rotation of keys goes through them: it asks for those that another key sealed
//! and puts each back sealed anew.

use super::{Reading, Result, StoreError, Writing, on};
use crate::domain::sealed::SealedColumn;
use sqlx::AssertSqlSafe;
use std::collections::BTreeSet;

impl Reading {
    /// The beginnings, up to the name of the key, of all sealed texts; empty for those that name no key.
    pub async fn seal_marks(&mut self) -> Result<BTreeSet<String>> {
        let mut marks = BTreeSet::new();
        for column in SealedColumn::ALL {
            let Sql { table, name, sealed, .. } = Sql::of(column);
            // `1:` and the eight digits of a key's name, with the colon after them.
            let found: Vec<(String,)> = on!(self, connection => sqlx::query_as(AssertSqlSafe(format!(
                "select distinct case when {name} like '1:________:%' then substr({name}, 1, 11) else '' end
                 from {table} where {sealed}"
            ))).fetch_all(connection).await)?;
            marks.extend(found.into_iter().map(|(mark,)| mark));
        }
        Ok(marks)
    }

    /// The rows of a column whose text does not begin with this mark: at most `limit`, by name, from `after` on.
    pub async fn rows_sealed_otherwise(
        &mut self,
        column: SealedColumn,
        mark: &str,
        after: &str,
        limit: i64,
    ) -> Result<Vec<String>> {
        let Sql { table, name, row, sealed } = Sql::of(column);
        let rows: Vec<(String,)> = on!(self, connection => sqlx::query_as(AssertSqlSafe(format!(
            "select {row} from {table} where {sealed} and substr({name}, 1, 11) <> $1 and {row} > $2
             order by 1 limit $3"
        ))).bind(mark).bind(after).bind(limit).fetch_all(connection).await)?;
        Ok(rows.into_iter().map(|(row,)| row).collect())
    }

    /// The sealed text of a row.
    pub async fn sealed_text(&mut self, column: SealedColumn, row: &str) -> Result<Option<String>> {
        let Sql { table, name, row: key, sealed } = Sql::of(column);
        let found: Option<(String,)> = on!(self, connection => sqlx::query_as(AssertSqlSafe(format!(
            "select {name} from {table} where {sealed} and {key} = $1"
        ))).bind(row).fetch_optional(connection).await)?;
        Ok(found.map(|(text,)| text))
    }
}

impl Writing {
    /// Puts a text back, sealed anew; [`StoreError::Changed`] when it is another one by now.
    pub async fn reseal(&mut self, column: SealedColumn, row: &str, before: &str, after: &str) -> Result<()> {
        let Sql { table, name, row: key, .. } = Sql::of(column);
        let changed = on!(self, connection => sqlx::query(AssertSqlSafe(format!(
            "update {table} set {name} = $3 where {key} = $1 and {name} = $2"
        ))).bind(row).bind(before).bind(after).execute(connection).await.map(|done| done.rows_affected()))?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Changed) }
    }
}

/// The parts of a statement about a sealed column.
struct Sql {
    table: &'static str,
    name: &'static str,
    /// The name of a row, as the text's place has it.
    row: String,
    /// Whether there is a sealed text in a row.
    sealed: String,
}

impl Sql {
    fn of(column: SealedColumn) -> Self {
        let row: Vec<String> = column.key().iter().map(|part| format!("cast({part} as text)")).collect();
        let name = column.name();
        let only_if = column.only_if().map(|condition| format!(" and {condition}")).unwrap_or_default();
        Self {
            table: column.table(),
            name,
            row: row.join(" || '/' || "),
            sealed: format!("{name} is not null{only_if}"),
        }
    }
}
