//! Every text that GitHub shows: check runs, their buttons, and the comment on a pull request.
//!
//! It is Markdown that anybody may have a part in: commit messages, branch names, lock notes, a plan's values. All of it
//! is escaped or fenced, so that nothing in it is a link, a mention or a heading; and nothing is longer than GitHub
//! takes.

use super::{Button, Detail, Facts, Standing, Subject};
use crate::domain::plan::{Action, AttributeChange, Delta, Plan, ResourceChange, Value};
use crate::domain::promotion::Verdict;
use crate::domain::pull_request::PullRequestState;
use crate::domain::run::Run;
use crate::domain::run_state::RunState;
use std::fmt::Write as _;

/// The longest text that is sent, in bytes: GitHub takes 65,535 characters.
const LONGEST: usize = 60_000;

/// How much of one value is shown, in characters.
const VALUE: usize = 300;

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
        Subject::Untouched => "Not touched by this commit".into(),
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

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
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
                "This commit changes no file of the stack [{stack}]({page}), so nothing is planned. **Preview** plans it \
                 anyway."
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
            text += "Headway has no such run: it or its stack was deleted. Nothing can be deployed from here.\n"
        }
    }
    cut(&text, facts.page)
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
    let listed = list(plan);
    let fence = fence(&listed);
    let room = LONGEST - 2 * fence.len() - "diff\n\n".len();
    Some(format!("{fence}diff\n{}{fence}\n", middle_cut(&listed, room, facts.page)))
}

fn list(plan: &Plan) -> String {
    let mut text = String::new();
    for resource in &plan.resources {
        text += &resource_lines(resource);
    }
    for output in &plan.outputs {
        let _ = writeln!(text, "{} output {}", sign(output.action), output.name);
        text += &sides(output.before.as_ref(), output.after.as_ref(), "value", false);
    }
    text
}

fn resource_lines(resource: &ResourceChange) -> String {
    let mut text = format!("{} {} {}", sign(resource.action), resource.address, resource.action.label());
    if let Some(from) = &resource.moved_from {
        let _ = write!(text, " (moved from {from})");
    }
    if let Some(id) = &resource.imported_as {
        let _ = write!(text, " (imported as {id})");
    }
    text.push('\n');
    for AttributeChange { path, before, after, forces_replacement } in &resource.attributes {
        text += &sides(before.as_ref(), after.as_ref(), path, *forces_replacement);
    }
    if resource.more_attributes > 0 {
        let _ = writeln!(text, "    … and {} more attributes", resource.more_attributes);
    }
    text
}

fn sides(before: Option<&Value>, after: Option<&Value>, path: &str, forces_replacement: bool) -> String {
    let path = if path.is_empty() { "(all of it)" } else { path };
    let forces = if forces_replacement { "  # forces replacement" } else { "" };
    match (before, after) {
        (None, None) => String::new(),
        (None, Some(after)) => format!("    {path}: {}{forces}\n", shown(after)),
        (Some(before), None) => format!("    {path}: {} → gone{forces}\n", shown(before)),
        (Some(before), Some(after)) => format!("    {path}: {} → {}{forces}\n", shown(before), shown(after)),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Known(text) => {
            let one_line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(VALUE).collect();
            if one_line.chars().count() < text.chars().count() { format!("{one_line}…") } else { one_line }
        }
        Value::Unknown => "(known after apply)".into(),
        Value::Sensitive => "(sensitive value)".into(),
    }
}

/// The first character of a line, by which a `diff` block is coloured.
fn sign(action: Action) -> char {
    match action {
        Action::Create => '+',
        Action::Delete => '-',
        Action::Update | Action::DeleteCreate | Action::CreateDelete | Action::CreateForget => '!',
        Action::Read | Action::Forget | Action::NoOp => '#',
    }
}

/// A fence that nothing inside can close.
fn fence(text: &str) -> String {
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

/// Leaves lines in the middle out and says how many: what begins and what ends a plan says most.
fn middle_cut(text: &str, room: usize, page: &str) -> String {
    if text.len() <= room {
        return text.to_owned();
    }
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    // The sentence, with numbers of any length.
    let half = room.saturating_sub(page.len() + 120) / 2;
    let taken = |lines: &mut dyn Iterator<Item = &&str>| {
        let mut size = 0;
        lines
            .take_while(|line| {
                size += line.len();
                size <= half
            })
            .count()
    };
    let head = taken(&mut lines.iter());
    let tail = taken(&mut lines.iter().rev()).min(lines.len() - head);
    let (begin, end) = (lines[..head].concat(), lines[lines.len() - tail..].concat());
    let omitted = lines.len() - head - tail;
    format!("{begin}… {omitted} of {} lines are left out, {} bytes in all: {page}\n{end}", lines.len(), text.len())
}

/// Ends a text that grew too long.
fn cut(text: &str, page: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(LONGEST - page.len() - 40);
    format!("{}…\n\n[The whole of it]({page})\n", &text[..end])
}

/// A text of somebody else's inside Markdown: letters only, no link, mention, heading or HTML.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '@' => escaped.push_str("&#64;"),
            // A bare address becomes a link by itself.
            ':' => escaped.push_str("&#58;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '#' | '|' | '>' | '~' | '!' => {
                escaped.push('\\');
                escaped.push(character);
            }
            character if character.is_control() => escaped.push(' '),
            character => escaped.push(character),
        }
    }
    escaped
}

/// One stack in the comment on a pull request.
#[derive(Clone, Debug)]
pub struct CommentRow<'a> {
    /// The stack's name.
    pub stack: &'a str,
    /// The newest run of the pull request's commit; none when it touches nothing of the stack.
    pub run: Option<&'a Run>,
    /// Whether it can be deployed now.
    pub deployable: bool,
    /// The run's page, or the stack's.
    pub page: String,
}

/// The comment on a pull request, all stacks in one.
pub fn comment(commit: &str, rows: &[CommentRow<'_>]) -> String {
    let mut text = format!("{COMMENT_MARK}\n**Headway** on `{commit}`\n\n| stack | plan | deploy |\n|---|---|---|\n");
    for row in rows {
        let plan = row.run.map_or("not touched".into(), planned);
        let deploy = if row.deployable { "**Deploy** in the Checks tab" } else { "no" };
        let _ = writeln!(text, "| [{}]({}) | {} | {deploy} |", escaped(row.stack), row.page, escaped(&plan));
    }
    cut(&text, rows.first().map_or("", |row| row.page.as_str()))
}
