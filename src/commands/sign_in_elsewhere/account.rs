//! An account elsewhere: whom it signs in, and whom it is connected to. One account is one person's.

use crate::commands::Context;
use crate::commands::authenticate::{Identity, Place};
use crate::commands::invite::new_person;
use crate::commands::manage_people::{administrators, changed_accounts, changed_groups, groups_of};
use crate::commands::sign_in::{Begun, begin_in};
use crate::domain::permission::{Action, ManagePeople, Viewer};
use crate::domain::person::{Holder, PersonId, fitting_name};
use crate::domain::problem::{Problem, Thing};
use crate::github::oauth::User;
use crate::openid::Subject;
use crate::store::{MembershipSource, Person, Reading, Writing};

/// How many numbers are tried to make a name nobody else's.
const NUMBERS: usize = 1000;

/// What is said when a provider has taken away the groups of the last one who manages people.
const NOBODY_LEFT: &str = "Nobody who manages people can sign in any more: the provider took the groups of the last one \
    away. Start Headway again, and it prints a link for an administrator.";

/// An account that somebody has shown to be theirs.
#[derive(Clone, Debug)]
pub enum Account {
    /// On GitHub.
    Github(User),
    /// At the provider with this address.
    Openid {
        /// The address, as the settings have it.
        issuer: String,
        /// Whom the provider names.
        subject: Subject,
    },
}

impl Account {
    /// Signs in the person whose account it is.
    pub async fn enter(&self, context: &Context, place: &Place) -> Result<Begun, Problem> {
        let mut writing = context.store.write().await?;
        let person = match (self.person(&mut writing).await?, self) {
            (Some(person), _) => person,
            (None, Self::Github(user)) => {
                return Err(Problem::people(
                    format!("Nobody here has connected the GitHub account {}.", user.login),
                    "Sign in in another way and connect GitHub on your account's page, or ask an administrator.",
                ));
            }
            (None, Self::Openid { subject, .. }) => self.let_in(context, &mut writing, subject, &place.from).await?,
        };
        if person.disabled {
            return Err(Problem::people(format!("{} was shut out.", person.name), "Ask an administrator."));
        }
        let person = self.on(person);
        let taken = self.take_groups(context, &mut writing, &person, &place.from).await?;
        let begun = begin_in(context, &mut writing, person, place, &format!("with {}", self.name())).await?;
        writing.commit().await?;
        taken.warn();
        Ok(begun)
    }

    /// Connects it to whoever is signed in.
    pub async fn connect(&self, context: &Context, identity: &Identity, person: &PersonId) -> Result<(), Problem> {
        let viewer = identity.viewer.as_ref().ok_or(Problem::NotSignedIn)?;
        let mut writing = context.store.write().await?;
        if self.person(&mut writing).await?.is_some_and(|owner| owner.id != *person) {
            return Err(Problem::people(
                "This account signs in somebody else here.",
                "Use another one, or ask an administrator to have the other person's accounts forgotten.",
            ));
        }
        let before = writing.person(person).await?.ok_or(Problem::NotFound(Thing::Person))?;
        let other = match self {
            Self::Github(user) => before.github_id.is_some_and(|id| id != user.id),
            Self::Openid { issuer, subject } => {
                let own = before.openid_issuer.as_ref().zip(before.openid_subject.as_ref());
                own.is_some_and(|own| own.0 == issuer && *own.1 != subject.id)
            }
        };
        if other {
            return Err(Problem::people(
                "Another account there signs you in already.",
                "Ask an administrator to have your accounts forgotten first.",
            ));
        }
        let person = self.on(before.clone());
        writing.save_person(&person).await?;
        let detail = (self.name(), changed_accounts(&before, &person));
        context.record(&mut writing, viewer, "connect account", None, None, detail).await?;
        let taken = self.take_groups(context, &mut writing, &person, &viewer.from).await?;
        writing.commit().await?;
        taken.warn();
        Ok(())
    }

    async fn person(&self, reading: &mut Reading) -> Result<Option<Person>, Problem> {
        Ok(match self {
            Self::Github(user) => reading.person_of_github(user.id).await?,
            Self::Openid { issuer, subject } => reading.person_of_openid(issuer, &subject.id).await?,
        })
    }

