//! *Behavior*: the switches, in the order of product.md, inside the disclosure *Advanced options*.

use super::{SaveOrCancel, Switch, version};
use crate::app::api::SaveBehavior;
use crate::app::flash::switched;
use crate::app::problem::told;
use crate::app::view::SettingsView;
use leptos::form::ActionForm;
use leptos::html::Form;
use leptos::prelude::*;

/// The form.
#[component]
pub fn BehaviorForm(view: SettingsView) -> impl IntoView {
    let save = ServerAction::<SaveBehavior>::new();
    let problem = told(save);
    let version = version::<SaveBehavior>(&view, problem);
    let form = NodeRef::<Form>::new();
    let stack = view.header.id.clone();
    let behavior = view.behavior;
    let on = |name: &str, saved: bool| switched::<SaveBehavior>(name).unwrap_or(saved);
    view! {
        <ActionForm action=save node_ref=form>
            <input type="hidden" name="stack" value=stack.to_string() />
            <input type="hidden" name="version" value=move || version.get().to_string() />
            <details open class="advanced">
                <summary>"Advanced options"</summary>
                <Switch
                    name="autodeploy"
                    label="Autodeploy"
                    description="Plans of tracked runs are applied without asking, unless something holds them."
                    on=on("autodeploy", behavior.autodeploy)
                />
                <Switch
                    name="autoretry"
                    label="Autoretry"
                    description="After an apply, proposed runs that it may have outdated are planned again."
                    on=on("autoretry", behavior.autoretry)
                />
                <Switch
                    name="protect_from_deletion"
                    label="Protect from deletion"
                    description="The stack cannot be deleted while this is on."
                    on=on("protect_from_deletion", behavior.protect_from_deletion)
                />
                <Switch
                    name="allow_run_promotion"
                    label="Allow run promotion"
                    description="Proposed runs can be promoted (deployed) from the run page, the API or a GitHub pull request."
                    on=on("allow_run_promotion", behavior.allow_run_promotion)
                />
                <Switch
                    name="secret_masking"
                    label="Enable secret masking"
                    description="Values of secret variables are masked in logs."
                    on=on("secret_masking", behavior.secret_masking)
                />
            </details>
            <SaveOrCancel form role=view.header.role cancel=format!("/stack/{stack}/settings/behavior") pending=save.pending() problem />
        </ActionForm>
    }
}
