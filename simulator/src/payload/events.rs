//! Webhooks as GitHub writes them, and to whom they go.

use super::{check_run, check_suite, installation, pull, repository, user};
use crate::git::{NONE, Pushed};
use crate::state::{CheckRun, Installation, Pull, Repository, Simulator, World};
use crate::webhooks::{Webhook, send};
use serde_json::{Value, json};

/// Sends an event about a repository to every App that may see it and wants it.
pub fn about_repository(
    simulator: &Simulator,
    repository: &Repository,
    event: &'static str,
    sender: &str,
    fields: impl Fn(&World, &str) -> Value,
) {
    for to in simulator.look(|world| world.installations_of(repository)) {
        let wants = simulator.look(|world| {
            world.apps.get(&to.app).is_some_and(|app| {
                app.events.iter().any(|wanted| wanted == event) || (event.starts_with("check_") && is_checks(&to))
            })
        });
        if !wants || to.suspended_at.is_some() {
            continue;
        }
        let body = simulator.look(|world| {
            let mut body = fields(world, &simulator.home);
            if body.get("repository").is_none() {
                body["repository"] = self::repository(world, &simulator.home, repository);
            }
            body["sender"] = user(world, &simulator.home, sender);
            body["installation"] = json!({ "id": to.id, "node_id": format!("I_{}", to.id) });
            body
        });
        send(simulator, to.app, &Webhook { event, body, installation: Some(to.id), repository: Some(repository.id) });
    }
}

fn is_checks(to: &Installation) -> bool {
    to.permissions.get("checks").is_some_and(|level| level == "write")
}

/// A push to a branch.
pub fn push(
    simulator: &Simulator,
    repository: &Repository,
    branch: &str,
    (before, after): (&str, &str),
    forced: bool,
    commits: &[Pushed],
    pusher: &str,
) {
    let about = |files: &[(char, String)], kinds: &[char]| -> Vec<String> {
        files.iter().filter(|(kind, _)| kinds.contains(kind)).map(|(_, path)| path.clone()).collect()
    };
    about_repository(simulator, repository, "push", pusher, |world, home| {
        let name = repository.full_name();
        let listed: Vec<Value> = commits
            .iter()
            .map(|one| {
                let person = json!({ "name": one.author.0, "email": one.author.1 });
                json!({
                    "id": one.id, "tree_id": one.tree, "distinct": true, "message": one.message, "timestamp": one.at,
                    "url": format!("{home}/{name}/commit/{}", one.id), "author": person, "committer": person,
                    "added": about(&one.files, &['A']), "removed": about(&one.files, &['D']),
                    "modified": about(&one.files, &['M', 'T']),
                })
            })
            .collect();
        // Here alone times are numbers.
        let mut repository = self::repository(world, home, repository);
        repository["created_at"] = 1_700_000_000.into();
        repository["pushed_at"] = 1_700_000_000.into();
        json!({
            "ref": format!("refs/heads/{branch}"), "before": before, "after": after, "created": before == NONE,
            "deleted": after == NONE, "forced": forced, "base_ref": null,
            "compare": format!("{home}/{name}/compare/{}...{}", &before[..12], &after[..12]),
            "commits": listed, "head_commit": listed.last(), "repository": repository,
            "pusher": { "name": pusher, "email": format!("{pusher}@example.com") },
        })
    });
}

/// Something happened to a pull request.
pub fn pull_request(simulator: &Simulator, pull: &Pull, action: &str, sender: &str, more: &Value) {
    let Some(base) = simulator.look(|world| world.repositories.get(&pull.repository).cloned()) else { return };
    about_repository(simulator, &base, "pull_request", sender, |world, home| {
        let mut body = json!({
            "action": action, "number": pull.number, "pull_request": self::pull(world, home, pull, true),
        });
        if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
            body.extend(more.clone());
        }
        body
    });
}

/// Something happened to a check run: GitHub tells its own App, and of the rest only what it saw.
pub fn check(simulator: &Simulator, run: &CheckRun, action: &str, sender: &str, button: Option<&str>) {
    let Some(of) = simulator.look(|world| world.repositories.get(&run.repository).cloned()) else { return };
    about_repository(simulator, &of, "check_run", sender, |world, home| {
        let mut body = json!({ "action": action, "check_run": check_run(world, home, run) });
        if let Some(button) = button {
            body["requested_action"] = json!({ "identifier": button });
        }
        body
    });
}

/// Somebody asked for all checks of a commit again.
pub fn suite_rerequested(simulator: &Simulator, run: &CheckRun, sender: &str) {
    let Some(of) = simulator.look(|world| world.repositories.get(&run.repository).cloned()) else { return };
    about_repository(simulator, &of, "check_suite", sender, |world, home| {
        let mut suite = check_suite(world, home, run);
        suite["latest_check_runs_count"] = 1.into();
        suite["check_runs_url"] = format!("{}/check-runs", suite["url"].as_str().unwrap_or_default()).into();
        suite["head_commit"] = json!({
            "id": run.head_sha, "tree_id": run.head_sha, "message": "", "timestamp": run.started_at,
            "author": { "name": "GitHub", "email": "noreply@example.com" },
            "committer": { "name": "GitHub", "email": "noreply@example.com" },
        });
        json!({ "action": "rerequested", "check_suite": suite })
    });
}

/// The App was installed, suspended, let go on or removed.
pub fn installed(simulator: &Simulator, one: &Installation, action: &str) {
    let body = simulator.look(|world| {
        let repositories: Vec<Value> = seen(world, one).into_iter().map(brief).collect();
        let mut body = json!({
            "action": action, "installation": installation(world, &simulator.home, one),
            "sender": user(world, &simulator.home, &one.account),
        });
        if action == "created" || action == "deleted" {
            body["repositories"] = repositories.into();
        }
        body
    });
    send(simulator, one.app, &Webhook { event: "installation", body, installation: Some(one.id), repository: None });
}

/// Repositories were added to an installation, or removed from it.
pub fn repositories_changed(simulator: &Simulator, one: &Installation, added: &[i64], removed: &[i64]) {
    for (action, is_empty) in [("added", added.is_empty()), ("removed", removed.is_empty())] {
        if is_empty {
            continue;
        }
        let body = simulator.look(|world| {
            let listed = |ids: &[i64]| -> Vec<Value> {
                ids.iter().filter_map(|id| world.repositories.get(id)).map(brief).collect()
            };
            json!({
                "action": action, "installation": installation(world, &simulator.home, one),
                "repository_selection": if one.selected.is_some() { "selected" } else { "all" },
                "repositories_added": if action == "added" { listed(added) } else { Vec::new() },
                "repositories_removed": if action == "removed" { listed(removed) } else { Vec::new() },
                "requester": null, "sender": user(world, &simulator.home, &one.account),
            })
        });
        let event = "installation_repositories";
        send(simulator, one.app, &Webhook { event, body, installation: Some(one.id), repository: None });
    }
}

/// The repositories that an installation sees.
pub fn seen<'a>(world: &'a World, one: &Installation) -> Vec<&'a Repository> {
    world
        .repositories
        .values()
        .filter(|repository| match &one.selected {
            Some(selected) => selected.contains(&repository.id),
            None => repository.owner == one.account,
        })
        .collect()
}

fn brief(repository: &Repository) -> Value {
    json!({
        "id": repository.id, "node_id": format!("R_{}", repository.id), "name": repository.name,
        "full_name": repository.full_name(), "private": repository.private,
    })
}
