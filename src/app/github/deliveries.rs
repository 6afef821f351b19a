//! The ledger of deliveries: what GitHub sent, when, and what it led to; each can be worked on again.

use crate::app::api::{self, ReplayDelivery};
use crate::app::boot::viewer_role;
use crate::app::live::{self, Listen, Reload};
use crate::app::problem::{Told, told};
use crate::app::ui::{Ago, Icon, Loaded};
use crate::app::view::{DeliveriesView, DeliveryRow};
use crate::domain::Timestamp;
use crate::domain::permission::{Action as _, ConnectGithub};
use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use leptos_router::location::Url;

/// `/settings/github/deliveries`
#[component]
pub fn DeliveriesPage() -> impl IntoView {
    let query = use_query_map();
    let before = move || query.read().get("before").and_then(|before| before.parse().ok());
    let id = move || query.read().get("id");
    let replayed = move || query.read().get("replayed");
    let replay = ServerAction::<ReplayDelivery>::new();
    let problem = told(replay);
    let page = live::read(move || (before(), id(), replayed()), |(before, id, ..)| api::deliveries(before, id));
    view! {
        <Title text="Deliveries" />
        <Listen topic=Signal::derive(String::new) />
        <nav class="breadcrumb" aria-label="Breadcrumb">
            {(viewer_role() >= Some(ConnectGithub::NEEDS))
                .then(|| view! { <a href="/settings/github" rel="external">"GitHub"</a> })}
        </nav>
        <h1>"Deliveries"</h1>
        <Told problem />
        <Loaded resource=page render=move |view| view! { <Ledger view replay /> } />
    }
}

#[component]
fn Ledger(view: DeliveriesView, replay: ServerAction<ReplayDelivery>) -> impl IntoView {
    let DeliveriesView { now, deliveries, older } = view;
    if deliveries.is_empty() {
        return view! {
            <section class="empty">
                <Icon name="clock" />
                <h2>"Nothing has come yet"</h2>
                <p>"Everything that GitHub sends is kept here: pushes, pull requests, clicks on a check's buttons."</p>
            </section>
        }
        .into_any();
    }
    let waiting = deliveries.iter().any(|delivery| delivery.state == "waiting");
    view! {
        <Reload active=waiting />
        <div class="scroll" tabindex="0" role="region" aria-label="Deliveries">
            <table class="deliveries">
                <caption class="hidden">"Deliveries, newest first"</caption>
                <thead>
                    <tr>
                        <th scope="col">"When"</th>
                        <th scope="col">"Event"</th>
                        <th scope="col">"Repository"</th>
                        <th scope="col">"Outcome"</th>
                        <th scope="col">"Took"</th>
                        <th scope="col"><span class="hidden">"Again"</span></th>
                    </tr>
                </thead>
                <tbody>{deliveries.into_iter().map(|delivery| view! { <Delivery delivery now replay /> }).collect_view()}</tbody>
            </table>
        </div>
        {older
            .map(|(at, id)| {
                let href = format!("/settings/github/deliveries?before={}&id={}", at.0, Url::escape(&id));
                view! { <p><a class="button" href=href>"Older deliveries"</a></p> }
            })}
    }
    .into_any()
}

#[component]
fn Delivery(delivery: DeliveryRow, now: Timestamp, replay: ServerAction<ReplayDelivery>) -> impl IntoView {
    let kind = (delivery.state == "failed").then_some("danger");
    let run = delivery.led_to.map(|(stack, run)| match run {
        Some(run) => view! { " " <a href=format!("/stack/{stack}/run/{run}")>"the run"</a> }.into_any(),
        None => view! { " " <a href=format!("/stack/{stack}")>{stack.to_string()}</a> }.into_any(),
    });
    view! {
        <tr>
            <td><Ago at=delivery.received_at now /></td>
            <td title=delivery.id.clone()>
                <code>{delivery.event}</code>
                " "
                {match delivery.repeats {
                    0 => None,
                    1 => Some("came once more".to_owned()),
                    more => Some(format!("came {more} times more")),
                }
                    .map(|more| view! { <span class="chip">{more}</span> })}
            </td>
            <td>{delivery.repository}</td>
            <td class="detail">
                <span class="chip" data-kind=kind>{delivery.state}</span>
                " "
                {delivery.outcome}
                {run}
            </td>
            <td>{delivery.took.map(|took| format!("{took} ms"))}</td>
            <td>
                {delivery
                    .replayable
                    .then(|| {
                        view! {
                            <ActionForm action=replay>
                                <input type="hidden" name="delivery" value=delivery.id.clone() />
                                <button class="button" type="submit" aria-label=format!("Replay delivery {}", delivery.id)>"Replay"</button>
                            </ActionForm>
                        }
                    })}
            </td>
        </tr>
    }
}
