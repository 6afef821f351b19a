//! Access: who may do what on a stack, and through which grant; above all, who can promote.

use super::api;
use super::stack::use_stack;
use super::ui::{Icon, Loaded};
use super::view::{AccessRow, AccessView};
use crate::domain::permission::{Action, Promote, Role};
use leptos::prelude::*;
use leptos_meta::Title;

/// `/stack/{stack}/access`
#[component]
pub fn AccessPage() -> impl IntoView {
    let stack = use_stack();
    let page = Resource::new(move || stack.get(), api::stack_access);
    view! { <Loaded resource=page render=move |view| view! { <Access view /> } /> }
}

#[component]
fn Access(view: AccessView) -> impl IntoView {
    let home = format!("/stack/{}", view.stack);
    let (promoting, looking): (Vec<_>, Vec<_>) = view.people.into_iter().partition(|row| row.role >= Promote::NEEDS);
    let tokens = view.tokens;
    view! {
        <Title text=format!("Access · {}", view.name) />
        <nav class="breadcrumb" aria-label="Breadcrumb">
            <a href="/">"Stacks"</a>
            <a href=home.clone()>{view.name.clone()}</a>
        </nav>
        <h1>"Who may do what"</h1>
        <div class="people">
        {(!view.allow_run_promotion)
            .then(|| {
                view! {
                    <p class="warning">
                        <Icon name="alert" />
                        <span>
                            "Nobody can promote at present: "
                            <a href=format!("{home}/settings/behavior")>"Allow run promotion"</a>
                            " is off for this stack."
                        </span>
                    </p>
                }
            })}
        <section aria-labelledby="promoting">
            <h2 id="promoting">"Can promote"</h2>
            <People people=promoting none="Nobody has the role writer here." />
            {view
                .github
                .map(|repository| {
                    view! {
                        <p>
                            {format!(
                                "On GitHub, whoever may write to {repository} can press Deploy; somebody who is known here needs the role writer here as well.",
                            )}
                        </p>
                    }
                })}
            {(!tokens.is_empty())
                .then(|| {
                    view! {
                        <h3>"Tokens that can"</h3>
                        <ul class="plain">
                            {tokens
                                .into_iter()
                                .map(|token| {
                                    view! {
                                        <li>
                                            <code>{format!("token/{}", token.name)}</code>
                                            {format!(", of {}", token.person)}
                                        </li>
                                    }
                                })
                                .collect_view()}
                        </ul>
                    }
                })}
        </section>
        <section aria-labelledby="looking">
            <h2 id="looking">"Can look"</h2>
            <p>"Readers see everything of a stack but the values of secrets, and may have a proposed run planned again or stopped."</p>
            <People people=looking none="Nobody beside those above." />
        </section>
        {view
            .may_change
            .then(|| view! { <p><a class="button" href="/settings/people">"Change who may do what"</a></p> })}
        </div>
    }
}

#[component]
fn People(people: Vec<AccessRow>, none: &'static str) -> impl IntoView {
    if people.is_empty() {
        return view! { <p class="meta">{none}</p> }.into_any();
    }
    let rows = people.into_iter().map(|row| {
        let administers = row.role == Role::Administrator;
        view! {
            <li>
                <strong>{row.name}</strong>
                {administers.then(|| view! { " " <span class="chip">"administrator"</span> })}
                <p class="meta">{row.through.join("; ")}</p>
            </li>
        }
    });
    view! { <ul class="plain">{rows.collect_view()}</ul> }.into_any()
}
