//! Signing in elsewhere: with GitHub, whose account was connected before, and with an OpenID provider, whose groups have
//! roles; and everything that signs nobody in.

use crate::headway::{Headway, browser, terraform};
use crate::page::{Page, person};
use crate::provider::{CLIENT_ID, CLIENT_SECRET, Provider, Signed, now};
use crate::simulated::{Simulated, buttons};
use axum::http::StatusCode;
use reqwest::Client;
use reqwest::header::{ACCEPT, COOKIE, LOCATION, SET_COOKIE};
use serde_json::{Value, json};

/// Where an address leads a browser.
pub async fn led(client: &Client, address: &str) -> String {
    let answer = client.get(address).header(ACCEPT, "text/html").send().await.unwrap();
    assert_eq!(answer.status(), 303, "{address}");
    answer.headers()[LOCATION].to_str().unwrap().to_owned()
}

/// What a browser sees at an address of this Headway.
async fn seen(headway: &Headway, client: &Client, path: &str) -> Page {
    let answer = client.get(format!("{}{path}", headway.url)).header(ACCEPT, "text/html").send().await.unwrap();
    Page { status: answer.status().as_u16(), path: path.into(), html: answer.text().await.unwrap() }
}

/// Goes to GitHub as somebody; the address that leads back.
async fn back_from_github(headway: &Headway, client: &Client, login: &str) -> String {
    let page = led(client, &format!("{}/sign-in/github?next=/activity", headway.url)).await;
    led(client, &format!("{page}&as={login}")).await
}

pub async fn connect_github(github: &Simulated, client: &Client, login: &str) -> String {
    let back = back_from_github(&github.headway, client, login).await;
    led(client, &back).await
}

async fn allow_github(github: &Simulated) {
    let fields = [("passwords", "true"), ("github", "true")];
    github.headway.form("/settings/people", "save_sign_in", &fields).await.says("Saved.");
}

async fn allow_provider(headway: &Headway, issuer: &str) {
    let fields = [
        ("passwords", "true"),
        ("openid_name", "Example"),
        ("openid_issuer", issuer),
        ("openid_client_id", CLIENT_ID),
        ("client_secret", CLIENT_SECRET),
    ];
    headway.form("/settings/people", "save_sign_in", &fields).await.says("Saved.");
}

/// Signs in with the provider: the browser, and the page that it ends on.
pub async fn with_provider(headway: &Headway, provider: &Provider, claims: Value, signed: Signed) -> (Client, Page) {
    provider.says(claims, signed);
    let client = browser();
    let page = led(&client, &format!("{}/sign-in/openid", headway.url)).await;
    let back = led(&client, &page).await;
    let end = led(&client, &back).await;
    let page = seen(headway, &client, &end).await;
    (client, page)
}

#[tokio::test]
async fn a_github_account_that_was_connected_signs_in() {
    let github = Simulated::connected().await;
    let headway = &github.headway;
    seen(headway, &browser(), "/sign-in").await.lacks("Continue with GitHub");
    let off = led(&browser(), &format!("{}/sign-in/github", headway.url)).await;
    seen(headway, &browser(), &off).await.has_status(409).says("That is no way to sign in here.");
    allow_github(&github).await;
    seen(headway, &browser(), "/sign-in").await.says("Continue with GitHub");

    // Nobody has connected it.
    let stranger = browser();
    let end = connect_github(&github, &stranger, "ada").await;
    assert!(end.starts_with("/sign-in?problem="), "{end}");
    seen(headway, &stranger, &end)
        .await
        .has_status(409)
        .says("Nobody here has connected the GitHub account ada.")
        .says("connect GitHub on your account");
    seen(headway, &stranger, "/account").await.has_status(303);

    let rosa = headway.invite("rosa", "reader").await;
    assert_eq!(connect_github(&github, &rosa, "ada").await, "/activity");
    seen(headway, &rosa, "/account").await.says("You also sign in with GitHub as ada.");
    assert_eq!(connect_github(&github, &stranger, "ada").await, "/activity");
    seen(headway, &stranger, "/account").await.says("rosa").says("reader in the whole");
    // An account is one person's.
    let end = connect_github(&github, headway.client(), "ada").await;
    assert!(end.starts_with("/account?problem="), "{end}");
    headway.page(&end).await.has_status(409).says("This account signs in somebody else here.");
    let end = connect_github(&github, &rosa, "eve").await;
    seen(headway, &rosa, &end).await.has_status(409).says("Another account there signs you in already.");
    headway.page("/activity").await.says("connect account").says("with GitHub as ada").says("refused");

    // Shut out is shut out everywhere.
    let id = person(&headway.page("/settings/people").await, "rosa");
    headway.form("/settings/people", "set_person_disabled", &[("person", &id), ("disabled", "true")]).await;
    let late = browser();
    let end = connect_github(&github, &late, "ada").await;
    seen(headway, &late, &end).await.has_status(409).says("rosa was shut out.");
    github.is_true_to_github().await;
}

