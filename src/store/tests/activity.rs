//! The activity log in the store: entries are added and chained, read by what is asked for, and never changed.

use super::*;
use crate::domain::activity::chain::{Head, Link};
use crate::domain::activity::{Entry, Outcome};
use crate::domain::actor::ActorKind;
use crate::domain::difference::Differences;
use sqlx::AssertSqlSafe;

pub(super) fn entry(world: &World, stack: Option<&StackId>, action: &str) -> Entry {
    Entry {
        id: world.ids.next(NOW),
        at: NOW,
        actor: "ada".into(),
        origin: "192.0.2.1".into(),
        action: action.into(),
        stack_id: stack.cloned(),
        run_id: None,
        outcome: Outcome::Done,
        detail: "from a to b".into(),
        differences: Differences::default().and("Current commit", "a", "b"),
    }
}

impl World {
    async fn note(&self, entries: impl IntoIterator<Item = Entry>) {
        let mut writing = self.write().await;
        entries.into_iter().for_each(|entry| writing.add_activity(entry));
        writing.commit().await.unwrap();
    }

    async fn numbers(&self, filter: &Filter) -> Vec<i64> {
        let links = self.read().await.activity(filter, 100).await.unwrap();
        links.into_iter().map(|link| link.number).collect()
    }

    /// Runs a statement past everything that Headway does, in one transaction; whether the database took it.
    async fn past_headway(&self, statements: &[String]) -> Result<()> {
        let mut writing = self.write().await;
        for statement in statements {
            let statement = statement.clone();
            on!(writing, connection => sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.map(|_| ()))?;
        }
        writing.commit().await
    }

    /// Takes away what keeps the log.
    async fn unguard(&self) {
        let on = match &self.write().await.transaction {
            Open::Sqlite(_) => "",
            Open::Postgres(_) => " on activity",
        };
        let drops = ["activity_keeps", "activity_loses_nothing"].map(|trigger| format!("drop trigger {trigger}{on}"));
        self.past_headway(&drops).await.unwrap();
    }
}

#[tokio::test]
async fn the_log_is_read_newest_first_page_by_page_and_stack_by_stack() {
    each(async |world| {
        let stack = StackId::new("network");
        let mut entries = Vec::new();
        for number in 0..7 {
            let of = (number % 2 == 0).then_some(&stack);
            let outcome = if number == 3 { Outcome::Refused } else { Outcome::Done };
            entries.push(Entry { outcome, run_id: of.map(|_| RunId::new("R")), ..entry(&world, of, "promote") });
        }
        world.note(entries.clone()).await;
        let mut reading = world.read().await;
        let links = reading.activity(&Filter::default(), 100).await.unwrap();
        let read: Vec<Entry> = links.iter().rev().map(|link| link.entry.clone()).collect();
        assert_eq!(read, entries);
        assert_eq!(links.iter().map(|link| link.number).collect::<Vec<_>>(), [7, 6, 5, 4, 3, 2, 1]);
        let mut paged: Vec<Link> = Vec::new();
        let mut filter = Filter::default();
        loop {
            let page = reading.activity(&filter, 3).await.unwrap();
            let Some(last) = page.last() else { break };
            filter.before = Some(last.number);
            paged.extend(page);
        }
        assert_eq!(paged, links);
        let of_stack = Filter { stack: Some(stack), ..Filter::default() };
        assert_eq!(world.numbers(&of_stack).await, [7, 5, 3, 1]);
        let oldest = reading.oldest_activity(&Filter { after: Some(2), ..Filter::default() }, 2).await.unwrap();
        assert_eq!(oldest.iter().map(|link| link.number).collect::<Vec<_>>(), [3, 4]);
    })
    .await;
}

#[tokio::test]
async fn every_filter_lets_through_what_it_says() {
    each(async |world| {
        let actors = ["ada", "token/nightly", "github/ada", "run/R", "Headway", ""];
        let entries: Vec<Entry> = actors
            .iter()
            .zip(0..)
            .map(|(actor, number)| Entry {
                actor: (*actor).into(),
                at: NOW.plus(number),
                outcome: if number < 2 { Outcome::Refused } else { Outcome::Done },
                detail: format!("100%_{number} \\ Ä"),
                ..entry(&world, None, if number == 4 { "lock" } else { "promote" })
            })
            .collect();
        world.note(entries).await;
        let all = Filter::default;
        for (kind, number) in ActorKind::ALL.into_iter().zip([1, 2, 3, 4, 5, 6]) {
            assert_eq!(world.numbers(&Filter { kind: Some(kind), ..all() }).await, [number], "{kind:?}");
        }
        for (filter, numbers) in [
            (Filter { actor: Some("ada".into()), ..all() }, vec![1]),
            (Filter { action: Some("lock".into()), ..all() }, vec![5]),
            (Filter { outcome: Some(Outcome::Refused), ..all() }, vec![2, 1]),
            (Filter { from: Some(NOW.plus(4)), ..all() }, vec![6, 5]),
            (Filter { until: Some(NOW.plus(2)), ..all() }, vec![2, 1]),
            (Filter { text: Some("NIGHTLY".into()), ..all() }, vec![2]),
            (Filter { text: Some("100%_3".into()), ..all() }, vec![4]),
            (Filter { text: Some("1_0".into()), ..all() }, vec![]),
            (Filter { text: Some("3 \\ Ä".into()), ..all() }, vec![4]),
            (Filter { text: Some("current COMMIT".into()), actor: Some("Headway".into()), ..all() }, vec![5]),
        ] {
            assert_eq!(world.numbers(&filter).await, numbers, "{filter:?}");
        }
        let mut reading = world.read().await;
        assert_eq!(reading.actions().await.unwrap(), ["lock", "promote"]);
        assert_eq!(reading.actors(2).await.unwrap().len(), 2);
        assert!(!reading.actors(100).await.unwrap().contains(&String::new()));
    })
    .await;
}

