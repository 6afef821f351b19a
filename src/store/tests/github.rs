//! GitHub in the store: deliveries are kept once, older news of a pull request is not believed, and what changed is marked
//! in the outbox by the transaction that changed it.

use super::*;
use crate::domain::pull_request::{PullRequest, PullRequestState};

pub(super) fn app() -> GithubApp {
    GithubApp {
        app_id: 5,
        slug: "headway".into(),
        name: "Headway".into(),
        client_id: "Iv1".into(),
        web_address: "https://github.com".into(),
        api_address: "https://api.github.com".into(),
        private_key: "sealed".into(),
        webhook_secret: "sealed".into(),
        client_secret: None,
        previous_webhook_secret: None,
        previous_until: None,
        permissions: "{}".into(),
        created_at: NOW,
        checked_at: None,
        problem: None,
        delivered_at: None,
        signature_failures: 0,
        signature_failed_at: None,
        caught_up_at: None,
    }
}

fn repository_on_github(id: i64, address: &str) -> GithubRepository {
    GithubRepository {
        id,
        installation_id: Some(9),
        full_name: "acme/network".into(),
        clone_address: address.into(),
        default_branch: "main".into(),
        private: true,
        repository_id: None,
        linked_at: None,
        pulls_read_at: None,
    }
}

/// An App, its installation, and the repository of the stack `network` linked to GitHub's number 1.
async fn connected(world: &World) -> StackId {
    let stack = world.stack("network").await;
    let mut writing = world.write().await;
    writing.save_github_app(&app()).await.unwrap();
    writing.save_installation(9, "acme", &BTreeMap::new(), false).await.unwrap();
    writing.save_github_repository(&repository_on_github(1, "https://github.com/acme/network.git")).await.unwrap();
    let repository = writing.stack(&stack).await.unwrap().unwrap().repository;
    writing.link_repository(1, &repository, NOW).await.unwrap();
    writing.commit().await.unwrap();
    stack
}

fn delivery(id: &str, digest: &str) -> NewDelivery {
    NewDelivery {
        id: id.into(),
        event: "push".into(),
        action: String::new(),
        repository: "acme/network".into(),
        digest: digest.into(),
        body: "{}".into(),
        concerns: true,
    }
}

