//! The activity log: every change, and every attempt that was refused.
//!
//! Entries are only ever added, each behind the one before it ([`crate::domain::activity::chain`]), and the database itself
//! refuses to change one, or to remove any but the oldest once they were cut off ([`crate::domain::activity::cut`]).

use super::{Open, Reading, Result, Store, Writing, on};
use crate::domain::activity::chain::{Head, Link};
use crate::domain::activity::{Entry, Outcome};
use crate::domain::actor::ActorKind;
use crate::domain::{StackId, Timestamp};
use sqlx::QueryBuilder;

/// Which entries to show; empty fields ask for all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of one stack.
    pub stack: Option<StackId>,
    /// Of the actor with this name.
    pub actor: Option<String>,
    /// Of actors of this kind.
    pub kind: Option<ActorKind>,
    /// Of this action.
    pub action: Option<String>,
    /// That ended so.
    pub outcome: Option<Outcome>,
    /// Not older than this.
    pub from: Option<Timestamp>,
    /// Older than this.
    pub until: Option<Timestamp>,
    /// That say this, whatever the case of its letters.
    pub text: Option<String>,
    /// Before the entry with this number.
    pub before: Option<i64>,
    /// After the entry with this number.
    pub after: Option<i64>,
}

/// What refuses to change or remove an entry that is in the chain. The one thing that the two databases are told in
/// different words; said again at every start, it also brings back what was taken away.
const ONLY_ADDED_TO_SQLITE: &str = "
    create trigger if not exists activity_keeps before update on activity when old.hash is not null begin
        select raise(abort, 'the activity log is only added to');
    end;
    drop trigger if exists activity_loses_nothing;
    create trigger activity_loses_nothing before delete on activity
        when old.number is null or old.number > (select cut_number from activity_head) begin
        select raise(abort, 'the activity log is only added to');
    end;
    create trigger if not exists activity_is_cut_once before update on activity_head
        when new.cut_number < old.cut_number or new.cut_number > new.number begin
        select raise(abort, 'the activity log is only added to');
    end;";
const ONLY_ADDED_TO_POSTGRES: &str = "
    create or replace function activity_is_only_added_to() returns trigger language plpgsql as $$ begin
        raise exception 'the activity log is only added to';
    end $$;
    create or replace function activity_goes_when_it_was_cut() returns trigger language plpgsql as $$ begin
        if old.number <= (select cut_number from activity_head) then return old; end if;
        raise exception 'the activity log is only added to';
    end $$;
    create or replace trigger activity_keeps before update on activity for each row when (old.hash is not null)
        execute function activity_is_only_added_to();
    drop trigger if exists activity_loses_nothing on activity;
    create trigger activity_loses_nothing before delete on activity for each row
        execute function activity_goes_when_it_was_cut();
    create or replace trigger activity_is_not_emptied before truncate on activity
        for each statement execute function activity_is_only_added_to();
    create or replace trigger activity_is_cut_once before update on activity_head for each row
        when (new.cut_number < old.cut_number or new.cut_number > new.number)
        execute function activity_is_only_added_to();";

/// The entries that are in the chain, behind what was cut off.
const LINKS: &str = "select id, at, actor, origin, action, stack_id, run_id, outcome, detail, differences, number, previous, \
    hash from activity where number > (select cut_number from activity_head)";

/// Everything of an entry that can be searched.
const TEXT: &str = "lower(actor || ' ' || origin || ' ' || action || ' ' || coalesce(stack_id, '') || ' ' || \
    coalesce(run_id, '') || ' ' || detail || ' ' || differences || ' ' || hash)";

/// The names that are of a kind of actor ([`ActorKind::of`]).
fn of_kind(kind: ActorKind) -> &'static str {
    match kind {
        ActorKind::Token => "substr(actor, 1, 6) = 'token/'",
        ActorKind::Github => "substr(actor, 1, 7) = 'github/'",
        ActorKind::Run => "substr(actor, 1, 4) = 'run/'",
        ActorKind::Headway => "actor = 'Headway'",
        ActorKind::Stranger => "actor = ''",
        ActorKind::Person => {
            "actor not in ('', 'Headway') and substr(actor, 1, 6) <> 'token/' and substr(actor, 1, 7) <> 'github/' \
             and substr(actor, 1, 4) <> 'run/'"
        }
    }
}

