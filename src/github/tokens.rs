//! The tokens of installations: good for an hour, kept in memory only, renewed five minutes before they end. They have
//! no fixed length or form.

use super::client::Auth;
use super::{App, GitHub, Result};
use crate::domain::Timestamp;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// How long before its end a token is renewed, in milliseconds.
const EARLY: i64 = 5 * 60_000;

#[derive(Clone)]
struct Token {
    text: String,
    until: Timestamp,
}

/// The tokens, by App and installation.
#[derive(Clone, Default)]
pub(super) struct Tokens(Arc<RwLock<HashMap<(i64, i64), Token>>>);

impl Tokens {
    fn find(&self, app: i64, installation: i64, now: Timestamp) -> Option<String> {
        let tokens = self.0.read().unwrap_or_else(PoisonError::into_inner);
        tokens.get(&(app, installation)).filter(|token| token.until > now.plus(EARLY)).map(|token| token.text.clone())
    }

    fn keep(&self, app: i64, installation: i64, token: Token) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert((app, installation), token);
    }

    /// Drops a token that GitHub no longer accepts.
    pub fn forget(&self, app: i64, installation: i64) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&(app, installation));
    }
}

#[derive(Deserialize)]
struct Minted {
    token: String,
    expires_at: String,
}

impl GitHub {
    /// A token of the installation; for Git as well.
    pub async fn token(&self, app: &App, installation: i64) -> Result<String> {
        let now = self.clock.now();
        if let Some(token) = self.tokens.find(app.id, installation, now) {
            return Ok(token);
        }
        let path = format!("/app/installations/{installation}/access_tokens");
        let minted: Minted = self.tell(Auth::App(app), Method::POST, &path, &json!({})).await?;
        let ends = minted
            .expires_at
            .parse::<jiff::Timestamp>()
            .map_or(now.plus(EARLY * 2), |at| Timestamp(at.as_millisecond()));
        self.tokens.keep(app.id, installation, Token { text: minted.token.clone(), until: ends });
        Ok(minted.token)
    }

    /// The tokens that are kept now, so that they can be masked.
    pub fn live_tokens(&self) -> Vec<String> {
        let tokens = self.tokens.0.read().unwrap_or_else(PoisonError::into_inner);
        tokens.values().map(|token| token.text.clone()).collect()
    }

    /// Forgets the installation's token, because it was taken away.
    pub fn forget_token(&self, app: i64, installation: i64) {
        self.tokens.forget(app, installation);
    }

    /// What GitHub last said of the installation's limit.
    pub fn rate(&self, installation: i64) -> Option<(i64, i64, Timestamp)> {
        self.limits.rate(installation).map(|rate| (rate.limit, rate.remaining, rate.resets_at))
    }
}
