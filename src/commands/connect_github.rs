//! Connect GitHub: makes the App from a manifest with one click, or takes the keys of one that was made by hand. Keys are
//! sealed, and never shown again.

use super::{Context, read_installations};
use crate::domain::difference::{Differences, Held};
use crate::domain::permission::{Action, ConnectGithub, Permit};
use crate::domain::problem::{FieldProblem, Problem};
use crate::domain::sealed::{Place, SealedColumn};
use crate::github::{App, manifest};
use crate::store::GithubApp;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How long a manifest may wait for its code: GitHub's own limit, an hour.
const PATIENCE: i64 = 3_600_000;

/// How long deliveries that are signed with the secret before are believed.
const OVERLAP: i64 = 24 * 3_600_000;

/// How many Apps may be in the making; every look at the page begins one.
const MAKING: usize = 1000;

/// Where a GitHub is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// Its pages.
    pub web: String,
    /// Its API.
    pub api: String,
}

/// An App that is being made: GitHub returns the name of it with its code.
#[derive(Clone, Debug)]
struct Begun {
    at: i64,
    addresses: Addresses,
}

/// The Apps that are being made, by a name nobody can guess; each is good once.
#[derive(Clone, Debug, Default)]
pub struct Connecting(Arc<Mutex<HashMap<String, Begun>>>);

/// What the browser is to post to GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestForm {
    /// Where to.
    pub action: String,
    /// The one field.
    pub manifest: String,
}

/// The keys of an App that was made by hand.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Where GitHub is.
    pub addresses: Addresses,
    /// The App's id.
    pub app_id: i64,
    /// Its private key in PEM; empty keeps the one that is there.
    pub private_key: String,
    /// What its deliveries are signed with; empty keeps the one that is there.
    pub webhook_secret: String,
    /// What signs people in through it; empty keeps the one that is there, and there may be none.
    pub client_secret: String,
}

/// Reads the addresses of a GitHub: github.com unless another is given, and the API where that one has it.
pub fn addresses(web: &str, api: &str) -> Result<Addresses, Problem> {
    let mut problems = Vec::new();
    let mut read = |field: &str, text: &str| {
        let url = url::Url::parse(text.trim()).ok().filter(|url| {
            matches!(url.scheme(), "https" | "http")
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
        });
        match url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => {
                let message = "Enter an address like https://github.example.com.".into();
                problems.push(FieldProblem { field: field.into(), message });
                String::new()
            }
        }
    };
    let web = read("web_address", if web.trim().is_empty() { "https://github.com" } else { web });
    let usual = match web.as_str() {
        "https://github.com" => "https://api.github.com".to_owned(),
        tenant if tenant.ends_with(".ghe.com") => tenant.replacen("https://", "https://api.", 1),
        server => format!("{server}/api/v3"),
    };
    let api = if api.trim().is_empty() { usual } else { read("api_address", api) };
    if problems.is_empty() { Ok(Addresses { web, api }) } else { Err(Problem::Invalid(problems)) }
}

/// Begins: what the browser is to post. The organization is the one that is to own the App; none for the person.
pub fn begin(
    context: &Context,
    _permit: &Permit<ConnectGithub>,
    addresses: Addresses,
    organization: &str,
) -> Result<ManifestForm, Problem> {
    let organization = organization.trim();
    if !organization.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-') {
        return Err(Problem::field("organization", "An organization's name has letters, digits and dashes only."));
    }
    let state = context.fresh_secret()?;
    let mut begun = context.connecting.0.lock().unwrap_or_else(PoisonError::into_inner);
    let now = context.now().0;
    begun.retain(|_, begun| now - begun.at < PATIENCE);
    if begun.len() >= MAKING
        && let Some(oldest) = begun.iter().min_by_key(|(_, begun)| begun.at).map(|(state, _)| state.clone())
    {
        begun.remove(&oldest);
    }
    let path = if organization.is_empty() {
        "/settings/apps/new".to_owned()
    } else {
        format!("/organizations/{organization}/settings/apps/new")
    };
    let action = format!("{}{path}?state={state}", addresses.web);
    begun.insert(state, Begun { at: now, addresses });
    let home = context.config.home();
    let host = url::Url::parse(&home).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    // GitHub takes 34 characters, and the name must be nobody else's.
    let name: String = format!("Headway {host}").chars().take(34).collect();
    Ok(ManifestForm { action, manifest: manifest::manifest(name.trim(), &home).to_string() })
}

