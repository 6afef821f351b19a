//! The pages of Headway: one code base that renders whole on the server and comes alive in the browser.

mod access;
mod account;
mod activity;
pub mod api;
pub mod boot;
mod branches;
mod changes;
pub mod flash;
mod focus;
mod github;
mod live;
mod log;
mod new_stack;
mod people;
mod problem;
mod promote;
mod pull_requests;
mod run;
mod settings;
mod sign_in;
mod stack;
mod stack_header;
mod stacks;
mod timeline;
mod ui;
pub mod view;

pub use boot::Boot;
#[cfg(feature = "ssr")]
pub use boot::{Assets, FormsElsewhere, Watched, shell};
#[cfg(feature = "ssr")]
pub use problem::status;

use crate::domain::permission::{Action as _, ConnectGithub, LookAround, ManagePeople};
use access::AccessPage;
use account::AccountPage;
use activity::ActivityPage;
use branches::BranchesPage;
use changes::ChangesPage;
use focus::Focus;
use github::{DeliveriesPage, GithubPage};
use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::{A, Route, Router, Routes};
use leptos_router::{SsrMode, path};
use live::provide_live;
use new_stack::NewStackPage;
use people::{PeoplePage, PersonPage};
use problem::NotFound;
use run::RunPage;
use settings::SettingsPage;
use sign_in::{SignInPage, WelcomePage};
use stack::{CurrentCommitPage, LockPage, StackPage};
use stacks::StacksPage;
use ui::Icon;

/// The title of a page. The server writes it into the document as it stands, so there it is made mere text; in the browser
/// it is.
fn title(page: String) -> String {
    let page =
        if cfg!(feature = "ssr") { page.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;") } else { page };
    if page.is_empty() { "Headway".into() } else { format!("{page} · Headway") }
}

/// The whole of it.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_live();
    let boot = use_context::<Boot>().unwrap_or_default();
    view! {
        <Title formatter=title />
        <Router>
            <a class="skip" href="#main" rel="external">"Skip to the content"</a>
            <header class="masthead">
                <a class="brand" href="/" aria-label="Headway, all stacks">
                    <Icon name="headway" />
                    <span>"Headway"</span>
                </a>
                {boot
                    .viewer
                    .map(|viewer| {
                        view! {
                            <nav aria-label="Headway">
                                <A href="/" exact=true>"Stacks"</A>
                                // What concerns the whole, for those who have a role in it.
                                {(boot.role >= Some(LookAround::NEEDS))
                                    .then(|| view! { <A href="/activity">"Activity"</A> })}
                                {if boot.role >= Some(ConnectGithub::NEEDS) {
                                    // Loaded anew, because its forms lead to GitHub, which only its own policy allows.
                                    view! { <a href="/settings/github" rel="external">"GitHub"</a> }.into_any()
                                } else if boot.role >= Some(LookAround::NEEDS) {
                                    view! { <A href="/settings/github/deliveries">"GitHub"</A> }.into_any()
                                } else {
                                    ().into_any()
                                }}
                                {(boot.role >= Some(ManagePeople::NEEDS))
                                    .then(|| view! { <A href="/settings/people">"People"</A> })}
                            </nav>
                            <a class="viewer" href="/account" title="Your account: you act under this name">
                                <Icon name="person" />
                                {viewer}
                            </a>
                        }
                    })}
            </header>
            {boot
                .sample
                .map(|sample| {
                    view! {
                        <aside class="banner" aria-label="About this sample">
                            {sample}
                            {boot
                                .sample_github
                                .map(|github| {
                                    view! {
                                        " Its repository is on a "
                                        <a href=github rel="external">"simulated GitHub"</a>
                                        ", also on this machine: press Deploy in a pull request's Checks tab there."
                                    }
                                })}
                        </aside>
                    }
                })}
            <main id="main" tabindex="-1">
                <Focus />
                <Routes fallback=NotFound>
                    <Route path=path!("/") view=StacksPage ssr=SsrMode::Async />
                    <Route path=path!("/stacks/new") view=NewStackPage ssr=SsrMode::Async />
                    <Route path=path!("/stack/:stack") view=StackPage ssr=SsrMode::Async />
                    <Route path=path!("/stack/:stack/proposed") view=BranchesPage ssr=SsrMode::Async />
                    <Route path=path!("/stack/:stack/access") view=AccessPage ssr=SsrMode::Async />
                    <Route path=path!("/stack/:stack/lock") view=LockPage ssr=SsrMode::Async />
                    <Route path=path!("/stack/:stack/current-commit") view=CurrentCommitPage ssr=SsrMode::Async />
                    <Route path=path!("/stack/:stack/run/:run") view=RunPage ssr=SsrMode::Async />
                    <Route path=path!("/stack/:stack/run/:run/changes") view=ChangesPage ssr=SsrMode::Async />
                    <Route path=path!("/stack/:stack/settings") view=SettingsPage ssr=SsrMode::Async />
                    <Route path=path!("/stack/:stack/settings/:page") view=SettingsPage ssr=SsrMode::Async />
                    <Route path=path!("/activity") view=ActivityPage ssr=SsrMode::Async />
                    <Route path=path!("/sign-in") view=SignInPage ssr=SsrMode::Async />
                    <Route path=path!("/welcome") view=WelcomePage ssr=SsrMode::Async />
                    <Route path=path!("/account") view=AccountPage ssr=SsrMode::Async />
                    <Route path=path!("/settings/people") view=PeoplePage ssr=SsrMode::Async />
                    <Route path=path!("/settings/people/:person") view=PersonPage ssr=SsrMode::Async />
                    <Route path=path!("/settings/github") view=GithubPage ssr=SsrMode::Async />
                    <Route path=path!("/settings/github/deliveries") view=DeliveriesPage ssr=SsrMode::Async />
                </Routes>
            </main>
        </Router>
    }
}
