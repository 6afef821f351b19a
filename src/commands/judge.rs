//! Judge: gathers the facts of the promotion rule for one run and one viewer.
//!
//! What history says is read outside any transaction; whoever acts on it checks inside one that the stack still stands
//! where it stood.

use super::Context;
use crate::domain::permission::{Permit, Promote, Role, Viewer, permit};
use crate::domain::problem::Problem;
use crate::domain::promotion::{Facts, Verdict, judge};
use crate::domain::relation::Relation;
use crate::domain::run::Run;
use crate::domain::stack::Stack;
use crate::domain::{CommitHash, RepositoryId};
use crate::git::history::History;
use crate::store::Reading;

/// What Git history says of a run's commit; true while the stack stands where it stood.
#[derive(Clone, Debug)]
pub struct Ancestry {
    /// The repository whose history was read.
    repository: RepositoryId,
    /// The current commit it was compared with.
    current: Option<CommitHash>,
    /// How the run's commit relates to it.
    pub relation: Relation,
    /// Whether a branch of the stack's own repository reaches it.
    own_code: bool,
}

impl Ancestry {
    /// Reads history for a run of the stack.
    pub fn read(history: Option<&History>, stack: &Stack, run: &Run) -> Self {
        let current = stack.current_commit.clone();
        let (relation, own_code) = match history {
            Some(history) => (
                history.relation(current.as_ref(), &run.commit.hash),
                history.reachable_from_heads(&run.commit.hash, Some(&run.branch)),
            ),
            None => (Relation::Unknown, false),
        };
        Self { repository: stack.repository.clone(), current, relation, own_code }
    }

    /// Whether it is true of the stack as it stands now.
    pub fn holds_for(&self, stack: &Stack) -> bool {
        self.repository == stack.repository && self.current == stack.current_commit
    }
}

/// The verdict of the promotion rule for this viewer.
pub async fn verdict(
    reading: &mut Reading,
    ancestry: Ancestry,
    stack: &Stack,
    run: &Run,
    viewer: &Viewer,
) -> Result<Verdict, Problem> {
    let permitted = permit::<Promote>(viewer, &stack.id).map(|_: Permit<Promote>| ());
    Ok(judge(&Facts {
        kind: run.kind,
        state: run.state,
        commit: run.commit.hash.clone(),
        current: ancestry.current,
        relation: ancestry.relation,
        own_code: ancestry.own_code,
        // Every proposed run is made by `propose`, which plans the bare commit with the stack's own variables.
        exact: true,
        allowed: stack.behavior.allow_run_promotion,
        disabled: stack.disabled,
        lock: stack.lock.clone(),
        viewer: viewer.name.clone(),
        permitted,
        promoted_as: reading.promoted_as(&run.id).await?,
    }))
}

/// The verdict without regard to a person, for surfaces that show everybody the same: anybody's lock counts, and nobody
/// lacks a right.
pub async fn verdict_for_all(
    reading: &mut Reading,
    ancestry: Ancestry,
    stack: &Stack,
    run: &Run,
) -> Result<Verdict, Problem> {
    let nobody = Viewer::everywhere("", Role::Administrator);
    verdict(reading, ancestry, stack, run, &nobody).await
}

/// Reads everything and judges; for pages.
pub async fn look(context: &Context, stack: &Stack, run: &Run, viewer: &Viewer) -> Result<Verdict, Problem> {
    let history = context.history(&stack.repository);
    let ancestry = Ancestry::read(history.as_ref(), stack, run);
    let mut reading = context.store.read().await?;
    verdict(&mut reading, ancestry, stack, run, viewer).await
}
