//! Outgoing: where Headway connects to when people enter an address: a repository, GitHub, a provider that signs in.
//!
//! This machine, its neighbourhood and whatever else is not the public internet are closed, unless the operator opens a
//! network (`--allow-network`). Otherwise an address would be a way to what only this machine may reach, such as the
//! credentials that a cloud gives to its machines. A name is judged by what it resolves to at the moment of connecting; over
//! SSH a moment before, because SSH has a configuration and a resolver of its own.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, ClientBuilder};
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use url::{Host, Url};

/// The networks that are not the public internet, and what they are (IANA, special-purpose address registries).
const CLOSED: [(IpNet, &str); 25] = [
    (v4([0, 0, 0, 0], 8), "this machine"),
    (v4([127, 0, 0, 0], 8), "this machine"),
    (v4([10, 0, 0, 0], 8), "a private network"),
    (v4([172, 16, 0, 0], 12), "a private network"),
    (v4([192, 168, 0, 0], 16), "a private network"),
    (v4([100, 64, 0, 0], 10), "a private network"),
    (v4([169, 254, 0, 0], 16), "the neighbourhood of this machine"),
    (v4([192, 0, 0, 0], 24), "a reserved network"),
    (v4([192, 0, 2, 0], 24), "a reserved network"),
    (v4([198, 18, 0, 0], 15), "a reserved network"),
    (v4([198, 51, 100, 0], 24), "a reserved network"),
    (v4([203, 0, 113, 0], 24), "a reserved network"),
    (v4([224, 0, 0, 0], 4), "a reserved network"),
    (v4([240, 0, 0, 0], 4), "a reserved network"),
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 127), "this machine"),
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), "a private network"),
    (v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), "a private network"),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), "the neighbourhood of this machine"),
    (v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48), "a private network"),
    (v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64), "a reserved network"),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), "a reserved network"),
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), "a reserved network"),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), "a reserved network"),
    (v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16), "a reserved network"),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), "a reserved network"),
];

/// The variables that name a proxy; whoever starts Headway sets them, and a proxy decides itself what it leads to.
const PROXIES: [&str; 6] = ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];

const fn v4(address: [u8; 4], length: u8) -> IpNet {
    let [a, b, c, d] = address;
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length))
}

const fn v6(address: [u16; 8], length: u8) -> IpNet {
    let [a, b, c, d, e, f, g, h] = address;
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), length))
}

/// Where Headway may connect to; cheap to clone.
#[derive(Clone, Debug)]
pub struct Outgoing {
    allowed: Arc<[IpNet]>,
    proxies: Arc<[String]>,
}

/// An address is closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "The address leads to {address}, which is {what}: Headway does not connect there for addresses that people enter. If \
     it should, start it with --allow-network {address}, or with a network like 10.0.0.0/8"
)]
pub struct Closed {
    address: IpAddr,
    what: &'static str,
}

/// Why a name leads to no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// It means nothing to the resolver.
    #[error("the name means nothing to this machine")]
    Unknown,
    /// All that it leads to is closed.
    #[error(transparent)]
    Closed(#[from] Closed),
}

impl Outgoing {
    /// The public internet, and these networks.
    pub fn new(allowed: &[IpNet]) -> Self {
        let proxies = PROXIES.iter().filter_map(|name| std::env::var(name).ok());
        let host = |address: String| {
            let whole = if address.contains("://") { address } else { format!("http://{address}") };
            Url::parse(&whole).ok().and_then(|url| url.host_str().map(str::to_ascii_lowercase))
        };
        Self { allowed: allowed.into(), proxies: proxies.filter_map(host).collect() }
    }

    /// Whether requests may go through a proxy, which then resolves the names.
    pub fn has_proxy(&self) -> bool {
        !self.proxies.is_empty()
    }

    /// A client that connects to no closed address that a name leads to. Addresses without a name have to be shown to
    /// [`Self::judge`] before: no resolver is asked for them.
    pub fn client(&self, builder: ClientBuilder) -> reqwest::Result<Client> {
        builder.dns_resolver(Arc::new(self.clone())).build()
    }

    /// Judges an address whose host is none that has to be resolved; any other is judged when it is.
    pub fn judge(&self, url: &Url) -> Result<(), Closed> {
        match url.host() {
            Some(Host::Ipv4(address)) => self.open(address.into()).map(|_| ()),
            Some(Host::Ipv6(address)) => self.open(address.into()).map(|_| ()),
            Some(Host::Domain(_)) | None => Ok(()),
        }
    }

