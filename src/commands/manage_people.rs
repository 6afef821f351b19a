//! Manage people: who has which role where, who is in which group, and who may not come in any more.
//!
//! Whatever changes, somebody who manages people can still sign in afterwards.

use super::Context;
use crate::domain::StackId;
use crate::domain::difference::Differences;
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

/// What a role in one place was before and is after.
pub(super) fn changed_role(stack: Option<&StackId>, before: Option<Role>, after: Option<Role>) -> Differences {
    let label = |role: Option<Role>| role.map_or("", Role::label);
    Differences::default().and(&format!("Role {}", place(stack)), label(before), label(after))
}

fn place(stack: Option<&StackId>) -> String {
    stack.map_or_else(|| "in the whole".to_owned(), |stack| format!("on {stack}"))
}

/// What the groups of a person that come from one source were before and are after, each by the alphabet.
pub(super) fn changed_groups(before: &[String], after: &[String]) -> Differences {
    Differences::default().and("Groups", before.join(", "), after.join(", "))
}

/// The groups of a person that come from one source, by the alphabet.
pub(super) async fn groups_of(
    reading: &mut Reading,
    person: &PersonId,
    source: MembershipSource,
) -> Result<Vec<String>, Problem> {
    let all = reading.memberships().await?.into_iter();
    let own = all.filter(|(member, _, from)| member == person && *from == source);
    let mut groups: Vec<String> = own.map(|(_, group, _)| group).collect();
    groups.sort();
    Ok(groups)
}

/// What the accounts elsewhere that sign a person in were before and are after.
pub(super) fn changed_accounts(before: &Person, after: &Person) -> Differences {
    let fields = |person: &Person| {
        [&person.github_login, &person.openid_issuer, &person.openid_subject]
            .map(|text| text.clone().unwrap_or_default())
    };
    let [github, issuer, subject] = fields(before);
    let [new_github, new_issuer, new_subject] = fields(after);
    Differences::default().and("GitHub account", github, new_github).and("Provider", issuer, new_issuer).and(
        "Name at the provider",
        subject,
        new_subject,
    )
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
    let mut grants = writing.grants().await?.into_iter();
    let before = grants.find(|grant| grant.holder == *holder && grant.stack.as_ref() == stack).map(|grant| grant.role);
    writing.set_grant(&context.ids.next(context.now()), holder, stack, role).await?;
    keeps_an_administrator(&mut writing).await?;
    let sentence = format!("{name} is {} {}", role.map_or("nobody", Role::label), place(stack));
    let detail = (sentence, changed_role(stack, before, role));
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
    let before = groups_of(&mut writing, &person.id, MembershipSource::Here).await?;
    writing.set_groups(&person.id, MembershipSource::Here, groups).await?;
    let after = groups_of(&mut writing, &person.id, MembershipSource::Here).await?;
    let result = keeps_an_administrator(&mut writing).await;
    if result.is_err() {
        drop(writing);
        return context.noted(permit, None, result).await;
    }
    let list = if after.is_empty() { "none".to_owned() } else { after.join(", ") };
    let detail = (format!("{}: {list}", person.name), changed_groups(&before, &after));
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
    let mut differences = Differences::default().and_switch("Shut out", person.disabled, disabled);
    writing.save_person(&Person { disabled, ..person }).await?;
    if disabled {
        for token in writing.access_tokens(Some(&id)).await? {
            differences = differences.and("Access token", token.name, "");
        }
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
    context.record(&mut writing, permit.viewer(), action, None, None, (name, differences)).await?;
    Ok(writing.commit().await?)
}

/// Forgets the accounts elsewhere that sign a person in, with the groups that a provider told of.
pub async fn forget_accounts(
    context: &Context,
    permit: &Permit<ManagePeople>,
    person: &PersonId,
) -> Result<(), Problem> {
    let mut writing = context.store.write().await?;
    let person = writing.person(person).await?.ok_or(Problem::NotFound(Thing::Person))?;
    let known = person.clone();
    let alone = Person { github_id: None, github_login: None, openid_issuer: None, openid_subject: None, ..person };
    writing.save_person(&alone).await?;
    let groups = groups_of(&mut writing, &alone.id, MembershipSource::Openid).await?;
    writing.set_groups(&alone.id, MembershipSource::Openid, &[]).await?;
    let result = keeps_an_administrator(&mut writing).await;
    if result.is_err() {
        drop(writing);
        return context.noted(permit, None, result).await;
    }
    let differences = changed_accounts(&known, &alone).and("Groups", groups.join(", "), "");
    let detail = (known.name.clone(), differences);
    context.record(&mut writing, permit.viewer(), "forget accounts", None, None, detail).await?;
    Ok(writing.commit().await?)
}
