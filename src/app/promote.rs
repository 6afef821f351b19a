//! Promote: the button that makes a tracked run of a proposed one; and, where it may not be pressed, every condition
//! with its reason and its cure.

use super::api::{PromoteRun, RetryRun};
use super::problem::{Told, told};
use super::timeline::{MissingCommits, Retry, Which, pending};
use super::ui::{DeltaView, Icon, StateBadge};
use super::view::{Header, RunView};
use crate::domain::promotion::{Condition, ConditionName, Verdict};
use crate::domain::relation::Missing;
use crate::domain::run::Run;
use leptos::form::ActionForm;
use leptos::html::Dialog;
use leptos::prelude::*;
use leptos::web_sys::MouseEvent;
use leptos::web_sys::js_sys::Reflect;

/// The dialog, by its id. A command opens it; in a browser that knows none a script does, and without a script it comes
/// as a popover. Where there are no popovers either, the styles let it stand open in its place.
const DIALOG: &str = "promote-dialog";

/// What can be done with a proposed run.
#[component]
pub fn Promotion(view: RunView, promote: ServerAction<PromoteRun>, retry: ServerAction<RetryRun>) -> impl IntoView {
    let RunView { header, run, verdict, missing, promotions, newer, retryable, .. } = view;
    let (ended, stopping) = (run.state.is_terminal(), run.stop_requested_by.is_some());
    let promotable = verdict.as_ref().is_some_and(Verdict::may_promote);
    let home = format!("/stack/{}", header.id);
    let problem = told(promote);
    let dialog = NodeRef::<Dialog>::new();
    view! {
        {newer
            .map(|newer| {
                view! {
                    <p class="warning">
                        <Icon name="alert" />
                        <span>
                            {format!("{} has a newer proposed run: ", run.branch)}
                            <a href=format!("{home}/run/{}", newer.id)>{newer.commit.subject.clone()}</a>
                        </span>
                    </p>
                }
            })}
        <div class="actions">
            {promotable
                .then(|| {
                    view! {
                        <button
                            class="button"
                            data-kind="primary"
                            type="button"
                            commandfor=DIALOG
                            command="show-modal"
                            popovertarget=DIALOG
                            popovertargetaction="show"
                            on:click=move |event| open(&event, dialog)
                        >
                            <Icon name="promote" />
                            "Promote"
                        </button>
                    }
                })}
            {(ended && retryable).then(|| view! { <Retry run=run.clone() role=header.role retry /> })}
        </div>
        {(ended && !retryable)
            .then(|| {
                view! {
                    <p class="hint">
                        "It cannot be retried: its commit is a fork's, and the stack does not plan forks. An administrator can allow it: Settings > Integrations > Plans for forks."
                    </p>
                }
            })}
        <Told problem />
        {promotable.then(|| view! { <Confirmation run=run.clone() header=header.clone() promote dialog /> })}
        {(!promotions.is_empty())
            .then(|| {
                view! {
                    <ul class="runs" aria-label="Promotions of this run">
                        {promotions
                            .into_iter()
                            .map(|tracked| {
                                view! {
                                    <li class="run-line">
                                        <StateBadge state=tracked.state />
                                        <a href=format!("{home}/run/{}", tracked.id)>
                                            {format!("Promoted by {}", tracked.triggered_by)}
                                        </a>
                                    </li>
                                }
                            })
                            .collect_view()}
                    </ul>
                }
            })}
        {verdict.map(|verdict| view! { <Conditions verdict missing ended stopping /> })}
    }
}

/// Opens the dialog where the browser does not know `commandfor` yet.
fn open(event: &MouseEvent, dialog: NodeRef<Dialog>) {
    if let Some(dialog) = dialog.get_untracked().filter(|_| !knows_commands(event)) {
        // A dialog that has just left the page cannot be opened, and need not be.
        let _ = dialog.show_modal();
    }
}

/// Closes it there.
fn close(event: &MouseEvent, dialog: NodeRef<Dialog>) {
    if let Some(dialog) = dialog.get_untracked().filter(|_| !knows_commands(event)) {
        dialog.close();
    }
}

fn knows_commands(event: &MouseEvent) -> bool {
    let button = event.current_target();
    button.is_some_and(|button| Reflect::has(&button, &"commandForElement".into()).unwrap_or(false))
}

