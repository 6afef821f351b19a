//! Markdown: texts of other people's inside it, and texts that are too long for GitHub.

/// A text of somebody else's: letters only, no link, mention, heading or HTML.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '@' => escaped.push_str("&#64;"),
            // A bare address becomes a link by itself.
            ':' => escaped.push_str("&#58;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '#' | '|' | '>' | '~' | '!' => {
                escaped.push('\\');
                escaped.push(character);
            }
            character if character.is_control() => escaped.push(' '),
            character => escaped.push(character),
        }
    }
    escaped
}

/// Lines as a block of this language, that nothing inside can close.
pub(super) fn fenced(language: &str, text: &str, longest: usize, left_out: impl Fn(&LeftOut) -> String) -> String {
    let fence = "`".repeat(longest_of_backticks(text).max(2) + 1);
    let room = longest.saturating_sub(2 * fence.len() + language.len() + "\n\n".len());
    format!("{fence}{language}\n{}{fence}\n", middle_cut(text, room, left_out))
}

fn longest_of_backticks(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or(0)
}

/// What a block leaves out.
pub(super) struct LeftOut {
    /// How many lines are not there.
    pub lines: usize,
    /// How many there are in all.
    pub of_lines: usize,
    /// How many bytes there are in all.
    pub of_bytes: usize,
}

/// Leaves lines in the middle out and says so: what begins and what ends a plan says most.
fn middle_cut(text: &str, room: usize, left_out: impl Fn(&LeftOut) -> String) -> String {
    if text.len() <= room {
        return text.to_owned();
    }
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let all = LeftOut { lines: lines.len(), of_lines: lines.len(), of_bytes: text.len() };
    // No fewer lines left out make a longer sentence than all of them.
    let half = room.saturating_sub(left_out(&all).len()) / 2;
    let taken = |lines: &mut dyn Iterator<Item = &&str>| {
        let mut size = 0;
        lines
            .take_while(|line| {
                size += line.len();
                size <= half
            })
            .count()
    };
    let head = taken(&mut lines.iter());
    let tail = taken(&mut lines.iter().rev()).min(lines.len() - head);
    let (begin, end) = (lines[..head].concat(), lines[lines.len() - tail..].concat());
    let sentence = left_out(&LeftOut { lines: lines.len() - head - tail, ..all });
    format!("{begin}{sentence}{end}")
}

/// Ends a text that grew longer than this with `more`.
pub(super) fn cut(text: String, longest: usize, more: &str) -> String {
    if text.len() <= longest {
        return text;
    }
    let end = text.floor_char_boundary(longest.saturating_sub(more.len()));
    format!("{}{more}", &text[..end])
}

/// A word as a sentence begins with it.
pub(super) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
