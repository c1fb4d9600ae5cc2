//! A relay that asks for its pass serves those whose links hold it, wherever the meeting goes, and tells
//! all others what they lack. Two passes are good at a time, so that a new one can be handed out before
//! the old one ends.

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use support::{Links, Participant, Relay, fixture, invite, sottovoce};

const SOON: Duration = Duration::from_secs(30);

/// What the program says when the relay ended the connection, and the words of the remedy.
const CLOSED: i32 = 24;
const REMEDY: [&str; 2] = ["holds its pass", "`sottovoce invite --pass`"];

/// A relay with files of its own, which can be started again as another generation.
struct Guarded {
    folder: tempfile::TempDir,
    port: u16,
    relay: Option<Relay>,
}

impl Guarded {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let mut guarded = Self {
            folder,
            port: 0,
            relay: None,
        };
        guarded.generation(1);
        guarded
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("relay.toml")
    }

    fn identity(&self) -> PathBuf {
        self.folder.path().join("identity")
    }

    /// Starts, or starts again at the same port.
    fn generation(&mut self, generation: u32) {
        if let Some(relay) = self.relay.take() {
            relay.signal("TERM");
            let (status, said) = relay.finish(SOON);
            assert!(status.success(), "{said}");
        }
        let config = format!(
            "listen = ['127.0.0.1:{}']\nidentity = '{}'\n[access]\nwho = 'pass'\ngeneration = {generation}\n",
            self.port,
            self.identity().display()
        );
        std::fs::write(self.config(), config).expect("write");
        let config = self.config();
        let relay = Relay::with(&["--config", text(&config)]);
        self.port = relay.port();
        self.relay = Some(relay);
    }

    fn address(&self) -> &str {
        &self.relay.as_ref().expect("it runs").address
    }

    /// As its operator asks for it.
    fn pass(&self, generation: u32) -> String {
        let (generation, identity) = (generation.to_string(), self.identity());
        let arguments = ["--json", "--generation", &generation];
        let said = pass(&[&arguments[..], &["--identity", text(&identity)]].concat());
        assert!(said.status.success(), "{said:?}");
        let said: Value = serde_json::from_slice(&said.stdout).expect("JSON");
        assert_eq!(said["generation"].to_string(), generation);
        said["pass"].as_str().expect("a pass").to_owned()
    }

    fn invite(&self, generation: u32, arguments: &[&str]) -> Links {
        let pass = self.pass(generation);
        invite(
            self.address(),
            &[&["--pass", &pass][..], arguments].concat(),
        )
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path")
}

fn run(command: &mut Command) -> Output {
    let command = command.stdin(Stdio::null());
    command.output().expect("it runs")
}

fn pass(arguments: &[&str]) -> Output {
    run(sottovoce().arg("pass").args(arguments))
}

/// Fails with this exit code and a sentence with these words.
fn fails(output: &Output, code: i32, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
}

fn join(link: &str) -> Output {
    run(sottovoce().args(["join", link, "--name", "Ada", "--for", "1s"]))
}

fn refused(link: &str) {
    fails(&join(link), CLOSED, &REMEDY);
}

/// Whether who has this host link is in.
fn welcome(links: &Links) {
    let mut host = Participant::join(&links.host, "Host", &["--for", "1s"]);
    host.until("connected", SOON);
    let (status, _, events) = host.finish(SOON);
    assert!(status.success(), "{events:#?}");
}

fn admit(host: &mut Participant, name: &str) {
    let knock = host.until_that("knock", SOON, |event| event["name"] == name);
    host.types(&format!("/admit {}", knock["number"]));
}

fn says(from: &mut Participant, to: &mut [&mut Participant], words: &str) {
    from.types(words);
    for listener in to {
        listener.until_that("chat", SOON, |event| event["text"] == words);
    }
}

