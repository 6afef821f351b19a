//! Masks against any secret, in any form, cut anywhere; each form is made by a library of its own, not by what looks for
//! it.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use proptest::prelude::*;

/// Sends a text through a stream, cut at these places.
fn streamed(masker: &Masker, text: &[u8], cuts: &[prop::sample::Index]) -> String {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
    cuts.extend([0, text.len()]);
    cuts.sort_unstable();
    let mut stream = masker.stream();
    let mut out = Vec::new();
    for piece in cuts.windows(2) {
        out.extend(stream.push(&text[piece[0]..piece[1]]));
    }
    out.extend(stream.finish());
    String::from_utf8(out).unwrap()
}

/// Lines as a program prints them: wrapped after so many characters.
fn wrapped(text: &str, width: usize, indent: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let lines: Vec<String> = characters.chunks(width).map(|line| line.iter().collect()).collect();
    lines.join(&format!("\n{indent}"))
}

/// A secret, and the forms of it that other code makes.
fn forms_of(secret: &str) -> Vec<String> {
    let json = serde_json::to_string(secret).unwrap();
    let within = serde_json::to_string(&json).unwrap();
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let mut query = url::Url::parse("https://host/").unwrap();
    query.query_pairs_mut().append_pair("q", secret);
    let mut user = url::Url::parse("https://host/").unwrap();
    user.set_password(Some(secret)).unwrap();
    vec![
        secret.to_owned(),
        json[1..json.len() - 1].to_owned(),
        within[3..within.len() - 3].to_owned(),
        form,
        query.query().unwrap()[2..].to_owned(),
        user.password().unwrap().to_owned(),
        serde_json::json!({ "a": serde_json::json!({ "b": json }).to_string() }).to_string(),
        STANDARD.encode(serde_json::json!({ "auth": STANDARD.encode(format!("user:{secret}")) }).to_string()),
        STANDARD.encode(&json),
        hex::encode(secret),
        hex::encode_upper(secret),
        STANDARD.encode(secret),
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
    ]
}

/// The part of a longer base64 text that stays the same whatever stands around the secret.
fn embedded(secret: &str, before: usize) -> (String, String) {
    let around = |byte: u8| {
        let mut bytes = vec![byte; before];
        bytes.extend(secret.as_bytes());
        bytes.extend([byte; 3]);
        STANDARD.encode(bytes)
    };
    let (one, other) = (around(0x00), around(0xff));
    let same: Vec<bool> = one.bytes().zip(other.bytes()).map(|(a, b)| a == b).collect();
    // The longest run, since by chance a character outside of the secret may be the same too.
    let mut best = 0..0;
    let mut begin = 0;
    for at in 0..=same.len() {
        if at == same.len() || !same[at] {
            if at - begin > best.len() {
                best = begin..at;
            }
            begin = at + 1;
        }
    }
    (one.clone(), one[best].to_owned())
}

fn secret() -> impl Strategy<Value = String> {
    let line = "[A-Za-z0-9 +/=<>&%$\\\\\"'{}é~-]{8,90}";
    prop_oneof![
        4 => "[!-~]{4,40}",
        2 => "[ -~äß€𝄞]{4,40}",
        2 => prop::collection::vec(line, 1..6).prop_map(|lines| lines.join("\n")),
        1 => prop::collection::vec(line, 2..4).prop_map(|lines| lines.join("\r\n")),
    ]
    .prop_filter("blanks alone are no secret", |secret| secret.trim().len() >= SHORTEST_SECRET)
}

