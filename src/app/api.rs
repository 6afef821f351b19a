//! Every server function: parse, permit, command or query, [`Problem`].
//!
//! A function that changes something is sent by a form and lives under its own name at `/api/…`; where it leads is said
//! here, with a redirect.

#![allow(missing_docs, reason = "the macro makes a struct of every function's arguments, which the function documents")]
#![allow(clippy::too_many_arguments, reason = "each argument is a field of a form")]

#[cfg(feature = "ssr")]
mod access;
mod github;
mod people;
#[cfg(feature = "ssr")]
pub mod session_cookie;

pub use github::{
    AllowPlan, CheckGithub, ConnectGithub, DisconnectGithub, ReplayDelivery, SaveIntegrations, deliveries, github,
    github_repositories,
};
pub use people::{
    AcceptInvitation, ChangePassword, EndOtherSessions, EndSession, ForgetAccounts, InvitePerson, MakeToken,
    RenewInvitation, RevokeToken, SaveGroups, SaveSignIn, SetPersonDisabled, SetRole, SignIn, SignOut, account,
    invitation, people, person, stack_access, ways_to_sign_in,
};

use super::view::{
    ActivityFilter, ActivityView, ChangesView, LogView, ProposedView, RepositoryView, RunView, SettingsView,
    StacksView, TrackedView,
};
use crate::domain::plan::Selection;
use crate::domain::problem::Problem;
use leptos::prelude::*;

/// The list of stacks.
#[server(endpoint = "stacks")]
pub async fn stacks(search: String, filter: String) -> Result<StacksView, Problem> {
    use access::*;
    let context = context()?;
    queries::stacks(&context, &viewer()?, &search, queries::Filter::parse(&filter)).await
}

/// The tracked runs of a stack.
#[server(endpoint = "tracked")]
pub async fn tracked(stack: String, before: Option<String>) -> Result<TrackedView, Problem> {
    use access::*;
    let context = context()?;
    queries::tracked(&context, &permitted(&context, &stack).await?, before.map(RunId::new).as_ref()).await
}

/// The branches of a stack with their newest proposed runs.
#[server(endpoint = "proposed")]
pub async fn proposed(stack: String) -> Result<ProposedView, Problem> {
    use access::*;
    let context = context()?;
    queries::proposed(&context, &permitted(&context, &stack).await?).await
}

/// One run, with the log of the step at `open`.
#[server(endpoint = "run")]
pub async fn run(stack: String, run: String, open: Option<i64>) -> Result<RunView, Problem> {
    use access::*;
    let context = context()?;
    queries::run(&context, &permitted(&context, &stack).await?, &RunId::new(run), open).await
}

/// Lines of a log from line `from` on.
#[server(endpoint = "log")]
pub async fn log(stack: String, run: String, position: i64, from: i64) -> Result<LogView, Problem> {
    use access::*;
    let context = context()?;
    queries::log(&context, &permitted(&context, &stack).await?, &RunId::new(run), position, Some(from)).await
}

/// What a run would change, from change number `from` on, counted from 0.
#[server(endpoint = "changes")]
pub async fn changes(
    stack: String,
    run: String,
    #[server(default)] selection: Selection,
    #[server(default)] from: usize,
) -> Result<ChangesView, Problem> {
    use access::*;
    let context = context()?;
    queries::changes(&context, &permitted(&context, &stack).await?, &RunId::new(run), selection, from).await
}

/// Everything that the settings pages show.
#[server(endpoint = "settings")]
pub async fn settings(stack: String) -> Result<SettingsView, Problem> {
    use access::*;
    let context = context()?;
    queries::settings(&context, &permitted(&context, &stack).await?).await
}

/// A repository for a new stack.
#[server(endpoint = "repository")]
pub async fn repository(id: String, branch: Option<String>) -> Result<RepositoryView, Problem> {
    use access::*;
    let context = context()?;
    queries::repository(&context, &everywhere(&context).await?, &RepositoryId::new(id), branch.as_deref()).await
}

/// The activity log.
#[server(endpoint = "activity")]
pub async fn activity(filter: ActivityFilter) -> Result<ActivityView, Problem> {
    use access::*;
    let context = context()?;
    let permit = permitted::<permission::LookAround>(&context, filter.stack.trim()).await?;
    queries::activity(&context, &permit, &filter).await
}

/// Promotes a proposed run and leads to the tracked one.
#[server(endpoint = "promote_run")]
pub async fn promote_run(stack: String, run: String) -> Result<(), Problem> {
    use access::*;
    let context = context()?;
    let permit = permitted::<permission::Promote>(&context, &stack).await?;
    let promotion = promote::promote(&context, &permit, &RunId::new(run)).await?;
    go(&format!("/stack/{stack}/run/{}", promotion.run()));
    Ok(())
}

/// Accepts the plan of a tracked run.
#[server(endpoint = "confirm_run")]
pub async fn confirm_run(stack: String, run: String) -> Result<(), Problem> {
    use access::*;
    let context = context()?;
    let permit = permitted::<permission::Confirm>(&context, &stack).await?;
    confirm::confirm(&context, &permit, &RunId::new(run)).await
}

