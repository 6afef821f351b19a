//! The activity log, newest first, and all of it for an export.

use super::audit::Export;
use crate::app::view::{ActivityFilter, ActivityRow, ActivityView};
use crate::commands::Context;
use crate::domain::activity::Outcome;
use crate::domain::activity::chain::Link;
use crate::domain::actor::ActorKind;
use crate::domain::permission::{LookAround, Permit};
use crate::domain::problem::Problem;
use crate::domain::{StackId, Timestamp};
use crate::store::Filter;

/// How many entries a page shows.
const PAGE: usize = 100;

/// How many actors a page names to choose from.
const ACTORS: i64 = 200;

/// The longest text to search for, in characters.
const TEXT_LIMIT: usize = 200;

/// The entries that were asked for; with a permit for one stack, those of that stack.
pub async fn activity(
    context: &Context,
    permit: &Permit<LookAround>,
    asked: &ActivityFilter,
) -> Result<ActivityView, Problem> {
    let filter = permitted(permit, asked)?;
    let viewer = permit.viewer();
    let mut reading = context.store.read().await?;
    // One more than is shown tells whether there are older ones.
    let limit = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let mut found = reading.activity(&filter, limit).await?;
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let older = found.last().filter(|_| more).map(|link| link.number);
    let stacks = reading.stacks().await?.into_iter().filter(|stack| viewer.role_on(&stack.id).is_some());
    let stacks = stacks.map(|stack| (stack.id, stack.name)).collect();
    let removed = reading.activity_cut().await?.number;
    // Whoever sees one stack only is not told who else is here.
    let actors = if viewer.role.is_some() { reading.actors(ACTORS).await? } else { Vec::new() };
    Ok(ActivityView {
        now: context.now(),
        entries: found.into_iter().map(row).collect(),
        older,
        total: reading.activity_head().await?.number - removed,
        removed,
        stacks,
        actors,
        actions: reading.actions().await?,
    })
}

fn row(link: Link) -> ActivityRow {
    let Link { number, previous: _, hash, entry } = link;
    ActivityRow {
        number,
        hash,
        at: entry.at,
        actor: entry.actor,
        origin: entry.origin,
        action: entry.action,
        stack: entry.stack_id,
        run: entry.run_id,
        refused: match entry.outcome {
            Outcome::Done => false,
            Outcome::Refused => true,
        },
        detail: entry.detail,
        differences: entry.differences,
    }
}

/// Everything that was asked for, piece by piece.
pub async fn export(context: &Context, permit: &Permit<LookAround>, asked: &ActivityFilter) -> Result<Export, Problem> {
    Ok(Export::begin(&context.store, permitted(permit, asked)?).await?)
}

/// What is asked for, if the permit is for that place.
fn permitted(permit: &Permit<LookAround>, asked: &ActivityFilter) -> Result<Filter, Problem> {
    if permit.stack().as_str() == asked.stack.trim() { filter(asked) } else { Err(Problem::Malformed) }
}

/// What a form or an address asks for. An empty field asks for all.
fn filter(asked: &ActivityFilter) -> Result<Filter, Problem> {
    let given = |text: &str| Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned);
    let known = |field: &str, text: &str| Problem::field(field, format!("There is no {text:?} to choose here."));
    let kind = given(&asked.kind).map(|kind| ActorKind::parse(&kind).ok_or_else(|| known("kind", &kind)));
    let outcome = given(&asked.outcome).map(|name| Outcome::parse(&name).ok_or_else(|| known("outcome", &name)));
    let moment = |field: &str, text: &str| given(text).map(|text| moment(field, &text)).transpose();
    Ok(Filter {
        stack: given(&asked.stack).map(StackId::new),
        actor: given(&asked.actor),
        kind: kind.transpose()?,
        action: given(&asked.action),
        outcome: outcome.transpose()?,
        from: moment("from", &asked.from)?,
        until: moment("until", &asked.until)?,
        text: given(&asked.text).map(|text| text.chars().take(TEXT_LIMIT).collect()),
        before: asked.before,
        after: None,
    })
}

/// A moment in UTC, to the day, the minute or the second, as a browser writes it.
fn moment(field: &str, text: &str) -> Result<Timestamp, Problem> {
    let rest = match text.len() {
        10 => "T00:00:00Z",
        16 => ":00Z",
        19 => "Z",
        _ => "",
    };
    let moment: Result<jiff::Timestamp, _> = format!("{text}{rest}").parse();
    moment
        .map(|moment| Timestamp(moment.as_millisecond()))
        .map_err(|_| Problem::field(field, "A moment is written like 2026-11-25T09:30, in UTC."))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_day_a_minute_or_a_second() {
        for text in ["2027-01-15T08:00", "2027-01-15T08:00:00", "2027-01-15T08:00:00Z"] {
            assert_eq!(moment("from", text).unwrap(), Timestamp(1_800_000_000_000));
        }
        assert_eq!(moment("from", "2027-01-15").unwrap(), Timestamp(1_799_971_200_000));
        for wrong in ["yesterday", "2027-13-01", "2027-01-15 8", "é"] {
            assert!(matches!(moment("until", wrong), Err(Problem::Invalid(fields)) if fields[0].field == "until"));
        }
    }

    #[test]
    fn empty_fields_ask_for_all_and_unknown_words_for_nothing() {
        let all = filter(&ActivityFilter { stack: " ".into(), ..ActivityFilter::default() }).unwrap();
        assert_eq!((all.stack, all.kind, all.outcome, all.from, all.text), (None, None, None, None, None));
        let asked = ActivityFilter { kind: "token".into(), outcome: "refused".into(), ..ActivityFilter::default() };
        let some = filter(&asked).unwrap();
        assert_eq!((some.kind, some.outcome), (Some(ActorKind::Token), Some(Outcome::Refused)));
        assert!(filter(&ActivityFilter { kind: "cat".into(), ..ActivityFilter::default() }).is_err());
        assert!(filter(&ActivityFilter { outcome: "maybe".into(), ..ActivityFilter::default() }).is_err());
    }
}