fn noise() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{0,30}", "[ -~\n]{0,60}", "[a-z ]{0,10}\n"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn no_form_of_a_secret_is_left_wherever_it_is_cut(
        secret in secret(), other in secret(), before in noise(), after in noise(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let masker = Masker::new([&secret, &other]);
        for form in forms_of(&secret) {
            let text = format!("{before}{form}{after}{form}");
            let masked = streamed(&masker, text.as_bytes(), &cuts);
            prop_assert!(!masked.contains(&form), "{form:?} is in {masked:?}");
            prop_assert!(masker.finds(&form));
            prop_assert_eq!(masked, masker.mask(&text), "however it is cut");
        }
    }

    #[test]
    fn no_base64_around_a_secret_gives_it_away(secret in secret(), before in 0..7_usize) {
        let (text, own) = embedded(&secret, before);
        prop_assume!(own.len() >= SHORTEST_SECRET);
        let masked = Masker::new([&secret]).mask(&text);
        prop_assert!(!masked.contains(&own), "{own:?} is in {masked:?}");
        prop_assert!(!Masker::new([&secret]).mask(&text.replace('+', "-").replace('/', "_")).contains(&own));
    }

    #[test]
    fn a_secret_over_several_lines_is_masked_indented_prefixed_and_wrapped(
        lines in prop::collection::vec("[A-Za-z0-9+/]{64}", 2..6), indent in "[ \t]{0,8}", prefix in "[a-z_.]{1,12}: ",
        width in 8..100_usize,
    ) {
        let secret = lines.join("\n");
        let masker = Masker::new([&secret]);
        let texts = [
            lines.join(&format!("\n{indent}")),
            lines.join("\r\n"),
            lines.join(&format!("\n{prefix}")),
            wrapped(&STANDARD.encode(&secret), width, &indent),
            wrapped(&hex::encode(&secret), width, &indent),
            wrapped(&STANDARD.encode(&secret), 76, &prefix),
        ];
        for text in texts {
            let masked = masker.mask(&text);
            prop_assert_eq!(masked.lines().count(), text.lines().count());
            for line in text.lines().map(|line| line.trim().trim_start_matches(&prefix)).filter(|line| line.len() >= 8) {
                prop_assert!(!masked.contains(line), "{line:?} is in {masked:?}");
            }
        }
    }

    #[test]
    fn only_what_may_begin_a_secret_is_held_back(
        secret in "[a-m]{12,40}", text in "[n-z0-9]{4,200}", length in 4..12_usize,
    ) {
        let masker = Masker::new([&secret]);
        // By chance the end of one may be the beginning of a form, in digits or in base64.
        let end = &text[text.len() - 4..];
        prop_assume!(!masker.finds(&text) && !forms_of(&secret).iter().any(|form| form.starts_with(end)));
        let (ended, begun) = (format!("{}{text}", &secret[..length]), format!("{text}{}", &secret[..length]));
        prop_assert!(masker.may_begin_at_the_end_of(&begun));
        prop_assert!(!masker.may_begin_at_the_end_of(&ended));
        prop_assert!(masker.stream().push(begun.as_bytes()).len() >= text.len() - 3);
        prop_assert!(masker.stream().push(ended.as_bytes()).len() >= ended.len() - 3);
    }

    #[test]
    fn what_holds_no_secret_passes_as_it_is(
        secret in "[a-m]{8,20}", text in "[n-z0-9 \n\t•é\\-]{0,200}",
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let masker = Masker::new([&secret]);
        prop_assume!(!masker.finds(&text));
        let mut cuts = cuts;
        // Bytes of one character may come apart.
        cuts.truncate(8);
        prop_assert_eq!(streamed(&masker, text.as_bytes(), &cuts), text);
    }
}

#[test]
fn a_mask_is_as_long_as_any_other_and_stands_once_for_what_is_in_one_piece() {
    let masker = Masker::new(["hunter2", "hunter2-long", "abc"]);
    assert_eq!(masker.mask("abc hunter2-long hunter2! hunter2hunter2"), "abc •••••• ••••••! ••••••");
    assert!(!masker.finds("abc") && masker.finds("a hunter2"));
    assert_eq!(Masker::new([""; 0]).mask("anything"), "anything");
    assert_eq!(Masker::new(["", "  \n", "abc"]).mask("anything"), "anything");
}

#[test]
fn what_may_be_a_beginning_waits_for_its_end_but_not_forever() {
    let mut stream = Masker::new(["first-half second-half"]).stream();
    assert_eq!(stream.push(b"begin\nfirst-half "), b"begin\n");
    assert_eq!(stream.release(), b"", "no whole line waits");
    assert_eq!(stream.push(b"third\n"), b"first-half third\n");
    assert_eq!(stream.push(b"first-half\n"), b"");
    assert_eq!(stream.release(), b"first-half\n");
    assert_eq!(stream.push(b"other"), b"other");
    assert_eq!(stream.finish(), b"");
}

#[test]
fn a_long_text_is_not_taken_for_the_beginning_of_a_secret() {
    // Every short piece of it begins some form or other, as random digits do.
    let masker = Masker::new(["kX9$vq-Zr/72pLmW0", "0123456789abcdefghijklmnopqrstuvwxyz", "second line\nthird line"]);
    for seed in 0..60_u32 {
        let random = (0..3000_u32).map(|place| (seed * 3000 + place).wrapping_mul(2_654_435_761).to_be_bytes()[0]);
        let text = STANDARD.encode(random.collect::<Vec<u8>>());
        assert!(!masker.may_begin_at_the_end_of(&text), "{}", &text[text.len() - 20..]);
    }
    assert!(masker.may_begin_at_the_end_of(&format!("{}kX9$vq", "x".repeat(9000))));
}

#[test]
fn base64_of_a_secret_leaves_none_of_its_bits() {
    for secret in ["hunter2", "hunter22", "hunter222"] {
        for before in ["", "u", "us"] {
            let masked = Masker::new([secret]).mask(&STANDARD.encode(format!("{before}{secret}")));
            let rest = masked.split_once(MASKED).unwrap().1;
            assert_eq!(rest.trim_end_matches('='), "", "{secret} behind {before:?}: {masked}");
        }
    }
}

#[test]
fn what_repeats_itself_takes_no_longer() {
    let secret = "a".repeat(20_000);
    let masked = Masker::new([&secret]).mask(&"a".repeat(2_000_000));
    assert_eq!(masked, MASKED);
}
