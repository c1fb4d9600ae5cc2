//! Addresses that lost a part, are too many, or are the same.

use sottovoce::meeting::RelayRef;
use sottovoce::meeting::links::Links;

use super::support::{Relay, sottovoce};
use super::{deaf_address, fails, invite, join, run};

/// The relay printed a # and what follows; without it no link to an IP address leads anywhere.
#[test]
fn an_address_that_lost_its_hashes() {
    for address in [
        "https://192.0.2.1:4433",
        "https://[2001:db8::1]/",
        "https://localhost:4433/",
    ] {
        let mut command = sottovoce();
        command.args(["invite", "--relay", address]);
        fails(
            &mut command,
            20,
            &["the part behind # is missing", "whole address"],
        );
    }
    // A name may have a certificate from an authority.
    assert!(invite("https://relay.example/").starts_with("https://relay.example:443/#"));
}

/// Each is taken for the other: both begin with https:// and have a long part behind a #.
#[test]
fn a_link_for_an_address_and_an_address_for_a_link() {
    let address = deaf_address();
    let mut command = sottovoce();
    command.args(["invite", "--relay", &invite(&address)]);
    let words = [
        "this is a meeting link",
        "the address that the relay printed",
    ];
    fails(&mut command, 20, &words);
    for address in [&address, "https://relay.example/#authority"] {
        fails(
            &mut join(address),
            20,
            &["a relay's address", "`sottovoce invite --relay ADDRESS`"],
        );
    }
}

/// Such a link may have been made by something else than `invite`.
#[test]
fn a_link_without_hashes_to_a_relay_that_nobody_vouches_for() {
    let relay = Relay::start();
    let reference = RelayRef {
        host: "127.0.0.1".into(),
        port: relay.port(),
        hashes: Vec::new(),
        pass: None,
    };
    let links = Links::draw(vec![reference], "", 0, false, [3; 32]).expect("links");
    // With this machine's authorities, and on a machine that has none.
    for authorities in [None, Some("/dev/null")] {
        let mut command = join(&links.meeting);
        if let Some(file) = authorities {
            command.env("SSL_CERT_FILE", file);
            command.env("SSL_CERT_DIR", "/nowhere");
        }
        fails(&mut command, 23, &["he part behind #", "whole address"]);
    }
}

#[test]
fn too_many_relays_and_one_of_them_twice() {
    let address = |n: usize| format!("https://relay{n}.example/");
    let invite = |addresses: Vec<String>| {
        let mut command = sottovoce();
        command.arg("invite");
        for address in addresses {
            command.args(["--relay", &address]);
        }
        command
    };
    assert!(
        run(&mut invite((0..8).map(address).collect()))
            .status
            .success()
    );
    fails(
        &mut invite((0..9).map(address).collect()),
        2,
        &["at most 8"],
    );
    let twice = vec![address(1), "https://RELAY1.example:443".into()];
    fails(&mut invite(twice), 2, &["each relay once"]);
}

#[test]
fn two_addresses_to_listen_on_that_are_one() {
    let relay = |arguments: &[&str]| {
        let mut command = sottovoce();
        command.arg("relay").args(arguments);
        command
    };
    let twice = ["--listen", "127.0.0.1:4499", "--listen", "127.0.0.1:4499"];
    fails(
        &mut relay(&twice),
        2,
        &["127.0.0.1:4499 is there twice", "leave one out"],
    );
    let folder = tempfile::tempdir().expect("a scratch folder");
    let file = folder.path().join("relay.toml");
    std::fs::write(&file, "listen = [\"[::1]:4499\", \"[::]:4499\"]\n").expect("write");
    let path = file.to_str().expect("a path");
    fails(
        &mut relay(&["--config", path]),
        10,
        &["`listen`", "takes in [::1]:4499"],
    );
    fails(
        &mut relay(&["--listen", "127.0.0.1"]),
        2,
        &["the port is missing"],
    );
}
