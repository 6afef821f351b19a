//! A selection of a plan's changes: those of one kind, with some words in their addresses. A plan of thousands is reviewed
//! by what it destroys first.

use super::{Delta, Plan, ResourceChange};
use serde::{Deserialize, Serialize};

/// A kind of change, as the delta counts them; a replacement is of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Resources to add.
    Add,
    /// Resources to change.
    Change,
    /// Resources to destroy.
    Destroy,
    /// Resources to import.
    Import,
    /// Resources that get another address.
    Move,
    /// Resources to forget.
    Forget,
    /// Outputs that change.
    Output,
}

impl Kind {
    /// Every kind, in the delta's order.
    pub const ALL: [Self; 7] =
        [Self::Add, Self::Change, Self::Destroy, Self::Import, Self::Move, Self::Forget, Self::Output];

    /// The word for it in an address and in CSS.
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Change => "change",
            Self::Destroy => "destroy",
            Self::Import => "import",
            Self::Move => "move",
            Self::Forget => "forget",
            Self::Output => "output",
        }
    }

    /// The words for it on a page.
    pub fn label(self) -> &'static str {
        match self {
            Self::Add => "To add",
            Self::Change => "To change",
            Self::Destroy => "To destroy",
            Self::Import => "To import",
            Self::Move => "To move",
            Self::Forget => "To forget",
            Self::Output => "Outputs",
        }
    }

    /// How many of a delta's changes are of it.
    pub fn count(self, delta: &Delta) -> usize {
        match self {
            Self::Add => delta.add,
            Self::Change => delta.change,
            Self::Destroy => delta.destroy,
            Self::Import => delta.import,
            Self::Move => delta.moved,
            Self::Forget => delta.forget,
            Self::Output => delta.outputs,
        }
    }
}

/// Which changes to show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Of this kind; none for all.
    pub kind: Option<Kind>,
    /// With each of these words in the address, the former one included; in small or capital letters.
    pub words: String,
}

impl Selection {
    /// Reads what an address asks for; a kind that is none means all.
    pub fn parse(kind: &str, words: &str) -> Self {
        let kind = Kind::ALL.into_iter().find(|known| known.name() == kind);
        Self { kind, words: words.trim().to_owned() }
    }

    /// Whether it is the whole plan.
    pub fn is_all(&self) -> bool {
        self.kind.is_none() && self.words.is_empty()
    }

    fn names(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.words.split_whitespace().all(|word| name.contains(&word.to_lowercase()))
    }

    fn takes(&self, resource: &ResourceChange) -> bool {
        let mut delta = Delta::default();
        delta.count(resource);
        self.kind.is_none_or(|kind| kind.count(&delta) > 0)
            && (self.names(&resource.address) || resource.moved_from.as_deref().is_some_and(|from| self.names(from)))
    }
}

impl Plan {
    /// The changes that a selection takes, in the plan's order.
    pub fn select(mut self, selection: &Selection) -> Self {
        self.resources.retain(|resource| selection.takes(resource));
        let outputs = matches!(selection.kind, None | Some(Kind::Output));
        self.outputs.retain(|output| outputs && selection.names(&output.name));
        self
    }
}
