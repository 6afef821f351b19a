//! One's own account: what one may do, the password, where one is signed in, and the tokens for scripts.

mod tokens;

use super::api::{self, ChangePassword, EndOtherSessions, EndSession, SignOut};
use super::problem::{Told, told};
use super::sign_in::on_the_way_back;
use super::ui::{Ago, Done, Field, Icon, Loaded, described, invalid};
use super::view::AccountView;
use crate::domain::permission::Role;
use crate::domain::person::ShownSession;
use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
pub use tokens::TokenRows;
use tokens::Tokens;

/// `/account`
#[component]
pub fn AccountPage() -> impl IntoView {
    let query = use_query_map();
    let asked = move |name: &str| query.read().get(name);
    // `saved` changes with every save, so that the page is read anew; a token that was just made is told once.
    let page = Resource::new(move || (asked("saved"), asked("made")), |(_, made)| api::account(made));
    view! {
        <Title text="Your account" />
        <h1>"Your account"</h1>
        <Loaded resource=page render=move |view| view! { <Account view saved=asked("saved").is_some() /> } />
    }
}

#[component]
fn Account(view: AccountView, saved: bool) -> impl IntoView {
    let roles = view.role.map(|role| (None, role)).into_iter();
    let roles = roles.chain(view.stacks.iter().cloned().map(|(stack, role)| (Some(stack), role)));
    let accounts: Vec<String> = [
        view.github.clone().map(|login| format!("GitHub as {login}")),
        view.openid.clone().map(|issuer| format!("the provider at {issuer}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    view! {
        <div class="people">
        <Told problem=on_the_way_back() />
        <Done done=saved />
        <section aria-labelledby="you">
            <h2 id="you">{view.name.clone()}</h2>
            <ul class="plain">
                {roles
                    .map(|(stack, role)| {
                        let place = match stack {
                            None => view! { " in the whole of this Headway" }.into_any(),
                            Some(stack) => {
                                view! { " on " <a href=format!("/stack/{stack}")>{stack.to_string()}</a> }.into_any()
                            }
                        };
                        view! { <li><strong>{role.label()}</strong>{place}</li> }
                    })
                    .collect_view()}
            </ul>
            {(view.role.is_none() && view.stacks.is_empty())
                .then(|| view! { <p class="warning"><Icon name="alert" />"You have no role yet. Ask an administrator for one."</p> })}
            {(!view.groups.is_empty()).then(|| view! { <p class="meta">{format!("Groups: {}", view.groups.join(", "))}</p> })}
            {(!accounts.is_empty())
                .then(|| view! { <p class="meta">{format!("You also sign in with {}.", accounts.join(" and "))}</p> })}
            <div class="actions">
                {(view.ways.github && view.github.is_none())
                    .then(|| {
                        view! { <a class="button" href="/sign-in/github?next=/account" rel="external">"Connect GitHub"</a> }
                    })}
                {view
                    .ways
                    .openid
                    .clone()
                    .filter(|_| view.openid.is_none())
                    .map(|name| {
                        view! {
                            <a class="button" href="/sign-in/openid?next=/account" rel="external">
                                {format!("Connect {name}")}
                            </a>
                        }
                    })}
                // In the sample nobody has signed in, and nobody can sign out.
                {(!view.sessions.is_empty())
                    .then(|| {
                        view! {
                            <form method="post" action=SignOut::url()>
                                <button class="button" type="submit">"Sign out"</button>
                            </form>
                        }
                    })}
            </div>
        </section>
        <Password has_password=view.has_password />
        {(!view.sessions.is_empty()).then(|| view! { <Sessions sessions=view.sessions.clone() now=view.now /> })}
        <Tokens view />
        </div>
    }
}

#[component]
fn Password(has_password: bool) -> impl IntoView {
    let change = ServerAction::<ChangePassword>::new();
    let problem = told(change);
    view! {
        <section aria-labelledby="password-title">
            <h2 id="password-title">"Password"</h2>
            <ActionForm action=change>
                {has_password
                    .then(|| {
                        view! {
                            <Field name="present" label="Present password" problem>
                                <input
                                    id="present"
                                    name="present"
                                    type="password"
                                    required
                                    autocomplete="current-password"
                                    aria-describedby=described("present")
                                    aria-invalid=invalid(problem, "present")
                                />
                            </Field>
                        }
                    })}
                <Field name="new" label="New password" hint="Every other session of yours ends." problem>
                    <input
                        id="new"
                        name="new"
                        type="password"
                        required
                        minlength="8"
                        autocomplete="new-password"
                        aria-describedby=described("new")
                        aria-invalid=invalid(problem, "new")
                    />
                </Field>
                <Told problem />
                <div class="actions">
                    <button class="button" type="submit" disabled=move || change.pending().get()>"Change password"</button>
                </div>
            </ActionForm>
        </section>
    }
}

#[component]
fn Sessions(sessions: Vec<ShownSession>, now: crate::domain::Timestamp) -> impl IntoView {
    let (end, end_others) = (ServerAction::<EndSession>::new(), ServerAction::<EndOtherSessions>::new());
    let (problem, problem_of_others) = (told(end), told(end_others));
    let others = sessions.iter().any(|session| !session.current);
    view! {
        <section aria-labelledby="sessions-title">
            <h2 id="sessions-title">"Where you are signed in"</h2>
            <Told problem />
            <Told problem=problem_of_others />
            <ul class="cards">
                {sessions
                    .into_iter()
                    .map(|session| {
                        let name = browser(&session.browser);
                        let label = format!("End the session of {name} at {}", session.came_from);
                        view! {
                            <li class="card session">
                                <div>
                                    <strong>{name}</strong>
                                    {session.current.then(|| view! { " " <span class="chip">"this one"</span> })}
                                    <p class="meta">
                                        {format!("From {}, last used ", session.came_from)}
                                        <Ago at=session.seen_at now />
                                        ", begun "
                                        <Ago at=session.created_at now />
                                    </p>
                                </div>
                                {(!session.current)
                                    .then(|| {
                                        view! {
                                            <ActionForm action=end>
                                                <input type="hidden" name="session" value=session.id />
                                                <button class="button" data-kind="quiet" type="submit" aria-label=label>
                                                    <Icon name="cross" />
                                                    "End"
                                                </button>
                                            </ActionForm>
                                        }
                                    })}
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
            {others
                .then(|| {
                    view! {
                        <ActionForm action=end_others>
                            <button class="button" type="submit">"End all others"</button>
                        </ActionForm>
                    }
                })}
        </section>
    }
}

/// A browser's name for people, out of what it calls itself.
fn browser(agent: &str) -> String {
    let known =
        [("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari")];
    let systems = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Mac OS", "macOS"),
        ("Windows", "Windows"),
        ("Linux", "Linux"),
    ];
    let find =
        |names: &[(&str, &'static str)]| names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name);
    match (find(&known), find(&systems)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, _) => "A browser".to_owned(),
    }
}

/// The choices of a role in a form.
#[component]
pub fn RoleChoices(
    /// The one that is chosen at first.
    chosen: Option<Role>,
) -> impl IntoView {
    Role::ALL
        .into_iter()
        .map(|role| view! { <option value=role.label() selected=chosen == Some(role)>{role.label()}</option> })
        .collect_view()
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn a_browser_is_called_by_its_name() {
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
        assert_eq!(browser(chrome), "Chrome on Linux");
        assert_eq!(browser("curl/8"), "A browser");
    }
}
