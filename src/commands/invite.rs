//! Invite: adds a person, and makes the link with which they choose a password. A link is good once and for three days; the
//! first administrator's is printed when Headway starts and nobody could sign in.

use super::Context;
use super::authenticate::Place;
use super::manage_people::{administrators, changed_role};
use super::sign_in::{Begun, begin_in};
use super::throttle::{Allowance, network};
use crate::domain::difference::{Differences, Held};
use crate::domain::permission::{Action, ManagePeople, Permit, Role, Viewer};
use crate::domain::person::{Holder, PersonId, name_problem};
use crate::domain::problem::{Problem, Thing};
use crate::password;
use crate::secret::fingerprint;
use crate::store::{Invitation, Person, Writing};

/// How long a link is good, in milliseconds: three days.
const GOOD_FOR: i64 = 3 * 24 * 3_600_000;

/// How often links may be tried from one address.
const TRIES: Allowance = Allowance { burst: 20, every: 30_000 };

/// The page where a link leads.
const PAGE: &str = "/welcome";

/// What the log calls it when a password is chosen through a link.
const CHOOSE_PASSWORD: &str = "choose password";

/// A link that is good once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link(pub String);

/// Adds a person with a role in the whole, or none, and makes their link.
pub async fn invite(
    context: &Context,
    permit: &Permit<ManagePeople>,
    name: &str,
    role: Option<Role>,
) -> Result<(PersonId, Link), Problem> {
    let name = name.trim();
    if let Some(problem) = name_problem(name) {
        return Err(Problem::field("name", problem));
    }
    let now = context.now();
    let mut writing = context.store.write().await?;
    if writing.person_named(name).await?.is_some() {
        return Err(Problem::field("name", format!("There is somebody called {name} already.")));
    }
    let person = new_person(context, name);
    writing.add_person(&person).await?;
    if role.is_some() {
        let holder = Holder::Person(person.id.clone());
        writing.set_grant(&context.ids.next(now), &holder, None, role).await?;
    }
    let link = link_in(context, &mut writing, Some(person.id.clone())).await?;
    let sentence = format!("{name} as {}", role.map_or("nobody yet", Role::label));
    let detail = (sentence, changed_role(None, None, role).and("Name", "", name));
    context.record(&mut writing, permit.viewer(), "invite", None, None, detail).await?;
    writing.commit().await?;
    Ok((person.id, link))
}

/// A new link for somebody who is known: their password stays until they choose another. Whoever is shut out gets none: it
/// would lead nowhere.
pub async fn renew(context: &Context, permit: &Permit<ManagePeople>, person: &PersonId) -> Result<Link, Problem> {
    let result = try_to_renew(context, permit, person).await;
    context.noted(permit, None, result).await
}

async fn try_to_renew(context: &Context, permit: &Permit<ManagePeople>, person: &PersonId) -> Result<Link, Problem> {
    let mut writing = context.store.write().await?;
    let person = writing.person(person).await?.ok_or(Problem::NotFound(Thing::Person))?;
    if person.disabled {
        return Err(Problem::people(
            format!("{} is shut out, and no link lets them in.", person.name),
            "Let them in again first, then make the link.",
        ));
    }
    let link = link_in(context, &mut writing, Some(person.id)).await?;
    context.record(&mut writing, permit.viewer(), "make a link", None, None, format!("for {}", person.name)).await?;
    writing.commit().await?;
    Ok(link)
}

/// The link for an administrator whom nobody has invited; for whoever starts Headway or has its data.
pub async fn administrator_link(context: &Context) -> Result<Link, Problem> {
    let mut writing = context.store.write().await?;
    let link = link_in(context, &mut writing, None).await?;
    context
        .record(&mut writing, &Viewer::system(), ManagePeople::NAME, None, None, "a link for an administrator")
        .await?;
    writing.commit().await?;
    Ok(link)
}

/// Whether nobody who manages people could sign in.
pub async fn needs_administrator(context: &Context) -> Result<bool, Problem> {
    let mut reading = context.store.read().await?;
    Ok(administrators(&mut reading).await?.is_empty())
}

async fn link_in(context: &Context, writing: &mut Writing, person_id: Option<PersonId>) -> Result<Link, Problem> {
    let secret = context.fresh_secret()?;
    let expires_at = context.now().plus(GOOD_FOR);
    writing.add_invitation(&Invitation { token_hash: fingerprint(&secret), person_id, expires_at }).await?;
    Ok(Link(format!("{}{PAGE}?link={secret}", context.config.home())))
}

