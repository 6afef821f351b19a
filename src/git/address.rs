//! The address of a repository as a person types it: either one clean spelling without any secret, with the credential
//! set apart, or a sentence that says what is wrong and what would do.

use std::fmt;
use thiserror::Error;
use url::Url;

/// Where a repository lives.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// The address without secrets, in one spelling: safe to store, show and hand to Git.
    pub clean: String,
    /// What stood before the `@` of an `https://` address: `user:password`, or a token alone. Percent-decoded.
    pub credential: Option<String>,
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let credential = self.credential.as_ref().map(|_| "(kept secret)");
        formatter.debug_struct("Address").field("clean", &self.clean).field("credential", &credential).finish()
    }
}

/// Why a text is no address; never quotes the text, because it may hold a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AddressProblem {
    /// Nothing was given.
    #[error("The address is empty: enter one like https://github.com/organisation/repository.")]
    Empty,
    /// It is longer than [`Address::LONGEST`].
    #[error("The address is longer than 2000 characters: enter a shorter one.")]
    TooLong,
    /// It has a line break or the like inside.
    #[error("The address contains a line break or another control character: enter it on one line.")]
    ControlCharacter,
    /// Git could take it, or a part of it, for an option.
    #[error("No part of the address may start with a dash: enter one like https://github.com/organisation/repository.")]
    Dash,
    /// It names a Git remote helper.
    #[error("Addresses of the form name::address are not accepted: use https://, ssh:// or file://.")]
    Helper,
    /// Its scheme is none that Headway speaks.
    #[error("Headway does not know this kind of address: use https://, http://, ssh://, git@host:path or file://.")]
    Scheme,
    /// It is a path that depends on where one stands, or no address at all.
    #[error(
        "This is not a complete address: use https://host/path, ssh://host/path, git@host:path, or a path that \
         starts with a slash."
    )]
    Incomplete,
    /// It cannot be understood.
    #[error(
        "The address cannot be understood: check the host and the path, and write @, /, ? and # inside a password \
         as %40, %2F, %3F and %23."
    )]
    Unclear,
    /// It names a host, but no repository.
    #[error("The address names no repository: add its path, as in https://github.com/organisation/repository.")]
    NoPath,
    /// It has a `?` or a `#` part.
    #[error("The address has a part after ? or #: leave it out.")]
    Query,
    /// It has a password where Git cannot use one.
    #[error("An ssh:// address cannot hold a password: leave it out and give Headway's user an SSH key.")]
    Password,
}

impl Address {
    /// How many characters an address may have.
    pub const LONGEST: usize = 2000;

    /// Reads what a person typed.
    pub fn parse(text: &str) -> Result<Self, AddressProblem> {
        let text = text.trim();
        if text.is_empty() {
            return Err(AddressProblem::Empty);
        }
        if text.chars().count() > Self::LONGEST {
            return Err(AddressProblem::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(AddressProblem::ControlCharacter);
        }
        if text.starts_with('-') {
            return Err(AddressProblem::Dash);
        }
        if text.starts_with('/') {
            return local(text);
        }
        let scheme_letter = |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter);
        let after_name = text.trim_start_matches(scheme_letter);
        if after_name.starts_with("::") {
            return Err(AddressProblem::Helper);
        }
        if after_name.starts_with("://") { with_scheme(text) } else { short(text) }
    }
}

/// A path on this machine.
fn local(text: &str) -> Result<Address, AddressProblem> {
    let parts: Vec<_> = text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.contains(&"..") {
        return Err(AddressProblem::Incomplete);
    }
    if parts.is_empty() {
        return Err(AddressProblem::NoPath);
    }
    Ok(Address { clean: format!("/{}", parts.join("/")), credential: None })
}

/// `user@host:path`, the short form of SSH. A user is demanded, so that a forgotten `https://` in front of
/// `user:password@host` is not taken for it.
fn short(text: &str) -> Result<Address, AddressProblem> {
    let (before, path) = text.split_once(':').ok_or(AddressProblem::Incomplete)?;
    let (user, host) = before.split_once('@').ok_or(AddressProblem::Incomplete)?;
    let word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if !word(user) || !word(host) {
        return Err(AddressProblem::Incomplete);
    }
    let path = path.trim_end_matches('/');
    if user.starts_with('-') || host.starts_with('-') || path.starts_with('-') {
        return Err(AddressProblem::Dash);
    }
    if path.contains(['?', '#']) {
        return Err(AddressProblem::Query);
    }
    if path.is_empty() {
        return Err(AddressProblem::NoPath);
    }
    Ok(Address { clean: format!("{user}@{}:{path}", host.to_ascii_lowercase()), credential: None })
}

