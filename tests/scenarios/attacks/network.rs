//! Attacks over the network: a plan asks addresses that only this machine reaches.

use super::{deployed, proposed};
use crate::headway::{bubblewrap, terraform};
use crate::repository::resource;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A service of this machine: its address, and how often it was asked.
fn service() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/metadata", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            counter.fetch_add(1, Ordering::SeqCst);
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    (address, asked)
}

#[tokio::test]
async fn a_proposed_run_without_a_network_reaches_nothing_but_its_state() {
    if !terraform() || !bubblewrap() {
        return;
    }
    let (address, asked) = service();
    let ask = format!(
        "data \"terraform_remote_state\" \"metadata\" {{\n  backend = \"http\"\n  config = {{ address = \"{address}\" \
         }}\n}}\n"
    );
    // With the network, which is the machine's, the request is made.
    let (headway, repository, stack) = deployed("bubblewrap", &[]).await;
    proposed(&headway, &repository, &stack, &[("ask.tf", &ask)]).await;
    let before = asked.load(Ordering::SeqCst);
    assert!(before > 0);

    let (headway, repository, stack) = deployed("bubblewrap", &[("HEADWAY_PROPOSED_NETWORK", "off")]).await;
    let page = proposed(&headway, &repository, &stack, &[("ask.tf", &ask)]).await;
    assert_eq!(page.state(), "failed");
    assert_eq!(asked.load(Ordering::SeqCst), before, "it was asked");

    // The state is there: what was deployed is not planned again.
    repository.branch("more", "main", "Make a second thing", &[("second.tf", &resource("second"))]);
    headway.sync(&stack).await;
    let run = headway.proposed(&stack, "more").await;
    headway.until_state(&run, "finished").await.says("1 to add, 0 to change, 0 to destroy");
}
