//! A certificate that nobody vouches for is known by its hash: when a relay shows another one, it prints
//! the address that holds the hash, and links made from that one lead in.

mod support;

use std::time::Duration;

use support::{Participant, Relay, fixture, invite};

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn after_the_files_were_read_again() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = |name: &str| folder.path().join(name);
    let put = |name: &str| {
        for (ending, to) in [("pem", "chain.pem"), ("key", "key.pem")] {
            let from = fixture(&format!("authority/{name}.{ending}"));
            std::fs::copy(from, path(to)).expect("a copy");
        }
    };
    put("relay");
    let config = format!(
        "certificate = {:?}\nkey = {:?}\n",
        path("chain.pem"),
        path("key.pem")
    );
    let file = path("relay.toml");
    std::fs::write(&file, config).expect("write");
    let config = file.to_str().expect("a path");
    let relay = Relay::with(&["--listen", "127.0.0.1:0", "--config", config]);
    assert!(relay.address.ends_with("/#authority"), "{}", relay.address);

    put("own");
    relay.signal("HUP");
    let renewed = relay.announced("address");
    let place = |address: &str| address.split_once('#').map(|(place, _)| place.to_owned());
    assert_eq!(place(&renewed), place(&relay.address));
    let mut participant = Participant::hosts(&invite(&renewed, &[]), "Ada", &[] as &[&str]);
    participant.until("connected", PATIENCE);
}
