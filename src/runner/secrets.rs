//! Secrets in what is shown: the values of a stack's secret variables, wherever a log or a plan would repeat them.

use crate::domain::plan::{Plan, Value};

/// What stands in a log instead of a secret.
const MASKED: &str = "••••••";

/// Secrets shorter than this are left alone: masking "a" would make a log unreadable and hide nothing.
const SHORTEST_SECRET: usize = 4;

/// The texts to hide.
#[derive(Clone, Debug, Default)]
pub struct Secrets(Vec<String>);

impl Secrets {
    /// Every line of every secret that is long enough, the longest first.
    pub fn new(secrets: &[String]) -> Self {
        let lines = secrets.iter().flat_map(|secret| secret.lines()).map(str::trim);
        let mut texts: Vec<String> = lines.filter(|line| line.len() >= SHORTEST_SECRET).map(str::to_owned).collect();
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        texts.dedup();
        Self(texts)
    }

    /// A line without them.
    pub fn mask(&self, mut line: String) -> String {
        for secret in &self.0 {
            if line.contains(secret.as_str()) {
                line = line.replace(secret.as_str(), MASKED);
            }
        }
        line
    }

    /// Hides every value of a plan that holds one of them.
    pub fn hide_in(&self, plan: &mut Plan) {
        let attributes = plan.resources.iter_mut().flat_map(|resource| &mut resource.attributes);
        let attributes = attributes.flat_map(|attribute| [&mut attribute.before, &mut attribute.after]);
        let outputs = plan.outputs.iter_mut().flat_map(|output| [&mut output.before, &mut output.after]);
        for value in attributes.chain(outputs).flatten() {
            if let Value::Known(text) = value
                && self.are_in(text)
            {
                *value = Value::Sensitive;
            }
        }
    }

    fn are_in(&self, json: &str) -> bool {
        self.0.iter().any(|secret| {
            // As JSON has it, without the quotes around it.
            let escaped = serde_json::Value::from(secret.as_str()).to_string();
            json.contains(secret.as_str()) || json.contains(escaped.trim_matches('"'))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::plan::{Action, OutputChange};

    fn secrets(texts: &[&str]) -> Secrets {
        Secrets::new(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn long_secrets_come_before_those_they_contain_and_short_ones_are_left_alone() {
        let secrets = secrets(&["abc", "hunter2", "hunter2-long", "first line\n  second line"]);
        assert_eq!(secrets.0, ["hunter2-long", "second line", "first line", "hunter2"]);
        assert_eq!(secrets.mask("abc hunter2-long hunter2!".into()), "abc •••••• ••••••!");
    }

    #[test]
    fn a_value_that_holds_a_secret_is_hidden_whole() {
        let output = |text: &str| OutputChange {
            name: "o".into(),
            action: Action::Create,
            before: None,
            after: Some(Value::Known(text.into())),
        };
        let mut plan = Plan {
            outputs: vec![
                output("\"say \\\"hunter2\\\" twice\""),
                output("\"hunter3\""),
                output("{\"a\":\"q\\\"uote\"}"),
            ],
            ..Plan::default()
        };
        secrets(&["hunter2", "q\"uote"]).hide_in(&mut plan);
        let shown: Vec<bool> = plan.outputs.iter().map(|output| output.after == Some(Value::Sensitive)).collect();
        assert_eq!(shown, [true, false, true]);
    }
}
