//! Save settings: changes what one page of a stack's settings holds, all of it or nothing.
//!
//! On *Source code* the stack may move to another repository as well (`change_repository`).
//!
//! A save that started from an older version is refused and told what changed meanwhile, never laid over somebody
//! else's.

use super::change_repository::{self, Change};
use super::{Context, find_stack, take_stack};
use crate::commands::create_stack::{check_place, check_texts};
use crate::domain::difference::Differences;
use crate::domain::permission::{Action, Configure, Permit};
use crate::domain::problem::{FieldProblem, Problem};
use crate::domain::stack::{Behavior, Integration, Stack};
use crate::domain::vendor::Vendor;
use crate::store::{Reading, Settings, StoreError, Writing};

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
        /// Where the repository is, with a credential if it is to be another one; none leaves both as they are.
        address: Option<String>,
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
    /// The address of the repository that was typed, where the page has one.
    fn address(&self) -> Option<&str> {
        match self {
            Self::Source { address, .. } => address.as_deref(),
            Self::Details { .. } | Self::Vendor { .. } | Self::Behavior(_) | Self::Integration(_) => None,
        }
    }

    fn onto(self, settings: Settings) -> Settings {
        match self {
            Self::Details { name, description, labels, disabled } => {
                Settings { name, description, labels, disabled, ..settings }
            }
            Self::Source { address: _, tracked_branch, project_root, additional_globs } => {
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
    // Before anything is said of a field, which may be somebody else's by now.
    fresh(&mut reading, &stack, version).await?;
    let mut after = page.clone().onto(before.clone());
    let problems = check_texts(&mut after);
    if !problems.is_empty() {
        return Err(Problem::Invalid(problems));
    }
    let repository = reading.repository(&stack.repository).await?.ok_or(Problem::UNAVAILABLE)?;
    drop(reading);
    let change = match page.address() {
        Some(typed) => change_repository::prepare(context, permit, &stack, typed, &after).await?,
        None => Change::Nothing,
    };
    if !matches!(change, Change::Repository(_))
        && (after.tracked_branch != before.tracked_branch || after.project_root != before.project_root)
    {
        let problems = check_place(context, &repository, &after).await;
        if !problems.is_empty() {
            return Err(Problem::Invalid(problems));
        }
    }

    let mut writing = context.store.write().await?;
    let stack = take_stack(&mut writing, permit.stack()).await?;
    fresh(&mut writing, &stack, version).await?;
    let settings = change.settings(&stack, differences(Some(&before), &after));
    let names: Vec<&str> = settings.iter().map(|difference| difference.field.as_str()).collect();
    let renewed = matches!(change, Change::Credential(..));
    let differences = change.carry_out(context, &mut writing, &stack, settings.clone()).await?;
    if names.is_empty() {
        // A credential is none of the stack's settings, and its own entry tells of it.
        return if renewed { done(context, writing).await } else { Ok(()) };
    }
    match writing.save_settings(&stack.id, &after, version).await {
        Err(error) if error.is_duplicate() => return Err(Problem::Invalid(vec![name_taken(&after.name)])),
        Err(StoreError::Changed) => return Err(Problem::Stale { changed: Vec::new(), version: stack.version }),
        saved => saved?,
    }
    writing.add_setting_changes(&stack.id, version + 1, &names).await?;
    context.record(&mut writing, permit.viewer(), Configure::NAME, Some(&stack.id), None, differences).await?;
    done(context, writing).await
}

/// Refuses a save that started from older settings, with what has changed since.
async fn fresh(reading: &mut Reading, stack: &Stack, version: i64) -> Result<(), Problem> {
    if stack.version == version {
        return Ok(());
    }
    let now = Settings::from(stack);
    let names = reading.settings_changed_since(&stack.id, version).await?;
    let changed = names.into_iter().map(|name| with_value(name, &now)).collect();
    Err(Problem::Stale { changed, version: stack.version })
}

async fn done(context: &Context, writing: Writing) -> Result<(), Problem> {
    writing.commit().await?;
    context.work.notify_one();
    context.poll.notify_one();
    Ok(())
}

pub(super) fn name_taken(name: &str) -> FieldProblem {
    FieldProblem {
        field: "name".into(),
        message: format!("Another stack is called {name:?}, or nearly so. Choose another name."),
    }
}

/// A setting by the name that the pages give it, and how people read it.
type Setting = (&'static str, fn(&Settings) -> String);

/// Every setting.
const SETTINGS: [Setting; 17] = [
    ("Name", |settings| settings.name.clone()),
    ("Description", |settings| settings.description.clone()),
    ("Labels", |settings| settings.labels.join(", ")),
    ("Disabled", |settings| switch(settings.disabled)),
    ("Tracked branch", |settings| settings.tracked_branch.clone()),
    ("Project root", |settings| settings.project_root.clone()),
    ("Additional globs", |settings| settings.additional_globs.join(", ")),
    ("Vendor", |settings| settings.vendor.label().to_owned()),
    ("Program", |settings| settings.engine_binary.clone()),
    ("Autodeploy", |settings| switch(settings.behavior.autodeploy)),
    ("Autoretry", |settings| switch(settings.behavior.autoretry)),
    ("Protect from deletion", |settings| switch(settings.behavior.protect_from_deletion)),
    ("Allow run promotion", |settings| switch(settings.behavior.allow_run_promotion)),
    ("Enable secret masking", |settings| switch(settings.behavior.secret_masking)),
    ("Plans for forks", |settings| switch(settings.integration.fork_plans)),
    ("Comment on pull requests", |settings| switch(settings.integration.pull_request_comment)),
    ("Changes in public checks", |settings| switch(settings.integration.public_changes)),
];

/// A setting that somebody changed, with what it is now.
fn with_value(name: String, now: &Settings) -> String {
    match SETTINGS.iter().find(|(setting, _)| *setting == name).map(|(_, read)| read(now)) {
        Some(value) if value.is_empty() => format!("{name} (now empty)"),
        Some(value) => format!("{name} (now {})", shortened(&value)),
        None => name,
    }
}

fn shortened(value: &str) -> String {
    let start: String = value.chars().take(80).collect();
    if start.len() < value.len() { start + "…" } else { start }
}

fn switch(on: bool) -> String {
    if on { "on" } else { "off" }.to_owned()
}

/// What differs; everything, when there were no settings before.
pub(super) fn differences(before: Option<&Settings>, after: &Settings) -> Differences {
    SETTINGS.iter().fold(Differences::default(), |differences, (name, read)| {
        differences.and(name, before.map(read).unwrap_or_default(), read(after))
    })
}
