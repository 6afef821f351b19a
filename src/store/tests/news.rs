//! News: told after a commit, once each, and never of what was taken back.

use super::*;
use crate::domain::plan::Plan;
use tokio::sync::broadcast::Receiver;

fn told(news: &mut Receiver<Change>) -> Vec<Change> {
    let mut told = Vec::new();
    while let Ok(change) = news.try_recv() {
        told.push(change);
    }
    told
}

#[tokio::test]
async fn news_come_after_the_commit_and_once() {
    each(async |world| {
        let stack = world.stack("network").await;
        let mut news = world.store.changes();
        let mut writing = world.write().await;
        let run = writing.add_run(&world.new_run(&stack, RunKind::Tracked)).await.unwrap();
        let run = writing.step(&run, RunState::Ready, "Headway", None, NOW).await.unwrap();
        writing.append_log(&run, 1, 0, &["a".into()]).await.unwrap();
        writing.append_log(&run, 1, 1, &["b".into()]).await.unwrap();
        writing.set_lock(&stack, None).await.unwrap();
        assert_eq!(told(&mut news), []);
        writing.commit().await.unwrap();
        let expected =
            [Change::Stack(stack.clone()), Change::Run(stack.clone(), run.id.clone()), Change::Log(run.id.clone())];
        assert_eq!(told(&mut news), expected);
        // Whoever asks now sees what the news speak of.
        assert_eq!(world.reread(&run).await.state, RunState::Ready);
    })
    .await;
}

#[tokio::test]
async fn what_is_dropped_did_not_happen_and_is_no_news() {
    each(async |world| {
        let stack = world.stack("network").await;
        let mut news = world.store.changes();
        let mut writing = world.write().await;
        let run = writing.add_run(&world.new_run(&stack, RunKind::Tracked)).await.unwrap();
        writing.set_current(&stack, Some(&hash('c')), Some(&run.id)).await.unwrap();
        writing.add_activity(activity::entry(&world, Some(&stack), "promote"));
        drop(writing);
        let mut reading = world.read().await;
        assert_eq!(reading.run(&stack, &run.id).await.unwrap(), None);
        assert_eq!(reading.stack(&stack).await.unwrap().unwrap().current_commit, None);
        assert_eq!(reading.activity(&Filter::default(), 9).await.unwrap(), []);
        assert_eq!(told(&mut news), []);
    })
    .await;
}

#[tokio::test]
async fn everything_that_a_page_of_a_stack_shows_is_news() {
    each(async |world| {
        let stack = world.stack("network").await;
        let run = world.queued(&stack, RunKind::Proposed).await;
        let of_stack = vec![Change::Stack(stack.clone())];
        let of_run = vec![Change::Run(stack.clone(), run.id.clone())];
        let of_fetch = vec![Change::Fetch(stack.clone())];
        let mut news = world.store.changes();
        macro_rules! expect {
            ($expected:expr, $writing:ident => $change:expr) => {
                let mut $writing = world.write().await;
                $change.await.unwrap();
                $writing.commit().await.unwrap();
                assert_eq!(told(&mut news), $expected, stringify!($change));
            };
        }
        let repository = RepositoryId::new("R");
        expect!(of_stack, writing => writing.save_settings(&stack, &settings("network"), 2));
        expect!(of_stack, writing => writing.set_current(&stack, None, None));
        expect!(of_stack, writing => writing.set_answered_heads(&stack, &heads([])));
        expect!(of_stack, writing => writing.set_repository(&stack, &repository));
        expect!(of_stack, writing => writing.set_variable(&stack, &states::variable()));
        expect!(of_stack, writing => writing.remove_variable(&stack, "A"));
        expect!(of_stack, writing => writing.fetched(&repository, &heads([]), false, NOW, NOW));
        expect!(of_stack, writing => writing.fetch_failed(&repository, "no such host", NOW));
        // The same again has only a newer time to show.
        expect!(of_fetch, writing => writing.fetch_failed(&repository, "no such host", NOW));
        expect!(of_stack, writing => writing.fetch_failed(&repository, "no such user", NOW));
        expect!(of_stack, writing => writing.fetched(&repository, &heads([]), false, NOW.plus(1), NOW));
        expect!(of_fetch, writing => writing.fetched(&repository, &heads([]), false, NOW.plus(2), NOW));
        expect!(of_stack, writing => writing.fetched(&repository, &heads([]), true, NOW.plus(3), NOW));
        expect!(of_stack, writing => writing.fetched(&repository, &heads([("main", 'b')]), false, NOW.plus(4), NOW));
        expect!(of_run, writing => writing.request_stop(&run, "ada"));
        expect!(of_run, writing => writing.save_plan(&run, &Plan::default()));
        expect!(of_run, writing => writing.fence_off(&run));
        expect!(of_stack, writing => writing.delete_stack(&stack));
    })
    .await;
}

#[tokio::test]
async fn a_reading_is_one_picture() {
    each(async |world| {
        let stack = world.stack("network").await;
        let mut reading = world.read().await;
        assert_eq!(reading.open_runs(&stack).await.unwrap(), 0);
        world.queued(&stack, RunKind::Tracked).await;
        assert_eq!(reading.open_runs(&stack).await.unwrap(), 0);
        assert_eq!(world.read().await.open_runs(&stack).await.unwrap(), 1);
    })
    .await;
}
