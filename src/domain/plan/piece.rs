//! A piece of a plan: as many of its changes as one page shows. The resources come first, then the outputs.

use super::{AttributeChange, Plan, Value};
use serde::{Deserialize, Serialize};
use std::iter;

/// Some of a plan's changes, in the plan's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// The changes themselves.
    pub plan: Plan,
    /// How many changes come before them.
    pub first: usize,
    /// Where the piece before begins; none for the first.
    pub previous: Option<usize>,
    /// How many changes the whole plan has.
    pub total: usize,
}

impl Piece {
    /// The most changes in one piece.
    pub const CHANGES: usize = 100;
    /// After how many bytes of paths and values a piece ends.
    pub const BYTES: usize = 512 * 1024;

    /// How many changes there are in this piece.
    pub fn len(&self) -> usize {
        self.plan.resources.len() + self.plan.outputs.len()
    }

    /// Whether the plan has no changes at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the next piece begins; none after the last.
    pub fn next(&self) -> Option<usize> {
        Some(self.first + self.len()).filter(|next| *next < self.total)
    }
}

impl Plan {
    /// The piece that begins with change number `from`, counted from 0; one that is not there means the first. It has
    /// at least one change when the plan has any.
    pub fn piece(self, from: usize) -> Piece {
        let (resources, total) = (self.resources.len(), self.resources.len() + self.outputs.len());
        let first = if from < total { from } else { 0 };
        let sizes = self.resources.iter().map(|resource| resource.attributes.iter().map(attribute_size).sum());
        let sizes = sizes.chain(self.outputs.iter().map(|output| sides(output.before.as_ref(), output.after.as_ref())));
        let sizes: Vec<_> = sizes.collect();
        let end = |start: usize| start + fitting(sizes.get(start..).unwrap_or_default());
        let starts = iter::successors(Some(0), |start| Some(end(*start)));
        let previous = starts.take_while(|start| *start < first).last();
        let until = end(first);
        let within = |start: usize, end: usize| (first.clamp(start, end) - start, until.clamp(start, end) - start);
        let (of_resources, of_outputs) = (within(0, resources), within(resources, total));
        let plan = Plan {
            resources: slice(self.resources, of_resources),
            outputs: slice(self.outputs, of_outputs),
            applyable: self.applyable,
        };
        Piece { plan, first, previous, total }
    }
}

/// How many of the changes with these sizes, in bytes, fit into one piece: one at least.
fn fitting(sizes: &[usize]) -> usize {
    let before = sizes.iter().scan(0, |sum: &mut usize, size| {
        let before = *sum;
        *sum += size;
        Some(before)
    });
    before.take(Piece::CHANGES).take_while(|before| *before < Piece::BYTES).count()
}

fn attribute_size(attribute: &AttributeChange) -> usize {
    attribute.path.len() + sides(attribute.before.as_ref(), attribute.after.as_ref())
}

fn sides(before: Option<&Value>, after: Option<&Value>) -> usize {
    let size = |value: &Value| match value {
        Value::Known(text) => text.len(),
        Value::Unknown | Value::Sensitive => 0,
    };
    before.map_or(0, size) + after.map_or(0, size)
}

fn slice<T>(changes: Vec<T>, (start, end): (usize, usize)) -> Vec<T> {
    changes.into_iter().take(end).skip(start).collect()
}
