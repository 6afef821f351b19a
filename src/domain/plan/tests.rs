//! Reads plans that Terraform made, plans written by hand for what it does not make out of its own resources, and random
//! ones; and says what a plan came to in a few lines.

mod by_hand;
mod pieces;
mod random;
mod terraform;

use super::{Action, Delta, Plan, Value};

fn value(value: Option<&Value>) -> &str {
    match value {
        None => "none",
        Some(Value::Known(text)) => text,
        Some(Value::Unknown) => "unknown",
        Some(Value::Sensitive) => "sensitive",
    }
}

/// A plan as text: a line for each resource, attribute and output.
fn lines(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for resource in &plan.resources {
        let mut line = format!("{} {}", resource.action.symbol(), resource.address);
        for (word, what) in [
            ("moved from", &resource.moved_from),
            ("imported as", &resource.imported_as),
            ("deposed", &resource.deposed),
            ("because", &resource.reason),
        ] {
            if let Some(what) = what {
                line.push_str(&format!("; {word} {what}"));
            }
        }
        lines.push(line);
        for attribute in &resource.attributes {
            let (before, after) = (value(attribute.before.as_ref()), value(attribute.after.as_ref()));
            let forces = if attribute.forces_replacement { " !" } else { "" };
            lines.push(format!("    {}: {before} -> {after}{forces}", attribute.path));
        }
    }
    for output in &plan.outputs {
        let (before, after) = (value(output.before.as_ref()), value(output.after.as_ref()));
        lines.push(format!("{} output {}: {before} -> {after}", output.action.symbol(), output.name));
    }
    lines
}

#[test]
fn the_delta_reads_as_people_write_it() {
    let mut delta = Delta::default();
    assert_eq!((delta.to_string(), delta.is_empty()), ("no changes".into(), true));
    delta = Delta { add: 1, destroy: 2, ..delta };
    assert_eq!((delta.to_string(), delta.is_empty()), ("+1 ~0 -2".into(), false));
    delta = Delta { import: 1, outputs: 2, ..delta };
    assert_eq!(delta.to_string(), "+1 ~0 -2, 1 imported, 2 outputs");
    delta = Delta { moved: 3, forget: 1, outputs: 1, ..Delta::default() };
    assert_eq!(delta.to_string(), "+0 ~0 -0, 3 moved, 1 forgotten, 1 output");
}

#[test]
fn an_action_is_written_by_its_name() {
    for action in Action::ALL {
        assert_eq!(serde_json::to_value(action).ok(), Some(action.name().into()));
        assert!(!action.label().is_empty() && !action.symbol().is_empty());
    }
}
