//! The secrets of people: passwords, sessions, one-time links, access tokens, and what Headway shares with whoever signs
//! people in. Each is made and used as people and scripts do it, rightly and wrongly.
//!
//! These answers show a secret, because nobody would have it otherwise, and nothing else does: the page that shows a new
//! link, the page that the link itself leads to (its form sends the link back), the page that shows a new token, and the
//! header `Set-Cookie` of whoever signs in.

use super::Canaries;
use super::search::{Needles, add, found};
use crate::headway::Headway;
use crate::page::{Page, person, shown_once};
use crate::provider::{CLIENT_ID, Provider, Signed};
use crate::sign_in_elsewhere::{connect_github, with_provider};
use crate::simulated::Simulated;
use reqwest::header::{ACCEPT, COOKIE, ORIGIN, REFERER, SET_COOKIE};
use reqwest::{Client, Response, redirect};
use serde_json::json;
use std::collections::BTreeSet;

/// A browser that keeps nothing and goes nowhere by itself.
fn plain() -> Client {
    Client::builder().redirect(redirect::Policy::none()).build().unwrap()
}

/// Fails unless a page that shows a secret once shows that one and no other.
#[track_caller]
fn shows_once(page: &Page, secret: &str, needles: &Needles) {
    let expected = BTreeSet::from([secret.to_owned()]);
    assert_eq!(found(page.html.as_bytes(), needles), expected, "{}", page.path);
}

/// Fails when an answer gives a secret away, in its text or in a header; the session that it begins, if it does.
async fn shows_nothing(answer: Response, needles: &Needles) -> Option<String> {
    let mut session = None;
    for (name, value) in answer.headers() {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        if name == SET_COOKIE {
            session = value.strip_prefix("session=").map(|rest| rest.split(';').next().unwrap().to_owned());
        }
        assert_eq!(found(value.as_bytes(), needles), BTreeSet::new(), "the header {name}");
    }
    let address = answer.url().path().to_owned();
    let text = answer.text().await.unwrap();
    assert_eq!(found(text.as_bytes(), needles), BTreeSet::new(), "{address}: {text}");
    session.filter(|session| !session.is_empty())
}

/// Sends a form as a browser without JavaScript does, then reads the page that it is led to.
async fn sent(
    headway: &Headway,
    function: &str,
    cookie: &str,
    fields: &[(&str, &str)],
    needles: &Needles,
) -> Option<String> {
    let request = plain().post(format!("{}/api/{function}", headway.url)).header(ACCEPT, "text/html");
    let request = request.header(ORIGIN, &headway.url).header(REFERER, format!("{}/account", headway.url));
    let answer = request.header(COOKIE, cookie).form(fields).send().await.unwrap();
    assert_eq!(answer.status(), 303, "{function}");
    let next = answer.headers()["location"].to_str().unwrap().to_owned();
    let session = shows_nothing(answer, needles).await;
    let request = plain().get(format!("{}{next}", headway.url)).header(ACCEPT, "text/html");
    shows_nothing(request.header(COOKIE, cookie).send().await.unwrap(), needles).await;
    session
}

