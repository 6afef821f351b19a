//! Own account: what concerns a person and nobody else: the password, the sessions, and the access tokens that scripts use
//! in their place.

use super::Context;
use super::authenticate::TOKEN_PREFIX;
use super::invite::changed_password;
use super::throttle::Allowance;
use crate::domain::StackId;
use crate::domain::difference::Differences;
use crate::domain::permission::{ManagePeople, Oneself, Permit, Role};
use crate::domain::person::name_problem;
use crate::domain::problem::{Problem, Refusal, Thing};
use crate::password;
use crate::secret::fingerprint;
use crate::store::{AccessToken, Person};

/// How often one may try to name the present password.
const TRIES: Allowance = Allowance { burst: 5, every: 60_000 };

/// How long a token may last, in days.
pub const LONGEST: i64 = 365;

/// How many tokens one person may have.
const TOKENS: usize = 50;

/// What the activity log calls it when somebody changes their password.
const CHANGE_PASSWORD: &str = "change password";

/// Changes the password; every other session ends.
pub async fn change_password(
    context: &Context,
    oneself: &Oneself,
    session: &str,
    present: String,
    new: String,
) -> Result<(), Problem> {
    let mut reading = context.store.read().await?;
    let person = reading.person(oneself.person()).await?.ok_or(Problem::NotFound(Thing::Person))?;
    drop(reading);
    if let Some(problem) = password::problem(&new, &person.name) {
        return Err(Problem::field("new", problem));
    }
    context.throttle.take(&format!("password {}", oneself.person()), TRIES, context.now())?;
    // Whoever signs in in another way and has none yet sets the first one.
    if person.password.is_some() {
        let fits = context.passwords.fits(present, person.password.clone()).await.map_err(|error| {
            tracing::error!(%error, "cannot compare a password");
            Problem::UNAVAILABLE
        })?;
        if !fits {
            let sentence = "The present password was wrong.";
            context.note_attempt(oneself.viewer(), CHANGE_PASSWORD, None, None, sentence).await?;
            return Err(Problem::field("present", "This is not the present password."));
        }
    }
    let hash = context.hashed(new).await?;
    let mut writing = context.store.write().await?;
    let compared = person.password;
    let person = writing.person(oneself.person()).await?.ok_or(Problem::NotFound(Thing::Person))?;
    // Comparing and hashing take their time, and an administrator's link may have been followed meanwhile.
    if person.password != compared {
        return Err(Problem::refused(Refusal::Overtaken));
    }
    let detail = ("every other session ended", changed_password(person.password.is_some()));
    writing.save_person(&Person { password: Some(hash), ..person }).await?;
    writing.end_sessions(oneself.person(), session).await?;
    context.record(&mut writing, oneself.viewer(), CHANGE_PASSWORD, None, None, detail).await?;
    Ok(writing.commit().await?)
}

/// Ends one of the person's sessions or, without a name, all but the present one.
pub async fn end_session(
    context: &Context,
    oneself: &Oneself,
    session: &str,
    ended: Option<&str>,
) -> Result<(), Problem> {
    let mut writing = context.store.write().await?;
    let detail = match ended {
        Some(ended) => {
            if !writing.end_session(oneself.person(), ended).await? {
                return Err(Problem::NotFound(Thing::Session));
            }
            "one".to_owned()
        }
        None => format!("{} others", writing.end_sessions(oneself.person(), session).await?),
    };
    context.record(&mut writing, oneself.viewer(), "end session", None, None, detail).await?;
    Ok(writing.commit().await?)
}

/// A token to make.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Its name.
    pub name: String,
    /// The most it may do.
    pub role: Role,
    /// The only stack it is good for; none is any.
    pub stack: Option<StackId>,
    /// How many days it lasts.
    pub days: i64,
}

/// Makes a token; what is returned is shown once. It can never do more than its person.
pub async fn make_token(context: &Context, oneself: &Oneself, new: NewToken) -> Result<String, Problem> {
    if let Some(problem) = name_problem(&new.name) {
        return Err(Problem::field("name", problem));
    }
    if !(1..=LONGEST).contains(&new.days) {
        return Err(Problem::field("days", format!("A token lasts 1 to {LONGEST} days.")));
    }
    let place = new.stack.clone().unwrap_or_else(|| StackId::new(""));
    let own = match &new.stack {
        Some(stack) => oneself.viewer().role_on(stack),
        None => oneself.viewer().role.max(oneself.viewer().stacks.values().copied().max()),
    };
    if own < Some(new.role) {
        return Err(Problem::field("role", "A token cannot do more than you can there."));
    }
    let now = context.now();
    let secret = format!("{TOKEN_PREFIX}{}", context.fresh_secret()?);
    let token = AccessToken {
        id: context.ids.next(now),
        name: new.name,
        token_hash: fingerprint(&secret),
        person_id: oneself.person().clone(),
        role: new.role,
        stack_id: new.stack,
        created_at: now,
        expires_at: now.plus(new.days * 24 * 3_600_000),
        used_at: None,
    };
    let mut writing = context.store.write().await?;
    if token.stack_id.is_some() {
        super::find_stack(&mut writing, &place).await?;
    }
    if writing.access_tokens(Some(oneself.person())).await?.len() >= TOKENS {
        return Err(Problem::field("name", format!("You have {TOKENS} tokens; revoke one first.")));
    }
    if writing.access_tokens(None).await?.iter().any(|other| other.name.eq_ignore_ascii_case(&token.name)) {
        return Err(Problem::field("name", format!("There is a token called {} already.", token.name)));
    }
    writing.add_access_token(&token).await?;
    let scope = token.stack_id.as_ref().map_or_else(|| "everywhere".to_owned(), |stack| format!("on {stack}"));
    let sentence = format!("{}: {} {scope} for {} days", token.name, token.role.label(), new.days);
    let detail = (sentence, everything(&token, &oneself.viewer().name));
    context.record(&mut writing, oneself.viewer(), "make token", token.stack_id.as_ref(), None, detail).await?;
    writing.commit().await?;
    Ok(secret)
}

/// Revokes a token of one's own, or, with the right to manage people, anybody's.
pub async fn revoke_token(
    context: &Context,
    oneself: &Oneself,
    everybody: Option<&Permit<ManagePeople>>,
    id: &str,
) -> Result<(), Problem> {
    let mut writing = context.store.write().await?;
    let tokens = writing.access_tokens(everybody.is_none().then(|| oneself.person())).await?;
    let token = tokens.into_iter().find(|token| token.id == id).ok_or(Problem::NotFound(Thing::AccessToken))?;
    let owner = writing.person(&token.person_id).await?.map(|person| person.name).unwrap_or_default();
    writing.remove_access_token(&token.id).await?;
    let detail = (token.name.clone(), everything(&token, &owner).gone());
    context.record(&mut writing, oneself.viewer(), "revoke token", token.stack_id.as_ref(), None, detail).await?;
    Ok(writing.commit().await?)
}

/// What there is of a token that is no secret.
fn everything(token: &AccessToken, owner: &str) -> Differences {
    Differences::default()
        .and("Name", "", &token.name)
        .and("Whose", "", owner)
        .and("Role", "", token.role.label())
        .and("Stack", "", token.stack_id.as_ref().map_or("every one", StackId::as_str))
        .and("Ends", "", token.expires_at.rfc3339())
}