/// The query for what the filter lets through.
fn links<DB>(filter: &Filter, order: &str, limit: i64) -> QueryBuilder<DB>
where
    DB: sqlx::Database,
    DB::Arguments: Default,
    String: sqlx::Type<DB> + for<'q> sqlx::Encode<'q, DB>,
    i64: sqlx::Type<DB> + for<'q> sqlx::Encode<'q, DB>,
{
    let Filter { stack, actor, kind, action, outcome, from, until, text, before, after } = filter;
    let mut query = QueryBuilder::new(LINKS);
    for (column, value) in [
        ("stack_id", stack.as_ref().map(StackId::as_str)),
        ("actor", actor.as_deref()),
        ("action", action.as_deref()),
        ("outcome", outcome.map(Outcome::name)),
    ] {
        if let Some(value) = value {
            query.push(" and ").push(column).push(" = ").push_bind(value.to_owned());
        }
    }
    if let Some(kind) = kind {
        query.push(" and ").push(of_kind(*kind));
    }
    for (bound, value) in
        [("at >=", from.map(|at| at.0)), ("at <", until.map(|at| at.0)), ("number <", *before), ("number >", *after)]
    {
        if let Some(value) = value {
            query.push(" and ").push(bound).push(" ").push_bind(value);
        }
    }
    if let Some(text) = text {
        let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        // Both sides are lowered by the database, each of which knows other letters.
        query.push(" and ").push(TEXT).push(" like lower(").push_bind(format!("%{escaped}%")).push(") escape '\\'");
    }
    query.push(" order by number ").push(order).push(" limit ").push_bind(limit);
    query
}

impl Reading {
    /// The newest entries that the filter lets through, newest first.
    pub async fn activity(&mut self, filter: &Filter, limit: i64) -> Result<Vec<Link>> {
        Ok(on!(self, connection => links(filter, "desc", limit).build_query_as().fetch_all(connection).await)?)
    }

    /// The oldest entries that the filter lets through, oldest first.
    pub async fn oldest_activity(&mut self, filter: &Filter, limit: i64) -> Result<Vec<Link>> {
        Ok(on!(self, connection => links(filter, "asc", limit).build_query_as().fetch_all(connection).await)?)
    }

    /// The end of the chain.
    pub async fn activity_head(&mut self) -> Result<Head> {
        Ok(on!(self, connection => sqlx::query_as("select number, hash from activity_head")
            .fetch_one(connection).await)?)
    }

    /// The last entry that was cut off because it had been kept long enough: behind it the chain begins.
    pub async fn activity_cut(&mut self) -> Result<Head> {
        Ok(on!(self, connection => sqlx::query_as("select cut_number as number, cut_hash as hash from activity_head")
            .fetch_one(connection).await)?)
    }

    /// The last entry before the first that is not older than this; nothing when none is older.
    pub async fn last_activity_before(&mut self, at: Timestamp) -> Result<Option<Link>> {
        let young = Filter { from: Some(at), ..Filter::default() };
        let young = self.oldest_activity(&young, 1).await?.pop().map(|link| link.number);
        Ok(self.activity(&Filter { before: young, ..Filter::default() }, 1).await?.pop())
    }

    /// How many entries there are that were not cut off, whether or not they have a place in the chain.
    pub async fn count_activity(&mut self) -> Result<i64> {
        let (count,): (i64,) = on!(self, connection => sqlx::query_as(
            "select count(*) from activity where number is null or number > (select cut_number from activity_head)"
        ).fetch_one(connection).await)?;
        Ok(count)
    }

    /// The actors of the log by name, at most `limit`.
    pub async fn actors(&mut self, limit: i64) -> Result<Vec<String>> {
        let rows: Vec<(String,)> = on!(self, connection => sqlx::query_as(
            "select distinct actor from activity where actor <> '' order by actor limit $1"
        ).bind(limit).fetch_all(connection).await)?;
        Ok(rows.into_iter().map(|(actor,)| actor).collect())
    }

    /// The actions of the log by name.
    pub async fn actions(&mut self) -> Result<Vec<String>> {
        let rows: Vec<(String,)> = on!(self, connection => sqlx::query_as(
            "select distinct action from activity order by action"
        ).fetch_all(connection).await)?;
        Ok(rows.into_iter().map(|(action,)| action).collect())
    }
}

