//! Deliveries: for how long one is tried again, and that no page of the ledger loses any.

use super::*;
use crate::commands::answer_delivery::{answer, replay};
use crate::domain::permission::{ConnectGithub, LookAround};
use crate::queries;
use crate::store::{DeliveryState, GithubApp, NewDelivery};

/// For how long a delivery is tried again, in milliseconds.
const PATIENCE: i64 = 10 * 60_000;

fn app() -> GithubApp {
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
        created_at: Timestamp(0),
        checked_at: None,
        problem: None,
        delivered_at: None,
        signature_failures: 0,
        signature_failed_at: None,
        caught_up_at: None,
    }
}

fn push(id: &str, concerns: bool) -> NewDelivery {
    NewDelivery {
        id: id.into(),
        event: "push".into(),
        action: String::new(),
        repository: "acme/network".into(),
        digest: id.into(),
        body: r#"{ "repository": { "id": 1, "full_name": "acme/network" } }"#.into(),
        concerns,
    }
}

impl World {
    async fn receive(&self, new: &NewDelivery) {
        let mut writing = self.context.store.write().await.unwrap();
        writing.receive_delivery(new, self.context.now()).await.unwrap();
        writing.commit().await.unwrap();
    }

    /// Works on a delivery once; how far it then is.
    async fn tried(&self, id: &str) -> DeliveryState {
        let delivery = self.read().await.delivery(id).await.unwrap().unwrap();
        answer(&self.context, &delivery).await.unwrap();
        self.read().await.delivery(id).await.unwrap().unwrap().state
    }
}

#[tokio::test]
async fn a_delivery_that_is_replayed_is_tried_again_for_as_long_as_a_new_one() {
    each(async |world| {
        world.on_github().await;
        let mut writing = world.context.store.write().await.unwrap();
        writing.save_github_app(&app()).await.unwrap();
        writing.commit().await.unwrap();
        world.receive(&push("A", true)).await;
        // Nothing can be fetched.
        std::fs::rename(world.folder.path().join("origin.git"), world.folder.path().join("away")).unwrap();
        let clock = &world.context.clock;
        assert_eq!(world.tried("A").await, DeliveryState::Waiting);
        clock.advance(PATIENCE);
        assert_eq!(world.tried("A").await, DeliveryState::Failed);

        clock.advance(3 * PATIENCE);
        let permission = permit::<ConnectGithub>(&Viewer::system(), &StackId::new("")).unwrap();
        replay(&world.context, &permission, "A").await.unwrap();
        assert_eq!(world.tried("A").await, DeliveryState::Waiting);
        clock.advance(PATIENCE - 1);
        assert_eq!(world.tried("A").await, DeliveryState::Waiting);
        clock.advance(1);
        assert_eq!(world.tried("A").await, DeliveryState::Failed);
    })
    .await;
}

#[tokio::test]
async fn every_delivery_stands_on_one_page_of_the_ledger() {
    each(async |world| {
        for number in 0..60 {
            world.receive(&push(&format!("{number}"), false)).await;
        }
        let permission = permit::<LookAround>(&Viewer::system(), &StackId::new("")).unwrap();
        let newest = queries::deliveries(&world.context, &permission, None).await.unwrap();
        let (at, id) = newest.older.unwrap();
        let older = queries::deliveries(&world.context, &permission, Some((at, id.as_str()))).await.unwrap();
        assert_eq!((newest.deliveries.len(), older.deliveries.len(), older.older), (50, 10, None));
        let ids = newest.deliveries.iter().chain(&older.deliveries).map(|delivery| delivery.id.as_str());
        assert_eq!(ids.collect::<std::collections::BTreeSet<_>>().len(), 60);
    })
    .await;
}
