//! A plan in pieces: none is left out, none comes twice, and no piece is more than a page shows.

use super::{Action, Plan, Value};
use crate::domain::plan::{AttributeChange, Kind, OutputChange, Piece, ResourceChange, Selection};
use proptest::prelude::*;

fn resource(number: usize, bytes: usize) -> ResourceChange {
    let attribute =
        AttributeChange { path: "a".into(), before: None, after: Some(value(bytes)), forces_replacement: false };
    ResourceChange {
        address: format!("a.r[{number}]"),
        kind: "a".into(),
        action: Action::Create,
        moved_from: None,
        imported_as: None,
        deposed: None,
        reason: None,
        attributes: vec![attribute],
        more_attributes: 0,
    }
}

fn output(number: usize, bytes: usize) -> OutputChange {
    OutputChange { name: format!("o{number}"), action: Action::Create, before: None, after: Some(value(bytes)) }
}

fn value(bytes: usize) -> Value {
    Value::Known("x".repeat(bytes))
}

fn plan(resources: &[usize], outputs: &[usize]) -> Plan {
    Plan {
        resources: resources.iter().enumerate().map(|(number, bytes)| resource(number, *bytes)).collect(),
        outputs: outputs.iter().enumerate().map(|(number, bytes)| output(number, *bytes)).collect(),
        applyable: Some(true),
    }
}

#[test]
fn what_fits_on_a_page_is_one_piece() {
    let whole = plan(&[10; 60], &[10; 40]);
    let piece = whole.clone().piece(0);
    assert_eq!((piece.next(), piece.total, piece.len()), (None, 100, 100));
    assert_eq!(piece.plan, whole);
    assert!(Plan::default().piece(0).is_empty());
    assert_eq!(Plan::default().piece(7).next(), None);
}

#[test]
fn a_piece_ends_when_a_page_is_full() {
    let piece = plan(&[10; 99], &[10; 2]).piece(0);
    assert_eq!((piece.plan.resources.len(), piece.plan.outputs.len(), piece.next()), (99, 1, Some(100)));
    let large = Piece::BYTES + 1;
    let piece = plan(&[large, large], &[]).piece(0);
    assert_eq!((piece.len(), piece.next()), (1, Some(1)), "what is larger than a page comes alone");
    let piece = plan(&[10, 10], &[10]).piece(3);
    assert_eq!((piece.first, piece.len()), (0, 3), "a piece that is not there means the first");
}

proptest! {
    // Large values make it slow.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_pieces_of_a_plan_are_the_plan(
        resources in prop::collection::vec(prop_oneof![9 => Just(3), 1 => Just(300_000)], 0..150),
        outputs in prop::collection::vec(prop_oneof![9 => Just(3), 1 => Just(300_000)], 0..60),
    ) {
        let whole = plan(&resources, &outputs);
        let (mut together, mut from) = (Plan { applyable: Some(true), ..Plan::default() }, Some(0));
        let mut previous = None;
        while let Some(next) = from {
            let piece = whole.clone().piece(next);
            prop_assert!(piece.len() <= Piece::CHANGES && (!piece.is_empty() || piece.total == 0));
            prop_assert_eq!(piece.previous, previous);
            (previous, from) = (Some(next), piece.next());
            together.resources.extend(piece.plan.resources);
            together.outputs.extend(piece.plan.outputs);
        }
        prop_assert_eq!(together, whole);
    }
}

/// The addresses and names that a selection takes.
fn selected(plan: &Plan, kind: &str, words: &str) -> Vec<String> {
    let plan = plan.clone().select(&Selection::parse(kind, words));
    let outputs = plan.outputs.into_iter().map(|output| output.name);
    plan.resources.into_iter().map(|resource| resource.address).chain(outputs).collect()
}

#[test]
fn a_selection_takes_a_kind_and_words() {
    let mut plan = plan(&[1; 5], &[1; 2]);
    for (resource, action) in plan.resources.iter_mut().zip([
        Action::Create,
        Action::Update,
        Action::Delete,
        Action::CreateDelete,
        Action::NoOp,
    ]) {
        resource.action = action;
    }
    plan.resources[4].moved_from = Some("a.Old".into());
    let rows = [
        ("", "", vec!["a.r[0]", "a.r[1]", "a.r[2]", "a.r[3]", "a.r[4]", "o0", "o1"]),
        ("unknown", " ", vec!["a.r[0]", "a.r[1]", "a.r[2]", "a.r[3]", "a.r[4]", "o0", "o1"]),
        ("add", "", vec!["a.r[0]", "a.r[3]"]),
        ("change", "", vec!["a.r[1]"]),
        ("destroy", "", vec!["a.r[2]", "a.r[3]"]),
        ("destroy", "3", vec!["a.r[3]"]),
        ("move", "", vec!["a.r[4]"]),
        ("import", "", vec![]),
        ("forget", "", vec![]),
        ("output", "", vec!["o0", "o1"]),
        ("", "0", vec!["a.r[0]", "o0"]),
        ("", "R a.", vec!["a.r[0]", "a.r[1]", "a.r[2]", "a.r[3]", "a.r[4]"]),
        ("", "old", vec!["a.r[4]"]),
        ("", "nothing", vec![]),
    ];
    for (kind, words, expected) in rows {
        assert_eq!(selected(&plan, kind, words), expected, "{kind:?} {words:?}");
    }
    let counts = Kind::ALL.map(|kind| (kind.count(&plan.delta()), selected(&plan, kind.name(), "").len()));
    assert!(counts.iter().all(|(counted, selected)| counted == selected), "{counts:?}");
}
