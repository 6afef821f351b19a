//! People: who may do what, Apps and installations, and clicks on check runs.

use super::{Done, done, failed};
use crate::api::Failure;
use crate::api::apps::{NewApp, conversion, make};
use crate::payload::events;
use crate::state::{CheckRun, Installation, Simulator, now};
use crate::webhooks::{Webhook, send};
use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::PoisonError;

#[derive(Deserialize)]
pub struct Login {
    login: String,
}

pub async fn user(State(simulator): State<Simulator>, Json(Login { login }): Json<Login>) -> Done {
    done(json!({ "id": simulator.change(|world| world.user(&login)) }))
}

#[derive(Deserialize)]
pub struct Permission {
    permission: String,
}

pub async fn collaborator(
    State(simulator): State<Simulator>,
    Path((owner, name, login)): Path<(String, String, String)>,
    Json(Permission { permission }): Json<Permission>,
) -> Done {
    simulator.change(|world| {
        world.user(&login);
        let id = world.named(&owner, &name).map(|repository| repository.id).ok_or_else(Failure::not_found)?;
        let repository = world.repositories.get_mut(&id).ok_or_else(Failure::not_found)?;
        repository.collaborators.insert(login, permission);
        done(json!({}))
    })
}

pub async fn app(State(simulator): State<Simulator>, Json(new): Json<NewApp>) -> Done {
    let app = simulator.change(|world| make(world, new)).map_err(failed)?;
    ping(&simulator, app.id);
    done(simulator.look(|world| conversion(world, &simulator.home, &app)))
}

/// What GitHub sends when an App is made.
pub fn ping(simulator: &Simulator, id: i64) {
    let Some(app) = simulator.look(|world| world.apps.get(&id).cloned()) else { return };
    let body = json!({
        "zen": "Keep it logically awesome.", "hook_id": id,
        "hook": {
            "type": "App", "id": id, "name": "web", "active": true, "app_id": id, "events": app.events,
            "config": { "content_type": "json", "insecure_ssl": "0", "secret": "********", "url": app.webhook_url },
            "created_at": app.created_at, "updated_at": app.created_at,
            "url": format!("{}/api/v3/app/hook/config", simulator.home),
            "ping_url": format!("{}/api/v3/app/hook/pings", simulator.home),
            "deliveries_url": format!("{}/api/v3/app/hook/deliveries", simulator.home),
        },
    });
    send(simulator, id, &Webhook { event: "ping", body, installation: None, repository: None });
}

pub async fn revoke_key(State(simulator): State<Simulator>, Path(id): Path<i64>) -> Done {
    simulator.change(|world| {
        if let Some(app) = world.apps.get_mut(&id) {
            app.revoked = true;
        }
    });
    done(json!({}))
}

#[derive(Deserialize)]
pub struct Install {
    app_id: i64,
    account: String,
    repositories: Option<Vec<String>>,
}

pub async fn install(State(simulator): State<Simulator>, Json(new): Json<Install>) -> Done {
    let one = make_installation(&simulator, new.app_id, &new.account, new.repositories.as_deref())?;
    done(json!({ "id": one.id }))
}

/// Installs an App on an account: on all of its repositories, or on some.
pub fn make_installation(
    simulator: &Simulator,
    app: i64,
    account: &str,
    repositories: Option<&[String]>,
) -> Result<Installation, Failure> {
    let one = simulator.change(|world| {
        world.user(account);
        let permissions = world.apps.get(&app).ok_or_else(Failure::not_found)?.permissions.clone();
        let selected = repositories.map(|names| {
            let known = world.repositories.values().filter(|one| names.contains(&one.full_name()));
            known.map(|one| one.id).collect()
        });
        let account = account.to_owned();
        let id = world.id();
        let one = Installation { id, app, account, selected, permissions, suspended_at: None, created_at: now() };
        world.installations.insert(id, one.clone());
        Ok::<_, Failure>(one)
    })?;
    events::installed(simulator, &one, "created");
    Ok(one)
}

pub async fn uninstall(State(simulator): State<Simulator>, Path(id): Path<i64>) -> Done {
    let one = simulator.look(|world| world.installations.get(&id).cloned()).ok_or_else(Failure::not_found)?;
    forget_tokens(&simulator, id);
    simulator.change(|world| world.installations.remove(&id));
    events::installed(&simulator, &one, "deleted");
    done(json!({}))
}

pub async fn suspend(State(simulator): State<Simulator>, Path(id): Path<i64>) -> Done {
    forget_tokens(&simulator, id);
    set_suspended(&simulator, id, Some(now()), "suspend")
}

pub async fn unsuspend(State(simulator): State<Simulator>, Path(id): Path<i64>) -> Done {
    set_suspended(&simulator, id, None, "unsuspend")
}