/// Somebody who is known by name alone.
pub fn new_person(context: &Context, name: &str) -> Person {
    let now = context.now();
    Person {
        id: PersonId::new(context.ids.next(now)),
        name: name.to_owned(),
        password: None,
        github_id: None,
        github_login: None,
        openid_issuer: None,
        openid_subject: None,
        disabled: false,
        created_at: now,
        seen_at: None,
    }
}

/// Whom a link is for: the name of somebody who was invited, or none for an administrator who is to choose one.
pub async fn look(context: &Context, secret: &str, from: &str) -> Result<Option<String>, Problem> {
    let tries = format!("link {}", network(from));
    context.throttle.take(&tries, TRIES, context.now())?;
    let mut reading = context.store.read().await?;
    let invitation = reading.invitation(&fingerprint(secret)).await?;
    let Some(invitation) = invitation.filter(|found| found.expires_at > context.now()) else {
        drop(reading);
        let stranger = Viewer::stranger(from);
        context
            .note_attempt(&stranger, CHOOSE_PASSWORD, None, None, "The link was used, is over, or never was.")
            .await?;
        return Err(Problem::NotFound(Thing::Invitation));
    };
    // Many people may be behind one address.
    context.throttle.give_back(&tries, TRIES);
    Ok(match invitation.person_id {
        None => None,
        Some(id) => Some(reading.person(&id).await?.ok_or(Problem::NotFound(Thing::Invitation))?.name),
    })
}

/// Takes an invitation: sets the password, ends every older session, and signs in.
pub async fn accept(
    context: &Context,
    secret: &str,
    name: &str,
    new_password: String,
    place: &Place,
) -> Result<Begun, Problem> {
    let known = look(context, secret, &place.from).await?;
    let name = known.clone().unwrap_or_else(|| name.trim().to_owned());
    if known.is_none()
        && let Some(problem) = name_problem(&name)
    {
        return Err(Problem::field("name", problem));
    }
    if let Some(problem) = password::problem(&new_password, &name) {
        return Err(Problem::field("password", problem));
    }
    let hash = context.hashed(new_password).await?;
    let now = context.now();
    let mut writing = context.store.write().await?;
    // Looked at again: two browsers may have followed the same link.
    let invitation = writing.invitation(&fingerprint(secret)).await?.ok_or(Problem::NotFound(Thing::Invitation))?;
    writing.remove_invitations(invitation.person_id.as_ref()).await?;
    let (person, detail) = match invitation.person_id {
        Some(id) => {
            let person = writing.person(&id).await?.ok_or(Problem::NotFound(Thing::Invitation))?;
            writing.end_sessions(&person.id, "").await?;
            let detail = ("every other session ended", changed_password(person.password.is_some()));
            (Person { password: Some(hash), ..person }, detail)
        }
        None => {
            if writing.person_named(&name).await?.is_some() {
                return Err(Problem::field("name", format!("There is somebody called {name} already.")));
            }
            let person = Person { password: Some(hash), ..new_person(context, &name) };
            writing.add_person(&person).await?;
            let holder = Holder::Person(person.id.clone());
            writing.set_grant(&context.ids.next(now), &holder, None, Some(Role::Administrator)).await?;
            let role = changed_role(None, None, Some(Role::Administrator));
            let differences = role.and("Name", "", &name).and_held("Password", None, Some(Held::Secret));
            (person, ("as an administrator, with a link", differences))
        }
    };
    let viewer = writing.member(&person).await?.viewer(&[], place.from.clone());
    context.record(&mut writing, &viewer, CHOOSE_PASSWORD, None, None, detail).await?;
    let begun = begin_in(context, &mut writing, person, place, "with a link").await?;
    writing.commit().await?;
    Ok(begun)
}

/// That a password was chosen, in place of another or not.
pub(super) fn changed_password(had_one: bool) -> Differences {
    Differences::default().and_held("Password", had_one.then_some(Held::Secret), Some(Held::Secret))
}

impl Context {
    /// The hash of a new password.
    pub async fn hashed(&self, password: String) -> Result<String, Problem> {
        self.passwords.hash(password).await.map_err(|error| {
            tracing::error!(%error, "cannot hash a password");
            Problem::UNAVAILABLE
        })
    }
}
