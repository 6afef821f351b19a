//! Manage people: who has which role where, who is in which group, and who may not come in any more.
//!
//! Whatever changes, somebody who manages people can still sign in afterwards.

use super::Context;
use crate::domain::StackId;
use crate::domain::permission::{ManagePeople, Permit, Role};
use crate::domain::person::{Holder, Member, PersonId, name_problem};
use crate::domain::problem::{Problem, Thing};
use crate::store::{MembershipSource, Person, Reading, SignIn, Writing};

/// The most groups that one person may be in by an administrator's word.
const GROUPS: usize = 50;

/// The people who manage people and can sign in.
pub async fn administrators(reading: &mut Reading) -> Result<Vec<Person>, Problem> {
    let (grants, ways) = (reading.grants().await?, reading.sign_in().await?);
    let mut found = Vec::new();
    for person in reading.people().await?.into_iter().filter(|person| !person.disabled && can_sign_in(person, &ways)) {
        let member: Member = reading.member(&person).await?;
        if member.viewer(&grants, String::new()).role == Some(Role::Administrator) {
            found.push(person);
        }
    }
    Ok(found)
}

fn can_sign_in(person: &Person, ways: &SignIn) -> bool {
    (ways.passwords && person.password.is_some())
        || (ways.github && person.github_id.is_some())
        || (!ways.openid_issuer.is_empty() && person.openid_issuer.as_ref() == Some(&ways.openid_issuer))
}

pub(super) async fn keeps_an_administrator(writing: &mut Writing) -> Result<(), Problem> {
    if administrators(writing).await?.is_empty() {
        return Err(Problem::people(
            "Then nobody who manages people could sign in any more.",
            "Make somebody else an administrator first, and have them sign in.",
        ));
    }
    Ok(())
}

/// Gives a person or a group a role in one place, or takes it away.
pub async fn set_role(
    context: &Context,
    permit: &Permit<ManagePeople>,
    holder: &Holder,
    stack: Option<&StackId>,
    role: Option<Role>,
) -> Result<(), Problem> {
    let result = try_to_set_role(context, permit, holder, stack, role).await;
    context.noted(permit, None, result).await
}

async fn try_to_set_role(
    context: &Context,
    permit: &Permit<ManagePeople>,
    holder: &Holder,
    stack: Option<&StackId>,
    role: Option<Role>,
) -> Result<(), Problem> {
    let mut writing = context.store.write().await?;
    let name = match holder {
        Holder::Person(person) => {
            writing.person(person).await?.map(|person| person.name).ok_or(Problem::NotFound(Thing::Person))?
        }
        Holder::Group(group) => match name_problem(group) {
            Some(problem) => return Err(Problem::field("group", problem)),
            None => format!("the group {group}"),
        },
    };
    if let Some(stack) = stack {
        super::find_stack(&mut writing, stack).await?;
    }
    writing.set_grant(&context.ids.next(context.now()), holder, stack, role).await?;
    keeps_an_administrator(&mut writing).await?;
    let place = stack.map_or_else(|| "in the whole".to_owned(), |stack| format!("on {stack}"));
    let detail = format!("{name} is {} {place}", role.map_or("nobody", Role::label));
    context.record(&mut writing, permit.viewer(), "set role", stack, None, detail).await?;
    Ok(writing.commit().await?)
}

/// Says which groups a person is in, beside those that a provider tells of.
pub async fn set_groups(
    context: &Context,
    permit: &Permit<ManagePeople>,
    person: &PersonId,
    groups: &[String],
) -> Result<(), Problem> {
    if groups.len() > GROUPS {
        return Err(Problem::field("groups", format!("A person is in at most {GROUPS} groups.")));
    }
    if let Some(problem) = groups.iter().find_map(|group| name_problem(group)) {
        return Err(Problem::field("groups", problem));
    }
    let mut writing = context.store.write().await?;
    let person = writing.person(person).await?.ok_or(Problem::NotFound(Thing::Person))?;
    writing.set_groups(&person.id, MembershipSource::Here, groups).await?;
    let result = keeps_an_administrator(&mut writing).await;
    if result.is_err() {
        drop(writing);
        return context.noted(permit, None, result).await;
    }
    let detail = format!("{}: {}", person.name, groups.join(", "));
    context.record(&mut writing, permit.viewer(), "set groups", None, None, detail).await?;
    Ok(writing.commit().await?)
}

/// Shuts a person out, with every session and token of theirs, or lets them in again. Their name stays theirs.
pub async fn set_disabled(
    context: &Context,
    permit: &Permit<ManagePeople>,
    person: &PersonId,
    disabled: bool,
) -> Result<(), Problem> {
    let mut writing = context.store.write().await?;
    let person = writing.person(person).await?.ok_or(Problem::NotFound(Thing::Person))?;
    let (id, name) = (person.id.clone(), person.name.clone());
    writing.save_person(&Person { disabled, ..person }).await?;
    if disabled {
        writing.end_sessions(&id, "").await?;
        writing.remove_access_tokens(&id).await?;
        writing.remove_invitations(Some(&id)).await?;
    }
    let result = keeps_an_administrator(&mut writing).await;
    if result.is_err() {
        drop(writing);
        return context.noted(permit, None, result).await;
    }
    let action = if disabled { "shut out" } else { "let in again" };
    context.record(&mut writing, permit.viewer(), action, None, None, name).await?;
    Ok(writing.commit().await?)
}

/// Forgets the accounts elsewhere that sign a person in.
pub async fn forget_accounts(
    context: &Context,
    permit: &Permit<ManagePeople>,
    person: &PersonId,
) -> Result<(), Problem> {
    let mut writing = context.store.write().await?;
    let person = writing.person(person).await?.ok_or(Problem::NotFound(Thing::Person))?;
    let name = person.name.clone();
    let alone = Person { github_id: None, github_login: None, openid_issuer: None, openid_subject: None, ..person };
    writing.save_person(&alone).await?;
    let result = keeps_an_administrator(&mut writing).await;
    if result.is_err() {
        drop(writing);
        return context.noted(permit, None, result).await;
    }
    context.record(&mut writing, permit.viewer(), "forget accounts", None, None, name).await?;
    Ok(writing.commit().await?)
}
