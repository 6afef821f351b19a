//! The activity log: every change and every refused attempt, newest first.

use super::api;
use super::live::{Listen, use_live};
use super::ui::{Ago, Icon, Loaded};
use super::view::{ActivityFilter, ActivityRow, ActivityView};
use crate::domain::Timestamp;
use crate::domain::activity::Outcome;
use crate::domain::actor::ActorKind;
use crate::domain::difference::{Differences, word};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;
use leptos_router::components::Form;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

/// What the address asks for.
fn filter(query: &ParamsMap) -> ActivityFilter {
    let asked = |name: &str| query.get(name).unwrap_or_default();
    ActivityFilter {
        stack: asked("stack"),
        actor: asked("actor"),
        kind: asked("kind"),
        action: asked("action"),
        outcome: asked("outcome"),
        from: asked("from"),
        until: asked("until"),
        text: asked("text"),
        before: query.get("before").and_then(|before| before.parse().ok()),
    }
}

/// The address that asks for the same as this one of what is at `path`, before the entry `before`.
fn address(path: &str, filter: &ActivityFilter, before: Option<i64>) -> String {
    let mut query = ParamsMap::new();
    for (name, value) in [
        ("text", &filter.text),
        ("stack", &filter.stack),
        ("kind", &filter.kind),
        ("actor", &filter.actor),
        ("action", &filter.action),
        ("outcome", &filter.outcome),
        ("from", &filter.from),
        ("until", &filter.until),
    ] {
        if !value.is_empty() {
            query.insert(name, value.clone());
        }
    }
    if let Some(before) = before {
        query.insert("before", before.to_string());
    }
    format!("{path}{}", query.to_query_string())
}

/// `/activity`
#[component]
pub fn ActivityPage() -> impl IntoView {
    let (live, query) = (use_live(), use_query_map());
    let asked = Memo::new(move |_| filter(&query.read()));
    // Read anew when somebody asks: under their hands the form would forget what they chose, and an entry would close.
    let again = RwSignal::new(0_u32);
    let page = Resource::new(move || (asked.get(), again.get()), |(filter, _)| api::activity(filter));
    // Of what was asked, the newest entry there is by now.
    let newest = RwSignal::new((ActivityFilter::default(), None));
    Effect::new(move |_| {
        live.changed.track();
        let filter = asked.get();
        spawn_local(async move {
            if let Ok(view) = api::activity(filter.clone()).await {
                newest.set((filter, view.entries.first().map(|entry| entry.number)));
            }
        });
    });
    view! {
        <Title text="Activity" />
        <Listen topic=Signal::derive(String::new) />
        <h1>"Activity"</h1>
        <Loaded
            resource=page
            render=move |view| {
                let shown = view.entries.first().map(|entry| entry.number);
                let asks = asked.get_untracked();
                let is_newest = move || newest.with(|(filter, newest)| *filter != asks || *newest <= shown);
                view! {
                    <p class="note" role="status" hidden=is_newest>
                        "There are newer entries. "
                        <button class="button" type="button" on:click=move |_| again.update(|times| *times += 1)>
                            "Show them"
                        </button>
                    </p>
                    <Log view asked=asked.get_untracked() />
                }
            }
        />
    }
}

#[component]
fn Log(view: ActivityView, asked: ActivityFilter) -> impl IntoView {
    let ActivityView { now, entries, older, total, removed, stacks, actors, actions } = view;
    let removed = (removed > 0 && older.is_none()).then_some(removed);
    let first = asked.before.is_some().then(|| address("/activity", &asked, None));
    let all = ActivityFilter { before: asked.before, ..ActivityFilter::default() };
    let narrowed = asked != all;
    let export = address("/activity/export", &asked, None);
    let older = older.map(|before| address("/activity", &asked, Some(before)));
    let list = if entries.is_empty() {
        let (title, text) = match total {
            0 => (
                "Nothing has happened yet",
                "Everything that people and Headway change is written here, and every attempt that was refused."
                    .to_owned(),
            ),
            _ => ("No entry fits", format!("None of the {total} entries is what you ask for. ")),
        };
        view! {
            <section class="empty">
                <Icon name="clock" />
                <h2>{title}</h2>
                <p>{text} {(total > 0).then(|| view! { <a href="/activity">"Show all"</a> })}</p>
            </section>
        }
        .into_any()
    } else {
        view! {
            <div class="scroll" tabindex="0" role="region" aria-label="Activity log">
                <table class="activity">
                    <caption class="hidden">"Activity, newest first"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"When"</th>
                            <th scope="col">"Who"</th>
                            <th scope="col">"What"</th>
                            <th scope="col">"Where"</th>
                            <th scope="col">"Detail"</th>
                        </tr>
                    </thead>
                    <tbody>
                        <For each=move || entries.clone() key=|entry| entry.number children=move |entry| view! { <Row entry now /> } />
                    </tbody>
                </table>
            </div>
        }
        .into_any()
    };
    view! {
        <Filters asked stacks actors actions />
        <p class="activity-tools">
            {narrowed.then(|| view! { <a class="button" href="/activity">"Show all"</a> })}
            <a class="button" href=export rel="external" download="headway-activity.jsonl">
                <Icon name="download" />
                "Export as JSON lines"
            </a>
        </p>
        {list}
        {removed
            .map(|removed| {
                view! {
                    <p class="meta">
                        {format!("Entries 1 to {removed} were removed: they had been kept long enough.")}
                    </p>
                }
            })}
        <p class="activity-tools">
            {first.map(|page| view! { <a class="button" href=page>"Newest entries"</a> })}
            {older.map(|page| view! { <a class="button" href=page>"Older entries"</a> })}
        </p>
    }
}

