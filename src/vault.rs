//! The vault seals what must not stand in the database in clear: credentials, secret variables, Terraform states.
//!
//! XChaCha20-Poly1305 under one key, which lives beside the database in a file that only Headway's user may read and
//! which is made at the first start. Whoever has the database alone has nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use std::fmt;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

const NONCE: usize = 24;

/// Seals and opens texts.
#[derive(Clone)]
pub struct Vault {
    cipher: XChaCha20Poly1305,
}

impl fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Vault")
    }
}

/// A sealed text that this vault's key does not open.
#[derive(Debug, thiserror::Error)]
#[error("it was sealed with another key, or is damaged")]
pub struct Sealed;

impl Vault {
    /// Opens the key file, or makes one with a new key and mode 0600.
    pub fn open(file: &Path) -> io::Result<Self> {
        match std::fs::read(file) {
            Ok(key) => Self::with_key(&key)
                .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the key file does not hold 32 bytes")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut key = [0; 32];
                getrandom::fill(&mut key).map_err(io::Error::other)?;
                let mut new = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
                new.write_all(&key)?;
                new.sync_all()?;
                Self::with_key(&key).ok_or_else(|| io::Error::other("a new key has the wrong length"))
            }
            Err(error) => Err(error),
        }
    }

    fn with_key(key: &[u8]) -> Option<Self> {
        XChaCha20Poly1305::new_from_slice(key).ok().map(|cipher| Self { cipher })
    }

    /// Seals a text; the same text never looks the same twice.
    pub fn seal(&self, text: &str) -> io::Result<String> {
        let mut sealed = vec![0; NONCE];
        getrandom::fill(&mut sealed).map_err(io::Error::other)?;
        let nonce = XNonce::try_from(&sealed[..]).map_err(io::Error::other)?;
        let body = self.cipher.encrypt(&nonce, text.as_bytes()).map_err(|_| io::Error::other("cannot seal"))?;
        sealed.extend(body);
        Ok(STANDARD.encode(sealed))
    }

    /// Opens what [`Vault::seal`] sealed with the same key.
    pub fn open_text(&self, sealed: &str) -> Result<String, Sealed> {
        let bytes = STANDARD.decode(sealed).map_err(|_| Sealed)?;
        let (nonce, body) = bytes.split_at_checked(NONCE).ok_or(Sealed)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| Sealed)?;
        let text = self.cipher.decrypt(&nonce, body).map_err(|_| Sealed)?;
        String::from_utf8(text).map_err(|_| Sealed)
    }

    /// Seals bytes that belong to one thing; under another thing's name they do not open.
    pub fn seal_bytes(&self, bytes: &[u8], thing: &str) -> io::Result<Vec<u8>> {
        let mut sealed = vec![0; NONCE];
        getrandom::fill(&mut sealed).map_err(io::Error::other)?;
        let nonce = XNonce::try_from(&sealed[..]).map_err(io::Error::other)?;
        let payload = Payload { msg: bytes, aad: thing.as_bytes() };
        sealed.extend(self.cipher.encrypt(&nonce, payload).map_err(|_| io::Error::other("cannot seal"))?);
        Ok(sealed)
    }

    /// Opens what [`Vault::seal_bytes`] sealed with the same key for the same thing.
    pub fn open_bytes(&self, sealed: &[u8], thing: &str) -> Result<Vec<u8>, Sealed> {
        let (nonce, body) = sealed.split_at_checked(NONCE).ok_or(Sealed)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| Sealed)?;
        self.cipher.decrypt(&nonce, Payload { msg: body, aad: thing.as_bytes() }).map_err(|_| Sealed)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_sealed_text_opens_with_its_own_key_only() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(&folder.path().join("key")).unwrap();
        let sealed = vault.seal("hunter2").unwrap();
        assert!(!sealed.contains("hunter2"));
        assert_ne!(sealed, vault.seal("hunter2").unwrap());
        assert_eq!(Vault::open(&folder.path().join("key")).unwrap().open_text(&sealed).unwrap(), "hunter2");
        assert!(Vault::open(&folder.path().join("other")).unwrap().open_text(&sealed).is_err());
        assert!(vault.open_text("").is_err() && vault.open_text("AAAA").is_err());
        assert_eq!(std::fs::metadata(folder.path().join("key")).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn sealed_bytes_open_for_the_thing_they_belong_to_only() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(&folder.path().join("key")).unwrap();
        let mut sealed = vault.seal_bytes(b"hunter2 \x00\xff", "one").unwrap();
        assert!(!sealed.windows(7).any(|window| window == b"hunter2"));
        assert_eq!(vault.open_bytes(&sealed, "one").unwrap(), b"hunter2 \x00\xff");
        assert!(vault.open_bytes(&sealed, "other").is_err());
        *sealed.last_mut().unwrap() ^= 1;
        assert!(vault.open_bytes(&sealed, "one").is_err() && vault.open_bytes(b"", "one").is_err());
    }
}