/// Asks once more, and says what will happen. It begins at its title, so that a key that is held down on Promote presses
/// nothing here.
#[component]
fn Confirmation(run: Run, header: Header, promote: ServerAction<PromoteRun>, dialog: NodeRef<Dialog>) -> impl IntoView {
    let consequence = if header.autodeploy {
        "Autodeploy is on: unless something holds it, the plan will be applied at once, without asking again."
    } else {
        "Headway plans the commit again and then waits: nothing is applied before somebody confirms that plan."
    };
    let queue = header.blocker.as_ref().map(|blocker| {
        format!(
            "It waits in the queue first: “{}” is {} and keeps the stack.",
            blocker.commit.subject,
            blocker.state.name()
        )
    });
    // A refusal stands on the page, which an open dialog would cover.
    Effect::new(move |before: Option<()>| {
        let refused = promote.value().with(|value| matches!(value, Some(Err(_))));
        if before.is_some()
            && refused
            && let Some(dialog) = dialog.get_untracked()
        {
            dialog.close();
            // It came as a popover if it was opened before the script was there.
            let _ = dialog.hide_popover();
        }
    });
    let delta =
        run.delta.map(|delta| view! { <p class="meta">"The reviewed plan: " <DeltaView delta=Some(delta) /></p> });
    view! {
        <dialog id=DIALOG class="dialog" popover="auto" aria-labelledby="promote-title" node_ref=dialog>
            <h2 id="promote-title" tabindex="-1" autofocus=true>{format!("Promote to {}?", header.name)}</h2>
            <p>
                <strong>{run.commit.subject.clone()}</strong>
                {format!(" ({} on {}) becomes a tracked run.", run.commit.hash.short(), run.branch)}
            </p>
            {delta}
            <p class=if header.autodeploy { "warning" } else { "note" }>
                {header.autodeploy.then(|| view! { <Icon name="alert" /> })}
                <span>{consequence}</span>
            </p>
            {queue.map(|queue| view! { <p>{queue}</p> })}
            <div class="actions">
                <ActionForm action=promote>
                    <Which run />
                    <button class="button" data-kind="primary" type="submit" disabled=pending(promote)>
                        <Icon name="promote" />
                        {if header.autodeploy { "Promote and apply" } else { "Promote this commit" }}
                    </button>
                </ActionForm>
                <button
                    class="button"
                    type="button"
                    commandfor=DIALOG
                    command="close"
                    popovertarget=DIALOG
                    popovertargetaction="hide"
                    on:click=move |event| close(&event, dialog)
                >
                    "Cancel"
                </button>
            </div>
        </dialog>
    }
}

/// The nine conditions; those that do not hold are what a person reads first.
#[component]
fn Conditions(verdict: Verdict, missing: Option<Missing>, ended: bool, stopping: bool) -> impl IntoView {
    let refused = verdict.refusals().count();
    let title = match (&verdict.promoted_as, refused, ended) {
        (Some(_), _, _) => "It has been promoted.".to_owned(),
        (None, 0, _) => "It can be promoted: every condition holds.".to_owned(),
        (None, _, false) if stopping => "It is being stopped, and then there is no plan to promote.".to_owned(),
        (None, _, false) => "It can be promoted when it has finished, if every condition holds then.".to_owned(),
        (None, 1, true) => "It cannot be promoted, for one reason:".to_owned(),
        (None, count, true) => format!("It cannot be promoted, for {count} reasons:"),
    };
    let symbol = match (&verdict.promoted_as, refused, ended) {
        (Some(_), _, _) | (None, 0, _) => "check",
        (None, _, false) => "clock",
        (None, _, true) => "cross",
    };
    // Once promoted, what does not hold any more is of no interest.
    let open = verdict.promoted_as.is_none() && ended;
    let (failing, holding): (Vec<_>, Vec<_>) = verdict.conditions.into_iter().partition(|condition| !condition.holds);
    let total = failing.len() + holding.len();
    view! {
        <section class="conditions" aria-label="Promotion">
            <p class="verdict" data-holds=(refused == 0 || !open).to_string()>
                <Icon name=symbol />
                {title}
            </p>
            {open
                .then(|| {
                    view! {
                        <ul>{failing.clone().into_iter().map(|condition| view! { <Item condition missing=missing.clone() /> }).collect_view()}</ul>
                    }
                })}
            <details>
                <summary>{format!("All {total} conditions")}</summary>
                <ul>
                    {failing
                        .into_iter()
                        .chain(holding)
                        .map(|condition| view! { <Item condition missing=None /> })
                        .collect_view()}
                </ul>
            </details>
        </section>
    }
}

#[component]
fn Item(condition: Condition, missing: Option<Missing>) -> impl IntoView {
    let missing = missing.filter(|_| condition.name == ConditionName::Newer);
    view! {
        <li data-condition=condition.name.name() data-holds=condition.holds.to_string()>
            <Icon name=if condition.holds { "check" } else { "cross" } />
            <div>
                <span class="hidden">{if condition.holds { "Holds: " } else { "Does not hold: " }}</span>
                {condition.reason}
                {condition.cure.map(|cure| view! { <span class="cure">" " {cure}</span> })}
                {missing.map(|missing| view! { <MissingCommits missing /> })}
            </div>
        </li>
    }
}
