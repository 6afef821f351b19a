//! `headway keys`: makes a key, rotates the keys of a Headway that does not run, and finds the keys of one that starts.

use crate::{absolute, log_to_stderr, open_store, take};
use anyhow::{Context as _, bail};
use clap::Subcommand;
use headway::clock::{Clock, Ids};
use headway::commands::rotate_keys::{record, rotate_keys, summary};
use headway::config::Config;
use headway::runner::sealed_plan;
use headway::store::Store;
use headway::vault::Vault;
use headway::vault::keys::{Given, Key, Keys as Pair, NEXT_VARIABLE, VARIABLE};

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Prints a new key, for `HEADWAY_KEY` or `HEADWAY_NEXT_KEY`.
    New,
    /// Seals everything anew with a new key while Headway is stopped; cut off, it goes on where it was.
    ///
    /// The new key takes the old one's place in the key file. When the key comes from `HEADWAY_KEY`, the new one must
    /// stand in `HEADWAY_NEXT_KEY`.
    Rotate(Box<Config>),
}

/// Does it.
pub async fn run(keys: Keys) -> anyhow::Result<()> {
    match keys {
        Keys::New => {
            println!("{}", Key::random().context("no randomness")?.encode());
            Ok(())
        }
        Keys::Rotate(config) => rotate(*config).await,
    }
}

/// The vault of a Headway that starts. When texts were sealed and none of the keys at hand may open any of them, nothing
/// starts: the wrong key would be used from here on.
pub async fn vault(config: &Config, store: &Store) -> anyhow::Result<Vault> {
    let marks = store.read().await?.seal_marks().await?;
    let keys = Pair::open(&config.key_file(), &Given::from_environment()?, marks.is_empty())?;
    if keys.next().is_some() {
        tracing::warn!("the keys are being rotated: stop Headway and run `headway keys rotate` to end that");
    }
    let vault = Vault::of(&keys);
    let ours = vault.marks();
    let known = |mark: &&String| mark.is_empty() || ours.contains(mark);
    if !marks.is_empty() && !marks.iter().any(|mark| known(&mark)) {
        bail!(
            "the database holds texts that were sealed with another key than the one in {}. Bring that key back",
            if Given::from_environment()?.has_key() {
                VARIABLE.into()
            } else {
                config.key_file().display().to_string()
            }
        );
    }
    if !marks.iter().all(|mark| known(&mark)) {
        tracing::error!("some sealed texts were sealed with a key that is not here; what needs them will say so");
    }
    Ok(vault)
}

async fn rotate(mut config: Config) -> anyhow::Result<()> {
    log_to_stderr();
    config.data = absolute(&config.data)?;
    if !config.data.is_dir() {
        bail!("there is no data folder {}. Name the one of your Headway with --data", config.data.display());
    }
    let _lock = take(&config.data)?;
    let store = open_store(&config).await?;
    let given = Given::from_environment()?;
    let keys = Pair::open(&config.key_file(), &given, false)?.begin_rotation()?;
    let vault = Vault::of_next(&keys);
    let counts = rotate_keys(&store, &vault, None).await?;
    let plans = sealed_plan::rotate(&vault, &config.workspaces()).context("cannot seal the plans that wait")?;
    let clock = Clock::System;
    record(&store, &counts, Ids::random().next(clock.now()), clock.now()).await?;
    store.close().await;
    let filed = keys.end_rotation()?;
    println!("Sealed anew with the new key: {}; and {plans} plans that wait.", summary(&counts));
    if given.has_key() {
        println!("Put the key in {NEXT_VARIABLE} into {VARIABLE} before Headway starts again.");
    } else if filed && config.key_file().exists() {
        println!("The new key is in {}. Keep a copy of it apart from the database.", config.key_file().display());
    } else {
        println!("The key file is gone. Put the key in {NEXT_VARIABLE} into {VARIABLE} before Headway starts again.");
    }
    Ok(())
}