#[test]
fn the_pass_goes_wherever_the_meeting_goes() {
    let mut relay = Guarded::start();
    let links = relay.invite(1, &["--co-host", "1"]);
    let stay = ["--for", "120s"];
    let mut host = Participant::typing(&links.host, "Host", &stay);
    host.until("connected", SOON);
    let mut cora = Participant::typing(&links.co_hosts[0], "Cora", &stay);
    cora.until("connected", SOON);
    let mut ada = Participant::typing(&links.meeting, "Ada", &stay);
    admit(&mut host, "Ada");
    ada.until("connected", SOON);
    let cem = Participant::join(&links.meeting, "Cem", &stay);
    admit(&mut host, "Cem");
    host.until_that("joined", SOON, |event| event["name"] == "Cem");
    says(&mut ada, &mut [&mut host, &mut cora], "good evening");

    // After a removal the meeting is in other rooms, and has another link.
    host.types("/remove Cem");
    let moved = host.until("link", SOON);
    let (status, _, events) = cem.finish(SOON);
    assert_eq!(status.code(), Some(26), "{events:#?}");
    let moved = moved["meeting_link"].as_str().expect("a link");
    let mut eve = Participant::typing(moved, "Eve", &stay);
    admit(&mut host, "Eve");
    eve.until_that("joined", SOON, |event| event["name"] == "Ada");
    ada.until_that("joined", SOON, |event| event["name"] == "Eve");
    says(
        &mut ada,
        &mut [&mut host, &mut cora, &mut eve],
        "we are well",
    );

    // They come back by themselves to a relay of the next generation.
    relay.generation(2);
    for participant in [&mut host, &mut cora, &mut ada, &mut eve] {
        participant.until("reconnected", SOON);
    }
    says(
        &mut eve,
        &mut [&mut host, &mut cora, &mut ada],
        "still here",
    );
    // And not to one that is two further.
    relay.generation(3);
    for participant in [host, cora, ada, eve] {
        let (status, _, events) = participant.finish(SOON);
        assert_eq!(status.code(), Some(CLOSED), "{events:#?}");
    }
}

#[test]
fn media_arrives_and_who_watches_a_vigil_needs_no_more_than_the_link() {
    let relay = Guarded::start();
    let links = relay.invite(1, &["--vigil"]);
    let file = fixture("vp8-voice.webm");
    let play = ["--play", text(&file), "--loop", "--for", "60s"];
    let mut host = Participant::join(&links.host, "Host", &play);
    host.until("connected", SOON);
    let folder = tempfile::tempdir().expect("a scratch folder");
    let record = ["--record", text(folder.path())];
    let mut viewer = Participant::join(&links.meeting, "me", &record);
    viewer.until("recording", SOON);
    viewer.signal("INT");
    let (status, _, events) = viewer.finish(SOON);
    assert!(status.success(), "{events:#?}");
}

#[test]
fn all_others_are_told_what_they_lack() {
    let (relay, other) = (Guarded::start(), Guarded::start());
    let good = relay.pass(1);
    assert_ne!(good, other.pass(1));
    let without = invite(relay.address(), &[]);
    // A pass of another relay, one that was never given away, and a good one for another address.
    let foreign = invite(relay.address(), &["--pass", &other.pass(1)]);
    let ahead = relay.invite(2, &[]);
    let (_, fragment) = relay.address().split_once('#').expect("hashes");
    let elsewhere = format!("https://localhost:{}/#{fragment}", relay.port);
    let elsewhere = invite(&elsewhere, &["--pass", &good]);
    for links in [&without, &foreign, &ahead, &elsewhere] {
        for link in [&links.host, &links.meeting] {
            refused(link);
        }
    }
    // With the pass of each, one relay stands in for the other.
    let mut both = relay.invite(1, &["--relay", other.address(), "--pass", &other.pass(1)]);
    welcome(&both);
    let Guarded { relay: first, .. } = relay;
    first.expect("it runs").signal("KILL");
    welcome(&both);
    both = invite(other.address(), &["--pass", &other.pass(1)]);
    welcome(&both);
    // A relay that serves everyone takes a link with a pass as one without.
    let open = Relay::start();
    welcome(&invite(&open.address, &["--pass", &good]));
}

