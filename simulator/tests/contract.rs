//! What GitHub accepts passes the contract, and each mistake that GitHub answers with 422, or would not notice, is
//! found and named.

use headway_simulator::contract::{known, request, webhook};
use serde_json::{Value, json};

const CHECK_RUNS: &str = "/repos/acme/network/check-runs";
const CHECK_RUN: &str = "/repos/acme/network/check-runs/17";
const DEPLOYMENTS: &str = "/repos/acme/network/deployments";
const STATUSES: &str = "/repos/acme/network/deployments/5/statuses";
const COMMENTS: &str = "/repos/acme/network/issues/3/comments";
const COMMENT: &str = "/repos/acme/network/issues/comments/9";
const TOKENS: &str = "/app/installations/1/access_tokens";

/// A check run with one button.
fn check_run() -> Value {
    json!({
        "name": "headway/network",
        "head_sha": "ce587453ced02b1526dfb4cb910479d431683101",
        "details_url": "https://headway.example.com/runs/1",
        "external_id": "1",
        "status": "completed",
        "started_at": "2026-11-23T10:00:00Z",
        "conclusion": "neutral",
        "output": { "title": "1 to add", "summary": "A plan.", "text": "More of it." },
        "actions": [{ "label": "Deploy", "description": "Deploy this commit", "identifier": "promote" }],
    })
}

/// The same without what only a new check run may say.
fn update() -> Value {
    without(check_run(), &["head_sha"])
}

fn without(mut body: Value, fields: &[&str]) -> Value {
    if let Some(object) = body.as_object_mut() {
        object.retain(|field, _| !fields.contains(&field.as_str()));
    }
    body
}

/// The body with another value at one place.
fn with(mut body: Value, place: &str, value: Value) -> Value {
    let (parent, field) = place.rsplit_once('/').unwrap_or_default();
    body.pointer_mut(parent).and_then(Value::as_object_mut).map(|object| object.insert(field.to_owned(), value));
    body
}

#[track_caller]
fn accepted(method: &str, path: &str, body: &Value) {
    assert_eq!(request(method, path, body), Ok(()), "{method} {path}");
}

/// Exactly this violation.
#[track_caller]
fn refused(method: &str, path: &str, body: &Value, violation: &str) {
    assert_eq!(request(method, path, body), Err(vec![violation.to_owned()]), "{method} {path}");
}

#[test]
fn what_github_accepts_passes() {
    accepted("POST", CHECK_RUNS, &check_run());
    accepted("POST", CHECK_RUNS, &json!({ "name": "headway/network", "head_sha": "ce58745" }));
    let action = json!({ "label": "l".repeat(20), "description": "d".repeat(40), "identifier": "i".repeat(20) });
    accepted("POST", CHECK_RUNS, &with(check_run(), "/actions", json!([action, action, action])));
    accepted("PATCH", CHECK_RUN, &update());
    accepted("PATCH", CHECK_RUN, &with(update(), "/actions", json!([])));
    accepted("PATCH", CHECK_RUN, &json!({ "status": "in_progress" }));
    accepted("PATCH", CHECK_RUN, &with(update(), "/output/summary", json!("ä".repeat(65_535))));
    accepted(
        "POST",
        DEPLOYMENTS,
        &json!({ "ref": "main", "auto_merge": false, "required_contexts": [], "payload": {} }),
    );
    accepted("POST", DEPLOYMENTS, &json!({ "ref": "main", "description": null, "payload": "text" }));
    accepted("POST", STATUSES, &json!({ "state": "success", "description": "d".repeat(140) }));
    accepted("POST", COMMENTS, &json!({ "body": "b".repeat(65_536) }));
    accepted("PATCH", COMMENT, &json!({ "body": "Two\nlines" }));
    accepted("POST", TOKENS, &json!({ "repository_ids": [1], "permissions": { "checks": "write" } }));
    accepted("POST", TOKENS, &Value::Null);
    accepted("PATCH", "/app/hook/config", &json!({ "content_type": "json", "secret": "s", "insecure_ssl": "0" }));
    accepted("POST", "/app-manifests/a1b2/conversions", &Value::Null);
    accepted("POST", "/app/hook/deliveries/12/attempts", &Value::Null);
    accepted("GET", CHECK_RUN, &Value::Null);
}