#[tokio::test]
async fn an_answer_is_good_once_and_in_the_browser_that_asked() {
    let github = Simulated::connected().await;
    let headway = &github.headway;
    allow_github(&github).await;
    assert_eq!(connect_github(&github, headway.client(), "acme").await, "/activity");
    let refused = async |client: &Client, address: &str| {
        let end = led(client, address).await;
        assert!(end.starts_with("/sign-in?problem="), "{end}");
        let page = seen(headway, client, &end).await;
        page.has_status(409).says("belongs to nothing that was begun in this browser");
        seen(headway, client, "/account").await.has_status(303);
    };
    let ada = browser();
    let back = back_from_github(headway, &ada, "acme").await;
    // Another browser: without the cookie, and with one of its own.
    refused(&browser(), &back).await;
    let eve = browser();
    back_from_github(headway, &eve, "acme").await;
    refused(&eve, &back).await;
    let state = back.split("state=").nth(1).unwrap();
    refused(&ada, &back.replace(state, "made-up")).await;
    refused(&ada, &format!("{}/sign-in/callback", headway.url)).await;

    let back = back_from_github(headway, &ada, "acme").await;
    let answer = ada.get(&back).send().await.unwrap();
    assert_eq!(answer.headers()[LOCATION], "/activity");
    let cookies: Vec<&str> =
        answer.headers().get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap()).collect();
    assert!(cookies.iter().any(|cookie| cookie.starts_with("session=") && cookie.contains("HttpOnly")), "{cookies:?}");
    assert!(cookies.iter().any(|cookie| cookie.starts_with("departure=;")), "{cookies:?}");
    // Replayed, even with the cookie that it came with.
    let state = back.split("state=").nth(1).unwrap();
    let replay = browser().get(&back).header(COOKIE, format!("departure={state}")).send().await.unwrap();
    assert!(replay.headers()[LOCATION].to_str().unwrap().starts_with("/sign-in?problem="));

    let led_to = led(&browser(), &format!("{}/sign-in/github?next=//evil.example", headway.url)).await;
    assert!(led_to.starts_with(&format!("{}/login/oauth/authorize?client_id=", github.url)), "{led_to}");
    let eve = browser();
    let page = led(&eve, &format!("{}/sign-in/github?next=//evil.example", headway.url)).await;
    let back = led(&eve, &format!("{page}&as=acme")).await;
    assert_eq!(led(&eve, &back).await, "/", "never to another site");
    // Whoever says no there is told so here.
    let eve = browser();
    let page = led(&eve, &format!("{}/sign-in/github", headway.url)).await;
    let state = page.split("state=").nth(1).unwrap().split('&').next().unwrap();
    let end = led(&eve, &format!("{}/sign-in/callback?error=access_denied&state={state}", headway.url)).await;
    seen(headway, &eve, &end).await.has_status(409).says("You were not signed in there: access_denied.");
    // However often: then it is too often.
    let mut last = String::new();
    for _ in 0..30 {
        last = led(&eve, &format!("{}/sign-in/github", headway.url)).await;
    }
    seen(headway, &eve, &last).await.has_status(429).says("tried too often");
}

