//! Signing in, and taking an invitation. Both forms are plain: whoever signs in begins with a fresh page.

use super::api::{self, AcceptInvitation, SignIn};
use super::flash::{flash_of, typed};
use super::problem::Told;
use super::ui::{Field, Icon, Loaded, described, invalid};
use super::view::WaysView;
use crate::domain::problem::Problem;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

/// What a plain form was answered with.
fn answered<S: ServerFn>() -> Signal<Option<Problem>> {
    let problem = flash_of(S::url()).map(|flash| flash.problem);
    Signal::derive(move || problem.clone())
}

/// Why GitHub or a provider did not sign somebody in: that was no form of ours.
pub fn on_the_way_back() -> Signal<Option<Problem>> {
    let problem = flash_of("").map(|flash| flash.problem);
    Signal::derive(move || problem.clone())
}

/// `/sign-in`
#[component]
pub fn SignInPage() -> impl IntoView {
    let ways = Resource::new(|| (), |()| api::ways_to_sign_in());
    view! {
        <Title text="Sign in" />
        <section class="door">
            <h1>"Sign in"</h1>
            <Loaded resource=ways render=move |ways| view! { <Ways ways /> } />
        </section>
    }
}

#[component]
fn Ways(ways: WaysView) -> impl IntoView {
    let query = use_query_map();
    let next = query.read_untracked().get("next").unwrap_or_default();
    let problem = answered::<SignIn>();
    let elsewhere = {
        let query = if next.is_empty() { String::new() } else { format!("?next={}", encode(&next)) };
        let links = [
            ways.github.then(|| ("/sign-in/github", "GitHub".to_owned())),
            ways.openid.clone().map(|name| ("/sign-in/openid", name)),
        ];
        links.into_iter().flatten().map(move |(page, name)| {
            view! {
                <a class="button" href=format!("{page}{query}") rel="external">
                    <Icon name="person" />
                    {format!("Continue with {name}")}
                </a>
            }
        })
    };
    let refused = answered::<AcceptInvitation>();
    view! {
        <Told problem=refused />
        <Told problem=on_the_way_back() />
        {ways
            .unmanaged
            .then(|| {
                view! {
                    <p class="note">
                        "Nobody has an account that manages this Headway yet. It has printed a link for its first administrator where it was started; "
                        <code>"headway administrator"</code>
                        " prints another, once Headway has ended."
                    </p>
                }
            })}
        <div class="doors">{elsewhere.collect_view()}</div>
        {ways
            .passwords
            .then(|| {
                view! {
                    <form method="post" action=SignIn::url()>
                        <input type="hidden" name="next" value=next />
                        <Field name="name" label="Name" problem>
                            <input
                                id="name"
                                name="name"
                                required
                                value={typed::<SignIn>("name")}
                                autocomplete="username"
                                autocapitalize="none"
                                spellcheck="false"
                            />
                        </Field>
                        <Field name="password" label="Password" problem>
                            <input id="password" name="password" type="password" required autocomplete="current-password" />
                        </Field>
                        <Told problem />
                        <div class="actions">
                            <button class="button" data-kind="primary" type="submit">"Sign in"</button>
                        </div>
                    </form>
                }
            })}
    }
}

/// A text as a query has it.
fn encode(text: &str) -> String {
    leptos_router::location::Url::escape(text)
}

/// `/welcome`: where a one-time link leads.
#[component]
pub fn WelcomePage() -> impl IntoView {
    let query = use_query_map();
    let link = query.read_untracked().get("link").unwrap_or_default();
    let asked = link.clone();
    let name = Resource::new(move || asked.clone(), api::invitation);
    view! {
        <Title text="Welcome" />
        <section class="door">
            <h1>"Welcome to Headway"</h1>
            <Loaded resource=name render=move |name| view! { <Invitation link=link.clone() name /> } />
        </section>
    }
}

#[component]
fn Invitation(link: String, name: Option<String>) -> impl IntoView {
    let problem = answered::<AcceptInvitation>();
    let who = match &name {
        Some(name) => format!("You act here as {name}. Choose a password; from then on you sign in with both."),
        None => "You become an administrator of this Headway. Choose the name you act under, and a password.".into(),
    };
    view! {
        <p>{who}</p>
        <form method="post" action=AcceptInvitation::url()>
            <input type="hidden" name="link" value=link />
            {match name {
                // Password managers keep the name beside the password.
                Some(name) => view! { <input type="hidden" name="name" value=name autocomplete="username" /> }.into_any(),
                None => {
                    view! {
                        <Field name="name" label="Name" hint="Runs, locks and the activity log show it." problem>
                            <input
                                id="name"
                                name="name"
                                required
                                maxlength="60"
                                value={typed::<AcceptInvitation>("name")}
                                autocomplete="username"
                                autocapitalize="none"
                                spellcheck="false"
                                aria-describedby=described("name")
                                aria-invalid=invalid(problem, "name")
                            />
                        </Field>
                    }
                        .into_any()
                }
            }}
            <Field name="password" label="Password" hint="At least 8 characters that are not guessed soon." problem>
                <input
                    id="password"
                    name="password"
                    type="password"
                    required
                    minlength="8"
                    autocomplete="new-password"
                    aria-describedby=described("password")
                    aria-invalid=invalid(problem, "password")
                />
            </Field>
            <Told problem />
            <div class="actions">
                <button class="button" data-kind="primary" type="submit">"Choose and sign in"</button>
            </div>
        </form>
    }
}
