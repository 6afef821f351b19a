//! What the pages about people show: everybody, one person, one's own account, and who may do what on a stack.

use crate::app::view::{AccessRow, AccessView, AccountView, PeopleView, PersonRow, PersonView, WaysView};
use crate::commands::sign_in_elsewhere::CALLBACK;
use crate::commands::{Context, find_stack, invite};
use crate::domain::StackId;
use crate::domain::permission::{Look, ManagePeople, Oneself, Permit, Promote, Role, permit};
use crate::domain::person::{Grant, Holder, PersonId, ShownSession, ShownToken};
use crate::domain::problem::{Problem, Thing};
use crate::store::{AccessToken, MembershipSource, Person, Reading, SignIn};

/// The ways to sign in.
pub async fn ways_to_sign_in(context: &Context) -> Result<WaysView, Problem> {
    let ways = context.store.read().await?.sign_in().await?;
    Ok(shown(&ways, invite::needs_administrator(context).await?))
}

fn shown(ways: &SignIn, unmanaged: bool) -> WaysView {
    let name = if ways.openid_name.is_empty() { "OpenID".to_owned() } else { ways.openid_name.clone() };
    let openid = (!ways.openid_issuer.is_empty()).then_some(name);
    WaysView { passwords: ways.passwords, github: ways.github, openid, unmanaged }
}

/// One's own account; a token that was just made under the name `made` is shown this once.
pub async fn account(
    context: &Context,
    oneself: &Oneself,
    session: &str,
    made: Option<&str>,
) -> Result<AccountView, Problem> {
    let mut reading = context.store.read().await?;
    let person = reading.person(oneself.person()).await?.ok_or(Problem::NotFound(Thing::Person))?;
    let member = reading.member(&person).await?;
    let ways = reading.sign_in().await?;
    let sessions = reading.sessions(&person.id).await?.into_iter().map(|stored| ShownSession {
        current: stored.id == session,
        id: stored.id,
        created_at: stored.created_at,
        seen_at: stored.seen_at,
        came_from: stored.came_from,
        browser: stored.browser,
    });
    let viewer = oneself.viewer();
    let stacks = reading.stacks().await?.into_iter();
    let choices = stacks.filter(|stack| viewer.role_on(&stack.id).is_some()).map(|stack| (stack.id, stack.name));
    Ok(AccountView {
        now: context.now(),
        role: viewer.role,
        stacks: viewer.stacks.clone().into_iter().collect(),
        groups: member.groups,
        has_password: person.password.is_some(),
        github: person.github_login.clone(),
        openid: person.openid_issuer.clone(),
        // Whoever reads this manages it.
        ways: shown(&ways, false),
        sessions: sessions.collect(),
        tokens: tokens(&mut reading, Some(&person.id)).await?,
        made: made.and_then(|made| context.revealed.take(oneself, made, context.now())),
        choices: choices.collect(),
        name: person.name,
    })
}

async fn tokens(reading: &mut Reading, person: Option<&PersonId>) -> Result<Vec<ShownToken>, Problem> {
    let people = reading.people().await?;
    let name = |id: &PersonId| people.iter().find(|person| person.id == *id).map(|person| person.name.clone());
    let tokens = reading.access_tokens(person).await?.into_iter().map(|token| {
        let AccessToken { id, name: called, person_id, role, stack_id, created_at, expires_at, used_at, .. } = token;
        let person = name(&person_id).unwrap_or_default();
        ShownToken { id, name: called, person, role, stack: stack_id, created_at, expires_at, used_at }
    });
    Ok(tokens.collect())
}

/// Everybody, and how they sign in.
pub async fn people(context: &Context, _permit: &Permit<ManagePeople>) -> Result<PeopleView, Problem> {
    let mut reading = context.store.read().await?;
    let grants = reading.grants().await?;
    let mut rows = Vec::new();
    for person in reading.people().await? {
        rows.push(row(context, &mut reading, &grants, &person).await?);
    }
    let groups = grants.into_iter().filter_map(|grant| match grant.holder {
        Holder::Group(group) => Some((group, grant.stack, grant.role)),
        Holder::Person(_) => None,
    });
    let mut groups: Vec<_> = groups.collect();
    groups.sort();
    let ways = reading.sign_in().await?;
    let app = reading.github_app().await?;
    Ok(PeopleView {
        now: context.now(),
        people: rows,
        groups,
        tokens: tokens(&mut reading, None).await?,
        choices: choices(&mut reading).await?,
        passwords: ways.passwords,
        github: ways.github,
        github_possible: app.is_some_and(|app| app.client_secret.is_some()),
        openid_name: ways.openid_name,
        openid_issuer: ways.openid_issuer,
        openid_client_id: ways.openid_client_id,
        openid_groups_claim: ways.openid_groups_claim,
        callback: format!("{}{CALLBACK}", context.config.home()),
    })
}

