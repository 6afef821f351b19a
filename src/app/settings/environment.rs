//! *Environment*: the variables that a stack's Terraform gets. A secret value is write-only.

use super::Switch;
use crate::app::api::{RemoveVariable, SetVariable};
use crate::app::flash::{switched, typed};
use crate::app::problem::{Told, told};
use crate::app::ui::{Ago, Field, Icon, Needs, described, invalid};
use crate::app::view::SettingsView;
use crate::domain::permission::{Action as _, Configure, Role};
use crate::domain::problem::Problem;
use crate::domain::variable::ShownVariable;
use leptos::form::ActionForm;
use leptos::html::Form;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// The list, and the form for one more, or for the one that the address names.
#[component]
pub fn Environment(view: SettingsView) -> impl IntoView {
    let remove = ServerAction::<RemoveVariable>::new();
    let removing = told(remove);
    let query = use_query_map();
    let stack = view.header.id.to_string();
    let (now, role) = (view.header.now, view.header.role);
    let variables = StoredValue::new(view.variables.clone());
    let form = {
        let stack = stack.clone();
        move || {
            let chosen = query.read().get("variable");
            let known = variables
                .with_value(|variables| variables.iter().find(|known| Some(&known.name) == chosen.as_ref()).cloned());
            view! { <VariableForm stack=stack.clone() role known /> }
        }
    };
    let list = if view.variables.is_empty() {
        view! { <p class="hint">"No variables yet. TF_VAR_region becomes Terraform's variable region."</p> }.into_any()
    } else {
        let rows = view.variables.into_iter();
        let rows = rows.map(|variable| row(variable, stack.clone(), remove, removing, now, role)).collect_view();
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
                            <th scope="col"><span class="hidden">"Change or remove"</span></th>
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
        {form}
    }
}

/// The form for a new variable, or for a known one.
#[component]
fn VariableForm(stack: String, role: Role, known: Option<ShownVariable>) -> impl IntoView {
    let set = ServerAction::<SetVariable>::new();
    let problem = told(set);
    let form = NodeRef::<Form>::new();
    // What was set must not stay in the fields, a secret least of all.
    Effect::new(move |_| {
        if set.value().with(|value| matches!(value, Some(Ok(()))))
            && let Some(form) = form.get_untracked()
        {
            form.reset();
        }
    });
    let page = format!("/stack/{stack}/settings/environment");
    let title = known.as_ref().map_or("Set a variable".into(), |known| format!("Change {}", known.name));
    let hidden_value = known.as_ref().is_some_and(|known| known.value.is_none());
    let hint = if hidden_value { "Left empty, the secret keeps its value." } else { "" };
    let seen_at = typed::<SetVariable>("seen")
        .and_then(|seen| seen.parse().ok())
        .unwrap_or_else(|| known.as_ref().map_or(0, |known| known.updated_at.0));
    // After a refusal that told what is there now, the next try starts from that.
    let seen = move || {
        problem.with(|problem| match problem {
            Some(Problem::Stale { version, .. }) => *version,
            _ => seen_at,
        })
    };
    let is_known = known.is_some();
    let phases = known.as_ref().map_or((true, true), |known| (known.planning, known.applying));
    let (name, value) = known.as_ref().map(|known| (known.name.clone(), known.value.clone())).unzip();
    let on = |name: &str, saved: bool| switched::<SetVariable>(name).unwrap_or(saved);
    view! {
        <h3 id="variable">{title}</h3>
        <ActionForm action=set node_ref=form>
            <input type="hidden" name="stack" value=stack />
            <input type="hidden" name="seen" value=move || seen().to_string() />
            <Field name="name" label="Name" problem>
                <input id="name" name="name" class="code" required readonly=is_known value={typed::<SetVariable>("name").or(name)} autocomplete="off" spellcheck="false" aria-describedby=described("name") aria-invalid=invalid(problem, "name") />
            </Field>
            <Field name="value" label="Value" hint problem>
                <textarea id="value" name="value" class="code" rows="2" autocomplete="off" spellcheck="false" aria-describedby=described("value") aria-invalid=invalid(problem, "value")>
                    {typed::<SetVariable>("value").or(value.flatten())}
                </textarea>
            </Field>
            <Switch name="secret" label="Secret" description="Sealed, masked in logs, and never shown again; at least 4 characters, so that it can be masked." on={on("secret", hidden_value)} />
            <Switch name="planning" label="For planning" description="init and plan see it, in proposed runs too." on={on("planning", phases.0)} />
            <Switch name="applying" label="For applying" description="apply sees it." on={on("applying", phases.1)} />
            <Told problem />
            <div class="actions">
                <button class="button" data-kind="primary" type="submit" disabled=move || set.pending().get()>
                    "Set variable"
                    <Needs role needs=Configure::NEEDS />
                </button>
                {is_known.then(|| view! { <a class="button" href=page>"Cancel"</a> })}
            </div>
        </ActionForm>
    }
}

fn row(
    variable: ShownVariable,
    stack: String,
    remove: ServerAction<RemoveVariable>,
    removing: Signal<Option<Problem>>,
    now: crate::domain::Timestamp,
    role: Role,
) -> impl IntoView + use<> {
    let phases = match (variable.planning, variable.applying) {
        (true, true) => "planning and applying",
        (true, false) => "planning",
        (false, _) => "applying",
    };
    let label = format!("Remove {}", variable.name);
    let (seen_at, told_of) = (variable.updated_at.0, format!("{} (", variable.name));
    // After a refusal that told what is there now, whoever removes it all the same means that.
    let seen = move || {
        let told = removing.with(|problem| {
            let Some(Problem::Stale { changed, version }) = problem else { return None };
            changed.iter().any(|what| what.starts_with(&told_of)).then_some(*version)
        });
        told.map_or(seen_at, |told| told.max(seen_at))
    };
    let change = format!("/stack/{stack}/settings/environment?variable={}#variable", variable.name);
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
                <div class="actions">
                    <a class="button" data-kind="quiet" href=change aria-label=format!("Change {}", variable.name)>
                        "Change"
                        <Needs role needs=Configure::NEEDS />
                    </a>
                    <ActionForm action=remove>
                        <input type="hidden" name="stack" value=stack />
                        <input type="hidden" name="name" value=variable.name />
                        <input type="hidden" name="seen" value=move || seen().to_string() />
                        <button class="button" data-kind="quiet" type="submit" aria-label=label disabled=move || remove.pending().get()>
                            <Icon name="cross" />
                            "Remove"
                            <Needs role needs=Configure::NEEDS />
                        </button>
                    </ActionForm>
                </div>
            </td>
        </tr>
    }
}
