//! Runs in the store: how they read back, and that every step is one of the table and starts where the run stands.

use super::*;
use crate::domain::hold::Hold;
use crate::domain::plan::{Action, Plan, ResourceChange};

#[tokio::test]
async fn a_run_reads_back_as_it_was_written() {
    each(async |world| {
        let (stack, other) = (world.stack("network").await, world.stack("other").await);
        let proposed = world.queued(&stack, RunKind::Proposed).await;
        let new = NewRun {
            promoted_from: Some(proposed.id.clone()),
            retry_of: Some(proposed.id.clone()),
            previous: Previous { commit: Some(hash('a')), run: Some(RunId::new("before")) },
            ..world.new_run(&stack, RunKind::Tracked)
        };
        let run = world.add(&new).await.unwrap();
        assert_eq!((&run.id, &run.stack, run.kind, run.state), (&new.id, &stack, new.kind, RunState::Queued));
        assert_eq!((&run.branch, &run.commit, &run.triggered_by), (&new.branch, &new.commit, &new.triggered_by));
        assert_eq!((&run.promoted_from, &run.retry_of), (&new.promoted_from, &new.retry_of));
        assert_eq!((&run.previous, run.created_at, run.state_since), (&new.previous, NOW, NOW));
        assert_eq!((run.ended_at, run.apply_started_at, run.changes, run.fence), (None, None, None, 0));
        assert_eq!((&run.note, &run.stop_requested_by, run.delta), (&None, &None, None));
        assert_eq!(world.reread(&run).await, run);
        let mut reading = world.read().await;
        assert_eq!(reading.run(&other, &run.id).await.unwrap(), None, "a run of another stack is not found");
        let steps = reading.transitions(&run.id).await.unwrap();
        assert_eq!(steps.len(), 1);
        assert_eq!((steps[0].position, steps[0].state, steps[0].actor.as_str()), (0, RunState::Queued, "ada"));
        drop(reading);
        assert!(world.add(&new).await.unwrap_err().is_duplicate());
    })
    .await;
}

#[tokio::test]
async fn runs_are_listed_newest_first_and_page_by_page() {
    each(async |world| {
        let stack = world.stack("network").await;
        let mut tracked = Vec::new();
        let mut proposed = Vec::new();
        for branch in ["one", "two", "one"] {
            tracked.insert(0, world.queued(&stack, RunKind::Tracked).await);
            let new = NewRun { branch: branch.into(), ..world.new_run(&stack, RunKind::Proposed) };
            proposed.insert(0, world.add(&new).await.unwrap());
        }
        let mut reading = world.read().await;
        assert_eq!(reading.runs_of_stack(&stack, RunKind::Tracked, None, 9).await.unwrap(), tracked);
        assert_eq!(reading.runs_of_stack(&stack, RunKind::Proposed, None, 2).await.unwrap(), proposed[..2]);
        let older = reading.runs_of_stack(&stack, RunKind::Proposed, Some(&proposed[1].id), 9).await.unwrap();
        assert_eq!(older, proposed[2..]);
        assert_eq!(reading.newest_tracked(&stack).await.unwrap().as_ref(), tracked.first());
        let branches = ["one", "three", "two"];
        assert_eq!(reading.newest_proposed_of_each(&stack, &branches).await.unwrap(), proposed[..2]);
        assert_eq!(reading.newest_proposed_of_each(&stack, &["one"]).await.unwrap(), proposed[..1]);
        assert_eq!(reading.latest_branches(&stack, 9).await.unwrap(), ["one", "two"]);
        assert_eq!(reading.latest_branches(&stack, 1).await.unwrap(), ["one"]);
        assert_eq!(reading.newest_proposed_of(&stack, "one").await.unwrap().as_ref(), proposed.first());
        assert_eq!(reading.newest_proposed_of(&stack, "three").await.unwrap(), None);
        let open = reading.open_proposed(&stack, "one").await.unwrap();
        assert_eq!(ids(&open), [proposed[2].id.as_str(), proposed[0].id.as_str()], "oldest first");
        assert_eq!(reading.open_run_ids().await.unwrap().len(), 6);
        assert_eq!(reading.open_runs(&stack).await.unwrap(), 6);
        assert_eq!(reading.open_runs_of(&stack).await.unwrap().len(), 6);
    })
    .await;
}

