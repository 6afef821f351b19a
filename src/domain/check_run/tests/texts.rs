//! Every text that GitHub shows, as a snapshot: what is worded otherwise is read before it is shown.

use super::*;
use crate::domain::permission::Role;
use crate::domain::stack::Lock;
use std::fmt::Write as _;

#[test]
fn the_texts() {
    let (plan, finished) = (plan(), run(RunKind::Proposed, RunState::Finished));
    let good = verdict(RunState::Finished, |_| {});
    let proposed = |verdict, standing| Subject::Proposed { run: &finished, verdict, standing, promotions: &[] };
    insta::assert_snapshot!("promotable", shown(&check_run(&facts(proposed(&good, Standing::Newest), Some(&plan)))));

    let locked = verdict(RunState::Finished, |facts| {
        facts.lock = Some(Lock { holder: "grace".into(), note: Some("<b>@all</b> [x](y)".into()), at: Timestamp(1) });
        facts.allowed = false;
    });
    let mut refused = facts(proposed(&locked, Standing::Newest), Some(&plan));
    refused.refusal = Some("Run promotion is switched off for this stack.");
    refused.detail = Detail::Counts;
    insta::assert_snapshot!("refused_in_public", shown(&check_run(&refused)));

    let superseded = check_run(&facts(proposed(&good, Standing::Superseded(hash('c'))), None));
    insta::assert_snapshot!("superseded", shown(&superseded));

    let mut failed = run(RunKind::Proposed, RunState::Failed);
    failed.delta = None;
    failed.note = Some("terraform plan failed (exit code 1). The log says why.".into());
    let verdict = verdict(RunState::Failed, |_| {});
    let subject = Subject::Proposed { run: &failed, verdict: &verdict, standing: Standing::Newest, promotions: &[] };
    insta::assert_snapshot!("failed", shown(&check_run(&facts(subject, None))));

    let mut applied = run(RunKind::Tracked, RunState::Finished);
    applied.apply_started_at = Some(Timestamp(2));
    let subject = Subject::Tracked { run: &applied, unmerged: true };
    insta::assert_snapshot!("deployed_before_the_merge", shown(&check_run(&facts(subject, Some(&plan)))));

    let fork = Subject::Fork { may_be_allowed: true, newest: true };
    insta::assert_snapshot!("fork", shown(&check_run(&facts(fork, None))));
    insta::assert_snapshot!("untouched", shown(&check_run(&facts(Subject::Untouched, None))));
    insta::assert_snapshot!("gone", shown(&check_run(&facts(Subject::Gone, None))));

    let row = |stack, run, deployable| CommentRow { stack, run, deployable, page: PAGE.into() };
    let rows = [row("Network", Some(&finished), true), row("A|B", None, false)];
    insta::assert_snapshot!("comment", comment("aaaaaaa", &rows));
}

#[test]
fn the_titles_of_every_state_and_the_sentences_of_every_standing() {
    let mut shown = String::new();
    for kind in [RunKind::Proposed, RunKind::Tracked] {
        for state in RunState::ALL {
            let run = run(kind, state);
            let verdict = verdict(state, |_| {});
            let subject = subject(&run, &verdict);
            let _ = writeln!(shown, "{kind:?} {state}: {}", check_run(&facts(subject, None)).title);
        }
    }
    let finished = run(RunKind::Proposed, RunState::Finished);
    let verdict = verdict(RunState::Finished, |facts| facts.promoted_as = Some(RunId::new("T")));
    let promotions = [run(RunKind::Tracked, RunState::Applying)];
    for standing in standings() {
        let name = format!("{standing:?}");
        let subject = Subject::Proposed { run: &finished, verdict: &verdict, standing, promotions: &promotions };
        let check = check_run(&facts(subject, None));
        let _ = writeln!(shown, "\n== {name}: {}\n{}", check.title, check.summary);
    }
    for may_be_allowed in [false, true] {
        let check = check_run(&facts(Subject::Fork { may_be_allowed, newest: true }, None));
        let _ = writeln!(shown, "\n== fork, allowed {may_be_allowed}: {}\n{}", check.title, check.summary);
    }
    for (stack, tracked) in [("network", false), ("network", true)] {
        let _ = writeln!(shown, "{}", name(stack, tracked));
    }
    for button in Button::ALL {
        let _ = writeln!(shown, "{}: {}", button.label(), button.description());
    }
    insta::assert_snapshot!("titles_and_standings", shown);
}

