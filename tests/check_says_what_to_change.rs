//! `sottovoce check` finds what is off with a relay's configuration and its machine, says what to
//! change, and ends with 42 when something is wrong.

mod support;

use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;
use support::{Relay, fixture, sottovoce};

/// A folder with a configuration.
struct Place(tempfile::TempDir);

impl Place {
    fn with(config: &str) -> Self {
        let place = Self(tempfile::tempdir().expect("a scratch folder"));
        std::fs::write(place.path("relay.toml"), config).expect("write");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn check(&self) -> Checked {
        Checked::of(&self.path("relay.toml"))
    }
}

/// What `check --json` says.
struct Checked {
    code: Option<i32>,
    findings: Vec<Value>,
    last: Value,
}

impl Checked {
    fn of(config: &Path) -> Self {
        let output = sottovoce()
            .args(["check", "--json", "--config"])
            .arg(config)
            .output()
            .expect("check runs");
        let text = String::from_utf8(output.stdout).expect("text");
        let objects: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        let (findings, rest): (Vec<_>, Vec<_>) = objects
            .into_iter()
            .partition(|object| object["event"] == "check");
        Self {
            code: output.status.code(),
            findings,
            last: rest.into_iter().next_back().unwrap_or_default(),
        }
    }

    /// The states and sentences of a check.
    fn of_check(&self, name: &str) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let of = self.findings.iter().filter(|found| found["check"] == name);
        of.map(|found| (text(&found["state"]), text(&found["sentence"])))
            .collect()
    }

    /// That check said this, with these words.
    fn says(&self, name: &str, state: &str, words: &str) {
        let found = self.of_check(name);
        let has = |(of, said): &(String, String)| of == state && said.contains(words);
        assert!(
            found.iter().any(has),
            "{name} is not {state}, {words:?}: {found:?}"
        );
    }
}

#[test]
fn all_that_is_off_in_the_configuration_is_said_at_once() {
    let place = Place::with("lisen = []\n\n[limits]\nrooms = 0\nparticipants = true\n");
    let checked = place.check();
    assert_eq!(checked.code, Some(42));
    assert_eq!(checked.last["code"], 42);
    for words in [
        "line 1: there is no field `lisen`",
        "line 4: `rooms` must be",
        "line 5: ",
    ] {
        checked.says("configuration", "wrong", words);
    }
    let missing = Checked::of(Path::new("/nowhere/relay.toml"));
    assert_eq!(missing.code, Some(42));
    missing.says("configuration", "wrong", "check the path");
}

#[test]
fn a_relay_that_answers_is_told_from_a_program_that_does_not() {
    let relay = Relay::start();
    let listen = |port| format!("listen = [\"127.0.0.1:{port}\"]\n");
    let checked = Place::with(&listen(relay.port())).check();
    checked.says("port", "ok", "answers");

    let other = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = other.local_addr().expect("an address").port();
    let place = Place::with(&listen(port));
    let checked = place.check();
    assert_eq!(checked.code, Some(42));
    checked.says("port", "wrong", "ss -ulpn");
    drop(other);
    place.check().says("port", "ok", "free");
}

#[test]
fn an_identity_that_others_can_read_is_wrong_and_is_not_made_by_looking() {
    let place = Place::with("");
    let identity = place.path("identity");
    let config = format!("identity = {identity:?}\n");
    std::fs::write(place.path("relay.toml"), config).expect("write");
    place.check().says("identity", "ok", "made on first use");
    assert!(!identity.exists());

    std::fs::write(&identity, [7; 32]).expect("write");
    let mode = |mode| std::fs::set_permissions(&identity, PermissionsExt::from_mode(mode));
    mode(0o644).expect("a mode");
    let checked = place.check();
    assert_eq!(checked.code, Some(42));
    checked.says("identity", "wrong", "chmod 600");
    mode(0o600).expect("a mode");
    place.check().says("identity", "ok", "alone");
}

