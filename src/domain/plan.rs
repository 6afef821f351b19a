//! What a plan would do: Terraform's plan in JSON, read into changes that a person can look at, without any sensitive
//! value; and the delta that sums them up (product.md, Words).

mod action;
mod compare;
mod delta;
mod document;
mod mask;
mod path;
mod piece;
mod read;
mod reason;
mod selection;
mod value;

#[cfg(test)]
mod tests;

pub use action::Action;
pub use delta::Delta;
pub use piece::Piece;
pub use read::PlanError;
pub use selection::{Kind, Selection};
pub use value::Value;

use serde::{Deserialize, Serialize};

/// Everything that a plan would change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The resources, by address; those that stay as they are only when they were moved, imported or forgotten.
    pub resources: Vec<ResourceChange>,
    /// The outputs that change, by name.
    pub outputs: Vec<OutputChange>,
    /// Whether applying would do anything, as Terraform itself says; none when it does not (before 1.8).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applyable: Option<bool>,
}

/// One resource in a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceChange {
    /// Its address, as Terraform has it.
    pub address: String,
    /// Its type: `terraform_data`.
    pub kind: String,
    /// What happens to it.
    pub action: Action,
    /// Its former address, when it was moved.
    pub moved_from: Option<String>,
    /// The id it is imported by, when it is; its identity as JSON when it has no id.
    pub imported_as: Option<String>,
    /// The key of a former object that a replacement left behind at this address, when the change is about that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposed: Option<String>,
    /// Why Terraform replaces, deletes or reads it, as a sentence; none when it does not say.
    pub reason: Option<String>,
    /// The attributes that change, by path; at most [`ResourceChange::ATTRIBUTES`].
    pub attributes: Vec<AttributeChange>,
    /// How many more attributes change than are listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_attributes: usize,
}

impl ResourceChange {
    /// The most attributes of one resource that are kept; those that force its replacement come before the others.
    pub const ATTRIBUTES: usize = 200;

    /// The symbol for what happens to it; one that only gets another address or is imported has that of the delta.
    pub fn symbol(&self) -> &'static str {
        match self.action {
            Action::NoOp if self.moved_from.is_some() => "→",
            Action::NoOp if self.imported_as.is_some() => "↓",
            Action::NoOp
            | Action::Create
            | Action::Update
            | Action::Delete
            | Action::DeleteCreate
            | Action::CreateDelete
            | Action::CreateForget
            | Action::Read
            | Action::Forget => self.action.symbol(),
        }
    }

    /// The words for everything that happens to it, as the delta counts it.
    pub fn words(&self) -> Vec<&'static str> {
        let acts = (self.action != Action::NoOp).then_some(self.action.label());
        let moves = self.moved_from.as_ref().map(|_| "move");
        let imports = self.imported_as.as_ref().map(|_| "import");
        acts.into_iter().chain(moves).chain(imports).collect()
    }
}

/// One attribute of a resource in a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributeChange {
    /// Its path: `input.tags["first name"]`, `rules[0].port`; empty when the resource as a whole is meant.
    pub path: String,
    /// What it was; none when it was not there.
    pub before: Option<Value>,
    /// What it becomes; none when it goes.
    pub after: Option<Value>,
    /// Whether this attribute is why the resource is replaced.
    pub forces_replacement: bool,
}

/// One output in a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputChange {
    /// Its name.
    pub name: String,
    /// What happens to it: [`Action::Create`], [`Action::Update`] or [`Action::Delete`].
    pub action: Action,
    /// What it was.
    pub before: Option<Value>,
    /// What it becomes.
    pub after: Option<Value>,
}

impl Plan {
    /// Counts what the plan would do.
    pub fn delta(&self) -> Delta {
        let mut delta = Delta { outputs: self.outputs.len(), ..Delta::default() };
        for resource in &self.resources {
            delta.count(resource);
        }
        delta
    }

    /// Whether applying the plan would do anything. What Terraform says itself wins; else anything in the delta does,
    /// moves, imports, forgotten resources and outputs included, since they are written to the state. A data source
    /// that is read during the apply does not.
    pub fn has_changes(&self) -> bool {
        self.applyable.unwrap_or_else(|| !self.delta().is_empty())
    }
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}
