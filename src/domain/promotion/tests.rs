//! The promotion rule, case by case: every combination of facts gets exactly the verdict that product.md's table draws,
//! and what a person reads names the reason and the cure.

use super::*;
use crate::domain::Timestamp;
use crate::domain::relation::Missing;

const VIEWER: &str = "ada";
const COMMIT: &str = "1111111111111111111111111111111111111111";
const CURRENT: &str = "2222222222222222222222222222222222222222";

/// The names of the conditions, in the order of product.md.
const NAMES: [&str; 9] =
    ["proposed", "finished", "newer", "allowed", "enabled", "unlocked", "own_code", "exact", "permitted"];

/// The facts of a run that may be promoted.
fn good() -> Facts {
    Facts {
        kind: RunKind::Proposed,
        state: RunState::Finished,
        commit: CommitHash::new(COMMIT),
        current: Some(CommitHash::new(CURRENT)),
        relation: Relation::Ahead { by: 1 },
        own_code: true,
        exact: true,
        allowed: true,
        disabled: false,
        lock: None,
        viewer: VIEWER.into(),
        permitted: Ok(()),
        promoted_as: None,
    }
}

fn lock(holder: &str, note: Option<&str>) -> Lock {
    Lock { holder: holder.into(), note: note.map(str::to_owned), at: Timestamp(7) }
}

fn missing(count: usize, capped: bool) -> Missing {
    Missing { count, capped, commits: Vec::new() }
}

/// Every relation, with whether product.md calls it newer.
fn relations() -> [(Relation, bool); 6] {
    [
        (Relation::First, true),
        (Relation::Ahead { by: 3 }, true),
        (Relation::Identical, false),
        (Relation::Behind { by: 2 }, false),
        (Relation::Diverged { missing: missing(4, false) }, false),
        (Relation::Unknown, false),
    ]
}

/// Every lock, with whether somebody else holds it.
fn locks() -> [(Option<Lock>, bool); 3] {
    [(None, false), (Some(lock(VIEWER, None)), false), (Some(lock("grace", Some("debugging"))), true)]
}

/// Every way the nine conditions can fall, with what product.md's table expects of each.
fn cases() -> Vec<(Facts, [bool; 9])> {
    let mut cases = Vec::new();
    for (kind, is_proposed) in [(RunKind::Proposed, true), (RunKind::Tracked, false)] {
        for state in RunState::ALL {
            for (relation, is_newer) in relations() {
                for (lock, is_foreign) in locks() {
                    for switches in 0..64_u8 {
                        let on = |bit: u8| switches & (1 << bit) != 0;
                        let (own_code, exact, allowed, disabled, permitted) = (on(0), on(1), on(2), on(3), on(4));
                        let facts = Facts {
                            kind,
                            state,
                            relation: relation.clone(),
                            lock: lock.clone(),
                            own_code,
                            exact,
                            allowed,
                            disabled,
                            permitted: if permitted { Ok(()) } else { Err(Forbidden { needs: Role::Writer }) },
                            promoted_as: on(5).then(|| RunId::new("T")),
                            ..good()
                        };
                        let is_finished = state.name() == "finished";
                        let expected = [
                            is_proposed,
                            is_finished,
                            is_newer,
                            allowed,
                            !disabled,
                            !is_foreign,
                            own_code,
                            exact,
                            permitted,
                        ];
                        cases.push((facts, expected));
                    }
                }
            }
        }
    }
    cases
}

fn condition(facts: &Facts, name: &str) -> Condition {
    let found = judge(facts).conditions.into_iter().find(|condition| condition.name.name() == name);
    found.unwrap_or_else(|| panic!("no condition {name}"))
}

#[test]
fn every_combination_of_facts_gets_the_verdict_of_the_table() {
    let cases = cases();
    assert_eq!(cases.len(), 2 * 13 * 6 * 3 * 64);
    for (facts, expected) in cases {
        let verdict = judge(&facts);
        let names: Vec<&str> = verdict.conditions.iter().map(|condition| condition.name.name()).collect();
        assert_eq!(names, NAMES);
        let held: Vec<bool> = verdict.conditions.iter().map(|condition| condition.holds).collect();
        assert_eq!(held, expected, "{facts:?}");
        let every_condition_holds = expected.iter().all(|holds| *holds);
        assert_eq!(verdict.may_promote(), every_condition_holds && facts.promoted_as.is_none(), "{facts:?}");
        assert_eq!(verdict.promoted_as, facts.promoted_as);
        let refusals: Vec<&str> = verdict.refusals().map(|condition| condition.name.name()).collect();
        let failing: Vec<&str> =
            NAMES.iter().zip(expected).filter(|(_, holds)| !holds).map(|(name, _)| *name).collect();
        assert_eq!(refusals, failing);
    }
}

