//! One person: roles, groups, how they sign in, and shutting them out.

use super::{Place, TakeAway};
use crate::app::api::{self, ForgetAccounts, RenewInvitation, SaveGroups, SetPersonDisabled, SetRole};
use crate::app::flash::typed;
use crate::app::problem::{Told, told};
use crate::app::ui::{Done, Field, Loaded, described, invalid};
use crate::app::view::PersonView;
use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

/// `/settings/people/{person}`
#[component]
pub fn PersonPage() -> impl IntoView {
    let (params, query) = (use_params_map(), use_query_map());
    let id = move || params.read().get("person").unwrap_or_default();
    let asked = move |name: &str| query.read().get(name);
    let page =
        Resource::new(move || (id(), asked("saved"), asked("made")), |(person, _, made)| api::person(person, made));
    view! { <Loaded resource=page render=move |view| view! { <Person view saved=asked("saved").is_some() /> } /> }
}

#[component]
fn Person(view: PersonView, saved: bool) -> impl IntoView {
    let id = view.row.id.to_string();
    view! {
        <Title text=view.row.name.clone() />
        <nav class="breadcrumb" aria-label="Breadcrumb">
            <a href="/settings/people">"People"</a>
        </nav>
        <h1>
            {view.row.name.clone()}
            {view.row.disabled.then(|| view! { " " <span class="chip" data-kind="danger">"shut out"</span> })}
        </h1>
        <div class="people">
        <Done done=saved />
        {view
            .made
            .clone()
            .map(|link| {
                view! {
                    <div class="made" role="status">
                        <p>
                            <strong>"Send them this link now: it is not shown again."</strong>
                            " It is good once, for three days, and whoever has it chooses the password."
                        </p>
                        <input class="code" readonly aria-label="The link" value=link />
                    </div>
                }
            })}
        <Roles view=view.clone() />
        <GroupsForm view=view.clone() />
        <Door view id />
        </div>
    }
}

#[component]
fn Roles(view: PersonView) -> impl IntoView {
    let set = ServerAction::<SetRole>::new();
    let problem = told(set);
    let id = view.row.id.to_string();
    let whose = StoredValue::new(id.clone());
    view! {
        <section aria-labelledby="roles-title">
            <h2 id="roles-title">"Roles"</h2>
            {view.grants.is_empty().then(|| view! { <p class="meta">"None of their own."</p> })}
            <ul class="plain">
                {view
                    .grants
                    .into_iter()
                    .map(|(stack, role)| {
                        let place = stack.as_ref().map_or_else(|| "in the whole".into(), |stack| format!("on {stack}"));
                        let label = format!("Take the role {} {place} away", role.label());
                        view! {
                            <li class="grant">
                                <span><strong>{role.label()}</strong> {format!(" {place}")}</span>
                                <TakeAway action=set holder=("person", whose.get_value()) stack label />
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
            <ActionForm action=set>
                <input type="hidden" name="person" value=id />
                <Place choices=view.choices />
                <Told problem />
                <div class="actions">
                    <button class="button" data-kind="primary" type="submit" disabled=move || set.pending().get()>"Give this role"</button>
                </div>
            </ActionForm>
        </section>
    }
}

#[component]
fn GroupsForm(view: PersonView) -> impl IntoView {
    let save = ServerAction::<SaveGroups>::new();
    let problem = told(save);
    let groups = typed::<SaveGroups>("groups").unwrap_or_else(|| view.groups_here.join("\n"));
    view! {
        <section aria-labelledby="groups-title">
            <h2 id="groups-title">"Groups"</h2>
            {(!view.groups_told.is_empty())
                .then(|| view! { <p class="meta">{format!("The provider says: {}.", view.groups_told.join(", "))}</p> })}
            <ActionForm action=save>
                <input type="hidden" name="person" value=view.row.id.to_string() />
                <Field name="groups" label="Groups" hint="One a line." problem>
                    <textarea
                        id="groups"
                        name="groups"
                        rows="2"
                        spellcheck="false"
                        aria-describedby=described("groups")
                        aria-invalid=invalid(problem, "groups")
                    >
                        {groups}
                    </textarea>
                </Field>
                <Told problem />
                <div class="actions">
                    <button class="button" type="submit" disabled=move || save.pending().get()>"Save groups"</button>
                </div>
            </ActionForm>
        </section>
    }
}

/// How they come in, and whether they may.
#[component]
fn Door(view: PersonView, id: String) -> impl IntoView {
    let id = StoredValue::new(id);
    let renew = ServerAction::<RenewInvitation>::new();
    let forget = ServerAction::<ForgetAccounts>::new();
    let shut = ServerAction::<SetPersonDisabled>::new();
    let problems = [told(renew), told(forget), told(shut)];
    let disabled = view.row.disabled;
    let ways: Vec<String> = [
        view.has_password.then(|| "a password".to_owned()),
        view.github.map(|login| format!("GitHub as {login}")),
        view.openid.map(|issuer| format!("the provider at {issuer}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let elsewhere = ways.iter().any(|way| way != "a password");
    let said = if ways.is_empty() {
        "They cannot sign in yet.".to_owned()
    } else {
        format!("They sign in with {}.", ways.join(", "))
    };
    view! {
        <section aria-labelledby="door-title">
            <h2 id="door-title">"Signing in"</h2>
            <p>{said}</p>
            {problems.into_iter().map(|problem| view! { <Told problem /> }).collect_view()}
            <div class="actions">
                <ActionForm action=renew>
                    <input type="hidden" name="person" value=id.get_value() />
                    <button class="button" type="submit" disabled=move || disabled || renew.pending().get()>"Make a new link"</button>
                </ActionForm>
                {elsewhere
                    .then(|| {
                        view! {
                            <ActionForm action=forget>
                                <input type="hidden" name="person" value=id.get_value() />
                                <button class="button" type="submit">"Forget accounts elsewhere"</button>
                            </ActionForm>
                        }
                    })}
                <ActionForm action=shut>
                    <input type="hidden" name="person" value=id.get_value() />
                    {(!disabled).then(|| view! { <input type="hidden" name="disabled" value="true" /> })}
                    <button
                        class="button"
                        data-kind=(!disabled).then_some("danger")
                        type="submit"
                        disabled=move || shut.pending().get()
                    >
                        {if disabled { "Let in again" } else { "Shut out" }}
                    </button>
                </ActionForm>
            </div>
            <p class="hint">
                {if disabled {
                    "Their name stays theirs, because the activity log speaks of it."
                } else {
                    "Shut out, every session and token of theirs ends at once. Runs they started go on."
                }}
            </p>
        </section>
    }
}
