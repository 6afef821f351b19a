//! JSON schemas of draft 7, as both extracts have them, and violations that a person can read.

use std::fmt::Write as _;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, ValidationError, Validator};
use serde_json::{Map, Value, json};

/// How much of an offending value a violation quotes.
const QUOTED: usize = 60;

/// The validator of a schema that may refer to `#/definitions/…`.
pub(super) fn compile(schema: &Value, definitions: &Map<String, Value>) -> Result<Validator, String> {
    // In draft 7 nothing counts next to a `$ref`, which `allOf` keeps away from the definitions.
    let document = json!({ "allOf": [schema], "definitions": definitions });
    jsonschema::options()
        .with_draft(Draft::Draft7)
        .should_validate_formats(true)
        .build(&document)
        .map_err(|error| describe(&error))
}

/// Every violation of the schema, as `where: what`.
pub(super) fn violations(validator: &Validator, body: &Value) -> Vec<String> {
    validator.iter_errors(body).map(|error| describe(&error)).collect()
}

fn describe(error: &ValidationError<'_>) -> String {
    let place = error.instance_path().as_str().trim_start_matches('/');
    let mut text = if place.is_empty() { String::new() } else { format!("{place}: ") };
    // Writing to a string cannot fail.
    let _ = write!(text, "{}", error.masked_with(quote(error.instance())));
    if let ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } = error.kind() {
        let branches = context.iter().map(|errors| errors.iter().map(describe).collect::<Vec<_>>().join(", "));
        let _ = write!(text, " ({})", branches.collect::<Vec<_>>().join("; or "));
    }
    text
}

fn quote(value: &Value) -> String {
    let whole = value.to_string();
    match whole.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", &whole[..end]),
        None => whole,
    }
}
