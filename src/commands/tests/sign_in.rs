//! Signing in: whoever guesses keeps nobody else out, a new session takes the place of the browser's older one, and a session
//! lasts as long as it is used.

use super::*;
use crate::commands::authenticate::{Place, by_session};
use crate::commands::invite::{accept, administrator_link, look};
use crate::commands::sign_in::{Begun, sign_in};
use crate::domain::person::PersonId;
use crate::store::Person;
use std::time::Duration;

const PASSWORD: &str = "violet-kettle-harbour-72";

fn place(from: &str) -> Place {
    Place { from: from.into(), ..Place::default() }
}

impl World {
    async fn ada(&self) -> Begun {
        let link = administrator_link(&self.context).await.unwrap().0;
        let secret = link.split_once("link=").unwrap().1;
        accept(&self.context, secret, "ada", PASSWORD.into(), &place("192.0.2.1")).await.unwrap()
    }

    async fn try_password(&self, password: &str, from: &str) -> Result<Begun, Problem> {
        sign_in(&self.context, "Ada", password.into(), &place(from)).await
    }

    async fn whose(&self, begun: &Begun) -> Option<(PersonId, String)> {
        let found = by_session(&self.context, &begun.secret, "192.0.2.1").await.unwrap();
        found.map(|(viewer, session)| (viewer.person.unwrap(), session))
    }
}

#[tokio::test]
async fn whoever_guesses_a_password_keeps_themselves_out_and_nobody_elsewhere() {
    let world = World::new().await;
    world.ada().await;
    let mut refused = 0;
    for _ in 0..12 {
        refused +=
            usize::from(matches!(world.try_password("guess", "203.0.113.9").await, Err(Problem::TooMany { .. })));
    }
    assert_eq!(refused, 2);
    assert!(matches!(world.try_password(PASSWORD, "203.0.113.9").await, Err(Problem::TooMany { .. })));
    assert!(world.try_password(PASSWORD, "192.0.2.1").await.is_ok());
    // From many addresses at once there is an end as well.
    let mut answers = Vec::new();
    for number in 0..100 {
        answers.push(world.try_password("guess", &format!("198.51.100.{number}")).await.unwrap_err());
    }
    assert!(matches!(answers[0], Problem::Refused(_)) && matches!(answers.last(), Some(Problem::TooMany { .. })));
    assert!(matches!(world.try_password(PASSWORD, "192.0.2.1").await, Err(Problem::TooMany { .. })));
    world.context.clock.advance(20_000);
    assert!(world.try_password(PASSWORD, "192.0.2.1").await.is_ok());
}

#[tokio::test]
async fn many_people_behind_one_address_sign_in_one_after_the_other() {
    let world = World::new().await;
    world.ada().await;
    for _ in 0..60 {
        assert!(world.try_password(PASSWORD, "192.0.2.7").await.is_ok());
    }
    let link = administrator_link(&world.context).await.unwrap().0;
    let secret = link.split_once("link=").unwrap().1;
    for _ in 0..60 {
        assert_eq!(look(&world.context, secret, "192.0.2.7").await.unwrap(), None);
    }
}

#[tokio::test]
async fn whoever_is_shut_out_while_their_password_is_compared_stays_out() {
    let world = World::new().await;
    let ada = world.ada().await;
    let (id, _) = world.whose(&ada).await.unwrap();
    let mut writing = world.context.store.write().await.unwrap();
    let context = world.context.clone();
    let trying = tokio::spawn(async move { sign_in(&context, "Ada", PASSWORD.into(), &place("192.0.2.2")).await });
    // It has read the person as they were, and waits for its turn to write.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let person = writing.person(&id).await.unwrap().unwrap();
    writing.save_person(&Person { disabled: true, ..person }).await.unwrap();
    writing.commit().await.unwrap();
    assert!(trying.await.unwrap().is_err());
    let person = world.read().await.person(&id).await.unwrap().unwrap();
    assert!(person.disabled);
    let log = world.read().await.activity(&Filter::default(), 10).await.unwrap();
    assert_eq!((log[0].entry.action.as_str(), log[0].entry.outcome), ("sign in", Outcome::Refused));
}

#[tokio::test]
async fn a_browser_that_signs_in_again_has_one_session() {
    let world = World::new().await;
    let first = world.ada().await;
    let held = world.whose(&first).await;
    assert!(held.is_some());
    let again = Place { session: held, ..place("192.0.2.1") };
    let second = sign_in(&world.context, "ada", PASSWORD.into(), &again).await.unwrap();
    assert!(world.whose(&second).await.is_some());
    assert_eq!(world.whose(&first).await, None);
}

#[tokio::test]
async fn a_session_that_is_used_does_not_end_for_being_idle_however_short_that_is() {
    let mut world = World::new().await;
    let config = Config { session_idle: Duration::from_secs(40), ..Config::clone(&world.context.config) };
    world.context.config = Arc::new(config);
    let begun = world.ada().await;
    for _ in 0..30 {
        world.context.clock.advance(8_000);
        assert!(world.whose(&begun).await.is_some());
    }
    world.context.clock.advance(40_000);
    assert_eq!(world.whose(&begun).await, None);
}

#[tokio::test]
async fn a_session_ends_after_its_limit_however_much_it_is_used() {
    let world = World::new().await;
    let begun = world.ada().await;
    let limit = i64::try_from(world.context.config.session_limit.as_millis()).unwrap();
    for _ in 0..99 {
        world.context.clock.advance(limit / 100);
        assert!(world.whose(&begun).await.is_some());
    }
    world.context.clock.advance(limit / 100);
    assert_eq!(world.whose(&begun).await, None);
}
