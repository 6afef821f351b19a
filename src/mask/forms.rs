//! The forms in which a secret turns up, and what is usual of these within each other.
//!
//! As it is, line by line, escaped as in JSON and in Terraform's language, percent-encoded, in hexadecimal digits, and in
//! base64, also in the middle of a longer text.

use super::SHORTEST_SECRET;
use crate::domain::log_line::written_out;
use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::collections::BTreeSet;

/// The widths, in characters, at which programs wrap base64: MIME's and PEM's.
const WRAPPED: [usize; 2] = [76, 64];

/// Shorter pieces of wrapped base64 are left alone.
const SHORTEST_PIECE: usize = 8;

/// How deep strings of JSON within strings of JSON are looked for: a plan quotes what a configuration has quoted before.
const DEPTH: usize = 4;

/// Longer texts, in bytes, are not looked for in base64 of other forms: there would be too many of them.
const LONGEST_WITHIN: usize = 4096;

/// What the ways to percent-encode leave as it is, besides letters and digits: that of URIs, of JavaScript, of forms, of
/// Python, of paths, of user names.
const KEPT: [&str; 6] = ["-_.~", "-_.~!*'()", "-_.*", "-_.~/", "-_.~$&+,/:;=@", "-_.~!$%&'()*+,"];

/// Adds every form of a secret; one that is too short has none.
pub(super) fn add(secret: &str, forms: &mut BTreeSet<String>) {
    let unix = secret.replace("\r\n", "\n");
    let dos = unix.replace('\n', "\r\n");
    let mut texts = BTreeSet::from([secret.to_owned(), secret.trim().to_owned(), unix, dos]);
    texts.extend(secret.lines().map(|line| line.trim().to_owned()));
    for text in texts.iter().filter(|text| text.trim().len() >= SHORTEST_SECRET) {
        forms.insert(text.clone());
        add_escaped(text, forms);
        add_percent_encoded(text, forms);
        let hexadecimal = hex::encode(text);
        forms.insert(hexadecimal.to_uppercase());
        forms.insert(hexadecimal);
        add_base64(text.as_bytes(), forms);
    }
    let whole = secret.trim();
    if (SHORTEST_SECRET..=LONGEST_WITHIN).contains(&whole.len()) {
        add_within_base64(whole, forms);
    }
}

/// In base64 of JSON, of an address, and of base64: what stands in configurations of other programs.
fn add_within_base64(text: &str, forms: &mut BTreeSet<String>) {
    let mut within = BTreeSet::from([
        escape(text, |_| false),
        percent_encoded(text, "-_.~", true),
        percent_encoded(text, "-_.*", true).replace("%20", "+"),
    ]);
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        within.extend((0..3).flat_map(|before| own_base64(&engine, text.as_bytes(), before)));
    }
    within.remove(text);
    for form in within {
        add_base64(form.as_bytes(), forms);
    }
}

/// As strings in JSON and in Terraform's language have it, and as JSON within JSON has it.
fn add_escaped(text: &str, forms: &mut BTreeSet<String>) {
    let plain = escape(text, |_| false);
    let written = [
        // Go, and so Terraform, escapes what would be special in HTML.
        escape(text, |character| matches!(character, '<' | '>' | '&' | '\u{2028}' | '\u{2029}')),
        escape(text, |character| !character.is_ascii() || character == '\u{7f}'),
        plain.replace('/', "\\/"),
        plain.replace("${", "$${").replace("%{", "%%{"),
        plain,
    ];
    for form in written {
        let mut deeper = form.clone();
        // The last to quote it, for a page, writes out what cannot be seen as well.
        forms.insert(written_out(&deeper));
        for _ in 1..DEPTH {
            deeper = escape(&deeper, |_| false);
            forms.insert(written_out(&deeper));
            forms.insert(deeper.clone());
        }
        // Digits of an escape may be written in capitals.
        forms.insert(form.split("\\u").enumerate().fold(String::new(), |whole, (number, part)| match number {
            0 => part.to_owned(),
            _ => {
                let (digits, rest) = part.split_at_checked(4).unwrap_or((part, ""));
                whole + "\\u" + &digits.to_uppercase() + rest
            }
        }));
        forms.insert(form);
    }
}

/// Escapes what JSON must escape, and what `more` says, by its number.
fn escape(text: &str, more: impl Fn(char) -> bool) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        if more(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            let quoted = serde_json::Value::from(character.to_string()).to_string();
            escaped.push_str(quoted.get(1..quoted.len() - 1).unwrap_or_default());
        }
    }
    escaped
}

fn percent_encoded(text: &str, kept: &str, capital: bool) -> String {
    let encoded = text.bytes().map(|byte| match char::from(byte) {
        letter if letter.is_ascii_alphanumeric() || kept.contains(letter) => letter.to_string(),
        _ if capital => format!("%{byte:02X}"),
        _ => format!("%{byte:02x}"),
    });
    encoded.collect()
}

fn add_percent_encoded(text: &str, forms: &mut BTreeSet<String>) {
    for kept in KEPT {
        for capital in [true, false] {
            let encoded = percent_encoded(text, kept, capital);
            forms.insert(encoded.replace("%20", "+"));
            forms.insert(encoded);
        }
    }
}

/// The characters that depend on the secret alone when it stands behind so many bytes: with something behind it too, and
/// at the end of the text, where its last bits have a character of their own.
fn own_base64(engine: &GeneralPurpose, bytes: &[u8], before: usize) -> impl Iterator<Item = String> {
    let mut whole = vec![0; before];
    whole.extend(bytes);
    let encoded = engine.encode(&whole);
    let (first, last) = ((before * 8).div_ceil(6), whole.len() * 8 / 6);
    let own = [encoded.get(first..last), encoded.get(first..)].map(|own| own.unwrap_or_default().to_owned());
    own.into_iter().filter(|own| own.len() >= SHORTEST_SECRET)
}

/// The characters that depend on the secret alone, wherever in a group of three bytes it begins; and the lines of the
/// secret's own base64 when it is wrapped.
fn add_base64(bytes: &[u8], forms: &mut BTreeSet<String>) {
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        forms.extend((0..3).flat_map(|before| own_base64(&engine, bytes, before)));
        let own = engine.encode(bytes);
        for width in WRAPPED.into_iter().filter(|width| own.len() > *width) {
            let pieces = own.as_bytes().chunks(width).filter(|piece| piece.len() >= SHORTEST_PIECE);
            forms.extend(pieces.map(|piece| String::from_utf8_lossy(piece).into_owned()));
        }
    }
}
