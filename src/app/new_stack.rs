//! A new stack, in two steps: first the repository; then, with its branches and folders on offer, the stack itself.

use super::api::{self, AddRepository, CreateStack};
use super::boot::viewer_role;
use super::flash::{switched, typed};
use super::problem::{ProblemPage, Told, told};
use super::settings::Switch;
use super::settings::source::{AddressField, RootField};
use super::settings::vendor::VendorSelect;
use super::ui::{Field, Icon, Loaded, described, invalid};
use super::view::RepositoryView;
use crate::domain::permission::{self, Action as _};
use crate::domain::problem::Problem;
use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

/// `/stacks/new`
#[component]
pub fn NewStackPage() -> impl IntoView {
    let query = use_query_map();
    let repository = Memo::new(move |_| query.read().get("repository"));
    if viewer_role() < Some(permission::CreateStack::NEEDS) {
        let problem = Problem::Forbidden { needs: permission::CreateStack::NEEDS };
        return view! { <ProblemPage problem /> }.into_any();
    }
    view! {
        <Title text="New stack" />
        <nav class="breadcrumb" aria-label="Breadcrumb">
            <a href="/">"Stacks"</a>
        </nav>
        <h1>"New stack"</h1>
        {move || match repository.get() {
            Some(repository) => view! { <SecondStep repository /> }.into_any(),
            None => view! { <FirstStep /> }.into_any(),
        }}
    }
    .into_any()
}

/// What an address may be.
const ADDRESS: &str = "What git clone takes: https, ssh, file, or an absolute path on this machine. A user and password in an \
                       https address are sealed at once and never shown again, not even when the address is refused.";

#[component]
fn FirstStep() -> impl IntoView {
    let add = ServerAction::<AddRepository>::new();
    let problem = told(add);
    view! {
        <p class="hint">"Step 1 of 2"</p>
        <FromGithub add />
        <ActionForm action=add>
            <AddressField address={typed::<AddRepository>("address")} hint=ADDRESS problem />
            <Told problem />
            <div class="actions">
                <button class="button" data-kind="primary" type="submit" disabled=move || add.pending().get()>
                    {move || if add.pending().get() { "Looking …" } else { "Next" }}
                </button>
                <a class="button" href="/">"Cancel"</a>
            </div>
        </ActionForm>
    }
}

/// The repositories that the GitHub App may see.
#[component]
fn FromGithub(add: ServerAction<AddRepository>) -> impl IntoView {
    let repositories = Resource::new(|| (), |()| api::github_repositories());
    let form = move |repositories: Vec<(String, String)>| {
        (!repositories.is_empty())
            .then(|| {
                view! {
                    <ActionForm action=add attr:class="inline-form">
                        <div class="field">
                            <label for="github">"From GitHub"</label>
                            <select id="github" name="address">
                                {repositories
                                    .into_iter()
                                    .map(|(address, name)| view! { <option value=address>{name}</option> })
                                    .collect_view()}
                            </select>
                        </div>
                        <button class="button" data-kind="primary" type="submit" disabled=move || add.pending().get()>
                            "Use it"
                        </button>
                    </ActionForm>
                    <p class="hint">"Or any other repository:"</p>
                }
            })
            .into_any()
    };
    view! { <Loaded resource=repositories render=form /> }
}

#[component]
fn SecondStep(repository: String) -> impl IntoView {
    let query = use_query_map();
    let create = ServerAction::<CreateStack>::new();
    let again = RwSignal::new(0_u32);
    let chosen = RwSignal::new(None);
    let branch = Memo::new(move |_| chosen.get().or_else(|| query.read().get("tracked_branch")));
    let page = Resource::new(
        move || (branch.get(), again.get()),
        move |(branch, _)| api::repository(repository.clone(), branch),
    );
    // The repository is being read; look again until it has been.
    Effect::new(move |_| {
        let waiting = page.get().is_some_and(|view| view.is_ok_and(|view| view.configurations.is_none()));
        if waiting {
            // A page that cannot wait shows what it has.
            let _ = set_timeout(
                move || {
                    again.try_update(|again| *again += 1);
                },
                std::time::Duration::from_secs(1),
            );
        }
    });
    view! { <Loaded resource=page render=move |view| view! { <Choices view create chosen /> } /> }
}

/// What a person has filled in already: in a form that was refused, or before the branch's folders were asked for.
fn filled(field: &str) -> Option<String> {
    typed::<CreateStack>(field).or_else(|| use_query_map().read_untracked().get(field))
}

