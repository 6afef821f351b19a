//! What is kept for years: the beginning of the activity log is cut off so that the rest still verifies, and what is not
//! known any more of GitHub's deliveries is not believed.

use super::*;
use crate::commands::clean::{Cleaned, clean};
use crate::commands::cut_log::cut_log;
use crate::commands::press::{Answer, press};
use crate::domain::CommitHash;
use crate::domain::activity::chain::Head;
use crate::domain::activity::walk::Misfit;
use crate::github::event::{Press, Sender};
use crate::queries::audit::{Export, verify, verify_lines};
use crate::store::{CheckKind, GithubRepository, NewCheck, NewDelivery};

const DAY: i64 = 86_400_000;

impl World {
    async fn note(&self, action: &str) {
        let mut writing = self.context.store.write().await.unwrap();
        self.context.record(&mut writing, &writer("ada"), action, Some(&self.stack), None, "noted").await.unwrap();
        writing.commit().await.unwrap();
    }

    async fn verified(&self, noted: Option<&str>) -> Result<Head, Misfit> {
        verify(&self.context.store, noted.map(str::to_owned)).await.unwrap()
    }

    async fn numbers(&self) -> Vec<i64> {
        let links = self.context.store.read().await.unwrap().oldest_activity(&Filter::default(), 100).await.unwrap();
        links.into_iter().map(|link| link.number).collect()
    }
}

