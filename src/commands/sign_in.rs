//! Sign in and sign out: a person proves who they are, and their browser gets a secret that stands for it.
//!
//! Whatever is wrong, the answer is the same sentence; too many tries are refused before anything is compared.

use super::Context;
use super::authenticate::Place;
use super::throttle::{Allowance, network};
use crate::domain::permission::{Oneself, Viewer};
use crate::domain::problem::Problem;
use crate::domain::sealed;
use crate::secret::{fingerprint, fresh};
use crate::store::{Person, Session, Writing};

/// How often one name may be tried from one address: ten times, then once a minute.
const NAME_TRIES: Allowance = Allowance { burst: 10, every: 60_000 };

/// How often one name may be tried from anywhere: a hundred times, then once every ten seconds. So many that whoever
/// guesses from one address keeps nobody out elsewhere.
const NAME_TRIES_ANYWHERE: Allowance = Allowance { burst: 100, every: 10_000 };

/// How often may be tried from one address: thirty times, then once every ten seconds.
const ADDRESS_TRIES: Allowance = Allowance { burst: 30, every: 10_000 };

/// How many sessions one person may have.
const SESSIONS: usize = 20;

/// The longest name of a browser that is kept, in characters.
const BROWSER: usize = 200;

/// What the log calls it.
pub(super) const ACTION: &str = "sign in";

/// A session that has just begun.
#[derive(Clone, Debug)]
pub struct Begun {
    /// What the browser is to hold.
    pub secret: String,
}

/// Signs a person in by their password.
pub async fn sign_in(context: &Context, name: &str, password: String, place: &Place) -> Result<Begun, Problem> {
    let name = name.trim();
    let now = context.now();
    let (network, lower) = (network(&place.from), name.to_lowercase());
    let address_key = format!("address {network}");
    let anywhere_key = format!("name anywhere {lower}");
    let name_key = format!("name at {network} {lower}");
    let keys = [(&address_key, ADDRESS_TRIES), (&name_key, NAME_TRIES), (&anywhere_key, NAME_TRIES_ANYWHERE)];
    if let Err(problem) = keys.iter().try_for_each(|(key, tries)| context.throttle.take(key, *tries, now)) {
        context.note_attempt(&Viewer::stranger(&place.from), ACTION, None, None, &problem.sentence()).await?;
        return Err(problem);
    }
    let mut reading = context.store.read().await?;
    let ways = reading.sign_in().await?;
    let person = reading.person_named(name).await?;
    drop(reading);
    let hash = person.as_ref().filter(|person| !person.disabled && ways.passwords).and_then(|p| p.password.clone());
    let fits = context.passwords.fits(password, hash).await.map_err(|error| {
        tracing::error!(%error, "cannot compare a password");
        Problem::UNAVAILABLE
    })?;
    if fits
        && let Some(person) = &person
        && let Some(begun) = begin(context, person, place).await?
    {
        context.throttle.forgive(&name_key);
        // Many people may be behind one address.
        context.throttle.give_back(&address_key, ADDRESS_TRIES);
        context.throttle.give_back(&anywhere_key, NAME_TRIES_ANYWHERE);
        return Ok(begun);
    }
    let problem = Problem::people(
        "This name and password do not fit.",
        "Check both, or ask an administrator for a new link to choose a password.",
    );
    // Nobody has proved that the name is theirs; and what is nobody's name may be a password in the wrong field.
    let tried = person.map_or_else(|| "a name that is nobody's".to_owned(), |person| format!("{:?}", person.name));
    let sentence = format!("As {tried}: {}", problem.sentence());
    context.note_attempt(&Viewer::stranger(&place.from), ACTION, None, None, &sentence).await?;
    Err(problem)
}

/// Begins a session for somebody whose password has fitted. Comparing takes its time: none for a person who was shut out
/// or got another password meanwhile.
async fn begin(context: &Context, compared: &Person, place: &Place) -> Result<Option<Begun>, Problem> {
    let mut writing = context.store.write().await?;
    let person = writing.person(&compared.id).await?;
    let Some(person) = person.filter(|person| !person.disabled && person.password == compared.password) else {
        return Ok(None);
    };
    let begun = begin_in(context, &mut writing, person, place, "with their password").await?;
    writing.commit().await?;
    Ok(Some(begun))
}

/// Begins a session, in a transaction that has read the person and knows that they have proved who they are; `how` goes
/// into the log.
pub async fn begin_in(
    context: &Context,
    writing: &mut Writing,
    person: Person,
    place: &Place,
    how: &str,
) -> Result<Begun, Problem> {
    let now = context.now();
    let secret = context.fresh_secret()?;
    let session = Session {
        token_hash: fingerprint(&secret),
        id: context.ids.next(now),
        person_id: person.id.clone(),
        created_at: now,
        seen_at: now,
        came_from: place.from.clone(),
        browser: place.browser.chars().take(BROWSER).collect(),
    };
    // What the browser held before opens nothing any more.
    if let Some((person, before)) = &place.session {
        writing.end_session(person, before).await?;
    }
    writing.add_session(&session, SESSIONS).await?;
    let viewer = writing.member(&person).await?.viewer(&[], place.from.clone());
    writing.save_person(&Person { seen_at: Some(now), ..person }).await?;
    context.record(writing, &viewer, ACTION, None, None, how).await?;
    Ok(Begun { secret })
}

/// The page to lead to after signing in: one of this Headway's own, never another site's.
pub fn inside(next: &str) -> &str {
    let own = next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n', '\t']);
    if own { next } else { "/" }
}

/// Ends the session that asks.
pub async fn sign_out(context: &Context, oneself: &Oneself, session: &str) -> Result<(), Problem> {
    let mut writing = context.store.write().await?;
    writing.end_session(oneself.person(), session).await?;
    context.record(&mut writing, oneself.viewer(), "sign out", None, None, "").await?;
    Ok(writing.commit().await?)
}

impl Context {
    /// A text sealed for the database.
    pub fn sealed(&self, place: &sealed::Place, text: &str) -> Result<String, Problem> {
        self.vault.seal(place, text).map_err(|error| {
            tracing::error!(%error, "cannot seal a secret");
            Problem::UNAVAILABLE
        })
    }

    /// A new secret.
    pub fn fresh_secret(&self) -> Result<String, Problem> {
        fresh().map_err(|error| {
            tracing::error!(%error, "no randomness for a secret");
            Problem::UNAVAILABLE
        })
    }
}
