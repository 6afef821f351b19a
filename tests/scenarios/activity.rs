//! The activity log: who did what from where, before and after; that it verifies, and that a change to it is found.

use crate::headway::{Headway, PASSWORD, program};
use crate::page::person;
use crate::repository::Repository;
use reqwest::header::ACCEPT;
use sqlx::{Connection as _, SqliteConnection};
use std::path::Path;
use std::process::{Command, Output};

/// Runs `headway audit` on the data folder.
pub fn audit(data: &Path, arguments: &[&str]) -> Output {
    Command::new(program()).arg("audit").args(arguments).arg("--data").arg(data).output().unwrap()
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The hash that a verification ended with.
fn head(output: &Output) -> String {
    let said = said(&output.stdout);
    assert!(output.status.success() && said.starts_with("The activity log verifies"), "{said}{output:?}");
    said.trim().rsplit(' ').next().unwrap().to_owned()
}

/// Changes the database past Headway.
pub async fn past_headway(data: &Path, statement: &'static str) -> Result<(), sqlx::Error> {
    let address = format!("sqlite://{}", data.join("headway.db").display());
    let mut connection = SqliteConnection::connect(&address).await.unwrap();
    sqlx::raw_sql(statement).execute(&mut connection).await?;
    connection.close().await
}

#[tokio::test]
async fn a_change_past_headway_is_found_and_names_the_entry() {
    let repository = Repository::new();
    let (mut headway, stack) = Headway::with_network(&repository).await;
    headway.behave(&stack, &["autodeploy"]).await.says("Saved.");
    headway.form(&stack, "lock_stack", &[("stack", "network"), ("note", "moving")]).await;
    let data = headway.data.path().to_owned();

    // While Headway works.
    let early = head(&audit(&data, &["verify"]));
    headway.form(&stack, "unlock_stack", &[("stack", "network")]).await;
    let late = head(&audit(&data, &["verify", "--head", &early]));
    assert_ne!(early, late);
    let unknown = audit(&data, &["verify", "--head", "0badc0de"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(said(&unknown.stderr).contains("No entry has the hash 0badc0de"), "{unknown:?}");

    // A shell variable that is empty is no hash that was noted.
    assert_eq!(audit(&data, &["verify", "--head", ""]).status.code(), Some(2));
    // What is exported, by a browser and by the program, is the same, and verifies anywhere.
    let page = headway.client().get(format!("{}/activity/export", headway.url)).send().await.unwrap();
    assert!(page.headers()["content-disposition"].to_str().unwrap().contains("attachment"));
    let exported = page.text().await.unwrap();
    let printed = audit(&data, &["export"]);
    assert_eq!(said(&printed.stdout), exported);
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("export.jsonl");
    std::fs::write(&file, &exported).unwrap();
    let verify_file = || audit(elsewhere.path(), &["verify", "--file", file.to_str().unwrap()]);
    assert_eq!(head(&verify_file()), late);
    std::fs::write(&file, exported.replace("moving", "resting")).unwrap();
    let changed = verify_file();
    assert_eq!(changed.status.code(), Some(1));
    assert!(said(&changed.stderr).contains("was changed"), "{changed:?}");
    std::fs::write(&file, "").unwrap();
    assert!(said(&verify_file().stderr).contains("It has no entries."));
    let refused =
        headway.client().get(format!("{}/activity/export?outcome=refused", headway.url)).send().await.unwrap();
    assert_eq!(refused.text().await.unwrap(), "");
    let wrong = headway.client().get(format!("{}/activity/export?from=soon", headway.url)).send().await.unwrap();
    assert_eq!(wrong.status(), 422);

    // The database refuses; whoever owns the file can take that away, and is found out.
    assert_eq!(headway.end("-TERM"), Some(0));
    let refused = past_headway(&data, "update activity set actor = 'eve' where number = 2").await.unwrap_err();
    assert!(refused.to_string().contains("only added to"), "{refused}");
    past_headway(&data, "drop trigger activity_keeps; update activity set actor = 'eve' where number = 2")
        .await
        .unwrap();
    let found = audit(&data, &["verify"]);
    assert_eq!(found.status.code(), Some(1));
    assert!(said(&found.stderr).contains("Entry 2 was changed"), "{found:?}");
    past_headway(&data, "drop trigger activity_loses_nothing; delete from activity where number = 2").await.unwrap();
    assert!(said(&audit(&data, &["verify"]).stderr).contains("Entry 2 is missing"));
    let nowhere = audit(elsewhere.path(), &["verify"]);
    assert_eq!(nowhere.status.code(), Some(2), "{nowhere:?}");
}

#[tokio::test]
async fn the_page_shows_what_is_asked_for_with_before_and_after() {
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    headway.behave(&stack, &["autodeploy"]).await.says("Saved.");
    let page = headway.page("/activity?action=change+settings").await;
    page.says("Field Before After").says("Autodeploy off on").says("Hash").lacks("create stack Headway");
    headway.page("/activity?text=AUTODEPLOY").await.says("change settings");
    headway.page("/activity?kind=token").await.says("No entry fits");
    headway.page("/activity?from=soon").await.has_status(422).says("A moment is written like");
}

#[tokio::test]
async fn what_is_done_about_people_is_kept_with_before_and_after_and_without_secrets() {
    let repository = Repository::new();
    let (headway, _) = Headway::with_network(&repository).await;
    let says = async |action: &str, differences: &str| {
        let page = headway.page(&format!("/activity?action={action}")).await;
        page.says(&format!("Field Before After {differences}"));
    };
    let people = "/settings/people";
    let rosa = headway.invite("rosa", "reader").await;
    says("invite", "Role in the whole none reader Name none rosa").await;
    says("choose+password", "Role in the whole none administrator Name none operator Password none a secret").await;
    says("choose+password", "Password none a secret").await;
    let id = person(&headway.page(people).await, "rosa");
    headway.form(people, "set_role", &[("person", &id), ("role", "writer")]).await.says("Saved.");
    says("set+role", "Role in the whole reader writer").await;
    headway.form(people, "set_role", &[("group", "ops"), ("stack", "network"), ("role", "writer")]).await;
    says("set+role", "Role on network none writer").await;
    headway.form(people, "set_role", &[("group", "ops"), ("stack", "network")]).await.says("Saved.");
    says("set+role", "Role on network writer none").await;
    headway.form(people, "save_groups", &[("person", &id), ("groups", "staff\nops")]).await.says("Saved.");
    says("set+groups", "Groups none ops, staff").await;
    headway.form(people, "save_groups", &[("person", &id), ("groups", "staff")]).await.says("Saved.");
    says("set+groups", "Groups ops, staff staff").await;

    let make = [("name", "nightly"), ("role", "reader"), ("stack", "network"), ("days", "30")];
    headway.form("/account", "make_token", &make).await.has_status(200);
    says("make+token", "Name none nightly Whose none operator Role none reader Stack none network Ends none 20").await;
    let page = headway.page("/account").await;
    let token = page.html.split("name=\"token\"").nth(1).unwrap().split("value=\"").nth(1).unwrap();
    let token = token.split('"').next().unwrap();
    headway.form("/account", "revoke_token", &[("token", token)]).await.says("No tokens.");
    says("revoke+token", "Name nightly none Whose operator none Role reader none Stack network none Ends 20").await;
    let changed = [("present", PASSWORD), ("new", "violet-kettle-harbour-72")];
    headway.form("/account", "change_password", &changed).await.says("Saved.");
    says("change+password", "Password a secret a secret").await;

    let mut ways = vec![
        ("passwords", "true"),
        ("openid_name", "Example"),
        ("openid_issuer", "https://login.example.com"),
        ("openid_client_id", "headway"),
        ("client_secret", "shared-with-the-provider"),
    ];
    headway.form(people, "save_sign_in", &ways).await.says("Saved.");
    let provider = "Provider's name none Example Provider's address none https://login.example.com Client ID none headway \
                    Client secret none a secret";
    says("change+sign-in", provider).await;
    ways[4] = ("openid_groups_claim", "roles");
    headway.form(people, "save_sign_in", &ways).await.says("Saved.");
    says("change+sign-in", "Claim with the groups groups roles When").await;

    // Shut out, their tokens go as well.
    let request = rosa.post(format!("{}/api/make_token", headway.url)).header(ACCEPT, "application/json");
    let made = request.form(&[("name", "hers"), ("role", "reader"), ("days", "1")]).send().await.unwrap();
    assert_eq!(made.status(), 200);
    headway.form(people, "set_person_disabled", &[("person", &id), ("disabled", "true")]).await.says("Saved.");
    says("shut+out", "Shut out off on Access token hers none").await;
    headway.form(people, "set_person_disabled", &[("person", &id)]).await.says("Saved.");
    says("let+in+again", "Shut out on off").await;
    headway.page("/activity").await.lacks("shared-with-the-provider").lacks(PASSWORD).lacks("violet-kettle");
}
