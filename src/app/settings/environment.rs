//! *Environment*: the variables that a stack's Terraform gets. A secret value is write-only.

use super::Switch;
use crate::app::api::{RemoveVariable, SetVariable};
use crate::app::flash::{switched, typed};
use crate::app::problem::{Told, told};
use crate::app::ui::{Ago, Field, Icon, described, invalid};
use crate::app::view::SettingsView;
use crate::domain::variable::ShownVariable;
use leptos::form::ActionForm;
use leptos::html::Form;
use leptos::prelude::*;

/// The list, and the form for one more.
#[component]
pub fn Environment(view: SettingsView) -> impl IntoView {
    let set = ServerAction::<SetVariable>::new();
    let remove = ServerAction::<RemoveVariable>::new();
    let (problem, removing) = (told(set), told(remove));
    let form = NodeRef::<Form>::new();
    // What was set must not stay in the fields, a secret least of all.
    Effect::new(move |_| {
        if set.value().with(|value| matches!(value, Some(Ok(()))))
            && let Some(form) = form.get_untracked()
        {
            form.reset();
        }
    });
    let stack = view.header.id.to_string();
    let now = view.header.now;
    let list = if view.variables.is_empty() {
        view! { <p class="hint">"No variables yet. TF_VAR_region becomes Terraform's variable region."</p> }.into_any()
    } else {
        let rows = view.variables.into_iter().map(|variable| row(variable, stack.clone(), remove, now)).collect_view();
        view! {
            <div class="scroll" tabindex="0" role="region" aria-label="Variables">
                <table class="variables">
                    <caption class="hidden">"Variables"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Name"</th>
                            <th scope="col">"Value"</th>
                            <th scope="col">"For"</th>
                            <th scope="col">"Set"</th>
                            <th scope="col"><span class="hidden">"Remove"</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        }
        .into_any()
    };
    view! {
        {list}
        <Told problem=removing />
        <h3>"Set a variable"</h3>
        <ActionForm action=set node_ref=form>
            <input type="hidden" name="stack" value=stack.clone() />
            <Field name="name" label="Name" hint="A name that is there already gets the new value." problem>
                <input id="name" name="name" class="code" required value={typed::<SetVariable>("name")} autocomplete="off" spellcheck="false" aria-describedby=described("name") aria-invalid=invalid(problem, "name") />
            </Field>
            <Field name="value" label="Value" hint="Left empty, a secret that is there keeps its value." problem>
                <textarea id="value" name="value" class="code" rows="2" autocomplete="off" spellcheck="false" aria-describedby=described("value") aria-invalid=invalid(problem, "value")>
                    {typed::<SetVariable>("value")}
                </textarea>
            </Field>
            <Switch name="secret" label="Secret" description="Sealed, masked in logs, and never shown again; at least 4 characters, so that it can be masked." on={switched::<SetVariable>("secret").unwrap_or(false)} />
            <Switch name="planning" label="For planning" description="init and plan see it, in proposed runs too." on={switched::<SetVariable>("planning").unwrap_or(true)} />
            <Switch name="applying" label="For applying" description="apply sees it." on={switched::<SetVariable>("applying").unwrap_or(true)} />
            <Told problem />
            <div class="actions">
                <button class="button" data-kind="primary" type="submit" disabled=move || set.pending().get()>
                    "Set variable"
                </button>
            </div>
        </ActionForm>
    }
}

fn row(
    variable: ShownVariable,
    stack: String,
    remove: ServerAction<RemoveVariable>,
    now: crate::domain::Timestamp,
) -> impl IntoView + use<> {
    let phases = match (variable.planning, variable.applying) {
        (true, true) => "planning and applying",
        (true, false) => "planning",
        (false, _) => "applying",
    };
    let label = format!("Remove {}", variable.name);
    view! {
        <tr>
            <th scope="row"><code>{variable.name.clone()}</code></th>
            <td>
                {match variable.value {
                    Some(value) => view! { <code class="value">{value}</code> }.into_any(),
                    None => view! { <em>"secret"</em> }.into_any(),
                }}
            </td>
            <td>{phases}</td>
            <td><Ago at=variable.updated_at now /></td>
            <td>
                <ActionForm action=remove>
                    <input type="hidden" name="stack" value=stack />
                    <input type="hidden" name="name" value=variable.name />
                    <button class="button" data-kind="quiet" type="submit" aria-label=label disabled=move || remove.pending().get()>
                        <Icon name="cross" />
                        "Remove"
                    </button>
                </ActionForm>
            </td>
        </tr>
    }
}
