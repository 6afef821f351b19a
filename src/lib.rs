//! Headway: self-hosted run promotion for Terraform and OpenTofu.
#![recursion_limit = "256"]

#[cfg(feature = "ssr")]
pub mod ansi;
pub mod app;
#[cfg(feature = "ssr")]
pub mod clock;
#[cfg(feature = "ssr")]
pub mod commands;
#[cfg(feature = "ssr")]
pub mod config;
pub mod domain;
#[cfg(feature = "ssr")]
pub mod git;
#[cfg(feature = "ssr")]
pub mod github;
#[cfg(feature = "ssr")]
pub mod mask;
#[cfg(feature = "ssr")]
pub mod openid;
#[cfg(feature = "ssr")]
pub mod outgoing;
#[cfg(feature = "ssr")]
pub mod password;
#[cfg(feature = "ssr")]
pub mod queries;
#[cfg(feature = "ssr")]
pub mod runner;
#[cfg(feature = "ssr")]
pub mod sample;
#[cfg(feature = "ssr")]
pub mod secret;
#[cfg(feature = "ssr")]
pub mod server;
#[cfg(feature = "ssr")]
pub mod store;
#[cfg(feature = "ssr")]
pub mod vault;

/// Brings the page that the server rendered to life.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    use leptos::prelude::*;

    let boot = document()
        .get_element_by_id(app::boot::BOOT_ELEMENT)
        .and_then(|element| element.text_content())
        .and_then(|text| serde_json::from_str::<app::Boot>(&text).ok())
        .unwrap_or_default();
    leptos::mount::hydrate_body(move || {
        provide_context(boot.clone());
        view! { <app::App /> }
    });
}