/// Anything with `://`.
fn with_scheme(text: &str) -> Result<Address, AddressProblem> {
    let scheme = text.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let (web, ssh) = match scheme.as_str() {
        "https" | "http" => (true, false),
        "ssh" => (false, true),
        "file" => (false, false),
        _ => return Err(AddressProblem::Scheme),
    };
    // Taken for a slash, it would make a password part of the path; so would the letter of a drive before a path.
    let authority = text.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    if text.contains('\\') || (scheme == "file" && authority.contains([':', '@'])) {
        return Err(AddressProblem::Unclear);
    }
    let mut url = Url::parse(text).map_err(|_| AddressProblem::Unclear)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(AddressProblem::Query);
    }
    let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
    if host.is_empty() == (web || ssh) {
        return Err(AddressProblem::Unclear);
    }
    if host.starts_with('-') || url.username().starts_with('-') {
        return Err(AddressProblem::Dash);
    }
    // A password with a bare slash ends up here, after what was taken for the host.
    if url.path().contains('@') && (web || ssh) {
        return Err(AddressProblem::Unclear);
    }
    let path = url.path().trim_end_matches('/').to_owned();
    if path.is_empty() {
        return Err(AddressProblem::NoPath);
    }
    let mut credential = None;
    if web {
        credential = user_information(&url)?;
        url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| AddressProblem::Unclear)?;
    } else if ssh {
        if url.password().is_some() {
            return Err(AddressProblem::Password);
        }
        let plain = |letter: char| letter.is_ascii_alphanumeric() || ".-:[]_".contains(letter);
        if !host.chars().all(plain) {
            return Err(AddressProblem::Unclear);
        }
        url.set_host(Some(&host)).map_err(|_| AddressProblem::Unclear)?;
        if url.port() == Some(22) {
            url.set_port(None).map_err(|()| AddressProblem::Unclear)?;
        }
    }
    url.set_path(&path);
    Ok(Address { clean: url.to_string(), credential })
}

/// What stands before the `@`, decoded.
fn user_information(url: &Url) -> Result<Option<String>, AddressProblem> {
    let user = decode(url.username()).ok_or(AddressProblem::Unclear)?;
    let Some(password) = url.password() else {
        return Ok((!user.is_empty()).then_some(user));
    };
    let password = decode(password).ok_or(AddressProblem::Unclear)?;
    Ok(Some(format!("{user}:{password}")))
}