/// Makes every secret of people, adds it to what is looked for, and uses it; the pages on which one could be left behind.
pub async fn use_every_secret(simulated: &Simulated, canaries: &Canaries, needles: &mut Needles) -> Vec<String> {
    let headway = &simulated.headway;
    let mut pages = vec!["/account".to_owned(), "/settings/people".into(), "/sign-in".into()];

    // A link, and the password that is chosen through it.
    let invited =
        headway.form("/settings/people", "invite_person", &[("name", "rosa"), ("role", "administrator")]).await;
    let link = shown_once(&invited, "/welcome?link=");
    add(&link, needles);
    shows_once(&invited, &link, needles);
    let leads = plain().get(format!("{}/welcome?link={link}", headway.url)).header(ACCEPT, "text/html");
    let leads = Page { status: 200, path: "/welcome".into(), html: leads.send().await.unwrap().text().await.unwrap() };
    shows_once(leads.says("Welcome to Headway"), &link, needles);
    let password = canaries.password.as_str();
    let wrong = format!("{password} and more");
    sent(headway, "accept_invitation", "", &[("link", "made up"), ("password", password)], needles).await;
    sent(headway, "accept_invitation", "", &[("link", &link), ("password", "short")], needles).await;
    let first = sent(headway, "accept_invitation", "", &[("link", &link), ("password", password)], needles).await;
    sent(headway, "accept_invitation", "", &[("link", &link), ("password", password)], needles).await;

    // The sessions that it begins.
    let second = sent(headway, "sign_in", "", &[("name", "rosa"), ("password", password)], needles).await;
    sent(headway, "sign_in", "", &[("name", "rosa"), ("password", &wrong)], needles).await;
    // Typed where the name belongs.
    assert_eq!(headway.call("sign_in", &[("name", password), ("password", "rosa")]).await.0, 409);
    for session in [first.unwrap(), second.unwrap()] {
        add(&session, needles);
        let cookie = format!("session={session}");
        for path in ["/", "/account", "/settings/people", "/activity"] {
            let request = plain().get(format!("{}{path}", headway.url)).header(ACCEPT, "text/html");
            let answer = request.header(COOKIE, &cookie).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
            shows_nothing(answer, needles).await;
        }
        let fields = [("present", wrong.as_str()), ("new", password)];
        sent(headway, "change_password", &cookie, &fields, needles).await;
    }

    // A link that nobody follows.
    let rosa = person(&headway.page("/settings/people").await, "rosa");
    let renewed = headway.form("/settings/people", "renew_invitation", &[("person", &rosa)]).await;
    let unused = shown_once(&renewed, "/welcome?link=");
    add(&unused, needles);
    shows_once(&renewed, &unused, needles);
    pages.extend([invited.path, renewed.path]);

    // A token.
    let make = [("name", "nightly"), ("role", "administrator"), ("days", "30")];
    let made = headway.form("/account", "make_token", &make).await;
    let token = format!("headway_{}", shown_once(&made, "value=\"headway_"));
    add(&token, needles);
    shows_once(&made, &token, needles);
    pages.push(made.path);
    for (shown, status) in [(token.clone(), 200), (format!("{token}x"), 401)] {
        let answer = plain().get(format!("{}/settings/github", headway.url)).bearer_auth(shown).send().await.unwrap();
        assert_eq!(answer.status(), status);
        shows_nothing(answer, needles).await;
    }

    // What is shared with GitHub and with a provider: they accept it, and what comes of that is refused, too.
    let provider = Provider::start_with(&canaries.provider).await;
    let ways = [
        ("passwords", "true"),
        ("github", "true"),
        ("openid_issuer", provider.url()),
        ("openid_client_id", CLIENT_ID),
        ("client_secret", &canaries.provider),
    ];
    headway.form("/settings/people", "save_sign_in", &ways).await.says("Saved.");
    assert_eq!(connect_github(simulated, headway.client(), "acme").await, "/activity");
    headway.form("/settings/people", "set_role", &[("group", "ops"), ("role", "reader")]).await.says("Saved.");
    for (signed, status) in [(Signed::Well, 200), (Signed::ByAnother, 409)] {
        let (_, page) = with_provider(headway, &provider, json!({ "groups": ["ops"] }), signed).await;
        page.has_status(status);
        assert_eq!(found(page.html.as_bytes(), needles), BTreeSet::new());
    }
    let refused = [("openid_issuer", "nowhere"), ("client_secret", &canaries.provider)];
    let page = headway.form("/settings/people", "save_sign_in", &refused).await;
    assert_eq!(found(page.has_status(422).html.as_bytes(), needles), BTreeSet::new());
    pages
}
