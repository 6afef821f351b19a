//! The vault seals what must not stand in the database in clear: credentials, secret variables, Terraform states, GitHub's
//! keys. Whoever has the database alone has nothing.
//!
//! XChaCha20-Poly1305. A sealed text names its key, so that while keys are rotated one seals and both open, and it is
//! bound to its place: copied to another row or column it does not open. What was sealed before texts named their key
//! still opens, until a rotation seals it anew.

pub mod keys;

use crate::domain::sealed::Place;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use keys::{Given, Key, KeyError, Keys};
use sha2::{Digest, Sha256};
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

const NONCE: usize = 24;

/// The form of sealed texts: `1:key:base64`. The oldest ones are base64 alone, which has no colon.
const FORM: &str = "1";

/// Seals and opens texts.
#[derive(Clone)]
pub struct Vault {
    /// The first one seals.
    keys: Arc<Vec<Named>>,
}

/// A key under its public name, which says nothing about it.
struct Named {
    name: String,
    cipher: XChaCha20Poly1305,
}

impl fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Vault")
    }
}

/// A sealed text that none of this vault's keys opens.
#[derive(Debug, thiserror::Error)]
#[error("it was sealed with another key or for another place, or is damaged")]
pub struct Sealed;

impl Vault {
    /// Opens the key file, or makes one with a new key and mode 0600.
    pub fn open(file: &Path) -> Result<Self, KeyError> {
        Ok(Self::of(&Keys::open(file, &Given::default(), true)?))
    }

    /// The vault of these keys: the present one seals, and the next one, while keys are rotated, opens too.
    pub fn of(keys: &Keys) -> Self {
        Self::with([Some(keys.present()), keys.next()])
    }

    /// The same keys while they are rotated: the next one seals, and the present one opens too.
    pub fn of_next(keys: &Keys) -> Self {
        Self::with([keys.next(), Some(keys.present())])
    }

    fn with(keys: [Option<&Key>; 2]) -> Self {
        let named = keys.into_iter().flatten().map(|key| Named {
            name: hex::encode(
                &Sha256::new().chain_update("headway key name").chain_update(key.bytes()).finalize()[..4],
            ),
            cipher: XChaCha20Poly1305::new(key.bytes().into()),
        });
        Self { keys: Arc::new(named.collect()) }
    }

    /// What every text begins with that this vault seals now: its form and the name of the key.
    pub fn mark(&self) -> String {
        self.keys.first().map(|key| mark(&key.name)).unwrap_or_default()
    }

    /// The beginnings of the texts that this vault may open; texts that name no key aside.
    pub fn marks(&self) -> Vec<String> {
        self.keys.iter().map(|key| mark(&key.name)).collect()
    }

    /// Seals a text for a place; the same text never looks the same twice.
    pub fn seal(&self, place: &Place, text: &str) -> io::Result<String> {
        let key = self.keys.first().ok_or_else(|| io::Error::other("there is no key"))?;
        let mut sealed = vec![0; NONCE];
        getrandom::fill(&mut sealed).map_err(io::Error::other)?;
        let nonce = XNonce::try_from(&sealed[..]).map_err(io::Error::other)?;
        let place = place.name();
        let payload = Payload { msg: text.as_bytes(), aad: place.as_bytes() };
        sealed.extend(key.cipher.encrypt(&nonce, payload).map_err(|_| io::Error::other("cannot seal"))?);
        Ok(format!("{}{}", mark(&key.name), STANDARD.encode(sealed)))
    }

    /// Opens what [`Vault::seal`] sealed for this place.
    pub fn open_text(&self, place: &Place, sealed: &str) -> Result<String, Sealed> {
        let place = place.name();
        let Some((FORM, rest)) = sealed.split_once(':') else {
            return self.keys.iter().find_map(|key| decrypt(key, b"", sealed)).ok_or(Sealed);
        };
        let (name, body) = rest.split_once(':').ok_or(Sealed)?;
        let key = self.keys.iter().find(|key| key.name == name).ok_or(Sealed)?;
        decrypt(key, place.as_bytes(), body).ok_or(Sealed)
    }

