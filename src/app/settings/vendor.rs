//! *Vendor*: whose program plans and applies, and which one.

use super::{SaveOrCancel, version};
use crate::app::api::SaveVendor;
use crate::app::flash::typed;
use crate::app::problem::told;
use crate::app::ui::{Field, described, invalid};
use crate::app::view::SettingsView;
use crate::domain::problem::Problem;
use crate::domain::vendor::Vendor;
use leptos::form::ActionForm;
use leptos::html::Form;
use leptos::prelude::*;

/// The form.
#[component]
pub fn VendorForm(view: SettingsView) -> impl IntoView {
    let save = ServerAction::<SaveVendor>::new();
    let problem = told(save);
    let version = version::<SaveVendor>(&view, problem);
    let form = NodeRef::<Form>::new();
    let stack = view.header.id.clone();
    let vendor = typed::<SaveVendor>("vendor").unwrap_or_else(|| view.header.vendor.name().to_owned());
    let binary = typed::<SaveVendor>("engine_binary").unwrap_or_else(|| view.engine_binary.clone());
    let state = if view.header.manage_state {
        "Headway keeps the state of this stack, every version of it, and its lock."
    } else {
        "The configuration's own backend keeps the state."
    };
    view! {
        <ActionForm action=save node_ref=form>
            <input type="hidden" name="stack" value=stack.to_string() />
            <input type="hidden" name="version" value=move || version.get().to_string() />
            <Field name="vendor" label="Vendor" problem>
                <VendorSelect chosen=vendor problem />
            </Field>
            <Field name="engine_binary" label="Program" hint="An absolute path, or a version such as 1.11.4; empty for the one on the path." problem>
                <input
                    id="engine_binary"
                    name="engine_binary"
                    class="code"
                    value=binary
                    autocomplete="off"
                    aria-describedby=described("engine_binary")
                    aria-invalid=invalid(problem, "engine_binary")
                />
            </Field>
            {view.header.engine_problem.clone().map(|problem| view! { <p class="warning">{problem}</p> })}
            <div class="field">
                <p class="label">"Manage state"</p>
                <p class="fixed">{state} " This was fixed when the stack was made."</p>
            </div>
            <SaveOrCancel form role=view.header.role cancel=format!("/stack/{stack}/settings/vendor") pending=save.pending() problem />
        </ActionForm>
    }
}

/// The choice between the vendors.
#[component]
pub fn VendorSelect(
    /// The one that is chosen when the page comes.
    chosen: String,
    /// The problem that the form was answered with.
    #[prop(into)]
    problem: Signal<Option<Problem>>,
) -> impl IntoView {
    view! {
        <select id="vendor" name="vendor" aria-describedby=described("vendor") aria-invalid=invalid(problem, "vendor")>
            {Vendor::ALL
                .into_iter()
                .map(|vendor| {
                    view! {
                        <option value=vendor.name() selected=chosen == vendor.name()>
                            {vendor.label()}
                        </option>
                    }
                })
                .collect_view()}
        </select>
    }
}
