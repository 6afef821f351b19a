//! Every text that GitHub shows: check runs, their buttons, and the comment on a pull request.
//!
//! It is Markdown that anybody may have a part in: commit messages, branch names, lock notes, a plan's values. All of it
//! is escaped or fenced, so that nothing in it is a link, a mention or a heading; and nothing is longer than GitHub
//! takes.

use super::listing::listing;
use super::markdown::{LeftOut, capital, cut, escaped, fenced};
use super::refusal::Refusal;
use super::{Button, CommentRow, Detail, Facts, Standing, Subject};
use crate::domain::Timestamp;
use crate::domain::permission::Role;
use crate::domain::plan::{Delta, ResourceChange};
use crate::domain::promotion::Verdict;
use crate::domain::pull_request::PullRequestState;
use crate::domain::run::Run;
use crate::domain::run_state::RunState;
use std::fmt::Write as _;

/// The longest text that is sent, in bytes: GitHub takes 65,535 characters.
const LONGEST: usize = 60_000;

/// Marks the one comment that Headway keeps up to date on a pull request.
pub const COMMENT_MARK: &str = "<!-- headway:pull-request -->";

/// The name of a stack's check, by which branch protection demands it: never changed, whatever the stack is called.
pub fn name(stack: &str, tracked: bool) -> String {
    if tracked { format!("headway/{stack} deploy") } else { format!("headway/{stack}") }
}

impl Button {
    /// What stands on it; at most 20 characters.
    pub fn label(self) -> &'static str {
        match self {
            Self::Preview => "Preview",
            Self::Deploy => "Deploy",
            Self::AllowPlan => "Allow plan",
        }
    }

    /// What it does; at most 40 characters.
    pub fn description(self) -> &'static str {
        match self {
            Self::Preview => "Plan this commit again",
            Self::Deploy => "Promote: plan and apply this commit",
            Self::AllowPlan => "Plan exactly this commit of the fork",
        }
    }
}

pub(super) fn title(facts: &Facts<'_>) -> String {
    match &facts.subject {
        Subject::Proposed { run, standing, .. } => match standing {
            Standing::Superseded(by) => format!("Superseded by {}", by.short()),
            Standing::Replaced(_) => "Superseded by a newer run of this commit".into(),
            Standing::Newest | Standing::Ended { .. } | Standing::BranchDeleted => planned(run),
        },
        Subject::Tracked { run, .. } => deployed(run),
        Subject::Untouched => "Not planned".into(),
        Subject::Fork { .. } => "Fork pull requests are not planned".into(),
        Subject::Gone => "This run no longer exists".into(),
    }
}

fn planned(run: &Run) -> String {
    match run.state {
        RunState::Queued | RunState::Ready => "Queued".into(),
        RunState::Preparing | RunState::Initializing | RunState::Planning => "Planning".into(),
        RunState::Finished => delta(run.delta),
        RunState::Failed => "Plan failed".into(),
        RunState::Unconfirmed | RunState::Confirmed | RunState::Applying => capital(run.state.name()),
        RunState::Discarded | RunState::Canceled | RunState::Stopped => capital(run.state.name()),
    }
}

fn deployed(run: &Run) -> String {
    let numbers = delta(run.delta);
    match run.state {
        RunState::Queued | RunState::Ready => "Queued".into(),
        RunState::Preparing | RunState::Initializing | RunState::Planning => "Planning".into(),
        RunState::Unconfirmed => format!("{numbers}: waits for a confirmation"),
        RunState::Confirmed | RunState::Applying => format!("Applying {numbers}"),
        RunState::Finished if run.apply_started_at.is_none() => "No changes".into(),
        RunState::Finished => format!("Applied {numbers}"),
        RunState::Failed if run.apply_started_at.is_some() => "Apply failed".into(),
        RunState::Failed => "Plan failed".into(),
        RunState::Discarded | RunState::Canceled | RunState::Stopped => capital(run.state.name()),
    }
}

/// "+1 ~0 -2", or "No changes".
fn delta(delta: Option<Delta>) -> String {
    match delta {
        None => "No plan".into(),
        Some(delta) if delta.is_empty() => "No changes".into(),
        Some(delta) => delta.to_string(),
    }
}