fn filled_switch(field: &str) -> Option<bool> {
    let asked = use_query_map().read_untracked();
    switched::<CreateStack>(field).or_else(|| asked.get("tracked_branch").map(|_| asked.get(field).is_some()))
}

#[component]
fn Choices(view: RepositoryView, create: ServerAction<CreateStack>, chosen: RwSignal<Option<String>>) -> impl IntoView {
    let problem = told(create);
    let RepositoryView { id, address, branches, branch, configurations, problem: unreadable, name } = view;
    let id = id.to_string();
    let waiting = configurations.is_none();
    let folders = configurations.unwrap_or_default();
    let suggested = folders.first().cloned().unwrap_or_default();
    // What was left empty before the folders were known takes the one that is suggested now.
    let query = use_query_map().get_untracked();
    let asked = query.get("project_root").filter(|root| !root.is_empty() || query.get("unread").is_none());
    let root = typed::<CreateStack>("project_root").or(asked).unwrap_or(suggested);
    let name = filled("name").unwrap_or(name);
    let branch = typed::<CreateStack>("tracked_branch").unwrap_or(branch);
    view! {
        <p class="hint">"Step 2 of 2"</p>
        <p class="meta"><span><Icon name="repository" />{address}</span> <a href="/stacks/new">"Another repository"</a></p>
        {unreadable.map(|problem| view! { <p class="warning"><Icon name="alert" />{problem}</p> })}
        {waiting
            .then(|| {
                view! {
                    <p class="saved" role="status">
                        <Icon name="working" />
                        <span>
                            "Headway is reading the repository. You can go on; its folders are offered as soon as they are known."
                            <span class="without-script">" Look for them whenever you like: what you have filled in stays."</span>
                        </span>
                    </p>
                }
            })}
        <ActionForm action=create>
            <input type="hidden" name="repository" value=id />
            <Field name="tracked_branch" label="Tracked branch" hint="Its pushes start tracked runs; all other branches get proposed ones." problem>
                <select
                    id="tracked_branch"
                    name="tracked_branch"
                    aria-describedby=described("tracked_branch")
                    aria-invalid=invalid(problem, "tracked_branch")
                    on:change=move |event| chosen.set(Some(event_target_value(&event)))
                >
                    {branches
                        .into_iter()
                        .map(|name| {
                            let selected = name == branch;
                            view! {
                                <option value=name.clone() selected=selected>
                                    {name.clone()}
                                </option>
                            }
                        })
                        .collect_view()}
                </select>
                // Not by itself: a page that loads anew would take away what has been typed.
                <button
                    class="button without-script"
                    type="submit"
                    formmethod="get"
                    formaction="/stacks/new"
                    formnovalidate=true
                    name=waiting.then_some("unread")
                    value="true"
                >
                    {if waiting { "Look for its folders" } else { "Show its folders" }}
                </button>
            </Field>
            <RootField root folders problem />
            <Field name="name" label="Name" hint="People find the stack by it." problem>
                <input id="name" name="name" required value=name autocomplete="off" aria-describedby=described("name") aria-invalid=invalid(problem, "name") />
            </Field>
            <Field name="description" label="Description" problem>
                <input id="description" name="description" value={filled("description")} autocomplete="off" aria-describedby=described("description") aria-invalid=invalid(problem, "description") />
            </Field>
            <Field name="vendor" label="Vendor" problem>
                <VendorSelect chosen={filled("vendor").unwrap_or_else(|| "terraform".into())} problem />
            </Field>
            <Switch
                name="manage_state"
                label="Manage state"
                description="Headway keeps the state, its versions and its lock. Cannot be changed later."
                on={filled_switch("manage_state").unwrap_or(true)}
            />
            <Switch
                name="allow_run_promotion"
                label="Allow run promotion"
                description="Proposed runs can be promoted (deployed) from the run page, the API or a GitHub pull request."
                on={filled_switch("allow_run_promotion").unwrap_or(false)}
            />
            <Told problem />
            <div class="actions">
                <button class="button" data-kind="primary" type="submit" disabled=move || create.pending().get()>
                    {move || if create.pending().get() { "Making the stack …" } else { "Make the stack" }}
                </button>
                <a class="button" href="/">"Cancel"</a>
            </div>
        </ActionForm>
    }
}
