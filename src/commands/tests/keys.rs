//! Keys: every sealed text is known by its place, opens there alone, and survives a rotation that is cut off anywhere.

use super::*;
use crate::commands::connect_github::Addresses;
use crate::commands::rotate_keys::{RotateError, rotate_keys, summary};
use crate::commands::set_variable::{NewVariable, set_variable};
use crate::domain::sealed::{Place, SealedColumn};
use crate::store::{GithubApp, SignIn, StateVersion};
use crate::vault::keys::{Given, Keys};

/// A world with a text in every sealed column: what was sealed, by its place.
async fn sealed(world: &World) -> Vec<(Place, String)> {
    let context = &world.context;
    let mut texts = Vec::new();
    for (name, secret) in [("TF_VAR_a", true), ("TF_VAR_b", true), ("TF_VAR_plain", false)] {
        let value = format!("value of {name}");
        let new =
            NewVariable { name: name.into(), value: value.clone(), secret, planning: true, applying: true, seen: None };
        set_variable(context, &world.may("ada"), new).await.unwrap();
        if secret {
            texts.push((Place::variable(&world.stack, name), value));
        }
    }
    // Set anew, what it held before stays sealed as well.
    let seen = context.store.read().await.unwrap().variables(&world.stack).await.unwrap()[1].updated_at;
    let again = NewVariable {
        name: "TF_VAR_b".into(),
        value: "value of TF_VAR_b, again".into(),
        secret: true,
        planning: true,
        applying: true,
        seen: Some(seen),
    };
    set_variable(context, &world.may("ada"), again).await.unwrap();
    texts[1].1 = "value of TF_VAR_b, again".into();
    let earlier = context.store.read().await.unwrap().earlier_secrets(&world.stack).await.unwrap();
    texts.push((Place::earlier_secret(&world.stack, &earlier[0].0), "value of TF_VAR_b".into()));
    let mut writing = context.store.write().await.unwrap();
    let mut seal = |place: Place, text: &str| {
        texts.push((place.clone(), text.to_owned()));
        context.vault.seal(&place, text).unwrap()
    };
    let credential = Some(seal(Place::credential(&world.repository), "user:password"));
    let repository = writing.repository(&world.repository).await.unwrap().unwrap();
    writing.add_repository(&crate::store::Repository { credential, ..repository }).await.unwrap();
    for version in 1..=3 {
        let state = StateVersion {
            version,
            serial: version,
            lineage: "l".into(),
            md5: String::new(),
            document: seal(Place::state(&world.stack, version), &format!("state {version}")),
            run_id: RunId::new("r"),
            created_at: context.now(),
        };
        writing.add_state(&world.stack, &state).await.unwrap();
    }
    let openid_client_secret = Some(seal(Place::openid(), "provider"));
    writing.save_sign_in(&SignIn { openid_client_secret, ..SignIn::default() }).await.unwrap();
    let app = |column| Place::app(column, 7);
    let Addresses { web, api } = crate::commands::connect_github::addresses("", "").unwrap();
    let row = GithubApp {
        app_id: 7,
        slug: "headway".into(),
        name: "Headway".into(),
        client_id: "Iv1".into(),
        web_address: web,
        api_address: api,
        private_key: seal(app(SealedColumn::AppPrivateKey), "pem"),
        webhook_secret: seal(app(SealedColumn::AppWebhookSecret), "webhook"),
        client_secret: Some(seal(app(SealedColumn::AppClientSecret), "client")),
        previous_webhook_secret: Some(seal(app(SealedColumn::AppPreviousWebhookSecret), "former")),
        previous_until: None,
        permissions: "{}".into(),
        created_at: context.now(),
        checked_at: None,
        problem: None,
        delivered_at: None,
        signature_failures: 0,
        signature_failed_at: None,
        caught_up_at: None,
    };
    writing.save_github_app(&row).await.unwrap();
    writing.commit().await.unwrap();
    texts
}

fn keys(world: &World) -> Keys {
    Keys::open(&world.context.config.key_file(), &Given::default(), false).unwrap()
}