#[test]
fn every_condition_says_why_and_only_a_failing_one_has_a_cure() {
    for (facts, _) in cases() {
        for condition in judge(&facts).conditions {
            assert!(condition.reason.ends_with('.') || facts.lock.is_some(), "{:?}", condition.reason);
            assert!(condition.reason.trim().len() > 10, "{:?}", condition.reason);
            match &condition.cure {
                None => assert!(condition.holds, "{condition:?}"),
                Some(cure) => {
                    assert!(!condition.holds && cure.trim().len() > 10 && cure.ends_with('.'), "{condition:?}")
                }
            }
        }
    }
}

#[test]
fn a_plan_without_changes_may_be_promoted_because_nobody_asks_for_changes() {
    assert!(judge(&good()).may_promote());
}

#[test]
fn a_run_that_was_promoted_keeps_its_conditions_and_may_not_be_promoted_again() {
    let verdict = judge(&Facts { promoted_as: Some(RunId::new("T")), ..good() });
    assert!(!verdict.may_promote());
    assert_eq!(verdict.refusals().count(), 0);
}

#[test]
fn the_relation_decides_what_is_said_of_the_commit() {
    for (relation, reason) in [
        (Relation::First, "The stack has no current commit yet, so every commit is newer."),
        (Relation::Ahead { by: 1 }, "Its commit 1111111 is 1 commit newer than the current commit 2222222."),
        (Relation::Ahead { by: 12 }, "Its commit 1111111 is 12 commits newer than the current commit 2222222."),
        (Relation::Identical, "The stack is already at this commit (1111111)."),
        (
            Relation::Behind { by: 2 },
            "Its commit 1111111 is older than the stack's current commit 2222222: 2 commits behind it.",
        ),
        (
            Relation::Diverged { missing: missing(1, false) },
            "Its commit 1111111 has diverged from the current commit 2222222: the stack has 1 commit that this one \
             lacks.",
        ),
        (
            Relation::Diverged { missing: missing(7, false) },
            "Its commit 1111111 has diverged from the current commit 2222222: the stack has 7 commits that this one \
             lacks.",
        ),
        (
            Relation::Diverged { missing: missing(1000, true) },
            "Its commit 1111111 has diverged from the current commit 2222222: the stack has more than 1000 commits \
             that this one lacks.",
        ),
        (
            Relation::Unknown,
            "How its commit 1111111 relates to the current commit 2222222 cannot be told: the history could not be \
             read.",
        ),
    ] {
        assert_eq!(condition(&Facts { relation, ..good() }, "newer").reason, reason);
    }
}

#[test]
fn the_cure_of_a_diverged_commit_is_to_merge_or_rebase_push_and_promote_the_new_run() {
    let facts = Facts { relation: Relation::Diverged { missing: missing(2, false) }, ..good() };
    let cure = condition(&facts, "newer").cure.unwrap_or_default();
    for word in ["Merge", "rebase", "push", "promote the new proposed run"] {
        assert!(cure.contains(word), "{cure}");
    }
}

#[test]
fn a_lock_is_shown_with_its_holder_and_note() {
    for (note, reason) in [
        (None, "The stack is locked by grace."),
        (Some(""), "The stack is locked by grace."),
        (Some("moving the database"), "The stack is locked by grace: moving the database"),
    ] {
        let unlocked = condition(&Facts { lock: Some(lock("grace", note)), ..good() }, "unlocked");
        assert_eq!(unlocked.reason, reason);
        assert_eq!(unlocked.cure.as_deref(), Some("Ask grace or an administrator to unlock it."));
    }
    let own = condition(&Facts { lock: Some(lock(VIEWER, Some("mine"))), ..good() }, "unlocked");
    assert!(own.holds);
    assert_eq!(own.reason, "You hold the stack's lock yourself.");
}

#[test]
fn a_run_without_a_plan_says_where_it_stands() {
    for state in RunState::ALL.into_iter().filter(|state| *state != RunState::Finished) {
        let reason = condition(&Facts { state, ..good() }, "finished").reason;
        assert!(reason.contains(state.name()), "{reason}");
    }
}

#[test]
fn whoever_may_not_promote_learns_which_role_would_do() {
    for needs in [Role::Writer, Role::Administrator] {
        let reason = condition(&Facts { permitted: Err(Forbidden { needs }), ..good() }, "permitted").reason;
        assert!(reason.contains(needs.label()), "{reason}");
    }
}

#[test]
fn a_verdict_reads_back_from_its_json() {
    let verdict = judge(&Facts { relation: Relation::Unknown, disabled: true, ..good() });
    let json = serde_json::to_value(&verdict).unwrap_or_default();
    assert_eq!(json["conditions"][2]["name"], "newer");
    assert_eq!(serde_json::from_value::<Verdict>(json).ok(), Some(verdict));
}