async fn choices(reading: &mut Reading) -> Result<Vec<(StackId, String)>, Problem> {
    Ok(reading.stacks().await?.into_iter().map(|stack| (stack.id, stack.name)).collect())
}

async fn row(
    context: &Context,
    reading: &mut Reading,
    grants: &[Grant],
    person: &Person,
) -> Result<PersonRow, Problem> {
    let member = reading.member(person).await?;
    let viewer = member.viewer(grants, String::new());
    Ok(PersonRow {
        id: person.id.clone(),
        name: person.name.clone(),
        role: viewer.role,
        stacks: viewer.stacks.len(),
        groups: member.groups,
        disabled: person.disabled,
        invited: reading.invited(context.now()).await?.contains(&person.id),
        seen_at: person.seen_at,
    })
}

/// One person; a link that was just made under the name `made` is shown this once.
pub async fn person(
    context: &Context,
    _permit: &Permit<ManagePeople>,
    oneself: &Oneself,
    id: &PersonId,
    made: Option<&str>,
) -> Result<PersonView, Problem> {
    let mut reading = context.store.read().await?;
    let person = reading.person(id).await?.ok_or(Problem::NotFound(Thing::Person))?;
    let grants = reading.grants().await?;
    let row = row(context, &mut reading, &grants, &person).await?;
    let own = grants.into_iter().filter(|grant| grant.holder == Holder::Person(person.id.clone()));
    let own = own.map(|grant| (grant.stack, grant.role)).collect();
    let (mut groups_here, mut groups_told) = (Vec::new(), Vec::new());
    for (_, group, source) in reading.memberships().await?.into_iter().filter(|(member, ..)| *member == person.id) {
        match source {
            MembershipSource::Here => groups_here.push(group),
            MembershipSource::Openid => groups_told.push(group),
        }
    }
    Ok(PersonView {
        now: context.now(),
        row,
        has_password: person.password.is_some(),
        github: person.github_login,
        openid: person.openid_issuer,
        grants: own,
        groups_here,
        groups_told,
        made: made.and_then(|made| context.revealed.take(oneself, made, context.now())),
        choices: choices(&mut reading).await?,
    })
}

/// Who may do what on a stack, and through which grants: the same function that decides tells why.
pub async fn stack_access(context: &Context, permit_to_look: &Permit<Look>) -> Result<AccessView, Problem> {
    let mut reading = context.store.read().await?;
    let stack = find_stack(&mut reading, permit_to_look.stack()).await?;
    let grants = reading.grants().await?;
    let mut people = Vec::new();
    let mut promoting = Vec::new();
    for person in reading.people().await?.into_iter().filter(|person| !person.disabled) {
        let member = reading.member(&person).await?;
        if let Some((role, through)) = member.role_on(&grants, &stack.id) {
            let through = through.into_iter().map(reason).collect();
            people.push(AccessRow { name: person.name.clone(), role, through });
        }
        promoting.push((person.name, member.viewer(&grants, String::new())));
    }
    people.sort_by_key(|row| std::cmp::Reverse(row.role));
    let now = context.now();
    let mut usable = Vec::new();
    for token in tokens(&mut reading, None).await?.into_iter().filter(|token| token.expires_at > now) {
        let owner = promoting.iter().find(|(name, _)| *name == token.person).map(|(_, viewer)| viewer.clone());
        let limited = owner.map(|owner| owner.limited(token.role, token.stack.as_ref()));
        if limited.is_some_and(|viewer| permit::<Promote>(&viewer, &stack.id).is_ok()) {
            usable.push(token);
        }
    }
    let may_change = permit::<ManagePeople>(permit_to_look.viewer(), &StackId::new("")).is_ok();
    Ok(AccessView {
        github: reading.github_of(&stack.repository).await?.map(|github| github.full_name),
        stack: stack.id,
        name: stack.name,
        allow_run_promotion: stack.behavior.allow_run_promotion,
        may_change,
        people,
        tokens: usable,
    })
}

fn reason(grant: &Grant) -> String {
    let place = if grant.stack.is_some() { "on this stack" } else { "in the whole of this Headway" };
    let role: Role = grant.role;
    match &grant.holder {
        Holder::Person(_) => format!("{} {place}", role.label()),
        Holder::Group(group) => format!("{} {place}, through the group {group}", role.label()),
    }
}