    /// The person with this account.
    fn on(&self, person: Person) -> Person {
        match self {
            Self::Github(user) => Person { github_id: Some(user.id), github_login: Some(user.login.clone()), ..person },
            Self::Openid { issuer, subject } => {
                let (issuer, subject) = (Some(issuer.clone()), Some(subject.id.clone()));
                Person { openid_issuer: issuer, openid_subject: subject, ..person }
            }
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Github(user) => format!("GitHub as {}", user.login),
            Self::Openid { issuer, .. } => format!("the provider at {issuer}"),
        }
    }

    /// Puts the groups that the provider tells of in place of those that it told of before, whatever role goes with them:
    /// whoever a provider throws out is out. When nobody who manages people is left, that is said.
    async fn take_groups(
        &self,
        context: &Context,
        writing: &mut Writing,
        person: &Person,
        from: &str,
    ) -> Result<Taken, Problem> {
        let groups = match self {
            Self::Github(_) => return Ok(Taken::OthersManage),
            Self::Openid { subject, .. } => &subject.groups,
        };
        let before = groups_of(writing, &person.id, MembershipSource::Openid).await?;
        if before == *groups {
            return Ok(Taken::OthersManage);
        }
        let managed = !administrators(writing).await?.is_empty();
        writing.set_groups(&person.id, MembershipSource::Openid, groups).await?;
        let viewer = Viewer { from: from.to_owned(), ..Viewer::system() };
        let list = if groups.is_empty() { "none".to_owned() } else { groups.join(", ") };
        let detail = (format!("{}: {list}, told by the provider", person.name), changed_groups(&before, groups));
        context.record(writing, &viewer, "set groups", None, None, detail).await?;
        if managed && administrators(writing).await?.is_empty() {
            context.record(writing, &viewer, ManagePeople::NAME, None, None, NOBODY_LEFT).await?;
            return Ok(Taken::NobodyManages);
        }
        Ok(Taken::OthersManage)
    }

    /// Adds somebody whom the provider names and nobody knows, when one of their groups has a role somewhere.
    async fn let_in(
        &self,
        context: &Context,
        writing: &mut Writing,
        subject: &Subject,
        from: &str,
    ) -> Result<Person, Problem> {
        let granted = writing.grants().await?.into_iter().any(|grant| match grant.holder {
            Holder::Group(group) => subject.groups.contains(&group),
            Holder::Person(_) => false,
        });
        if !granted {
            return Err(Problem::people(
                "The provider knows you, but none of your groups has a role here.",
                "Ask an administrator to give one of your groups a role, or to invite you.",
            ));
        }
        let name = free_name(writing, subject).await?;
        let nobody = new_person(context, &name);
        let person = self.on(nobody.clone());
        writing.add_person(&person).await?;
        let viewer = Viewer { from: from.to_owned(), ..Viewer::system() };
        let differences = changed_accounts(&nobody, &person).and("Name", "", &name);
        let detail = (format!("{name}, whom the provider named, through their groups"), differences);
        context.record(writing, &viewer, "let in", None, None, detail).await?;
        Ok(person)
    }
}

/// What it came to that a provider told of groups.
#[derive(Clone, Copy, Debug)]
#[must_use]
enum Taken {
    /// Nothing for those who manage people.
    OthersManage,
    /// The last one who manages people does so no more.
    NobodyManages,
}

impl Taken {
    /// Says in the log what an operator has to know, once it is so.
    fn warn(self) {
        match self {
            Self::OthersManage => {}
            Self::NobodyManages => tracing::warn!("{NOBODY_LEFT}"),
        }
    }
}

/// What they are called at the provider, made fit, and made nobody else's.
async fn free_name(reading: &mut Reading, subject: &Subject) -> Result<String, Problem> {
    let wanted = subject.names.iter().find_map(|name| fitting_name(name)).unwrap_or_else(|| "Somebody".into());
    for number in 1..=NUMBERS {
        let name = if number == 1 { wanted.clone() } else { format!("{wanted} {number}") };
        if reading.person_named(&name).await?.is_none() {
            return Ok(name);
        }
    }
    Err(Problem::people(format!("Too many people are called {wanted}."), "Ask an administrator to invite you."))
}
