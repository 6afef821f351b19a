//! The activity log in the store: entries are added, and read newest first.

use super::*;

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
    }
}

#[tokio::test]
async fn the_log_is_read_newest_first_page_by_page_and_stack_by_stack() {
    each(async |world| {
        let stack = StackId::new("network");
        let mut entries = Vec::new();
        let mut writing = world.write().await;
        for number in 0..7 {
            let of = (number % 2 == 0).then_some(&stack);
            let outcome = if number == 3 { Outcome::Refused } else { Outcome::Done };
            let entry = Entry { outcome, run_id: of.map(|_| RunId::new("R")), ..entry(&world, of, "promote") };
            writing.add_activity(&entry).await.unwrap();
            entries.insert(0, entry);
        }
        writing.commit().await.unwrap();
        let mut reading = world.read().await;
        assert_eq!(reading.activity(&Filter::default(), 100).await.unwrap(), entries);
        let mut read = Vec::new();
        let mut filter = Filter::default();
        loop {
            let page = reading.activity(&filter, 3).await.unwrap();
            let Some(last) = page.last() else { break };
            filter.before = Some(last.id.clone());
            read.extend(page);
        }
        assert_eq!(read, entries);
        let of_stack = Filter { stack: Some(stack.clone()), before: None };
        entries.retain(|entry| entry.stack_id.as_ref() == Some(&stack));
        assert_eq!(reading.activity(&of_stack, 100).await.unwrap(), entries);
    })
    .await;
}

#[tokio::test]
async fn an_entry_is_added_once() {
    each(async |world| {
        let entry = entry(&world, None, "create stack");
        let mut writing = world.write().await;
        writing.add_activity(&entry).await.unwrap();
        assert!(writing.add_activity(&entry).await.unwrap_err().is_duplicate());
    })
    .await;
}