/// Rejects a run.
#[server(endpoint = "discard_run")]
pub async fn discard_run(stack: String, run: String) -> Result<(), Problem> {
    use access::*;
    let context = context()?;
    let permit = permitted::<permission::Discard>(&context, &stack).await?;
    discard::discard(&context, &permit, &RunId::new(run)).await
}

/// Interrupts a run.
#[server(endpoint = "stop_run")]
pub async fn stop_run(stack: String, run: String) -> Result<(), Problem> {
    use access::*;
    let context = context()?;
    let permit = permitted::<permission::Stop>(&context, &stack).await?;
    stop::stop(&context, &permit, &RunId::new(run)).await
}

/// Runs the same commit once more and leads there.
#[server(endpoint = "retry_run")]
pub async fn retry_run(stack: String, run: String) -> Result<(), Problem> {
    use access::*;
    let context = context()?;
    let permit = permitted::<permission::Retry>(&context, &stack).await?;
    let again = retry::retry(&context, &permit, &RunId::new(run)).await?;
    go(&format!("/stack/{stack}/run/{again}"));
    Ok(())
}

/// Starts a tracked run and leads there.
#[server(endpoint = "trigger_run")]
pub async fn trigger_run(stack: String) -> Result<(), Problem> {
    use access::*;
    let context = context()?;
    let permit = permitted::<permission::Trigger>(&context, &stack).await?;
    let run = trigger::trigger(&context, &permit).await?;
    go(&format!("/stack/{stack}/run/{run}"));
    Ok(())
}

/// Starts a proposed run for a branch and leads there.
#[server(endpoint = "propose_run")]
pub async fn propose_run(stack: String, branch: String) -> Result<(), Problem> {
    use access::*;
    let context = context()?;
    let permit = permitted::<permission::Propose>(&context, &stack).await?;
    let run = propose::propose(&context, &permit, &branch).await?;
    go(&format!("/stack/{stack}/run/{run}"));
    Ok(())
}

/// Takes the stack's lock.
#[server(endpoint = "lock_stack")]
pub async fn lock_stack(stack: String, #[server(default)] note: String) -> Result<(), Problem> {
    use access::*;
    let context = context()?;
    let permit = permitted::<permission::Lock>(&context, &stack).await?;
    lock::lock(&context, &permit, &note).await?;
    go(&format!("/stack/{stack}"));
    Ok(())
}

/// Gives the stack's lock back; an administrator may take away somebody else's.
#[server(endpoint = "unlock_stack")]
pub async fn unlock_stack(stack: String) -> Result<(), Problem> {
    use access::*;
    let context = context()?;
    let permit = permitted::<permission::Unlock>(&context, &stack).await?;
    lock::unlock(&context, &permit).await
}

/// Fetches the repository and follows the tracked branch; leads to the run that this started, if any.
#[server(endpoint = "sync_stack")]
pub async fn sync_stack(stack: String) -> Result<(), Problem> {
    use access::*;
    let context = context()?;
    let permit = permitted::<permission::Sync>(&context, &stack).await?;
    match sync::sync(&context, &permit).await? {
        sync::Synced::Started(run) => go(&format!("/stack/{stack}/run/{run}")),
        sync::Synced::InStep | sync::Synced::Moved => {}
    }
    Ok(())
}

/// Says where the stack stands.
#[server(endpoint = "set_current_commit")]
pub async fn set_current_commit(stack: String, commit: String) -> Result<(), Problem> {
    use access::*;
    let context = context()?;
    let permit = permitted::<permission::SetCurrentCommit>(&context, &stack).await?;
    set_current::set_current(&context, &permit, &commit).await?;
    go(&format!("/stack/{stack}"));
    Ok(())
}

/// Looks at a repository and leads to the second step of a new stack.
#[server(endpoint = "add_repository")]
pub async fn add_repository(address: String) -> Result<(), Problem> {
    use access::*;
    let context = context()?;
    let id = access::add_repository::add_repository(&context, &everywhere(&context).await?, &address).await?;
    go(&format!("/stacks/new?repository={id}"));
    Ok(())
}

/// Makes a stack and leads there.
#[server(endpoint = "create_stack")]

pub async fn create_stack(
    repository: String,
    name: String,
    #[server(default)] description: String,
    tracked_branch: String,
    #[server(default)] project_root: String,
    vendor: String,
    #[server(default)] manage_state: bool,
    #[server(default)] allow_run_promotion: bool,
) -> Result<(), Problem> {
    use access::*;
    let context = context()?;
    let id = create_stack::id_for(&name)?;
    let permit = permitted::<permission::CreateStack>(&context, id.as_str()).await?;
    let vendor = Vendor::parse(&vendor).ok_or(Problem::Malformed)?;
    // Without any engine a stack can be made all the same, and its runs say how to get one.
    if let Some(missing) = engine::missing(vendor, "")
        && Vendor::ALL.into_iter().any(|other| engine::missing(other, "").is_none())
    {
        return Err(Problem::field("vendor", missing.to_string()));
    }
    let settings = Settings {
        name,
        description,
        labels: Vec::new(),
        tracked_branch,
        project_root,
        additional_globs: Vec::new(),
        vendor,
        engine_binary: String::new(),
        behavior: Behavior { allow_run_promotion, ..Behavior::default() },
        integration: Integration::default(),
        disabled: false,
    };
    let repository = RepositoryId::new(repository);
    let id = create_stack::create_stack(&context, &permit, &repository, settings, manage_state).await?;
    go(&format!("/stack/{id}"));
    Ok(())
}

