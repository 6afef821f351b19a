//! What a run would change, resource by resource, a piece of it at a time. Sensitive values are not here: they never
//! leave the runner.

use super::api;
use super::live::{self, Listen, Reload, moves};
use super::run::{RunHeader, use_run};
use super::stack::use_stack;
use super::ui::{Icon, Loaded};
use super::view::ChangesView;
use crate::domain::plan::{
    Action, AttributeChange, Delta, Kind, OutputChange, Piece, ResourceChange, Selection, Value,
};
use crate::domain::run_state::RunState;
use leptos::html::{self, Input};
use leptos::prelude::*;
use leptos_router::components::Form;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

/// How many resources are unfolded at first.
const UNFOLDED: usize = 20;

/// `/stack/{stack}/run/{run}/changes`
#[component]
pub fn ChangesPage() -> impl IntoView {
    let (stack, run, query) = (use_stack(), use_run(), use_query_map());
    let asked = move |name: &str| query.read().get(name).unwrap_or_default();
    let selection = move || Selection::parse(&asked("kind"), &asked("words"));
    let from = move || asked("from").parse().unwrap_or(0);
    let page = live::read(
        move || (stack.get(), run.get(), selection(), from()),
        |(stack, run, selection, from)| api::changes(stack, run, selection, from),
    );
    // What the form says, which a person may have changed since.
    let chosen = StoredValue::new(untrack(selection));
    view! {
        <Listen topic=Signal::derive(move || format!("stack={}&run={}", stack.get(), run.get())) />
        <Loaded resource=page render=move |view| view! { <Changes view chosen /> } />
    }
}

#[component]
fn Changes(view: ChangesView, chosen: StoredValue<Selection>) -> impl IntoView {
    let ChangesView { header, run, selection, plan, removed } = view;
    let state = run.state;
    let address = format!("/stack/{}/run/{}/changes", header.id, run.id);
    let delta = run.delta.unwrap_or_default();
    let many = plan.as_ref().is_some_and(|piece| piece.total > UNFOLDED) || !selection.is_all();
    let select = (plan.is_some() && many)
        .then(|| view! { <Select delta selection=selection.clone() chosen address=address.clone() /> });
    view! {
        <RunHeader run header tab="Changes" />
        <Reload active=moves(state) />
        {select}
        {match plan {
            Some(piece) if piece.is_empty() && !selection.is_all() => {
                view! {
                    <section class="empty">
                        <Icon name="search" />
                        <h2>"No change fits"</h2>
                        <p>"None of the plan's changes is what you look for. " <a href=address>"Show all"</a></p>
                    </section>
                }
                    .into_any()
            }
            Some(piece) if piece.is_empty() => {
                view! {
                    <section class="empty">
                        <Icon name="check" />
                        <h2>"No changes"</h2>
                        <p>"What is deployed is what this commit says."</p>
                    </section>
                }
                    .into_any()
            }
            Some(piece) => view! { <PlanView piece address selection /> }.into_any(),
            None => view! { <NoPlan state removed /> }.into_any(),
        }}
    }
}

/// Chooses which changes are shown.
#[component]
fn Select(delta: Delta, selection: Selection, chosen: StoredValue<Selection>, address: String) -> impl IntoView {
    let (input, list) = (NodeRef::<Input>::new(), NodeRef::<html::Select>::new());
    let Selection { kind: chosen_kind, words } = selection.clone();
    let kinds = Kind::ALL.into_iter().filter(move |kind| kind.count(&delta) > 0 || chosen_kind == Some(*kind));
    // A form that stays on the page keeps what is typed, until something else is shown.
    Effect::new(move |_| {
        if let (Some(input), Some(list)) = (input.get(), list.get())
            && chosen.get_value() != selection
        {
            input.set_value(&selection.words);
            list.set_value(selection.kind.map_or("", Kind::name));
            chosen.set_value(selection.clone());
        }
    });
    view! {
        <Form method="GET" action=address attr:class="search" attr:role="search">
            <label for="words" class="hidden">"Search changes"</label>
            <input id="words" type="search" name="words" placeholder="Address …" value=words node_ref=input />
            <label for="kind" class="hidden">"Show"</label>
            <select id="kind" name="kind" node_ref=list>
                <option value="" selected=chosen_kind.is_none()>"All changes"</option>
                {kinds
                    .map(|kind| {
                        view! {
                            <option value=kind.name() selected={chosen_kind == Some(kind)}>
                                {format!("{} ({})", kind.label(), kind.count(&delta))}
                            </option>
                        }
                    })
                    .collect_view()}
            </select>
            <button type="submit" class="button">"Search"</button>
        </Form>
    }
}

#[component]
fn NoPlan(state: RunState, removed: Option<String>) -> impl IntoView {
    let (title, text) = match removed {
        Some(removed) => ("No plan any more", removed),
        None if state.is_terminal() => {
            ("No plan", "This run ended before its plan was there. The history says why.".to_owned())
        }
        None => ("No plan yet", "The changes appear here as soon as the plan is there.".to_owned()),
    };
    view! {
        <section class="empty">
            <Icon name="clock" />
            <h2>{title}</h2>
            <p>{text}</p>
        </section>
    }
}