/// With each of these the relay ends at its start.
#[test]
fn what_the_relay_does_not_start_with_is_wrong() {
    let place = Place::with("[access]\nwho = \"pass\"\n");
    let checked = place.check();
    assert_eq!(checked.code, Some(42));
    checked.says("access", "wrong", "needs an `identity`");
    let config = format!(
        "identity = {:?}\n[access]\nwho = \"pass\"\ngeneration = 3\n",
        place.path("identity")
    );
    std::fs::write(place.path("relay.toml"), config).expect("write");
    place.check().says("access", "ok", "generations 2 and 3");

    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = other.local_addr().expect("an address").port();
    let told_at = |listen: &str| {
        let config = format!("listen = [\"127.0.0.1:0\"]\n[metrics]\nlisten = \"{listen}\"\n");
        Place::with(&config)
    };
    let place = told_at(&format!("127.0.0.1:{port}"));
    let checked = place.check();
    assert_eq!(checked.code, Some(42));
    checked.says("metrics", "wrong", "another program listens");
    drop(other);
    place.check().says("metrics", "ok", "is free");
    let checked = told_at("unix:/nowhere/at/all/metrics").check();
    assert_eq!(checked.code, Some(42));
    checked.says("metrics", "wrong", "folder");
}

#[test]
fn numbers_that_a_relay_tells_are_found() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let socket = format!("unix:{}", folder.path().join("metrics").display());
    let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
    let port = format!("127.0.0.1:{}", free.expect("a free port").port());
    for listen in [socket, port] {
        let config = format!("listen = [\"127.0.0.1:0\"]\n[metrics]\nlisten = \"{listen}\"\n");
        let place = Place::with(&config);
        let file = place.path("relay.toml");
        let relay = Relay::with(&["--config", file.to_str().expect("a path")]);
        place.check().says("metrics", "ok", "answers");
        drop(relay);
        assert_eq!(place.check().of_check("metrics")[0].0, "ok");
    }
}

#[test]
fn a_certificate_beside_the_identity_is_wrong() {
    let place = Place::with("");
    for (from, to) in [("relay.pem", "c.pem"), ("relay.key", "k.pem")] {
        let from = fixture(&format!("authority/{from}"));
        std::fs::copy(from, place.path(to)).expect("a copy");
    }
    let config = format!(
        "public_address = \"127.0.0.1:443\"\ncertificate = {:?}\nkey = {:?}\nidentity = {:?}\n",
        place.path("c.pem"),
        place.path("k.pem"),
        place.path("identity")
    );
    std::fs::write(place.path("relay.toml"), config).expect("write");
    let checked = place.check();
    assert_eq!(checked.code, Some(42));
    checked.says("certificate", "wrong", "holds the identity");
}

#[test]
fn a_certificate_for_another_name_is_wrong() {
    let path = |name: &str| fixture(&format!("authority/{name}"));
    let config = |public: &str, key: &str| {
        format!(
            "public_address = \"{public}\"\ncertificate = {:?}\nkey = {:?}\n",
            path("relay.pem"),
            path(key)
        )
    };
    let found = |public, key| Place::with(&config(public, key)).check();
    found("127.0.0.1:443", "relay.key").says("certificate", "ok", "more days");
    let other = found("relay.example.org:443", "relay.key");
    other.says("certificate", "wrong", "was not made for relay.example.org");
    found("127.0.0.1:443", "relay.pem").says("certificate", "wrong", "no private key");
}

#[test]
fn people_get_a_list_and_scripts_a_code() {
    let place = Place::with("listen = [\"127.0.0.1:0\"]\n");
    let run = || -> Output {
        let config = place.path("relay.toml");
        let mut command = sottovoce();
        command.args(["check", "--config"]).arg(config);
        command.output().expect("check runs")
    };
    let output = run();
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(!text.contains('\x1b'), "no colours in a file");
    let states: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let wrong = states.contains(&"wrong");
    assert!(
        states.contains(&"ok") && states.contains(&"advice"),
        "{text}"
    );
    assert_eq!(
        output.status.code(),
        Some(if wrong { 42 } else { 0 }),
        "{text}"
    );
    assert!(
        text.contains("cannot be seen from here"),
        "the firewall: {text}"
    );
}
