//! Passwords: whether one is strong enough, its argon2id hash, and whether one fits a hash.
//!
//! Parameters are those that OWASP's Password Storage Cheat Sheet gives for argon2id: 19 MiB, two passes, one lane. The
//! hash names them, so that hashes made with others stay good.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash};
use std::io;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The shortest password, in characters (ASVS 5.0, 6.2.1).
const SHORTEST: usize = 8;

/// The longest, in bytes: longer ones only cost time.
const LONGEST: usize = 256;

/// How many hashes are made at the same time: each takes 19 MiB and a core.
const TOGETHER: usize = 2;

/// A hash that no password fits, compared with when there is no such person, so that the time says nothing.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5aXNoZXJlbm93$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Makes and checks hashes, a few at a time.
#[derive(Clone, Debug)]
pub struct Passwords(Arc<Semaphore>);

impl Default for Passwords {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(TOGETHER)))
    }
}

impl Passwords {
    /// The hash of a password, with a salt of its own.
    pub async fn hash(&self, password: String) -> io::Result<String> {
        self.work(move || {
            Argon2::default()
                .hash_password(password.as_bytes())
                .map(|hash| hash.to_string())
                .map_err(|error| io::Error::other(error.to_string()))
        })
        .await?
    }

    /// Whether the password fits the hash; without a hash it takes as long and fits never.
    pub async fn fits(&self, password: String, hash: Option<String>) -> io::Result<bool> {
        self.work(move || {
            let known = hash.is_some() && password.len() <= LONGEST;
            let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
            let fits = PasswordHash::new(&hash)
                .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
            known && fits
        })
        .await
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
        let _turn = self.0.acquire().await.map_err(io::Error::other)?;
        tokio::task::spawn_blocking(work).await.map_err(io::Error::other)
    }
}

/// What is wrong with a new password, if anything; `name` is whose it is to be.
pub fn problem(password: &str, name: &str) -> Option<String> {
    if password.chars().count() < SHORTEST {
        return Some(format!("A password has at least {SHORTEST} characters."));
    }
    if password.len() > LONGEST {
        return Some(format!("A password has at most {LONGEST} bytes."));
    }
    let lower = password.to_lowercase();
    let beside = lower.replace(&name.to_lowercase(), "");
    if !name.is_empty()
        && beside != lower
        && beside.chars().filter(|letter| letter.is_alphanumeric()).count() < SHORTEST / 2
    {
        return Some("This password is little more than the name.".into());
    }
    let judged = zxcvbn::zxcvbn(password, &[name, "headway", "terraform", "opentofu"]);
    if judged.score() >= zxcvbn::Score::Three {
        return None;
    }
    let advice = judged.feedback().and_then(|feedback| {
        let warning = feedback.warning().map(|warning| warning.to_string());
        warning.or_else(|| feedback.suggestions().first().map(ToString::to_string))
    });
    Some(format!(
        "This password would be guessed too soon. {}",
        advice.unwrap_or_else(|| "Use a few uncommon words, or let a password manager make one.".into())
    ))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_fits_its_own_password_only_and_names_its_cost() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse battery".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, passwords.hash("correct horse battery".into()).await.unwrap());
        assert!(passwords.fits("correct horse battery".into(), Some(hash.clone())).await.unwrap());
        for other in ["correct horse batterY", "", &"x".repeat(LONGEST + 1)] {
            assert!(!passwords.fits(other.into(), Some(hash.clone())).await.unwrap(), "{other}");
        }
        assert!(!passwords.fits("correct horse battery".into(), None).await.unwrap());
        assert!(!passwords.fits("x".into(), Some("damaged".into())).await.unwrap());
        assert!(PasswordHash::new(NOBODY).is_ok());
    }

    #[test]
    fn what_is_guessed_soon_is_refused_and_told_why() {
        for weak in ["short", "password1234", "aaaaaaaaaaaa", "grace.hopper", "headwayheadway", &"ä".repeat(200)] {
            assert!(problem(weak, "grace.hopper").is_some(), "{weak}");
        }
        for more in ["operator-operator", "Operator OPERATOR 12", "--operator--"] {
            assert!(problem(more, "operator").is_some_and(|why| why.contains("the name")), "{more}");
        }
        assert_eq!(problem("?%&+!#=(~^*@:;-", "ada"), None);
        assert_eq!(problem("umbrella-tractor-violin-38", "ada"), None);
    }
}
