//! Headway: self-hosted run promotion for Terraform and OpenTofu.
#![recursion_limit = "256"]

pub mod domain;