/// The refusal after this one, so that no kind of them is left out.
fn after<'a>(refusal: Option<&Refusal<'a>>, head: &'a CommitHash, run: &'a RunId) -> Option<Refusal<'a>> {
    let (login, person, number) = ("ada", "Ada Lovelace", 7);
    Some(match refusal {
        None => Refusal::Forged,
        Some(Refusal::Forged) => Refusal::NoSuchButton,
        Some(Refusal::NoSuchButton) => Refusal::UnknownCheckRun,
        Some(Refusal::UnknownCheckRun) => Refusal::TooOld,
        Some(Refusal::TooOld) => Refusal::StackGone,
        Some(Refusal::StackGone) => Refusal::StackMoved,
        Some(Refusal::StackMoved) => Refusal::RunGone,
        Some(Refusal::RunGone) => Refusal::OutOfReach("The App is not installed on acme/network any more."),
        Some(Refusal::OutOfReach(_)) => Refusal::Unverified { login, why: "GitHub answers 500" },
        Some(Refusal::Unverified { .. }) => Refusal::HeadUnverified { number, why: "GitHub answers 500" },
        Some(Refusal::HeadUnverified { .. }) => Refusal::Bot("acme[bot]"),
        Some(Refusal::Bot(_)) => Refusal::NoWriteAccess { login, repository: "acme/network" },
        Some(Refusal::NoWriteAccess { .. }) => Refusal::ShutOut { login, person },
        Some(Refusal::ShutOut { .. }) => Refusal::Role { login, person, has: None, needs: Role::Writer },
        Some(Refusal::Role { has: None, .. }) => {
            Refusal::Role { login, person, has: Some(Role::Reader), needs: Role::Writer }
        }
        Some(Refusal::Role { has: Some(_), .. }) => Refusal::Superseded(head),
        Some(Refusal::Superseded(_)) => Refusal::Replaced(run),
        Some(Refusal::Replaced(_)) => Refusal::Ended { number, state: PullRequestState::Closed },
        Some(Refusal::Ended { state: PullRequestState::Closed, .. }) => {
            Refusal::Ended { number, state: PullRequestState::Merged }
        }
        Some(Refusal::Ended { .. }) => Refusal::BranchDeleted,
        Some(Refusal::BranchDeleted) => Refusal::Deployment,
        Some(Refusal::Deployment) => Refusal::ForkNotAllowed,
        Some(Refusal::ForkNotAllowed) => Refusal::NoBranchAt(head),
        Some(Refusal::NoBranchAt(_)) => Refusal::NoForkAt,
        Some(Refusal::NoForkAt) => Refusal::ForksNotPlanned,
        Some(Refusal::ForksNotPlanned) => Refusal::NoCredential("GitHub answers 500."),
        Some(Refusal::NoCredential(_)) => Refusal::NotFetched { number, commit: head, why: "no such commit" },
        Some(Refusal::NotFetched { .. }) => Refusal::NoFork(number),
        Some(Refusal::NoFork(_)) => Refusal::NotOpen { number, state: PullRequestState::Closed },
        Some(Refusal::NotOpen { state: PullRequestState::Closed, .. }) => {
            Refusal::NotOpen { number, state: PullRequestState::Merged }
        }
        Some(Refusal::NotOpen { .. }) => Refusal::AtAnother { number, head, commit: head },
        Some(Refusal::AtAnother { .. }) => return None,
    })
}

#[test]
fn why_a_click_led_to_nothing() {
    let (head, id) = (hash('c'), RunId::new("S"));
    let mut shown = String::new();
    let mut refusal = after(None, &head, &id);
    while let Some(now) = refusal {
        let problem = now.problem();
        assert!(problem.cure().is_some_and(|cure| !cure.is_empty()), "{now:?}");
        let _ = writeln!(shown, "{}", sentences(&problem));
        refusal = after(Some(&now), &head, &id);
    }
    insta::assert_snapshot!("refusals", shown);

    let at = Timestamp(1_764_063_000_000);
    let told = told(&Refusal::Bot("<b>bot</b>").problem(), "<b>bot</b>", at);
    let finished = run(RunKind::Proposed, RunState::Finished);
    let verdict = verdict(RunState::Finished, |_| {});
    let subject = Subject::Proposed { run: &finished, verdict: &verdict, standing: Standing::Newest, promotions: &[] };
    let check = check_run(&Facts { refusal: Some(&told), ..facts(subject, None) });
    insta::assert_snapshot!("refused", super::shown(&check));
}
