//! Save sign-in: which ways there are to sign in. The last way by which somebody who manages people comes in cannot be
//! switched off.

use super::Context;
use super::manage_people::keeps_an_administrator;
use crate::domain::difference::{Differences, Held};
use crate::domain::permission::{ManagePeople, Permit};
use crate::domain::problem::{FieldProblem, Problem};
use crate::domain::sealed::Place;
use crate::store::SignIn;

/// The longest text in one of the fields, in characters.
const LONGEST: usize = 500;

/// What a form says of the ways to sign in.
#[derive(Clone, Debug)]
pub struct Ways {
    /// By name and password.
    pub passwords: bool,
    /// By GitHub.
    pub github: bool,
    /// What the provider is called on the button.
    pub openid_name: String,
    /// The provider's address; empty for none.
    pub openid_issuer: String,
    /// What the provider calls this Headway.
    pub openid_client_id: String,
    /// The secret it shares with the provider; empty keeps the one that is there.
    pub client_secret: String,
    /// The claim that lists groups.
    pub openid_groups_claim: String,
}

/// Saves the ways to sign in. GitHub takes a connected App; a provider takes an address, an id and a secret.
pub async fn save_sign_in(context: &Context, permit: &Permit<ManagePeople>, ways: Ways) -> Result<(), Problem> {
    let text = |text: &str| text.trim().to_owned();
    let issuer = text(&ways.openid_issuer).trim_end_matches('/').to_owned();
    let mut problems = Vec::new();
    let mut wrong = |field: &str, message: &str| {
        problems.push(FieldProblem { field: field.into(), message: message.into() });
    };
    let fields = [
        ("openid_name", &ways.openid_name),
        ("openid_issuer", &ways.openid_issuer),
        ("openid_client_id", &ways.openid_client_id),
        ("client_secret", &ways.client_secret),
        ("openid_groups_claim", &ways.openid_groups_claim),
    ];
    for (field, _) in fields.iter().filter(|(_, text)| text.chars().count() > LONGEST) {
        wrong(field, "This is too long.");
    }
    let mut writing = context.store.write().await?;
    let before = writing.sign_in().await?;
    if ways.github && writing.github_app().await?.is_none_or(|app| app.client_secret.is_none()) {
        wrong("github", "Connect a GitHub App first: it is what people sign in through.");
    }
    let sealed = match ways.client_secret.trim() {
        "" => before.openid_client_secret.clone().filter(|_| before.openid_issuer == issuer),
        secret => Some(context.sealed(&Place::openid(), secret)?),
    };
    if !issuer.is_empty() {
        let url = url::Url::parse(&issuer).ok().filter(|url| {
            let secure = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
            secure && url.username().is_empty() && url.query().is_none() && url.fragment().is_none()
        });
        if url.is_none() {
            wrong("openid_issuer", "Enter the provider's address, like https://login.example.com.");
        }
        if text(&ways.openid_client_id).is_empty() {
            wrong("openid_client_id", "Enter the id that the provider gave this Headway.");
        }
        if sealed.is_none() {
            wrong("client_secret", "Enter the secret that the provider gave this Headway.");
        }
    }
    if !problems.is_empty() {
        return Err(Problem::Invalid(problems));
    }
    let claim = text(&ways.openid_groups_claim);
    let sign_in = SignIn {
        passwords: ways.passwords,
        github: ways.github,
        openid_name: text(&ways.openid_name),
        openid_client_id: text(&ways.openid_client_id),
        openid_client_secret: sealed.filter(|_| !issuer.is_empty()),
        openid_issuer: issuer,
        openid_groups_claim: if claim.is_empty() { "groups".into() } else { claim },
    };
    writing.save_sign_in(&sign_in).await?;
    let result = keeps_an_administrator(&mut writing).await;
    if result.is_err() {
        drop(writing);
        return context.noted(permit, None, result).await;
    }
    let named =
        [("passwords", sign_in.passwords), ("GitHub", sign_in.github), ("OpenID", !sign_in.openid_issuer.is_empty())];
    let names: Vec<&str> = named.into_iter().filter(|(_, on)| *on).map(|(name, _)| name).collect();
    let detail = (names.join(", "), differences(&before, &sign_in));
    context.record(&mut writing, permit.viewer(), "change sign-in", None, None, detail).await?;
    Ok(writing.commit().await?)
}

/// What the ways to sign in were before and are after; of the secret only that there is one.
fn differences(before: &SignIn, after: &SignIn) -> Differences {
    let differences = Differences::default()
        .and_switch("Name and password", before.passwords, after.passwords)
        .and_switch("GitHub", before.github, after.github)
        .and("Provider's name", &before.openid_name, &after.openid_name)
        .and("Provider's address", &before.openid_issuer, &after.openid_issuer)
        .and("Client ID", &before.openid_client_id, &after.openid_client_id)
        .and("Claim with the groups", &before.openid_groups_claim, &after.openid_groups_claim);
    if before.openid_client_secret == after.openid_client_secret {
        return differences;
    }
    let [before, after] = [before, after].map(|ways| ways.openid_client_secret.as_ref().map(|_| Held::Secret));
    differences.and_held("Client secret", before, after)
}

fn is_loopback(url: &url::Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}
