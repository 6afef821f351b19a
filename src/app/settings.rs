//! A stack's settings: one page for each concern, each a form that works without JavaScript, refuses what is stale, and
//! keeps what had been typed.

mod behavior;
#[cfg(feature = "hydrate")]
mod changes;
mod deletion;
mod details;
mod environment;
mod integrations;
pub mod source;
pub mod vendor;

use super::api;
use super::flash::typed;
use super::live::Listen;
use super::problem::{NotFound, Told};
use super::stack::{stack_topic, use_stack};
use super::ui::{Done, Loaded, Needs};
use super::view::SettingsView;
use crate::domain::permission::{Action as _, Configure, Role};
use crate::domain::problem::Problem;
use behavior::BehaviorForm;
use deletion::Deletion;
use details::DetailsForm;
use environment::Environment;
use integrations::Integrations;
use leptos::html::Form;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_meta::Title;
use leptos_router::components::A;
use leptos_router::hooks::{use_params_map, use_query_map};
use source::SourceForm;
use vendor::VendorForm;

const PAGES: [(&str, &str); 7] = [
    ("details", "Stack details"),
    ("source", "Source code"),
    ("vendor", "Vendor"),
    ("behavior", "Behavior"),
    ("environment", "Environment"),
    ("integrations", "Integrations"),
    ("deletion", "Stack deletion"),
];

/// `/stack/{stack}/settings/{page}`
#[component]
pub fn SettingsPage() -> impl IntoView {
    let (stack, params, query) = (use_stack(), use_params_map(), use_query_map());
    let name = move || params.read().get("page").unwrap_or_else(|| "details".into());
    // When it was saved, so that the page is read anew after every save.
    let saved = move || query.read().get("saved");
    // Not read anew when something changes elsewhere: what a person is typing stays. A stale save is refused instead.
    let page = Resource::new(move || (stack.get(), name(), saved()), |(stack, ..)| api::settings(stack));
    view! {
        <Listen topic=stack_topic(stack) />
        <Loaded resource=page render=move |view| view! { <Settings view name=name() saved=saved().is_some() /> } />
    }
}

#[component]
fn Settings(view: SettingsView, name: String, saved: bool) -> impl IntoView {
    let home = format!("/stack/{}", view.header.id);
    let Some((_, title)) = PAGES.iter().find(|(page, _)| *page == name) else {
        return view! { <NotFound /> }.into_any();
    };
    let body = match name.as_str() {
        "details" => view! { <DetailsForm view=view.clone() /> }.into_any(),
        "source" => view! { <SourceForm view=view.clone() /> }.into_any(),
        "vendor" => view! { <VendorForm view=view.clone() /> }.into_any(),
        "behavior" => view! { <BehaviorForm view=view.clone() /> }.into_any(),
        "environment" => view! { <Environment view=view.clone() /> }.into_any(),
        "deletion" => view! { <Deletion view=view.clone() /> }.into_any(),
        _ => view! { <Integrations view=view.clone() /> }.into_any(),
    };
    view! {
        <Title text=format!("{title} · {}", view.header.name) />
        <nav class="breadcrumb" aria-label="Breadcrumb">
            <a href="/">"Stacks"</a>
            <a href=home.clone()>{view.header.name.clone()}</a>
        </nav>
        <h1>"Settings"</h1>
        <div class="settings">
            <nav class="side" aria-label="Settings">
                {PAGES
                    .into_iter()
                    .map(|(page, label)| {
                        view! {
                            {(page == "deletion").then(|| view! { <p class="side-title">"Danger area"</p> })}
                            <A href=format!("{home}/settings/{page}")>{label}</A>
                        }
                    })
                    .collect_view()}
            </nav>
            <section aria-labelledby="settings-title">
                <h2 id="settings-title">{*title}</h2>
                {(view.header.role < Configure::NEEDS)
                    .then(|| {
                        view! {
                            <p class="note">
                                {format!(
                                    "You are a {} here: you may look. Changing something takes the role {}.",
                                    view.header.role.label(),
                                    Configure::NEEDS.label(),
                                )}
                            </p>
                        }
                    })}
                <Done done=saved />
                {body}
            </section>
        </div>
    }
    .into_any()
}

/// The buttons under a form of settings. Save waits until something has changed, where a script can tell.
#[component]
pub fn SaveOrCancel(
    /// The form they belong to.
    form: NodeRef<Form>,
    /// The viewer's role on the stack.
    role: Role,
    /// Where Cancel leads: the page as it was.
    cancel: String,
    /// Whether an answer is awaited.
    #[prop(into)]
    pending: Signal<bool>,
    /// What the last save was answered with.
    #[prop(into)]
    problem: Signal<Option<Problem>>,
) -> impl IntoView {
    let alive = RwSignal::new(false);
    let changed = RwSignal::new(false);
    #[cfg(feature = "hydrate")]
    changes::watch(form, alive, changed);
    #[cfg(not(feature = "hydrate"))]
    let _ = form;
    // A form that comes back with what was typed differs from what is saved.
    let refused = Signal::derive(move || problem.get().is_some());
    view! {
        <Told problem />
        <div class="actions">
            <button
                class="button"
                data-kind="primary"
                type="submit"
                disabled=move || pending.get() || (alive.get() && !changed.get() && !refused.get())
            >
                "Save"
                <Needs role needs=Configure::NEEDS />
            </button>
            <a class="button" href=cancel rel="external">"Cancel"</a>
        </div>
    }
}

/// The version that the next save starts from: that of the page, or the one that a refusal told. A form that comes back
/// for another reason goes on from where it started, or it would be laid over what was saved meanwhile.
pub fn version<S: ServerFn>(view: &SettingsView, problem: Signal<Option<Problem>>) -> Signal<i64> {
    let version = typed::<S>("version").and_then(|version| version.parse().ok()).unwrap_or(view.version);
    Signal::derive(move || {
        problem.with(|problem| match problem {
            Some(Problem::Stale { version: newer, .. }) => (*newer).max(version),
            _ => version,
        })
    })
}

/// A switch with a one-line description.
#[component]
pub fn Switch(
    /// Its name in the form.
    name: &'static str,
    /// Its label.
    label: &'static str,
    /// What it does.
    description: &'static str,
    /// Whether it is on when the page comes.
    on: bool,
) -> impl IntoView {
    view! {
        <div class="switch">
            <input
                type="checkbox"
                role="switch"
                id=name
                name=name
                value="true"
                checked=on
                aria-describedby=format!("{name}-hint")
            />
            <div>
                <label for=name>{label}</label>
                <p class="hint" id=format!("{name}-hint")>{description}</p>
            </div>
        </div>
    }
}