/// Undoes percent-encoding.
fn decode(text: &str) -> Option<String> {
    let mut bytes = text.as_bytes().iter();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(&byte) = bytes.next() {
        let rest = bytes.as_slice();
        let digits = rest.get(..2).filter(|digits| byte == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        match digits.and_then(|digits| str::from_utf8(digits).ok()) {
            Some(digits) => {
                decoded.push(u8::from_str_radix(digits, 16).ok()?);
                bytes.nth(1);
            }
            None => decoded.push(byte),
        }
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::{Address, AddressProblem};
    use proptest::prelude::*;

    #[test]
    fn one_repository_has_one_spelling() {
        for (text, clean, credential) in [
            ("https://github.com/acme/live.git", "https://github.com/acme/live.git", None),
            ("  HTTPS://GitHub.com:443/Acme/Live/ \n", "https://github.com/Acme/Live", None),
            ("http://127.0.0.1:8080/a//", "http://127.0.0.1:8080/a", None),
            ("https://ann:s3cret@host/a", "https://host/a", Some("ann:s3cret")),
            ("https://ann:a%40b%3Ac%25@host/a", "https://host/a", Some("ann:a@b:c%")),
            ("https://ghp_token@host/a", "https://host/a", Some("ghp_token")),
            ("https://:word@host/a", "https://host/a", Some(":word")),
            ("ssh://git@GitHub.com:22/acme/live/", "ssh://git@github.com/acme/live", None),
            ("ssh://git@host:2222/~ann/live", "ssh://git@host:2222/~ann/live", None),
            ("git@GitHub.com:Acme/live.git", "git@github.com:Acme/live.git", None),
            ("git@host:/srv/live/", "git@host:/srv/live", None),
            ("file:///srv/git/live.git/", "file:///srv/git/live.git", None),
            ("file://localhost/srv/git", "file:///srv/git", None),
            ("/srv//git/./live/", "/srv/git/live", None),
        ] {
            let expected = Address { clean: clean.into(), credential: credential.map(str::to_owned) };
            assert_eq!(Address::parse(text), Ok(expected.clone()), "{text}");
            let again = Address::parse(clean).unwrap();
            assert_eq!((again.clean, again.credential), (expected.clean, None), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused_with_its_reason() {
        let long = format!("https://host/{}", "a".repeat(2000));
        for (text, problem) in [
            (" \t ", AddressProblem::Empty),
            (long.as_str(), AddressProblem::TooLong),
            ("https://host/a\nb", AddressProblem::ControlCharacter),
            ("/a\0b", AddressProblem::ControlCharacter),
            ("--upload-pack=touch /tmp/x", AddressProblem::Dash),
            ("ssh://-oProxyCommand=x/a", AddressProblem::Dash),
            ("ssh://-oProxyCommand@host/a", AddressProblem::Dash),
            ("-x@host:a", AddressProblem::Dash),
            ("git@-x:a", AddressProblem::Dash),
            ("git@host:-x", AddressProblem::Dash),
            ("ext::sh -c x", AddressProblem::Helper),
            ("fd::17", AddressProblem::Helper),
            ("ext::https://host/a", AddressProblem::Helper),
            ("git://host/a", AddressProblem::Scheme),
            ("ftp://host/a", AddressProblem::Scheme),
            ("javascript://host/a", AddressProblem::Scheme),
            ("acme/live", AddressProblem::Incomplete),
            ("../live", AddressProblem::Incomplete),
            ("/srv/../live", AddressProblem::Incomplete),
            ("github.com/acme/live", AddressProblem::Incomplete),
            ("host:path", AddressProblem::Incomplete),
            ("ann:s3cret@host/a", AddressProblem::Incomplete),
            ("https://ann:12/34@host/a", AddressProblem::Unclear),
            ("https://ann:a/b@host/a", AddressProblem::Unclear),
            ("https:///", AddressProblem::Unclear),
            ("file://host/srv", AddressProblem::Unclear),
            ("file://a:\\s3cret@host", AddressProblem::Unclear),
            ("https://a:\\s3cret@host/x", AddressProblem::Unclear),
            ("ssh://git@ho$t/a", AddressProblem::Unclear),
            ("https://github.com", AddressProblem::NoPath),
            ("https://github.com/", AddressProblem::NoPath),
            ("git@github.com:", AddressProblem::NoPath),
            ("/", AddressProblem::NoPath),
            ("file:///", AddressProblem::NoPath),
            ("https://host/a?b", AddressProblem::Query),
            ("https://host/a#b", AddressProblem::Query),
            ("git@host:a?b", AddressProblem::Query),
            ("ssh://git:s3cret@host/a", AddressProblem::Password),
        ] {
            assert_eq!(Address::parse(text), Err(problem), "{text}");
        }
    }

    #[test]
    fn the_credential_is_not_printed() {
        let address = Address::parse("https://ann:s3cret@host/a").unwrap();
        assert!(!format!("{address:?}").contains("s3cret"));
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "\\PC{0,60}", scheme in "(https|http|ssh|file|git@h|/|ext)?(://|:|::)?") {
            let _ = Address::parse(&text);
            let _ = Address::parse(&format!("{scheme}{text}"));
        }

        #[test]
        fn what_is_kept_never_has_the_password(
            scheme in "(https|http|HTTP|ssh|file)://|",
            user in "[a-z]{0,4}",
            password in "[-!-~]{0,4}(s3cret|S3CRET)[!-~]{0,4}",
            host in "(host|host:80|10\\.0\\.0\\.1|\\[::1\\])",
            path in "[a-z/@]{0,8}",
        ) {
            if let Ok(address) = Address::parse(&format!("{scheme}{user}:{password}@{host}/{path}")) {
                prop_assert!(!address.clean.to_lowercase().contains("s3cret"), "{}", address.clean);
                let printed = format!("{address:?}").to_lowercase();
                prop_assert!(!printed.contains("s3cret"));
            }
        }
    }
}
