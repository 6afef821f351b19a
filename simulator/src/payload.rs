//! GitHub's objects as it writes them, whole: in answers and in webhooks.

pub mod events;
mod repository;

pub use repository::repository;

use crate::state::{App, CheckRun, Comment, Delivery, Deployment, Installation, Pull, World};
use serde_json::{Value, json};

/// A person, an organization or a bot.
pub fn user(world: &World, home: &str, login: &str) -> Value {
    let id = world.users.get(login).copied().unwrap_or(1);
    let named = login.replace('[', "%5B").replace(']', "%5D");
    let api = format!("{home}/api/v3/users/{named}");
    json!({
        "login": login, "id": id, "node_id": format!("U_{id}"), "avatar_url": format!("{home}/avatar/{id}"),
        "gravatar_id": "", "url": api, "html_url": format!("{home}/{named}"),
        "followers_url": format!("{api}/followers"), "following_url": format!("{api}/following{{/other_user}}"),
        "gists_url": format!("{api}/gists{{/gist_id}}"), "starred_url": format!("{api}/starred{{/owner}}{{/repo}}"),
        "subscriptions_url": format!("{api}/subscriptions"), "organizations_url": format!("{api}/orgs"),
        "repos_url": format!("{api}/repos"), "events_url": format!("{api}/events{{/privacy}}"),
        "received_events_url": format!("{api}/received_events"),
        "type": if login.ends_with("[bot]") { "Bot" } else { "User" }, "site_admin": false,
    })
}

/// An App.
pub fn app(world: &World, home: &str, app: &App) -> Value {
    json!({
        "id": app.id, "slug": app.slug, "node_id": format!("A_{}", app.id), "owner": user(world, home, &app.owner),
        "name": app.name, "description": null, "external_url": app.webhook_url,
        "html_url": format!("{home}/apps/{}", app.slug), "created_at": app.created_at, "updated_at": app.created_at,
        "permissions": app.permissions, "events": app.events,
    })
}

/// An installation.
pub fn installation(world: &World, home: &str, installation: &Installation) -> Value {
    let id = installation.id;
    let api = format!("{home}/api/v3");
    let app = world.apps.get(&installation.app);
    json!({
        "id": id, "account": user(world, home, &installation.account),
        "repository_selection": if installation.selected.is_some() { "selected" } else { "all" },
        "access_tokens_url": format!("{api}/app/installations/{id}/access_tokens"),
        "repositories_url": format!("{api}/installation/repositories"),
        "html_url": format!("{home}/settings/installations/{id}"), "app_id": installation.app,
        "app_slug": app.map_or("", |app| app.slug.as_str()), "target_id": id, "target_type": "User",
        "permissions": installation.permissions,
        "events": app.map_or(&[][..], |app| &app.events[..]), "created_at": installation.created_at,
        "updated_at": installation.created_at, "single_file_name": null, "suspended_at": installation.suspended_at,
        "suspended_by": installation.suspended_at.as_ref().map(|_| user(world, home, &installation.account)),
    })
}

