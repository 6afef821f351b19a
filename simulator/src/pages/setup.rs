//! Making an App from a manifest, and installing it.

use super::{own, page};
use crate::api::Failure;
use crate::api::apps::{NewApp, make};
use crate::control::people::{make_installation, ping};
use crate::state::{Simulator, random};
use axum::extract::{Form, Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    state: String,
}

#[derive(Deserialize)]
pub struct Manifest {
    manifest: String,
}

pub async fn new_app(
    State(simulator): State<Simulator>,
    Query(asked): Query<Asked>,
    Form(manifest): Form<Manifest>,
) -> Result<Markup, Failure> {
    ask(&simulator, "acme", &asked.state, &manifest.manifest)
}

pub async fn new_app_of(
    State(simulator): State<Simulator>,
    Path(organization): Path<String>,
    Query(asked): Query<Asked>,
    Form(manifest): Form<Manifest>,
) -> Result<Markup, Failure> {
    ask(&simulator, &organization, &asked.state, &manifest.manifest)
}

fn ask(simulator: &Simulator, owner: &str, state: &str, manifest: &str) -> Result<Markup, Failure> {
    let read: Value = serde_json::from_str(manifest).map_err(|_| Failure::new(422, "The manifest is no JSON."))?;
    for field in ["url", "redirect_url"] {
        if read[field].as_str().is_none_or(str::is_empty) {
            return Err(Failure::invalid(vec![format!("{field} is missing")]));
        }
    }
    if read["hook_attributes"].is_object() && read["hook_attributes"]["url"].as_str().is_none() {
        return Err(Failure::invalid(vec!["hook_attributes.url is missing".into()]));
    }
    let name = read["name"].as_str().unwrap_or("Headway");
    if name.chars().count() > 34 {
        return Err(Failure::invalid(vec!["name is too long (maximum is 34 characters)".into()]));
    }
    Ok(page(
        simulator,
        "Create GitHub App",
        &html! {
            h1 { "Create GitHub App for " (owner) }
            form method="post" action="/settings/apps/create" {
                input type="hidden" name="owner" value=(owner);
                input type="hidden" name="state" value=(state);
                input type="hidden" name="manifest" value=(manifest);
                p { label for="name" { "GitHub App name" } " " input id="name" name="name" value=(name); }
                button { "Create GitHub App for " (owner) }
            }
        },
    ))
}

#[derive(Deserialize)]
pub struct Create {
    owner: String,
    state: String,
    manifest: String,
    name: String,
}

pub async fn create_app(
    State(simulator): State<Simulator>,
    headers: HeaderMap,
    Form(create): Form<Create>,
) -> Result<Response, Failure> {
    own(&headers)?;
    let read: Value =
        serde_json::from_str(&create.manifest).map_err(|_| Failure::new(422, "The manifest is no JSON."))?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let permissions: BTreeMap<String, String> =
        serde_json::from_value(read["default_permissions"].clone()).unwrap_or_default();
    let new = NewApp {
        name: create.name,
        owner: Some(create.owner),
        webhook_url: text(&read["hook_attributes"]["url"]).unwrap_or_default(),
        setup_url: text(&read["setup_url"]),
        callback_urls: serde_json::from_value(read["callback_urls"].clone()).unwrap_or_default(),
        webhook_secret: None,
        permissions,
        events: serde_json::from_value(read["default_events"].clone()).unwrap_or_default(),
    };
    let code = random(20);
    let app = simulator.change(|world| {
        let app = make(world, new)?;
        world.codes.insert(code.clone(), app.id);
        Ok::<_, anyhow::Error>(app)
    });
    let app = app.map_err(|error| Failure::new(500, &error.to_string()))?;
    ping(&simulator, app.id);
    let back = text(&read["redirect_url"]).unwrap_or_default();
    Ok(Redirect::to(&format!("{back}?code={code}&state={}", create.state)).into_response())
}

pub async fn installation(State(simulator): State<Simulator>, Path(slug): Path<String>) -> Result<Markup, Failure> {
    let app = simulator.look(|world| world.apps.values().find(|app| app.slug == slug).cloned());
    let app = app.ok_or_else(Failure::not_found)?;
    let repositories: Vec<String> = simulator.look(|world| {
        let own = world.repositories.values().filter(|one| one.owner == app.owner);
        own.map(crate::state::Repository::full_name).collect()
    });
    Ok(page(
        &simulator,
        "Install",
        &html! {
            h1 { "Install " (app.name) " on " (app.owner) }
            p { "All repositories of " (app.owner) ":" }
            ul { @for name in repositories { li { (name) } } }
            form method="post" { button { "Install" } }
        },
    ))
}

pub async fn install(
    State(simulator): State<Simulator>,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    own(&headers)?;
    let app = simulator.look(|world| world.apps.values().find(|app| app.slug == slug).cloned());
    let app = app.ok_or_else(Failure::not_found)?;
    let one = make_installation(&simulator, app.id, &app.owner, None)?;
    let next = app
        .setup_url
        .map_or_else(|| "/".to_owned(), |setup| format!("{setup}?installation_id={}&setup_action=install", one.id));
    Ok(Redirect::to(&next).into_response())
}