#[test]
fn the_buttons_of_a_check_run_have_limits() {
    for (method, path, body) in [("POST", CHECK_RUNS, check_run()), ("PATCH", CHECK_RUN, update())] {
        let actions = json!([body["actions"][0], body["actions"][0], body["actions"][0], body["actions"][0]]);
        let start = &actions.to_string()[..60];
        refused(
            method,
            path,
            &with(body.clone(), "/actions", actions.clone()),
            &format!("actions: {start}… has more than 3 items"),
        );
        for (field, limit) in [("label", 20), ("identifier", 20), ("description", 40)] {
            let place = format!("/actions/0/{field}");
            let text = "x".repeat(limit + 1);
            let violation = format!("actions/0/{field}: \"{text}\" is longer than {limit} characters");
            refused(method, path, &with(body.clone(), &place, json!(text)), &violation);
            let action = without(body["actions"][0].clone(), &[field]);
            let violation = format!("actions/0: \"{field}\" is a required property");
            refused(method, path, &with(body.clone(), "/actions", json!([action])), &violation);
        }
    }
}

#[test]
fn the_output_of_a_check_run_has_limits() {
    for (method, path, body) in [("POST", CHECK_RUNS, check_run()), ("PATCH", CHECK_RUN, update())] {
        for field in ["summary", "text"] {
            let long = with(body.clone(), &format!("/output/{field}"), json!("x".repeat(65_536)));
            let violation = format!("output/{field}: \"{}… is longer than 65535 characters", "x".repeat(59));
            refused(method, path, &long, &violation);
        }
        let output = with(body.clone(), "/output", json!({ "title": "No summary" }));
        refused(method, path, &output, "output: \"summary\" is a required property");
        let annotation = json!({
            "path": "main.tf", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "m", "title": "t"
        });
        let start = &json!([annotation]).to_string()[..60];
        let annotations = with(body.clone(), "/output/annotations", json!(vec![annotation.clone(); 51]));
        refused(method, path, &annotations, &format!("output/annotations: {start}… has more than 50 items"));
        let title = with(annotation, "/title", json!("t".repeat(256)));
        let annotations = with(body, "/output/annotations", json!([title]));
        let violation = "output/annotations: the title of an annotation has at most 255 characters";
        refused(method, path, &annotations, violation);
    }
    let output = json!({ "output": { "summary": "No title" } });
    refused("PATCH", CHECK_RUN, &output, "output/title: required when there is an output");
}

#[test]
fn a_check_run_has_a_name_a_commit_and_known_states() {
    refused("POST", CHECK_RUNS, &without(check_run(), &["name"]), "\"name\" is a required property");
    refused("POST", CHECK_RUNS, &without(check_run(), &["head_sha"]), "\"head_sha\" is a required property");
    let started = with(check_run(), "/started_at", json!("yesterday"));
    refused("POST", CHECK_RUNS, &started, "started_at: \"yesterday\" is not a \"date-time\"");
    let status = with(check_run(), "/status", json!("done"));
    refused("POST", CHECK_RUNS, &status, "status: \"done\" is not one of \"queued\", \"in_progress\" or \"completed\"");
    for (method, path, body) in [("POST", CHECK_RUNS, check_run()), ("PATCH", CHECK_RUN, update())] {
        let stale = with(body.clone(), "/conclusion", json!("stale"));
        refused(method, path, &stale, "conclusion: only GitHub sets it to stale");
        let conclusion = request(method, path, &with(body, "/conclusion", json!("fine"))).err().unwrap_or_default();
        assert!(
            conclusion[0].starts_with("conclusion: \"fine\" is not one of \"action_required\", "),
            "{conclusion:?}"
        );
    }
    // Only GitHub Actions may wait.
    let waiting = request("PATCH", CHECK_RUN, &json!({ "status": "waiting" })).err().unwrap_or_default();
    assert!(
        waiting.concat().contains("status: \"waiting\" is not one of \"queued\" or \"in_progress\""),
        "{waiting:?}"
    );
}