    /// The open addresses that a host leads to; there is at least one.
    pub async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Unresolved> {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let found = tokio::net::lookup_host((host, port)).await.map_err(|_| Unresolved::Unknown)?;
        let mut open = Vec::new();
        let mut closed = Err(Unresolved::Unknown);
        for address in found {
            match self.open(address.ip()) {
                Ok(_) => open.push(address),
                Err(found) => closed = Err(found.into()),
            }
        }
        if open.is_empty() { closed } else { Ok(open) }
    }

    fn open(&self, address: IpAddr) -> Result<IpAddr, Closed> {
        let plain = plain(address);
        let closed = CLOSED.iter().find(|(network, _)| network.contains(&plain));
        match closed {
            Some((_, what)) if !self.allowed.iter().any(|network| network.contains(&plain)) => {
                Err(Closed { address: plain, what })
            }
            Some(_) | None => Ok(address),
        }
    }
}

/// The address that is reached in the end: some of version 6 stand for one of version 4 (RFC 4291, 6052 and 3056).
fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address else { return address };
    let [a, b, c, d, e, f, g, h] = six.segments();
    let four = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0xffff] | [0x64, 0xff9b, 0, 0, 0, 0] => four(g, h),
        [0, 0, 0, 0, 0, 0] if g != 0 => four(g, h),
        [0x2002, high, low, ..] => four(high, low),
        _ => address,
    }
}

impl Resolve for Outgoing {
    fn resolve(&self, name: Name) -> Resolving {
        let outgoing = self.clone();
        Box::pin(async move {
            let host = name.as_str();
            if outgoing.proxies.iter().any(|proxy| proxy == host) {
                let found: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
                let found: Addrs = Box::new(found.into_iter());
                return Ok(found);
            }
            let open: Addrs = Box::new(outgoing.addresses(host, 0).await?.into_iter());
            Ok(open)
        })
    }
}

/// Why a request was not sent, when its address is closed.
pub fn closed(error: &reqwest::Error) -> Option<Closed> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(Unresolved::Closed(closed)) = error.downcast_ref() {
            return Some(closed.clone());
        }
        source = error.source();
    }
    None
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn may(outgoing: &Outgoing, address: &str) -> bool {
        outgoing.open(address.parse().unwrap()).is_ok()
    }

    #[test]
    fn only_the_public_internet_is_open() {
        let outgoing = Outgoing::new(&[]);
        for open in
            ["140.82.121.4", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00::1", "64:ff9b::101:101"]
        {
            assert!(may(&outgoing, open), "{open}");
        }
        for closed in [
            "127.0.0.1",
            "127.255.255.254",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "169.254.169.254",
            "192.0.0.192",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "fd00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "64:ff9b:1::a9fe:a9fe",
            "3fff::1",
            "5f00::1",
        ] {
            assert!(!may(&outgoing, closed), "{closed}");
        }
    }

    #[test]
    fn a_network_is_opened_by_name_and_no_other() {
        let outgoing = Outgoing::new(&["10.1.0.0/16".parse().unwrap(), "fd00::/8".parse().unwrap()]);
        for open in ["10.1.2.3", "::ffff:10.1.2.3", "fd12::1"] {
            assert!(may(&outgoing, open), "{open}");
        }
        for closed in ["10.2.0.1", "127.0.0.1", "fe80::1"] {
            assert!(!may(&outgoing, closed), "{closed}");
        }
        let closed = outgoing.judge(&Url::parse("http://[::ffff:7f00:1]:80/").unwrap()).unwrap_err();
        assert!(closed.to_string().contains("leads to 127.0.0.1, which is this machine"), "{closed}");
        // Every spelling that a URL takes for an address of version 4.
        for host in ["2130706433", "0x7f.1", "017700000001", "127.1"] {
            assert!(outgoing.judge(&Url::parse(&format!("http://{host}/")).unwrap()).is_err(), "{host}");
        }
    }

    #[tokio::test]
    async fn a_name_is_judged_by_where_it_leads() {
        let outgoing = Outgoing::new(&[]);
        assert!(matches!(outgoing.addresses("localhost", 80).await, Err(Unresolved::Closed(_))));
        assert_eq!(outgoing.addresses("nowhere.invalid", 80).await, Err(Unresolved::Unknown));
        let client = outgoing.client(Client::builder().no_proxy()).unwrap();
        let error = client.get("http://localhost:9/").send().await.unwrap_err();
        assert!(closed(&error).is_some(), "{error:?}");
        let open = Outgoing::new(&["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]);
        assert!(!open.addresses("localhost", 80).await.unwrap().is_empty());
    }
}
