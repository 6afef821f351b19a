//! The files of a site folder, for people who work with cargo-leptos.
//!
//! It builds the client beside the server and says where in `LEPTOS_SITE_ROOT`. Where it does, its files stand in for
//! those that the server carries, which an earlier `cargo xtask build` may have left; otherwise nothing is read here.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use std::path::{Component, Path, PathBuf};

/// The folder, when cargo-leptos runs the server.
pub fn root() -> Option<PathBuf> {
    std::env::var_os("LEPTOS_SITE_ROOT").map(PathBuf::from)
}

/// Where `cargo leptos watch` tells pages to load themselves again: a port of this machine; none when it does not watch.
pub fn reload_port() -> Option<u32> {
    std::env::var_os("LEPTOS_WATCH")?;
    std::env::var("LEPTOS_RELOAD_PORT").ok()?.parse().ok()
}

/// What cargo-leptos calls the file of that name.
pub fn path(name: &str) -> Option<&'static str> {
    let known = [
        ("headway.js", "/pkg/headway.js"),
        ("headway.wasm", "/pkg/headway.wasm"),
        ("headway.css", "/pkg/headway.css"),
        ("icons.svg", "/icons.svg"),
    ];
    known.into_iter().find(|(known, _)| *known == name).map(|(_, path)| path)
}

/// The file at that address in the folder, or 404.
pub async fn serve(root: &Path, address: &str) -> Response {
    let Some(file) = inside(address).map(|inside| root.join(inside)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kind = match file.extension().and_then(|extension| extension.to_str()) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some(_) | None => "text/plain; charset=utf-8",
    };
    match tokio::fs::read(file).await {
        Ok(bytes) => ([(CONTENT_TYPE, kind)], bytes).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The address as a path that cannot leave the folder.
fn inside(address: &str) -> Option<&Path> {
    let path = Path::new(address.trim_start_matches('/'));
    path.components().all(|part| matches!(part, Component::Normal(_))).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::inside;

    #[test]
    fn an_address_stays_in_the_folder() {
        assert!(inside("/pkg/headway.js").is_some());
        for address in ["/../key", "/pkg/../../key", "//../key"] {
            assert!(inside(address).is_none(), "{address}");
        }
    }
}
