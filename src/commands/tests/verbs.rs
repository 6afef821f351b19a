//! Confirm, discard, stop, retry, trigger, propose and set current commit: when each is allowed and what it leads to.

use super::*;
use crate::commands::confirm::confirm;
use crate::commands::discard::discard;
use crate::commands::propose::propose;
use crate::commands::retry::retry;
use crate::commands::set_current::set_current;
use crate::commands::stop::stop;
use crate::commands::trigger::trigger;

/// A new run of the kind in this state.
async fn run_in(world: &World, kind: RunKind, state: RunState) -> Run {
    let id = match kind {
        RunKind::Tracked => trigger(&world.context, &world.may("ada")).await.unwrap(),
        RunKind::Proposed => propose(&world.context, &world.may("ada"), "topic").await.unwrap(),
    };
    world.to(&id, state).await
}

#[tokio::test]
async fn each_verb_works_in_its_states_and_is_refused_in_all_others() {
    let world = World::new().await;
    world.deployed().await;
    world.finished("topic", "main").await;
    for kind in RunKind::ALL {
        for state in RunState::ALL {
            let proposed = kind == RunKind::Proposed;
            let never = matches!(state, RunState::Unconfirmed | RunState::Confirmed | RunState::Applying);
            if proposed && never {
                continue;
            }
            let (context, what) = (&world.context, format!("{} {state}", kind.name()));
            let mut run = run_in(&world, kind, state).await;
            let is = |states: &[RunState]| states.contains(&state);

            let may_stop = is(&[RunState::Preparing, RunState::Initializing, RunState::Planning]);
            assert_eq!(stop(context, &world.may("ada"), &run.id).await.is_ok(), may_stop, "stop {what}");
            let asked = world.run(&run.id).await.stop_requested_by;
            assert_eq!(asked, may_stop.then(|| "Stopped by ada.".to_owned()), "{what}");

            let ended = run.state.is_terminal();
            let again = retry(context, &world.may("ada"), &run.id).await;
            assert_eq!(again.is_ok(), ended, "retry {what}: {again:?}");
            if let Ok(again) = again {
                let again = world.to(&again, RunState::Discarded).await;
                assert_eq!(
                    (&again.retry_of, &again.commit, again.kind),
                    (&Some(run.id.clone()), &run.commit, run.kind)
                );
            }

            let may_confirm = state == RunState::Unconfirmed;
            assert_eq!(confirm(context, &world.may("ada"), &run.id).await.is_ok(), may_confirm, "confirm {what}");
            run = world.run(&run.id).await;
            if may_confirm {
                assert_eq!(run.state, RunState::Confirmed);
                world.to(&run.id, RunState::Failed).await;
                run = run_in(&world, kind, state).await;
            }

            let may_discard = is(&[RunState::Queued, RunState::Ready, RunState::Unconfirmed]);
            assert_eq!(discard(context, &world.may("ada"), &run.id).await.is_ok(), may_discard, "discard {what}");
            run = world.run(&run.id).await;
            assert_eq!(run.state, if may_discard { RunState::Discarded } else { state }, "{what}");
            if !run.state.is_terminal() {
                world.to(&run.id, RunState::Failed).await;
            }
        }
    }
}

#[tokio::test]
async fn a_proposed_run_has_nothing_to_confirm() {
    let world = World::new().await;
    let proposed = world.finished("topic", "main").await;
    let result = confirm(&world.context, &world.may("ada"), &proposed.id).await;
    assert_eq!(refusal(result), Refusal::ProposedOnlyPlans { verb: "confirm".into() });
}

#[tokio::test]
async fn a_tracked_run_is_retried_only_while_the_stack_stands_at_its_commit() {
    let world = World::new().await;
    world.deployed().await;
    let old = world.runs(RunKind::Tracked).await.remove(0);
    let again = retry(&world.context, &world.may("ada"), &old.id).await.unwrap();
    world.to(&again, RunState::Discarded).await;
    let pushed = world.push("main", None).await;
    let result = retry(&world.context, &world.may("ada"), &old.id).await;
    assert_eq!(refusal(result), Refusal::MovedOn { current: Some(pushed) });
    assert_eq!(world.activity().await[0].outcome, Outcome::Refused);
}

#[tokio::test]
async fn a_promotion_that_was_put_back_is_promoted_again_and_not_retried() {
    let world = World::new().await;
    world.deployed().await;
    let proposed = world.finished("topic", "main").await;
    let tracked = world.promoted(&proposed).await;
    let tracked = world.to(&tracked.id, RunState::Failed).await;
    assert!(matches!(refusal(retry(&world.context, &world.may("ada"), &tracked.id).await), Refusal::MovedOn { .. }));
    assert!(matches!(world.promote(&proposed, "ada").await, Ok(Promotion::Created(_))));
}

