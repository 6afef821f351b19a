//! The webhooks that Headway handles, held against GitHub's published schemas: these name every field, so that a
//! missing field is found as well as an invented one.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::schema;

/// Definitions are called `event$action`, or `event$event` when the event has no actions.
const SEPARATOR: char = '$';

#[derive(Deserialize)]
struct Extract {
    definitions: Map<String, Value>,
}

static WEBHOOKS: LazyLock<Result<BTreeMap<String, Validator>, String>> = LazyLock::new(load);

/// Whether the body is what GitHub sends for the event (`X-GitHub-Event`) and its `action`; if not, every violation.
///
/// An event or action that Headway does not handle is a violation, too.
pub fn webhook(event: &str, body: &Value) -> Result<(), Vec<String>> {
    let webhooks = WEBHOOKS.as_ref().map_err(|error| vec![error.clone()])?;
    let action = body.get("action").and_then(Value::as_str);
    let name = format!("{event}{SEPARATOR}{}", action.unwrap_or("event"));
    let Some(validator) = webhooks.get(&name) else {
        let action =
            action.map_or_else(|| "without an action".to_owned(), |action| format!("with the action {action}"));
        return Err(vec![format!("{event} {action}: no webhook that Headway handles")]);
    };
    let violations = schema::violations(validator, body);
    if violations.is_empty() { Ok(()) } else { Err(violations) }
}

fn load() -> Result<BTreeMap<String, Validator>, String> {
    let extract: Extract = serde_json::from_str(include_str!("../../contract/webhooks.json"))
        .map_err(|error| format!("webhooks.json: {error}"))?;
    let webhooks = extract.definitions.keys().filter(|name| name.contains(SEPARATOR));
    webhooks
        .map(|name| {
            let reference = json!({ "$ref": format!("#/definitions/{name}") });
            let validator = schema::compile(&reference, &extract.definitions)?;
            Ok((name.clone(), validator))
        })
        .collect::<Result<_, String>>()
        .map_err(|error| format!("webhooks.json: {error}"))
}
