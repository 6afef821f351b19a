//! Random plans: reading never panics, and what is marked as sensitive never comes out.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use super::Plan;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// Long enough that no other text contains it by chance.
const CANARY: &str = "CANARY-5f0c7d";

fn leaf() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        ".{0,8}".prop_map(Json::from),
    ]
}

fn tree(leaf: impl Strategy<Value = Json> + 'static) -> impl Strategy<Value = Json> {
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map("[a-c ]{1,2}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

/// A value and a mask of the right shape: every place of the canary is marked, either there or further up.
fn marked() -> impl Strategy<Value = (Json, Json)> {
    tree(prop_oneof![3 => leaf(), 1 => Just(Json::from(CANARY))]).prop_flat_map(|value| {
        any::<u64>().prop_map(move |choice| {
            let mask = mask(&value, choice);
            (value.clone(), mask)
        })
    })
}

fn mask(value: &Json, choice: u64) -> Json {
    let holds = value.to_string().contains(CANARY);
    // Sometimes the mask is coarser than it need be, and sometimes it leaves out what is not marked.
    if holds && choice.is_multiple_of(5) {
        return Json::Bool(true);
    }
    match value {
        Json::Array(values) => values.iter().map(|value| mask(value, choice / 5)).collect(),
        Json::Object(map) => {
            let members = map.iter().map(|(key, value)| (key.clone(), mask(value, choice / 5)));
            members.filter(|(_, mask)| *mask != Json::Bool(false) || choice.is_multiple_of(2)).collect()
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Json::Bool(holds),
    }
}

fn actions() -> impl Strategy<Value = Json> {
    prop::sample::select(vec![
        json!(["create"]),
        json!(["update"]),
        json!(["delete"]),
        json!(["delete", "create"]),
        json!(["create", "delete"]),
        json!(["create", "forget"]),
        json!(["read"]),
        json!(["forget"]),
        json!(["no-op"]),
    ])
}

prop_compose! {
    /// A change that marks every canary in it.
    fn change()(
        actions in actions(),
        (before, before_sensitive) in marked(),
        (after, after_sensitive) in marked(),
        after_unknown in tree(any::<bool>().prop_map(Json::from)),
        replace_paths in prop::collection::vec(prop::collection::vec(leaf(), 0..3), 0..3),
        importing in prop::option::of(tree(leaf())),
    ) -> Json {
        json!({
            "actions": actions, "before": before, "after": after, "after_unknown": after_unknown,
            "before_sensitive": before_sensitive, "after_sensitive": after_sensitive,
            "replace_paths": replace_paths, "importing": importing.map(|identity| json!({"identity": identity})),
        })
    }
}

prop_compose! {
    fn plan()(
        changes in prop::collection::vec(change(), 0..4),
        outputs in prop::collection::btree_map("[a-z]{1,3}", change(), 0..3),
    ) -> Json {
        let resources: Vec<Json> = changes
            .into_iter()
            .map(|change| json!({"address": "a.b", "type": "a", "mode": "managed", "change": change}))
            .collect();
        json!({"format_version": "1.2", "resource_changes": resources, "output_changes": outputs})
    }
}

proptest! {
    #[test]
    fn a_plausible_plan_is_read_and_gives_nothing_away(plan in plan()) {
        let read = Plan::read(plan.to_string().as_bytes()).unwrap();
        let json = serde_json::to_string(&read).unwrap();
        prop_assert!(!json.contains(CANARY), "{json}");
        prop_assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), read);
    }

    #[test]
    fn a_plan_with_anything_anywhere_does_not_panic(mut plan in plan(), odd in tree(leaf()), place in 0usize..16) {
        let places = [
            "/format_version", "/resource_changes", "/output_changes", "/resource_changes/0",
            "/resource_changes/0/change", "/resource_changes/0/address", "/resource_changes/0/change/actions",
            "/resource_changes/0/change/before", "/resource_changes/0/change/after",
            "/resource_changes/0/change/after_unknown", "/resource_changes/0/change/before_sensitive",
            "/resource_changes/0/change/after_sensitive", "/resource_changes/0/change/replace_paths",
            "/resource_changes/0/change/importing", "/resource_changes/1/change/after_sensitive", "",
        ];
        if let Some(found) = plan.pointer_mut(places[place]) {
            *found = odd;
        }
        let read = Plan::read(plan.to_string().as_bytes());
        prop_assert_eq!(read.is_ok_and(|plan| plan.has_changes() == plan.delta().is_empty()), false);
    }

    #[test]
    fn any_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assert!(Plan::read(&bytes).is_err());
    }
}