#[tokio::test]
async fn whoever_a_provider_names_has_the_roles_of_their_groups() {
    let (headway, provider) = (Headway::start().await, Provider::start().await);
    allow_provider(&headway, provider.url()).await;
    seen(&headway, &browser(), "/sign-in").await.says("Continue with Example");
    let ops = || json!({ "groups": ["ops", "staff", 7] });

    // None of their groups has a role.
    let (_, page) = with_provider(&headway, &provider, ops(), Signed::Well).await;
    page.has_status(409).says("none of your groups has a role here").says("Ask an administrator");
    headway.page("/settings/people").await.lacks("ada");
    headway.form("/settings/people", "set_role", &[("group", "ops"), ("role", "writer")]).await.says("Saved.");
    let (ada, page) = with_provider(&headway, &provider, ops(), Signed::Well).await;
    page.has_status(200);
    seen(&headway, &ada, "/account").await.says("ada").says("writer in the whole").says("Groups: ops, staff");
    headway.page("/activity").await.says("let in").says("set groups").says("with the provider at");

    // The name is taken: another person with the same name has a number, and each stays who they are.
    let other = json!({ "groups": "ops", "sub": "ada-2", "preferred_username": "ADA" });
    let (second, _) = with_provider(&headway, &provider, other.clone(), Signed::Well).await;
    seen(&headway, &second, "/account").await.says("ADA 2").says("writer in the whole");
    let (again, _) = with_provider(&headway, &provider, other, Signed::Well).await;
    seen(&headway, &again, "/account").await.says("ADA 2");
    headway.page("/settings/people").await.lacks("ADA 3");

    // Taken out of the group, they have lost the role with the next sign-in, in every session.
    let (after, page) = with_provider(&headway, &provider, json!({ "groups": ["staff"] }), Signed::Well).await;
    page.has_status(200);
    seen(&headway, &after, "/account").await.says("You have no role yet");
    seen(&headway, &ada, "/account").await.says("You have no role yet").lacks("Groups: ops");

    // With the account, what the provider told of goes as well.
    let id = person(&headway.page("/settings/people").await, "ada");
    let page = format!("/settings/people/{id}");
    headway.page(&page).await.says("The provider says: staff.");
    headway.form(&page, "forget_accounts", &[("person", &id)]).await.lacks("The provider says").says("cannot sign in");
    headway.page("/activity?action=forget+accounts").await.says("Name at the provider ada-1 none Groups staff none");

    // Whoever is signed in connects the account to themselves.
    let client = headway.client();
    provider.says(json!({ "sub": "operator-1", "groups": [] }), Signed::Well);
    let page = led(client, &format!("{}/sign-in/openid?next=/account", headway.url)).await;
    let back = led(client, &page).await;
    assert_eq!(led(client, &back).await, "/account");
    headway.page("/account").await.says("operator").says("You also sign in with the provider at");
    let (same, _) = with_provider(&headway, &provider, json!({ "sub": "operator-1" }), Signed::Well).await;
    seen(&headway, &same, "/account").await.says("operator").says("administrator in the whole");
}

#[tokio::test]
async fn a_provider_takes_the_last_administrators_group_away_and_there_is_a_way_back() {
    let (mut headway, provider) = (Headway::start().await, Provider::start().await);
    allow_provider(&headway, provider.url()).await;
    let grant = [("group", "admins"), ("role", "administrator")];
    headway.form("/settings/people", "set_role", &grant).await.says("Saved.");
    let (ada, _) = with_provider(&headway, &provider, json!({ "groups": ["admins"] }), Signed::Well).await;
    seen(&headway, &ada, "/account").await.says("administrator in the whole");
    // With ada there, the operator need not be one.
    let people = headway.page("/settings/people").await;
    let id = person(&people, "operator");
    let operator = headway.act_with(ada);
    let role = [("person", id.as_str()), ("role", "reader")];
    headway.form("/settings/people", "set_role", &role).await.says("Saved.");
    headway.act_with(operator);
    let log = || std::fs::read_to_string(headway.data.path().join("headway.log")).unwrap();
    let lost = "Nobody who manages people can sign in any more";
    headway.page("/activity").await.lacks(lost);

    // The provider's word counts: they come in, and manage nothing.
    let (ada, page) = with_provider(&headway, &provider, json!({ "groups": ["staff"] }), Signed::Well).await;
    page.has_status(200);
    seen(&headway, &ada, "/account").await.says("You have no role yet").says("Groups: staff");
    headway.page("/activity").await.says(lost).says("Groups admins staff");
    assert_eq!(log().matches(lost).count(), 1, "{}", log());
    // It is said when it happens, and not with every sign-in.
    with_provider(&headway, &provider, json!({ "groups": [] }), Signed::Well).await;
    assert_eq!(log().matches(lost).count(), 1);

    headway.end("-TERM");
    let link = headway.start_again().unwrap();
    let grace = browser();
    headway.welcome(&grace, &link, "grace").await;
    seen(&headway, &grace, "/account").await.says("grace").says("administrator in the whole");
}

