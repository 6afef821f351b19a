//! Apps: who they are, where they are installed, their tokens, and the exchange of a manifest's code.

use super::{Answer, Caller, Failure, answer};
use crate::payload;
use crate::state::{App, Simulator, World, clock, now, random};
use anyhow::Context as _;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::PoisonError;

/// Where the PKCS#1 key begins inside the PKCS#8 one of an RSA key of 2048 bits.
const INSIDE: usize = 26;

/// What an App is made of.
#[derive(Deserialize)]
pub struct NewApp {
    pub name: String,
    #[serde(default)]
    pub owner: Option<String>,
    pub webhook_url: String,
    #[serde(default)]
    pub setup_url: Option<String>,
    #[serde(default)]
    pub callback_urls: Vec<String>,
    #[serde(default)]
    pub webhook_secret: Option<String>,
    #[serde(default)]
    pub permissions: BTreeMap<String, String>,
    #[serde(default)]
    pub events: Vec<String>,
}

/// Makes an App with keys of its own.
pub fn make(world: &mut World, new: NewApp) -> anyhow::Result<App> {
    let pair = KeyPair::generate(KeySize::Rsa2048).context("cannot make a key")?;
    let der: Pkcs8V1Der<'_> = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).context("cannot write a key")?;
    let key = der.as_ref().get(INSIDE..).context("a key of another form")?;
    let id = world.id();
    let owner = new.owner.unwrap_or_else(|| "acme".into());
    world.user(&owner);
    let slug: String =
        new.name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let taken = world.apps.values().any(|app| app.slug == slug);
    let slug = if taken { format!("{slug}-{id}") } else { slug };
    world.user(&format!("{slug}[bot]"));
    let app = App {
        id,
        slug,
        name: new.name,
        owner,
        client_id: format!("Iv23li{}", random(7)),
        client_secret: random(20),
        webhook_secret: new.webhook_secret.unwrap_or_else(|| random(20)),
        webhook_url: new.webhook_url,
        setup_url: new.setup_url,
        callback_urls: new.callback_urls,
        private_key: pem(key),
        revoked: false,
        permissions: new.permissions,
        events: new.events,
        created_at: now(),
    };
    world.apps.insert(id, app.clone());
    Ok(app)
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
    format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----\n", lines.join("\n"))
}

/// The public half of a private key, as DER.
pub fn public_key(pem: &str) -> Option<Vec<u8>> {
    let text: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let pair = KeyPair::from_der(&STANDARD.decode(text).ok()?).ok()?;
    Some(pair.public_key().as_ref().to_vec())
}

/// Everything about an App that only its owner gets, once.
pub fn conversion(world: &World, home: &str, app: &App) -> Value {
    let mut value = payload::app(world, home, app);
    for (field, secret) in [
        ("client_id", &app.client_id),
        ("client_secret", &app.client_secret),
        ("webhook_secret", &app.webhook_secret),
        ("pem", &app.private_key),
    ] {
        value[field] = secret.as_str().into();
    }
    value
}

pub async fn convert(State(simulator): State<Simulator>, Path(code): Path<String>) -> Answer {
    let app = simulator.change(|world| world.codes.remove(&code));
    let body = app
        .and_then(|id| simulator.look(|world| world.apps.get(&id).map(|app| conversion(world, &simulator.home, app))));
    answer(StatusCode::CREATED, body.ok_or_else(Failure::not_found)?)
}

pub async fn app(State(simulator): State<Simulator>, Extension(caller): Extension<Caller>) -> Answer {
    let id = caller.app()?;
    let body = simulator.look(|world| {
        world.apps.get(&id).map(|app| {
            let mut body = payload::app(world, &simulator.home, app);
            body["client_id"] = app.client_id.as_str().into();
            body
        })
    });
    answer(StatusCode::OK, body.ok_or_else(Failure::not_found)?)
}

pub async fn installations(State(simulator): State<Simulator>, Extension(caller): Extension<Caller>) -> Answer {
    let id = caller.app()?;
    let list: Vec<Value> = simulator.look(|world| {
        let own = world.installations.values().filter(|one| one.app == id);
        own.map(|one| payload::installation(world, &simulator.home, one)).collect()
    });
    answer(StatusCode::OK, list.into())
}

pub async fn installation(
    State(simulator): State<Simulator>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<i64>,
) -> Answer {
    let app = caller.app()?;
    let body = simulator.look(|world| {
        let one = world.installations.get(&id).filter(|one| one.app == app)?;
        Some(payload::installation(world, &simulator.home, one))
    });
    answer(StatusCode::OK, body.ok_or_else(Failure::not_found)?)
}

/// Whoever shows their own token.
pub async fn user(State(simulator): State<Simulator>, Extension(caller): Extension<Caller>) -> Answer {
    let Caller::User(id) = caller else { return Err(Failure::new(401, "Requires authentication")) };
    let body = simulator.look(|world| {
        let login = world.users.iter().find(|(_, known)| **known == id).map(|(login, _)| login)?;
        Some(payload::user(world, &simulator.home, login))
    });
    answer(StatusCode::OK, body.ok_or_else(Failure::not_found)?)
}

/// A token of an installation, of the longer form that GitHub gives since 2026.
pub async fn token(
    State(simulator): State<Simulator>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<i64>,
    body: Option<Json<Value>>,
) -> Answer {
    let app = caller.app()?;
    let _ = body;
    let found = simulator.look(|world| world.installations.get(&id).filter(|one| one.app == app).cloned());
    let one = found.ok_or_else(Failure::not_found)?;
    if one.suspended_at.is_some() {
        return Err(Failure::new(403, "This installation has been suspended"));
    }
    let token = format!("ghs_{app}_{}", random(60));
    simulator.tokens.lock().unwrap_or_else(PoisonError::into_inner).insert(token.clone(), id);
    let expires = clock() + jiff::SignedDuration::from_hours(1);
    answer(
        StatusCode::CREATED,
        json!({
            "token": token, "expires_at": expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "permissions": one.permissions,
            "repository_selection": if one.selected.is_some() { "selected" } else { "all" },
        }),
    )
}