impl Writing {
    /// Adds an entry, when this transaction is committed: it is put into the chain last of all, so that whoever writes at
    /// the same time waits for it no longer than it takes.
    pub fn add_activity(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Has the chain begin behind this entry, so that it and those before may be removed.
    pub async fn cut_activity(&mut self, cut: &Head) -> Result<()> {
        on!(self, connection => sqlx::query(
            "update activity_head set cut_number = $1, cut_hash = $2 where one = 1"
        ).bind(cut.number).bind(&cut.hash).execute(connection).await.map(|_| ()))?;
        Ok(())
    }

    /// Removes at most `limit` of the entries that were cut off; how many.
    pub async fn remove_cut_activity(&mut self, limit: i64) -> Result<u64> {
        Ok(on!(self, connection => sqlx::query(
            "delete from activity where number in (
                 select number from activity where number <= (select cut_number from activity_head)
                 order by number limit $1)"
        ).bind(limit).execute(connection).await.map(|done| done.rows_affected()))?)
    }

    /// Puts the entries of this transaction behind the end of the chain.
    pub(super) async fn append_activity(&mut self) -> Result<()> {
        let entries = std::mem::take(&mut self.entries);
        if entries.is_empty() {
            return Ok(());
        }
        let mut head = self.take_activity_head().await?;
        for entry in entries {
            let Link { number, previous, hash, entry } = head.append(entry);
            on!(self, connection => sqlx::query(
                "insert into activity (id, at, actor, origin, action, stack_id, run_id, outcome, detail, differences,
                     number, previous, hash)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
            ).bind(&entry.id).bind(entry.at).bind(&entry.actor).bind(&entry.origin).bind(&entry.action)
                .bind(&entry.stack_id).bind(&entry.run_id).bind(entry.outcome).bind(&entry.detail)
                .bind(entry.differences.json()).bind(number).bind(&previous).bind(&hash)
                .execute(connection).await.map(|_| ()))?;
        }
        self.move_activity_head(&head).await
    }

    /// The end of the chain, which nobody else moves until this transaction has ended.
    async fn take_activity_head(&mut self) -> Result<Head> {
        Ok(on!(self, connection => sqlx::query_as(
            "update activity_head set number = number where one = 1 returning number, hash"
        ).fetch_one(connection).await)?)
    }

    async fn move_activity_head(&mut self, head: &Head) -> Result<()> {
        on!(self, connection => sqlx::query("update activity_head set number = $1, hash = $2 where one = 1")
            .bind(head.number).bind(&head.hash).execute(connection).await.map(|_| ()))?;
        Ok(())
    }

    /// Puts the entries from before there was a chain into it.
    async fn chain_older_activity(&mut self) -> Result<()> {
        let mut head = self.take_activity_head().await?;
        // Whatever is without a place later was put in past Headway, and verifying finds it.
        if head.number > 0 {
            return Ok(());
        }
        let older: Vec<Entry> = on!(self, connection => sqlx::query_as(
            "select id, at, actor, origin, action, stack_id, run_id, outcome, detail, differences from activity
             where number is null order by id"
        ).fetch_all(connection).await)?;
        for entry in older {
            let link = head.append(entry);
            on!(self, connection => sqlx::query(
                "update activity set number = $2, previous = $3, hash = $4 where id = $1"
            ).bind(&link.entry.id).bind(link.number).bind(&link.previous).bind(&link.hash)
                .execute(connection).await.map(|_| ()))?;
        }
        self.move_activity_head(&head).await
    }
}

impl Store {
    /// Puts older entries into the chain, once, and has the database refuse whatever does not add to the log.
    pub(super) async fn keep_activity(&self) -> Result<()> {
        let mut writing = self.write().await?;
        writing.chain_older_activity().await?;
        let statements = match &writing.transaction {
            Open::Sqlite(_) => ONLY_ADDED_TO_SQLITE,
            Open::Postgres(_) => ONLY_ADDED_TO_POSTGRES,
        };
        on!(writing, connection => sqlx::raw_sql(statements).execute(connection).await.map(|_| ()))?;
        writing.commit().await
    }
}
