//! The server functions about people: signing in, who may do what, and what concerns oneself.

#![allow(missing_docs, reason = "the macro makes a struct of every function's arguments, which the function documents")]

use crate::app::view::{AccessView, AccountView, PeopleView, PersonView, WaysView};
use crate::domain::problem::Problem;
use leptos::prelude::*;

/// The ways to sign in.
#[server(endpoint = "ways_to_sign_in")]
pub async fn ways_to_sign_in() -> Result<WaysView, Problem> {
    use super::access::*;
    queries::ways_to_sign_in(&context()?).await
}

/// Whom a link is for: a name, or none for an administrator who is to choose one.
#[server(endpoint = "invitation")]
pub async fn invitation(link: String) -> Result<Option<String>, Problem> {
    use super::access::*;
    invite::look(&context()?, &link, &identity().place.from).await
}

/// Signs in with a name and a password, and leads to the page that was asked for.
#[server(endpoint = "sign_in")]
pub async fn sign_in(name: String, password: String, #[server(default)] next: String) -> Result<(), Problem> {
    use super::access::*;
    let context = context()?;
    let begun = sign_in::sign_in(&context, &name, password, &identity().place).await?;
    keep_session(&context, &begun.secret)?;
    go(inside(&next));
    Ok(())
}

/// Takes an invitation: chooses a password and signs in.
#[server(endpoint = "accept_invitation")]
pub async fn accept_invitation(link: String, #[server(default)] name: String, password: String) -> Result<(), Problem> {
    use super::access::*;
    let context = context()?;
    let begun = invite::accept(&context, &link, &name, password, &identity().place).await?;
    keep_session(&context, &begun.secret)?;
    go("/");
    Ok(())
}

/// Ends the session that asks.
#[server(endpoint = "sign_out")]
pub async fn sign_out() -> Result<(), Problem> {
    use super::access::*;
    let context = context()?;
    let (oneself, session) = myself()?;
    sign_in::sign_out(&context, &oneself, &session).await?;
    forget_session(&context)?;
    go("/sign-in");
    Ok(())
}

/// One's own account; `made` names a token that was just made.
#[server(endpoint = "account")]
pub async fn account(made: Option<String>) -> Result<AccountView, Problem> {
    use super::access::*;
    let (oneself, session) = myself()?;
    queries::account(&context()?, &oneself, &session, made.as_deref()).await
}

/// Changes one's password.
#[server(endpoint = "change_password")]
pub async fn change_password(#[server(default)] present: String, new: String) -> Result<(), Problem> {
    use super::access::*;
    let context = context()?;
    let (oneself, session) = myself()?;
    own_account::change_password(&context, &oneself, &session, present, new).await?;
    go(&format!("/account?saved={}", context.now().0));
    Ok(())
}

/// Ends one of one's sessions.
#[server(endpoint = "end_session")]
pub async fn end_session(session: String) -> Result<(), Problem> {
    use super::access::*;
    let context = context()?;
    let (oneself, own) = myself()?;
    own_account::end_session(&context, &oneself, &own, Some(&session)).await?;
    go(&format!("/account?saved={}", context.now().0));
    Ok(())
}

/// Ends all of one's sessions but the present one.
#[server(endpoint = "end_other_sessions")]
pub async fn end_other_sessions() -> Result<(), Problem> {
    use super::access::*;
    let context = context()?;
    let (oneself, own) = myself()?;
    own_account::end_session(&context, &oneself, &own, None).await?;
    go(&format!("/account?saved={}", context.now().0));
    Ok(())
}

/// Makes an access token and leads to the page that shows it once.
#[server(endpoint = "make_token")]
pub async fn make_token(
    name: String,
    role: String,
    #[server(default)] stack: String,
    days: i64,
) -> Result<(), Problem> {
    use super::access::*;
    let context = context()?;
    let (oneself, _) = myself()?;
    let role = Role::parse(&role).ok_or(Problem::Malformed)?;
    let stack = (!stack.is_empty()).then(|| StackId::new(stack));
    let new = own_account::NewToken { name: name.trim().to_owned(), role, stack, days };
    let token = own_account::make_token(&context, &oneself, new).await?;
    go(&format!("/account?made={}", context.reveal(&oneself, token)?));
    Ok(())
}

/// Revokes an access token: one's own, or anybody's with the right to manage people.
#[server(endpoint = "revoke_token")]
pub async fn revoke_token(token: String) -> Result<(), Problem> {
    use super::access::*;
    let context = context()?;
    let (oneself, _) = myself()?;
    let everybody = permission::permit(oneself.viewer(), &StackId::new("")).ok();
    own_account::revoke_token(&context, &oneself, everybody.as_ref(), &token).await?;
    go(&format!("/account?saved={}", context.now().0));
    Ok(())
}

/// Everybody, and how they sign in.
#[server(endpoint = "people")]
pub async fn people() -> Result<PeopleView, Problem> {
    use super::access::*;
    let context = context()?;
    queries::people(&context, &everywhere(&context).await?).await
}

