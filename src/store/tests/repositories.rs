//! Repositories in the store: one for each address, with what was seen there and when to look again.

use super::*;

#[tokio::test]
async fn an_address_is_one_repository_however_often_it_is_added() {
    each(async |world| {
        let mut writing = world.write().await;
        let first = writing
            .add_repository(&Repository { credential: Some("sealed".into()), ..repository("A", "/srv/a.git") })
            .await
            .unwrap();
        assert_eq!(first.id, RepositoryId::new("A"));
        let again =
            Repository { heads: heads([("main", 'b')]), next_fetch_at: NOW.plus(5), ..repository("B", "/srv/a.git") };
        let again = writing.add_repository(&again).await.unwrap();
        // A credential that is not given anew stays.
        assert_eq!((again.id.as_str(), again.credential.as_deref()), ("A", Some("sealed")));
        assert_eq!((again.heads, again.next_fetch_at), (heads([("main", 'b')]), NOW.plus(5)));
        let renewed = Repository { credential: Some("new".into()), ..repository("C", "/srv/a.git") };
        assert_eq!(writing.add_repository(&renewed).await.unwrap().credential.as_deref(), Some("new"));
        writing.commit().await.unwrap();
        let mut reading = world.read().await;
        let found = reading.repository(&RepositoryId::new("A")).await.unwrap();
        assert_eq!(found, reading.repository_at("/srv/a.git").await.unwrap());
        assert_eq!(reading.repository(&RepositoryId::new("B")).await.unwrap(), None);
        assert_eq!(reading.repository_at("/srv/b.git").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_fetch_is_noted_with_its_failures_until_one_works() {
    each(async |world| {
        let id = RepositoryId::new("A");
        let mut writing = world.write().await;
        writing.add_repository(&repository("A", "/srv/a.git")).await.unwrap();
        for failures in 1..=3 {
            writing.fetch_failed(&id, "no such host", NOW.plus(failures)).await.unwrap();
            let found = writing.repository(&id).await.unwrap().unwrap();
            assert_eq!((found.failures, found.problem.as_deref()), (failures, Some("no such host")));
            assert_eq!((found.next_fetch_at, found.fetched_at), (NOW.plus(failures), None));
        }
        writing.fetched(&id, &heads([("topic", 'c')]), false, NOW, NOW.plus(9)).await.unwrap();
        let found = writing.repository(&id).await.unwrap().unwrap();
        assert_eq!((found.failures, found.problem, found.fetched_at), (0, None, Some(NOW)));
        assert_eq!((found.heads, found.next_fetch_at), (heads([("topic", 'c')]), NOW.plus(9)));
    })
    .await;
}

#[tokio::test]
async fn due_is_what_was_not_fetched_since_it_was_added_or_some_stack_uses() {
    each(async |world| {
        world.stack("network").await;
        let mut writing = world.write().await;
        writing
            .add_repository(&Repository { next_fetch_at: NOW.plus(-5), ..repository("A", "/srv/a.git") })
            .await
            .unwrap();
        writing.add_repository(&repository("B", "/srv/b.git")).await.unwrap();
        let due = |found: Vec<Repository>| found.into_iter().map(|found| found.id.to_string()).collect::<Vec<_>>();
        assert_eq!(due(writing.repositories_due(NOW).await.unwrap()), ["A", "B", "R"]);
        assert_eq!(due(writing.repositories_due(NOW.plus(-1)).await.unwrap()), ["A"]);
        for id in ["A", "B", "R"] {
            writing.fetched(&RepositoryId::new(id), &heads([]), false, NOW, NOW).await.unwrap();
        }
        assert_eq!(due(writing.repositories_due(NOW).await.unwrap()), ["R"]);
        let anew = Repository { added_at: NOW.plus(1), ..repository("B", "/srv/b.git") };
        writing.add_repository(&anew).await.unwrap();
        assert_eq!(due(writing.repositories_due(NOW).await.unwrap()), ["B", "R"]);
    })
    .await;
}

#[tokio::test]
async fn a_repository_goes_when_no_stack_uses_it_and_nobody_added_it_lately() {
    each(async |world| {
        let stack = world.stack("network").await;
        let mut writing = world.write().await;
        writing.add_repository(&repository("A", "/srv/a.git")).await.unwrap();
        let anew = Repository { added_at: NOW.plus(2), ..repository("B", "/srv/b.git") };
        writing.add_repository(&anew).await.unwrap();
        let unused = |found: Vec<Repository>| found.into_iter().map(|found| found.id.to_string()).collect::<Vec<_>>();
        assert_eq!(unused(writing.unused_repositories(NOW).await.unwrap()), [""; 0]);
        assert_eq!(unused(writing.unused_repositories(NOW.plus(1)).await.unwrap()), ["A"]);
        for (id, before, gone) in [("A", 0, false), ("A", 1, true), ("A", 1, false), ("B", 2, false), ("R", 9, false)] {
            let removed = writing.remove_repository(&RepositoryId::new(id), NOW.plus(before)).await.unwrap();
            assert_eq!(removed, gone, "{id} {before}");
        }
        writing.delete_stack(&stack).await.unwrap();
        assert_eq!(unused(writing.unused_repositories(NOW.plus(9)).await.unwrap()), ["B", "R"]);
    })
    .await;
}