fn set_suspended(simulator: &Simulator, id: i64, at: Option<String>, action: &str) -> Done {
    let one = simulator.change(|world| {
        let one = world.installations.get_mut(&id)?;
        one.suspended_at = at;
        Some(one.clone())
    });
    events::installed(simulator, &one.ok_or_else(Failure::not_found)?, action);
    done(json!({}))
}

#[derive(Deserialize)]
pub struct Changed {
    #[serde(default)]
    add: Vec<String>,
    #[serde(default)]
    remove: Vec<String>,
}

pub async fn repositories(
    State(simulator): State<Simulator>,
    Path(id): Path<i64>,
    Json(changed): Json<Changed>,
) -> Done {
    let (one, added, removed) = simulator.change(|world| {
        let ids = |names: &[String]| -> Vec<i64> {
            world.repositories.values().filter(|one| names.contains(&one.full_name())).map(|one| one.id).collect()
        };
        let (added, removed) = (ids(&changed.add), ids(&changed.remove));
        let all: Vec<i64> = world.repositories.keys().copied().collect();
        let one = world.installations.get_mut(&id).ok_or_else(Failure::not_found)?;
        let mut selected = one.selected.clone().unwrap_or(all);
        selected.retain(|known| !removed.contains(known));
        selected.extend(&added);
        one.selected = Some(selected);
        Ok::<_, Failure>((one.clone(), added, removed))
    })?;
    events::repositories_changed(&simulator, &one, &added, &removed);
    done(json!({}))
}

pub async fn permissions(
    State(simulator): State<Simulator>,
    Path(id): Path<i64>,
    Json(permissions): Json<BTreeMap<String, String>>,
) -> Done {
    simulator.change(|world| {
        if let Some(one) = world.installations.get_mut(&id) {
            one.permissions = permissions;
        }
    });
    done(json!({}))
}

pub async fn expire_tokens(State(simulator): State<Simulator>, Path(id): Path<i64>) -> Done {
    forget_tokens(&simulator, id);
    done(json!({}))
}

fn forget_tokens(simulator: &Simulator, id: i64) {
    simulator.tokens.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, installation| *installation != id);
}

#[derive(Deserialize)]
pub struct Click {
    identifier: String,
    login: String,
    /// Even if GitHub would not show the button.
    #[serde(default)]
    force: bool,
}

pub async fn click(State(simulator): State<Simulator>, Path(id): Path<i64>, Json(click): Json<Click>) -> Done {
    let run = press(&simulator, id, &click.login, Some(&click.identifier), click.force)?;
    events::check(&simulator, &run, "requested_action", &click.login, Some(&click.identifier));
    done(json!({}))
}

pub async fn rerequest(
    State(simulator): State<Simulator>,
    Path(id): Path<i64>,
    Json(Login { login }): Json<Login>,
) -> Done {
    let run = press(&simulator, id, &login, None, false)?;
    events::check(&simulator, &run, "rerequested", &login, None);
    done(json!({}))
}

/// Gives a check run up, as GitHub does with one that has not ended for two weeks.
pub async fn give_up(State(simulator): State<Simulator>, Path(id): Path<i64>) -> Done {
    simulator.change(|world| {
        let run = world.check_runs.get_mut(&id).filter(|run| run.status != "completed");
        let run = run.ok_or_else(Failure::not_found)?;
        run.status = "completed".into();
        run.conclusion = Some("stale".into());
        Ok::<_, Failure>(())
    })?;
    done(json!({}))
}

/// The check run, if this login may press this button of it.
pub fn press(
    simulator: &Simulator,
    id: i64,
    login: &str,
    button: Option<&str>,
    force: bool,
) -> Result<CheckRun, Failure> {
    simulator.change(|world| {
        world.user(login);
        let run = world.check_runs.get(&id).ok_or_else(Failure::not_found)?;
        let repository = world.repositories.get(&run.repository).ok_or_else(Failure::not_found)?;
        let shown = button.is_none_or(|button| run.actions.iter().any(|action| action["identifier"] == button));
        if force || (shown && repository.may_write(login)) {
            Ok(run.clone())
        } else {
            Err(Failure::new(422, "GitHub does not show that button"))
        }
    })
}

#[derive(Deserialize)]
pub struct Suite {
    sha: String,
    login: String,
}

pub async fn rerequest_suite(
    State(simulator): State<Simulator>,
    Path((owner, name)): Path<(String, String)>,
    Json(Suite { sha, login }): Json<Suite>,
) -> Done {
    let run = simulator.change(|world| {
        world.user(&login);
        let repository = world.named(&owner, &name)?.id;
        world.check_runs.values().find(|run| run.repository == repository && run.head_sha == sha).cloned()
    });
    events::suite_rerequested(&simulator, &run.ok_or_else(Failure::not_found)?, &login);
    done(json!({}))
}
