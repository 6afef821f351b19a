//! Walks over history that are exact on every shape of it. They go by generation: no commit has a smaller one than its
//! ancestors, so when a commit's turn comes, everything that leads to it has been seen. Dates play no part.

use super::commits::{Commits, Place, Unread};
use std::collections::BinaryHeap;

/// Which of two commits reach a third.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Only the left one.
    Left,
    /// Only the right one.
    Right,
    /// Both.
    Both,
}

const LEFT: u8 = 1;
const RIGHT: u8 = 2;
const BOTH: u8 = LEFT | RIGHT;

/// A walk down from two commits that tells of each commit which of them reach it, children before their parents.
pub(super) struct Comparison<'walk, 'history> {
    commits: &'walk Commits<'history>,
    marks: Vec<u8>,
    waiting: BinaryHeap<(u32, Place)>,
    left: usize,
    right: usize,
    parents: Vec<Place>,
}

impl<'walk, 'history> Comparison<'walk, 'history> {
    /// Begins at two commits.
    pub fn new(commits: &'walk Commits<'history>, left: Place, right: Place) -> Result<Self, Unread> {
        let marks = vec![0; commits.len()];
        let waiting = BinaryHeap::new();
        let mut comparison = Self { commits, marks, waiting, left: 0, right: 0, parents: Vec::new() };
        comparison.mark(left, LEFT)?;
        comparison.mark(right, RIGHT)?;
        Ok(comparison)
    }

    /// Whether commits that only the left one reaches may still come.
    pub fn left_open(&self) -> bool {
        self.left > 0
    }

    /// Whether commits that only the right one reaches may still come.
    pub fn right_open(&self) -> bool {
        self.right > 0
    }

    /// The next commit.
    pub fn next(&mut self) -> Result<Option<(Place, Side)>, Unread> {
        let Some((_, place)) = self.waiting.pop() else { return Ok(None) };
        let marks = self.marks.get(place as usize).copied().ok_or(Unread)?;
        self.count(marks, usize::checked_sub)?;
        let mut parents = std::mem::take(&mut self.parents);
        self.commits.parents(place, &mut parents)?;
        for parent in &parents {
            self.mark(*parent, marks)?;
        }
        self.parents = parents;
        let side = match marks {
            LEFT => Side::Left,
            RIGHT => Side::Right,
            _ => Side::Both,
        };
        Ok(Some((place, side)))
    }

    fn mark(&mut self, place: Place, marks: u8) -> Result<(), Unread> {
        let slot = self.marks.get_mut(place as usize).ok_or(Unread)?;
        let before = *slot;
        *slot |= marks;
        let after = *slot;
        if before == 0 {
            self.waiting.push((self.commits.generation(place)?, place));
        }
        self.count(before, usize::checked_sub)?;
        self.count(after, usize::checked_add)
    }

    /// Keeps account of the waiting commits that only one side reaches.
    fn count(&mut self, marks: u8, change: impl Fn(usize, usize) -> Option<usize>) -> Result<(), Unread> {
        match marks {
            LEFT => self.left = change(self.left, 1).ok_or(Unread)?,
            RIGHT => self.right = change(self.right, 1).ok_or(Unread)?,
            0 | BOTH => {}
            _ => return Err(Unread),
        }
        Ok(())
    }
}

/// Whether any of `starts` is `target` or has it among its ancestors; earlier starts, and first parents, are looked at
/// first.
pub(super) fn reaches(commits: &Commits<'_>, starts: &[Place], target: Place) -> Result<bool, Unread> {
    let floor = commits.generation(target)?;
    let mut seen = vec![false; commits.len()];
    let mut stack: Vec<_> = starts.iter().rev().copied().collect();
    let mut parents = Vec::new();
    while let Some(place) = stack.pop() {
        if place == target {
            return Ok(true);
        }
        let seen = seen.get_mut(place as usize).ok_or(Unread)?;
        // What the commit-graph has is older than all that it has not.
        let older = commits.indexed(place) && !commits.indexed(target);
        if std::mem::replace(seen, true) || older || commits.generation(place)? <= floor {
            continue;
        }
        commits.parents(place, &mut parents)?;
        stack.extend(parents.iter().rev());
    }
    Ok(false)
}
