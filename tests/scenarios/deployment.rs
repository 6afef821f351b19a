//! The main job: a proposed run is promoted, planned again, confirmed and applied; and what stands in the way.

use crate::headway::{Headway, terraform};
use crate::repository::{Repository, resource};

#[tokio::test]
async fn a_proposed_run_becomes_a_deployment() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    headway.page(&stack).await.says("No tracked runs yet").says("No current commit yet");
    headway.deploy(&stack).await;

    let commit = repository.branch("more", "main", "Make a second thing", &[("second.tf", &resource("second"))]);
    headway.sync(&stack).await;
    let proposed = headway.proposed(&stack, "more").await;
    headway.until_state(&proposed, "finished").await.says("It can be promoted").says("and then waits");
    headway.page(&format!("{proposed}/changes")).await.says("terraform_data.second").lacks("terraform_data.first");

    let tracked = headway.press(&proposed, "promote_run").await;
    assert_ne!(tracked.path, proposed);
    let again = headway.press(&proposed, "promote_run").await;
    assert_eq!(again.path, tracked.path, "the second caller is shown the first run");
    headway.page(&stack).await.says(&format!("Current commit {}", &commit[..7]));

    let waiting = headway.until_state(&tracked.path, "unconfirmed").await;
    waiting.says("Autodeploy is off").says("Promoted by operator").says("Confirm").says("Discard");
    headway.press(&tracked.path, "confirm_run").await.has_status(200);
    let done = headway.until_state(&tracked.path, "finished").await;
    done.says("Apply complete! Resources: 1 added, 0 changed, 0 destroyed.");

    let reviewed = headway.page(&proposed).await;
    reviewed.says("It has been promoted.").says("Promoted by operator");
    assert!(reviewed.runs().contains(&tracked.path) && done.runs().contains(&proposed), "they link to each other");
    let activity = headway.page("/activity").await;
    activity.says("promote").says(&format!("{} on more became the tracked run", &commit[..7])).says("confirm");
}

#[tokio::test]
async fn a_large_plan_comes_a_page_at_a_time() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let many = "resource \"terraform_data\" \"many\" {\n  count = 120\n}\noutput \"last\" { value = 1 }\n";
    let (headway, stack) = Headway::with_network(&repository).await;
    repository.branch("many", "main", "Make many things", &[("many.tf", many)]);
    headway.sync(&stack).await;
    let run = headway.proposed(&stack, "many").await;
    headway.until_state(&run, "finished").await;
    let first = headway.page(&format!("{run}/changes")).await;
    // The first thing, a hundred and twenty, and an output.
    first.says("Changes 1 to 100 of 122").says("many[98]").lacks("many[99]");
    assert!(!first.html.contains("id=\"outputs\""), "{}", first.html);
    assert!(first.html.contains(&format!("href=\"{run}/changes?from=100\"")), "{}", first.html);
    let last = headway.page(&format!("{run}/changes?from=100")).await;
    last.says("Changes 101 to 122 of 122")
        .says("many[99]")
        .says("Outputs")
        .says("Previous changes")
        .lacks("Next changes");
    let chosen = headway.page(&format!("{run}/changes?kind=add&words=MANY[1")).await;
    chosen.says("many[1]").says("many[119]").lacks("many[20]").lacks("Next changes");
    let chosen = headway.page(&format!("{run}/changes?kind=add&words=many")).await;
    chosen.says("Changes 1 to 100 of 120");
    assert!(chosen.html.contains("changes?words=many&amp;kind=add&amp;from=100\""), "{}", chosen.html);
    headway.page(&format!("{run}/changes?kind=destroy")).await.has_status(200).says("No change fits").says("Show all");
    for odd in ["122", "99999999999999999999", "-1", "x"] {
        headway
            .page(&format!("{run}/changes?from={odd}&kind={odd}"))
            .await
            .has_status(200)
            .says("Changes 1 to 100 of 122");
    }
}

#[tokio::test]
async fn with_autodeploy_a_promotion_is_applied_at_once_and_a_later_push_that_would_undo_it_waits() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    headway.deploy(&stack).await;
    headway.behave(&stack, &["autodeploy", "allow_run_promotion", "secret_masking"]).await.says("Saved.");

    let proposed = headway.propose_second(&repository, &stack).await;
    headway.page(&proposed).await.says("applied at once");
    let tracked = headway.press(&proposed, "promote_run").await.path;
    headway.until_state(&tracked, "finished").await.says("1 added");

    // The branch is not merged, and somebody pushes to main.
    repository.commit("main", "Make a third thing", &[("third.tf", &resource("third"))]);
    headway.sync(&stack).await;
    let pushed = headway.page(&stack).await.runs()[0].clone();
    let held = headway.until_state(&pushed, "unconfirmed").await;
    held.says("Applying would take out 1 commit").says("Make a second thing").lacks("Autodeploy is off");
    headway.page("/").await.says("Review the waiting plan");
}

