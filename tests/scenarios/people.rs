//! People: how the first administrator comes in, how others do, what each role may do, and how all of it ends.

use crate::activity::audit;
use crate::headway::{Headway, PASSWORD, browser};
use crate::page::{person, shown_once};
use crate::repository::Repository;
use reqwest::header::{ACCEPT, AUTHORIZATION, LOCATION};
use std::process::Command;

/// Signs in with a name and a password; the status, and where it leads.
async fn sign_in(headway: &Headway, client: &reqwest::Client, name: &str, password: &str) -> u16 {
    let answer = client.post(format!("{}/api/sign_in", headway.url)).header(ACCEPT, "application/json");
    answer.form(&[("name", name), ("password", password)]).send().await.unwrap().status().as_u16()
}

async fn status(headway: &Headway, client: &reqwest::Client, path: &str) -> u16 {
    client
        .get(format!("{}{path}", headway.url))
        .header(ACCEPT, "application/json")
        .send()
        .await
        .unwrap()
        .status()
        .into()
}

#[tokio::test]
async fn the_first_link_is_good_once_and_a_new_one_takes_the_data_folder() {
    let mut headway = Headway::start().await;
    headway.page("/").await.has_status(200);
    headway.page("/account").await.says("operator").says("administrator in the whole");
    headway.end("-TERM");
    // Somebody manages it, so that no other link is printed.
    headway.start_again();
    headway.page("/account").await.has_status(200).says("operator");
    let administrator = |headway: &Headway| {
        let mut command = Command::new(crate::headway::program());
        command.args(["administrator", "--data"]).arg(headway.data.path()).output().unwrap()
    };
    let refused = administrator(&headway);
    assert!(
        !refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("is used by another Headway")
    );
    headway.end("-TERM");
    let made = administrator(&headway);
    let link = String::from_utf8(made.stdout).unwrap();
    headway.start_again();
    let second = browser();
    headway.welcome(&second, link.trim(), "ada").await;
    let again = browser().post(format!("{}/api/accept_invitation", headway.url)).header(ACCEPT, "application/json");
    let secret = link.trim().split("link=").nth(1).unwrap();
    let again = again.form(&[("link", secret), ("name", "eve"), ("password", PASSWORD)]).send().await.unwrap();
    assert_eq!(again.status(), 404);
    headway.page("/settings/people").await.says("ada").says("operator").lacks("eve administrator");
    headway.page("/activity").await.says("The link was used, is over, or never was.");
}

#[tokio::test]
async fn a_password_signs_in_and_what_is_wrong_is_told_the_same_way_until_it_is_too_often() {
    let headway = Headway::start().await;
    let client = browser();
    assert_eq!(status(&headway, &client, "/").await, 401);
    assert_eq!(sign_in(&headway, &client, " OPERATOR ", PASSWORD).await, 200);
    assert_eq!(status(&headway, &client, "/").await, 200);
    let page = headway.form("/account", "change_password", &[("present", PASSWORD), ("new", "password1")]).await;
    page.has_status(422).says("guessed too soon");
    let new = "violet-kettle-harbour-72";
    headway.form("/account", "change_password", &[("present", "wrong"), ("new", new)]).await.has_status(422);
    headway.form("/account", "change_password", &[("present", PASSWORD), ("new", new)]).await.says("Saved.");
    // Every other session of theirs has ended.
    assert_eq!(status(&headway, &client, "/").await, 401);
    let wrong =
        [sign_in(&headway, &client, "operator", PASSWORD).await, sign_in(&headway, &client, "nobody", "x").await];
    assert_eq!(wrong, [409, 409]);
    headway.page("/activity").await.says("This name and password do not fit.").says("change password");
    let mut answers = Vec::new();
    for _ in 0..12 {
        answers.push(sign_in(&headway, &client, "operator", "guess").await);
    }
    assert_eq!((answers[0], answers.last()), (409, Some(&429)));
    // Even the right one: who guesses is not told when they have it.
    assert_eq!(sign_in(&headway, &client, "operator", new).await, 429);
    headway.page("/account").await.has_status(200);
    headway.form("/account", "sign_out", &[]).await.says("Sign in");
    headway.page("/account").await.has_status(303);
}

