//! People: everybody with their roles, groups with theirs, every token, and the ways to sign in.

mod person;
mod ways;

use super::account::{RoleChoices, TokenRows};
use super::api::{self, InvitePerson, SetRole};
use super::flash::typed;
use super::problem::{Told, told};
use super::ui::{Ago, Done, Field, Icon, Loaded, described, invalid};
use super::view::{PeopleView, PersonRow};
use crate::domain::permission::Role;
use crate::domain::{StackId, Timestamp};
use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
pub use person::PersonPage;
use ways::WaysForm;

/// `/settings/people`
#[component]
pub fn PeoplePage() -> impl IntoView {
    let query = use_query_map();
    // Read anew after every save, and not when something changes elsewhere: what a person is typing stays.
    let saved = move || query.read().get("saved");
    let page = Resource::new(saved, |_| api::people());
    view! {
        <Title text="People" />
        <h1>"People"</h1>
        <Loaded resource=page render=move |view| view! { <People view saved=saved().is_some() /> } />
    }
}

#[component]
fn People(view: PeopleView, saved: bool) -> impl IntoView {
    let now = view.now;
    view! {
        <div class="people">
        <Done done=saved />
        {view.people.is_empty().then(|| view! { <p class="meta">"Nobody is known yet."</p> })}
        <ul class="cards">{view.people.clone().into_iter().map(|row| view! { <li class="card">{card(row, now)}</li> }).collect_view()}</ul>
        <Invite />
        <Groups groups=view.groups.clone() choices=view.choices.clone() />
        <section aria-labelledby="all-tokens">
            <h2 id="all-tokens">"Access tokens"</h2>
            <TokenRows tokens=view.tokens.clone() now owners=true />
        </section>
        <WaysForm view />
        </div>
    }
}

fn card(row: PersonRow, now: Timestamp) -> impl IntoView {
    let role = match (row.role, row.stacks) {
        (Some(role), 0) => role.label().to_owned(),
        (Some(role), 1) => format!("{}, and more on one stack", role.label()),
        (Some(role), count) => format!("{}, and more on {count} stacks", role.label()),
        (None, 0) => "no role".to_owned(),
        (None, 1) => "a role on one stack".to_owned(),
        (None, count) => format!("roles on {count} stacks"),
    };
    view! {
        <a href=format!("/settings/people/{}", row.id)><strong>{row.name}</strong></a>
        {row.disabled.then(|| view! { " " <span class="chip" data-kind="danger">"shut out"</span> })}
        {row.invited.then(|| view! { " " <span class="chip">"invited"</span> })}
        <p class="meta">
            <span>{role}</span>
            {(!row.groups.is_empty()).then(|| view! { <span>{format!("in {}", row.groups.join(", "))}</span> })}
            {match row.seen_at {
                Some(at) => view! { <span>"signed in " <Ago at now /></span> }.into_any(),
                None => view! { <span>"never signed in"</span> }.into_any(),
            }}
        </p>
    }
}

#[component]
fn Invite() -> impl IntoView {
    let invite = ServerAction::<InvitePerson>::new();
    let problem = told(invite);
    let role = typed::<InvitePerson>("role").map_or(Some(Role::Reader), |role| Role::parse(&role));
    view! {
        <section aria-labelledby="invite-title">
            <h2 id="invite-title">"Invite somebody"</h2>
            <ActionForm action=invite>
                <Field name="name" label="Name" hint="They act and sign in under it; it is never changed." problem>
                    <input
                        id="name"
                        name="name"
                        required
                        maxlength="60"
                        autocomplete="off"
                        autocapitalize="none"
                        spellcheck="false"
                        value={typed::<InvitePerson>("name")}
                        aria-describedby=described("name")
                        aria-invalid=invalid(problem, "name")
                    />
                </Field>
                <Field name="role" label="Role in the whole" hint="None: give a role on single stacks next." problem>
                    <select id="role" name="role" aria-describedby=described("role")>
                        <option value="" selected=role.is_none()>"none"</option>
                        <RoleChoices chosen=role />
                    </select>
                </Field>
                <Told problem />
                <div class="actions">
                    <button class="button" data-kind="primary" type="submit" disabled=move || invite.pending().get()>
                        <Icon name="plus" />
                        "Invite"
                    </button>
                </div>
            </ActionForm>
        </section>
    }
}

#[component]
fn Groups(groups: Vec<(String, Option<StackId>, Role)>, choices: Vec<(StackId, String)>) -> impl IntoView {
    let set = ServerAction::<SetRole>::new();
    let problem = told(set);
    view! {
        <section aria-labelledby="groups-title">
            <h2 id="groups-title">"Groups"</h2>
            <p>"A role for everybody in a group: one that a provider tells of, or one that people were put into here."</p>
            <ul class="plain">
                {groups
                    .into_iter()
                    .map(|(group, stack, role)| {
                        let place = stack.as_ref().map_or_else(|| "in the whole".into(), |stack| format!("on {stack}"));
                        let label = format!("Take the role of {group} {place} away");
                        view! {
                            <li class="grant">
                                <span><strong>{group.clone()}</strong> {format!(": {} {place}", role.label())}</span>
                                <TakeAway action=set holder=("group", group) stack label />
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
            <ActionForm action=set>
                <Field name="group" label="Group" problem>
                    <input
                        id="group"
                        name="group"
                        required
                        maxlength="60"
                        autocomplete="off"
                        spellcheck="false"
                        value={typed::<SetRole>("group")}
                        aria-describedby=described("group")
                        aria-invalid=invalid(problem, "group")
                    />
                </Field>
                <Place choices />
                <Told problem />
                <div class="actions">
                    <button class="button" type="submit" disabled=move || set.pending().get()>"Give the group this role"</button>
                </div>
            </ActionForm>
        </section>
    }
}

/// The button that takes a role away.
#[component]
pub fn TakeAway(
    /// What also gives roles, so that a refusal stands in one place.
    action: ServerAction<SetRole>,
    /// Who has it: the field that says so, `person` or `group`, and its value.
    holder: (&'static str, String),
    /// Where it is good; none is in the whole.
    stack: Option<StackId>,
    /// What it says to those who do not see what it stands beside.
    label: String,
) -> impl IntoView {
    let (field, value) = holder;
    view! {
        <ActionForm action>
            <input type="hidden" name=field value=value />
            <input type="hidden" name="stack" value=stack.map(|stack| stack.to_string()).unwrap_or_default() />
            <button class="button" data-kind="quiet" type="submit" aria-label=label>
                <Icon name="cross" />
                "Take away"
            </button>
        </ActionForm>
    }
}

/// Where a role is good, and which.
#[component]
pub fn Place(
    /// The stacks that it may be on.
    choices: Vec<(StackId, String)>,
) -> impl IntoView {
    view! {
        <div class="field">
            <label for="place">"Where"</label>
            <select id="place" name="stack">
                <option value="">"In the whole of this Headway"</option>
                {choices
                    .into_iter()
                    .map(|(id, name)| view! { <option value=id.to_string()>{format!("On {name}")}</option> })
                    .collect_view()}
            </select>
        </div>
        <div class="field">
            <label for="granted">"Role"</label>
            <select id="granted" name="role">
                <RoleChoices chosen=Some(Role::Reader) />
            </select>
        </div>
    }
}
