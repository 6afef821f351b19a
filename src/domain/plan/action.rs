//! What happens to a resource, as Terraform's plan names it, and how a page, a style sheet and a terminal call it.

use serde::{Deserialize, Serialize};

/// What happens to one resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is made.
    Create,
    /// It is changed where it stands.
    Update,
    /// It is destroyed.
    Delete,
    /// It is destroyed, then made anew.
    DeleteCreate,
    /// It is made anew, then the old one is destroyed.
    CreateDelete,
    /// It is made anew; the old one leaves the state and lives on.
    CreateForget,
    /// A data source is read during the apply.
    Read,
    /// It leaves the state and lives on.
    Forget,
    /// It stays as it is.
    NoOp,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 9] = [
        Self::Create,
        Self::Update,
        Self::Delete,
        Self::DeleteCreate,
        Self::CreateDelete,
        Self::CreateForget,
        Self::Read,
        Self::Forget,
        Self::NoOp,
    ];

    /// The word for it in CSS, JSON and SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::DeleteCreate => "delete_create",
            Self::CreateDelete => "create_delete",
            Self::CreateForget => "create_forget",
            Self::Read => "read",
            Self::Forget => "forget",
            Self::NoOp => "no_op",
        }
    }

    /// The words for it on a page.
    pub fn label(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update in place",
            Self::Delete => "destroy",
            Self::DeleteCreate => "replace (destroy, then create)",
            Self::CreateDelete => "replace (create, then destroy)",
            Self::CreateForget => "replace (create, forget the old one)",
            Self::Read => "read during apply",
            Self::Forget => "forget",
            Self::NoOp => "no change",
        }
    }

    /// The symbol for it: what Terraform prints, but for forgetting, whose dot is easily missed.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Create => "+",
            Self::Update => "~",
            Self::Delete => "-",
            Self::DeleteCreate => "-/+",
            Self::CreateDelete => "+/-",
            Self::CreateForget => "+/×",
            Self::Read => "<=",
            Self::Forget => "×",
            Self::NoOp => " ",
        }
    }

    /// Reads the actions of a change in Terraform's plan; none when they mean nothing that is known.
    pub(super) fn read(actions: &[String]) -> Option<Self> {
        let words: Vec<&str> = actions.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["create"] => Some(Self::Create),
            ["update"] => Some(Self::Update),
            ["delete"] => Some(Self::Delete),
            ["delete", "create"] => Some(Self::DeleteCreate),
            ["create", "delete"] => Some(Self::CreateDelete),
            ["create", "forget"] | ["forget", "create"] => Some(Self::CreateForget),
            ["read"] => Some(Self::Read),
            ["forget"] => Some(Self::Forget),
            ["no-op"] => Some(Self::NoOp),
            _ => None,
        }
    }
}
