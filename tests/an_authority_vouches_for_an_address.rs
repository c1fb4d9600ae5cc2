//! A relay with an authority's certificate for its IP address can be invited to and joined, without
//! a hash in its address; and whoever does not trust that authority is not let on.

mod support;

use std::path::Path;
use std::process::{Command, Output};

use support::{Relay, fixture, sottovoce};

/// Takes part for a moment, trusting the authorities in this file.
fn join(link: &str, authorities: &Path) -> Output {
    sottovoce()
        .args(["join", link, "--name", "Ada", "--for", "1s"])
        .env("SSL_CERT_FILE", authorities)
        .env("SSL_CERT_DIR", "/nowhere")
        .output()
        .expect("join runs")
}

fn invite(address: &str) -> Command {
    let mut command = sottovoce();
    command.args(["invite", "--relay", address]);
    command
}

#[test]
fn who_trusts_the_authority_gets_in_and_nobody_else() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let file = folder.path().join("relay.toml");
    let path = |name: &str| fixture(&format!("authority/{name}"));
    let config = format!(
        "certificate = {:?}\nkey = {:?}\n",
        path("relay.pem"),
        path("relay.key")
    );
    std::fs::write(&file, config).expect("write");
    let config = file.to_str().expect("a path");
    let relay = Relay::with(&["--listen", "127.0.0.1:0", "--config", config]);

    let link = relay.invite().host;
    let joined = join(&link, &path("authority.pem"));
    assert!(joined.status.success(), "{joined:?}");
    let stranger = join(&link, Path::new("/dev/null"));
    assert_eq!(stranger.status.code(), Some(23), "{stranger:?}");

    // What says that there is no hash to be had is the relay's own word: without it one was lost.
    let (bare, _) = relay.address.split_once('#').expect("a part behind #");
    let refused = invite(bare).output().expect("invite runs");
    assert_eq!(refused.status.code(), Some(20), "{refused:?}");
}
