//! A line of a log as it may be shown: pieces of text without control characters, each with the style that the program
//! printed it in.

use serde::{Deserialize, Serialize};

/// One line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Its pieces, in order; none is empty, and no two neighbours have the same style.
    pub spans: Vec<Span>,
}

impl LogLine {
    /// The text without its styles.
    pub fn text(&self) -> String {
        self.spans.iter().map(|span| span.text.as_str()).collect()
    }
}

/// A piece of a line in one style.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The text.
    pub text: String,
    /// How it looks.
    #[serde(default, skip_serializing_if = "Style::is_plain")]
    pub style: Style,
}

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Style {
    /// Heavier.
    #[serde(skip_serializing_if = "is_off")]
    pub bold: bool,
    /// Paler.
    #[serde(skip_serializing_if = "is_off")]
    pub dim: bool,
    /// Slanted.
    #[serde(skip_serializing_if = "is_off")]
    pub italic: bool,
    /// Underlined, in whatever way.
    #[serde(skip_serializing_if = "is_off")]
    pub underline: bool,
    /// The color of the text; none for the usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<Color>,
    /// The color behind the text; none for the usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background: Option<Color>,
    /// Text and what is behind it have changed their colors.
    #[serde(skip_serializing_if = "is_off")]
    pub reverse: bool,
}

impl Style {
    /// Whether it is the usual style.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

fn is_off(flag: &bool) -> bool {
    !flag
}

/// The sixteen colors of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "they are colors")]
pub enum Color {
    Black,
    Red,
    Green,
    Yellow,
    Blue,
    Magenta,
    Cyan,
    White,
    BrightBlack,
    BrightRed,
    BrightGreen,
    BrightYellow,
    BrightBlue,
    BrightMagenta,
    BrightCyan,
    BrightWhite,
}

impl Color {
    /// Every color, in the order of their numbers in a terminal.
    pub const ALL: [Self; 16] = [
        Self::Black,
        Self::Red,
        Self::Green,
        Self::Yellow,
        Self::Blue,
        Self::Magenta,
        Self::Cyan,
        Self::White,
        Self::BrightBlack,
        Self::BrightRed,
        Self::BrightGreen,
        Self::BrightYellow,
        Self::BrightBlue,
        Self::BrightMagenta,
        Self::BrightCyan,
        Self::BrightWhite,
    ];

    /// The word for it in CSS and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Black => "black",
            Self::Red => "red",
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Blue => "blue",
            Self::Magenta => "magenta",
            Self::Cyan => "cyan",
            Self::White => "white",
            Self::BrightBlack => "bright_black",
            Self::BrightRed => "bright_red",
            Self::BrightGreen => "bright_green",
            Self::BrightYellow => "bright_yellow",
            Self::BrightBlue => "bright_blue",
            Self::BrightMagenta => "bright_magenta",
            Self::BrightCyan => "bright_cyan",
            Self::BrightWhite => "bright_white",
        }
    }
}

/// Whether a character makes its neighbours appear in another order than they stand in: an embedding, an override or an
/// isolate of Unicode's bidirectional algorithm.
pub fn is_bidirectional_control(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether nobody sees a character that stands in a text.
///
/// It is what Unicode lets a renderer ignore (`DerivedCoreProperties`, `Default_Ignorable_Code_Point`), but for what joins
/// and varies other signs, which scripts and emoji need. Tags are among it: a text can hide in them, and only the flags of a
/// few regions are made with them.
pub fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}' | '\u{200b}'
            | '\u{200e}' | '\u{200f}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e00ff}' | '\u{e01f0}'..='\u{e0fff}'
    )
}

/// The text with what cannot be seen, or reorders what stands around it, written out as JSON has it: `\u200b`.
pub fn written_out(text: &str) -> String {
    let mut written = String::new();
    for character in text.chars() {
        if character.is_control() || is_bidirectional_control(character) || is_invisible(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                written.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            written.push(character);
        }
    }
    written
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn json_leaves_out_what_is_usual_and_reads_back() {
        let red = Style { bold: true, color: Some(Color::BrightRed), ..Style::default() };
        let spans =
            vec![Span { text: "Error: ".into(), style: red }, Span { text: "no".into(), style: Style::default() }];
        let line = LogLine { spans };
        let json = serde_json::to_string(&line).unwrap();
        assert_eq!(json, r#"{"spans":[{"text":"Error: ","style":{"bold":true,"color":"bright_red"}},{"text":"no"}]}"#);
        assert_eq!(serde_json::from_str::<LogLine>(&json).unwrap(), line);
        assert_eq!(line.text(), "Error: no");
    }

    #[test]
    fn names_are_what_json_writes() {
        for color in Color::ALL {
            assert_eq!(serde_json::to_value(color).unwrap(), color.name());
        }
    }
}