#[tokio::test]
async fn groups_that_the_token_leaves_out_are_asked_for() {
    let (headway, provider) = (Headway::start().await, Provider::start().await);
    allow_provider(&headway, provider.url()).await;
    headway.form("/settings/people", "set_role", &[("group", "ops"), ("role", "writer")]).await.says("Saved.");
    // Without such an endpoint, there are none.
    let (_, page) = with_provider(&headway, &provider, json!({}), Signed::Well).await;
    page.has_status(409).says("none of your groups has a role here");
    let told = |sub: &str, groups: Value| json!({ "sub": sub, "groups": groups });
    // It tells of somebody else, of nobody, or not at all.
    for (status, said, why) in [
        (StatusCode::OK, told("ada-2", json!(["ops"])), "its userinfo endpoint tells of somebody else"),
        (StatusCode::OK, json!({ "groups": ["ops"] }), "a part of it is missing or of another form"),
        (StatusCode::INTERNAL_SERVER_ERROR, told("ada-1", json!(["ops"])), "it answered 500"),
    ] {
        provider.tells(status, said);
        let (client, page) = with_provider(&headway, &provider, json!({}), Signed::Well).await;
        page.has_status(409).says(why);
        seen(&headway, &client, "/account").await.has_status(303);
    }
    provider.tells(StatusCode::OK, told("ada-1", json!(["ops", "staff"])));
    let (ada, page) = with_provider(&headway, &provider, json!({}), Signed::Well).await;
    page.has_status(200);
    seen(&headway, &ada, "/account").await.says("writer in the whole").says("Groups: ops, staff");
    // What cannot be read takes nothing away.
    provider.tells(StatusCode::SERVICE_UNAVAILABLE, json!({}));
    let (_, page) = with_provider(&headway, &provider, json!({}), Signed::Well).await;
    page.has_status(409);
    seen(&headway, &ada, "/account").await.says("writer in the whole");
    // What the token says is not asked for.
    provider.tells(StatusCode::OK, told("ada-1", json!(["ops"])));
    let (_, page) = with_provider(&headway, &provider, json!({ "groups": [] }), Signed::Well).await;
    page.has_status(200);
    seen(&headway, &ada, "/account").await.says("You have no role yet");
}

#[tokio::test]
async fn the_secret_is_shown_in_the_way_that_the_provider_takes() {
    let (headway, provider) = (Headway::start().await, Provider::start().await);
    allow_provider(&headway, provider.url()).await;
    headway.form("/settings/people", "set_role", &[("group", "ops"), ("role", "writer")]).await.says("Saved.");
    for methods in [
        ["client_secret_post", "private_key_jwt"],
        ["client_secret_post", "client_secret_basic"],
        ["client_secret_basic", "none"],
    ] {
        provider.takes(&methods);
        let (ada, page) = with_provider(&headway, &provider, json!({ "groups": ["ops"] }), Signed::Well).await;
        page.has_status(200);
        seen(&headway, &ada, "/account").await.says("writer in the whole");
    }
}

