//! The environment: secrets are sealed, and their text stands nowhere in the database.

use super::*;
use crate::commands::set_variable::{NewVariable, remove_variable, set_variable};
use crate::domain::sealed::Place;
use crate::store::Variable;

const SECRET: &str = "correct-horse-battery-staple";

fn variable(name: &str, value: &str, secret: bool) -> NewVariable {
    NewVariable { name: name.into(), value: value.into(), secret, planning: true, applying: true, seen: None }
}

/// Sets a variable as somebody does who sees what is there.
async fn set(world: &World, new: NewVariable) -> Result<(), Problem> {
    let known = stored(world).await.into_iter().find(|variable| variable.name == new.name.trim());
    let new = NewVariable { seen: known.map(|known| known.updated_at), ..new };
    set_variable(&world.context, &world.may("ada"), new).await
}

/// Removes a variable as somebody does who sees what is there.
async fn remove(world: &World, name: &str) -> Result<(), Problem> {
    let known = stored(world).await.into_iter().find(|variable| variable.name == name);
    let seen = known.map_or(Timestamp(0), |known| known.updated_at);
    remove_variable(&world.context, &world.may("ada"), name, seen).await
}

async fn stored(world: &World) -> Vec<Variable> {
    world.read().await.variables(&world.stack).await.unwrap()
}

fn place(world: &World, name: &str) -> Place {
    Place::variable(&world.stack, name)
}

/// Whether the text stands anywhere in the files of the database.
fn in_the_database(world: &World, text: &str) -> bool {
    let files = std::fs::read_dir(world.folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let of_the_database = files.filter(|path| path.to_string_lossy().contains("headway.db"));
    of_the_database.into_iter().any(|path| {
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

#[tokio::test]
async fn a_secret_is_sealed_and_its_text_stands_nowhere_in_the_database() {
    let world = World::new().await;
    set(&world, variable("TF_VAR_plain", "written-in-clear", false)).await.unwrap();
    set(&world, variable("TF_VAR_secret", SECRET, true)).await.unwrap();
    assert!(in_the_database(&world, "written-in-clear"), "the search finds what is there");
    assert!(!in_the_database(&world, SECRET));
    let stored = stored(&world).await;
    assert_eq!(world.context.vault.open_text(&place(&world, "TF_VAR_secret"), &stored[1].value).unwrap(), SECRET);
    world.context.store.close().await;
    assert!(!in_the_database(&world, SECRET));
}

#[tokio::test]
async fn a_secret_stays_when_its_value_is_left_empty_and_is_never_made_plain_by_accident() {
    let world = World::new().await;
    set(&world, variable("A", SECRET, true)).await.unwrap();
    let sealed = stored(&world).await[0].value.clone();
    set(&world, NewVariable { applying: false, ..variable("A", "", true) }).await.unwrap();
    let kept = stored(&world).await;
    assert_eq!((&kept[0].value, kept[0].applying), (&sealed, false));
    assert_eq!(fields(set(&world, variable("A", "", false)).await), ["value"]);
    assert_eq!(stored(&world).await, kept);
    set(&world, variable("A", "plain", false)).await.unwrap();
    let plain = stored(&world).await;
    assert_eq!((plain[0].value.as_str(), plain[0].secret), ("plain", false));
    assert_eq!(fields(set(&world, variable("A", "", true)).await), ["value"], "a secret needs a text");
}

#[tokio::test]
async fn what_a_variable_cannot_be_is_said_at_its_field() {
    let world = World::new().await;
    for (new, field) in [
        (variable("TF_HTTP_PASSWORD", "x", false), "name"),
        (variable("no name", "x", false), "name"),
        (variable("A", &"x".repeat(64 * 1024 + 1), false), "value"),
        (variable("A", "a\0b", false), "value"),
        (variable("A", "", true), "value"),
        (variable("A", "abc", true), "value"),
        (NewVariable { planning: false, applying: false, ..variable("A", "x", false) }, "planning"),
    ] {
        assert_eq!(fields(set(&world, new).await), [field]);
    }
    assert_eq!(stored(&world).await, []);
}

#[tokio::test]
async fn what_somebody_set_meanwhile_is_not_laid_over() {
    let world = World::new().await;
    let attempt = async |value: &str, secret: bool, seen: Option<Timestamp>| {
        let new = NewVariable { seen, ..variable("A", value, secret) };
        set_variable(&world.context, &world.may("ada"), new).await
    };
    let at = async || stored(&world).await.first().map(|variable| variable.updated_at);
    attempt("one", false, None).await.unwrap();
    let first = at().await;
    assert_eq!(fields(attempt("two", false, None).await), ["name"], "a name that is taken");
    attempt("two", false, first).await.unwrap();
    let second = at().await;
    assert!(second > first, "each change has its own time");
    let stale = |now: &str, at: Option<Timestamp>| {
        Err(Problem::Stale { changed: vec![format!("A ({now})")], version: at.map_or(0, |at| at.0) })
    };
    assert_eq!(attempt("mine", false, first).await, stale("now \"two\"", second));
    attempt(SECRET, true, second).await.unwrap();
    assert_eq!(attempt("mine", false, second).await, stale("another secret", at().await));
    assert_eq!(world.activity().await[0].outcome, Outcome::Refused);
    let third = at().await;
    remove(&world, "A").await.unwrap();
    assert_eq!(attempt("mine", false, third).await, stale("removed", None));
    assert_eq!(stored(&world).await, []);
    attempt("mine", false, None).await.unwrap();
}

#[tokio::test]
async fn what_somebody_set_meanwhile_is_not_removed() {
    let world = World::new().await;
    let removal = async |seen| remove_variable(&world.context, &world.may("ada"), "A", seen).await;
    set(&world, variable("A", "one", false)).await.unwrap();
    let first = stored(&world).await[0].updated_at;
    set(&world, variable("A", "two", false)).await.unwrap();
    let second = stored(&world).await[0].updated_at;
    let stale = Problem::Stale { changed: vec!["A (now \"two\")".into()], version: second.0 };
    assert_eq!(removal(first).await, Err(stale));
    assert_eq!(stored(&world).await[0].value, "two");
    assert_eq!(world.activity().await[0].outcome, Outcome::Refused);
    removal(second).await.unwrap();
    assert_eq!(stored(&world).await, []);
    removal(second).await.unwrap();
}

#[tokio::test]
async fn the_log_names_the_variable_and_not_its_value() {
    let world = World::new().await;
    set(&world, variable(" A ", SECRET, true)).await.unwrap();
    remove(&world, "A").await.unwrap();
    remove(&world, "A").await.unwrap();
    assert_eq!(stored(&world).await, []);
    let details: Vec<String> = world.activity().await.into_iter().map(|entry| entry.detail).collect();
    assert_eq!(details[..2], ["variable A removed", "variable A set (secret)"]);
    assert_eq!(details.len(), 3);
}

#[tokio::test]
async fn the_credential_of_a_repository_is_sealed_too() {
    let world = World::new().await;
    let sealed = world.context.vault.seal(&Place::credential(&world.repository), &format!("user:{SECRET}")).unwrap();
    let mut writing = world.context.store.write().await.unwrap();
    let repository = writing.repository(&world.repository).await.unwrap().unwrap();
    let repository = crate::store::Repository { credential: Some(sealed), ..repository };
    writing.add_repository(&repository).await.unwrap();
    writing.commit().await.unwrap();
    let read = world.read().await.repository(&world.repository).await.unwrap().unwrap();
    assert_eq!(fetch::credential(&world.context, &read).await.unwrap(), Some(format!("user:{SECRET}")));
    assert!(!in_the_database(&world, SECRET));
}
