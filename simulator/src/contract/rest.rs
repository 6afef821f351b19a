//! The requests that Headway sends, held against GitHub's REST description and against the rules written by hand.
//!
//! GitHub ignores a field that it does not know; here such a field is a violation, because a misspelt field would be
//! lost without a word.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::schema;

/// An operation as `rest.json` has it.
#[derive(Deserialize)]
struct Described {
    /// The parameters of the path that are numbers.
    numbers: Vec<String>,
    /// Whether there has to be a body.
    #[serde(default)]
    required: bool,
    /// The schema of the body, if the operation takes one.
    body: Option<Value>,
}

#[derive(Deserialize)]
struct Extract {
    operations: BTreeMap<String, Described>,
    definitions: Map<String, Value>,
}

/// A rule of `rules.json`.
#[derive(Deserialize)]
struct Rule {
    operations: Vec<String>,
    says: String,
    schema: Value,
}

#[derive(Deserialize)]
struct Rules {
    rules: Vec<Rule>,
}

struct Operation {
    method: String,
    segments: Vec<Segment>,
    required: bool,
    body: Option<Validator>,
    rules: Vec<(String, Validator)>,
}

enum Segment {
    Word(String),
    Text,
    Number,
}

static OPERATIONS: LazyLock<Result<Vec<Operation>, String>> = LazyLock::new(load);

/// Whether GitHub has the operation, among those that Headway uses. The path is as in [`request`].
pub fn known(method: &str, path: &str) -> bool {
    OPERATIONS.as_ref().is_ok_and(|operations| find(operations, method, path).is_some())
}

/// Whether GitHub accepts the body (`null` for none) of a request; if not, every violation.
///
/// The path is as sent, without the prefix `/api/v3` and without the query. An operation that is not [`known`] is a
/// violation, too.
pub fn request(method: &str, path: &str, body: &Value) -> Result<(), Vec<String>> {
    let operations = OPERATIONS.as_ref().map_err(|error| vec![error.clone()])?;
    let Some(operation) = find(operations, method, path) else {
        return Err(vec![format!("{method} {path}: no operation that Headway uses")]);
    };
    let violations = operation.violations(body);
    if violations.is_empty() { Ok(()) } else { Err(violations) }
}

fn find<'a>(operations: &'a [Operation], method: &str, path: &str) -> Option<&'a Operation> {
    operations.iter().find(|operation| operation.method == method && operation.matches(path))
}

impl Operation {
    fn matches(&self, path: &str) -> bool {
        let segments: Vec<&str> = path.split('/').collect();
        segments.len() == self.segments.len()
            && self.segments.iter().zip(segments).all(|(expected, sent)| expected.matches(sent))
    }

    fn violations(&self, body: &Value) -> Vec<String> {
        match &self.body {
            None if body.is_null() => Vec::new(),
            None => vec!["the operation takes no body".to_owned()],
            Some(_) if body.is_null() && !self.required => Vec::new(),
            Some(_) if body.is_null() => vec!["the operation needs a body".to_owned()],
            Some(described) => {
                let broken = self.rules.iter().filter(|(_, rule)| !rule.is_valid(body)).map(|(says, _)| says.clone());
                schema::violations(described, body).into_iter().chain(broken).collect()
            }
        }
    }
}

impl Segment {
    fn matches(&self, sent: &str) -> bool {
        match self {
            Self::Word(word) => word == sent,
            Self::Text => !sent.is_empty(),
            Self::Number => !sent.is_empty() && sent.bytes().all(|byte| byte.is_ascii_digit()),
        }
    }
}

fn load() -> Result<Vec<Operation>, String> {
    let mut extract: Extract = serde_json::from_str(include_str!("../../contract/rest.json"))
        .map_err(|error| format!("rest.json: {error}"))?;
    let rules: Rules = serde_json::from_str(include_str!("../../contract/rules.json"))
        .map_err(|error| format!("rules.json: {error}"))?;
    let unknown = |name: &&String| !extract.operations.contains_key(*name);
    if let Some(name) = rules.rules.iter().flat_map(|rule| &rule.operations).find(unknown) {
        return Err(format!("rules.json: rest.json has no operation {name}"));
    }
    extract.definitions.values_mut().for_each(close);
    let operations = std::mem::take(&mut extract.operations);
    operations
        .into_iter()
        .map(|(name, described)| operation(&name, described, &extract.definitions, &rules.rules))
        .collect()
}

fn operation(
    name: &str,
    described: Described,
    definitions: &Map<String, Value>,
    rules: &[Rule],
) -> Result<Operation, String> {
    let (method, path) = name.split_once(' ').ok_or_else(|| format!("rest.json: {name} has no path"))?;
    let body = described.body.map(|mut body| {
        close(&mut body);
        schema::compile(&body, definitions).map_err(|error| format!("rest.json: {name}: {error}"))
    });
    let rules = rules.iter().filter(|rule| rule.operations.iter().any(|operation| operation == name)).map(|rule| {
        let validator = schema::compile(&rule.schema, &Map::new()).map_err(|error| format!("rules.json: {error}"))?;
        Ok((rule.says.clone(), validator))
    });
    Ok(Operation {
        method: method.to_owned(),
        segments: path.split('/').map(|segment| parse(segment, &described.numbers)).collect(),
        required: described.required,
        body: body.transpose()?,
        rules: rules.collect::<Result<_, String>>()?,
    })
}

fn parse(segment: &str, numbers: &[String]) -> Segment {
    match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(parameter) if numbers.iter().any(|number| number == parameter) => Segment::Number,
        Some(_) => Segment::Text,
        None => Segment::Word(segment.to_owned()),
    }
}

/// Forbids fields that the schema does not name, except where it says itself what else there may be.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(keywords) => {
            if keywords.contains_key("properties") {
                keywords.entry("additionalProperties").or_insert(Value::Bool(false));
            }
            keywords.values_mut().for_each(close);
        }
        Value::Array(schemas) => schemas.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
