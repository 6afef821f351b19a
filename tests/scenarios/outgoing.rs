//! Addresses that people enter lead to the public internet and nowhere else, unless the operator opens a network: each is
//! refused with the reason and the cure, and nothing listens to a word of Headway's.

use crate::headway::{Headway, browser};
use crate::sign_in_elsewhere::led;
use crate::simulated::Simulated;
use std::io::Read as _;
use std::net::TcpListener;
use std::time::Duration;

/// What the pages say of an address that is closed.
const CLOSED: &str = "Headway does not connect there for addresses that people enter";

/// Something on this machine that nobody outside may reach; whether anything came to it.
struct Inside(TcpListener);

impl Inside {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    fn heard(&self) -> Option<String> {
        let (mut stream, _) = self.0.accept().ok()?;
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut said = [0; 1024];
        let length = stream.read(&mut said).unwrap_or(0);
        Some(String::from_utf8_lossy(&said[..length]).into_owned())
    }
}

#[tokio::test]
async fn an_address_that_leads_inside_is_refused_until_its_network_is_opened() {
    let inside = Inside::new();
    let port = inside.port();
    let mut headway = Headway::start_with("serve", &[("HEADWAY_ALLOW_NETWORK", "10.99.0.0/16")]).await;
    for address in [
        format!("http://127.0.0.1:{port}/a/b"),
        format!("http://localhost:{port}/a/b"),
        format!("http://[::ffff:127.0.0.1]:{port}/a/b"),
        format!("http://2130706433:{port}/a/b"),
        format!("ssh://git@127.0.0.1:{port}/a/b"),
        "http://169.254.169.254/latest/meta-data".to_owned(),
    ] {
        let page = headway.form("/stacks/new", "add_repository", &[("address", &address)]).await;
        page.says(CLOSED).says("--allow-network");
    }
    let here = format!("http://127.0.0.1:{port}");
    let known = Simulated::connected().await;
    let id = known.app["id"].to_string();
    let app = [
        ("app_id", id.as_str()),
        ("private_key", known.app["pem"].as_str().unwrap()),
        ("webhook_secret", "0123456789abcdef0123456789abcdef"),
        ("web_address", here.as_str()),
        ("api_address", here.as_str()),
    ];
    headway.form("/settings/github", "connect_github", &app).await.says(CLOSED);
    let provider = [
        ("passwords", "true"),
        ("openid_name", "Example"),
        ("openid_issuer", here.as_str()),
        ("openid_client_id", "headway"),
        ("client_secret", "secret"),
    ];
    headway.form("/settings/people", "save_sign_in", &provider).await.says("Saved.");
    let told = led(&browser(), &format!("{}/sign-in/openid", headway.url)).await;
    headway.page(&told).await.says(CLOSED);
    assert_eq!(inside.heard(), None);
    headway.page("/activity").await.says("add repository").says(CLOSED);

    // Opened by whoever runs it, the same address is asked.
    headway.end("-TERM");
    headway.start_again_with("HEADWAY_ALLOW_NETWORK", "127.0.0.1");
    let address = format!("{here}/a/b");
    let fields = [("address", address.as_str())];
    let asking = headway.form("/stacks/new", "add_repository", &fields);
    let heard = async {
        loop {
            if let Some(heard) = inside.heard() {
                break heard;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let heard = async { tokio::time::timeout(Duration::from_secs(60), heard).await.unwrap() };
    let (page, heard) = tokio::join!(asking, heard);
    assert!(heard.starts_with("GET /a/b/info/refs"), "{heard}");
    page.says("The repository's host does not answer");
}
