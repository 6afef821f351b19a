//! Sign in elsewhere: GitHub or an OpenID provider says who somebody is.
//!
//! What was begun belongs to the browser that began it, and is good once and for ten minutes. Whoever is signed in when it
//! begins connects the account to themselves; everybody else is signed in as the person whose account it is.

mod account;

use super::Context;
use super::authenticate::Identity;
use super::sign_in::{ACTION, Begun, inside};
use super::throttle::{Allowance, network};
use crate::domain::Timestamp;
use crate::domain::permission::Viewer;
use crate::domain::person::PersonId;
use crate::domain::problem::Problem;
use crate::domain::sealed::{Place, SealedColumn};
use crate::github::oauth;
use crate::openid::{self, Expected, OpenIdError, Provider};
use crate::secret::fingerprint;
use crate::store::{GithubApp, SignIn};
use account::Account;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How long somebody may take, in milliseconds: ten minutes.
pub const PATIENCE: i64 = 10 * 60_000;

/// The page that GitHub and a provider lead back to.
pub const CALLBACK: &str = "/sign-in/callback";

/// How many may be on their way; the one that left first gives way.
const AWAY: usize = 1000;

/// How often one address may leave or come back: thirty times, then once every five seconds.
const TRIES: Allowance = Allowance { burst: 30, every: 5_000 };

/// Who is to say who somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// GitHub, through the App.
    Github,
    /// The provider of the settings.
    Openid,
}

/// Whom was asked.
#[derive(Clone, Debug)]
enum Asked {
    /// GitHub, for the App with this id.
    Github(i64),
    /// A provider.
    Openid(Provider),
}

/// Somebody who was led elsewhere.
#[derive(Clone, Debug)]
struct Departure {
    at: Timestamp,
    asked: Asked,
    verifier: String,
    nonce: String,
    next: String,
    /// Whoever was signed in, to whom the account is to be connected.
    person: Option<PersonId>,
}

/// Those who were led elsewhere, by a name nobody can guess; each comes back once.
#[derive(Clone, Debug, Default)]
pub struct Departures(Arc<Mutex<HashMap<String, Departure>>>);

impl Departures {
    fn add(&self, state: &str, departure: Departure) {
        let mut away = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = departure.at;
        away.retain(|_, other| now.since(other.at) < PATIENCE);
        if away.len() >= AWAY
            && let Some(first) = away.iter().min_by_key(|(_, other)| other.at).map(|(state, _)| state.clone())
        {
            away.remove(&first);
        }
        away.insert(state.to_owned(), departure);
    }

    fn take(&self, state: &str, now: Timestamp) -> Option<Departure> {
        let departure = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(state);
        departure.filter(|departure| now.since(departure.at) < PATIENCE)
    }
}

/// Where a browser is to go, and what it is to keep until it comes back.
#[derive(Clone, Debug)]
pub struct Led {
    /// Where to.
    pub page: String,
    /// What it keeps.
    pub state: String,
}

/// What a browser comes back with.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// What it was led away with, as GitHub or the provider returns it.
    pub state: String,
    /// What it was led away with, as the browser kept it.
    pub kept: Option<String>,
    /// What GitHub or the provider gives out who somebody is for.
    pub code: String,
    /// Why they give nothing.
    pub error: Option<String>,
    /// Which provider says so (RFC 9207).
    pub issuer: Option<String>,
}

/// Somebody has come back and is who they say.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// Their new session; none for whoever had one.
    pub begun: Option<Begun>,
    /// The page they wanted, one of this Headway's own.
    pub next: String,
}

/// Begins: where the browser is to go.
pub async fn begin(context: &Context, identity: &Identity, way: Way, next: &str) -> Result<Led, Problem> {
    let result = try_to_begin(context, identity, way, next).await;
    noted(context, identity, result).await
}

