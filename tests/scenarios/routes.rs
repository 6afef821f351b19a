//! Routes: every address that Headway answers, asked for by nobody, with garbage, and by each role. What is not in the
//! tables here fails the test, so that nothing new is open by accident.

use crate::headway::{Headway, browser};
use crate::repository::Repository;
use leptos::prelude::*;
use leptos::server_fn::axum::server_fn_paths;
use leptos_axum::generate_route_list;
use reqwest::header::{ACCEPT, AUTHORIZATION, COOKIE};
use reqwest::{Client, Method};
use std::collections::{BTreeMap, BTreeSet};

/// Who may use a server function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Least {
    Everybody,
    /// Whoever is signed in; what they see depends on who they are.
    SignedIn,
    Reader,
    Writer,
    Administrator,
}

const FUNCTIONS: &[(Least, &[&str])] = &[
    (Least::Everybody, &["sign_in", "accept_invitation", "invitation", "ways_to_sign_in"]),
    (
        Least::SignedIn,
        &[
            "account",
            "change_password",
            "end_other_sessions",
            "end_session",
            "make_token",
            "revoke_token",
            "sign_out",
            "stacks",
        ],
    ),
    (
        Least::Reader,
        &[
            "activity",
            "changes",
            "deliveries",
            "log",
            "proposed",
            "retry_run",
            "run",
            "settings",
            "stack_access",
            "stop_run",
            "tracked",
        ],
    ),
    (
        Least::Writer,
        &[
            "allow_plan",
            "confirm_run",
            "discard_run",
            "lock_stack",
            "promote_run",
            "propose_run",
            "set_current_commit",
            "sync_stack",
            "trigger_run",
            "unlock_stack",
        ],
    ),
    (
        Least::Administrator,
        &[
            "add_repository",
            "check_github",
            "connect_github",
            "create_stack",
            "delete_stack",
            "disconnect_github",
            "forget_accounts",
            "github",
            "github_repositories",
            "invite_person",
            "people",
            "person",
            "remove_variable",
            "renew_invitation",
            "replay_delivery",
            "repository",
            "save_behavior",
            "save_details",
            "save_groups",
            "save_integrations",
            "save_sign_in",
            "save_source",
            "save_vendor",
            "set_person_disabled",
            "set_role",
            "set_variable",
        ],
    ),
];

/// Pages that take an administrator; all others take a reader.
const ADMINISTRATOR_PAGES: [&str; 3] = ["/settings/people", "/settings/people/:person", "/settings/github"];

/// Pages for everybody.
const PUBLIC_PAGES: [&str; 2] = ["/sign-in", "/welcome"];

/// Addresses that are neither pages nor functions, and whether everybody may ask for them.
const OTHERS: &[(&str, &str, bool)] = &[
    ("GET", "/events", false),
    ("GET", "/activity/export", false),
    ("GET", "/stack/{stack}/run/{run}/log/{position}", false),
    ("GET", "/settings/github/callback", false),
    ("GET", "/settings/github/installed", false),
    ("GET", "/sign-in/github", true),
    ("GET", "/sign-in/openid", true),
    ("GET", "/sign-in/callback", true),
    ("POST", "/webhooks/github", true),
    ("GET", "/pkg/{*file}", true),
    ("GET", "/favicon.svg", true),
    ("GET", "/robots.txt", true),
    ("GET", "/icons.svg", true),
    ("GET", "/health", true),
];