/// The form that says what the address asks for.
///
/// It is said as properties too: a control that somebody has touched no longer heeds its attribute.
#[component]
fn Filters(
    asked: ActivityFilter,
    stacks: Vec<(crate::domain::StackId, String)>,
    actors: Vec<String>,
    actions: Vec<String>,
) -> impl IntoView {
    let stacks = stacks.into_iter().map(|(id, name)| (id.to_string(), name)).collect();
    let kinds = ActorKind::ALL.into_iter().map(|kind| (kind.name().to_owned(), kind.label().to_owned())).collect();
    let actions = actions.into_iter().map(|action| (action.clone(), action)).collect();
    let outcomes = [(Outcome::Done, "Done"), (Outcome::Refused, "Refused")];
    let outcomes = outcomes.into_iter().map(|(outcome, label)| (outcome.name().to_owned(), label.to_owned())).collect();
    view! {
        <Form method="GET" action="/activity" attr:class="filters" attr:role="search">
            <p>
                <label for="text">"Text"</label>
                <input id="text" type="search" name="text" placeholder="Detail, address, hash …" value=asked.text.clone() prop:value=asked.text />
            </p>
            <Choice name="stack" label="Stack" chosen=asked.stack options=stacks />
            <Choice name="kind" label="Kind of actor" chosen=asked.kind options=kinds />
            <p>
                <label for="actor">"Who"</label>
                <input id="actor" type="text" name="actor" list="actors" autocomplete="off" value=asked.actor.clone() prop:value=asked.actor />
                <datalist id="actors">{actors.into_iter().map(|actor| view! { <option value=actor></option> }).collect_view()}</datalist>
            </p>
            <Choice name="action" label="Action" chosen=asked.action options=actions />
            <Choice name="outcome" label="Outcome" chosen=asked.outcome options=outcomes />
            <p>
                <label for="from">"From (UTC)"</label>
                <input id="from" type="datetime-local" name="from" value=asked.from.clone() prop:value=asked.from />
            </p>
            <p>
                <label for="until">"Until (UTC)"</label>
                <input id="until" type="datetime-local" name="until" value=asked.until.clone() prop:value=asked.until />
            </p>
            <button class="button" type="submit">"Show"</button>
        </Form>
    }
}

#[component]
fn Choice(
    /// Its name in the form.
    name: &'static str,
    /// Its label.
    label: &'static str,
    /// What is chosen; empty for all.
    chosen: String,
    /// What can be chosen: the value and what it reads.
    options: Vec<(String, String)>,
) -> impl IntoView {
    view! {
        <p>
            <label for=name>{label}</label>
            <select id=name name=name>
                <option value="">"All"</option>
                {options
                    .into_iter()
                    .map(|(value, label)| {
                        let selected = value == chosen;
                        view! {
                            <option value=value selected=selected prop:selected=selected>
                                {label}
                            </option>
                        }
                    })
                    .collect_view()}
            </select>
        </p>
    }
}

#[component]
fn Row(entry: ActivityRow, now: Timestamp) -> impl IntoView {
    let place = match (&entry.stack, &entry.run) {
        (Some(stack), Some(run)) => {
            let address = format!("/stack/{stack}/run/{run}");
            view! { <a href=address>{format!("a run of {stack}")}</a> }.into_any()
        }
        (Some(stack), None) => view! { <a href=format!("/stack/{stack}")>{stack.to_string()}</a> }.into_any(),
        (None, _) => view! { "Headway" }.into_any(),
    };
    let actor = match ActorKind::of(&entry.actor) {
        ActorKind::Stranger => "somebody unknown".to_owned(),
        ActorKind::Person | ActorKind::Token | ActorKind::Github | ActorKind::Run | ActorKind::Headway => entry.actor,
    };
    let origin =
        (!entry.origin.is_empty()).then(|| view! { <span class="origin">{format!("from {}", entry.origin)}</span> });
    view! {
        <tr data-refused=entry.refused.then_some("true")>
            <td><Ago at=entry.at now /></td>
            <td>{actor} {origin}</td>
            <td>
                {entry.action} " "
                {entry.refused.then(|| view! { <span class="chip" data-kind="danger">"refused"</span> })}
            </td>
            <td>{place}</td>
            <td class="detail">
                {entry.detail}
                <details>
                    <summary>{format!("Entry {}", entry.number)}</summary>
                    <BeforeAndAfter differences=entry.differences />
                    <dl>
                        <dt>"When"</dt>
                        <dd>{entry.at.long()}</dd>
                        <dt>"Hash"</dt>
                        <dd><code>{entry.hash}</code></dd>
                    </dl>
                </details>
            </td>
        </tr>
    }
}

#[component]
fn BeforeAndAfter(differences: Differences) -> impl IntoView {
    let rows: Vec<_> = differences
        .iter()
        .map(|difference| {
            let texts = [difference.before.as_ref(), difference.after.as_ref()].map(|held| word(held).to_owned());
            (difference.field.clone(), texts)
        })
        .collect();
    (!rows.is_empty()).then(|| {
        view! {
            <table class="differences">
                <thead>
                    <tr>
                        <th scope="col">"Field"</th>
                        <th scope="col">"Before"</th>
                        <th scope="col">"After"</th>
                    </tr>
                </thead>
                <tbody>
                    {rows
                        .into_iter()
                        .map(|(field, [before, after])| {
                            view! {
                                <tr>
                                    <th scope="row">{field}</th>
                                    <td>{before}</td>
                                    <td>{after}</td>
                                </tr>
                            }
                        })
                        .collect_view()}
                </tbody>
            </table>
        }
    })
}
