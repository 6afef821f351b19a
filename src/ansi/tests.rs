//! Lines as Terraform and others print them, lines that try to do harm, and random ones.

use super::{Reader, plain};
use crate::domain::log_line::{LogLine, is_bidirectional_control};
use proptest::prelude::*;

/// A line as text: each span after the names of its style in brackets.
fn written(line: &LogLine) -> String {
    let mut text = String::new();
    for span in &line.spans {
        let style = span.style;
        let flags = [
            (style.bold, "bold"),
            (style.dim, "dim"),
            (style.italic, "italic"),
            (style.underline, "underline"),
            (style.reverse, "reverse"),
        ];
        let mut names: Vec<_> = flags.into_iter().filter(|(on, _)| *on).map(|(_, name)| name.to_owned()).collect();
        names.extend(style.color.map(|color| color.name().to_owned()));
        names.extend(style.background.map(|color| format!("on {}", color.name())));
        text.push_str(&format!("[{}]{}", names.join(" "), span.text));
    }
    text
}

#[track_caller]
fn reads(line: &str, expected: &str) {
    assert_eq!(written(&Reader::new().line(line)), expected);
}

#[test]
fn styles_are_read() {
    reads("\x1b[0m\x1b[1mPlan:\x1b[0m 1 to add", "[bold]Plan:[] 1 to add");
    reads("  \x1b[32m+\x1b[0m\x1b[0m input = \x1b[1;91mx\x1b[22;39my", "[]  [green]+[] input = [bold bright_red]x[]y");
    reads(
        "\x1b[2;3;4ma\x1b[23mb\x1b[24mc\x1b[22md\x1b[4:3me\x1b[4:0mf",
        "[dim italic underline]a[dim underline]b[dim]c[]d[underline]e[]f",
    );
    reads("\x1b[31ma\x1b[mb\x1b[8;53;999mc", "[red]a[]bc");
    reads(
        "\x1b[30;42ma\x1b[49mb\x1b[101mc\x1b[7md\x1b[27;0me",
        "[black on green]a[black]b[black on bright_red]c[reverse black on bright_red]d[]e",
    );
}

#[test]
fn larger_palettes_become_the_nearest_color_and_take_their_parameters_along() {
    reads("\x1b[38;5;9;1ma", "[bold bright_red]a");
    reads("\x1b[38;5;28ma\x1b[38;5;240mb\x1b[38;5;15mc", "[green]a[bright_black]b[bright_white]c");
    reads(
        "\x1b[38;2;250;5;5ma\x1b[38:2::0:200:10mb\x1b[38:2:0:0:255mc\x1b[38:5:3md",
        "[bright_red]a[green]b[blue]c[yellow]d",
    );
    reads("\x1b[48;5;1;3ma\x1b[0;48;2;1;1;1mb\x1b[58;5;4mc\x1b[58:2::1:1:1md", "[italic on red]a[on black]bcd");
    reads("\x1b[31;38ma\x1b[38;5mb\x1b[38;2;1mc\x1b[38;9md\x1b[0;38;5;999me", "[red]abcd[]e");
}

#[test]
fn a_style_goes_on_in_the_next_line_and_an_unended_escape_does_not() {
    let mut reader = Reader::new();
    assert_eq!(written(&reader.line(b"\x1b[33ma")), "[yellow]a");
    assert_eq!(written(&reader.line(b"")), "");
    assert_eq!(written(&reader.line(b"b \x1b]0;title")), "[yellow]b ");
    assert_eq!(written(&reader.line(b"c \x1bPq")), "[yellow]c ");
    assert_eq!(written(&reader.line(b"d \x1b[3")), "[yellow]d ");
    assert_eq!(written(&reader.line(b"e\x1b[0mf")), "[yellow]e[]f");
}

#[test]
fn every_other_escape_is_dropped() {
    reads("a\x1b[2J\x1b[1;1H\x1b[K\x1b[?25lb\x1b7\x1b(Bc\x1b[>4;2md", "[]abcd");
    reads("\x1b]0;title\x07a\x1b]8;;https://example.com\x1b\\link\x1b]8;;\x1b\\b\x1b]52;c;AAAA\x07", "[]alinkb");
    reads("a\x1bPdevice\x1b\\b\x1b_application\x1b\\c\x1b^private\x1b\\d", "[]abcd");
    reads("<img onerror=alert(1)>", "[]<img onerror=alert(1)>");
}

#[test]
fn control_characters_and_reordering_ones_are_dropped_but_the_tab() {
    reads("a\tb\0c\x07d\x08e\x7ff\u{85}g\u{9b}31mh", "[]a\tbcdefg31mh");
    reads("\u{202e}a\u{202c}\u{2066}b\u{2069}", "[]ab");
    assert_eq!(Reader::new().line(b"a\xffb\xc3").text(), "a\u{fffd}b\u{fffd}");
}

#[test]
fn after_a_carriage_return_only_what_was_printed_last_remains() {
    reads("10%\r20%\r\x1b[1m30%", "[bold]30%");
    reads("text\r\n", "[]text");
    reads("10%\r20%\r\x1b[K", "[]20%");
}

proptest! {
    #[test]
    fn any_bytes_become_harmless_lines(lines in prop::collection::vec(bytes(), 1..4)) {
        let mut reader = Reader::new();
        for bytes in lines {
            let line = reader.line(&bytes);
            let harmless = |character: char| {
                character == '\t' || !(character.is_control() || is_bidirectional_control(character))
            };
            prop_assert!(line.text().chars().all(harmless), "{:?}", line);
            prop_assert!(line.spans.iter().all(|span| !span.text.is_empty()));
            prop_assert!(line.spans.windows(2).all(|pair| pair[0].style != pair[1].style));
        }
    }

    #[test]
    fn text_without_escapes_comes_out_the_same(text in "([^\\pC\u{202a}-\u{202e}\u{2066}-\u{2069}]|[\t -~é✓])*") {
        prop_assert_eq!(plain(&text), text);
    }
}

/// Bytes at random, and pieces of escapes.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..8),
        "\x1b(\\[|\\]|P|_)[0-9;:?<>]{0,12}[mKHJ\x07]?".prop_map(String::into_bytes),
        "\\PC{0,4}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}
