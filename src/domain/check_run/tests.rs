//! What GitHub is to show, case by case: the buttons by a table over every state and standing, the texts as snapshots (`texts`),
//! the lengths for whatever is put in.

mod texts;

use super::markdown::escaped;
use super::*;
use crate::domain::plan::{Action, AttributeChange, Delta, Plan, ResourceChange, Value};
use crate::domain::promotion::{self, judge};
use crate::domain::relation::Relation;
use crate::domain::run::Previous;
use crate::domain::run_state::RunKind;
use crate::domain::{Commit, StackId, Timestamp};
use proptest::prelude::*;

const PAGE: &str = "https://headway.example.com/stack/network/run/R";

fn hash(digit: char) -> CommitHash {
    CommitHash::new(digit.to_string().repeat(40))
}

fn run(kind: RunKind, state: RunState) -> Run {
    let planned = state.is_terminal() || matches!(state, RunState::Unconfirmed | RunState::Applying);
    Run {
        id: RunId::new("R"),
        stack: StackId::new("network"),
        kind,
        state,
        branch: "add-cache".into(),
        commit: Commit { hash: hash('a'), subject: "Add".into(), author: "Ada".into(), committed_at: Timestamp(1) },
        triggered_by: "github/ada".into(),
        promoted_from: None,
        retry_of: None,
        previous: Previous::default(),
        stop_requested_by: None,
        note: None,
        holds: Vec::new(),
        changes: planned.then_some(true),
        delta: planned.then(|| plan().delta()),
        planned_with: None,
        created_at: Timestamp(1),
        state_since: Timestamp(1),
        apply_started_at: None,
        ended_at: None,
        fence: 0,
    }
}

fn plan() -> Plan {
    let attribute = |path: &str, before: Option<Value>, after: Value| AttributeChange {
        path: path.into(),
        before,
        after: Some(after),
        forces_replacement: false,
    };
    let known = |text: &str| Value::Known(text.into());
    Plan {
        resources: vec![
            ResourceChange {
                address: "terraform_data.cache".into(),
                kind: "terraform_data".into(),
                action: Action::Create,
                moved_from: None,
                imported_as: None,
                deposed: None,
                reason: None,
                attributes: vec![
                    attribute("input", None, known("\"eu\"")),
                    attribute("password", None, Value::Sensitive),
                    attribute("id", None, Value::Unknown),
                ],
                more_attributes: 0,
            },
            ResourceChange {
                address: "terraform_data.gateway".into(),
                kind: "terraform_data".into(),
                action: Action::DeleteCreate,
                moved_from: Some("terraform_data.door".into()),
                imported_as: None,
                deposed: Some("byebye00".into()),
                reason: None,
                attributes: vec![attribute("input", Some(known("1")), known("2"))],
                more_attributes: 3,
            },
        ],
        outputs: Vec::new(),
        applyable: None,
    }
}

fn verdict(state: RunState, change: impl Fn(&mut promotion::Facts)) -> Verdict {
    let mut facts = promotion::Facts {
        kind: RunKind::Proposed,
        state,
        commit: hash('a'),
        current: Some(hash('b')),
        relation: Relation::Ahead { by: 1 },
        own_code: true,
        exact: true,
        allowed: true,
        disabled: false,
        lock: None,
        viewer: String::new(),
        permitted: Ok(()),
        promoted_as: None,
    };
    change(&mut facts);
    judge(&facts)
}

fn standings() -> Vec<Standing> {
    vec![
        Standing::Newest,
        Standing::Replaced(RunId::new("S")),
        Standing::Superseded(hash('c')),
        Standing::Ended { number: 7, state: PullRequestState::Merged },
        Standing::Ended { number: 7, state: PullRequestState::Closed },
        Standing::BranchDeleted,
    ]
}

/// A run as the subject of its check, when nothing is special about it.
fn subject<'a>(run: &'a Run, verdict: &'a Verdict) -> Subject<'a> {
    match run.kind {
        RunKind::Proposed => Subject::Proposed { run, verdict, standing: Standing::Newest, promotions: &[] },
        RunKind::Tracked => Subject::Tracked { run, unmerged: false },
    }
}

fn facts<'a>(subject: Subject<'a>, plan: Option<&'a Plan>) -> Facts<'a> {
    Facts { stack: "Network", subject, plan, detail: Detail::Changes, page: PAGE, refusal: None }
}

fn shown(check: &CheckRun) -> String {
    let buttons: Vec<&str> = check.buttons.iter().map(|button| button.label()).collect();
    format!(
        "{:?} {buttons:?}\n# {}\n{}\n----\n{}",
        check.status,
        check.title,
        check.summary,
        check.text.as_deref().unwrap_or("(no text)")
    )
}

