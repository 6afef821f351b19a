//! A repository where it lives: its address in one spelling, the credential for it, and the machines that its host may
//! be.

use super::{Address, Cause, GitError};
use crate::outgoing::{Outgoing, Unresolved};
use std::net::Ipv4Addr;
use url::Url;

/// The usual port of SSH.
const SSH: u16 = 22;

/// A repository that Git may be sent to.
pub(super) struct Remote {
    /// The address without any secret.
    pub address: String,
    /// `user:password`, or a token alone.
    pub credential: Option<String>,
    /// `host:port:address,address`: where curl finds the host, whatever the resolver says to it.
    pub place: Option<String>,
}

impl Remote {
    /// Checks an address once more before Git gets it: takes a credential out of it should it hold one, and refuses what
    /// leads to where Headway does not connect.
    pub async fn reach(outgoing: &Outgoing, address: &str, credential: Option<&str>) -> Result<Self, GitError> {
        let address = Address::parse(address)?;
        let place = place(outgoing, &address.clean).await?;
        Ok(Self { address: address.clean, credential: credential.map(str::to_owned).or(address.credential), place })
    }
}

async fn place(outgoing: &Outgoing, address: &str) -> Result<Option<String>, GitError> {
    let Some((host, port, web)) = host(address) else { return Ok(None) };
    match outgoing.addresses(&host, port).await {
        // Over SSH, its own configuration says where a host is; and an address in figures needs no finding.
        Ok(_) if !web || host.starts_with('[') || host.parse::<Ipv4Addr>().is_ok() => Ok(None),
        Ok(open) => {
            let open: Vec<String> = open.iter().map(|open| open.ip().to_string()).collect();
            Ok(Some(format!("{host}:{port}:{}", open.join(","))))
        }
        Err(Unresolved::Closed(closed)) => Err(closed.into()),
        // A proxy may know the name, and so may the configuration of SSH.
        Err(Unresolved::Unknown) if !web || outgoing.has_proxy() => Ok(None),
        Err(unknown @ Unresolved::Unknown) => {
            Err(GitError::Unreachable { cause: Cause::Host, detail: unknown.to_string() })
        }
    }
}

/// The host that an address names, its port, and whether Git goes there over the web; none for a path on this machine.
fn host(address: &str) -> Option<(String, u16, bool)> {
    if address.starts_with('/') || address.starts_with("file:") {
        return None;
    }
    match Url::parse(address) {
        Ok(url) => {
            Some((url.host_str()?.to_owned(), url.port_or_known_default().unwrap_or(SSH), url.scheme() != "ssh"))
        }
        // `user@host:path`
        Err(_) => {
            let (host, _) = address.split_once('@')?.1.split_once(':')?;
            Some((host.to_owned(), SSH, false))
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_leads_to_this_machine_is_closed_in_every_spelling() {
        let outgoing = Outgoing::new(&[]);
        for address in [
            "https://127.0.0.1/a",
            "http://169.254.169.254/latest/meta-data",
            "https://localhost:8443/a",
            "https://2130706433/a",
            "https://[::1]/a",
            "https://[::ffff:10.0.0.1]/a",
            "ssh://git@127.0.0.1/a",
            "ssh://git@[::1]:2222/a",
            "git@localhost:a",
            "git@10.0.0.1:a",
        ] {
            let refused = Remote::reach(&outgoing, address, None).await.err();
            assert!(matches!(refused, Some(GitError::Closed(_))), "{address}: {refused:?}");
        }
        for local in ["/srv/git/live", "file:///srv/git/live.git", "/srv/a@localhost:c", "file:///srv/a@localhost:c"] {
            assert!(Remote::reach(&outgoing, local, None).await.unwrap().place.is_none(), "{local}");
        }
        assert!(Remote::reach(&outgoing, "git@alias-of-ssh.invalid:a", None).await.unwrap().place.is_none());
    }

    #[tokio::test]
    async fn git_finds_the_host_where_it_was_judged() {
        let outgoing = Outgoing::new(&["127.0.0.0/8".parse().unwrap()]);
        let remote = Remote::reach(&outgoing, "http://u:p@localhost:8080/a", None).await.unwrap();
        assert_eq!(remote.place.as_deref(), Some("localhost:8080:127.0.0.1"));
        assert_eq!((remote.address.as_str(), remote.credential.as_deref()), ("http://localhost:8080/a", Some("u:p")));
        assert!(Remote::reach(&outgoing, "http://127.0.0.1:8080/a", None).await.unwrap().place.is_none());
    }
}
