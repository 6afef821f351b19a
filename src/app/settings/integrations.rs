//! *Integrations*: what the stack shares with GitHub, and what it takes from there.

use super::{SaveOrCancel, Switch, version};
use crate::app::api::SaveIntegrations;
use crate::app::flash::switched;
use crate::app::problem::told;
use crate::app::ui::Icon;
use crate::app::view::SettingsView;
use leptos::form::ActionForm;
use leptos::html::Form;
use leptos::prelude::*;

/// The form, or how to connect GitHub.
#[component]
pub fn Integrations(view: SettingsView) -> impl IntoView {
    let Some(github) = view.github.clone() else {
        return view! {
            <section class="empty">
                <Icon name="repository" />
                <h2>"Plain Git"</h2>
                <p>
                    "Headway fetches this stack's repository by itself, every half minute and on Sync. "
                    "If it is on GitHub, install Headway's App on it: its plans then become checks on pull requests."
                </p>
                <a class="button" href="/settings/github" rel="external">"GitHub"</a>
            </section>
        }
        .into_any();
    };
    let save = ServerAction::<SaveIntegrations>::new();
    let problem = told(save);
    let version = version::<SaveIntegrations>(&view, problem);
    let form = NodeRef::<Form>::new();
    let stack = view.header.id.clone();
    let integration = view.integration;
    let on = |name: &str, saved: bool| switched::<SaveIntegrations>(name).unwrap_or(saved);
    view! {
        <p class="meta">
            <span><Icon name="repository" />{github.full_name}</span>
            <span>{if github.private { "private" } else { "public" }}</span>
        </p>
        {match github.problem {
            Some(problem) => {
                view! { <p class="warning"><Icon name="alert" /><span>{problem} " " <a href="/settings/github" rel="external">"GitHub"</a></span></p> }
                    .into_any()
            }
            None => {
                view! {
                    <p class="verdict" data-holds="true">
                        <Icon name="check" />
                        <span>"Plans are shown as the check " <code>{format!("headway/{stack}")}</code> "."</span>
                    </p>
                }
                    .into_any()
            }
        }}
        <ActionForm action=save node_ref=form>
            <input type="hidden" name="stack" value=stack.to_string() />
            <input type="hidden" name="version" value=move || version.get().to_string() />
            <Switch
                name="fork_plans"
                label="Plans for forks"
                description="A maintainer may let exactly one commit of a fork be planned. Such a plan runs a stranger's code with this stack's credentials; it can never be deployed."
                on=on("fork_plans", integration.fork_plans)
            />
            <Switch
                name="pull_request_comment"
                label="Comment on pull requests"
                description="One comment on each pull request lists the plans of all stacks that want it, and is kept up to date."
                on=on("pull_request_comment", integration.pull_request_comment)
            />
            <Switch
                name="public_changes"
                label="Changes in public checks"
                description="Checks of a public repository list the changes resource by resource, for everybody to read. Otherwise they have only the numbers."
                on=on("public_changes", integration.public_changes)
            />
            <SaveOrCancel form role=view.header.role cancel=format!("/stack/{stack}/settings/integrations") pending=save.pending() problem />
        </ActionForm>
    }
    .into_any()
}
