//! Listing: the changes of a plan as lines of a `diff` block.

use super::text;
use crate::domain::plan::{Action, AttributeChange, Plan, ResourceChange, Value};
use std::fmt::Write as _;

/// How much of one value is shown, in characters.
const VALUE: usize = 300;

/// The changes of a plan, a resource or an output after the other.
pub(super) fn listing(plan: &Plan) -> String {
    let mut text = String::new();
    for resource in &plan.resources {
        text += &resource_lines(resource);
    }
    for output in &plan.outputs {
        let _ = writeln!(text, "{} output {}", sign(output.action), output.name);
        text += &sides(output.before.as_ref(), output.after.as_ref(), "value", false);
    }
    text
}

fn resource_lines(resource: &ResourceChange) -> String {
    let (sign, action) = (sign(resource.action), resource.action.label());
    let mut text = format!("{sign} {} {action}{}\n", resource.address, text::origin(resource));
    for AttributeChange { path, before, after, forces_replacement } in &resource.attributes {
        text += &sides(before.as_ref(), after.as_ref(), path, *forces_replacement);
    }
    if resource.more_attributes > 0 {
        let _ = writeln!(text, "    {}", text::more_attributes(resource.more_attributes));
    }
    text
}

fn sides(before: Option<&Value>, after: Option<&Value>, path: &str, forces_replacement: bool) -> String {
    let path = if path.is_empty() { text::WHOLE } else { path };
    let forces = if forces_replacement { text::FORCES_REPLACEMENT } else { "" };
    match (before, after) {
        (None, None) => String::new(),
        (None, Some(after)) => format!("    {path}: {}{forces}\n", shown(after)),
        (Some(before), None) => format!("    {path}: {} → {}{forces}\n", shown(before), text::NONE),
        (Some(before), Some(after)) => format!("    {path}: {} → {}{forces}\n", shown(before), shown(after)),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Known(text) => {
            let one_line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(VALUE).collect();
            if one_line.chars().count() < text.chars().count() { format!("{one_line}…") } else { one_line }
        }
        Value::Unknown => text::UNKNOWN.into(),
        Value::Sensitive => text::SENSITIVE.into(),
    }
}

/// The first character of a line, by which a `diff` block is coloured.
fn sign(action: Action) -> char {
    match action {
        Action::Create => '+',
        Action::Delete => '-',
        Action::Update | Action::DeleteCreate | Action::CreateDelete | Action::CreateForget => '!',
        Action::Read | Action::Forget | Action::NoOp => '#',
    }
}
