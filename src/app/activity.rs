//! The activity log: every change and every refused attempt, newest first.

use super::api;
use super::live::{Listen, use_live};
use super::ui::{Icon, Loaded};
use super::view::{ActivityRow, ActivityView};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::Form;
use leptos_router::hooks::use_query_map;

/// `/activity`
#[component]
pub fn ActivityPage() -> impl IntoView {
    let (live, query) = (use_live(), use_query_map());
    let asked = move |name: &str| query.read().get(name);
    let page = Resource::new(
        move || (asked("stack"), asked("before"), live.changed.get()),
        |(stack, before, _)| api::activity(stack, before),
    );
    view! {
        <Title text="Activity" />
        <Listen topic=Signal::derive(String::new) />
        <h1>"Activity"</h1>
        <Loaded resource=page render=move |view| view! { <Entries view chosen=asked("stack").unwrap_or_default() /> } />
    }
}

#[component]
fn Entries(view: ActivityView, chosen: String) -> impl IntoView {
    let ActivityView { now, entries, older, stacks } = view;
    let selected = chosen.clone();
    let list = if entries.is_empty() {
        view! {
            <section class="empty">
                <Icon name="clock" />
                <h2>"Nothing has happened yet"</h2>
                <p>"Everything that people and Headway change is written here, and every attempt that was refused."</p>
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
                    <tbody>{entries.into_iter().map(|entry| row(entry, now)).collect_view()}</tbody>
                </table>
            </div>
        }
        .into_any()
    };
    view! {
        <Form method="GET" action="/activity" attr:class="search">
            <label for="stack">"Stack"</label>
            <select id="stack" name="stack">
                <option value="">"All"</option>
                {stacks
                    .into_iter()
                    .map(|(id, name)| {
                        let is_selected = selected == id.as_str();
                        view! {
                            <option value=id.to_string() selected=is_selected>
                                {name}
                            </option>
                        }
                    })
                    .collect_view()}
            </select>
            <button class="button" type="submit">"Show"</button>
        </Form>
        {list}
        {older
            .map(|entry| {
                view! { <p><a class="button" href=format!("/activity?stack={chosen}&before={entry}")>"Older entries"</a></p> }
            })}
    }
}

fn row(entry: ActivityRow, now: crate::domain::Timestamp) -> impl IntoView {
    let place = match (&entry.stack, &entry.run) {
        (Some(stack), Some(run)) => {
            let address = format!("/stack/{stack}/run/{run}");
            view! { <a href=address>{format!("a run of {stack}")}</a> }.into_any()
        }
        (Some(stack), None) => view! { <a href=format!("/stack/{stack}")>{stack.to_string()}</a> }.into_any(),
        (None, _) => view! { "Headway" }.into_any(),
    };
    view! {
        <tr data-refused=entry.refused.then_some("true")>
            <td><super::ui::Ago at=entry.at now /></td>
            <td>{entry.actor}</td>
            <td>
                {entry.action}
                {entry.refused.then(|| view! { <span class="chip" data-kind="danger">"refused"</span> })}
            </td>
            <td>{place}</td>
            <td class="detail">{entry.detail}</td>
        </tr>
    }
}
