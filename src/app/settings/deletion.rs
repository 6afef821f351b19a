//! *Stack deletion*: the name is typed before a stack goes with everything that Headway knows of it.

use crate::app::api::DeleteStack;
use crate::app::problem::{Told, told};
use crate::app::ui::{Field, Icon, Needs, described, invalid};
use crate::app::view::SettingsView;
use crate::domain::permission::{self, Action as _};
use crate::domain::problem::Refusal;
use leptos::form::ActionForm;
use leptos::prelude::*;

/// The form, or why the stack cannot be deleted now.
#[component]
pub fn Deletion(view: SettingsView) -> impl IntoView {
    let delete = ServerAction::<DeleteStack>::new();
    let problem = told(delete);
    let header = view.header;
    let refusal = if view.behavior.protect_from_deletion {
        Some(Refusal::Protected)
    } else if view.open_runs > 0 {
        Some(Refusal::RunsOpen { count: view.open_runs })
    } else {
        None
    };
    let obstacle = refusal.map(|refusal| format!("{} {}", refusal.reason(), refusal.cure().unwrap_or_default()));
    let kept = if header.manage_state {
        "What it deployed stays deployed, but the state that Headway keeps is lost: nobody can change or destroy it with \
         Terraform afterwards."
    } else {
        "What it deployed stays deployed, and its state stays where the configuration keeps it."
    };
    view! {
        <p>"This removes the stack with its runs, logs, environment and settings. It cannot be undone."</p>
        <p>{kept}</p>
        {obstacle
            .clone()
            .map(|obstacle| {
                view! {
                    <p class="warning">
                        <Icon name="alert" />
                        <span>{obstacle}</span>
                    </p>
                }
            })}
        {obstacle
            .is_none()
            .then(|| {
                view! {
                    <ActionForm action=delete>
                        <input type="hidden" name="stack" value=header.id.to_string() />
                        <p>"Type " <strong>{header.name.clone()}</strong> " to delete the stack."</p>
                        <Field name="name" label="Name of the stack" problem>
                            <input id="name" name="name" required autocomplete="off" aria-describedby=described("name") aria-invalid=invalid(problem, "name") />
                        </Field>
                        <Told problem />
                        <div class="actions">
                            <button class="button" data-kind="danger" type="submit" disabled=move || delete.pending().get()>
                                "Delete the stack"
                                <Needs role=header.role needs=permission::DeleteStack::NEEDS />
                            </button>
                        </div>
                    </ActionForm>
                }
            })}
    }
}
