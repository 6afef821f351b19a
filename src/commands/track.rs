//! Track: starts a tracked run and moves the stack's current commit to its commit, in one transaction.

use super::{Context, room_for_one};
use crate::domain::difference::Differences;
use crate::domain::problem::{Problem, Refusal};
use crate::domain::run::{Previous, Run};
use crate::domain::run_state::RunKind;
use crate::domain::stack::Stack;
use crate::domain::{Commit, CommitHash, RunId};
use crate::store::{NewRun, StoreError, Writing};

/// What a tracked run is started with.
#[derive(Clone, Debug)]
pub(super) struct NewTracked {
    pub branch: String,
    pub commit: Commit,
    pub triggered_by: String,
    pub promoted_from: Option<RunId>,
    pub retry_of: Option<RunId>,
}

/// Adds the tracked run to a stack that this transaction has taken.
///
/// The current commit is what the newest tracked run was created for (product.md, Words), so it moves on here. It moves
/// back when a run ends before its apply began (`advance`), and otherwise without a run: *set current commit*, *Sync* and
/// another repository.
pub(super) async fn start_tracked(
    context: &Context,
    writing: &mut Writing,
    stack: &Stack,
    new: NewTracked,
) -> Result<Run, Problem> {
    if stack.disabled {
        return Err(Problem::refused(Refusal::Disabled));
    }
    room_for_one(context, writing, stack, 0).await?;
    let now = context.now();
    let added = writing
        .add_run(&NewRun {
            id: context.ids.run(now),
            stack: stack.id.clone(),
            kind: RunKind::Tracked,
            branch: new.branch,
            commit: new.commit,
            triggered_by: new.triggered_by,
            promoted_from: new.promoted_from,
            retry_of: new.retry_of,
            previous: Previous { commit: stack.current_commit.clone(), run: stack.current_run.clone() },
            created_at: now,
        })
        .await;
    let run = match added {
        Err(error) if error.is_duplicate() => return Err(StoreError::Changed.into()),
        added => added?,
    };
    writing.set_current(&stack.id, Some(&run.commit.hash), Some(&run.id)).await?;
    Ok(run)
}

/// How the current commit moves.
pub(super) fn moved(before: Option<&CommitHash>, after: Option<&CommitHash>) -> Differences {
    let name = |commit: Option<&CommitHash>| commit.map(ToString::to_string).unwrap_or_default();
    Differences::default().and("Current commit", name(before), name(after))
}