/// Every field of every form, with a value that can be read; most name nothing that exists.
const FIELDS: &[(&str, &str)] = &[
    ("stack", "network"),
    ("run", "01ARZ3NDEKTSV4RRFFQ69G5FAV"),
    ("branch", "nowhere"),
    ("commit", "0000000"),
    ("id", "nothing"),
    ("address", "/nowhere"),
    ("repository", "nothing"),
    ("name", "Somebody"),
    ("version", "0"),
    ("tracked_branch", "main"),
    ("vendor", "terraform"),
    ("engine_binary", "x"),
    ("search", ""),
    ("filter", "x"),
    ("position", "0"),
    ("from", "0"),
    ("value", "x"),
    ("planning", "true"),
    ("seen", "0"),
    ("app_id", "x"),
    ("web", ""),
    ("api", ""),
    ("organization", ""),
    ("delivery", "x"),
    ("pull_request", "1"),
    ("person", "nobody"),
    ("role", "reader"),
    ("group", "g"),
    ("days", "0"),
    ("token", "x"),
    ("session", "x"),
    ("link", "x"),
    ("password", "x"),
    ("new", "x"),
    ("present", "x"),
    ("next", "/"),
];

async fn call(headway: &Headway, client: &Client, function: &str) -> u16 {
    let request = client.post(format!("{}/api/{function}", headway.url)).header(ACCEPT, "application/json");
    // `filter` is a text for one function, and a group of fields for another.
    let fields: Vec<_> = FIELDS.iter().filter(|(name, _)| *name != "filter" || function == "stacks").collect();
    let mut fields: Vec<(&str, &str)> = fields.into_iter().copied().collect();
    if function == "activity" {
        fields.push(("filter[stack]", "network"));
    }
    request.form(&fields).send().await.unwrap().status().into()
}

async fn get(headway: &Headway, client: &Client, method: &str, path: &str, accept: &str) -> u16 {
    let method: Method = method.parse().unwrap();
    let request = client.request(method, format!("{}{path}", headway.url)).header(ACCEPT, accept);
    request.send().await.unwrap().status().into()
}

/// An address with something in place of what varies.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        ":stack" | "{stack}" => "network",
        ":page" => "details",
        ":run" | "{run}" => "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "{*file}" => "nothing.js",
        "{position}" => "0",
        part if part.starts_with([':', '{']) => "nothing",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Browsers and scripts that are nobody.
fn strangers() -> Vec<(&'static str, Client)> {
    let with = |name: reqwest::header::HeaderName, value: &'static str| {
        let headers = [(name, value.parse().unwrap())].into_iter().collect();
        Client::builder().redirect(reqwest::redirect::Policy::none()).default_headers(headers).build().unwrap()
    };
    vec![
        ("nobody", browser()),
        ("an empty token", with(AUTHORIZATION, "Bearer ")),
        ("a garbage token", with(AUTHORIZATION, "Bearer headway_garbage")),
        ("another scheme", with(AUTHORIZATION, "Basic b3BlcmF0b3I6eA==")),
        ("a garbage session", with(COOKIE, "session=garbage; __Host-session=garbage")),
    ]
}

#[tokio::test]
async fn every_function_is_for_those_it_is_meant_for() {
    let repository = Repository::new();
    let (headway, _) = Headway::with_network(&repository).await;
    let known: BTreeMap<&str, Least> =
        FUNCTIONS.iter().flat_map(|(least, names)| names.iter().map(|name| (*name, *least))).collect();
    let there: BTreeSet<String> =
        server_fn_paths().map(|(path, _)| path.trim_start_matches("/api/").to_owned()).collect();
    assert_eq!(there, known.keys().map(|name| (*name).to_owned()).collect(), "the table names every function");
    assert!(there.len() > 40, "{there:?}");

    for (who, client) in strangers() {
        for (function, least) in &known {
            let status = call(&headway, &client, function).await;
            let closed = *least != Least::Everybody || who.contains("token") || who == "another scheme";
            let told = (status == 401 || status == 429) == closed;
            assert!(told && status < 500, "{who}: {function} answered {status}");
        }
    }
    let people = [
        (Least::SignedIn, headway.invite("nils", "").await),
        (Least::Reader, headway.invite("rosa", "reader").await),
        (Least::Writer, headway.invite("wanda", "writer").await),
        (Least::Administrator, headway.invite("alma", "administrator").await),
    ];
    for (role, client) in &people {
        // Signing out ends the session that all others need.
        for (function, least) in known.iter().filter(|(function, _)| **function != "sign_out") {
            let status = call(&headway, client, function).await;
            assert!(status < 500 && status != 401, "{role:?}: {function} answered {status}");
            if least > role {
                // Of a stack that they do not see, nothing is told.
                let refused = [403, if *role == Least::SignedIn { 404 } else { 403 }];
                assert!(refused.contains(&status), "{role:?}: {function} answered {status}");
            } else {
                assert_ne!(status, 403, "{role:?}: {function}");
            }
        }
    }
    for (_, client) in &people {
        assert_eq!(call(&headway, client, "sign_out").await, 200);
        assert_eq!(call(&headway, client, "stacks").await, 401);
    }
}

