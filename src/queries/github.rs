//! The GitHub App: how it fares, what it may see, and the ledger of what it sent.

use crate::app::view::{AppView, DeliveriesView, DeliveryRow, GithubView, InstallationView};
use crate::commands::{Context, connect_github};
use crate::domain::Timestamp;
use crate::domain::permission::{ConnectGithub, CreateStack, LookAround, Permit};
use crate::domain::problem::Problem;
use crate::github::manifest;
use crate::store::{DeliveryState, GithubApp, Installation, Reading};
use std::net::IpAddr;

/// How many deliveries a page shows.
const PAGE: usize = 50;

/// How many of the checks that GitHub did not take are named.
const REFUSED: i64 = 5;

/// The page of the App; while there is none, with the manifest of one for this GitHub and organization.
pub async fn github(
    context: &Context,
    permit: &Permit<ConnectGithub>,
    web: &str,
    api: &str,
    organization: &str,
) -> Result<GithubView, Problem> {
    let mut reading = context.store.read().await?;
    let app = match reading.github_app().await? {
        Some(app) => Some(app_view(&mut reading, app).await?),
        None => None,
    };
    drop(reading);
    let manifest = match app {
        Some(_) => None,
        None => {
            let addresses = connect_github::addresses(web, api)?;
            let form = connect_github::begin(context, permit, addresses, organization)?;
            Some((form.action, form.manifest))
        }
    };
    let home = context.config.home();
    Ok(GithubView {
        now: context.now(),
        unreachable: is_local(&home),
        home,
        app,
        manifest,
        permissions: manifest::PERMISSIONS.into_iter().map(owned).collect(),
    })
}

async fn app_view(reading: &mut Reading, app: GithubApp) -> Result<AppView, Problem> {
    let repositories = reading.github_repositories().await?;
    let mut stacks_of = Vec::new();
    let mut out_of_reach = Vec::new();
    for repository in repositories {
        let stacks = match &repository.repository_id {
            Some(mirrored) => reading.stacks_of(mirrored).await?,
            None => Vec::new(),
        };
        let stacks: Vec<_> = stacks.into_iter().map(|stack| (stack.id, stack.name)).collect();
        if repository.installation_id.is_none() && !stacks.is_empty() {
            out_of_reach.push(repository.full_name.clone());
        }
        stacks_of.push((repository.installation_id, repository.full_name, stacks));
    }
    let installations = reading
        .installations()
        .await?
        .into_iter()
        .map(|installation| {
            let id = installation.id;
            let own = stacks_of.iter().filter(|(of, ..)| *of == Some(id));
            installation_view(installation, own.map(|(_, name, stacks)| (name.clone(), stacks.clone())).collect())
        })
        .collect();
    let waiting = reading.outbox().await?.into_iter().filter_map(|mark| Some((mark.stack_id, mark.problem?))).collect();
    let refused = reading.refused_checks(REFUSED).await?;
    Ok(AppView {
        install: format!("{}/apps/{}/installations/new", app.web_address, app.slug),
        name: app.name,
        app_id: app.app_id,
        web_address: app.web_address,
        api_address: app.api_address,
        problem: app.problem,
        checked_at: app.checked_at,
        delivered_at: app.delivered_at,
        signature_failures: app.signature_failures,
        signature_failed_at: app.signature_failed_at,
        previous_until: app.previous_until,
        installations,
        out_of_reach,
        waiting,
        refused,
    })
}

fn installation_view(
    installation: Installation,
    repositories: Vec<(String, Vec<(crate::domain::StackId, String)>)>,
) -> InstallationView {
    InstallationView {
        missing: manifest::missing(&installation.permissions).into_iter().map(owned).collect(),
        account: installation.account,
        suspended: installation.suspended,
        problem: installation.problem,
        rate: match (installation.rate_remaining, installation.rate_limit, installation.rate_resets_at) {
            (Some(remaining), Some(limit), Some(at)) => Some((remaining, limit, at)),
            (None, ..) | (_, None, _) | (.., None) => None,
        },
        repositories,
    }
}

fn owned((name, level, reason): (&str, &str, &str)) -> (String, String, String) {
    (name.to_owned(), level.to_owned(), reason.to_owned())
}

/// Whether an address leads nowhere from outside this machine.
fn is_local(home: &str) -> bool {
    let host = url::Url::parse(home).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback() || address.is_unspecified())
}

/// The repositories that the App may see, by their clone addresses and names; for the form of a new stack.
pub async fn repositories(context: &Context, _permit: &Permit<CreateStack>) -> Result<Vec<(String, String)>, Problem> {
    let found = context.store.read().await?.github_repositories().await?;
    let seen = found.into_iter().filter(|repository| repository.installation_id.is_some());
    Ok(seen.map(|repository| (repository.clone_address, repository.full_name)).collect())
}

/// The ledger of deliveries, from the newest or from those behind the one that came then and has that id.
pub async fn deliveries(
    context: &Context,
    _permit: &Permit<LookAround>,
    before: Option<(Timestamp, &str)>,
) -> Result<DeliveriesView, Problem> {
    // One more than is shown tells whether there are older ones.
    let limit = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let mut found = context.store.read().await?.deliveries(before, limit).await?;
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let older = found.last().filter(|_| more).map(|delivery| (delivery.received_at, delivery.id.clone()));
    let deliveries = found
        .into_iter()
        .map(|delivery| DeliveryRow {
            event: format!("{} {}", delivery.event, delivery.action).trim().to_owned(),
            took: delivery.ended_at.map(|ended| ended.since(delivery.received_at)),
            led_to: delivery.stack_id.map(|stack| (stack, delivery.run_id)),
            replayable: !delivery.body.is_empty()
                && !matches!(delivery.state, DeliveryState::Waiting | DeliveryState::Repeated),
            id: delivery.id,
            received_at: delivery.received_at,
            repository: delivery.repository,
            state: delivery.state.name().to_owned(),
            outcome: delivery.outcome,
            repeats: delivery.repeats,
        })
        .collect();
    Ok(DeliveriesView { now: context.now(), deliveries, older })
}