#[tokio::test]
async fn a_promotion_that_is_discarded_is_put_back_and_can_be_promoted_again() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    headway.deploy(&stack).await;
    let before = repository.git(&["rev-parse", "main"]);
    let proposed = headway.propose_second(&repository, &stack).await;
    let tracked = headway.press(&proposed, "promote_run").await.path;
    headway.until_state(&tracked, "unconfirmed").await;
    headway.press(&tracked, "discard_run").await;
    headway.until_state(&tracked, "discarded").await;

    headway.page(&stack).await.says(&format!("Current commit {}", &before[..7]));
    let again = headway.press(&proposed, "promote_run").await.path;
    assert_ne!(again, tracked);
    headway.until_state(&again, "unconfirmed").await;
}

#[tokio::test]
async fn a_button_that_has_become_stale_is_refused_with_the_reason_in_place() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    headway.deploy(&stack).await;
    let proposed = headway.propose_second(&repository, &stack).await;
    headway.page(&proposed).await.says("It can be promoted");

    headway.behave(&stack, &["secret_masking"]).await;
    let refused = headway.press(&proposed, "promote_run").await;
    refused.has_status(409).says("Run promotion is switched off for this stack.").says("Allow run promotion");
    let (stack_id, run) = proposed.trim_start_matches("/stack/").split_once("/run/").unwrap();
    let (status, problem) = headway.call("promote_run", &[("stack", stack_id), ("run", run)]).await;
    assert_eq!(status, 409);
    let conditions = problem["refused"]["promotion"]["conditions"].as_array().unwrap();
    assert_eq!(conditions.iter().filter(|condition| condition["holds"] == false).count(), 1);
    headway.page("/activity").await.says("promote refused");

    // Nothing was started.
    assert_eq!(headway.page(&stack).await.runs().len(), 1);
}

#[tokio::test]
async fn tracked_runs_wait_for_the_stack_and_say_for_whom_and_proposed_ones_do_not_wait() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    let first = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    headway.until_state(&first, "unconfirmed").await;
    let second = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    headway.until_state(&second, "queued").await.says("Waits for the stack").says("is unconfirmed");

    headway.propose_second(&repository, &stack).await;

    headway.press(&first, "discard_run").await;
    headway.until_state(&second, "unconfirmed").await;
}

#[tokio::test]
async fn a_lock_keeps_others_out_and_nothing_is_applied_by_itself() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let mut headway = Headway::start().await;
    let stack = headway.stack(&repository, "Network", &[]).await;
    headway.behave(&stack, &["autodeploy", "allow_run_promotion"]).await;
    let locked =
        headway.form(&format!("{stack}/lock"), "lock_stack", &[("stack", "network"), ("note", "migrating")]).await;
    locked.says("Locked by operator").says("migrating");
    let run = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    headway.until_state(&run, "unconfirmed").await.says("The stack is locked by operator.");

    // Somebody else comes.
    let grace = headway.invite("grace", "writer").await;
    let operator = headway.act_with(grace);
    headway.press(&run, "confirm_run").await.has_status(409).says("The stack is locked by operator: migrating");
    headway.form(&stack, "trigger_run", &[("stack", "network")]).await.has_status(409).says("Ask operator");
    headway.act_with(operator);
    headway.press(&run, "discard_run").await;
    headway.form(&stack, "unlock_stack", &[("stack", "network")]).await.lacks("Locked by");
    let free = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    headway.until_state(&free, "finished").await;
}

#[tokio::test]
async fn with_autoretry_an_apply_has_the_other_branches_planned_again() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    headway.behave(&stack, &["autodeploy", "autoretry", "allow_run_promotion"]).await;
    repository.branch("more", "main", "Make a second thing", &[("second.tf", &resource("second"))]);
    headway.sync(&stack).await;
    let before = headway.proposed(&stack, "more").await;
    headway.until_state(&before, "finished").await;
    headway.page(&format!("{before}/changes")).await.says("terraform_data.first");

    let run = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    headway.until_state(&run, "finished").await;
    let after = headway
        .until(&format!("{stack}/proposed"), "a newer run", |page| {
            page.runs().first().is_some_and(|run| *run != before)
        })
        .await
        .runs()[0]
        .clone();
    headway.until_state(&after, "finished").await.says("Started by autoretry");
    headway.page(&format!("{after}/changes")).await.lacks("terraform_data.first");
}