#[test]
fn a_completed_check_run_has_a_conclusion() {
    let rule = "conclusion: required when the status is completed or completed_at is given";
    refused("POST", CHECK_RUNS, &without(check_run(), &["conclusion"]), rule);
    let completed_at =
        with(without(check_run(), &["status", "conclusion"]), "/completed_at", json!("2026-11-23T10:00:00Z"));
    refused("POST", CHECK_RUNS, &completed_at, rule);
    // Here the description itself has the rule as well.
    let updated = request("PATCH", CHECK_RUN, &json!({ "status": "completed" })).err().unwrap_or_default();
    assert!(updated.concat().contains("\"conclusion\" is a required property; or status: "), "{updated:?}");
    assert!(updated.iter().any(|violation| violation == rule), "{updated:?}");
}

#[test]
fn comments_deployments_and_tokens_have_limits() {
    let rule = "body: a comment has from 1 to 65536 characters and is not blank";
    for (method, path) in [("POST", COMMENTS), ("PATCH", COMMENT)] {
        refused(method, path, &json!({}), "\"body\" is a required property");
        refused(method, path, &json!({ "body": "" }), rule);
        refused(method, path, &json!({ "body": " \n" }), rule);
        refused(method, path, &json!({ "body": "b".repeat(65_537) }), rule);
    }
    refused("POST", DEPLOYMENTS, &json!({}), "\"ref\" is a required property");
    refused("POST", STATUSES, &json!({}), "\"state\" is a required property");
    let long = json!({ "state": "error", "description": "d".repeat(141) });
    refused("POST", STATUSES, &long, "description: at most 140 characters");
    let permissions = json!({ "permissions": { "checks": "admin" } });
    refused("POST", TOKENS, &permissions, "permissions/checks: \"admin\" is not one of \"read\" or \"write\"");
    let many = json!({ "repository_ids": (0..501).collect::<Vec<u32>>() });
    refused("POST", TOKENS, &many, "repositories, repository_ids: at most 500 repositories");
}

#[test]
fn a_misspelt_field_is_found() {
    let violation = |field| format!("Additional properties are not allowed ('{field}' was unexpected)");
    let misspelt = with(check_run(), "/detail_url", json!("https://headway.example.com"));
    refused("POST", CHECK_RUNS, &misspelt, &violation("detail_url"));
    // A check run keeps its commit.
    refused("PATCH", CHECK_RUN, &check_run(), &violation("head_sha"));
    let action = with(check_run(), "/actions/0/title", json!("Deploy"));
    refused("POST", CHECK_RUNS, &action, &format!("actions/0: {}", violation("title")));
    let permissions = json!({ "permissions": { "check_runs": "write" } });
    refused("POST", TOKENS, &permissions, &format!("permissions: {}", violation("check_runs")));
}

#[test]
fn a_body_is_sent_where_there_is_one() {
    refused("POST", CHECK_RUNS, &Value::Null, "the operation needs a body");
    refused("GET", CHECK_RUN, &json!({}), "the operation takes no body");
    refused("POST", "/app-manifests/a1b2/conversions", &json!({}), "the operation takes no body");
    refused(
        "DELETE",
        CHECK_RUN,
        &json!({}),
        "DELETE /repos/acme/network/check-runs/17: no operation that Headway uses",
    );
}

