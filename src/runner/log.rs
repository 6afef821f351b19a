//! The log of one phase, on its way from a program to the store: known secrets are masked, lines are written together
//! every tenth of a second, and a run that prints without end is cut off with a clear mark.

use super::secrets::Secrets;
use crate::commands::Context;
use crate::domain::run::Run;
use crate::store::StoreError;
use std::time::Duration;
use tokio::sync::mpsc;

/// The longest log of one run, in bytes.
pub const LIMIT: i64 = 50 * 1024 * 1024;

const MARK: &str = "--- The log ends here: this run has printed 50 MiB. It goes on, but the rest is not kept. ---";

/// How often lines are written, so that a page has them within a fifth of a second.
const INTERVAL: Duration = Duration::from_millis(100);

/// Writes the log of one step of a run.
#[derive(Debug)]
pub struct Log {
    context: Context,
    run: Run,
    position: i64,
    next_line: i64,
    bytes: i64,
    pending: Vec<String>,
    secrets: Secrets,
    lost: bool,
}

impl Log {
    /// Opens the log of the step that the run is in.
    pub async fn open(context: &Context, run: &Run, secrets: Secrets) -> Result<Self, StoreError> {
        let mut reading = context.store.read().await?;
        let position = reading.transitions(&run.id).await?.last().map_or(0, |transition| transition.position);
        let lengths = reading.log_lengths(&run.id).await?;
        let next_line = lengths.iter().find(|(step, _)| *step == position).map_or(0, |(_, lines)| *lines);
        let bytes = reading.log_bytes(&run.id).await?;
        Ok(Self {
            context: context.clone(),
            run: run.clone(),
            position,
            next_line,
            bytes,
            pending: Vec::new(),
            secrets,
            lost: false,
        })
    }

    /// Takes lines until no more can come.
    pub async fn follow(&mut self, mut lines: mpsc::Receiver<Vec<u8>>) {
        let mut interval = tokio::time::interval(INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                line = lines.recv() => match line {
                    Some(line) => self.push(&String::from_utf8_lossy(&line)),
                    None => break,
                },
                _ = interval.tick() => self.flush().await,
            }
        }
        self.flush().await;
    }

    /// Adds a line of Headway's own.
    pub async fn say(&mut self, line: &str) {
        self.push(line);
        self.flush().await;
    }

    fn push(&mut self, line: &str) {
        if self.bytes >= LIMIT {
            return;
        }
        let line = self.secrets.mask(line.replace('\0', ""));
        self.bytes += i64::try_from(line.len() + 1).unwrap_or(LIMIT);
        self.pending.push(line);
        if self.bytes >= LIMIT {
            self.pending.push(MARK.to_owned());
        }
    }

    async fn flush(&mut self) {
        if self.pending.is_empty() || self.lost {
            self.pending.clear();
            return;
        }
        let lines = std::mem::take(&mut self.pending);
        let written = async {
            let mut writing = self.context.store.write().await?;
            writing.append_log(&self.run, self.position, self.next_line, &lines).await?;
            writing.commit().await
        };
        match written.await {
            Ok(()) => self.next_line += i64::try_from(lines.len()).unwrap_or(0),
            // The keeper finds out as well, and ends the work.
            Err(StoreError::Changed) => self.lost = true,
            Err(error) => {
                tracing::error!(run.id = %self.run.id, %error, "cannot write a log");
                // Kept for the next try.
                self.pending = lines;
            }
        }
    }
}