#[tokio::test]
async fn every_address_is_for_those_it_is_meant_for() {
    let repository = Repository::new();
    let (headway, _) = Headway::with_network(&repository).await;
    let source = include_str!("../../src/server.rs");
    let router = source.split("pub fn router").nth(1).unwrap().split("pub fn state_router").next().unwrap();
    let routes: BTreeSet<&str> =
        router.split(".route(\"").skip(1).map(|route| route.split('"').next().unwrap()).collect();
    let named = OTHERS.iter().map(|(_, path, _)| *path).chain(["/api/{*function}"]).collect();
    assert_eq!(routes, named, "the table names every route");

    let owner = Owner::new();
    let pages: Vec<String> =
        owner.with(|| generate_route_list(headway::app::App)).iter().map(|page| page.path().to_owned()).collect();
    assert!(pages.len() > 15, "{pages:?}");
    let reader = headway.invite("rosa", "reader").await;
    let outsider = headway.invite("nils", "").await;
    for page in &pages {
        let page = page.replace('{', ":").replace('}', "");
        let address = filled(&page);
        let public = PUBLIC_PAGES.contains(&page.as_str());
        for (who, client) in strangers() {
            let (as_page, as_data) = (
                get(&headway, &client, "GET", &address, "text/html").await,
                get(&headway, &client, "GET", &address, "application/json").await,
            );
            let refused = |status| matches!(status, 303 | 401 | 429);
            let shows_token = who.contains("token") || who == "another scheme";
            let expected = !public || shows_token;
            assert_eq!(
                (refused(as_page), refused(as_data)),
                (expected, expected),
                "{who}: {page}: {as_page} {as_data}"
            );
        }
        let status = get(&headway, &reader, "GET", &address, "text/html").await;
        let forbidden = ADMINISTRATOR_PAGES.contains(&page.as_str()) || page == "/stacks/new";
        assert!(status < 500 && (status == 403) == forbidden, "reader: {page}: {status}");
        if page.starts_with("/stack/") {
            assert_eq!(get(&headway, &outsider, "GET", &address, "text/html").await, 404, "outsider: {page}");
        }
    }
    for (method, path, public) in OTHERS {
        for (who, client) in strangers() {
            let status = get(&headway, &client, method, &filled(path), "*/*").await;
            let shows_token = who.contains("token") || who == "another scheme";
            let refused = status == 401 || status == 429;
            // The webhook has its own proof, and refuses without it.
            let expected = !public || shows_token || (*path == "/webhooks/github" && status == 401);
            assert_eq!(refused, expected, "{who}: {method} {path}: {status}");
        }
    }
    let log = "/stack/network/run/01ARZ3NDEKTSV4RRFFQ69G5FAV/log/0";
    assert_eq!(get(&headway, &outsider, "GET", log, "*/*").await, 404);
    assert_eq!(get(&headway, &outsider, "GET", "/events?stack=network", "*/*").await, 404);
    assert_eq!(get(&headway, &outsider, "GET", "/activity/export?stack=network", "*/*").await, 404);
    assert_eq!(get(&headway, &outsider, "GET", "/activity/export", "*/*").await, 403);
    assert_eq!(get(&headway, &reader, "GET", "/settings/github/callback?code=x&state=y", "*/*").await, 303);
}
