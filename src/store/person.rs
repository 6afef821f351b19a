//! People and their groups.

use super::{Change, Reading, Result, Writing, on};
use crate::domain::Timestamp;
use crate::domain::person::{Member, PersonId};

/// A person as stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Person {
    /// Their id.
    pub id: PersonId,
    /// The name they act under.
    pub name: String,
    /// The hash of their password, in the form that names its salt and cost.
    pub password: Option<String>,
    /// GitHub's id of the account that signs in as them.
    pub github_id: Option<i64>,
    /// Its login, as it last was.
    pub github_login: Option<String>,
    /// The provider that signs them in.
    pub openid_issuer: Option<String>,
    /// Its name for them.
    pub openid_subject: Option<String>,
    /// Whether they may not come in any more.
    pub disabled: bool,
    /// Since when they are known.
    pub created_at: Timestamp,
    /// When they last signed in.
    pub seen_at: Option<Timestamp>,
}

/// Where a membership comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum MembershipSource {
    /// An administrator entered it.
    Here,
    /// The provider told of it at the last sign-in.
    Openid,
}

impl Reading {
    /// Everybody, by name.
    pub async fn people(&mut self) -> Result<Vec<Person>> {
        Ok(on!(self, connection => sqlx::query_as("select * from person order by lower(name), id")
            .fetch_all(connection).await)?)
    }

    /// One person.
    pub async fn person(&mut self, id: &PersonId) -> Result<Option<Person>> {
        Ok(on!(self, connection => sqlx::query_as("select * from person where id = $1")
            .bind(id).fetch_optional(connection).await)?)
    }

    /// The person of this name, in whatever case it was typed; SQLite knows the case of the letters A to Z alone.
    pub async fn person_named(&mut self, name: &str) -> Result<Option<Person>> {
        Ok(on!(self, connection => sqlx::query_as("select * from person where lower(name) = lower($1)")
            .bind(name).fetch_optional(connection).await)?)
    }

    /// The person whose account on GitHub this is.
    pub async fn person_of_github(&mut self, account: i64) -> Result<Option<Person>> {
        Ok(on!(self, connection => sqlx::query_as("select * from person where github_id = $1")
            .bind(account).fetch_optional(connection).await)?)
    }

    /// The person whom a provider knows by this name.
    pub async fn person_of_openid(&mut self, issuer: &str, subject: &str) -> Result<Option<Person>> {
        Ok(on!(self, connection => sqlx::query_as(
            "select * from person where openid_issuer = $1 and openid_subject = $2"
        ).bind(issuer).bind(subject).fetch_optional(connection).await)?)
    }

    /// Who belongs to which group, and how that is known.
    pub async fn memberships(&mut self) -> Result<Vec<(PersonId, String, MembershipSource)>> {
        Ok(on!(self, connection => sqlx::query_as(
            "select person_id, group_name, source from membership order by group_name, person_id, source"
        ).fetch_all(connection).await)?)
    }

    /// A person with their groups.
    pub async fn member(&mut self, person: &Person) -> Result<Member> {
        let groups: Vec<(String,)> = on!(self, connection => sqlx::query_as(
            "select distinct group_name from membership where person_id = $1 order by group_name"
        ).bind(&person.id).fetch_all(connection).await)?;
        let groups = groups.into_iter().map(|(group,)| group).collect();
        Ok(Member { id: person.id.clone(), name: person.name.clone(), groups })
    }
}

impl Writing {
    /// Adds a person; a name that is taken is a duplicate.
    pub async fn add_person(&mut self, person: &Person) -> Result<()> {
        on!(self, connection => sqlx::query(
            "insert into person (id, name, password, github_id, github_login, openid_issuer, openid_subject, disabled,
                 created_at, seen_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        ).bind(&person.id).bind(&person.name).bind(&person.password).bind(person.github_id)
            .bind(&person.github_login).bind(&person.openid_issuer).bind(&person.openid_subject)
            .bind(person.disabled).bind(person.created_at).bind(person.seen_at)
            .execute(connection).await.map(|_| ()))?;
        self.tell(Change::People);
        Ok(())
    }

    /// Stores what can change of a person.
    pub async fn save_person(&mut self, person: &Person) -> Result<()> {
        on!(self, connection => sqlx::query(
            "update person set password = $2, github_id = $3, github_login = $4, openid_issuer = $5,
                 openid_subject = $6, disabled = $7, seen_at = $8 where id = $1"
        ).bind(&person.id).bind(&person.password).bind(person.github_id).bind(&person.github_login)
            .bind(&person.openid_issuer).bind(&person.openid_subject).bind(person.disabled).bind(person.seen_at)
            .execute(connection).await.map(|_| ()))?;
        self.tell(Change::People);
        Ok(())
    }

    /// Replaces the groups of a person that come from this source.
    pub async fn set_groups(&mut self, person: &PersonId, source: MembershipSource, groups: &[String]) -> Result<()> {
        on!(self, connection => sqlx::query("delete from membership where person_id = $1 and source = $2")
            .bind(person).bind(source).execute(connection).await.map(|_| ()))?;
        for group in groups {
            on!(self, connection => sqlx::query(
                "insert into membership (person_id, group_name, source) values ($1, $2, $3) on conflict do nothing"
            ).bind(person).bind(group).bind(source).execute(connection).await.map(|_| ()))?;
        }
        self.tell(Change::People);
        Ok(())
    }
}