#[tokio::test]
async fn retrying_an_older_proposed_run_leaves_the_newer_one_of_its_branch_alone() {
    let world = World::new().await;
    let old = world.finished("topic", "main").await;
    world.push("topic", None).await;
    let newer = world.to(&world.proposed("topic").await.id, RunState::Planning).await;
    let again = retry(&world.context, &world.may("ada"), &old.id).await.unwrap();
    assert_eq!(world.run(&newer.id).await, newer, "no newer push has superseded it");
    // Asked for once more, the same commit is planned once.
    let third = retry(&world.context, &world.may("ada"), &old.id).await.unwrap();
    assert_eq!(world.run(&again).await.state, RunState::Canceled);
    assert_eq!(world.run(&third).await.state, RunState::Queued);
}

#[tokio::test]
async fn a_trigger_runs_the_current_commit_or_the_head_when_there_is_none() {
    let world = World::new().await;
    let head = world.origin.git(&["rev-parse", "main"], "");
    let first = run_in(&world, RunKind::Tracked, RunState::Finished).await;
    assert_eq!(first.commit.hash.as_str(), head);
    world.origin.commit("main", None, "README.md");
    world.fetch().await;
    let second = run_in(&world, RunKind::Tracked, RunState::Queued).await;
    assert_eq!(second.commit.hash.as_str(), head);
    let stack = world.stack().await;
    assert_eq!((stack.current_commit, stack.current_run), (Some(second.commit.hash), Some(second.id)));
}

#[tokio::test]
async fn a_branch_that_nobody_has_seen_cannot_be_proposed() {
    let world = World::new().await;
    let result = propose(&world.context, &world.may("ada"), "nowhere").await;
    assert_eq!(refusal(result), Refusal::NoCommit { branch: "nowhere".into() });
}

#[tokio::test]
async fn the_current_commit_is_set_on_purpose_in_any_direction_and_noted() {
    let world = World::new().await;
    let base = world.deployed().await;
    let pushed = world.push("main", None).await;
    for hash in [&base, &pushed] {
        let before = world.stack().await.current_commit.unwrap();
        set_current(&world.context, &world.may("ada"), &format!(" {} ", hash.short())).await.unwrap();
        let stack = world.stack().await;
        assert_eq!((stack.current_commit.as_ref(), stack.current_run), (Some(hash), None));
        let entry = &world.activity().await[0];
        assert_eq!(entry.action, "set current commit");
        assert_eq!(entry.detail, format!("from {} to {}", before.short(), hash.short()));
    }
    let before = world.picture().await;
    for name in ["", "abc", "main", "0000000", "../../etc/passwd", &"0".repeat(40), &"0".repeat(41)] {
        assert_eq!(fields(set_current(&world.context, &world.may("ada"), name).await), ["commit"], "{name}");
    }
    assert_eq!(world.picture().await, before);
}

#[tokio::test]
async fn verbs_do_not_reach_the_runs_of_another_stack() {
    let world = World::new().await;
    let run = run_in(&world, RunKind::Tracked, RunState::Queued).await;
    let viewer = Viewer::system();
    let elsewhere = StackId::new("elsewhere");
    let gone = Err(Problem::NotFound(Thing::Stack));
    assert_eq!(discard(&world.context, &permit(&viewer, &elsewhere).unwrap(), &run.id).await, gone);
    assert_eq!(stop(&world.context, &permit(&viewer, &elsewhere).unwrap(), &run.id).await, gone);
    assert_eq!(world.run(&run.id).await, run);
}

#[tokio::test]
async fn a_reader_has_proposed_runs_planned_again_or_stopped_and_tracked_runs_left_alone() {
    let world = World::new().await;
    world.deployed().await;
    let proposed = world.finished("topic", "main").await;
    let again = retry(&world.context, &world.may_as("rosa", Role::Reader), &proposed.id).await.unwrap();
    world.to(&again, RunState::Planning).await;
    stop(&world.context, &world.may_as("rosa", Role::Reader), &again).await.unwrap();

    let ended = world.runs(RunKind::Tracked).await.remove(0);
    let running = run_in(&world, RunKind::Tracked, RunState::Planning).await;
    let needs_writer = Problem::Forbidden { needs: Role::Writer };
    assert_eq!(retry(&world.context, &world.may_as("rosa", Role::Reader), &ended.id).await, Err(needs_writer.clone()));
    assert_eq!(stop(&world.context, &world.may_as("rosa", Role::Reader), &running.id).await, Err(needs_writer));
    let refused = &world.activity().await[0];
    assert_eq!((refused.actor.as_str(), refused.action.as_str(), refused.outcome), ("rosa", "stop", Outcome::Refused));
    stop(&world.context, &world.may_as("wanda", Role::Writer), &running.id).await.unwrap();
}
