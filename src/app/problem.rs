//! How problems cross the wire and how they look.

use super::boot::Boot;
use super::flash::flash_of;
use super::focus::{keep_focus, lead_to_problem};
use super::ui::Icon;
use crate::domain::problem::{Problem, Refusal, Thing};
use bytes::Bytes;
use leptos::prelude::*;
use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use leptos::server_fn::{Decodes as _, ServerFn};
use leptos_meta::Title;

impl FromServerFnError for Problem {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Request(_) | ServerFnErrorErr::Response(_) => Self::Unanswered,
            ServerFnErrorErr::Args(_)
            | ServerFnErrorErr::MissingArg(_)
            | ServerFnErrorErr::Deserialization(_)
            | ServerFnErrorErr::Serialization(_)
            | ServerFnErrorErr::UnsupportedRequestMethod(_) => Self::Malformed,
            ServerFnErrorErr::Registration(_)
            | ServerFnErrorErr::ServerError(_)
            | ServerFnErrorErr::MiddlewareError(_) => Self::UNAVAILABLE,
        }
    }

    /// Reads what a refusal holds. One that is not even JSON comes from what stands before Headway; one that is, but means
    /// nothing here, from a Headway that is newer than this page.
    fn de(data: Bytes) -> Self {
        let json = serde_json::from_slice::<serde::de::IgnoredAny>(&data).is_ok();
        Self::Encoder::decode(data).unwrap_or(if json { Self::Malformed } else { Self::Unanswered })
    }

    #[cfg(feature = "ssr")]
    fn status_code(&self) -> axum::http::StatusCode {
        status(self)
    }
}

/// The HTTP status that goes with a problem.
#[cfg(feature = "ssr")]
pub fn status(problem: &Problem) -> axum::http::StatusCode {
    axum::http::StatusCode::from_u16(problem.status()).unwrap_or(axum::http::StatusCode::INTERNAL_SERVER_ERROR)
}

/// Gives the page the status of its problem.
fn answer_with(problem: &Problem) {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(status(problem));
    }
    #[cfg(not(feature = "ssr"))]
    let _ = problem;
}

/// The problem as whoever sees it can report it: one that arose while this page was rendered has the page's request.
fn reported(problem: Problem) -> Problem {
    match use_context::<Boot>() {
        Some(boot) => problem.in_request(&boot.request),
        None => problem,
    }
}

/// A problem in the place where it arose.
#[component]
pub fn Alert(problem: Problem) -> impl IntoView {
    let problem = reported(problem);
    let fields: Vec<_> = if let Problem::Invalid(fields) = &problem
        && fields.len() > 1
    {
        fields.iter().map(|field| field.message.clone()).collect()
    } else {
        Vec::new()
    };
    let refusals: Vec<_> = if let Problem::Refused(refusal) = &problem
        && let Refusal::Promotion(verdict) = refusal.as_ref()
    {
        verdict.refusals().skip(1).cloned().collect()
    } else {
        Vec::new()
    };
    view! {
        <div class="alert" role="alert" tabindex="-1">
            <Icon name="alert" />
            <div>
                <p>
                    <strong>{problem.sentence()}</strong>
                    " "
                    {problem.cure()}
                </p>
                {(!fields.is_empty())
                    .then(|| view! { <ul>{fields.into_iter().map(|field: String| view! { <li>{field}</li> }).collect_view()}</ul> })}
                {(!refusals.is_empty())
                    .then(|| {
                        view! {
                            <ul>
                                {refusals
                                    .into_iter()
                                    .map(|condition| view! { <li>{condition.reason} " " {condition.cure}</li> })
                                    .collect_view()}
                            </ul>
                        }
                    })}
            </div>
        </div>
    }
}

/// The problem that a form was answered with, with or without JavaScript.
pub fn told<S>(action: ServerAction<S>) -> Signal<Option<Problem>>
where
    S: ServerFn<Error = Problem> + Clone + Send + Sync + 'static,
    S::Output: Send + Sync + 'static,
{
    let first = flash_of(S::url()).map(|flash| flash.problem);
    let value = action.value();
    Effect::new(move |before: Option<()>| {
        if value.with(|value| matches!(value, Some(Ok(_)))) && before.is_some() {
            keep_focus();
        }
    });
    Signal::derive(move || {
        value.with(|value| match value {
            Some(Ok(_)) => None,
            Some(Err(problem)) => Some(problem.clone()),
            None => first.clone(),
        })
    })
}

/// Shows what [`told`] says, in place.
#[component]
pub fn Told(#[prop(into)] problem: Signal<Option<Problem>>) -> impl IntoView {
    Effect::new(move |before: Option<()>| {
        if problem.with(Option::is_some) && before.is_some() {
            lead_to_problem();
        }
    });
    move || problem.get().map(|problem| view! { <Alert problem /> })
}

/// A page that cannot be shown.
#[component]
pub fn ProblemPage(problem: Problem) -> impl IntoView {
    answer_with(&problem);
    let problem = reported(problem);
    let title = match &problem {
        Problem::NotFound(thing) => format!("No such {}", thing.label()),
        Problem::NotSignedIn => "Sign in".into(),
        Problem::TooMany { .. } => "Too many tries".into(),
        Problem::Forbidden { .. } => "Not allowed".into(),
        Problem::Refused(_) | Problem::Stale { .. } | Problem::Invalid(_) | Problem::Malformed => "Not possible".into(),
        Problem::Unanswered | Problem::Unavailable { .. } => "Something went wrong".into(),
    };
    view! {
        <Title text=title.clone() />
        <section class="empty">
            <Icon name="alert" />
            <h1>{title}</h1>
            <p>{problem.sentence()} " " {problem.cure()}</p>
            <p class="actions">
                {(problem == Problem::Unanswered).then(|| view! { <a class="button" href="" rel="external">"Try again"</a> })}
                <a class="button" href="/">"All stacks"</a>
            </p>
        </section>
    }
}

/// Whatever no route knows.
#[component]
pub fn NotFound() -> impl IntoView {
    view! { <ProblemPage problem=Problem::NotFound(Thing::Page) /> }
}