#[tokio::test]
async fn each_role_does_its_share_and_is_told_what_it_lacks() {
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    let reader = headway.invite("rosa", "reader").await;
    let writer = headway.invite("wanda", "writer").await;
    let nobody = headway.invite("nils", "").await;
    let call = async |client: &reqwest::Client, function: &str, fields: &[(&str, &str)]| {
        let request = client.post(format!("{}/api/{function}", headway.url)).header(ACCEPT, "application/json");
        request.form(fields).send().await.unwrap().status().as_u16()
    };
    let on_network = [("stack", "network")];
    assert_eq!(call(&reader, "trigger_run", &on_network).await, 403);
    assert_eq!(call(&nobody, "trigger_run", &on_network).await, 404);
    assert_eq!(call(&writer, "lock_stack", &on_network).await, 200);
    assert_eq!(call(&writer, "delete_stack", &[("stack", "network"), ("name", "Network")]).await, 403);
    assert_eq!(call(&writer, "invite_person", &[("name", "eve"), ("role", "administrator")]).await, 403);
    assert_eq!([status(&headway, &reader, &stack).await, status(&headway, &nobody, &stack).await], [200, 404]);
    headway.page("/activity").await.says("rosa").says("trigger").says("refused");
    // What somebody lacks is told before they press.
    let read = async |client: &reqwest::Client, path: &str| {
        let answer = client.get(format!("{}{path}", headway.url)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (settings, commit) = (format!("{stack}/settings/behavior"), format!("{stack}/current-commit"));
    for (client, path, needs) in [
        (&reader, "/", "(takes the role administrator)"),
        (
            &reader,
            settings.as_str(),
            "You are a reader here: you may look. Changing something takes the role administrator.",
        ),
        (
            &writer,
            settings.as_str(),
            "You are a writer here: you may look. Changing something takes the role administrator.",
        ),
        (&reader, commit.as_str(), "(takes the role writer)"),
    ] {
        let (status, html) = read(client, path).await;
        assert!(status == 200 && html.contains(needs), "{path}: {status} {html}");
    }
    assert!(!read(&writer, &commit).await.1.contains("takes the role"));
    let (refused, html) = read(&writer, "/stacks/new").await;
    assert!(refused == 403 && html.matches("<h1").count() == 1, "{refused} {html}");
    let access = headway.page(&format!("{stack}/access")).await;
    access.says("Can promote").says("wanda").says("writer in the whole of this Headway").lacks("nils");

    // A role on this stack alone, through a group.
    let people = headway.page("/settings/people").await;
    let id = |name: &str| person(&people, name);
    let nils = id("nils");
    headway
        .form("/settings/people", "save_groups", &[("person", &nils), ("groups", "ops\nnetwork")])
        .await
        .says("Saved.");
    let grant = [("group", "ops"), ("stack", "network"), ("role", "writer")];
    headway.form("/settings/people", "set_role", &grant).await.says("Saved.");
    headway.page(&format!("{stack}/access")).await.says("writer on this stack, through the group ops");
    assert_eq!(call(&nobody, "sync_stack", &on_network).await, 200);
    let log =
        [status(&headway, &nobody, "/activity").await, status(&headway, &nobody, "/activity?stack=network").await];
    assert_eq!(log, [403, 200]);
    let seen = nobody.get(format!("{}/settings/people", headway.url)).send().await.unwrap();
    assert_eq!(seen.status(), 403);

    // Shut out, everything of theirs ends at once; the last administrator cannot be.
    let wanda = id("wanda");
    headway.form("/settings/people", "set_person_disabled", &[("person", &wanda), ("disabled", "true")]).await;
    assert_eq!(call(&writer, "unlock_stack", &on_network).await, 401);
    let page = headway.form(&format!("/settings/people/{wanda}"), "renew_invitation", &[("person", &wanda)]).await;
    page.has_status(409).says("wanda is shut out, and no link lets them in.").says("Let them in again first");
    headway.page("/activity").await.says("wanda is shut out, and no link lets them in.");
    headway.form("/settings/people", "set_person_disabled", &[("person", &wanda)]).await.says("Saved.");
    headway
        .form("/settings/people", "renew_invitation", &[("person", &wanda)])
        .await
        .has_status(200)
        .says("Send them this link now");
    let operator = id("operator");
    let shut = [("person", operator.as_str()), ("disabled", "true")];
    let own = format!("/settings/people/{operator}");
    let page = headway.form(&own, "set_person_disabled", &shut).await;
    page.has_status(409).says("nobody who manages people could sign in any more");
    let page = headway.form(&own, "set_role", &[("person", &operator), ("role", "writer")]).await;
    let told = page.has_status(409).text().matches("nobody who manages people could sign in any more").count();
    assert_eq!(told, 1);
    headway.page("/settings/people").await.has_status(200);
}

#[tokio::test]
async fn a_token_does_no_more_than_it_says_and_makes_no_others() {
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    let make = [("name", "nightly"), ("role", "reader"), ("stack", "network"), ("days", "30")];
    let shown = headway.form("/account", "make_token", &make).await;
    shown.says("Copy it now");
    let token = format!("headway_{}", shown_once(&shown, "value=\"headway_"));
    assert!(!headway.page(&shown.path).await.html.contains(&token), "it is shown once");
    let plain = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let ask = async |shown: &str, path: &str| {
        let request = plain.get(format!("{}{path}", headway.url)).header(AUTHORIZATION, format!("Bearer {shown}"));
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(ask(&token, &stack).await, 200);
    assert_eq!([ask(&token, "/activity").await, ask(&token, "/settings/people").await], [403, 403]);
    assert_eq!(ask(&token, "/account").await, 409, "it is nobody's self");
    for wrong in ["", "headway_", "headway_x", &token[..token.len() - 1], "garbage"] {
        assert_eq!(ask(wrong, &stack).await, 401, "{wrong}");
    }
    let trigger = plain.post(format!("{}/api/trigger_run", headway.url)).header(ACCEPT, "application/json");
    let trigger = trigger.bearer_auth(&token).form(&[("stack", "network")]).send().await.unwrap();
    assert_eq!(trigger.status(), 403);
    let page = headway.page("/account").await;
    page.says("nightly").says("reader on network").lacks("never");
    headway.page("/activity").await.says("token/nightly").says("Nobody has this token, or not any more.");
    let id = page.html.split("name=\"token\"").nth(1).unwrap().split("value=\"").nth(1).unwrap();
    let id = id.split('"').next().unwrap().to_owned();
    headway.form("/account", "revoke_token", &[("token", &id)]).await.says("No tokens.");
    assert_eq!(ask(&token, &stack).await, 401);
    let more = [("name", "x"), ("role", "administrator"), ("days", "366")];
    headway.form("/account", "make_token", &more).await.has_status(422).says("365 days");
}

#[tokio::test]
async fn whoever_signs_in_is_led_to_this_headway_only() {
    let headway = Headway::start().await;
    for (next, led) in [
        ("/stack/x?log=1", "/stack/x?log=1"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil.example", "/"),
        ("", "/"),
    ] {
        let fields = [("name", "operator"), ("password", PASSWORD), ("next", next)];
        let request = browser().post(format!("{}/api/sign_in", headway.url)).header(ACCEPT, "text/html");
        let answer = request.form(&fields).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers()[LOCATION].to_str().unwrap()), (303, led), "{next}");
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/"),
            "{cookie}"
        );
    }
}

#[tokio::test]
async fn behind_a_named_proxy_the_log_knows_whom_it_speaks_for_and_browsers_stay_with_https() {
    let proxy = [("HEADWAY_PUBLIC_URL", "https://headway.example.com"), ("HEADWAY_TRUSTED_PROXY", "127.0.0.1")];
    for (environment, origin, stays) in [(&proxy[..], "203.0.113.9", true), (&[][..], "127.0.0.1", false)] {
        let headway = Headway::start_with("serve", environment).await;
        let guess = browser().post(format!("{}/api/sign_in", headway.url)).header(ACCEPT, "application/json");
        let guess = guess.header("x-forwarded-for", "198.51.100.7, 203.0.113.9");
        let refused = guess.form(&[("name", "operator"), ("password", "a guess")]).send().await.unwrap();
        assert_eq!(refused.status(), 409);
        assert_eq!(refused.headers().contains_key("strict-transport-security"), stays);
        let log = audit(headway.data.path(), &["export"]);
        let log = String::from_utf8(log.stdout).unwrap();
        let entry = log.lines().find(|line| line.contains("do not fit")).unwrap();
        assert!(entry.contains(&format!("\"from\":\"{origin}\"")), "{entry}");
    }
}