    /// Seals bytes that belong to one thing; under another thing's name they do not open.
    pub fn seal_bytes(&self, bytes: &[u8], thing: &str) -> io::Result<Vec<u8>> {
        let key = self.keys.first().ok_or_else(|| io::Error::other("there is no key"))?;
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(io::Error::other)?;
        let payload = Payload { msg: bytes, aad: thing.as_bytes() };
        let body = key.cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| io::Error::other("cannot seal"))?;
        Ok([mark(&key.name).as_bytes(), &nonce, &body].concat())
    }

    /// Whether these bytes were sealed with the key that seals now.
    pub fn has_sealed(&self, sealed: &[u8]) -> bool {
        sealed.starts_with(self.mark().as_bytes())
    }

    /// Opens what [`Vault::seal_bytes`] sealed for the same thing.
    pub fn open_bytes(&self, sealed: &[u8], thing: &str) -> Result<Vec<u8>, Sealed> {
        let opened = self.keys.iter().find_map(|key| {
            let (nonce, body) = sealed.strip_prefix(mark(&key.name).as_bytes())?.split_at_checked(NONCE)?;
            let nonce = XNonce::try_from(nonce).ok()?;
            key.cipher.decrypt(&nonce, Payload { msg: body, aad: thing.as_bytes() }).ok()
        });
        opened.ok_or(Sealed)
    }
}

fn mark(key: &str) -> String {
    format!("{FORM}:{key}:")
}

fn decrypt(key: &Named, place: &[u8], body: &str) -> Option<String> {
    let bytes = STANDARD.decode(body).ok()?;
    let (nonce, body) = bytes.split_at_checked(NONCE)?;
    let nonce = XNonce::try_from(nonce).ok()?;
    let text = key.cipher.decrypt(&nonce, Payload { msg: body, aad: place }).ok()?;
    String::from_utf8(text).ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::domain::StackId;

    fn place(name: &str) -> Place {
        Place::variable(&StackId::new("network"), name)
    }

    #[test]
    fn a_sealed_text_opens_with_its_own_key_and_in_its_own_place_only() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(&folder.path().join("key")).unwrap();
        let sealed = vault.seal(&place("A"), "hunter2").unwrap();
        assert!(!sealed.contains("hunter2") && sealed.starts_with(&vault.mark()), "{sealed}");
        assert_ne!(sealed, vault.seal(&place("A"), "hunter2").unwrap());
        assert_eq!(
            Vault::open(&folder.path().join("key")).unwrap().open_text(&place("A"), &sealed).unwrap(),
            "hunter2"
        );
        assert!(Vault::open(&folder.path().join("other")).unwrap().open_text(&place("A"), &sealed).is_err());
        assert!(vault.open_text(&place("B"), &sealed).is_err(), "it was copied to another row");
        for damaged in ["", "AAAA", "1:", "1:00000000:AAAA", &sealed[..sealed.len() - 4], &sealed.replacen('1', "2", 1)]
        {
            assert!(vault.open_text(&place("A"), damaged).is_err(), "{damaged}");
        }
    }

    #[test]
    fn what_was_sealed_before_texts_named_their_key_opens() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let keys = Keys::open(&file, &Given::default(), true).unwrap();
        let cipher = XChaCha20Poly1305::new(keys.present().bytes().into());
        let mut old = vec![7; NONCE];
        let nonce = XNonce::try_from(&old[..]).unwrap();
        old.extend(cipher.encrypt(&nonce, &b"hunter2"[..]).unwrap());
        let old = STANDARD.encode(old);
        assert_eq!(Vault::of(&keys).open_text(&place("A"), &old).unwrap(), "hunter2");
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