#[tokio::test]
async fn the_beginning_of_the_activity_log_goes_and_the_rest_verifies() {
    each(async |world| {
        world.note("first").await;
        let old = world.verified(None).await.unwrap();
        world.context.clock.advance(500 * DAY);
        world.note("second").await;
        // Nothing is that old, and what is so by less than a day waits for more to go with it.
        assert_eq!(clean(&world.context).await.unwrap().entries, 0);
        world.context.clock.advance(595 * DAY + DAY / 2);
        assert_eq!(clean(&world.context).await.unwrap().entries, 0);
        world.context.clock.advance(DAY);
        let whole = world.numbers().await;
        assert_eq!(clean(&world.context).await.unwrap().entries, old.number.unsigned_abs());
        let left = world.numbers().await;
        assert_eq!(left.first(), Some(&(old.number + 1)));
        assert_eq!(left.len(), whole.len() - usize::try_from(old.number).unwrap() + 1, "the cut is told of");
        assert_eq!(clean(&world.context).await.unwrap(), Cleaned::default(), "once is enough");

        let head = world.verified(None).await.unwrap();
        assert_eq!(world.verified(Some(&old.hash)).await, Ok(head.clone()), "the cut names that one's hash");
        let mut export = Export::begin(&world.context.store, Filter::default()).await.unwrap();
        let lines = export.next(&world.context.store).await.unwrap().unwrap();
        assert_eq!(lines.lines().count(), left.len());
        assert_eq!(verify_lines(lines.as_bytes(), Some(head.hash.clone())).unwrap(), Ok(head));
        assert!(lines.contains(r#""action":"cut log","actor":"Headway""#), "{lines}");
        let told = format!("Entries 1 to {} were removed: the activity log is kept for 1095 days.", old.number);
        assert!(lines.contains(&told), "{lines}");

        // An export that began before would have a hole.
        let mut late = Export::begin(&world.context.store, Filter::default()).await.unwrap();
        // And once more, until the log says nothing but that.
        world.context.clock.advance(2000 * DAY);
        let count = left.len();
        assert_eq!(clean(&world.context).await.unwrap().entries, u64::try_from(count).unwrap());
        assert_eq!(world.numbers().await.len(), 1);
        assert!(matches!(late.next(&world.context.store).await, Err(crate::store::StoreError::Changed)));
        world.note("third").await;
        assert!(world.verified(None).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_cut_that_headway_did_not_tell_of_is_found() {
    each(async |world| {
        world.note("first").await;
        world.note("second").await;
        let links = world.context.store.read().await.unwrap().oldest_activity(&Filter::default(), 100).await.unwrap();
        let first = Head { number: links[0].number, hash: links[0].hash.clone() };
        let mut writing = world.context.store.write().await.unwrap();
        assert_eq!(writing.remove_cut_activity(9).await.unwrap(), 0, "nothing goes that was not cut off");
        writing.cut_activity(&first).await.unwrap();
        writing.commit().await.unwrap();
        assert_eq!(world.verified(None).await, Err(Misfit::Untold { to: first.number }));
        for cut in [Head::default(), Head { number: 1_000_000, hash: String::new() }] {
            let mut writing = world.context.store.write().await.unwrap();
            let refused = writing.cut_activity(&cut).await.unwrap_err().to_string();
            assert!(refused.contains("the activity log is only added to"), "{refused}");
        }
        // What a Headway that was ended in between has left goes the next time, and is shown to nobody.
        assert!(!world.numbers().await.contains(&first.number));
        assert_eq!(cut_log(&world.context, 1000 * DAY).await.unwrap(), 1);
        assert_eq!(cut_log(&world.context, 1000 * DAY).await.unwrap(), 0);
    })
    .await;
}

fn click(check: &str) -> Press {
    Press {
        app: Some(5),
        check_run: 77,
        commit: "a".repeat(40),
        external_id: check.into(),
        ended: true,
        button: Some("deploy".into()),
        repository: 1,
        installation: Some(9),
        sender: Sender { id: 7, login: "acme".into(), kind: "User".into() },
    }
}

#[tokio::test]
async fn a_click_on_a_check_is_refused_when_its_delivery_would_not_be_known_any_more() {
    each(async |world| {
        let mut writing = world.context.store.write().await.unwrap();
        let on_github = GithubRepository {
            id: 1,
            installation_id: None,
            full_name: "acme/network".into(),
            clone_address: "https://github.com/acme/network.git".into(),
            default_branch: "main".into(),
            private: true,
            repository_id: None,
            linked_at: None,
            pulls_read_at: None,
        };
        writing.save_github_repository(&on_github).await.unwrap();
        let (commit, at) = (CommitHash::new("a".repeat(40)), world.context.now());
        let check = NewCheck {
            id: "C".into(),
            stack: &world.stack,
            stack_name: "Network",
            repository: 1,
            commit: &commit,
            kind: CheckKind::Untouched,
            run: None,
            at,
        };
        writing.ensure_check(&check).await.unwrap();
        let delivery = |id: &str, action: &str| NewDelivery {
            id: id.into(),
            event: "check_run".into(),
            action: action.into(),
            repository: "acme/network".into(),
            digest: id.into(),
            body: "{}".into(),
            concerns: true,
        };
        for (id, action) in [("one", "requested_action"), ("two", "deleted"), ("three", "created")] {
            writing.receive_delivery(&delivery(id, action), at).await.unwrap();
        }
        for id in ["one", "two"] {
            writing.end_delivery(id, crate::store::DeliveryState::Done, "Done.", None, at).await.unwrap();
        }
        writing.commit().await.unwrap();

        let refusal = async || match press(&world.context, &Press { installation: None, ..click("C") }, 5, true).await {
            Ok(Ok(Answer::Refused { sentence, .. })) => sentence,
            answered => panic!("{answered:?}"),
        };
        let known = async || {
            clean(&world.context).await.unwrap();
            let deliveries = world.context.store.read().await.unwrap().deliveries(None, 9).await.unwrap();
            deliveries.into_iter().map(|delivery| delivery.id).collect::<Vec<_>>()
        };
        world.context.clock.advance(400 * DAY - 1);
        // Not so old, but the stack is of another repository than the check.
        assert!(refusal().await.contains("follows another repository now"));
        assert_eq!(known().await, ["two", "three", "one"]);
        world.context.clock.advance(1);
        assert!(refusal().await.contains("This check is so old that Headway may have answered this click before."));
        world.context.clock.advance(1);
        // What waits is not over, and what tells that something was deleted is believed without asking.
        assert_eq!(known().await, ["two", "three"]);
    })
    .await;
}
