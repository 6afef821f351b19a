//! Save settings: changes what one page of a stack's settings holds, all of it or nothing.
//!
//! A save that started from an older version is refused and told what changed meanwhile, never laid over somebody
//! else's.

use super::{Context, find_stack, take_stack};
use crate::commands::create_stack::{check_place, check_texts};
use crate::domain::permission::{Action, Configure, Permit};
use crate::domain::problem::{FieldProblem, Problem};
use crate::domain::stack::{Behavior, Integration};
use crate::domain::vendor::Vendor;
use crate::store::{Settings, StoreError};

/// What one page of the settings says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// Stack details.
    Details {
        /// What people call it.
        name: String,
        /// What it is for.
        description: String,
        /// Words to find it by.
        labels: Vec<String>,
        /// Whether it starts no runs.
        disabled: bool,
    },
    /// Source code.
    Source {
        /// The branch whose pushes are deployed.
        tracked_branch: String,
        /// The folder that holds the configuration.
        project_root: String,
        /// Files outside it that belong to the stack.
        additional_globs: Vec<String>,
    },
    /// Vendor.
    Vendor {
        /// Terraform or OpenTofu.
        vendor: Vendor,
        /// The path of its program, or nothing.
        engine_binary: String,
    },
    /// Behavior.
    Behavior(Behavior),
    /// Integrations.
    Integration(Integration),
}

impl Page {
    fn onto(self, settings: Settings) -> Settings {
        match self {
            Self::Details { name, description, labels, disabled } => {
                Settings { name, description, labels, disabled, ..settings }
            }
            Self::Source { tracked_branch, project_root, additional_globs } => {
                Settings { tracked_branch, project_root, additional_globs, ..settings }
            }
            Self::Vendor { vendor, engine_binary } => Settings { vendor, engine_binary, ..settings },
            Self::Behavior(behavior) => Settings { behavior, ..settings },
            Self::Integration(integration) => Settings { integration, ..settings },
        }
    }
}

/// Saves one page that was filled in when the settings were at `version`.
pub async fn save_settings(
    context: &Context,
    permit: &Permit<Configure>,
    version: i64,
    page: Page,
) -> Result<(), Problem> {
    let result = attempt(context, permit, version, page).await;
    context.noted(permit, None, result).await
}

async fn attempt(context: &Context, permit: &Permit<Configure>, version: i64, page: Page) -> Result<(), Problem> {
    let mut reading = context.store.read().await?;
    let stack = find_stack(&mut reading, permit.stack()).await?;
    let before = Settings::from(&stack);
    let mut after = page.clone().onto(before.clone());
    let mut problems = check_texts(&mut after);
    if problems.is_empty()
        && (after.tracked_branch != before.tracked_branch || after.project_root != before.project_root)
    {
        let repository = reading.repository(&stack.repository).await?.ok_or(Problem::Unavailable)?;
        drop(reading);
        problems = check_place(context, &repository, &after).await;
    }
    if !problems.is_empty() {
        return Err(Problem::Invalid(problems));
    }

    let mut writing = context.store.write().await?;
    let stack = take_stack(&mut writing, permit.stack()).await?;
    if stack.version != version {
        let changed = writing.settings_changed_since(&stack.id, version).await?;
        return Err(Problem::Stale { changed, version: stack.version });
    }
    let changed = changed(&before, &after);
    if changed.is_empty() {
        return Ok(());
    }
    match writing.save_settings(&stack.id, &after, version).await {
        Err(error) if error.is_duplicate() => return Err(Problem::Invalid(vec![name_taken(&after.name)])),
        Err(StoreError::Changed) => return Err(Problem::Stale { changed: Vec::new(), version: stack.version }),
        saved => saved?,
    }
    let names: Vec<&str> = changed.iter().map(|(name, _)| *name).collect();
    writing.add_setting_changes(&stack.id, version + 1, &names).await?;
    let detail = changed.iter().map(|(name, change)| format!("{name}: {change}")).collect::<Vec<_>>().join("; ");
    context.record(&mut writing, permit.viewer(), Configure::NAME, Some(&stack.id), None, detail).await?;
    writing.commit().await?;
    context.work.notify_one();
    Ok(())
}

pub(super) fn name_taken(name: &str) -> FieldProblem {
    FieldProblem {
        field: "name".into(),
        message: format!("Another stack is called {name:?}, or nearly so. Choose another name."),
    }
}

/// What differs, by the names the pages give it, as "before → after".
fn changed(before: &Settings, after: &Settings) -> Vec<(&'static str, String)> {
    let list = |items: &[String]| if items.is_empty() { "none".to_owned() } else { items.join(", ") };
    let text = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
    let switch = |on: bool| if on { "on" } else { "off" }.to_owned();
    let (old, new) = (&before.behavior, &after.behavior);
    let (shared, shares) = (&before.integration, &after.integration);
    let pairs = [
        ("Name", text(&before.name), text(&after.name)),
        ("Description", text(&before.description), text(&after.description)),
        ("Labels", list(&before.labels), list(&after.labels)),
        ("Disabled", switch(before.disabled), switch(after.disabled)),
        ("Tracked branch", text(&before.tracked_branch), text(&after.tracked_branch)),
        ("Project root", text(&before.project_root), text(&after.project_root)),
        ("Additional globs", list(&before.additional_globs), list(&after.additional_globs)),
        ("Vendor", before.vendor.label().to_owned(), after.vendor.label().to_owned()),
        ("Program", text(&before.engine_binary), text(&after.engine_binary)),
        ("Autodeploy", switch(old.autodeploy), switch(new.autodeploy)),
        ("Autoretry", switch(old.autoretry), switch(new.autoretry)),
        ("Protect from deletion", switch(old.protect_from_deletion), switch(new.protect_from_deletion)),
        ("Allow run promotion", switch(old.allow_run_promotion), switch(new.allow_run_promotion)),
        ("Enable secret masking", switch(old.secret_masking), switch(new.secret_masking)),
        ("Plans for forks", switch(shared.fork_plans), switch(shares.fork_plans)),
        ("Comment on pull requests", switch(shared.pull_request_comment), switch(shares.pull_request_comment)),
        ("Changes in public checks", switch(shared.public_changes), switch(shares.public_changes)),
    ];
    pairs
        .into_iter()
        .filter(|(_, before, after)| before != after)
        .map(|(name, before, after)| (name, format!("{before} → {after}")))
        .collect()
}
