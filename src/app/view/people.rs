//! What the pages about people show.

use crate::domain::permission::Role;
use crate::domain::person::{PersonId, ShownSession, ShownToken};
use crate::domain::{StackId, Timestamp};
use serde::{Deserialize, Serialize};

/// The ways to sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaysView {
    /// By name and password.
    pub passwords: bool,
    /// By GitHub.
    pub github: bool,
    /// By a provider of this name.
    pub openid: Option<String>,
    /// Whether nobody could manage this Headway yet.
    pub unmanaged: bool,
}

/// One's own account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// When it was read.
    pub now: Timestamp,
    /// The name one acts under.
    pub name: String,
    /// The role in the whole.
    pub role: Option<Role>,
    /// Roles on single stacks.
    pub stacks: Vec<(StackId, Role)>,
    /// One's groups.
    pub groups: Vec<String>,
    /// Whether there is a password to change.
    pub has_password: bool,
    /// The account on GitHub that signs one in.
    pub github: Option<String>,
    /// The provider that signs one in.
    pub openid: Option<String>,
    /// How one could sign in.
    pub ways: WaysView,
    /// Where one is signed in.
    pub sessions: Vec<ShownSession>,
    /// One's tokens.
    pub tokens: Vec<ShownToken>,
    /// A token that was just made, this once.
    pub made: Option<String>,
    /// The stacks that a token may be for.
    pub choices: Vec<(StackId, String)>,
}

/// Everybody, and how they sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeopleView {
    /// When it was read.
    pub now: Timestamp,
    /// Everybody, by name.
    pub people: Vec<PersonRow>,
    /// Groups with a role somewhere: name, place, role.
    pub groups: Vec<(String, Option<StackId>, Role)>,
    /// Every token.
    pub tokens: Vec<ShownToken>,
    /// The stacks that a role may be on.
    pub choices: Vec<(StackId, String)>,
    /// Whether people sign in by name and password.
    pub passwords: bool,
    /// Whether people sign in through GitHub.
    pub github: bool,
    /// Whether a GitHub App is connected that could sign people in.
    pub github_possible: bool,
    /// What the provider is called.
    pub openid_name: String,
    /// Its address; empty for none.
    pub openid_issuer: String,
    /// What it calls this Headway.
    pub openid_client_id: String,
    /// The claim that lists groups.
    pub openid_groups_claim: String,
    /// Where the provider is to lead back to.
    pub callback: String,
}

/// One person in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRow {
    /// Their id.
    pub id: PersonId,
    /// Their name.
    pub name: String,
    /// Their role in the whole.
    pub role: Option<Role>,
    /// On how many stacks they have a role of their own.
    pub stacks: usize,
    /// Their groups.
    pub groups: Vec<String>,
    /// Whether they were shut out.
    pub disabled: bool,
    /// Whether a link waits for them.
    pub invited: bool,
    /// When they last signed in.
    pub seen_at: Option<Timestamp>,
}

/// One person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonView {
    /// When it was read.
    pub now: Timestamp,
    /// What the list says of them.
    pub row: PersonRow,
    /// Whether they have a password.
    pub has_password: bool,
    /// The account on GitHub that signs them in.
    pub github: Option<String>,
    /// The provider that signs them in.
    pub openid: Option<String>,
    /// Roles of their own: none is the whole.
    pub grants: Vec<(Option<StackId>, Role)>,
    /// Groups that were entered here.
    pub groups_here: Vec<String>,
    /// Groups that the provider told of.
    pub groups_told: Vec<String>,
    /// A link that was just made, this once.
    pub made: Option<String>,
    /// The stacks that a role may be on.
    pub choices: Vec<(StackId, String)>,
}

/// Who may do what on a stack, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessView {
    /// The stack's slug.
    pub stack: StackId,
    /// Its name.
    pub name: String,
    /// Whether anybody at all can promote.
    pub allow_run_promotion: bool,
    /// Whether the viewer may change it.
    pub may_change: bool,
    /// Everybody who has a role here, the highest first.
    pub people: Vec<AccessRow>,
    /// Access tokens that may promote.
    pub tokens: Vec<ShownToken>,
    /// The repository on GitHub whose writers may press Deploy there.
    pub github: Option<String>,
}

/// One person who has a role on a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessRow {
    /// Their name.
    pub name: String,
    /// Their role here.
    pub role: Role,
    /// What gives it to them, as sentences.
    pub through: Vec<String>,
}