#[test]
fn deploy_is_there_exactly_when_the_rule_holds_and_the_commit_is_the_newest() {
    for state in RunState::ALL {
        let run = run(RunKind::Proposed, state);
        for standing in standings() {
            for (verdict, holds) in [
                (verdict(state, |_| {}), state == RunState::Finished),
                (verdict(state, |facts| facts.allowed = false), false),
                (verdict(state, |facts| facts.relation = Relation::Identical), false),
                (verdict(state, |facts| facts.promoted_as = Some(RunId::new("T"))), false),
            ] {
                let subject =
                    Subject::Proposed { run: &run, verdict: &verdict, standing: standing.clone(), promotions: &[] };
                let check = check_run(&facts(subject, None));
                let deploy = check.buttons.contains(&Button::Deploy);
                assert_eq!(deploy, holds && standing == Standing::Newest, "{state} {standing:?}");
                assert!(check.buttons.contains(&Button::Preview), "{state} {standing:?}");
            }
        }
    }
    for state in RunState::ALL {
        let run = run(RunKind::Tracked, state);
        assert!(check_run(&facts(Subject::Tracked { run: &run, unmerged: false }, None)).buttons.is_empty());
    }
}

#[test]
fn a_check_ends_when_its_run_does_and_with_the_same_word() {
    for state in RunState::ALL {
        for kind in [RunKind::Proposed, RunKind::Tracked] {
            let run = run(kind, state);
            let verdict = verdict(state, |_| {});
            let subject = subject(&run, &verdict);
            let status = check_run(&facts(subject, None)).status;
            assert_eq!(matches!(status, Status::Completed(_)), state.is_terminal(), "{state}");
        }
    }
}

#[test]
fn buttons_are_what_github_takes() {
    for button in Button::ALL {
        assert!(button.label().chars().count() <= 20 && button.description().chars().count() <= 40);
        assert!(button.identifier().len() <= 20);
        assert_eq!(Button::parse(button.identifier()), Some(button));
    }
    assert_eq!(Button::parse("promote"), None);
}

#[test]
fn no_changes_are_said_so() {
    let mut run = run(RunKind::Proposed, RunState::Finished);
    run.delta = Some(Delta::default());
    let verdict = verdict(RunState::Finished, |_| {});
    let subject = Subject::Proposed { run: &run, verdict: &verdict, standing: Standing::Newest, promotions: &[] };
    assert_eq!(check_run(&facts(subject, None)).title, "No changes");
}

#[test]
fn a_long_plan_is_cut_in_the_middle_and_says_so() {
    let mut plan = plan();
    let one = plan.resources[0].clone();
    plan.resources = (0..5000).map(|n| ResourceChange { address: format!("a.b{n}"), ..one.clone() }).collect();
    let run = run(RunKind::Tracked, RunState::Finished);
    let check = check_run(&facts(Subject::Tracked { run: &run, unmerged: false }, Some(&plan)));
    let text = check.text.unwrap_or_default();
    assert!(text.len() <= 60_000, "{}", text.len());
    assert!(text.contains("+ a.b0 ") && text.contains("+ a.b4999 "));
    assert!(text.contains("of 20000 lines are left out") && text.contains(PAGE));
    assert!(text.starts_with("```diff\n") && text.ends_with("```\n"));
}

proptest! {
    #[test]
    fn whatever_a_plan_says_stays_inside_its_fence_and_its_length(address in ".{0,400}", value in ".{0,5000}", many in 1_usize..400) {
        let mut plan = plan();
        let mut one = plan.resources[0].clone();
        one.address = address.replace('\n', " ");
        one.attributes[0].after = Some(Value::Known(value));
        plan.resources = vec![one; many];
        let run = run(RunKind::Tracked, RunState::Finished);
        let check = check_run(&facts(Subject::Tracked { run: &run, unmerged: false }, Some(&plan)));
        let text = check.text.unwrap_or_default();
        prop_assert!(text.len() <= 65_535);
        let fence: String = text.chars().take_while(|letter| *letter == '`').collect();
        prop_assert!(fence.len() >= 3);
        prop_assert_eq!(text.lines().filter(|line| line.starts_with(&fence)).count(), 2);
        prop_assert_eq!(text.matches(&fence).count(), 2);
    }

    #[test]
    fn nothing_of_somebody_elses_is_markup(text in ".{0,200}") {
        let escaped = escaped(&text);
        prop_assert!(!escaped.contains('<') && !escaped.contains('@') && !escaped.contains('\n'));
        prop_assert!(!escaped.contains("://"));
    }
}