#[tokio::test]
async fn a_token_that_proves_nothing_signs_nobody_in() {
    let (headway, provider) = (Headway::start().await, Provider::start().await);
    allow_provider(&headway, provider.url()).await;
    headway.form("/settings/people", "set_role", &[("group", "ops"), ("role", "writer")]).await.says("Saved.");
    let with = |name: &str, value: Value| {
        let mut claims = json!({ "groups": ["ops"] });
        claims[name] = value;
        claims
    };
    let good = || json!({ "groups": ["ops"] });
    for (claims, signed, why) in [
        (with("nonce", json!("another")), Signed::Well, "it belongs to another sign-in"),
        (with("aud", json!("somebody else")), Signed::Well, "it was made for somebody else"),
        (with("aud", json!([CLIENT_ID, "other"])), Signed::Well, "it was made for somebody else"),
        (with("exp", json!(now() - 120)), Signed::Well, "it has ended"),
        (with("iat", json!(now() - 3600)), Signed::Well, "it was not made just now"),
        (with("iss", json!("https://evil.example")), Signed::Well, "another provider made it"),
        (good(), Signed::Not, "it is not signed in a way that is known"),
        (good(), Signed::WithPublicKey, "not signed with a key that the provider alone has"),
        (good(), Signed::ByAnother, "its signature is wrong"),
        (good(), Signed::UnderAnotherName, "no key of the provider fits it"),
    ] {
        let (client, page) = with_provider(&headway, &provider, claims, signed).await;
        page.has_status(409).says(why).says("Sign in");
        seen(&headway, &client, "/account").await.has_status(303);
    }
    let (client, _) = with_provider(&headway, &provider, good(), Signed::Well).await;
    seen(&headway, &client, "/account").await.has_status(200).says("writer in the whole");
}

#[tokio::test]
async fn a_provider_is_the_one_that_it_is_taken_for() {
    let (headway, provider) = (Headway::start().await, Provider::start().await);
    // What stands there calls itself by another address.
    allow_provider(&headway, &format!("{}/elsewhere", provider.url())).await;
    let end = led(&browser(), &format!("{}/sign-in/openid", headway.url)).await;
    seen(&headway, &browser(), &end).await.has_status(409).says("it calls itself by another address");
    allow_provider(&headway, "http://127.0.0.1:9").await;
    let end = led(&browser(), &format!("{}/sign-in/openid", headway.url)).await;
    seen(&headway, &browser(), &end).await.has_status(409).says("The provider cannot be reached");
    // Another one answers than the one that was asked.
    allow_provider(&headway, provider.url()).await;
    let client = browser();
    let page = led(&client, &format!("{}/sign-in/openid", headway.url)).await;
    let back = led(&client, &page).await;
    let mixed = format!("{}iss=https://evil.example", back.split("iss=").next().unwrap());
    let end = led(&client, &mixed).await;
    seen(&headway, &client, &end).await.has_status(409).says("another provider answered");
    // The first is written, those that follow are counted.
    headway.page("/activity").await.says("refused").says("it calls itself by another address");
}

#[tokio::test]
async fn of_whoever_presses_deploy_the_role_here_counts_as_well() {
    if !terraform() {
        return;
    }
    let github = Simulated::start().await;
    allow_github(&github).await;
    let rosa = github.headway.invite("rosa", "reader").await;
    assert_eq!(connect_github(&github, &rosa, "acme").await, "/activity");
    let (_, commit) = github.pull_request("cache").await;
    let plan = "headway/network";
    let check = github.until_check(&commit, plan, "Deploy", |check| buttons(check).contains(&"deploy")).await;
    github.click(&check, "deploy", "acme", true).await;
    let told = |check: &Value| {
        let summary = check["output"]["summary"].as_str().unwrap_or_default();
        summary.contains("acme is rosa in Headway, with reader on this stack; this takes the role writer.")
    };
    github.until_check(&commit, plan, "a reason", told).await;
    github.settled().await;
    assert!(github.check(&commit, "headway/network deploy").await.is_none());
    github.headway.page("/activity").await.says("github/acme").says("this takes the role writer");
    // As a writer it goes through.
    let id = person(&github.headway.page("/settings/people").await, "rosa");
    github.headway.form("/settings/people", "set_role", &[("person", &id), ("role", "writer")]).await;
    github.click(&check, "deploy", "acme", true).await;
    github.until_check(&commit, "headway/network deploy", "its apply", crate::simulated::ended("success")).await;
    github.is_true_to_github().await;
}
