//! Logs: the lines that a run's phases printed, in chunks, each under the step of the run's life that printed it.

use super::{Change, Reading, Result, StoreError, Writing, on};
use crate::domain::RunId;
use crate::domain::run::Run;

/// Some lines of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredLines {
    /// The number of the first of them, counted from 0.
    pub first: i64,
    /// The lines, as the runner stored them.
    pub lines: Vec<String>,
}

/// The most bytes in one chunk, unless a single line has more: whoever reads a line reads its chunk.
const CHUNK: usize = 64 * 1024;

#[derive(sqlx::FromRow)]
struct Row {
    first_line: i64,
    text: String,
}

impl Reading {
    /// How many lines each step of a run has printed: step, lines.
    pub async fn log_lengths(&mut self, run: &RunId) -> Result<Vec<(i64, i64)>> {
        Ok(on!(self, connection => sqlx::query_as(
            "select position, max(first_line + lines) from log_chunk where run_id = $1 group by position order by position"
        ).bind(run).fetch_all(connection).await)?)
    }

    /// The bytes that a run has printed so far, the ends of its lines among them.
    pub async fn log_bytes(&mut self, run: &RunId) -> Result<i64> {
        let (bytes,): (i64,) = on!(self, connection => sqlx::query_as(
            "select cast(coalesce(sum(bytes), 0) as bigint) from log_chunk where run_id = $1"
        ).bind(run).fetch_one(connection).await)?;
        Ok(bytes)
    }

    /// At most `limit` lines of one step from line `from` on.
    pub async fn log_lines(&mut self, run: &RunId, position: i64, from: i64, limit: i64) -> Result<StoredLines> {
        let rows: Vec<Row> = on!(self, connection => sqlx::query_as(
            "select first_line, text from log_chunk
             where run_id = $1 and position = $2 and first_line + lines > $3 and first_line < $4 order by first_line"
        ).bind(run).bind(position).bind(from).bind(from + limit).fetch_all(connection).await)?;
        let mut found = StoredLines { first: from, lines: Vec::new() };
        for row in rows {
            for (number, line) in (row.first_line..).zip(row.text.split('\n')) {
                if number >= from && number < from + limit {
                    if found.lines.is_empty() {
                        found.first = number;
                    }
                    found.lines.push(line.to_owned());
                }
            }
        }
        Ok(found)
    }
}

impl Writing {
    /// Adds lines to the log of the step at `position`, as the worker that holds the run.
    pub async fn append_log(&mut self, run: &Run, position: i64, first_line: i64, lines: &[String]) -> Result<()> {
        let (mut first_line, mut rest) = (first_line, lines);
        while !rest.is_empty() {
            let (chunk, later) = rest.split_at(fitting(rest));
            let text = chunk.join("\n");
            let count = i64::try_from(chunk.len()).unwrap_or(i64::MAX);
            // Each line with its end, as whoever counts towards the limit does.
            let bytes = i64::try_from(text.len() + 1).unwrap_or(i64::MAX);
            let added = on!(self, connection => sqlx::query(
                "insert into log_chunk (run_id, position, first_line, lines, bytes, text)
                 select $1, $2, $3, $4, $5, $6 from run where id = $1 and fence = $7"
            ).bind(&run.id).bind(position).bind(first_line).bind(count).bind(bytes).bind(text).bind(run.fence)
                .execute(connection).await.map(|done| done.rows_affected()))?;
            if added != 1 {
                return Err(StoreError::Changed);
            }
            (first_line, rest) = (first_line + count, later);
        }
        self.tell(Change::Log(run.id.clone()));
        Ok(())
    }
}

/// How many of the lines fit into one chunk: one at least.
fn fitting(lines: &[String]) -> usize {
    let sums = lines.iter().scan(0, |sum: &mut usize, line| {
        *sum += line.len() + 1;
        Some(*sum)
    });
    sums.take_while(|sum| *sum <= CHUNK).count().max(1)
}
