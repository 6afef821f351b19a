//! What the pages about GitHub show.

use crate::domain::{RunId, StackId, Timestamp};
use serde::{Deserialize, Serialize};

/// The page of the GitHub App.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GithubView {
    /// When it was read.
    pub now: Timestamp,
    /// The address under which GitHub is to reach this Headway.
    pub home: String,
    /// Whether that address leads nowhere from outside this machine.
    pub unreachable: bool,
    /// The App, when one is connected.
    pub app: Option<AppView>,
    /// Where the browser posts the manifest of a new App, and the manifest.
    pub manifest: Option<(String, String)>,
    /// The rights that the App asks for: name, level, reason.
    pub permissions: Vec<(String, String, String)>,
}

/// The connected App and how it fares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AppView {
    /// Its name.
    pub name: String,
    /// GitHub's id of it.
    pub app_id: i64,
    /// Where GitHub's pages are.
    pub web_address: String,
    /// Where GitHub's API is.
    pub api_address: String,
    /// The page that installs it.
    pub install: String,
    /// Why GitHub does not answer for it.
    pub problem: Option<String>,
    /// When GitHub last answered for it.
    pub checked_at: Option<Timestamp>,
    /// When the last delivery came.
    pub delivered_at: Option<Timestamp>,
    /// How many deliveries had a wrong signature.
    pub signature_failures: i64,
    /// When the last of those came.
    pub signature_failed_at: Option<Timestamp>,
    /// Until when the secret before is still believed.
    pub previous_until: Option<Timestamp>,
    /// Where it is installed.
    pub installations: Vec<InstallationView>,
    /// Repositories with stacks that no installation reaches.
    pub out_of_reach: Vec<String>,
    /// The stacks that GitHub could not be told about yet, and why.
    pub waiting: Vec<(StackId, String)>,
    /// The newest checks that GitHub did not take: of which stack, and why.
    pub refused: Vec<(StackId, String)>,
}

/// One installation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstallationView {
    /// The account that has it.
    pub account: String,
    /// Whether its owner suspended it.
    pub suspended: bool,
    /// Why GitHub refuses it.
    pub problem: Option<String>,
    /// The rights that it lacks: name, level, reason.
    pub missing: Vec<(String, String, String)>,
    /// How many requests are left, of how many, and when they are all there again.
    pub rate: Option<(i64, i64, Timestamp)>,
    /// Its repositories, with the stacks of each.
    pub repositories: Vec<(String, Vec<(StackId, String)>)>,
}

/// The ledger of deliveries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeliveriesView {
    /// When it was read.
    pub now: Timestamp,
    /// The deliveries, newest first.
    pub deliveries: Vec<DeliveryRow>,
    /// When the last of them came, and its id, when there are older ones.
    pub older: Option<(Timestamp, String)>,
}

/// One delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeliveryRow {
    /// GitHub's id of it.
    pub id: String,
    /// When it came.
    pub received_at: Timestamp,
    /// The event, with what happened: `pull_request opened`.
    pub event: String,
    /// The repository it is about.
    pub repository: String,
    /// How far it is: a word for CSS and the page.
    pub state: String,
    /// What it led to, or why it led to nothing.
    pub outcome: String,
    /// How long it took from coming to its end, in milliseconds.
    pub took: Option<i64>,
    /// The stack and the run it led to.
    pub led_to: Option<(StackId, Option<RunId>)>,
    /// How often it came again.
    pub repeats: i64,
    /// Whether it can be worked on again.
    pub replayable: bool,
}

/// What a stack shares with GitHub.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IntegrationView {
    /// `owner/name`.
    pub full_name: String,
    /// Whether not everybody can read it.
    pub private: bool,
    /// Why nothing can be told to it.
    pub problem: Option<String>,
}
