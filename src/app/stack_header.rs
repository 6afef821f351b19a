//! What stands above every page of a stack: where it is, what state it is in, what it needs, and where its pages are.

use super::api::{SyncStack, TriggerRun, UnlockStack};
use super::boot::Boot;
use super::problem::{Told, told};
use super::ui::{Ago, CommitName, Icon, Needs, StateBadge};
use super::view::Header;
use crate::domain::permission::{Action as _, ForceUnlock, Lock, Role, SetCurrentCommit, Sync, Trigger, Unlock};
use crate::domain::promotion::commits;
use crate::domain::relation::Relation;
use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_router::components::A;

/// What a person can press above every page of a stack.
#[derive(Clone, Copy)]
pub struct StackActions {
    trigger: ServerAction<TriggerRun>,
    sync: ServerAction<SyncStack>,
    unlock: ServerAction<UnlockStack>,
}

impl StackActions {
    /// Made once for a page, so that an answer outlives the reading of the page.
    pub fn new() -> Self {
        Self { trigger: ServerAction::new(), sync: ServerAction::new(), unlock: ServerAction::new() }
    }
}

/// The header.
#[component]
pub fn StackHeader(header: Header, actions: StackActions) -> impl IntoView {
    let home = format!("/stack/{}", header.id);
    let id = StoredValue::new(header.id.to_string());
    let place =
        if header.project_root.is_empty() { "whole repository".to_owned() } else { header.project_root.clone() };
    let (locked, role) = (header.lock.is_some(), header.role);
    let viewer = use_context::<Boot>().and_then(|boot| boot.viewer);
    let own = header.lock.as_ref().is_none_or(|lock| viewer.as_ref() == Some(&lock.holder));
    let unlock_needs = if own { Unlock::NEEDS } else { ForceUnlock::NEEDS };
    let (trigger, sync, unlock) = (told(actions.trigger), told(actions.sync), told(actions.unlock));
    view! {
        <nav class="breadcrumb" aria-label="Breadcrumb">
            <a href="/">"Stacks"</a>
        </nav>
        <div class="page-head">
            <h1>
                {header.name.clone()}
                " "
                {header.state.map(|state| view! { <StateBadge state /> })}
            </h1>
            <div class="toolbar">
                <ActionForm action=actions.sync>
                    <input type="hidden" name="stack" value=id.get_value() />
                    <button class="button" type="submit" disabled=move || actions.sync.pending().get()>
                        <Icon name="sync" />
                        "Sync"
                        <Needs role needs=Sync::NEEDS />
                    </button>
                </ActionForm>
                {if locked {
                    view! {
                        <ActionForm action=actions.unlock>
                            <input type="hidden" name="stack" value=id.get_value() />
                            <button class="button" type="submit" disabled=move || actions.unlock.pending().get()>
                                <Icon name="unlock" />
                                "Unlock"
                                <Needs role needs=unlock_needs />
                            </button>
                        </ActionForm>
                    }
                        .into_any()
                } else {
                    view! {
                        <a class="button" href=format!("{home}/lock")>
                            <Icon name="lock" />
                            "Lock"
                            <Needs role needs=Lock::NEEDS />
                        </a>
                    }
                        .into_any()
                }}
                <ActionForm action=actions.trigger>
                    <input type="hidden" name="stack" value=id.get_value() />
                    <button
                        class="button"
                        data-kind="primary"
                        type="submit"
                        disabled=move || actions.trigger.pending().get()
                    >
                        <Icon name="play" />
                        "Trigger"
                        <Needs role needs=Trigger::NEEDS />
                    </button>
                </ActionForm>
            </div>
        </div>
        <p class="meta">
            <span><Icon name="repository" />{header.address.clone()}</span>
            <span><Icon name="folder" />{place}</span>
            <span><Icon name="branch" />{header.tracked_branch.clone()}</span>
            <span><Icon name="engine" />{header.vendor.label()}</span>
            <span>
                <Icon name="state" />
                {if header.manage_state { "State managed by Headway" } else { "State managed elsewhere" }}
            </span>
            {header
                .fetched_at
                .map(|at| view! { <span><Icon name="sync" />"Fetched "<Ago at now=header.now /></span> })}
        </p>
        <p class="meta">
            <Icon name="commit" />
            {match header.current.clone() {
                Some(commit) => {
                    view! {
                        <span>"Current commit " <CommitName commit=commit.clone() /></span>
                        <span class="subject">{commit.subject}</span>
                    }
                        .into_any()
                }
                None => view! { <span>"No current commit yet: trigger or promote a run."</span> }.into_any(),
            }}
            <a href=format!("{home}/current-commit")>"Set current commit" <Needs role needs=SetCurrentCommit::NEEDS /></a>
            <a href=format!("{home}/access")>"Who may do what"</a>
            <a href=format!("/activity?stack={}", header.id)>"Who did what"</a>
        </p>
        <Told problem=trigger />
        <Told problem=sync />
        <Told problem=unlock />
        <Notices header=header.clone() />
        <nav class="tabs" aria-label="Stack">
            <A href=home.clone() exact=true>"Tracked runs"</A>
            <A href=format!("{home}/proposed")>"Proposed runs"</A>
            <A href=format!("{home}/settings")>"Settings"</A>
        </nav>
    }
}

/// What keeps the stack from working as it should.
#[component]
fn Notices(header: Header) -> impl IntoView {
    let mut notices: Vec<String> = Vec::new();
    if header.role < Role::Writer {
        notices.push(format!(
            "You are a {} here: you may look, and have proposed runs planned again or stopped. What starts, promotes or \
             accepts a tracked run takes the role {}.",
            header.role.label(),
            Role::Writer.label()
        ));
    }
    notices.extend(header.engine_problem.clone());
    if let Some((problem, next)) = &header.problem {
        let wait = crate::domain::time::span(next.since(header.now));
        notices.push(format!("{problem} The repository is tried again in {wait}, or when you press Sync."));
    }
    if header.disabled {
        notices.push("The stack is disabled: it starts no runs. Settings > Stack details has the switch.".into());
    }
    if let Some(lock) = &header.lock {
        let note = lock.note.as_deref().map(|note| format!(" “{note}”")).unwrap_or_default();
        notices.push(format!(
            "Locked by {} {}.{note} Nobody else starts or confirms a tracked run, and nothing is applied by itself.",
            lock.holder,
            lock.at.ago(header.now)
        ));
    }
    if let (Some((head, relation)), Some(_)) = (&header.head, &header.current) {
        let branch = &header.tracked_branch;
        match relation {
            Relation::Ahead { by } => notices.push(format!(
                "{branch} is {} ahead of the current commit, at {}: “{}”. Sync lets the stack follow.",
                commits(*by),
                head.hash.short(),
                head.subject
            )),
            Relation::Diverged { .. } => notices.push(format!(
                "The current commit is not on {branch}. The next push to {branch} will wait for a person if it would take \
                 out what is deployed."
            )),
            Relation::First | Relation::Identical | Relation::Behind { .. } | Relation::Unknown => {}
        }
    } else if header.head.is_none() && header.fetched_at.is_some() && header.problem.is_none() {
        notices.push(format!(
            "The repository has no branch {:?}. Settings > Source code names another.",
            header.tracked_branch
        ));
    }
    notices
        .into_iter()
        .map(|notice| view! { <p class="warning"><Icon name="alert" /><span>{notice}</span></p> })
        .collect_view()
}
