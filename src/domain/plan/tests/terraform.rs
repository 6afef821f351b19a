//! Plans that Terraform 1.11 made.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use super::{Plan, lines};

macro_rules! plan {
    ($name:literal) => {
        Plan::read(include_bytes!(concat!("../fixtures/", $name, ".json"))).unwrap()
    };
}

#[track_caller]
fn reads(plan: &Plan, delta: &str, expected: &[&str]) {
    assert_eq!(lines(plan), expected);
    assert_eq!(plan.delta().to_string(), delta);
    // Terraform says the same as the delta does, for all of these.
    assert_eq!(plan.applyable, Some(!plan.delta().is_empty()));
    assert_eq!(plan.has_changes(), !plan.delta().is_empty());
    let json = serde_json::to_string(plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), *plan);
}
#[test]
fn a_create_lists_what_it_sets() {
    let expected = [
        "+ terraform_data.first",
        "    id: none -> unknown",
        "    input.name: none -> \"web\"",
        "    input.ports: none -> [80,443]",
        "    input.rules[0].open: none -> true",
        "    input.rules[0].port: none -> 80",
        "    input.size: none -> 1.5",
        "    output: none -> unknown",
        "+ terraform_data.second",
        "    id: none -> unknown",
        "    input: none -> unknown",
        "    output: none -> unknown",
        "+ output id: none -> unknown",
        "+ output name: none -> \"web\"",
    ];
    reads(&plan!("create"), "+2 ~0 -0, 2 outputs", &expected);
}

#[test]
fn an_update_shows_the_smallest_values_that_differ() {
    let expected = [
        "~ terraform_data.it",
        "    input.name: \"web\" -> \"api\"",
        "    input.ports: [80] -> [80,443]",
        "    input.rules[0].port: 80 -> 81",
        "    input.tags[\"a b\"]: \"x\" -> \"z\"",
        r#"    output: {"name":"web","ports":[80],"rules":[{"port":80}],"tags":{"a b":"x","c":"y"}} -> unknown"#,
    ];
    reads(&plan!("update"), "+0 ~1 -0", &expected);
}

#[test]
fn a_replacement_says_what_forces_it_and_in_which_order() {
    let expected = [
        "+/- terraform_data.create_first; because A change cannot be made in place.",
        "    id: \"fe58cf9a-3fc9-0820-ff9a-824a8730fbb0\" -> unknown",
        "    triggers_replace.version: \"a\" -> \"b\" !",
        "-/+ terraform_data.destroy_first; because A change cannot be made in place.",
        "    id: \"e0c463a7-eb53-a209-17f2-5eb044dab1c7\" -> unknown",
        "    triggers_replace[0]: \"a\" -> \"b\" !",
    ];
    reads(&plan!("replace"), "+2 ~0 -2", &expected);
    let expected = [
        "-/+ terraform_data.it; because Its replacement was asked for.",
        "    id: \"fcad301c-51d3-cdd6-e356-6a6bfc18c010\" -> unknown",
        "    output: \"x\" -> unknown",
    ];
    reads(&plan!("requested"), "+1 ~0 -1", &expected);
}

#[test]
fn a_delete_lists_what_goes_and_says_why() {
    let expected = [
        "- terraform_data.counted[1]; because Its index is out of the range of count.",
        "    id: \"0102c75e-7d8d-f58b-3792-64e814c7634c\" -> none",
        "    input: 1 -> none",
        "    output: 1 -> none",
        "- terraform_data.gone; because It is no longer in the configuration.",
        "    id: \"c54a70b9-d0f6-6819-da75-b03f8ffe4400\" -> none",
        "    input: \"x\" -> none",
        "    output: \"x\" -> none",
        "- terraform_data.keyed[\"b c\"]; because Its key is no longer in for_each.",
        "    id: \"61b3165b-ddca-b18f-5f6d-706600ebdbc9\" -> none",
        "    input: \"b c\" -> none",
        "    output: \"b c\" -> none",
        "- output gone: \"x\" -> none",
    ];
    reads(&plan!("delete"), "+0 ~0 -3, 1 output", &expected);
    let expected = [
        "- terraform_data.it",
        "    id: \"fcad301c-51d3-cdd6-e356-6a6bfc18c010\" -> none",
        "    input: \"x\" -> none",
        "    output: \"x\" -> none",
        "- output x: 1 -> none",
    ];
    reads(&plan!("destroy"), "+0 ~0 -1, 1 output", &expected);
}

