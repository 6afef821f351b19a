//! What GitHub publishes about its interface, held against what is sent, so that Headway and the simulator cannot
//! share one misunderstanding.
//!
//! Headway's requests are checked against GitHub's REST description, the simulator's webhooks against GitHub's webhook
//! schemas. The folder `contract` of this package has both in extracts: `end2end/contract/extract.mjs` makes
//! `rest.json` and `webhooks.json`. `rules.json` is written by hand: the rules that GitHub states only in words or only
//! by its answers.

mod rest;
mod schema;
mod webhooks;

pub use rest::{known, request};
pub use webhooks::webhook;