async fn try_to_begin(context: &Context, identity: &Identity, way: Way, next: &str) -> Result<Led, Problem> {
    let now = context.now();
    context.throttle.take(&format!("elsewhere {}", network(&identity.place.from)), TRIES, now)?;
    let mut reading = context.store.read().await?;
    let ways = reading.sign_in().await?;
    let app = reading.github_app().await?;
    drop(reading);
    let (state, nonce, verifier) = (context.fresh_secret()?, context.fresh_secret()?, context.fresh_secret()?);
    let callback = callback(context);
    let (asked, page) = match way {
        Way::Github => {
            let app = app.filter(|_| ways.github).ok_or_else(off)?;
            let registration = registration(&app, "", &callback);
            (Asked::Github(app.app_id), registration.page(&state, &openid::challenge(&verifier)))
        }
        Way::Openid => {
            if ways.openid_issuer.is_empty() {
                return Err(off());
            }
            let provider = context.openid.discover(&ways.openid_issuer).await.map_err(|error| told(&error))?;
            let secrets = (state.as_str(), nonce.as_str(), verifier.as_str());
            let page = provider.page(&ways.openid_client_id, &callback, secrets, &ways.openid_groups_claim);
            let page = page.map_err(|error| told(&error))?;
            (Asked::Openid(provider), page)
        }
    };
    let person = identity.viewer.as_ref().and_then(|viewer| viewer.person.clone());
    let departure = Departure { at: now, asked, verifier, nonce, next: inside(next).to_owned(), person };
    context.departures.add(&state, departure);
    Ok(Led { page, state })
}

/// Ends what [`begin`] began: signs in, or connects the account.
pub async fn complete(context: &Context, identity: &Identity, answer: Answer) -> Result<Arrived, Problem> {
    let result = try_to_complete(context, identity, answer).await;
    noted(context, identity, result).await
}

async fn try_to_complete(context: &Context, identity: &Identity, answer: Answer) -> Result<Arrived, Problem> {
    let now = context.now();
    context.throttle.take(&format!("elsewhere {}", network(&identity.place.from)), TRIES, now)?;
    let foreign = || {
        Problem::people(
            "This answer belongs to nothing that was begun in this browser.",
            "Begin again: an answer is good once, and for ten minutes.",
        )
    };
    // By their fingerprints, so that the time it takes says nothing.
    let own = answer.kept.as_deref().is_some_and(|kept| fingerprint(kept) == fingerprint(&answer.state));
    let departure = if own { context.departures.take(&answer.state, now) } else { None };
    let departure = departure.ok_or_else(foreign)?;
    if let Some(error) = answer.error.as_deref() {
        let error: String = error.chars().filter(|letter| letter.is_ascii_graphic()).take(60).collect();
        return Err(Problem::people(format!("You were not signed in there: {error}."), "Begin again, and allow it."));
    }
    if departure.person.is_some() && departure.person != identity.viewer.as_ref().and_then(|one| one.person.clone()) {
        return Err(Problem::people("Somebody else is signed in by now.", "Begin again on your account's page."));
    }
    let account = asked(context, &departure, &answer).await?;
    let begun = match &departure.person {
        Some(person) => {
            account.connect(context, identity, person).await?;
            None
        }
        None => Some(account.enter(context, &identity.place).await?),
    };
    Ok(Arrived { begun, next: departure.next })
}