pub(super) fn summary(facts: &Facts<'_>) -> String {
    let mut text = String::new();
    if let Some(refusal) = facts.refusal {
        let _ = writeln!(text, "> [!WARNING]\n> **Nothing was done.** {}\n", escaped(refusal));
    }
    let (stack, page) = (escaped(facts.stack), facts.page);
    match &facts.subject {
        Subject::Proposed { run, verdict, standing, promotions } => {
            let _ = writeln!(text, "Stack [{stack}]({page}), proposed run of {}.\n", commit(run));
            text += &numbers(run);
            text += &ended(run);
            text += &stands(standing);
            for tracked in *promotions {
                let _ = writeln!(text, "Promoted by {}: {}.\n", escaped(&tracked.triggered_by), deployed(tracked));
            }
            text += &conditions(verdict);
        }
        Subject::Tracked { run, unmerged } => {
            let _ = writeln!(
                text,
                "Stack [{stack}]({page}), deployment of {}, started by {}.\n",
                commit(run),
                escaped(&run.triggered_by)
            );
            text += &numbers(run);
            text += &ended(run);
            for hold in &run.holds {
                let _ = writeln!(text, "- Waits: {}", escaped(&hold.sentence()));
            }
            if *unmerged {
                text += "\nThe tracked branch does not contain this commit yet: merge it, or the next push there would \
                         undo what it deploys.\n";
            }
        }
        Subject::Untouched => {
            let _ = writeln!(
                text,
                "This commit changes no file of the stack [{stack}]({page}), or was there before it, so nothing was \
                 planned. **Preview** plans it."
            );
        }
        Subject::Fork { may_be_allowed, .. } => {
            let _ = writeln!(
                text,
                "A plan runs code of the pull request with the credentials of the stack [{stack}]({page}), and this one \
                 comes from a fork."
            );
            text += if *may_be_allowed {
                "\nRead the changes. If they are harmless, **Allow plan** plans exactly this commit. It cannot be \
                 deployed from here: push it to a branch of this repository for that.\n"
            } else {
                "\nPush it to a branch of this repository to have it planned, or allow plans for forks in Settings > \
                 Integrations of the stack.\n"
            };
        }
        Subject::Gone => {
            text += "Headway has no such run here: it or its stack is gone. Nothing can be deployed from here.\n"
        }
    }
    cut(text, LONGEST, &more(facts.page))
}

fn commit(run: &Run) -> String {
    format!("`{}` on {}", run.commit.hash.short(), escaped(&run.branch))
}

fn numbers(run: &Run) -> String {
    let Some(delta) = run.delta else { return String::new() };
    if delta.is_empty() {
        return "The plan has **no changes**.\n\n".into();
    }
    let outputs = if delta.outputs == 1 { "output to change" } else { "outputs to change" };
    let counts = [
        (delta.add, "to add"),
        (delta.change, "to change"),
        (delta.destroy, "to destroy"),
        (delta.import, "to import"),
        (delta.moved, "to move"),
        (delta.forget, "to forget"),
        (delta.outputs, outputs),
    ];
    let shown: Vec<String> = counts
        .iter()
        .enumerate()
        .filter(|(place, (count, _))| *place < 3 || *count > 0)
        .map(|(_, (count, word))| format!("**{count}** {word}"))
        .collect();
    format!("{}.\n\n", shown.join(", "))
}

/// Why it ended, where that is no success.
fn ended(run: &Run) -> String {
    match &run.note {
        Some(note) if run.state.is_terminal() => format!("{}\n\n", escaped(note)),
        Some(_) | None => String::new(),
    }
}

fn stands(standing: &Standing) -> String {
    match standing {
        Standing::Newest => String::new(),
        Standing::Replaced(run) => format!("The same commit was planned again: run `{run}` counts now.\n\n"),
        Standing::Superseded(by) => {
            format!("Superseded: its branch is at `{}` now, and that commit's check counts.\n\n", by.short())
        }
        Standing::Ended { number, state: PullRequestState::Merged } => {
            format!("Pull request {number} is merged: the tracked branch deploys it.\n\n")
        }
        Standing::Ended { number, state: PullRequestState::Closed | PullRequestState::Open } => {
            format!("Pull request {number} is closed: open it again to deploy from here.\n\n")
        }
        Standing::BranchDeleted => "Its branch was deleted: push it again to deploy from here.\n\n".into(),
    }
}

