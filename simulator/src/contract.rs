//! GitHub's published descriptions, which the simulator is held to: the bodies of the requests that it accepts, and the
//! webhooks that it sends. So it cannot share a misunderstanding with the server that is tested against it.

use jsonschema::Validator;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

static REST: LazyLock<Vec<Operation>> = LazyLock::new(|| operations(include_str!("../contract/rest.json")));
static WEBHOOKS: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../contract/webhooks.json")).unwrap_or_default());
static COMPILED: LazyLock<Mutex<HashMap<String, Validator>>> = LazyLock::new(Mutex::default);

/// GitHub's limit of a text, which its description of the bodies leaves out.
const LONGEST: usize = 65_535;

struct Operation {
    method: String,
    path: Vec<String>,
    body: Option<Validator>,
}

fn operations(text: &str) -> Vec<Operation> {
    let published: Value = serde_json::from_str(text).unwrap_or_default();
    let Some(operations) = published["operations"].as_object() else { return Vec::new() };
    operations
        .iter()
        .filter_map(|(name, schema)| {
            let (method, path) = name.split_once(' ')?;
            Some(Operation {
                method: method.to_owned(),
                path: path.split('/').map(str::to_owned).collect(),
                body: if schema.is_null() { None } else { jsonschema::draft7::new(schema).ok() },
            })
        })
        .collect()
}

/// What of a request's body GitHub's description of the API does not allow.
pub fn request(method: &str, path: &str, body: &Value) -> Result<(), Vec<String>> {
    let parts: Vec<&str> = path.split('/').collect();
    let fits = |operation: &&Operation| {
        operation.method == method
            && operation.path.len() == parts.len()
            && operation.path.iter().zip(&parts).all(|(known, part)| known.starts_with('{') || known == part)
    };
    let Some(operation) = REST.iter().find(fits) else {
        return Err(vec![format!("GitHub has no operation {method} {path} with a body")]);
    };
    let mut wrong: Vec<String> = operation.body.iter().flat_map(|schema| errors(schema, body)).collect();
    if path.contains("/check-runs") {
        // The description of POST lacks what the documentation says.
        if method == "POST" && body["status"] == "completed" && body["conclusion"].is_null() {
            wrong.push("conclusion: is needed when the status is completed".into());
        }
        for field in ["summary", "text"] {
            if body["output"][field].as_str().is_some_and(|text| text.chars().count() > LONGEST) {
                wrong.push(format!("output.{field}: is too long (maximum is {LONGEST} characters)"));
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// What of a webhook GitHub's published schemas do not allow.
pub fn webhook(event: &str, body: &Value) -> Result<(), Vec<String>> {
    let name = match body["action"].as_str() {
        Some(action) => format!("{event}${action}"),
        None => format!("{event}$event"),
    };
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if !compiled.contains_key(&name) {
        let definitions = &WEBHOOKS["definitions"];
        if definitions.get(&name).is_none() {
            return Err(vec![format!("GitHub has no webhook {name}")]);
        }
        let schema = json!({ "$ref": format!("#/definitions/{name}"), "definitions": definitions });
        let validator = jsonschema::draft7::new(&schema).map_err(|error| vec![error.to_string()])?;
        compiled.insert(name.clone(), validator);
    }
    let wrong = compiled.get(&name).map(|schema| errors(schema, body)).unwrap_or_default();
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

fn errors(schema: &Validator, body: &Value) -> Vec<String> {
    schema
        .iter_errors(body)
        .map(|error| {
            let place = error.instance_path().to_string();
            let said: String = error.to_string().chars().take(300).collect();
            format!("{}: {said}", place.trim_start_matches('/').replace('/', "."))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNS: &str = "/repos/acme/network/check-runs";

    fn action(label: usize, description: usize, identifier: usize) -> Value {
        json!({ "label": "l".repeat(label), "description": "d".repeat(description), "identifier": "i".repeat(identifier) })
    }

    fn run(change: impl Fn(&mut Value)) -> Value {
        let mut body = json!({
            "name": "headway/network", "head_sha": "a".repeat(40), "status": "in_progress",
            "output": { "title": "t", "summary": "s" }, "actions": [action(20, 40, 20)],
        });
        change(&mut body);
        body
    }

    #[test]
    fn what_github_takes_is_taken() {
        for actions in [json!([]), json!([action(1, 1, 1), action(20, 40, 20), action(2, 2, 2)])] {
            let body = run(|body| body["actions"] = actions.clone());
            assert_eq!(request("POST", RUNS, &body), Ok(()));
        }
        assert_eq!(request("POST", "/repos/a/b/issues/1/comments", &json!({ "body": "x" })), Ok(()));
    }

    #[test]
    fn what_github_refuses_is_refused() {
        let wrong: Vec<(&str, Value)> = vec![
            ("four actions", run(|body| body["actions"] = json!(vec![action(1, 1, 1); 4]))),
            ("a long label", run(|body| body["actions"] = json!([action(21, 1, 1)]))),
            ("a long description", run(|body| body["actions"] = json!([action(1, 41, 1)]))),
            ("a long identifier", run(|body| body["actions"] = json!([action(1, 1, 21)]))),
            ("no label", run(|body| body["actions"] = json!([{ "description": "d", "identifier": "i" }]))),
            ("no head_sha", run(|body| drop(body.as_object_mut().map(|body| body.remove("head_sha"))))),
            ("no summary", run(|body| body["output"] = json!({ "title": "t" }))),
            ("a long summary", run(|body| body["output"]["summary"] = "s".repeat(65_536).into())),
            ("another status", run(|body| body["status"] = "done".into())),
            ("another conclusion", run(|body| body["conclusion"] = "fine".into())),
            ("an end without conclusion", run(|body| body["status"] = "completed".into())),
            ("a bad time", run(|body| body["started_at"] = 5.into())),
        ];
        for (what, body) in wrong {
            assert!(request("POST", RUNS, &body).is_err(), "{what}");
        }
        let completed = json!({ "status": "completed" });
        assert!(request("PATCH", "/repos/a/b/check-runs/1", &completed).is_err());
        assert!(request("POST", "/repos/a/b/issues/1/comments", &json!({})).is_err());
        assert!(request("POST", "/repos/a/b/no-such-thing", &json!({})).is_err());
        assert!(request("POST", "/repos/a/b/deployments/1/statuses", &json!({ "state": "done" })).is_err());
    }

    #[test]
    fn a_webhook_that_lacks_something_or_has_too_much_is_found() {
        assert!(webhook("ping", &json!({})).is_err());
        assert!(webhook("check_run", &json!({ "action": "pressed" })).is_err());
        assert!(webhook("star", &json!({ "action": "created" })).is_err());
    }
}
