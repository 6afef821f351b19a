//! Where sealed texts stand: the one list of every column that holds them, and the place that each text is bound to. A
//! text that was copied to another row, or to another column, does not open there.

use super::{RepositoryId, StackId};

/// A column of the database whose texts are sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SealedColumn {
    /// The credential of a repository.
    RepositoryCredential,
    /// The value of a secret variable.
    VariableValue,
    /// A version of a state.
    StateDocument,
    /// The private key of the GitHub App.
    AppPrivateKey,
    /// What deliveries are signed with.
    AppWebhookSecret,
    /// What deliveries were signed with before.
    AppPreviousWebhookSecret,
    /// What signs people in through GitHub.
    AppClientSecret,
    /// What signs people in through a provider.
    OpenidClientSecret,
    /// What a stack's secret variable held before.
    EarlierSecretValue,
}

impl SealedColumn {
    /// Every one; what rotates keys goes through this list.
    pub const ALL: [Self; 9] = [
        Self::RepositoryCredential,
        Self::VariableValue,
        Self::StateDocument,
        Self::AppPrivateKey,
        Self::AppWebhookSecret,
        Self::AppPreviousWebhookSecret,
        Self::AppClientSecret,
        Self::OpenidClientSecret,
        Self::EarlierSecretValue,
    ];

    /// Its table.
    pub fn table(self) -> &'static str {
        match self {
            Self::RepositoryCredential => "repository",
            Self::VariableValue => "variable",
            Self::StateDocument => "state_version",
            Self::AppPrivateKey | Self::AppWebhookSecret | Self::AppPreviousWebhookSecret | Self::AppClientSecret => {
                "github_app"
            }
            Self::OpenidClientSecret => "sign_in",
            Self::EarlierSecretValue => "earlier_secret",
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::RepositoryCredential => "credential",
            Self::VariableValue | Self::EarlierSecretValue => "value",
            Self::StateDocument => "document",
            Self::AppPrivateKey => "private_key",
            Self::AppWebhookSecret => "webhook_secret",
            Self::AppPreviousWebhookSecret => "previous_webhook_secret",
            Self::AppClientSecret => "client_secret",
            Self::OpenidClientSecret => "openid_client_secret",
        }
    }

    /// The columns whose values, joined by slashes, name a row.
    pub fn key(self) -> &'static [&'static str] {
        match self {
            Self::RepositoryCredential | Self::OpenidClientSecret => &["id"],
            Self::VariableValue => &["stack_id", "name"],
            Self::EarlierSecretValue => &["stack_id", "id"],
            Self::StateDocument => &["stack_id", "version"],
            Self::AppPrivateKey | Self::AppWebhookSecret | Self::AppPreviousWebhookSecret | Self::AppClientSecret => {
                &["app_id"]
            }
        }
    }

    /// The column that says whether the text of a row is sealed, where some are not.
    pub fn only_if(self) -> Option<&'static str> {
        match self {
            Self::VariableValue => Some("secret"),
            Self::RepositoryCredential
            | Self::StateDocument
            | Self::AppPrivateKey
            | Self::AppWebhookSecret
            | Self::AppPreviousWebhookSecret
            | Self::AppClientSecret
            | Self::OpenidClientSecret
            | Self::EarlierSecretValue => None,
        }
    }

    /// What its texts are called when they are counted.
    pub fn label(self) -> &'static str {
        match self {
            Self::RepositoryCredential => "repository credentials",
            Self::VariableValue => "secret variables",
            Self::StateDocument => "state versions",
            Self::AppPrivateKey => "GitHub private keys",
            Self::AppWebhookSecret => "webhook secrets",
            Self::AppPreviousWebhookSecret => "former webhook secrets",
            Self::AppClientSecret => "GitHub client secrets",
            Self::OpenidClientSecret => "OpenID client secrets",
            Self::EarlierSecretValue => "earlier values of secrets",
        }
    }

    /// The place of the text in the row of this name.
    pub fn at(self, row: impl Into<String>) -> Place {
        Place { column: self, row: row.into() }
    }
}

/// The place of one sealed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    column: SealedColumn,
    row: String,
}

impl Place {
    /// The credential of a repository.
    pub fn credential(repository: &RepositoryId) -> Self {
        SealedColumn::RepositoryCredential.at(repository.as_str())
    }

    /// The value of a stack's variable.
    pub fn variable(stack: &StackId, name: &str) -> Self {
        SealedColumn::VariableValue.at(format!("{stack}/{name}"))
    }

    /// What a stack's secret variable held before.
    pub fn earlier_secret(stack: &StackId, id: &str) -> Self {
        SealedColumn::EarlierSecretValue.at(format!("{stack}/{id}"))
    }

    /// A version of a stack's state.
    pub fn state(stack: &StackId, version: i64) -> Self {
        SealedColumn::StateDocument.at(format!("{stack}/{version}"))
    }

    /// One of the secrets of a GitHub App.
    pub fn app(column: SealedColumn, app_id: i64) -> Self {
        column.at(app_id.to_string())
    }

    /// What signs people in through a provider, in the one row of the ways to sign in.
    pub fn openid() -> Self {
        SealedColumn::OpenidClientSecret.at("1")
    }

    /// The place in words that no two places share: `variable.value/network/TF_VAR_token`.
    pub fn name(&self) -> String {
        format!("{}.{}/{}", self.column.table(), self.column.name(), self.row)
    }
}