#[test]
fn two_passes_are_good_at_a_time() {
    let mut relay = Guarded::start();
    let first = relay.invite(1, &[]);
    welcome(&first);
    relay.generation(2);
    let second = relay.invite(2, &[]);
    welcome(&first);
    welcome(&second);
    relay.generation(3);
    refused(&first.host);
    welcome(&second);
    welcome(&relay.invite(3, &[]));
}

/// The same pass, however it is given: links then let in alike.
#[test]
fn a_pass_stays_off_the_command_line() {
    let relay = Guarded::start();
    let good = relay.pass(1);
    let file = relay.folder.path().join("pass");
    std::fs::write(&file, format!("\n {good}\r\n")).expect("write");
    let by_file = invite(relay.address(), &["--pass-file", text(&file)]);
    welcome(&by_file);
    std::fs::write(&file, format!("{good}\nopen\n")).expect("write");
    let open = Relay::start();
    let two = ["--relay", &open.address, "--pass-file", text(&file)];
    welcome(&invite(relay.address(), &two));

    let mut child = sottovoce()
        .args(["invite", "--json", "--relay", relay.address()])
        .args(["--relay", &open.address, "--pass", "-", "--pass", "open"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("invite starts");
    let mut pipe = child.stdin.take().expect("its input");
    std::io::Write::write_all(&mut pipe, format!("{good}\nmore").as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let links: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let host = links["host_link"].as_str().expect("a link");
    let mut host = Participant::join(host, "Host", &["--for", "1s"]);
    host.until("connected", SOON);
}

#[test]
fn mistakes_get_a_sentence() {
    let relay = Guarded::start();
    let good = relay.pass(1);
    let address = relay.address();
    let invite = |arguments: &[&str]| {
        run(sottovoce()
            .args(["invite", "--relay", address])
            .args(arguments))
    };
    let cut = &good[..good.len() - 1];
    for (arguments, code, words) in [
        (&["--pass", "secret"][..], 20, "no relay's pass"),
        (&["--pass", cut], 20, "damaged on its way"),
        (&["--pass", "svp2.AAAA"], 20, "install a newer one"),
        (
            &["--pass", &good, "--pass", &good],
            2,
            "2 passes for 1 relays",
        ),
        (&["--pass", "-"], 20, "no relay's pass"),
        (&["--pass-file", "/nowhere"], 20, "/nowhere cannot be read"),
        (&["--pass-file", "/dev/null"], 20, "/dev/null holds no pass"),
    ] {
        fails(&invite(arguments), code, &[words]);
    }

    let nowhere = relay.folder.path().join("nowhere");
    let missing = ["--identity", text(&nowhere)];
    fails(
        &pass(&missing),
        12,
        &["does not exist", "that the relay has"],
    );
    assert!(!nowhere.exists(), "an identity was made");
    let identity = relay.identity();
    let identity = ["--identity", text(&identity)];
    let zero = [&identity[..], &["--generation", "0"]].concat();
    fails(&pass(&zero), 2, &["generation"]);

    // In words for people it says which it is; the pass alone stands on standard output.
    let said = pass(&identity);
    assert_eq!(String::from_utf8_lossy(&said.stdout), format!("{good}\n"));
    let about = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(about.contains("generation 1"), "{about}");
    let config = relay.config();
    let said = pass(&["--config", text(&config)]);
    assert_eq!(String::from_utf8_lossy(&said.stdout), format!("{good}\n"));
    let ahead = pass(&["--config", text(&config), "--generation", "2"]);
    let about = String::from_utf8_lossy(&ahead.stderr).into_owned();
    assert!(about.contains("takes generation 1"), "{about}");

    std::fs::write(&config, "[access]\nwho = 'pass'\n").expect("write");
    let start = run(sottovoce().args(["relay", "--config", text(&config)]));
    fails(&start, 10, &["needs an `identity`"]);
    fails(
        &pass(&["--config", text(&config)]),
        10,
        &["names no `identity`"],
    );
}