#[test]
fn moves_imports_and_forgotten_resources_are_kept() {
    let expected = [
        "~ terraform_data.another; moved from terraform_data.other",
        "    input: \"x\" -> \"y\"",
        "    output: \"x\" -> unknown",
        "  terraform_data.new; moved from terraform_data.old",
    ];
    reads(&plan!("moved"), "+0 ~1 -0, 2 moved", &expected);
    let expected =
        ["~ terraform_data.it; imported as 5b6a7c2e", "    input: none -> \"x\"", "    output: none -> unknown"];
    reads(&plan!("import"), "+0 ~1 -0, 1 imported", &expected);
    let expected = ["× terraform_data.it; because It is no longer in the configuration."];
    reads(&plan!("forget"), "+0 ~0 -0, 1 forgotten", &expected);
}

#[test]
fn a_data_source_that_is_read_during_the_apply_is_listed_and_not_counted() {
    let expected = [
        "<= data.terraform_remote_state.other; because What it reads depends on values that are known after the apply.",
        "    backend: none -> \"local\"",
        "    config.path: none -> unknown",
        "    outputs: none -> unknown",
        "+ terraform_data.after",
        "    id: none -> unknown",
        "    input: none -> unknown",
        "    output: none -> unknown",
        "+ terraform_data.it",
        "    id: none -> unknown",
        "    input: none -> \"x\"",
        "    output: none -> unknown",
    ];
    reads(&plan!("read"), "+2 ~0 -0", &expected);
}

#[test]
fn what_is_sensitive_is_nowhere() {
    let plan = plan!("sensitive");
    let expected = [
        "~ terraform_data.marked",
        "    input: sensitive -> sensitive",
        "-/+ terraform_data.nested; because A change cannot be made in place.",
        "    id: \"bdbc1fc9-5654-9c07-0bf8-8e6d51d34349\" -> unknown",
        r#"    input.list: ["(sensitive value)","open"] -> ["(sensitive value)","open","more"]"#,
        "    input.name: \"db\" -> \"database\"",
        "    input.password: sensitive -> sensitive",
        r#"    output: {"list":["(sensitive value)","open"],"name":"db","password":"(sensitive value)"} -> unknown"#,
        r#"    triggers_replace: none -> ["(sensitive value)"] !"#,
        "+ terraform_data.new",
        "    id: none -> unknown",
        "    input.k: none -> sensitive",
        "    output: none -> unknown",
        "~ terraform_data.whole",
        "    input: sensitive -> sensitive",
        "    output: sensitive -> sensitive",
        "~ output password: sensitive -> sensitive",
    ];
    reads(&plan, "+2 ~2 -1, 1 output", &expected);
    assert!(!serde_json::to_string(&plan).unwrap().contains("CANARY"));
}

#[test]
fn outputs_alone_are_changes() {
    let expected = [
        r#"~ output changed: {"a":1} -> {"a":2}"#,
        "- output gone: \"x\" -> none",
        r#"+ output new: none -> [1,"two",true,null]"#,
    ];
    reads(&plan!("outputs"), "+0 ~0 -0, 3 outputs", &expected);
}

#[test]
fn a_plan_that_changes_nothing_is_empty() {
    reads(&plan!("nothing"), "no changes", &[]);
    reads(&plan!("empty"), "no changes", &[]);
}
