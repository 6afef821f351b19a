//! How people sign in: which ways there are, and the provider's address and keys. One row.

use super::{Change, Reading, Result, Writing, on};

/// The ways to sign in, as stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SignIn {
    /// By name and password.
    pub passwords: bool,
    /// By GitHub, through the App.
    pub github: bool,
    /// What the provider is called on the button.
    pub openid_name: String,
    /// The provider's address; empty when there is none.
    pub openid_issuer: String,
    /// What the provider calls this Headway.
    pub openid_client_id: String,
    /// The secret it shares with the provider, sealed.
    pub openid_client_secret: Option<String>,
    /// The claim that lists the groups.
    pub openid_groups_claim: String,
}

impl Default for SignIn {
    fn default() -> Self {
        Self {
            passwords: true,
            github: false,
            openid_name: String::new(),
            openid_issuer: String::new(),
            openid_client_id: String::new(),
            openid_client_secret: None,
            openid_groups_claim: "groups".into(),
        }
    }
}

impl Reading {
    /// The ways to sign in.
    pub async fn sign_in(&mut self) -> Result<SignIn> {
        let stored = on!(self, connection => sqlx::query_as("select * from sign_in where id = 1")
            .fetch_optional(connection).await)?;
        Ok(stored.unwrap_or_default())
    }
}

impl Writing {
    /// Stores the ways to sign in.
    pub async fn save_sign_in(&mut self, sign_in: &SignIn) -> Result<()> {
        on!(self, connection => sqlx::query(
            "insert into sign_in (id, passwords, github, openid_name, openid_issuer, openid_client_id,
                 openid_client_secret, openid_groups_claim)
             values (1, $1, $2, $3, $4, $5, $6, $7)
             on conflict (id) do update set passwords = excluded.passwords, github = excluded.github,
                 openid_name = excluded.openid_name, openid_issuer = excluded.openid_issuer,
                 openid_client_id = excluded.openid_client_id, openid_client_secret = excluded.openid_client_secret,
                 openid_groups_claim = excluded.openid_groups_claim"
        ).bind(sign_in.passwords).bind(sign_in.github).bind(&sign_in.openid_name).bind(&sign_in.openid_issuer)
            .bind(&sign_in.openid_client_id).bind(&sign_in.openid_client_secret).bind(&sign_in.openid_groups_claim)
            .execute(connection).await.map(|_| ()))?;
        self.tell(Change::People);
        Ok(())
    }
}
