//! Reads what a program printed for a terminal, line by line, into [`LogLine`]s: whatever the bytes are, the
//! lines are harmless text.
//!
//! Of all escapes only those that set a style are understood; every other one is dropped, and so is every control
//! character but the tab and every character that reorders others.

mod style;

#[cfg(test)]
mod tests;

use crate::domain::log_line::{LogLine, Span, Style, is_bidirectional_control};
use vte::{Params, Parser, Perform};

/// Reads line after line of one program; a style that is not ended goes on in the next line.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    style: Style,
}

impl Reader {
    /// Starts in the usual style.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads one line, with or without its end. What is not UTF-8 becomes U+FFFD. Of a line that returned to its start,
    /// as progress bars do, only what was printed last remains.
    pub fn line(&mut self, line: impl AsRef<[u8]>) -> LogLine {
        let mut screen = Screen { style: self.style, spans: Vec::new(), returned: false };
        // A new parser for each line: an escape that never ends would swallow the rest of the log.
        Parser::new().advance(&mut screen, String::from_utf8_lossy(line.as_ref()).as_bytes());
        self.style = screen.style;
        LogLine { spans: screen.spans }
    }
}

/// The text of a line without any escape or control character but the tab.
pub fn plain(line: &str) -> String {
    Reader::new().line(line).text()
}

struct Screen {
    style: Style,
    spans: Vec<Span>,
    returned: bool,
}

impl Screen {
    fn push(&mut self, character: char) {
        // Only now: a line that ends in a carriage return keeps what it has.
        if self.returned {
            self.spans.clear();
            self.returned = false;
        }
        match self.spans.last_mut() {
            Some(span) if span.style == self.style => span.text.push(character),
            Some(_) | None => self.spans.push(Span { text: character.into(), style: self.style }),
        }
    }
}

impl Perform for Screen {
    fn print(&mut self, character: char) {
        if !character.is_control() && !is_bidirectional_control(character) {
            self.push(character);
        }
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\t' => self.push('\t'),
            b'\r' => self.returned = true,
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, parameters: &Params, intermediates: &[u8], ignore: bool, action: char) {
        // With intermediates `m` means something else: `ESC [ > 4 ; 2 m` sets a mode of the keyboard.
        if action == 'm' && intermediates.is_empty() && !ignore {
            style::apply(&mut self.style, parameters);
        }
    }
}
