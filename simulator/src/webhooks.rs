//! Webhooks: each is kept in the log, signed, and sent in the background, in order unless a test asks otherwise.

use crate::state::{App, Delivery, Simulator, now, random};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where webhooks are handed in.
#[derive(Clone)]
pub struct Outgoing(mpsc::UnboundedSender<i64>);

impl Outgoing {
    /// A way in, and the queue behind it: ids of the log's entries.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<i64>) {
        let (sender, queue) = mpsc::unbounded_channel();
        (Self(sender), queue)
    }
}

/// What is sent.
pub struct Webhook {
    pub event: &'static str,
    pub body: Value,
    pub installation: Option<i64>,
    pub repository: Option<i64>,
}

/// Sends a webhook to an App.
pub fn send(simulator: &Simulator, app: i64, webhook: &Webhook) {
    if let Err(violations) = crate::contract::webhook(webhook.event, &webhook.body) {
        let named = format!("{} {}: {}", webhook.event, webhook.body["action"], violations.join("; "));
        eprintln!("the simulator made a webhook that GitHub would not: {named}");
        simulator.change(|world| world.contract_violations.push(named));
    }
    let body = webhook.body.to_string();
    enqueue(simulator, app, webhook.event, body, &uuid(), (webhook.installation, webhook.repository), false);
    if simulator.faults.webhooks().duplicate {
        let body = webhook.body.to_string();
        enqueue(simulator, app, webhook.event, body, &uuid(), (webhook.installation, webhook.repository), false);
    }
}

/// Sends any body under any name; for what GitHub would never send.
pub fn send_raw(simulator: &Simulator, app: i64, event: &str, body: String, guid: Option<String>) {
    enqueue(simulator, app, event, body, &guid.unwrap_or_else(uuid), (None, None), false);
}

/// Sends a logged webhook again, under the same id.
pub fn redeliver(simulator: &Simulator, id: i64) -> bool {
    let Some(known) = simulator.look(|world| world.deliveries.iter().find(|one| one.id == id).cloned()) else {
        return false;
    };
    let about = (known.installation, known.repository);
    enqueue(simulator, known.app, &known.event, known.body, &known.guid, about, true);
    true
}

fn enqueue(
    simulator: &Simulator,
    app: i64,
    event: &str,
    body: String,
    guid: &str,
    (installation, repository): (Option<i64>, Option<i64>),
    redelivery: bool,
) {
    let action = serde_json::from_str::<Value>(&body).ok().and_then(|body| body["action"].as_str().map(str::to_owned));
    let id = simulator.change(|world| {
        let id = world.id();
        world.deliveries.push(Delivery {
            id,
            app,
            guid: guid.to_owned(),
            event: event.to_owned(),
            action,
            body,
            delivered_at: now(),
            redelivery,
            duration: 0.0,
            status: "pending".into(),
            status_code: 0,
            installation,
            repository,
        });
        id
    });
    // Nobody sends when the simulator ends.
    let _ = simulator.outgoing.0.send(id);
}

/// Sends what is handed in, until nobody can hand in any more.
pub async fn deliver(simulator: Simulator, mut queue: mpsc::UnboundedReceiver<i64>) {
    let Ok(client) = reqwest::Client::builder().timeout(PATIENCE).build() else { return };
    while let Some(first) = queue.recv().await {
        let mut together = vec![first];
        while simulator.faults.webhooks().hold {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        while let Ok(next) = queue.try_recv() {
            together.push(next);
        }
        if simulator.faults.webhooks().reorder {
            together.reverse();
        }
        for id in together {
            tokio::time::sleep(Duration::from_millis(simulator.faults.webhooks().delay_ms)).await;
            attempt(&simulator, &client, id).await;
        }
    }
}

async fn attempt(simulator: &Simulator, client: &reqwest::Client, id: i64) {
    let found = simulator.look(|world| {
        let delivery = world.deliveries.iter().find(|one| one.id == id)?.clone();
        let app = world.apps.get(&delivery.app)?.clone();
        Some((delivery, app))
    });
    let Some((delivery, app)) = found else { return };
    let start = Instant::now();
    let (status, code) = if simulator.faults.loses_webhook() {
        ("failed to connect to host".to_owned(), 0)
    } else {
        match request(client, &delivery, &app).send().await {
            Ok(response) => {
                (response.status().canonical_reason().unwrap_or("OK").to_owned(), response.status().as_u16())
            }
            Err(_) => ("failed to connect to host".to_owned(), 0),
        }
    };
    simulator.change(|world| {
        if let Some(delivery) = world.deliveries.iter_mut().find(|one| one.id == id) {
            delivery.status = status;
            delivery.status_code = code;
            delivery.duration = start.elapsed().as_secs_f64();
        }
    });
}

fn request(client: &reqwest::Client, delivery: &Delivery, app: &App) -> reqwest::RequestBuilder {
    client
        .post(&app.webhook_url)
        .header("user-agent", "GitHub-Hookshot/simulated")
        .header("content-type", "application/json")
        .header("x-github-event", &delivery.event)
        .header("x-github-delivery", &delivery.guid)
        .header("x-github-hook-id", app.id.to_string())
        .header("x-github-hook-installation-target-id", app.id.to_string())
        .header("x-github-hook-installation-target-type", "integration")
        .header("x-hub-signature-256", signature(&app.webhook_secret, delivery.body.as_bytes()))
        .body(delivery.body.clone())
}

fn signature(secret: &str, body: &[u8]) -> String {
    match Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
        Ok(mut mac) => {
            mac.update(body);
            format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
        }
        Err(_) => String::new(),
    }
}

/// A random UUID, version 4.
fn uuid() -> String {
    let hex = random(16);
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}
