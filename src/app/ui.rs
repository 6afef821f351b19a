//! The small parts that every page is made of. Every control is a real one with a visible label; a state is an icon
//! and a word, never a colour alone.

use super::boot::Boot;
use super::focus::keep_focus;
use super::live::use_live;
use super::problem::ProblemPage;
use crate::domain::permission::Role;
use crate::domain::plan::Delta;
use crate::domain::problem::Problem;
use crate::domain::run_state::RunState;
use crate::domain::{Commit, Timestamp};
use leptos::prelude::*;

/// An icon of the sprite; decoration only.
#[component]
pub fn Icon(name: &'static str) -> impl IntoView {
    let sprite = use_context::<Boot>().map(|boot| boot.icons).unwrap_or_default();
    view! {
        <svg class="icon" aria-hidden="true" focusable="false">
            <use_ href=format!("{sprite}#{name}") />
        </svg>
    }
}

/// Says on a button that whoever sees it may not press it, and which role that takes.
#[component]
pub fn Needs(
    /// What they are, if anything.
    #[prop(into)]
    role: Option<Role>,
    /// What it takes.
    needs: Role,
) -> impl IntoView {
    let words = format!(" (takes the role {})", needs.label());
    (role < Some(needs)).then(|| {
        view! {
            <span class="needs" title=words.clone()>
                <Icon name="lock" />
                <span class="hidden">{words.clone()}</span>
            </span>
        }
    })
}

/// Where a run stands.
#[component]
pub fn StateBadge(state: RunState) -> impl IntoView {
    view! {
        <span class="badge" data-state=state.name()>
            <Icon name=icon(state) />
            {state.label()}
        </span>
    }
}

fn icon(state: RunState) -> &'static str {
    match state {
        RunState::Queued | RunState::Ready => "clock",
        RunState::Preparing | RunState::Initializing | RunState::Planning | RunState::Applying => "working",
        RunState::Unconfirmed => "eye",
        RunState::Confirmed | RunState::Finished => "check",
        RunState::Failed => "cross",
        RunState::Discarded | RunState::Canceled | RunState::Stopped => "stop",
    }
}

/// How many things a plan would do.
#[component]
pub fn DeltaView(delta: Option<Delta>) -> impl IntoView {
    delta.map(|delta| {
        let counts = [
            ("add", "+", delta.add, "to add"),
            ("change", "~", delta.change, "to change"),
            ("destroy", "−", delta.destroy, "to destroy"),
            ("import", "↓", delta.import, "to import"),
            ("move", "→", delta.moved, "to move"),
            ("forget", "×", delta.forget, "to forget"),
            ("output", "≈", delta.outputs, if delta.outputs == 1 { "output to change" } else { "outputs to change" }),
        ];
        let shown: Vec<_> = counts
            .into_iter()
            .filter(|(kind, _, count, _)| *count > 0 || matches!(*kind, "add" | "change" | "destroy"))
            .collect();
        if delta == Delta::default() {
            return view! { <span class="delta">"No changes"</span> }.into_any();
        }
        view! {
            <span class="delta">
                {shown
                    .into_iter()
                    .map(|(kind, symbol, count, words)| {
                        view! {
                            <span data-change=kind data-none=(count == 0).then_some("true")>
                                <span aria-hidden="true">{symbol}{count}</span>
                                <span class="hidden">{format!("{count} {words} ")}</span>
                            </span>
                        }
                    })
                    .collect_view()}
            </span>
        }
        .into_any()
    })
}

/// A point in time, as long ago as it is; `now` is when the server rendered it.
#[component]
pub fn Ago(at: Timestamp, now: Timestamp) -> impl IntoView {
    let now = use_live().now(now);
    view! { <time datetime=at.rfc3339() title=at.long()>{move || at.ago(now())}</time> }
}

/// A commit: its short name, with the whole one to read and copy.
#[component]
pub fn CommitName(commit: Commit) -> impl IntoView {
    view! { <code class="commit" title=commit.hash.to_string()>{commit.hash.short().to_owned()}</code> }
}

/// The data of a page, or the problem in its place.
#[component]
pub fn Loaded<T, F, V>(
    /// What is read.
    resource: Resource<Result<T, Problem>>,
    /// How it looks.
    render: F,
) -> impl IntoView
where
    T: Clone + Send + Sync + 'static,
    F: Fn(T) -> V + Clone + Send + Sync + 'static,
    V: IntoView + 'static,
{
    view! {
        <Transition fallback=|| {
            view! { <p class="loading" role="status">"Loading …"</p> }
        }>
            {move || {
                let render = render.clone();
                Suspend::new(async move {
                    let read = resource.await;
                    keep_focus();
                    match read {
                        Ok(data) => render(data).into_any(),
                        Err(problem) => view! { <ProblemPage problem /> }.into_any(),
                    }
                })
            }}
        </Transition>
    }
}

/// Says what was done, until a refusal stands on the page: the styles see to that.
#[component]
pub fn Done(
    /// Whether it was.
    done: bool,
    /// What.
    #[prop(default = "Saved.")]
    what: &'static str,
) -> impl IntoView {
    done.then(|| {
        view! {
            <p class="saved" role="status" data-done="true">
                <Icon name="check" />
                {what}
            </p>
        }
    })
}

/// What is wrong with one field, if anything.
pub fn field_problem(problem: Option<&Problem>, field: &str) -> Option<String> {
    match problem {
        Some(Problem::Invalid(fields)) => {
            fields.iter().find(|problem| problem.field == field).map(|problem| problem.message.clone())
        }
        _ => None,
    }
}

/// A field of a form: label, control, hint, and what is wrong with it.
#[component]
pub fn Field(
    /// Its name in the form; the control has it as id and name.
    name: &'static str,
    /// Its label.
    label: &'static str,
    /// What it is for.
    #[prop(optional)]
    hint: &'static str,
    /// The problem that the form was answered with.
    #[prop(into)]
    problem: Signal<Option<Problem>>,
    /// The control.
    children: Children,
) -> impl IntoView {
    let wrong = move || problem.with(|problem| field_problem(problem.as_ref(), name));
    view! {
        <div class="field" data-invalid=move || wrong().is_some().then_some("true")>
            <label for=name>{label}</label>
            {children()}
            {(!hint.is_empty()).then(|| view! { <p class="hint" id=format!("{name}-hint")>{hint}</p> })}
            {move || wrong().map(|message| view! { <p class="wrong" id=format!("{name}-wrong")>{message}</p> })}
        </div>
    }
}

/// Whether a field is wrong, as `aria-invalid` has it.
pub fn invalid(problem: Signal<Option<Problem>>, field: &'static str) -> impl Fn() -> Option<&'static str> + Copy {
    move || problem.with(|problem| field_problem(problem.as_ref(), field).map(|_| "true"))
}

/// What a control is described by: its hint, and what is wrong with it.
pub fn described(field: &'static str) -> String {
    format!("{field}-hint {field}-wrong")
}
