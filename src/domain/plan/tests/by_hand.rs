//! Plans written by hand: what Terraform's own resources cannot be brought to do, other versions, and texts that are no
//! plans.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use super::super::{PlanError, ResourceChange};
use super::{Plan, Value, lines};
use serde_json::{Value as Json, json};

fn read(plan: &Json) -> Result<Plan, PlanError> {
    Plan::read(plan.to_string().as_bytes())
}

/// A plan of one resource of which everything is given but its address and type.
fn one(resource: &Json) -> Plan {
    let mut document = json!({"format_version": "1.2", "resource_changes": [{"address": "a.b", "type": "a"}]});
    for (key, value) in resource.as_object().unwrap() {
        document["resource_changes"][0][key] = value.clone();
    }
    read(&document).unwrap()
}

fn change(change: &Json) -> Plan {
    one(&json!({"mode": "managed", "change": change}))
}

#[test]
fn a_text_that_is_no_whole_plan_of_format_1_is_refused() {
    let refusals = [
        ("", "the plan is not JSON: it goes wrong in line 1, column 0"),
        (r#"{"format_version": "1.2", "res"#, "the plan is not JSON: it goes wrong in line 1, column 30"),
        ("[]", "this is no plan: it lacks what `show -json <planfile>` prints (line 1, column 2)"),
        ("{}", "this is no plan: it lacks what `show -json <planfile>` prints (line 0, column 0)"),
        (
            r#"{"format_version": "1.0", "values": {}}"#,
            "this is no plan: it lacks what `show -json <planfile>` prints (line 0, column 0)",
        ),
        (
            r#"{"format_version": "1.2", "resource_changes": "s3cret"}"#,
            "this is no plan: it lacks what `show -json <planfile>` prints (line 1, column 54)",
        ),
        (
            r#"{"format_version": "0.2", "planned_values": {}}"#,
            "the plan has format 0.2, and only 1.x can be read, which Terraform 1.1 to 1.x and OpenTofu write",
        ),
        (
            r#"{"format_version": "2.0", "planned_values": 2}"#,
            "the plan has format 2.0, and only 1.x can be read, which Terraform 1.1 to 1.x and OpenTofu write",
        ),
        (
            r#"{"format_version": "1.2", "planned_values": {}, "errored": true}"#,
            "the plan is not whole: planning ended with an error",
        ),
        (
            r#"{"format_version": "1.2", "resource_changes": [{"address": "a.b", "change": {"actions": ["wave"]}}]}"#,
            "the plan would do something unknown to a.b: wave",
        ),
    ];
    for (text, refusal) in refusals {
        assert_eq!(Plan::read(text.as_bytes()).unwrap_err().to_string(), refusal, "{text}");
    }
}

#[test]
fn other_actions_are_read() {
    let replaced = change(&json!({"actions": ["create", "forget"], "before": {"a": 1}, "after": {"a": 2}}));
    assert_eq!(lines(&replaced), ["+/× a.b", "    a: 1 -> 2"]);
    assert_eq!(replaced.delta().to_string(), "+1 ~0 -0, 1 forgotten");
    assert_eq!(change(&json!({"actions": ["forget", "create"]})).delta(), replaced.delta());

    let deposed = json!({
        "mode": "managed", "deposed": "byebye00", "action_reason": "delete_because_it_is_monday",
        "change": {"actions": ["delete"], "before": {"a": 1}},
    });
    let line = "- a.b; deposed byebye00; because The reason given: delete because it is monday.";
    assert_eq!(lines(&one(&deposed)), [line, "    a: 1 -> none"]);

    let imported = change(&json!({"actions": ["no-op"], "importing": {"identity": {"id": 7}}}));
    assert_eq!(lines(&imported), [r#"  a.b; imported as {"id":7}"#]);
    assert_eq!(imported.delta().to_string(), "+0 ~0 -0, 1 imported");

    for (mode, action) in [("data", "delete"), ("ephemeral", "open"), ("managed", "no-op")] {
        assert_eq!(one(&json!({"mode": mode, "change": {"actions": [action]}})), Plan::default());
    }
}

#[test]
fn what_terraform_says_of_the_whole_wins() {
    let read = |applyable: Option<bool>, action: &str| {
        let resource = json!({"address": "a.b", "type": "a", "change": {"actions": [action]}});
        let plan = json!({"format_version": "1.2", "resource_changes": [resource], "applyable": applyable});
        read(&plan).unwrap().has_changes()
    };
    assert!(read(None, "create") && read(None, "forget") && !read(None, "read") && !read(None, "no-op"));
    assert!(read(Some(true), "read") && !read(Some(false), "create"));
}

#[test]
fn a_mask_that_does_not_fit_hides_everything_under_it() {
    for mask in [json!([true]), json!("yes"), json!({"a": [true]}), json!({"a": {"b": true}})] {
        let plan = change(&json!({"actions": ["create"], "after": {"a": "CANARY"}, "after_sensitive": mask}));
        assert!(!serde_json::to_string(&plan).unwrap().contains("CANARY"), "{mask}");
        assert_eq!(plan.resources[0].attributes[0].after, Some(Value::Sensitive), "{mask}");
    }
}

#[test]
fn a_mark_hides_numbers_and_short_texts_and_what_was_there_before_it() {
    let plan = change(&json!({
        "actions": ["update"],
        "before": {"pin": 12, "list": ["pw", 1], "new": "x", "old": "y", "gone": "z", "same": "s"},
        "after": {"pin": 34, "list": ["pw"], "new": "x", "old": "y2", "same": "s", "none": null},
        "before_sensitive": {"pin": true, "list": [true, false], "old": true, "gone": true, "same": true},
        "after_sensitive": {"pin": true, "list": [true], "new": true, "same": true, "none": true, "later": true},
        "after_unknown": {"later": true},
    }));
    let expected = [
        "~ a.b",
        "    gone: sensitive -> none",
        "    later: none -> sensitive",
        r#"    list: ["(sensitive value)",1] -> ["(sensitive value)"]"#,
        "    new: sensitive -> sensitive",
        "    old: sensitive -> sensitive",
        "    pin: sensitive -> sensitive",
    ];
    assert_eq!(lines(&plan), expected);
}

#[test]
fn a_secret_is_hidden_where_its_mark_was_lost() {
    let plan = change(&json!({
        "actions": ["update"],
        "before": {"in": "CANARY", "out": {"CANARY": 1}, "list": [{"CANARY": "x"}]},
        "after": {"in": "new", "out": {"CANARY": 2}, "list": []},
        "before_sensitive": {"in": true},
        "replace_paths": [["out", "CANARY"]],
    }));
    let expected = [
        "~ a.b",
        "    in: sensitive -> sensitive",
        r#"    list: [{"(sensitive value)":"(sensitive value)"}] -> []"#,
        r#"    out["(sensitive value)"]: sensitive -> sensitive !"#,
    ];
    assert_eq!(lines(&plan), expected);
    let variables = json!({
        "format_version": "1.2",
        "resource_changes": [{"address": "a.b", "change": {"actions": ["create"], "after": {"x": ["CANARY"]}}}],
        "variables": {"token": {"value": {"deep": ["CANARY"]}}},
        "configuration": {"root_module": {"variables": {"token": {"sensitive": true}}}},
    });
    assert_eq!(lines(&read(&variables).unwrap()), ["+ a.b", r#"    x: none -> ["(sensitive value)"]"#]);
}

#[test]
fn shapes_that_differ_are_shown_whole_and_unknown_parts_are_named() {
    let plan = change(&json!({
        "actions": ["update"],
        "before": {"a": {"b": 1}, "c": [1, 2], "d": null, "e": {}, "f": [{"g": 1}], "h": "\u{202e}\u{7f}"},
        "after": {"a": [1], "c": [1, null], "d": {}, "e": null, "f": [{"g": 1}, {}], "h": 12345678901234567890u64},
        "after_unknown": {"c": [false, true], "f": [{}, {"g": true}], "i": {"j": true}, "k": [true]},
    }));
    let expected = [
        "~ a.b",
        r#"    a: {"b":1} -> [1]"#,
        "    c[1]: 2 -> unknown",
        "    d: none -> {}",
        "    e: {} -> none",
        r#"    f: [{"g":1}] -> [{"g":1},{"g":"(known after apply)"}]"#,
        r#"    h: "\u202e\u007f" -> 12345678901234567890"#,
        "    i.j: none -> unknown",
        "    k: none -> unknown",
    ];
    assert_eq!(lines(&plan), expected);
}

#[test]
fn long_values_and_long_lists_are_cut_and_say_so() {
    let many: serde_json::Map<String, Json> = (0..250).map(|number| (format!("a{number:03}"), json!(number))).collect();
    let mut after = Json::Object(many);
    after["z"] = "é".repeat(5000).into();
    let plan = change(&json!({"actions": ["create"], "after": after, "replace_paths": [["z"]]}));
    let resource = &plan.resources[0];
    assert_eq!((resource.attributes.len(), resource.more_attributes), (ResourceChange::ATTRIBUTES, 51));
    assert_eq!((resource.attributes[0].path.as_str(), resource.attributes[1].path.as_str()), ("z", "a000"));
    let Some(Value::Known(text)) = &resource.attributes[0].after else { panic!("z is known") };
    assert_eq!(text.chars().count(), Value::LIMIT);
    assert!(text.ends_with("é… (5002 characters)"), "{text}");
}

#[test]
fn what_nobody_sees_is_written_out() {
    let plan =
        change(&json!({"actions": ["update"], "before": {"z": "ab"}, "after": {"z": "a\u{200b}b\u{feff}\u{e0041}"}}));
    assert_eq!(lines(&plan)[1], r#"    z: "ab" -> "a\u200bb\ufeff\udb40\udc41""#);
    // Emoji are made of several signs, and people see them.
    let family = "👩\u{200d}👧 ❤\u{fe0f}";
    let plan = change(&json!({"actions": ["create"], "after": {"z": family}}));
    assert_eq!(
        lines(&plan)[1],
        format!("    z: none -> {family:?}").replace("\\u{200d}", "\u{200d}").replace("\\u{fe0f}", "\u{fe0f}")
    );
}

#[test]
fn values_that_differ_only_behind_what_is_kept_say_where() {
    let sides = |before: &str, after: &str| {
        let values = json!({"actions": ["update"], "before": {"z": before}, "after": {"z": after}});
        let mut plan = change(&values);
        let output = json!({"actions": ["update"], "before": before, "after": after});
        let outputs = json!({"format_version": "1.2", "planned_values": {}, "output_changes": {"z": output}});
        let read = read(&outputs).unwrap().outputs.remove(0);
        let attribute = plan.resources[0].attributes.remove(0);
        assert_eq!((&attribute.before, &attribute.after), (&read.before, &read.after), "an output reads the same");
        [attribute.before, attribute.after].map(|value| {
            let Some(Value::Known(text)) = value else { panic!("both are known") };
            assert!(text.chars().count() <= Value::LIMIT);
            text.split_once('…').map(|(_, note)| note.to_owned())
        })
    };
    let long = "é".repeat(5000);
    let note = |note: &str| Some(note.to_owned());
    assert_eq!(
        sides(&format!("{long}a"), &format!("{long}bc")),
        [
            note(" (5003 characters, the first that differs is number 5002)"),
            note(" (5004 characters, the first that differs is number 5002)")
        ]
    );
    assert_eq!(
        sides(&format!("a{long}"), &format!("b{long}")),
        [note(" (5003 characters)"), note(" (5003 characters)")]
    );
    assert_eq!(sides("a", &format!("b{long}")), [None, note(" (5003 characters)")]);
    // The first is shown whole, but the end of it lies behind what is kept of the second.
    assert_eq!(
        sides(&"é".repeat(3990), &long),
        [None, note(" (5002 characters, the first that differs is number 3992)")]
    );
}

#[test]
fn an_action_reads_as_the_delta_counts_it() {
    let made = |more: Json| one(&more).resources.remove(0);
    let stays = json!({"actions": ["no-op"], "before": {}, "after": {}});
    let moved = made(json!({"previous_address": "a.c", "change": stays.clone()}));
    assert_eq!((moved.symbol(), moved.words()), ("→", vec!["move"]));
    let mut importing = stays;
    importing["importing"] = json!({"id": "i"});
    let imported = made(json!({"change": importing}));
    assert_eq!((imported.symbol(), imported.words()), ("↓", vec!["import"]));
    let change = json!({"actions": ["update"], "before": {"a": 1}, "after": {"a": 2}});
    let both = made(json!({"previous_address": "a.c", "change": change}));
    assert_eq!((both.symbol(), both.words()), ("~", vec!["update in place", "move"]));
    let forgotten = made(json!({"change": {"actions": ["forget"], "before": {}}}));
    assert_eq!((forgotten.symbol(), forgotten.words()), ("×", vec!["forget"]));
}

#[test]
fn what_lies_very_deep_is_shown_whole() {
    let nest = |leaf: u8| (0..40).fold(json!(leaf), |inner, _| json!({"n": inner}));
    let plan = change(&json!({"actions": ["update"], "before": nest(1), "after": nest(2)}));
    assert_eq!(plan.resources[0].attributes.len(), 1);
    assert_eq!(plan.resources[0].attributes[0].path, ["n"; 16].join("."));
}