#[tokio::test]
async fn the_newest_runs_of_more_branches_than_one_statement_asks_about_are_found() {
    each(async |world| {
        let (stack, other) = (world.stack("network").await, world.stack("other").await);
        let mut newest = Vec::new();
        for number in 0..50 {
            let branch = format!("branch-{number}");
            let new = NewRun { branch: branch.clone(), ..world.new_run(&stack, RunKind::Proposed) };
            newest.insert(0, world.add(&new).await.unwrap());
            world.add(&NewRun { branch, ..world.new_run(&other, RunKind::Proposed) }).await.unwrap();
        }
        let branches: Vec<String> = (0..60).map(|number| format!("branch-{number}")).collect();
        let branches: Vec<&str> = branches.iter().map(String::as_str).collect();
        let mut reading = world.read().await;
        assert_eq!(reading.newest_proposed_of_each(&stack, &branches).await.unwrap(), newest);
        assert_eq!(reading.newest_proposed_of_each(&stack, &[]).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn a_step_that_the_table_forbids_is_refused_and_leaves_no_trace() {
    each(async |world| {
        let mut number = 0;
        for kind in RunKind::ALL {
            for from in RunState::ALL {
                if way(RunState::Queued, from, kind).is_none() {
                    continue;
                }
                number += 1;
                let stack = world.stack(&format!("stack-{number}")).await;
                let run = world.to(&world.queued(&stack, kind).await, from).await;
                let mut writing = world.write().await;
                for to in RunState::ALL.into_iter().filter(|to| !from.may_become(*to, kind)) {
                    let refused = writing.step(&run, to, "ada", None, NOW).await;
                    assert!(matches!(refused, Err(StoreError::Changed)), "{} {from} to {to}", kind.name());
                }
                writing.commit().await.unwrap();
                assert_eq!(world.reread(&run).await, run);
            }
        }
        assert_eq!(number, 23);
    })
    .await;
}

#[tokio::test]
async fn a_step_that_somebody_took_first_is_refused() {
    each(async |world| {
        let stack = world.stack("network").await;
        let queued = world.queued(&stack, RunKind::Tracked).await;
        world.step(&queued, RunState::Ready).await.unwrap();
        for to in [RunState::Ready, RunState::Discarded, RunState::Canceled] {
            assert!(matches!(world.step(&queued, to).await, Err(StoreError::Changed)), "{to}");
        }
        let steps = world.read().await.transitions(&queued.id).await.unwrap();
        assert_eq!(steps.iter().map(|step| step.state).collect::<Vec<_>>(), [RunState::Queued, RunState::Ready]);
    })
    .await;
}

#[tokio::test]
async fn every_step_is_kept_with_its_actor_time_and_note() {
    each(async |world| {
        let stack = world.stack("network").await;
        let mut run = world.to(&world.queued(&stack, RunKind::Tracked).await, RunState::Unconfirmed).await;
        let way = [(RunState::Confirmed, None), (RunState::Applying, None), (RunState::Failed, Some("It broke."))];
        for (number, (to, note)) in (1..).zip(way) {
            let mut writing = world.write().await;
            run = writing.step(&run, to, "grace", note, NOW.plus(number)).await.unwrap();
            writing.commit().await.unwrap();
        }
        assert_eq!((run.apply_started_at, run.ended_at), (Some(NOW.plus(2)), Some(NOW.plus(3))));
        assert_eq!((run.state_since, run.note.as_deref()), (NOW.plus(3), Some("It broke.")));
        let steps = world.read().await.transitions(&run.id).await.unwrap();
        assert_eq!(steps.iter().map(|step| step.position).collect::<Vec<_>>(), (0..9).collect::<Vec<_>>());
        let last = steps.last().unwrap();
        assert_eq!((last.state, last.at), (RunState::Failed, NOW.plus(3)));
        assert_eq!((last.actor.as_str(), last.note.as_deref()), ("grace", Some("It broke.")));
    })
    .await;
}

#[tokio::test]
async fn a_plan_gives_its_run_a_delta_and_planned_again_it_is_replaced() {
    each(async |world| {
        let stack = world.stack("network").await;
        let run = world.to(&world.queued(&stack, RunKind::Tracked).await, RunState::Planning).await;
        let resource = ResourceChange {
            address: "terraform_data.a".into(),
            kind: "terraform_data".into(),
            action: Action::Create,
            moved_from: None,
            imported_as: None,
            deposed: None,
            reason: None,
            attributes: Vec::new(),
            more_attributes: 0,
        };
        let mut writing = world.write().await;
        assert_eq!(writing.plan(&run.id).await.unwrap(), None);
        for plan in [Plan::default(), Plan { resources: vec![resource], ..Plan::default() }] {
            writing.save_plan(&run, &plan).await.unwrap();
            let read = writing.run(&stack, &run.id).await.unwrap().unwrap();
            assert_eq!((read.delta, read.changes), (Some(plan.delta()), Some(plan.has_changes())));
            assert_eq!(writing.plan(&run.id).await.unwrap(), Some(plan));
        }
        let holds = [Hold::AutodeployOff, Hold::Locked { holder: "ada".into() }];
        writing.save_holds(&run, &holds).await.unwrap();
        assert_eq!(writing.run(&stack, &run.id).await.unwrap().unwrap().holds, holds);
    })
    .await;
}

#[tokio::test]
async fn the_first_who_asks_a_run_to_stop_is_named_until_it_stopped() {
    each(async |world| {
        let stack = world.stack("network").await;
        let run = world.to(&world.queued(&stack, RunKind::Proposed).await, RunState::Planning).await;
        let mut writing = world.write().await;
        assert_eq!(writing.stop_requested(&run).await.unwrap(), None);
        writing.request_stop(&run, "Stopped by ada.").await.unwrap();
        writing.request_stop(&run, "Stopped by grace.").await.unwrap();
        assert_eq!(writing.stop_requested(&run).await.unwrap().as_deref(), Some("Stopped by ada."));
        writing.commit().await.unwrap();
        let run = world.reread(&run).await;
        assert_eq!(run.stop_requested_by.as_deref(), Some("Stopped by ada."));
        let stopped = world.step(&run, RunState::Stopped).await.unwrap();
        assert_eq!(stopped.stop_requested_by, None);
    })
    .await;
}