/// Every condition of the promotion rule but the person.
fn conditions(verdict: &Verdict) -> String {
    if verdict.promoted_as.is_some() {
        return String::new();
    }
    let mut text = String::from("**Can it be deployed?**\n\n");
    for condition in &verdict.conditions {
        if condition.name == super::super::promotion::ConditionName::Permitted {
            continue;
        }
        let mark = if condition.holds { "✅" } else { "❌" };
        let _ = write!(text, "- {mark} {}", escaped(&condition.reason));
        if let Some(cure) = &condition.cure {
            let _ = write!(text, " _{}_", escaped(cure));
        }
        text.push('\n');
    }
    text.push_str("\nWhoever presses **Deploy** needs write access to this repository.\n");
    text
}

pub(super) fn changes(facts: &Facts<'_>) -> Option<String> {
    let plan = facts.plan.filter(|plan| !plan.resources.is_empty() || !plan.outputs.is_empty())?;
    if facts.detail == Detail::Counts {
        return Some(format!(
            "This repository is public, so the changes are listed only on the [run's page]({}).",
            facts.page
        ));
    }
    Some(fenced("diff", &listing(plan), LONGEST, |left_out| {
        let LeftOut { lines, of_lines, of_bytes } = left_out;
        format!("… {lines} of {of_lines} lines are left out, {of_bytes} bytes in all: {}\n", facts.page)
    }))
}

/// A value that is known only after the apply.
pub(super) const UNKNOWN: &str = "(known after apply)";

/// A value that nobody is shown.
pub(super) const SENSITIVE: &str = "(sensitive value)";

/// The whole of a resource's value, where it is no attribute.
pub(super) const WHOLE: &str = "(all of it)";

/// A value that is no more.
pub(super) const NONE: &str = "gone";

/// Why a resource is replaced.
pub(super) const FORCES_REPLACEMENT: &str = "  # forces replacement";

/// What else there is to say of a resource.
pub(super) fn origin(resource: &ResourceChange) -> String {
    let deposed = resource.deposed.iter().map(|key| format!(" (former object {key})"));
    let moved = resource.moved_from.iter().map(|from| format!(" (moved from {from})"));
    let imported = resource.imported_as.iter().map(|id| format!(" (imported as {id})"));
    deposed.chain(moved).chain(imported).collect()
}

/// That a resource has more attributes than are kept.
pub(super) fn more_attributes(count: usize) -> String {
    format!("… and {count} more attributes")
}