#[tokio::test]
async fn a_delivery_is_worked_on_once_by_its_id_and_by_what_it_says() {
    each(async |world| {
        let mut writing = world.write().await;
        assert_eq!(writing.receive_delivery(&delivery("A", "d1"), NOW).await.unwrap(), Received::New);
        // The same again, and the same body under an id that was made up.
        assert_eq!(writing.receive_delivery(&delivery("A", "d1"), NOW).await.unwrap(), Received::Repeated);
        assert_eq!(writing.receive_delivery(&delivery("B", "d1"), NOW).await.unwrap(), Received::Repeated);
        assert_eq!(writing.receive_delivery(&delivery("C", "d2"), NOW).await.unwrap(), Received::New);
        let due: Vec<String> =
            writing.deliveries_due(NOW, 10).await.unwrap().into_iter().map(|delivery| delivery.id).collect();
        assert_eq!(due, ["A", "C"]);
        assert_eq!(writing.delivery("A").await.unwrap().unwrap().repeats, 1);
        assert_eq!(writing.delivery("B").await.unwrap().unwrap().state, DeliveryState::Repeated);

        // One that failed is worked on when it comes again; whoever says the same is then the twin.
        writing.end_delivery("A", DeliveryState::Failed, "no", None, NOW).await.unwrap();
        assert_eq!(writing.receive_delivery(&delivery("A", "d1"), NOW.plus(5)).await.unwrap(), Received::New);
        writing.end_delivery("A", DeliveryState::Done, "yes", None, NOW).await.unwrap();
        assert_eq!(writing.revive_delivery("B", NOW).await.unwrap(), Received::Repeated);
        assert_eq!(writing.revive_delivery("A", NOW.plus(9)).await.unwrap(), Received::New);
        let revived = writing.delivery("A").await.unwrap().unwrap();
        assert_eq!((revived.received_at, revived.waiting_since, revived.attempts), (NOW, NOW.plus(9), 0));
        let never = writing.delivery("C").await.unwrap().unwrap();
        assert_eq!((never.received_at, never.waiting_since), (NOW, NOW));
        writing.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_pages_of_the_ledger_lose_none_of_the_deliveries_that_came_together() {
    each(async |world| {
        let mut writing = world.write().await;
        for (at, id) in [(0, "A"), (1, "B"), (1, "C"), (1, "D"), (1, "E"), (2, "A2")] {
            writing.receive_delivery(&delivery(id, id), NOW.plus(at)).await.unwrap();
        }
        let mut seen = Vec::new();
        let mut before: Option<(Timestamp, String)> = None;
        loop {
            let from = before.as_ref().map(|(at, id)| (*at, id.as_str()));
            let page = writing.deliveries(from, 2).await.unwrap();
            let Some(last) = page.last() else { break };
            before = Some((last.received_at, last.id.clone()));
            seen.extend(page.into_iter().map(|delivery| delivery.id));
        }
        assert_eq!(seen, ["A2", "E", "D", "C", "B", "A"]);
    })
    .await;
}

#[tokio::test]
async fn a_delivery_that_is_tried_again_waits_and_one_without_a_body_is_never_revived() {
    each(async |world| {
        let mut writing = world.write().await;
        writing.receive_delivery(&delivery("A", "d1"), NOW).await.unwrap();
        writing.retry_delivery("A", "GitHub does not answer", NOW.plus(1000)).await.unwrap();
        assert!(writing.deliveries_due(NOW.plus(999), 10).await.unwrap().is_empty());
        assert_eq!(writing.deliveries_due(NOW.plus(1000), 10).await.unwrap()[0].attempts, 1);
        writing.end_delivery("A", DeliveryState::Failed, "no", None, NOW).await.unwrap();
        assert_eq!(writing.clean_deliveries(NOW.plus(1), 10).await.unwrap(), 1);
        assert_eq!(writing.delivery("A").await.unwrap().unwrap().body, "");
        assert_eq!(writing.revive_delivery("A", NOW).await.unwrap(), Received::Repeated);
        writing.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_same_app_with_new_keys_keeps_what_is_known_of_it_and_another_begins_anew() {
    each(async |world| {
        let mut writing = world.write().await;
        writing.save_github_app(&app()).await.unwrap();
        writing.signature_failed(NOW).await.unwrap();
        writing.save_github_app(&GithubApp { private_key: "new".into(), ..app() }).await.unwrap();
        let known = writing.github_app().await.unwrap().unwrap();
        assert_eq!((known.private_key.as_str(), known.signature_failures), ("new", 1));
        writing.save_github_app(&GithubApp { app_id: 6, ..app() }).await.unwrap();
        let other = writing.github_app().await.unwrap().unwrap();
        assert_eq!((other.app_id, other.signature_failures), (6, 0));
        writing.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn older_news_of_a_pull_request_is_not_believed() {
    each(async |world| {
        connected(&world).await;
        let pull = PullRequest {
            repository: 1,
            number: 7,
            title: "Add a cache".into(),
            author: "ada".into(),
            state: PullRequestState::Open,
            draft: false,
            base_branch: "main".into(),
            head_branch: "cache".into(),
            head_commit: hash('b'),
            fork: false,
            address: String::new(),
            opened_at: NOW,
            updated_at: NOW.plus(10),
        };
        let mut writing = world.write().await;
        assert!(writing.save_pull_request(&pull).await.unwrap());
        let closed = PullRequest { state: PullRequestState::Closed, updated_at: NOW.plus(20), ..pull.clone() };
        assert!(writing.save_pull_request(&closed).await.unwrap());
        assert!(!writing.save_pull_request(&pull).await.unwrap());
        assert_eq!(writing.pull_request(1, 7).await.unwrap(), Some(closed.clone()));
        assert!(writing.open_pull_requests(1).await.unwrap().is_empty());
        assert_eq!(writing.pull_requests_of(1, "cache").await.unwrap(), [closed]);
        writing.save_comment(1, 7, Some(3), "digest").await.unwrap();
        assert_eq!(writing.comment_of(1, 7).await.unwrap(), (Some(3), Some("digest".into())));
        writing.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_changed_is_marked_until_github_was_told() {
    each(async |world| {
        let stack = connected(&world).await;
        let other = world.stack("other").await;
        let marks = async |world: &World| world.read().await.outbox_due(NOW).await.unwrap();
        for marked in marks(&world).await {
            let mut writing = world.write().await;
            writing.unmark(&marked).await.unwrap();
            writing.commit().await.unwrap();
        }
        let mut writing = world.write().await;
        writing.set_current(&stack, Some(&hash('c')), None).await.unwrap();
        drop(writing);
        assert!(marks(&world).await.is_empty(), "taken back with its transaction");

        let mut writing = world.write().await;
        writing.set_current(&stack, Some(&hash('c')), None).await.unwrap();
        writing.commit().await.unwrap();
        let marked = marks(&world).await;
        assert_eq!(marked.iter().map(|mark| &mark.stack_id).collect::<Vec<_>>(), [&stack]);

        // Marked again while GitHub was told: the mark stays, and is due at once.
        let mut writing = world.write().await;
        writing.set_current(&stack, Some(&hash('d')), None).await.unwrap();
        writing.commit().await.unwrap();
        let mut writing = world.write().await;
        writing.unmark(&marked[0]).await.unwrap();
        writing.commit().await.unwrap();
        let again = marks(&world).await;
        assert_eq!(again.len(), 1);

        // After a failure it waits, whatever changes meanwhile: GitHub asked for it.
        let mut writing = world.write().await;
        writing.put_off(&again[0], NOW.plus(5000), "limited").await.unwrap();
        writing.set_current(&stack, Some(&hash('e')), None).await.unwrap();
        writing.commit().await.unwrap();
        assert!(marks(&world).await.is_empty());
        assert_eq!(world.read().await.outbox_due(NOW.plus(5000)).await.unwrap().len(), 1);
        let _ = other;
    })
    .await;
}

#[tokio::test]
async fn a_run_has_one_check_and_a_deleted_stack_keeps_its_checks() {
    each(async |world| {
        let stack = connected(&world).await;
        let run = RunId::new("R");
        let commit = hash('b');
        let check = |id: &str| NewCheck {
            id: id.into(),
            stack: &stack,
            stack_name: "network",
            repository: 1,
            commit: &commit,
            kind: CheckKind::Proposed,
            run: Some(&run),
            at: NOW,
        };
        let mut writing = world.write().await;
        writing.ensure_check(&check("1")).await.unwrap();
        writing.ensure_check(&check("2")).await.unwrap();
        let untouched = NewCheck { kind: CheckKind::Untouched, run: None, ..check("3") };
        writing.ensure_check(&untouched).await.unwrap();
        writing.ensure_check(&NewCheck { id: "4".into(), kind: CheckKind::Fork, ..untouched }).await.unwrap();
        let live = writing.live_checks(&stack).await.unwrap();
        assert_eq!(live.iter().map(|check| check.id.as_str()).collect::<Vec<_>>(), ["1", "3"]);
        assert_eq!(live[1].kind, CheckKind::Fork);
        writing.check_sent("1", 77, "digest", true, false, NOW).await.unwrap();
        let shown = writing.check_on_github(77).await.unwrap().unwrap();
        assert_eq!((shown.sent.as_str(), shown.created_at), ("digest", NOW));
        // A check run that another took the place of is known no more, and the new one is as young as it is.
        writing.check_sent("1", 77, "digest", true, false, NOW.plus(1)).await.unwrap();
        assert_eq!(writing.check_on_github(77).await.unwrap().unwrap().created_at, NOW);
        writing.check_sent("1", 78, "digest", true, false, NOW.plus(2)).await.unwrap();
        assert_eq!(writing.check_on_github(77).await.unwrap(), None);
        assert_eq!(writing.check_on_github(78).await.unwrap().unwrap().created_at, NOW.plus(2));
        assert_eq!(writing.live_checks(&stack).await.unwrap().len(), 1);
        // It may change again.
        writing.ensure_check(&check("5")).await.unwrap();
        assert_eq!(writing.live_checks(&stack).await.unwrap().len(), 2);
        let known = writing.known_check(&stack, &commit, Some(&run)).await.unwrap().unwrap();
        assert_eq!(
            (known.github_repository_id, known.kind, known.live, known.told),
            (1, CheckKind::Proposed, true, true)
        );
        let known = writing.known_check(&stack, &commit, None).await.unwrap().unwrap();
        assert_eq!((known.github_repository_id, known.kind, known.live, known.told), (1, CheckKind::Fork, true, false));
        assert_eq!(writing.known_check(&stack, &hash('c'), None).await.unwrap(), None);
        writing.delete_stack(&stack).await.unwrap();
        writing.commit().await.unwrap();
        let mut reading = world.read().await;
        assert_eq!(reading.live_checks(&stack).await.unwrap().len(), 2);
        assert_eq!(reading.outbox_due(NOW).await.unwrap().len(), 1, "GitHub is to be told");
    })
    .await;
}

#[tokio::test]
async fn a_check_in_a_repository_that_the_stack_has_left_makes_room_when_it_was_told_its_end() {
    each(async |world| {
        let stack = connected(&world).await;
        let (run, commit) = (RunId::new("R"), hash('b'));
        let check = |id: &str, repository: i64| NewCheck {
            id: id.into(),
            stack: &stack,
            stack_name: "network",
            repository,
            commit: &commit,
            kind: CheckKind::Proposed,
            run: Some(&run),
            at: NOW,
        };
        let without =
            |id: &str, repository: i64| NewCheck { kind: CheckKind::Untouched, run: None, ..check(id, repository) };
        let mut writing = world.write().await;
        for new in [check("1", 1), without("2", 1), check("3", 2), without("4", 2)] {
            writing.ensure_check(&new).await.unwrap();
        }
        let ids = |checks: Vec<GithubCheck>| checks.into_iter().map(|check| check.id).collect::<Vec<_>>();
        assert_eq!(ids(writing.live_checks(&stack).await.unwrap()), ["1", "2"], "they are still to be told");
        for id in ["1", "2"] {
            writing.check_given_up(id, None).await.unwrap();
        }
        for new in [check("5", 2), without("6", 2)] {
            writing.ensure_check(&new).await.unwrap();
        }
        let live = writing.live_checks(&stack).await.unwrap();
        assert!(live.iter().all(|check| check.github_repository_id == 2 && check.check_run_id.is_none()));
        assert_eq!(ids(live), ["5", "6"]);
        assert_eq!(writing.check("1").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_fetch_that_found_nothing_new_marks_nothing_and_what_github_says_of_a_repository_does() {
    each(async |world| {
        let stack = connected(&world).await;
        let mirrored = world.read().await.stack(&stack).await.unwrap().unwrap().repository;
        let fetched = async |at: i64, digit: char| {
            let mut writing = world.write().await;
            writing.fetched(&mirrored, &heads([("main", digit)]), false, NOW.plus(at), NOW).await.unwrap();
            writing.commit().await.unwrap();
        };
        let marked = async || {
            let mut writing = world.write().await;
            let marks = writing.outbox().await.unwrap();
            for marked in &marks {
                writing.unmark(marked).await.unwrap();
            }
            writing.commit().await.unwrap();
            marks.into_iter().map(|mark| mark.stack_id.to_string()).collect::<Vec<_>>()
        };
        let saved = async |private: bool| {
            let mut writing = world.write().await;
            let address = "https://github.com/acme/network.git";
            let described = GithubRepository { private, ..repository_on_github(1, address) };
            writing.save_github_repository(&described).await.unwrap();
            writing.commit().await.unwrap();
        };
        assert_eq!(marked().await, ["network"], "it was tied to the one on GitHub");
        fetched(1, 'a').await;
        assert_eq!(marked().await, ["network"], "the first");
        fetched(2, 'a').await;
        assert_eq!(marked().await, [""; 0]);
        fetched(3, 'b').await;
        assert_eq!(marked().await, ["network"]);
        saved(true).await;
        assert_eq!(marked().await, [""; 0]);
        saved(false).await;
        assert_eq!(marked().await, ["network"], "the changes may not be listed any more");
        let mut writing = world.write().await;
        writing.mark_all().await.unwrap();
        writing.mark_all().await.unwrap();
        writing.commit().await.unwrap();
        assert_eq!(marked().await, ["network"]);
    })
    .await;
}

#[tokio::test]
async fn a_repository_follows_its_name_on_github_and_forgets_an_installation_that_is_gone() {
    each(async |world| {
        let stack = connected(&world).await;
        let mut writing = world.write().await;
        let renamed = GithubRepository {
            full_name: "acme/infrastructure".into(),
            ..repository_on_github(1, "https://github.com/acme/infrastructure.git")
        };
        writing.save_github_repository(&renamed).await.unwrap();
        assert_eq!(writing.stack(&stack).await.unwrap().unwrap().address, "https://github.com/acme/infrastructure.git");
        assert!(writing.github_at("https://github.com/acme/infrastructure.git").await.unwrap().is_some());
        writing.delete_installation(9).await.unwrap();
        assert_eq!(writing.github_repository(1).await.unwrap().unwrap().installation_id, None);
        writing.commit().await.unwrap();
    })
    .await;
}