#[component]
fn PlanView(piece: Piece, address: String, selection: Selection) -> impl IntoView {
    let mut query = ParamsMap::new();
    let words = Some(selection.words).filter(|words| !words.is_empty());
    for (name, value) in [("words", words), ("kind", selection.kind.map(|kind| kind.name().to_owned()))] {
        if let Some(value) = value {
            query.insert(name, value);
        }
    }
    let at = move |from: usize| {
        let mut query = query.clone();
        query.insert("from", from.to_string());
        format!("{address}{}", query.to_query_string())
    };
    let (previous, next) = (piece.previous, piece.next());
    let (first, last, total) = (piece.first + 1, piece.first + piece.len(), piece.total);
    let plan = piece.plan;
    let unfolded = total <= UNFOLDED;
    view! {
        {(last - first + 1 < total).then(|| view! { <p class="hint pieces">{format!("Changes {first} to {last} of {total}")}</p> })}
        {(!plan.resources.is_empty())
            .then(|| {
                view! {
                    <section class="plan" aria-label="Resources">
                        {plan
                            .resources
                            .into_iter()
                            .map(|resource| view! { <ResourceView resource unfolded /> })
                            .collect_view()}
                    </section>
                }
            })}
        {(!plan.outputs.is_empty())
            .then(|| {
                view! {
                    <section class="plan" aria-labelledby="outputs">
                        <h2 id="outputs">"Outputs"</h2>
                        {plan.outputs.into_iter().map(|output| view! { <OutputView output /> }).collect_view()}
                    </section>
                }
            })}
        {(last - first + 1 < total)
            .then(|| {
                view! {
                    <nav class="actions" aria-label="Pieces of the plan">
                        {previous.map(|previous| view! { <a class="button" href=at(previous)>"Previous changes"</a> })}
                        {next.map(|next| view! { <a class="button" href=at(next)>"Next changes"</a> })}
                    </nav>
                }
            })}
    }
}

#[component]
fn ResourceView(resource: ResourceChange, unfolded: bool) -> impl IntoView {
    let (symbol, words) = (resource.symbol(), resource.words());
    let ResourceChange {
        address,
        kind: _,
        action,
        moved_from,
        imported_as,
        deposed,
        reason,
        attributes,
        more_attributes,
    } = resource;
    view! {
        <details class="change" data-action=action.name() open=unfolded>
            <summary>
                <span class="symbol" aria-hidden="true">{symbol}</span>
                <code>{address}</code>
                {deposed.map(|key| view! { <span>"former object " <code>{key}</code></span> })}
                {words.into_iter().map(|words| view! { <span class="chip">{words}</span> }).collect_view()}
            </summary>
            <div class="change-body">
                {reason.map(|reason| view! { <p>{reason}</p> })}
                {moved_from.map(|from| view! { <p>"Moved from " <code>{from}</code></p> })}
                {imported_as.map(|id| view! { <p>"Imported as " <code>{id}</code></p> })}
                {if attributes.is_empty() {
                    view! { <p class="hint">"None of its attributes changes."</p> }.into_any()
                } else {
                    view! { <Attributes attributes action /> }.into_any()
                }}
                {(more_attributes > 0)
                    .then(|| {
                        view! {
                            <p class="hint">
                                {format!("And {more_attributes} more attributes: the log of the planning has them all.")}
                            </p>
                        }
                    })}
            </div>
        </details>
    }
}

#[component]
fn Attributes(attributes: Vec<AttributeChange>, action: Action) -> impl IntoView {
    let both = match action {
        Action::Update | Action::DeleteCreate | Action::CreateDelete | Action::CreateForget => true,
        Action::Create | Action::Delete | Action::Read | Action::Forget | Action::NoOp => false,
    };
    view! {
        <dl class="attributes">
            {attributes
                .into_iter()
                .map(|attribute| {
                    view! {
                        <div>
                            <dt>
                                {if attribute.path.is_empty() {
                                    view! { <em>"the whole of it"</em> }.into_any()
                                } else {
                                    view! { <code>{attribute.path}</code> }.into_any()
                                }}
                                {attribute
                                    .forces_replacement
                                    .then(|| view! { <span class="chip" data-kind="danger">"forces replacement"</span> })}
                            </dt>
                            <dd><BeforeAfter before=attribute.before after=attribute.after both /></dd>
                        </div>
                    }
                })
                .collect_view()}
        </dl>
    }
}

#[component]
fn OutputView(output: OutputChange) -> impl IntoView {
    let both = output.action == Action::Update;
    view! {
        <div class="change output" data-action=output.action.name()>
            <span class="symbol" aria-hidden="true">{output.action.symbol()}</span>
            <code>{output.name}</code>
            <BeforeAfter before=output.before after=output.after both />
        </div>
    }
}

#[component]
fn BeforeAfter(before: Option<Value>, after: Option<Value>, both: bool) -> impl IntoView {
    let shown = |value: Option<Value>| match value {
        Some(Value::Known(text)) => view! { <code>{text}</code> }.into_any(),
        Some(Value::Unknown) => view! { <em>"known after apply"</em> }.into_any(),
        Some(Value::Sensitive) => view! { <em>"sensitive"</em> }.into_any(),
        None => view! { <em>"nothing"</em> }.into_any(),
    };
    if both || (before.is_some() && after.is_some()) {
        view! {
            <span class="before"><span class="hidden">"from "</span>{shown(before)}</span>
            <span class="arrow"><span aria-hidden="true">" → "</span><span class="hidden">"to "</span></span>
            <span class="after">{shown(after)}</span>
        }
        .into_any()
    } else if after.is_some() {
        view! { <span class="after">{shown(after)}</span> }.into_any()
    } else {
        view! { <span class="before">{shown(before)}</span> }.into_any()
    }
}
