//! Grants: which person or group has which role where.

use super::{Change, Reading, Result, Writing, on};
use crate::domain::StackId;
use crate::domain::permission::Role;
use crate::domain::person::{Grant, Holder, PersonId};

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    person_id: Option<PersonId>,
    group_name: Option<String>,
    stack_id: Option<StackId>,
    role: Role,
}

impl From<Row> for Grant {
    fn from(row: Row) -> Self {
        let holder = match row.person_id {
            Some(person) => Holder::Person(person),
            None => Holder::Group(row.group_name.unwrap_or_default()),
        };
        Self { id: row.id, holder, stack: row.stack_id, role: row.role }
    }
}

impl Reading {
    /// Every grant.
    pub async fn grants(&mut self) -> Result<Vec<Grant>> {
        let rows: Vec<Row> = on!(self, connection => sqlx::query_as("select * from grant_of_role order by id")
            .fetch_all(connection).await)?;
        Ok(rows.into_iter().map(Grant::from).collect())
    }

    /// The grants that may concern a person: their own and those of every group they are in.
    pub async fn grants_of(&mut self, person: &PersonId) -> Result<Vec<Grant>> {
        let rows: Vec<Row> = on!(self, connection => sqlx::query_as(
            "select * from grant_of_role where person_id = $1
                or group_name in (select group_name from membership where person_id = $1)
             order by id"
        ).bind(person).fetch_all(connection).await)?;
        Ok(rows.into_iter().map(Grant::from).collect())
    }
}

impl Writing {
    /// Gives a role to somebody in one place, or takes it away; what they had there gives way.
    pub async fn set_grant(
        &mut self,
        id: &str,
        holder: &Holder,
        stack: Option<&StackId>,
        role: Option<Role>,
    ) -> Result<()> {
        let (person, group) = match holder {
            Holder::Person(person) => (Some(person.as_str()), None),
            Holder::Group(group) => (None, Some(group.as_str())),
        };
        on!(self, connection => sqlx::query(
            "delete from grant_of_role where coalesce(person_id, '') = $1 and coalesce(group_name, '') = $2
                and coalesce(stack_id, '') = $3"
        ).bind(person.unwrap_or_default()).bind(group.unwrap_or_default())
            .bind(stack.map_or("", StackId::as_str)).execute(connection).await.map(|_| ()))?;
        if let Some(role) = role {
            on!(self, connection => sqlx::query(
                "insert into grant_of_role (id, person_id, group_name, stack_id, role) values ($1, $2, $3, $4, $5)"
            ).bind(id).bind(person).bind(group).bind(stack).bind(role).execute(connection).await.map(|_| ()))?;
        }
        self.tell(Change::People);
        Ok(())
    }
}
