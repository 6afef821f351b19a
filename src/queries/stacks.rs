//! The list of stacks, searched and filtered.

use super::current;
use crate::app::view::{RunRow, StackRow, StacksView};
use crate::commands::Context;
use crate::domain::permission::Viewer;
use crate::domain::problem::Problem;
use crate::domain::run_state::RunState;
use crate::domain::stack::Stack;
use crate::git::history::History;
use crate::store::Reading;
use std::collections::BTreeMap;

/// Which stacks to show, besides those that the search finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// All.
    All,
    /// Those whose plan waits for a person.
    Waiting,
    /// Those at work.
    Working,
    /// Those whose newest tracked run failed.
    Failed,
    /// Those that somebody keeps for themselves.
    Locked,
}

impl Filter {
    /// Reads the word of the address; anything else shows all.
    pub fn parse(word: &str) -> Self {
        match word {
            "waiting" => Self::Waiting,
            "working" => Self::Working,
            "failed" => Self::Failed,
            "locked" => Self::Locked,
            _ => Self::All,
        }
    }

    fn lets_through(self, row: &StackRow) -> bool {
        let state = row.newest.as_ref().map(|run| run.state);
        match self {
            Self::All => true,
            Self::Waiting => row.unconfirmed.is_some(),
            Self::Working => state.is_some_and(|state| !state.is_terminal() && state != RunState::Unconfirmed),
            Self::Failed => state == Some(RunState::Failed),
            Self::Locked => row.lock.is_some(),
        }
    }
}

/// The stacks that the viewer may see and that fit.
pub async fn stacks(context: &Context, viewer: &Viewer, search: &str, filter: Filter) -> Result<StacksView, Problem> {
    let mut reading = context.store.read().await?;
    let all: Vec<_> = reading.stacks().await?.into_iter().filter(|stack| viewer.role_on(&stack.id).is_some()).collect();
    let total = all.len();
    let words: Vec<String> = search.split_whitespace().map(str::to_lowercase).collect();
    let mut histories = BTreeMap::new();
    let mut stacks = Vec::new();
    for stack in all.into_iter().filter(|stack| found(stack, &words)) {
        let history = histories.entry(stack.repository.clone()).or_insert_with(|| context.history(&stack.repository));
        let row = row(&mut reading, history.as_ref(), stack).await?;
        if filter.lets_through(&row) {
            stacks.push(row);
        }
    }
    Ok(StacksView { now: context.now(), stacks, total })
}

fn found(stack: &Stack, words: &[String]) -> bool {
    let text = [&stack.name, &stack.description, &stack.address, &stack.project_root, &stack.tracked_branch]
        .into_iter()
        .chain(&stack.labels)
        .map(|text| text.to_lowercase())
        .collect::<Vec<_>>()
        .join("\n");
    words.iter().all(|word| text.contains(word))
}

async fn row(reading: &mut Reading, history: Option<&History>, stack: Stack) -> Result<StackRow, Problem> {
    let repository = reading.repository(&stack.repository).await?;
    let blocker = reading.blocker(&stack.id).await?;
    Ok(StackRow {
        current: current(history, stack.current_commit.as_ref()),
        // What happens now, rather than what waits behind it.
        newest: match &blocker {
            Some(blocker) => Some(RunRow::from(blocker)),
            None => reading.newest_tracked(&stack.id).await?.as_ref().map(RunRow::from),
        },
        unconfirmed: blocker.filter(|run| run.state == RunState::Unconfirmed).map(|run| run.id),
        problem: repository.and_then(|repository| repository.problem),
        id: stack.id,
        name: stack.name,
        description: stack.description,
        labels: stack.labels,
        address: stack.address,
        project_root: stack.project_root,
        tracked_branch: stack.tracked_branch,
        lock: stack.lock,
        disabled: stack.disabled,
    })
}
