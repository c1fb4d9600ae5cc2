//! What a configuration file says, and what the relay would make of it.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use super::support::{Relay, signal, sottovoce};
use super::{fails, invite, run};

#[test]
fn an_unknown_field_in_the_configuration() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let file = folder.path().join("relay.toml");
    std::fs::write(&file, "# comment\n\nlisen = [\"127.0.0.1:0\"]\n").expect("write");
    let path = file.to_str().expect("a path");
    fails(
        sottovoce().args(["relay", "--config", path]),
        10,
        &["line 3", "lisen", "`listen`"],
    );
    fails(
        sottovoce().args(["relay", "--config", "/nowhere/x.toml"]),
        10,
        &["/nowhere/x.toml"],
    );
}

#[test]
fn the_printed_configuration_is_one() {
    let printed = run(sottovoce().args(["relay", "--print-config"]));
    assert!(printed.status.success());
    let folder = tempfile::tempdir().expect("a scratch folder");
    let file = folder.path().join("relay.toml");
    std::fs::write(&file, &printed.stdout).expect("write");
    let relay = Relay::with(&[
        "--config",
        file.to_str().expect("a path"),
        "--listen",
        "127.0.0.1:0",
    ]);
    assert!(relay.address.starts_with("https://127.0.0.1:"));
}

/// Whoever asks what a relay would do is told what this one would, arguments and file included.
#[test]
fn the_printed_configuration_is_the_one_that_would_be_used() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let file = folder.path().join("relay.toml");
    std::fs::write(&file, "[limits]\nrooms = 7\n").expect("write");
    let path = file.to_str().expect("a path");
    let print = |arguments: &[&str]| {
        let mut command = sottovoce();
        command.args(["relay", "--print-config"]).args(arguments);
        command
    };
    let printed = run(&mut print(&[
        "--config",
        path,
        "--listen",
        "127.0.0.1:4499",
    ]));
    let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
    for line in ["rooms = 7", "listen = [\"127.0.0.1:4499\"]"] {
        assert!(printed.lines().any(|has| has == line), "{printed}");
    }
    std::fs::write(&file, "[limits]\nrooms = 0\n").expect("write");
    fails(&mut print(&["--config", path]), 10, &["line 2", "`rooms`"]);
    fails(&mut print(&["--json"]), 2, &["--json"]);
}

/// What a relay prints and says, with these arguments, until it is ready.
fn ready(arguments: &[&str]) -> (String, String) {
    let mut relay = sottovoce()
        .arg("relay")
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the relay starts");
    let mut printed = String::new();
    BufReader::new(relay.stdout.take().expect("its output"))
        .read_line(&mut printed)
        .expect("a line");
    signal(relay.id(), "TERM");
    let output = relay.wait_with_output().expect("it ends");
    (
        printed,
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// Who listens on all addresses cannot know which of them leads here from elsewhere.
#[test]
fn a_relay_that_guesses_its_address_says_so() {
    let (printed, said) = ready(&["--listen", "0.0.0.0:0"]);
    let (_, authority) = printed.split_once("https://").expect("an address");
    let (authority, _) = authority.split_once('/').expect("an address");
    for word in [authority, "--public-address", "`public_address`"] {
        assert!(said.contains(word), "{word} is not in: {said}");
    }
    let told = [
        "--listen",
        "0.0.0.0:0",
        "--public-address",
        "relay.example:7",
    ];
    let (printed, said) = ready(&told);
    assert!(
        printed.starts_with("https://relay.example:7/#"),
        "{printed}"
    );
    assert_eq!(said, "");
    assert!(invite(&printed).starts_with("https://relay.example:7/#"));
    assert_eq!(ready(&["--listen", "127.0.0.1:0"]).1, "");
    // The first one is what links say, whoever else is taken in.
    let (_, said) = ready(&["--listen", "127.0.0.1:0", "--listen", "0.0.0.0:0"]);
    for word in [" 127.0.0.1:", "--public-address", "nobody finds it"] {
        assert!(said.contains(word), "{word} is not in: {said}");
    }
    for nowhere in ["[fe80::1]:7", "0.0.0.0:7", "[::]:7"] {
        let mut command = sottovoce();
        command.args(["relay", "--public-address", nowhere]);
        let words = ["--public-address", "leads nobody", "write a name"];
        fails(&mut command, 2, &words);
    }
    let mut command = sottovoce();
    command.args(["relay", "--public-address", "relay.example"]);
    fails(&mut command, 2, &["--public-address", "must be host:port"]);
}

#[test]
fn a_link_local_address() {
    let relay = |address: &str| {
        let mut command = sottovoce();
        command.args(["relay", "--listen", address]);
        command
    };
    fails(
        &mut relay("[fe80::1]:4433"),
        11,
        &["[fe80::1]:4433", "link-local", "`ip link`"],
    );
}