#[test]
fn an_operation_is_known_by_its_method_and_path() {
    assert!(known("GET", "/app"));
    assert!(known("GET", "/repos/acme/network.tf"));
    assert!(known("GET", "/repos/acme/network/collaborators/octo-cat/permission"));
    assert!(known("GET", "/repos/acme/network/commits/ce58745/check-runs"));
    assert!(!known("PUT", "/app"));
    assert!(!known("GET", "/app/"));
    assert!(!known("GET", "/api/v3/app"));
    assert!(!known("GET", "/repos/acme"));
    assert!(!known("GET", "/repos//network"));
    // The number of a pull request is a number.
    assert!(known("GET", "/repos/acme/network/pulls/3"));
    assert!(!known("GET", "/repos/acme/network/pulls/three"));
}

fn ping() -> Value {
    let time = "2026-11-23T10:00:00Z";
    let hook = "https://api.github.com/app/hook";
    json!({
        "zen": "Keep it logically awesome.",
        "hook_id": 7,
        "hook": {
            "type": "App", "id": 7, "name": "web", "active": true, "app_id": 1, "events": ["pull_request", "push"],
            "config": { "content_type": "json", "insecure_ssl": "0", "url": "https://headway.example.com/webhooks/github" },
            "created_at": time, "updated_at": time,
            "url": hook, "ping_url": format!("{hook}/pings"), "deliveries_url": format!("{hook}/deliveries"),
        },
    })
}

#[test]
fn a_webhook_has_the_published_fields_and_no_others() {
    assert_eq!(webhook("ping", &ping()), Ok(()));
    let violations = |body| webhook("ping", &body).err().unwrap_or_default();
    assert_eq!(violations(without(ping(), &["zen"])), ["\"zen\" is a required property"]);
    let hook = without(ping()["hook"].clone(), &["deliveries_url"]);
    assert_eq!(violations(with(ping(), "/hook", hook)), ["hook: \"deliveries_url\" is a required property"]);
    let invented = with(ping(), "/hook/secret", json!("s"));
    assert_eq!(violations(invented), ["hook: Additional properties are not allowed ('secret' was unexpected)"]);
    let time = with(ping(), "/hook/created_at", json!("2026-11-23 10:00:00"));
    assert_eq!(violations(time), ["hook/created_at: \"2026-11-23 10:00:00\" is not a \"date-time\""]);
    let id = with(ping(), "/hook_id", json!("7"));
    assert_eq!(violations(id), ["hook_id: \"7\" is not of type \"integer\""]);
}

#[test]
fn a_webhook_is_held_against_the_schema_of_its_action() {
    let events: [(&str, &[&str]); 6] = [
        (
            "pull_request",
            &["opened", "synchronize", "closed", "reopened", "edited", "converted_to_draft", "ready_for_review"],
        ),
        ("check_run", &["created", "completed", "requested_action", "rerequested"]),
        ("check_suite", &["requested", "rerequested", "completed"]),
        ("installation", &["created", "deleted", "suspend", "unsuspend", "new_permissions_accepted"]),
        ("installation_repositories", &["added", "removed"]),
        ("repository", &["renamed", "transferred", "deleted"]),
    ];
    for (event, actions) in events {
        for action in actions {
            let violations = webhook(event, &json!({ "action": action })).err().unwrap_or_default();
            assert!(violations.contains(&"\"sender\" is a required property".to_owned()), "{violations:?}");
            assert!(!violations.iter().any(|violation| violation.starts_with("action: ")), "{violations:?}");
        }
    }
    let push = webhook("push", &json!({ "before": "0", "forced": false })).err().unwrap_or_default();
    assert!(push.contains(&"\"after\" is a required property".to_owned()), "{push:?}");
    let edited = webhook("check_run", &json!({ "action": "edited" }));
    assert_eq!(edited, Err(vec!["check_run with the action edited: no webhook that Headway handles".to_owned()]));
    let none = webhook("check_run", &json!({}));
    assert_eq!(none, Err(vec!["check_run without an action: no webhook that Headway handles".to_owned()]));
}