/// A pull request, with the fields that only one by itself has when `whole`.
pub fn pull(world: &World, home: &str, pull: &Pull, whole: bool) -> Value {
    let Some(repository) = world.repositories.get(&pull.repository) else { return Value::Null };
    let name = repository.full_name();
    let (api, web) = (format!("{home}/api/v3/repos/{name}"), format!("{home}/{name}/pull/{}", pull.number));
    let (pulls, issue) = (format!("{api}/pulls/{}", pull.number), format!("{api}/issues/{}", pull.number));
    let statuses = format!("{api}/statuses/{}", pull.head_sha);
    let head_repository = pull.head_repository.and_then(|id| world.repositories.get(&id));
    let head_owner = head_repository.map_or("unknown", |repository| repository.owner.as_str());
    let side = |label: String, branch: &str, sha: &str, owner: &str, repository: Value| json!({ "label": label, "ref": branch, "sha": sha, "user": user(world, home, owner), "repo": repository });
    let base_sha = repository.heads.get(&pull.base).map_or(pull.head_sha.as_str(), String::as_str);
    let link = |href: &str| json!({ "href": href });
    let mut value = json!({
        "url": pulls, "id": pull.id, "node_id": format!("PR_{}", pull.id), "html_url": web,
        "diff_url": format!("{web}.diff"), "patch_url": format!("{web}.patch"), "issue_url": issue,
        "number": pull.number, "state": pull.state, "locked": false, "title": pull.title,
        "user": user(world, home, &pull.author), "body": null, "created_at": pull.created_at,
        "updated_at": pull.updated_at, "closed_at": pull.closed_at, "merged_at": pull.merged_at,
        "merge_commit_sha": pull.merge_commit, "assignee": null, "assignees": [], "requested_reviewers": [],
        "requested_teams": [], "labels": [], "milestone": null, "draft": pull.draft,
        "commits_url": format!("{pulls}/commits"), "review_comments_url": format!("{pulls}/comments"),
        "review_comment_url": format!("{api}/pulls/comments{{/number}}"), "comments_url": format!("{issue}/comments"),
        "statuses_url": statuses,
        "head": side(
            format!("{head_owner}:{}", pull.head), &pull.head, &pull.head_sha, head_owner,
            head_repository.map_or(Value::Null, |head| self::repository(world, home, head)),
        ),
        "base": side(
            format!("{}:{}", repository.owner, pull.base), &pull.base, base_sha, &repository.owner,
            self::repository(world, home, repository),
        ),
        "_links": {
            "self": link(&pulls), "html": link(&web), "issue": link(&issue),
            "comments": link(&format!("{issue}/comments")), "review_comments": link(&format!("{pulls}/comments")),
            "review_comment": link(&format!("{api}/pulls/comments{{/number}}")),
            "commits": link(&format!("{pulls}/commits")), "statuses": link(&statuses),
        },
        "author_association": "CONTRIBUTOR", "auto_merge": null, "active_lock_reason": null,
    });
    if whole {
        let more = json!({
            "merged": pull.merged_at.is_some(), "mergeable": null, "rebaseable": null, "mergeable_state": "unknown",
            "merged_by": pull.merged_at.as_ref().map(|_| user(world, home, &repository.owner)), "comments": 0,
            "review_comments": 0, "maintainer_can_modify": false, "commits": 1, "additions": 1, "deletions": 0,
            "changed_files": 1,
        });
        if let (Value::Object(value), Value::Object(more)) = (&mut value, more) {
            value.extend(more);
        }
    }
    value
}

/// The pull requests of a commit as check runs name them: none of a fork.
fn pulls_of(world: &World, home: &str, repository: i64, sha: &str) -> Vec<Value> {
    let of = |pull: &&Pull| {
        pull.repository == repository
            && pull.head_sha == sha
            && pull.head_repository == Some(repository)
            && pull.state == "open"
    };
    let named = |repository: &crate::state::Repository| {
        json!({
            "id": repository.id, "name": repository.name,
            "url": format!("{home}/api/v3/repos/{}", repository.full_name()),
        })
    };
    world
        .pulls
        .iter()
        .filter(of)
        .filter_map(|pull| {
            let repository = world.repositories.get(&pull.repository)?;
            let base_sha = repository.heads.get(&pull.base)?;
            Some(json!({
                "url": format!("{home}/api/v3/repos/{}/pulls/{}", repository.full_name(), pull.number),
                "id": pull.id, "number": pull.number,
                "head": { "ref": pull.head, "sha": pull.head_sha, "repo": named(repository) },
                "base": { "ref": pull.base, "sha": base_sha, "repo": named(repository) },
            }))
        })
        .collect()
}