/// The comment on a pull request, all stacks in one.
pub fn comment(commit: &str, rows: &[CommentRow<'_>]) -> String {
    let mut text = format!("{COMMENT_MARK}\n**Headway** on `{commit}`\n\n| stack | plan | deploy |\n|---|---|---|\n");
    for row in rows {
        let plan = row.run.map_or("not planned".into(), planned);
        let deploy = if row.deployable { "**Deploy** in the Checks tab" } else { "no" };
        let _ = writeln!(text, "| [{}]({}) | {} | {deploy} |", escaped(row.stack), row.page, escaped(&plan));
    }
    cut(text, LONGEST, &more(rows.first().map_or("", |row| row.page.as_str())))
}

/// The end of a text that grew too long.
fn more(page: &str) -> String {
    format!("…\n\n[The whole of it]({page})\n")
}

/// What a check says of a click that led to nothing.
pub(super) fn told(sentences: &str, login: &str, at: Timestamp) -> String {
    format!("{sentences} (pressed by {login}, {})", at.long())
}

/// Why a click led to nothing, and what helps.
pub(super) fn refusal(refusal: &Refusal<'_>) -> (String, &'static str) {
    match refusal {
        Refusal::Forged => (
            "The click names a repository, commit or installation that this check run does not belong to.".into(),
            "Press the button on GitHub's own page.",
        ),
        Refusal::NoSuchButton => ("Headway has no such button any more.".into(), "Press one that the check shows now."),
        Refusal::UnknownCheckRun => (
            "Headway does not know this check run: its run or stack is gone.".into(),
            "Push again to have the branch planned.",
        ),
        Refusal::TooOld => (
            "This check is so old that Headway may have answered this click before.".into(),
            "Push again to have the branch planned.",
        ),
        Refusal::StackGone => ("The stack of this check run was deleted.".into(), "Push to a stack that is there."),
        Refusal::StackMoved => {
            ("The stack of this check run follows another repository now.".into(), "Push to that one.")
        }
        Refusal::RunGone => ("This run no longer exists.".into(), "Push again to have the branch planned."),
        Refusal::OutOfReach(why) => ((*why).to_owned(), "Install the App again."),
        Refusal::Unverified { login, why } => (
            format!("Whether {login} may write here could not be verified: {why}."),
            "Press it again when GitHub answers.",
        ),
        Refusal::HeadUnverified { number, why } => (
            format!("Whether pull request {number} still offers this commit could not be verified: {why}."),
            "Press it again when GitHub answers.",
        ),
        Refusal::Bot(login) => (format!("{login} is a bot."), "A person with write access presses it."),
        Refusal::NoWriteAccess { login, repository } => (
            format!("{login} has no write access to {repository}."),
            "Ask somebody who has it, or an administrator of the repository for it.",
        ),
        Refusal::ShutOut { login, person } => {
            (format!("{login} is {person} in Headway, who was shut out."), "Ask an administrator of Headway.")
        }
        Refusal::Role { login, person, has, needs } => {
            let (has, needs) = (has.map_or("no role", Role::label), needs.label());
            let reason =
                format!("{login} is {person} in Headway, with {has} on this stack; this takes the role {needs}.");
            (reason, "Ask an administrator of Headway for it.")
        }
        Refusal::Superseded(by) => (
            format!("Superseded by {}: the branch has gone on.", by.short()),
            "Press Deploy on the newest commit's check.",
        ),
        Refusal::Replaced(run) => {
            (format!("The commit was planned again as {run}."), "Press Deploy on the newer check of this commit.")
        }
        Refusal::Ended { number, state } => (
            format!("Pull request {number} is {}.", state.name()),
            match state {
                PullRequestState::Merged => "The tracked branch deploys it: look at the stack's tracked runs.",
                PullRequestState::Closed | PullRequestState::Open => {
                    "Open it again, or promote the run on its page in Headway."
                }
            },
        ),
        Refusal::BranchDeleted => {
            ("The branch was deleted.".into(), "Push it again and press Deploy on its new check.")
        }
        Refusal::Deployment => (
            "A deployment is not repeated from GitHub.".into(),
            "Retry it on its page, or promote the proposed run again.",
        ),
        Refusal::ForkNotAllowed => (
            "The commit of a fork is planned only when a maintainer allows it.".into(),
            "Read its changes and press Allow plan, where the stack allows that.",
        ),
        Refusal::NoBranchAt(commit) => {
            (format!("No branch is at {} any more.", commit.short()), "Look at the newest commit's checks.")
        }
        Refusal::NoForkAt => {
            ("No open pull request of a fork is at this commit any more.".into(), "Look at its newest commit.")
        }
        Refusal::ForksNotPlanned => (
            "The stack does not plan forks.".into(),
            "An administrator can allow it: Settings > Integrations > Plans for forks.",
        ),
        Refusal::NoCredential(why) => ((*why).to_owned(), "Try again when GitHub answers."),
        Refusal::NotFetched { number, commit, why } => (
            format!("The commit {} of pull request {number} cannot be fetched ({why}).", commit.short()),
            "Look at the pull request again: it may have a newer commit.",
        ),
        Refusal::NoFork(number) => {
            (format!("Pull request {number} is no fork's: its pushes are planned anyway."), "Look at its newest run.")
        }
        Refusal::NotOpen { number, state } => (
            format!("Pull request {number} is {}.", state.name()),
            match state {
                PullRequestState::Merged => "The tracked branch has its changes now.",
                PullRequestState::Closed | PullRequestState::Open => "Open it again to have it planned.",
            },
        ),
        Refusal::AtAnother { number, head, commit } => (
            format!("Pull request {number} is at {} now, not at {}.", head.short(), commit.short()),
            "Read the new commit, then allow that one.",
        ),
    }
}
