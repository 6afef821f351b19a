//! The log of one phase, on its way from a program to the store: known secrets are masked, lines are written at once after
//! a quiet moment and else together every tenth of a second, and a run that prints without end is cut off with a clear
//! mark.

use crate::ansi;
use crate::commands::Context;
use crate::config::limits::LOG as LIMIT;
use crate::domain::log_line::is_bidirectional_control;
use crate::domain::run::Run;
use crate::mask::{Masker, Stream};
use crate::store::StoreError;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

const MARK: &str = "--- The log ends here: this run has printed 50 MiB. It goes on, but the rest is not kept. ---";

/// The longest line that is kept in one piece, in bytes.
const LINE_LIMIT: usize = 64 * 1024;

/// How often lines are written, so that a page has them within a fifth of a second.
const INTERVAL: Duration = Duration::from_millis(100);

/// How long a line that may be the beginning of a secret waits for the next one.
const PATIENCE: Duration = Duration::from_secs(1);

/// Writes the log of one step of a run.
#[derive(Debug)]
pub struct Log {
    context: Context,
    run: Run,
    position: i64,
    next_line: i64,
    bytes: i64,
    pending: Vec<String>,
    masker: Masker,
    stream: Stream,
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    lost: bool,
}

impl Log {
    /// Opens the log of the step that the run is in.
    pub async fn open(context: &Context, run: &Run, masker: Masker) -> Result<Self, StoreError> {
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
            stream: masker.stream(),
            masker,
            line: Vec::new(),
            lost: false,
        })
    }

    /// Takes what a program prints, in any pieces, until no more can come.
    pub async fn follow(&mut self, mut pieces: mpsc::Receiver<Vec<u8>>) {
        let mut interval = tokio::time::interval(INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut last = Instant::now();
        loop {
            tokio::select! {
                piece = pieces.recv() => match piece {
                    Some(piece) => {
                        let was_quiet = last.elapsed() >= INTERVAL;
                        last = Instant::now();
                        self.take(&piece);
                        if was_quiet {
                            self.flush().await;
                            interval.reset();
                        }
                    }
                    None => break,
                },
                _ = interval.tick() => {
                    if last.elapsed() >= PATIENCE {
                        let released = self.stream.release();
                        self.split(&released);
                    }
                    self.flush().await;
                }
            }
        }
        let rest = self.stream.finish();
        self.split(&rest);
        if !self.line.is_empty() {
            self.end_line();
        }
        self.flush().await;
    }

    /// Adds a line of Headway's own.
    pub async fn say(&mut self, line: &str) {
        let line = self.masker.mask(line);
        self.push(&line);
        self.flush().await;
    }

    fn take(&mut self, piece: &[u8]) {
        if self.bytes < LIMIT {
            let masked = self.stream.push(piece);
            self.split(&masked);
        }
    }

    /// Splits what is masked into lines; a very long one is cut.
    fn split(&mut self, masked: &[u8]) {
        for byte in masked {
            if *byte == b'\n' {
                self.end_line();
                continue;
            }
            // Never in the middle of a character.
            let begins = *byte & 0b1100_0000 != 0b1000_0000;
            if begins && self.line.len() >= LINE_LIMIT {
                self.end_line();
            }
            self.line.push(*byte);
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.push(&String::from_utf8_lossy(&line));
    }

    fn push(&mut self, line: &str) {
        if self.bytes >= LIMIT {
            return;
        }
        // What nobody is shown may stand in the middle of a secret, which is then shown whole.
        let unshown = |letter: char| letter.is_control() || is_bidirectional_control(letter);
        let plain = line.contains(unshown).then(|| ansi::plain(line)).filter(|plain| self.masker.finds(plain));
        let line = plain.map_or_else(|| line.replace('\0', ""), |plain| self.masker.mask(&plain));
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::commands::tests::World;
    use crate::commands::trigger::trigger;
    use crate::domain::run_state::RunState;

    #[tokio::test]
    async fn a_log_that_was_cut_off_is_cut_off_once_whatever_phase_comes_next() {
        let world = World::new().await;
        let run = trigger(&world.context, &world.may("ada")).await.unwrap();
        let run = world.to(&run, RunState::Initializing).await;
        let mut log = Log::open(&world.context, &run, Masker::default()).await.unwrap();
        // Many chunks, of which the last goes over the limit by as little as can be.
        let line = "x".repeat(65_535);
        for _ in 0..LIMIT / 65_536 {
            log.say(&line).await;
        }
        assert_eq!(log.bytes, LIMIT);
        let run = world.to(&run.id, RunState::Planning).await;
        Log::open(&world.context, &run, Masker::default()).await.unwrap().say("more").await;
        let mut reading = world.context.store.read().await.unwrap();
        let lines: i64 = reading.log_lengths(&run.id).await.unwrap().iter().map(|(_, lines)| lines).sum();
        assert_eq!(lines, LIMIT / 65_536 + 1, "the lines and one mark");
    }
}