/// One person; `made` names a link that was just made.
#[server(endpoint = "person")]
pub async fn person(person: String, made: Option<String>) -> Result<PersonView, Problem> {
    use super::access::*;
    let context = context()?;
    let permit = everywhere(&context).await?;
    let (oneself, _) = myself()?;
    queries::person(&context, &permit, &oneself, &PersonId::new(person), made.as_deref()).await
}

/// Who may do what on a stack, and why.
#[server(endpoint = "stack_access")]
pub async fn stack_access(stack: String) -> Result<AccessView, Problem> {
    use super::access::*;
    let context = context()?;
    queries::stack_access(&context, &permitted(&context, &stack).await?).await
}

/// The role that a form names; an empty one is none.
#[cfg(feature = "ssr")]
fn role_or_none(role: &str) -> Result<Option<super::access::Role>, Problem> {
    match role {
        "" => Ok(None),
        role => super::access::Role::parse(role).map(Some).ok_or(Problem::Malformed),
    }
}

/// Adds a person and leads to the page that shows their link once.
#[server(endpoint = "invite_person")]
pub async fn invite_person(name: String, #[server(default)] role: String) -> Result<(), Problem> {
    use super::access::*;
    let context = context()?;
    let permit = everywhere(&context).await?;
    let (oneself, _) = myself()?;
    let role = role_or_none(&role)?;
    let (person, link) = invite::invite(&context, &permit, &name, role).await?;
    go(&format!("/settings/people/{person}?made={}", context.reveal(&oneself, link.0)?));
    Ok(())
}

/// Makes a new link for a person and leads to the page that shows it once.
#[server(endpoint = "renew_invitation")]
pub async fn renew_invitation(person: String) -> Result<(), Problem> {
    use super::access::*;
    let context = context()?;
    let permit = everywhere(&context).await?;
    let (oneself, _) = myself()?;
    let link = invite::renew(&context, &permit, &PersonId::new(&person)).await?;
    go(&format!("/settings/people/{person}?made={}", context.reveal(&oneself, link.0)?));
    Ok(())
}

/// Gives a person or a group a role in one place; an empty one takes it away.
#[server(endpoint = "set_role")]
pub async fn set_role(
    #[server(default)] person: String,
    #[server(default)] group: String,
    #[server(default)] stack: String,
    #[server(default)] role: String,
) -> Result<(), Problem> {
    use super::access::*;
    let context = context()?;
    let permit = everywhere(&context).await?;
    let role = role_or_none(&role)?;
    let (holder, page) = match person.as_str() {
        "" => (Holder::Group(group.trim().to_owned()), "/settings/people".to_owned()),
        id => (Holder::Person(PersonId::new(id)), format!("/settings/people/{id}")),
    };
    let stack = (!stack.is_empty()).then(|| StackId::new(stack));
    manage_people::set_role(&context, &permit, &holder, stack.as_ref(), role).await?;
    go(&format!("{page}?saved={}", context.now().0));
    Ok(())
}

/// Says which groups a person is in.
#[server(endpoint = "save_groups")]
pub async fn save_groups(person: String, #[server(default)] groups: String) -> Result<(), Problem> {
    use super::access::*;
    let context = context()?;
    let permit = everywhere(&context).await?;
    manage_people::set_groups(&context, &permit, &PersonId::new(&person), &list(&groups)).await?;
    go(&format!("/settings/people/{person}?saved={}", context.now().0));
    Ok(())
}

/// Shuts a person out, or lets them in again.
#[server(endpoint = "set_person_disabled")]
pub async fn set_person_disabled(person: String, #[server(default)] disabled: bool) -> Result<(), Problem> {
    use super::access::*;
    let context = context()?;
    let permit = everywhere(&context).await?;
    manage_people::set_disabled(&context, &permit, &PersonId::new(&person), disabled).await?;
    go(&format!("/settings/people/{person}?saved={}", context.now().0));
    Ok(())
}

/// Forgets the accounts elsewhere that sign a person in.
#[server(endpoint = "forget_accounts")]
pub async fn forget_accounts(person: String) -> Result<(), Problem> {
    use super::access::*;
    let context = context()?;
    let permit = everywhere(&context).await?;
    manage_people::forget_accounts(&context, &permit, &PersonId::new(&person)).await?;
    go(&format!("/settings/people/{person}?saved={}", context.now().0));
    Ok(())
}

/// Saves the ways to sign in.
#[server(endpoint = "save_sign_in")]
pub async fn save_sign_in(
    #[server(default)] passwords: bool,
    #[server(default)] github: bool,
    #[server(default)] openid_name: String,
    #[server(default)] openid_issuer: String,
    #[server(default)] openid_client_id: String,
    #[server(default)] client_secret: String,
    #[server(default)] openid_groups_claim: String,
) -> Result<(), Problem> {
    use super::access::*;
    let context = context()?;
    let permit = everywhere(&context).await?;
    let ways = save_sign_in::Ways {
        passwords,
        github,
        openid_name,
        openid_issuer,
        openid_client_id,
        client_secret,
        openid_groups_claim,
    };
    save_sign_in::save_sign_in(&context, &permit, ways).await?;
    go(&format!("/settings/people?saved={}", context.now().0));
    Ok(())
}