#[tokio::test]
async fn an_entry_is_added_once_and_only_with_what_it_speaks_of() {
    each(async |world| {
        let first = entry(&world, None, "create stack");
        let mut writing = world.write().await;
        writing.add_activity(first.clone());
        drop(writing);
        assert_eq!(world.read().await.activity_head().await.unwrap().number, 0);
        world.note([first.clone()]).await;
        let mut writing = world.write().await;
        writing.add_activity(first);
        assert!(writing.commit().await.unwrap_err().is_duplicate());
        assert_eq!(world.numbers(&Filter::default()).await, [1]);
    })
    .await;
}

#[tokio::test]
async fn whoever_writes_at_the_same_time_makes_one_chain() {
    each(async |world| {
        let writers: Vec<_> = (0..20)
            .map(|_| {
                let world = world.clone();
                tokio::spawn(async move { world.note([entry(&world, None, "a"), entry(&world, None, "b")]).await })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
        let links = world.read().await.oldest_activity(&Filter::default(), 100).await.unwrap();
        let mut previous = String::new();
        for (link, number) in links.iter().zip(1..) {
            assert_eq!((link.number, &link.previous, &link.hash), (number, &previous, &link.digest()));
            previous.clone_from(&link.hash);
        }
        let head = world.read().await.activity_head().await.unwrap();
        assert_eq!((links.len(), head.number, head.hash), (40, 40, previous));
        assert_eq!(world.read().await.count_activity().await.unwrap(), 40);
    })
    .await;
}

#[tokio::test]
async fn the_database_itself_refuses_to_change_or_remove_an_entry() {
    each(async |world| {
        world.note([entry(&world, None, "promote")]).await;
        for statement in ["update activity set detail = ''", "update activity set hash = null", "delete from activity"]
        {
            let refused = world.past_headway(&[statement.to_owned()]).await.unwrap_err().to_string();
            assert!(refused.contains("the activity log is only added to"), "{statement}: {refused}");
        }
        assert_eq!(world.read().await.activity(&Filter::default(), 9).await.unwrap()[0].entry.detail, "from a to b");
        // What was taken away comes back with the next start.
        world.unguard().await;
        world.past_headway(&["update activity set detail = 'c'".to_owned()]).await.unwrap();
        world.store.keep_activity().await.unwrap();
        assert!(world.past_headway(&["delete from activity".to_owned()]).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn entries_from_before_the_chain_are_put_into_it_once() {
    each(async |world| {
        let insert = |id: &str| {
            format!("insert into activity (id, at, actor, action, outcome, detail) values ('{id}', 5, 'ada', 'lock', 'done', 'x')")
        };
        world.past_headway(&[insert("2"), insert("1"), insert("3")]).await.unwrap();
        assert_eq!(world.numbers(&Filter::default()).await, [0; 0]);
        world.store.keep_activity().await.unwrap();
        world.note([entry(&world, None, "promote")]).await;
        let links = world.read().await.oldest_activity(&Filter::default(), 9).await.unwrap();
        let ids: Vec<&str> = links.iter().map(|link| link.entry.id.as_str()).take(3).collect();
        assert_eq!(ids, ["1", "2", "3"]);
        assert!(links.iter().all(|link| link.hash == link.digest()));
        // Later, whatever has no place was put in past Headway, and is given none.
        world.past_headway(&[insert("4")]).await.unwrap();
        world.store.keep_activity().await.unwrap();
        assert_eq!(world.read().await.oldest_activity(&Filter::default(), 9).await.unwrap(), links);
        assert_eq!(world.read().await.count_activity().await.unwrap(), 5);
    })
    .await;
}

/// The triggers as they were before the beginning of the log could be cut off.
fn older_triggers(world: &Open) -> [String; 2] {
    match world {
        Open::Sqlite(_) => [
            "drop trigger activity_loses_nothing; drop trigger activity_is_cut_once".into(),
            "create trigger activity_loses_nothing before delete on activity begin
                 select raise(abort, 'the activity log is only added to'); end"
                .into(),
        ],
        Open::Postgres(_) => [
            "drop trigger activity_loses_nothing on activity; drop trigger activity_is_not_emptied on activity;
             drop trigger activity_is_cut_once on activity_head"
                .into(),
            "create trigger activity_loses_nothing before delete or truncate on activity
                 for each statement execute function activity_is_only_added_to()"
                .into(),
        ],
    }
}

#[tokio::test]
async fn what_kept_the_log_before_it_could_be_cut_gives_way_and_the_rest_stays_kept() {
    each(async |world| {
        world.note([entry(&world, None, "a"), entry(&world, None, "b")]).await;
        let older = older_triggers(&world.write().await.transaction);
        world.past_headway(&older).await.unwrap();
        world.store.keep_activity().await.unwrap();
        let first = world.read().await.oldest_activity(&Filter::default(), 1).await.unwrap().remove(0);
        let mut writing = world.write().await;
        writing.cut_activity(&Head { number: first.number, hash: first.hash }).await.unwrap();
        assert_eq!(writing.remove_cut_activity(9).await.unwrap(), 1);
        let postgres = matches!(writing.transaction, Open::Postgres(_));
        writing.commit().await.unwrap();
        assert_eq!(world.numbers(&Filter::default()).await, [2]);
        for statement in ["delete from activity", "update activity_head set cut_number = 0"] {
            assert!(world.past_headway(&[statement.to_owned()]).await.is_err(), "{statement}");
        }
        if postgres {
            assert!(world.past_headway(&["truncate activity".to_owned()]).await.is_err());
        }
    })
    .await;
}