/// Ends what [`begin`] began: exchanges the code for the App's keys. Where to go next: the page that installs it.
pub async fn complete(
    context: &Context,
    permit: &Permit<ConnectGithub>,
    state: &str,
    code: &str,
) -> Result<String, Problem> {
    let result = exchange(context, permit, state, code).await;
    context.noted(permit, None, result).await
}

async fn exchange(
    context: &Context,
    permit: &Permit<ConnectGithub>,
    state: &str,
    code: &str,
) -> Result<String, Problem> {
    let begun = context.connecting.0.lock().unwrap_or_else(PoisonError::into_inner).remove(state);
    let begun = begun.filter(|begun| context.now().0 - begun.at < PATIENCE).ok_or_else(|| {
        Problem::github(
            "This answer of GitHub's belongs to nothing that was begun here.",
            "Press Create GitHub App again.",
        )
    })?;
    let made = context.github.convert_manifest(&begun.addresses.api, code).await.map_err(|error| {
        Problem::github(error.to_string(), "Press Create GitHub App again: a code is good once, and for an hour.")
    })?;
    let slug = made.slug.clone().unwrap_or_default();
    let app = App { id: made.id, api: begun.addresses.api.clone(), private_key: made.pem };
    let details = Details {
        slug: slug.clone(),
        name: made.name,
        client_id: made.client_id,
        permissions: Value::from_iter(made.permissions).to_string(),
        client_secret: made.client_secret,
    };
    save(context, permit, &begun.addresses, &app, &made.webhook_secret.unwrap_or_default(), details).await?;
    Ok(format!("{}/apps/{slug}/installations/new", begun.addresses.web))
}

/// Takes the keys of an App that was made by hand, after GitHub has accepted them.
pub async fn connect(context: &Context, permit: &Permit<ConnectGithub>, keys: Keys) -> Result<(), Problem> {
    let known = context.store.read().await?.github_app().await?.filter(|known| known.app_id == keys.app_id);
    let open = |column: SealedColumn, sealed: &str| {
        context.vault.open_text(&Place::app(column, keys.app_id), sealed).unwrap_or_default()
    };
    let mut problems = Vec::new();
    let mut kept = |field: &str, given: &str, sealed: Option<(SealedColumn, &String)>, message: &str| {
        let value = match (given.trim(), sealed) {
            ("", Some((column, sealed))) => open(column, sealed),
            (given, _) => given.into(),
        };
        if value.is_empty() {
            problems.push(FieldProblem { field: field.into(), message: message.into() });
        }
        value
    };
    let private_key = kept(
        "private_key",
        &keys.private_key,
        known.as_ref().map(|known| (SealedColumn::AppPrivateKey, &known.private_key)),
        "Paste the private key that GitHub gave for the App: a file that begins with BEGIN RSA PRIVATE KEY.",
    );
    let secret = kept(
        "webhook_secret",
        &keys.webhook_secret,
        known.as_ref().map(|known| (SealedColumn::AppWebhookSecret, &known.webhook_secret)),
        "Enter the webhook secret of the App: without it anybody could send deliveries.",
    );
    let app = App { id: keys.app_id, api: keys.addresses.api.clone(), private_key };
    if problems.is_empty() && app.check_key(context.now()).is_err() {
        let message = "This is no RSA private key in PEM. Paste the whole file, with its first and last line.";
        problems.push(FieldProblem { field: "private_key".into(), message: message.into() });
    }
    if !problems.is_empty() {
        return Err(Problem::Invalid(problems));
    }
    let described = context.github.app(&app).await.map_err(|error| {
        Problem::field("app_id", format!("{error}. Check the App ID, its key, and where GitHub is."))
    })?;
    let details = Details {
        slug: described.slug.unwrap_or_default(),
        name: described.name,
        client_id: described.client_id,
        permissions: Value::from_iter(described.permissions).to_string(),
        client_secret: match keys.client_secret.trim() {
            "" => known
                .as_ref()
                .and_then(|known| known.client_secret.as_deref())
                .map(|sealed| open(SealedColumn::AppClientSecret, sealed)),
            secret => Some(secret.to_owned()),
        },
    };
    save(context, permit, &keys.addresses, &app, &secret, details).await
}

struct Details {
    slug: String,
    name: String,
    client_id: String,
    permissions: String,
    client_secret: Option<String>,
}

