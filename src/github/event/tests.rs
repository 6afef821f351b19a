//! Deliveries as GitHub sends them, cut, bent and made up: each becomes an event, nothing, or a sentence; never a panic.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use proptest::prelude::*;
use serde_json::json;

const APP: i64 = 29310;

fn repository() -> Value {
    json!({ "id": 1, "full_name": "acme/network", "private": true, "clone_url": "https://github.com/acme/network.git" })
}

fn click() -> Value {
    json!({
        "action": "requested_action",
        "requested_action": { "identifier": "deploy" },
        "check_run": { "id": 4, "head_sha": "a".repeat(40), "external_id": "01X", "app": { "id": APP } },
        "repository": repository(),
        "installation": { "id": 9 },
        "sender": { "id": 2, "login": "ada", "type": "User" },
    })
}

fn pull(head_repository: Value) -> Value {
    json!({
        "action": "synchronize",
        "repository": repository(),
        "pull_request": {
            "number": 7, "title": "Add a cache", "state": "open", "merged_at": null, "draft": false,
            "user": { "login": "ada" }, "html_url": "https://github.com/acme/network/pull/7",
            "head": { "ref": "cache", "sha": "b".repeat(40), "repo": head_repository },
            "base": { "ref": "main", "sha": "c".repeat(40), "repo": { "id": 1 } },
            "created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-01-02T03:04:06Z",
        },
    })
}

fn parsed(name: &str, body: &Value) -> Result<Option<Event>, Unreadable> {
    read(name, body.to_string().as_bytes(), APP)
}

#[test]
fn a_click_has_its_button_its_run_and_its_person() {
    let Some(Event::Pressed(press)) = parsed("check_run", &click()).unwrap() else { panic!("no click") };
    assert_eq!((press.check_run, press.external_id.as_str(), press.button.as_deref()), (4, "01X", Some("deploy")));
    assert_eq!((press.app, press.repository, press.installation), (Some(APP), 1, Some(9)));
    assert_eq!(press.sender.login, "ada");
    let mut without = click();
    without.as_object_mut().unwrap().remove("installation");
    let Some(Event::Pressed(press)) = parsed("check_run", &without).unwrap() else { panic!("no click") };
    assert_eq!(press.installation, None);
}

#[test]
fn a_pull_request_of_a_fork_is_told_by_its_repository() {
    let read = |head| match parsed("pull_request", &pull(head)).unwrap() {
        Some(Event::PullRequest { pull }) => pull,
        other => panic!("{other:?}"),
    };
    assert!(!read(json!({ "id": 1 })).fork);
    assert!(read(json!({ "id": 2 })).fork);
    // The fork was deleted.
    assert!(read(Value::Null).fork);
    let own = read(json!({ "id": 1 }));
    assert_eq!((own.branch(), own.updated_at.0), ("cache".to_owned(), 1_767_323_046_000));
    assert_eq!(read(json!({ "id": 2 })).branch(), "pull request 7");
}

#[test]
fn what_does_not_concern_headway_is_nothing() {
    for name in ["star", "workflow_run", "check_suite", "check_run", "issue_comment"] {
        assert_eq!(parsed(name, &json!({ "action": "created" })).unwrap(), None, "{name}");
    }
    let other = json!({
        "action": "rerequested", "repository": repository(), "sender": { "id": 1, "login": "a" },
        "check_suite": { "head_sha": "a".repeat(40), "app": { "id": 1 } },
    });
    assert_eq!(parsed("check_suite", &other).unwrap(), None);
    assert_eq!(read("star", b"no JSON at all", APP).unwrap(), None);
}

#[test]
fn what_lacks_what_it_must_have_is_a_sentence() {
    for (name, action, lacking) in [
        ("push", "", "repository"),
        ("pull_request", "opened", "repository"),
        ("check_run", "requested_action", "check run"),
        ("installation", "created", "installation"),
        ("repository", "renamed", "repository"),
    ] {
        let error = parsed(name, &json!({ "action": action })).unwrap_err().to_string();
        assert!(error.contains(lacking), "{name}: {error}");
    }
    let mut bent = pull(json!({ "id": 1 }));
    bent["pull_request"]["head"]["sha"] = "main; rm -rf /".into();
    assert!(parsed("pull_request", &bent).is_err());
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(read("push", deep.as_bytes(), APP).is_err() && glance(deep.as_bytes()).is_err());
}

#[test]
fn an_address_that_no_browser_should_follow_is_dropped() {
    let mut bent = pull(json!({ "id": 1 }));
    bent["pull_request"]["html_url"] = "javascript:alert(1)".into();
    let Some(Event::PullRequest { pull }) = parsed("pull_request", &bent).unwrap() else { panic!("no pull request") };
    assert_eq!(pull.address, "");
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((".{0,8}", inner), 0..4).prop_map(|pairs| pairs.into_iter().collect()),
        ]
    })
}

/// Every place in a document, as pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    if let Value::Object(fields) = value {
        for (name, field) in fields {
            places(field, &format!("{at}/{name}"), found);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes_are_read_or_refused(name in prop::sample::select(&HANDLED[..]), body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(name, &body, APP);
        let _ = glance(&body);
    }

    #[test]
    fn a_payload_with_anything_anywhere_is_read_or_refused(which in 0..2_usize, place in any::<prop::sample::Index>(), value in json_value()) {
        let (name, mut payload) = [("check_run", click()), ("pull_request", pull(json!({ "id": 1 })))][which].clone();
        let mut found = Vec::new();
        places(&payload, "", &mut found);
        *payload.pointer_mut(&found[place.index(found.len())]).unwrap() = value;
        let _ = parsed(name, &payload);
        let _ = glance(payload.to_string().as_bytes());
    }

    #[test]
    fn a_payload_that_was_cut_is_refused(at in any::<prop::sample::Index>()) {
        let whole = click().to_string();
        let cut = &whole.as_bytes()[..at.index(whole.len())];
        prop_assert!(read("check_run", cut, APP).is_err());
        prop_assert!(glance(cut).is_err());
    }
}
