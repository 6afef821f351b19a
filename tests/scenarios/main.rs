//! Scenarios: the whole program with a real Git, a real Terraform and a real database, driven as a browser without
//! JavaScript would drive it. Each test has its own Headway, its own data folder and its own repository.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod activity;
mod applies;
mod attacks;
mod bad_input;
mod checks;
mod deployment;
mod engines;
mod forks;
mod headway;
mod keys;
mod logs;
mod moves;
mod new_stack;
mod outgoing;
mod page;
mod people;
mod provider;
mod pushes;
mod recovery;
mod repository;
mod routes;
mod sample;
mod secrets;
mod settings;
mod sign_in_elsewhere;
mod simulated;
mod ssh;
mod state;
mod trouble;
mod waits;
mod webhooks;
