//! The server functions about GitHub.

#![allow(missing_docs, reason = "the macro makes a struct of every function's arguments, which the function documents")]

use crate::app::view::{DeliveriesView, GithubView};
use crate::domain::problem::Problem;
use leptos::prelude::*;

/// The page of the GitHub App.
#[server(endpoint = "github")]
pub async fn github(web: String, api: String, organization: String) -> Result<GithubView, Problem> {
    use super::access::*;
    let context = context()?;
    let permit = everywhere::<permission::ConnectGithub>(&context).await?;
    queries::github(&context, &permit, &web, &api, &organization).await
}

/// The repositories that the App may see: clone address and name.
#[server(endpoint = "github_repositories")]
pub async fn github_repositories() -> Result<Vec<(String, String)>, Problem> {
    use super::access::*;
    let context = context()?;
    queries::repositories(&context, &everywhere(&context).await?).await
}

/// The ledger of deliveries: from the newest, or from those behind the one that came `before` and has this `id`.
#[server(endpoint = "deliveries")]
pub async fn deliveries(before: Option<i64>, id: Option<String>) -> Result<DeliveriesView, Problem> {
    use super::access::*;
    let context = context()?;
    let id = id.unwrap_or_default();
    let before = before.map(|before| (crate::domain::Timestamp(before), id.as_str()));
    queries::deliveries(&context, &everywhere(&context).await?, before).await
}

/// Takes the keys of an App that was made by hand.
#[server(endpoint = "connect_github")]
pub async fn connect_github(
    #[server(default)] web_address: String,
    #[server(default)] api_address: String,
    app_id: String,
    #[server(default)] private_key: String,
    #[server(default)] webhook_secret: String,
    #[server(default)] client_secret: String,
) -> Result<(), Problem> {
    use super::access::*;
    let context = context()?;
    let permit = everywhere::<permission::ConnectGithub>(&context).await?;
    let addresses = connect_github::addresses(&web_address, &api_address)?;
    let app_id = app_id.trim().parse().map_err(|_| Problem::field("app_id", "An App ID is a number."))?;
    let keys = connect_github::Keys { addresses, app_id, private_key, webhook_secret, client_secret };
    connect_github::connect(&context, &permit, keys).await?;
    go(&format!("/settings/github?saved={}", context.now().0));
    Ok(())
}

/// Forgets the App.
#[server(endpoint = "disconnect_github")]
pub async fn disconnect_github() -> Result<(), Problem> {
    use super::access::*;
    let context = context()?;
    let permit = everywhere::<permission::ConnectGithub>(&context).await?;
    connect_github::disconnect(&context, &permit).await?;
    go(&format!("/settings/github?saved={}", context.now().0));
    Ok(())
}

/// Reads everything from GitHub anew.
#[server(endpoint = "check_github")]
pub async fn check_github() -> Result<(), Problem> {
    use super::access::*;
    let context = context()?;
    everywhere::<permission::ConnectGithub>(&context).await?;
    catch_up::check_now(&context).await?;
    go(&format!("/settings/github?saved={}", context.now().0));
    Ok(())
}

/// Has a delivery worked on again.
#[server(endpoint = "replay_delivery")]
pub async fn replay_delivery(delivery: String) -> Result<(), Problem> {
    use super::access::*;
    let context = context()?;
    let permit = everywhere::<permission::ConnectGithub>(&context).await?;
    answer_delivery::replay(&context, &permit, &delivery).await?;
    go(&format!("/settings/github/deliveries?replayed={}", context.now().0));
    Ok(())
}

/// Lets exactly this commit of a fork be planned, and leads to its run.
#[server(endpoint = "allow_plan")]
pub async fn allow_plan(stack: String, pull_request: i64, commit: String) -> Result<(), Problem> {
    use super::access::*;
    let context = context()?;
    let permit = permitted::<permission::AllowPlan>(&context, &stack).await?;
    let commit = crate::domain::CommitHash::parse(&commit).ok_or(Problem::Malformed)?;
    let run = allow_plan::allow_plan(&context, &permit, pull_request, &commit).await?;
    go(&format!("/stack/{stack}/run/{run}"));
    Ok(())
}

/// Saves *Integrations*.
#[server(endpoint = "save_integrations")]
pub async fn save_integrations(
    stack: String,
    version: i64,
    #[server(default)] fork_plans: bool,
    #[server(default)] pull_request_comment: bool,
    #[server(default)] public_changes: bool,
) -> Result<(), Problem> {
    use super::access::*;
    let integration = Integration { fork_plans, pull_request_comment, public_changes };
    super::save(&stack, version, save_settings::Page::Integration(integration), "integrations").await
}