/// Every text opens in its place, and nowhere else.
async fn all_open(world: &World, vault: &Vault, texts: &[(Place, String)]) {
    let mut reading = world.read().await;
    let mut found = 0;
    for column in SealedColumn::ALL {
        for row in reading.rows_sealed_otherwise(column, "", "", 100).await.unwrap() {
            let text = reading.sealed_text(column, &row).await.unwrap().unwrap();
            let place = column.at(row);
            let expected = &texts.iter().find(|(known, _)| *known == place).unwrap().1;
            assert_eq!(&vault.open_text(&place, &text).unwrap(), expected);
            for (other, _) in texts.iter().filter(|(other, _)| *other != place) {
                assert!(vault.open_text(other, &text).is_err(), "{place:?} opens as {other:?}");
            }
            found += 1;
        }
    }
    assert_eq!(found, texts.len());
}

#[tokio::test]
async fn a_rotation_that_is_cut_off_anywhere_loses_nothing_and_goes_on() {
    each(async |world| {
        let texts = sealed(&world).await;
        let first = world.context.vault.mark();
        for most in 0..=texts.len() {
            // Cut off after so many texts; then Headway may run for a while, and seals with the old key.
            let rotating = Vault::of_next(&keys(&world).begin_rotation().unwrap());
            rotate_keys(&world.context.store, &rotating, Some(most)).await.unwrap();
            let meanwhile = Vault::of(&keys(&world));
            assert_eq!(meanwhile.mark(), first);
            all_open(&world, &meanwhile, &texts).await;
        }
        let pair = keys(&world).begin_rotation().unwrap();
        let rotating = Vault::of_next(&pair);
        rotate_keys(&world.context.store, &rotating, None).await.unwrap();
        pair.end_rotation().unwrap();
        let after = Vault::of(&keys(&world));
        assert_ne!(after.mark(), first);
        assert_eq!(world.read().await.seal_marks().await.unwrap(), [after.mark()].into());
        all_open(&world, &after, &texts).await;

        let pair = keys(&world).begin_rotation().unwrap();
        let counts = rotate_keys(&world.context.store, &Vault::of_next(&pair), None).await.unwrap();
        assert_eq!(counts.values().sum::<usize>(), texts.len());
        let said = summary(&counts);
        assert!(said.contains("2 secret variables") && said.contains("3 state versions"), "{said}");
    })
    .await;
}

#[tokio::test]
async fn what_does_not_open_stops_the_rotation_by_its_name() {
    each(async |world| {
        sealed(&world).await;
        let mut writing = world.context.store.write().await.unwrap();
        let column = SealedColumn::VariableValue;
        let [from, to] = ["network/TF_VAR_a", "network/TF_VAR_b"];
        let one = writing.sealed_text(column, from).await.unwrap().unwrap();
        let other = writing.sealed_text(column, to).await.unwrap().unwrap();
        // Copied from one row to another.
        writing.reseal(column, to, &other, &one).await.unwrap();
        writing.commit().await.unwrap();
        let rotating = Vault::of_next(&keys(&world).begin_rotation().unwrap());
        let error = rotate_keys(&world.context.store, &rotating, None).await.unwrap_err();
        assert!(
            matches!(&error, RotateError::Unreadable(place) if place == "variable.value/network/TF_VAR_b"),
            "{error}"
        );
    })
    .await;
}

/// Finds sealed texts wherever they stand, not only where the list says: no column may be forgotten there.
#[tokio::test]
async fn every_column_that_holds_a_sealed_text_is_in_the_list() {
    let world = World::new().await;
    sealed(&world).await;
    let mark = world.context.vault.mark();
    world.context.store.close().await;
    let found = crate::store::columns_that_hold(&world.context.config.database_file(), &mark).await;
    let mut listed: Vec<String> =
        SealedColumn::ALL.iter().map(|column| format!("{}.{}", column.table(), column.name())).collect();
    listed.sort();
    assert_eq!(found, listed);
}
