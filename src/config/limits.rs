//! How far everything that grows may grow, in one place: what is fixed, what is a setting, and how long what has ended
//! is kept.
//!
//! What a run, a pin or the activity log still needs is kept however old it is (`commands/clean`).
//!
//! | what grows | how far |
//! |---|---|
//! | a form, a delivery | [`FORM`], [`DELIVERY`]; more is refused with 413 |
//! | names and notes | at their fields: 80 characters for a stack, 200 for a variable or a note, 64 KiB for a value |
//! | a run's log | [`LOG`], lines of 64 KiB; the rest is cut off with a mark |
//! | a plan | [`super::sandbox::Sandbox::plan_size_limit`]; a larger one fails the run; 200 attributes a resource, 4000 characters a value |
//! | a state | [`Limits::state_size`]; a larger one is refused with 413; [`Limits::keep_states`] versions a stack |
//! | the queue | [`Limits::queue`] runs a stack; then people are refused, and pushes wait unanswered |
//! | logs and plans of ended runs | [`Limits::keep_logs`], [`Limits::keep_plans`] |
//! | commits that no branch has | [`Limits::keep_commits`] after the last run of theirs |
//! | repositories that no stack uses | a day after they were added; their credentials and mirrors go with them |
//! | what secrets held before | [`EARLIER_SECRETS`] a stack, masked for [`EARLIER_SECRETS_FOR`] |
//! | bodies of deliveries | [`Limits::keep_deliveries`] |
//! | that a delivery came | [`Limits::keep_ledger`]; until then it is not believed twice, and a click on an older check not at all |
//! | sessions, links, access tokens | 20 sessions and 50 tokens a person; over when [`super::Config`] says so, or at their end |
//! | the activity log | [`Limits::keep_activity`]; its beginning is cut off so that the rest still verifies |

use clap::Args;
use std::time::Duration;

/// What a form may send, in bytes: a variable's value has at most 64 KiB, and encoding may triple it.
pub const FORM: usize = 256 * 1024;

/// What a delivery may have, in bytes: GitHub sends no more.
pub const DELIVERY: usize = 25 * 1024 * 1024;

/// How many values that a stack's secrets held before are masked.
pub const EARLIER_SECRETS: i64 = 50;

/// For how long they are, in milliseconds: ninety days.
pub const EARLIER_SECRETS_FOR: i64 = 90 * DAY;

/// The longest log of one run, in bytes.
pub const LOG: i64 = 50 * 1024 * 1024;

/// The limits that are settings.
#[derive(Args, Clone, Debug)]
pub struct Limits {
    /// How many runs of one stack may be open; more are refused, and pushes wait.
    #[arg(long = "queue-limit", env = "HEADWAY_QUEUE_LIMIT", default_value_t = 200, value_parser = clap::value_parser!(i64).range(1..=100_000))]
    pub queue: i64,
    /// How large a state may be, in MiB.
    #[arg(long = "state-size", env = "HEADWAY_STATE_SIZE", default_value = "128", value_parser = mebibytes)]
    pub state_size: usize,
    /// How many versions of a stack's state are kept.
    #[arg(long, env = "HEADWAY_KEEP_STATES", default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=1_000_000))]
    pub keep_states: i64,
    /// How long the logs of ended runs are kept, in days; 0 keeps them for good.
    #[arg(long, env = "HEADWAY_KEEP_LOGS", default_value = "180", value_parser = days)]
    pub keep_logs: Keep,
    /// How long the plans of ended runs are kept, in days; 0 keeps them for good.
    #[arg(long, env = "HEADWAY_KEEP_PLANS", default_value = "365", value_parser = days)]
    pub keep_plans: Keep,
    /// How long commits that no branch has any more are kept after their last run, in days; 0 keeps them for good.
    #[arg(long, env = "HEADWAY_KEEP_COMMITS", default_value = "365", value_parser = days)]
    pub keep_commits: Keep,
    /// How long the bodies of GitHub's deliveries are kept, in days; 0 keeps them for good.
    #[arg(long, env = "HEADWAY_KEEP_DELIVERIES", default_value = "30", value_parser = days)]
    pub keep_deliveries: Keep,
    /// How long it is known which deliveries came, in days, at least 30; 0 for good. Then their bodies are gone as well,
    /// and a click on a check that is older is refused: it may have been answered before. GitHub keeps checks for 400 days.
    #[arg(long, env = "HEADWAY_KEEP_LEDGER", default_value = "400", value_parser = days_from_30)]
    pub keep_ledger: Keep,
    /// How long entries of the activity log are kept, in days, at least 30; 0 keeps them for good.
    #[arg(long, env = "HEADWAY_KEEP_ACTIVITY", default_value = "1095", value_parser = days_from_30)]
    pub keep_activity: Keep,
    /// How often what was kept long enough is removed, in seconds.
    #[arg(long, env = "HEADWAY_CLEAN_INTERVAL", default_value = "3600", value_parser = super::seconds)]
    pub clean_interval: Duration,
}

/// How long something is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// For good.
    Forever,
    /// For so many milliseconds.
    For(i64),
}

const DAY: i64 = 24 * 3_600_000;

fn days(text: &str) -> Result<Keep, String> {
    match text.parse::<i64>() {
        Ok(0) => Ok(Keep::Forever),
        Ok(days @ 1..=36_500) => Ok(Keep::For(days * DAY)),
        Ok(_) | Err(_) => Err("a number of days from 1 to 36500, or 0 for ever".into()),
    }
}

fn days_from_30(text: &str) -> Result<Keep, String> {
    match days(text) {
        Ok(keep @ Keep::Forever) => Ok(keep),
        Ok(Keep::For(kept)) if kept >= 30 * DAY => Ok(Keep::For(kept)),
        Ok(Keep::For(_)) | Err(_) => Err("a number of days from 30 to 36500, or 0 for ever".into()),
    }
}

fn mebibytes(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(mebibytes @ 1..=4096) => Ok(mebibytes * 1024 * 1024),
        Ok(_) | Err(_) => Err("a number of MiB from 1 to 4096".into()),
    }
}