/// A check run, as the API answers it and, with its suite, as webhooks have it.
pub fn check_run(world: &World, home: &str, run: &CheckRun) -> Value {
    let Some(repository) = world.repositories.get(&run.repository) else { return Value::Null };
    let (name, id) = (repository.full_name(), run.id);
    let mut output = run.output.clone();
    output["annotations_count"] = 0.into();
    output["annotations_url"] = format!("{home}/api/v3/repos/{name}/check-runs/{id}/annotations").into();
    for field in ["title", "summary", "text"] {
        if output.get(field).is_none() {
            output[field] = Value::Null;
        }
    }
    json!({
        "id": id, "node_id": format!("CR_{id}"), "head_sha": run.head_sha, "external_id": run.external_id,
        "url": format!("{home}/api/v3/repos/{name}/check-runs/{id}"),
        "html_url": format!("{home}/{name}/runs/{id}"),
        "details_url": run.details_url.clone().unwrap_or_else(|| home.to_owned()), "status": run.status,
        "conclusion": run.conclusion, "started_at": run.started_at, "completed_at": run.completed_at,
        "output": output, "name": run.name, "check_suite": check_suite(world, home, run),
        "app": world.apps.get(&run.app).map(|one| app(world, home, one)),
        "pull_requests": pulls_of(world, home, run.repository, &run.head_sha),
    })
}

/// The suite of a check run: all runs of its App on its commit.
pub fn check_suite(world: &World, home: &str, run: &CheckRun) -> Value {
    let Some(repository) = world.repositories.get(&run.repository) else { return Value::Null };
    let pulls = pulls_of(world, home, run.repository, &run.head_sha);
    let branch = repository.heads.iter().find(|(_, sha)| **sha == run.head_sha).map(|(branch, _)| branch);
    let id = suite_id(&run.head_sha, run.app);
    // A suite is never skipped as a whole.
    let conclusion = run.conclusion.as_deref().map(|word| if word == "skipped" { "neutral" } else { word });
    json!({
        "id": id, "node_id": format!("CS_{id}"), "head_branch": branch, "head_sha": run.head_sha,
        "status": run.status, "conclusion": conclusion,
        "url": format!("{home}/api/v3/repos/{}/check-suites/{id}", repository.full_name()),
        "before": null, "after": run.head_sha, "pull_requests": pulls,
        "app": world.apps.get(&run.app).map(|one| app(world, home, one)),
        "created_at": run.started_at, "updated_at": run.started_at,
    })
}

fn suite_id(sha: &str, app: i64) -> i64 {
    i64::from_str_radix(sha.get(..10).unwrap_or("0"), 16).unwrap_or(0) + app
}

/// A deployment.
pub fn deployment(world: &World, home: &str, deployment: &Deployment) -> Value {
    let name = world.repositories.get(&deployment.repository).map(crate::state::Repository::full_name);
    let url = format!("{home}/api/v3/repos/{}/deployments/{}", name.unwrap_or_default(), deployment.id);
    json!({
        "url": url, "id": deployment.id, "sha": deployment.sha, "ref": deployment.reference, "task": "deploy",
        "payload": deployment.payload, "environment": deployment.environment,
        "description": deployment.description, "created_at": deployment.created_at,
        "updated_at": deployment.created_at, "statuses_url": format!("{url}/statuses"),
    })
}

/// A comment.
pub fn comment(world: &World, home: &str, comment: &Comment) -> Value {
    let slug = world.apps.get(&comment.app).map_or("ghost", |app| app.slug.as_str());
    json!({
        "id": comment.id, "body": comment.body, "user": user(world, home, &format!("{slug}[bot]")),
        "created_at": comment.created_at, "updated_at": comment.updated_at,
        "performed_via_github_app": world.apps.get(&comment.app).map(|one| app(world, home, one)),
    })
}

/// An attempt to deliver a webhook.
pub fn delivery(delivery: &Delivery) -> Value {
    json!({
        "id": delivery.id, "guid": delivery.guid, "delivered_at": delivery.delivered_at,
        "redelivery": delivery.redelivery, "duration": delivery.duration, "status": delivery.status,
        "status_code": delivery.status_code, "event": delivery.event, "action": delivery.action,
        "installation_id": delivery.installation, "repository_id": delivery.repository,
    })
}
