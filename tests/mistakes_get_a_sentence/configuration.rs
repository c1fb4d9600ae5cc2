//! What a configuration file says, and what the relay would make of it.

use super::support::{Relay, sottovoce};
use super::{fails, run};

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