/// Saves *Stack details*.
#[server(endpoint = "save_details")]
pub async fn save_details(
    stack: String,
    version: i64,
    name: String,
    #[server(default)] description: String,
    #[server(default)] labels: String,
    #[server(default)] disabled: bool,
) -> Result<(), Problem> {
    use access::*;
    let page = save_settings::Page::Details { name, description, labels: list(&labels), disabled };
    save(&stack, version, page, "details").await
}

/// Saves *Source code*. Without an address the repository stays.
#[server(endpoint = "save_source")]
pub async fn save_source(
    stack: String,
    version: i64,
    #[server(default)] address: Option<String>,
    tracked_branch: String,
    #[server(default)] project_root: String,
    #[server(default)] additional_globs: String,
) -> Result<(), Problem> {
    use access::*;
    let additional_globs = lines(&additional_globs);
    let page = save_settings::Page::Source { address, tracked_branch, project_root, additional_globs };
    save(&stack, version, page, "source").await
}

/// Saves *Vendor*.
#[server(endpoint = "save_vendor")]
pub async fn save_vendor(
    stack: String,
    version: i64,
    vendor: String,
    #[server(default)] engine_binary: String,
) -> Result<(), Problem> {
    use access::*;
    let vendor = Vendor::parse(&vendor).ok_or(Problem::Malformed)?;
    let context = context()?;
    permitted::<permission::Configure>(&context, &stack).await?;
    // What is neither a path nor a version is refused by the command.
    if create_stack::is_path_or_version(engine_binary.trim()) {
        let found = engine::find(vendor, engine_binary.trim()).await;
        found.map_err(|error| Problem::field("engine_binary", error.to_string()))?;
    }
    save(&stack, version, save_settings::Page::Vendor { vendor, engine_binary }, "vendor").await
}

/// Saves *Behavior*.
#[server(endpoint = "save_behavior")]

pub async fn save_behavior(
    stack: String,
    version: i64,
    #[server(default)] autodeploy: bool,
    #[server(default)] autoretry: bool,
    #[server(default)] protect_from_deletion: bool,
    #[server(default)] allow_run_promotion: bool,
    #[server(default)] secret_masking: bool,
) -> Result<(), Problem> {
    use access::*;
    let behavior = Behavior { autodeploy, autoretry, protect_from_deletion, allow_run_promotion, secret_masking };
    save(&stack, version, save_settings::Page::Behavior(behavior), "behavior").await
}

#[cfg(feature = "ssr")]
async fn save(stack: &str, version: i64, page: access::save_settings::Page, name: &str) -> Result<(), Problem> {
    use access::*;
    let context = context()?;
    let permit = permitted::<permission::Configure>(&context, stack).await?;
    save_settings::save_settings(&context, &permit, version, page).await?;
    go(&format!("/stack/{stack}/settings/{name}?saved={}", context.now().0));
    Ok(())
}

/// Sets a variable of a stack's environment; `seen` is when the one that is changed was last set, 0 for a new one.
#[server(endpoint = "set_variable")]
pub async fn set_variable(
    stack: String,
    name: String,
    #[server(default)] value: String,
    #[server(default)] secret: bool,
    #[server(default)] planning: bool,
    #[server(default)] applying: bool,
    #[server(default)] seen: i64,
) -> Result<(), Problem> {
    use access::*;
    let context = context()?;
    let permit = permitted::<permission::Configure>(&context, &stack).await?;
    let seen = (seen != 0).then_some(crate::domain::Timestamp(seen));
    let new = set_variable::NewVariable { name, value, secret, planning, applying, seen };
    set_variable::set_variable(&context, &permit, new).await?;
    go(&format!("/stack/{stack}/settings/environment?saved={}", context.now().0));
    Ok(())
}

/// Removes a variable of a stack's environment; `seen` is when it was last set.
#[server(endpoint = "remove_variable")]
pub async fn remove_variable(stack: String, name: String, seen: i64) -> Result<(), Problem> {
    use access::*;
    let context = context()?;
    let permit = permitted::<permission::Configure>(&context, &stack).await?;
    set_variable::remove_variable(&context, &permit, &name, crate::domain::Timestamp(seen)).await?;
    go(&format!("/stack/{stack}/settings/environment?saved={}", context.now().0));
    Ok(())
}

/// Removes a stack and leads to the list.
#[server(endpoint = "delete_stack")]
pub async fn delete_stack(stack: String, name: String) -> Result<(), Problem> {
    use access::*;
    let context = context()?;
    let permit = permitted::<permission::DeleteStack>(&context, &stack).await?;
    delete_stack::delete_stack(&context, &permit, &name).await?;
    go("/?deleted=true");
    Ok(())
}
