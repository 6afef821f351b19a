//! *Stack details*: name, description, labels, and whether the stack starts runs at all.

use super::{SaveOrCancel, Switch, version};
use crate::app::api::SaveDetails;
use crate::app::flash::{switched, typed};
use crate::app::problem::told;
use crate::app::ui::{Field, described, invalid};
use crate::app::view::SettingsView;
use leptos::form::ActionForm;
use leptos::html::Form;
use leptos::prelude::*;

/// The form.
#[component]
pub fn DetailsForm(view: SettingsView) -> impl IntoView {
    let save = ServerAction::<SaveDetails>::new();
    let problem = told(save);
    let version = version::<SaveDetails>(&view, problem);
    let form = NodeRef::<Form>::new();
    let stack = view.header.id.clone();
    let name = typed::<SaveDetails>("name").unwrap_or_else(|| view.header.name.clone());
    let description = typed::<SaveDetails>("description").unwrap_or_else(|| view.header.description.clone());
    let labels = typed::<SaveDetails>("labels").unwrap_or_else(|| view.labels.join(", "));
    let disabled = switched::<SaveDetails>("disabled").unwrap_or(view.header.disabled);
    view! {
        <ActionForm action=save node_ref=form>
            <input type="hidden" name="stack" value=stack.to_string() />
            <input type="hidden" name="version" value=move || version.get().to_string() />
            <Field name="name" label="Name" hint="Its address stays the same when the name changes." problem>
                <input id="name" name="name" required value=name autocomplete="off" aria-describedby=described("name") aria-invalid=invalid(problem, "name") />
            </Field>
            <Field name="description" label="Description" problem>
                <textarea id="description" name="description" rows="3" aria-describedby=described("description") aria-invalid=invalid(problem, "description")>
                    {description}
                </textarea>
            </Field>
            <Field name="labels" label="Labels" hint="Words to find it by, between commas." problem>
                <input id="labels" name="labels" value=labels autocomplete="off" aria-describedby=described("labels") aria-invalid=invalid(problem, "labels") />
            </Field>
            <Switch
                name="disabled"
                label="Disabled"
                description="A disabled stack starts no runs: pushes are noticed, and nothing follows from them."
                on=disabled
            />
            <SaveOrCancel form role=view.header.role cancel=format!("/stack/{stack}/settings/details") pending=save.pending() problem />
        </ActionForm>
    }
}
