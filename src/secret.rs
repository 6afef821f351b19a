//! Secrets that Headway makes: credentials of runs, sessions, access tokens, one-time links. Whoever holds one proves it
//! by showing it; Headway keeps its fingerprint alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::io;

/// A new secret: 256 random bits, as text that an address can hold.
pub fn fresh() -> io::Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// What is stored of a secret, and looked up: its SHA-256. Looking up a hash takes a time that says nothing about the
/// secret.
pub fn fingerprint(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret.as_bytes()))
}