async fn save(
    context: &Context,
    permit: &Permit<ConnectGithub>,
    addresses: &Addresses,
    app: &App,
    secret: &str,
    details: Details,
) -> Result<(), Problem> {
    let seal = |column: SealedColumn, text: &str| {
        context.vault.seal(&Place::app(column, app.id), text).map_err(|error| {
            tracing::error!(%error, "cannot seal a key");
            Problem::UNAVAILABLE
        })
    };
    let now = context.now();
    let mut writing = context.store.write().await?;
    let known = writing.github_app().await?;
    let before = known.as_ref().filter(|before| before.app_id == app.id);
    let webhook = Place::app(SealedColumn::AppWebhookSecret, app.id);
    let replaced = before
        .and_then(|before| context.vault.open_text(&webhook, &before.webhook_secret).ok())
        .filter(|before| before != secret);
    let row = GithubApp {
        app_id: app.id,
        slug: details.slug,
        name: details.name.clone(),
        client_id: details.client_id,
        web_address: addresses.web.clone(),
        api_address: addresses.api.clone(),
        private_key: seal(SealedColumn::AppPrivateKey, &app.private_key)?,
        webhook_secret: seal(SealedColumn::AppWebhookSecret, secret)?,
        client_secret: details
            .client_secret
            .as_deref()
            .map(|text| seal(SealedColumn::AppClientSecret, text))
            .transpose()?,
        previous_until: replaced.as_ref().map(|_| now.plus(OVERLAP)),
        previous_webhook_secret: replaced
            .map(|text| seal(SealedColumn::AppPreviousWebhookSecret, &text))
            .transpose()?,
        permissions: details.permissions,
        created_at: now,
        checked_at: None,
        problem: None,
        delivered_at: None,
        signature_failures: 0,
        signature_failed_at: None,
        caught_up_at: None,
    };
    writing.save_github_app(&row).await?;
    let sentence = format!("{} (App {})", details.name, app.id);
    let detail = (sentence, differences(known.as_ref(), Some(&row)));
    context.record(&mut writing, permit.viewer(), ConnectGithub::NAME, None, None, detail).await?;
    writing.commit().await?;
    read_installations::read_all(context).await
}

/// Forgets the App. Stacks stay and are fetched as plain Git; checks that stand on GitHub stay as they are.
pub async fn disconnect(context: &Context, permit: &Permit<ConnectGithub>) -> Result<(), Problem> {
    let mut writing = context.store.write().await?;
    let Some(app) = writing.github_app().await? else { return Ok(()) };
    writing.delete_github_app().await?;
    let sentence = format!("{} (App {}) was disconnected", app.name, app.app_id);
    let detail = (sentence, differences(Some(&app), None));
    context.record(&mut writing, permit.viewer(), ConnectGithub::NAME, None, None, detail).await?;
    Ok(writing.commit().await?)
}

/// What the connection was before and is after; of a key only that there is one.
fn differences(before: Option<&GithubApp>, after: Option<&GithubApp>) -> Differences {
    let text = |read: fn(&GithubApp) -> &String| {
        [before, after].map(|app| app.map(|app| read(app).clone()).unwrap_or_default())
    };
    let id = |app: Option<&GithubApp>| app.map(|app| app.app_id.to_string()).unwrap_or_default();
    let secret = |app: Option<&GithubApp>| app.map(|_| Held::Secret);
    let [[name, new_name], [web, new_web], [api, new_api]] =
        [text(|app| &app.name), text(|app| &app.web_address), text(|app| &app.api_address)];
    let differences = Differences::default()
        .and("App", name, new_name)
        .and("App ID", id(before), id(after))
        .and("Address", web, new_web)
        .and("API", api, new_api)
        .and_held("Private key", secret(before), secret(after))
        .and_held("Webhook secret", secret(before), secret(after));
    let client_secret = [before, after].map(|app| app.and_then(|app| app.client_secret.as_ref()).map(|_| Held::Secret));
    match client_secret {
        [None, None] => differences,
        [before, after] => differences.and_held("Client secret", before, after),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::addresses;

    #[test]
    fn the_api_is_where_each_kind_of_github_has_it() {
        for (web, api, expected) in [
            ("", "", ("https://github.com", "https://api.github.com")),
            ("https://github.com/", "", ("https://github.com", "https://api.github.com")),
            ("https://acme.ghe.com", "", ("https://acme.ghe.com", "https://api.acme.ghe.com")),
            ("https://git.acme.com", "", ("https://git.acme.com", "https://git.acme.com/api/v3")),
            ("https://git.acme.com", "https://api.acme.com/", ("https://git.acme.com", "https://api.acme.com")),
        ] {
            let read = addresses(web, api).unwrap();
            assert_eq!((read.web.as_str(), read.api.as_str()), expected, "{web} {api}");
        }
        for wrong in ["github.com", "ftp://x", "https://a:b@c", "https://a?b"] {
            assert!(addresses(wrong, "").is_err(), "{wrong}");
        }
    }
}