/// Whose account it is, by the word of whoever was asked.
async fn asked(context: &Context, departure: &Departure, answer: &Answer) -> Result<Account, Problem> {
    let mut reading = context.store.read().await?;
    let ways = reading.sign_in().await?;
    let app = reading.github_app().await?;
    drop(reading);
    let callback = callback(context);
    match &departure.asked {
        Asked::Github(id) => {
            // Switched off meanwhile, or another App.
            let app = app.filter(|app| ways.github && app.app_id == *id).ok_or_else(off)?;
            let secret = app.client_secret.as_deref().ok_or_else(off)?;
            let secret = opened(context, &Place::app(SealedColumn::AppClientSecret, app.app_id), secret)?;
            let registration = registration(&app, &secret, &callback);
            let user = context.github.user_of(&registration, &answer.code, &departure.verifier).await;
            Ok(Account::Github(user.map_err(|error| {
                Problem::people(format!("{error}."), "Begin again; if that does not help, ask an administrator.")
            })?))
        }
        Asked::Openid(provider) => {
            let SignIn { openid_issuer, openid_client_id, openid_groups_claim, .. } = &ways;
            if openid_issuer.trim_end_matches('/') != provider.issuer.trim_end_matches('/') {
                return Err(off());
            }
            if answer.issuer.as_ref().is_some_and(|issuer| *issuer != provider.issuer) {
                let told = OpenIdError::Disbelieved("another provider answered".into());
                return Err(self::told(&told));
            }
            let secret = ways.openid_client_secret.as_deref().ok_or_else(off)?;
            let secret = opened(context, &Place::openid(), secret)?;
            let registration = openid::Registration { id: openid_client_id, secret: &secret, callback: &callback };
            let expected = Expected {
                issuer: &provider.issuer,
                client_id: openid_client_id,
                nonce: &departure.nonce,
                groups_claim: openid_groups_claim,
                now: context.now(),
            };
            let verifier = &departure.verifier;
            let subject = context.openid.exchange(provider, &registration, &answer.code, verifier, &expected).await;
            let subject = subject.map_err(|error| told(&error))?;
            Ok(Account::Openid { issuer: openid_issuer.clone(), subject })
        }
    }
}

fn callback(context: &Context) -> String {
    format!("{}{CALLBACK}", context.config.home())
}

fn registration<'a>(app: &'a GithubApp, secret: &'a str, callback: &'a str) -> oauth::Registration<'a> {
    oauth::Registration {
        web: &app.web_address,
        api: &app.api_address,
        client_id: &app.client_id,
        client_secret: secret,
        callback,
    }
}

fn opened(context: &Context, place: &Place, sealed: &str) -> Result<String, Problem> {
    context.vault.open_text(place, sealed).map_err(|error| {
        tracing::error!(%error, "cannot open a client secret");
        Problem::UNAVAILABLE
    })
}

/// The way is not one of those that there are.
fn off() -> Problem {
    Problem::people("That is no way to sign in here.", "Sign in in another way, or ask an administrator.")
}

fn told(error: &OpenIdError) -> Problem {
    Problem::people(error.to_string(), "Begin again; if that does not help, ask an administrator.")
}

/// Passes a result on; a refusal is written to the activity log on the way.
async fn noted<T>(context: &Context, identity: &Identity, result: Result<T, Problem>) -> Result<T, Problem> {
    if let Err(problem @ Problem::Refused(_)) = &result {
        let stranger = Viewer::stranger(&identity.place.from);
        let viewer = identity.viewer.as_ref().unwrap_or(&stranger);
        context.note_attempt(viewer, ACTION, None, None, &problem.sentence()).await?;
    }
    result
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn departure(at: i64) -> Departure {
        Departure {
            at: Timestamp(at),
            asked: Asked::Github(1),
            verifier: String::new(),
            nonce: String::new(),
            next: "/".into(),
            person: None,
        }
    }

    #[test]
    fn whoever_left_comes_back_once_and_in_time() {
        let departures = Departures::default();
        departures.add("one", departure(0));
        departures.add("two", departure(5));
        assert!(departures.take("other", Timestamp(6)).is_none());
        assert!(departures.take("one", Timestamp(PATIENCE - 1)).is_some());
        assert!(departures.take("one", Timestamp(PATIENCE - 1)).is_none());
        assert!(departures.take("two", Timestamp(PATIENCE + 5)).is_none());
    }

    #[test]
    fn those_who_are_away_have_a_limit() {
        let departures = Departures::default();
        for number in 0..AWAY + 3 {
            departures.add(&number.to_string(), departure(i64::try_from(number).unwrap()));
        }
        let away = departures.0.lock().unwrap();
        assert_eq!(away.len(), AWAY);
        assert!(!away.contains_key("2") && away.contains_key("3"));
    }
}
