//! A plan in pieces: none is left out, none comes twice, and no piece is more than a page shows.

use super::{Action, Plan, Value};
use crate::domain::plan::{AttributeChange, OutputChange, Piece, ResourceChange};
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
