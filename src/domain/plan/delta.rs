//! The delta: a plan in a few numbers, written the same way on every surface.

use super::{Action, ResourceChange};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How many things a plan would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    /// Resources to add; a replacement adds one and destroys one.
    pub add: usize,
    /// Resources to change.
    pub change: usize,
    /// Resources to destroy.
    pub destroy: usize,
    /// Resources to import.
    pub import: usize,
    /// Resources that get another address.
    pub moved: usize,
    /// Resources to forget.
    pub forget: usize,
    /// Outputs that change.
    pub outputs: usize,
}

impl Delta {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds one resource; one that is moved or imported counts for that too, whatever else happens to it.
    pub(super) fn count(&mut self, resource: &ResourceChange) {
        match resource.action {
            Action::Create => self.add += 1,
            Action::Update => self.change += 1,
            Action::Delete => self.destroy += 1,
            Action::DeleteCreate | Action::CreateDelete => {
                self.add += 1;
                self.destroy += 1;
            }
            Action::CreateForget => {
                self.add += 1;
                self.forget += 1;
            }
            Action::Forget => self.forget += 1,
            Action::Read | Action::NoOp => {}
        }
        self.moved += usize::from(resource.moved_from.is_some());
        self.import += usize::from(resource.imported_as.is_some());
    }
}

impl fmt::Display for Delta {
    /// Writes `+1 ~0 -2, 1 imported, 2 outputs`: the first three always, the others when there are any.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return formatter.write_str("no changes");
        }
        write!(formatter, "+{} ~{} -{}", self.add, self.change, self.destroy)?;
        let outputs = if self.outputs == 1 { "output" } else { "outputs" };
        for (count, word) in
            [(self.import, "imported"), (self.moved, "moved"), (self.forget, "forgotten"), (self.outputs, outputs)]
        {
            if count > 0 {
                write!(formatter, ", {count} {word}")?;
            }
        }
        Ok(())
    }
}
