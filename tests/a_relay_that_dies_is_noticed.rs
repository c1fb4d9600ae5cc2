//! A relay that is killed says nothing, and nobody answers what is sent to it. Whoever sent is told:
//! at the end, and when it is back.

mod support;

use std::process::ExitStatus;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{Participant, Relay, fixture};

const PATIENCE: Duration = Duration::from_secs(20);

/// How long the end may take: four seconds of a file, the last pictures, the goodbye, each 3 s, and as
/// much again on a machine that is busy.
const THE_END: Duration = Duration::from_secs(25);

fn play(file: &str) -> [String; 2] {
    let file = fixture(file);
    ["--play".into(), file.to_str().expect("a path").to_owned()]
}

fn is_told(status: ExitStatus, events: &[Value]) {
    assert_eq!(status.code(), Some(25), "{events:#?}");
    let error = events.last().expect("events");
    assert_eq!(
        (&error["event"], &error["code"]),
        (&"error".into(), &25.into())
    );
    let message = error["message"].as_str().expect("a sentence");
    assert!(message.contains("gone at the end"), "{message}");
}

fn unsent(summary: &Value, kind: &str) -> u64 {
    let tracks = summary["sent"]["tracks"].as_array().expect("tracks");
    let track = tracks.iter().find(|track| track["kind"] == kind);
    track.expect("a track")["unsent"]
        .as_u64()
        .expect("a number")
}

/// The file lasts 6 s, and a relay is missed after 10 s of silence.
#[test]
fn before_the_end_of_what_is_played() {
    let relay = Relay::start();
    let mut speaker = Participant::hosts(&relay.invite(), "Ada", &play("vp8-voice.webm"));
    speaker.until("connected", PATIENCE);
    std::thread::sleep(Duration::from_secs(2));
    relay.signal("KILL");
    let (status, summary, events) = speaker.finish(THE_END);
    is_told(status, &events);
    let played = events.iter().any(|event| event["event"] == "played");
    assert!(played, "{events:#?}");
    for kind in ["audio", "video"] {
        let unsent = unsent(&summary, kind);
        assert!(unsent > 10, "{kind}: {unsent} unsent, {summary:#}");
    }
}

#[test]
fn when_the_time_is_over() {
    let relay = Relay::start();
    let mut listener = Participant::hosts(&relay.invite(), "Bea", &["--for", "2s"]);
    listener.until("connected", PATIENCE);
    relay.signal("KILL");
    let (status, _, events) = listener.finish(THE_END);
    is_told(status, &events);
}

#[test]
fn when_it_was_missed_already() {
    let relay = Relay::start();
    let mut listener = Participant::hosts(&relay.invite(), "Bea", &[] as &[&str]);
    listener.until("connected", PATIENCE);
    relay.signal("KILL");
    listener.until("reconnecting", PATIENCE);
    listener.signal("INT");
    let (status, _, events) = listener.finish(THE_END);
    is_told(status, &events);
}

/// Neither the last pictures nor the answer to the goodbye are waited for.
#[test]
fn by_one_who_is_impatient() {
    let relay = Relay::start();
    let [option, file] = play("vp8-voice.webm");
    let arguments = [&option, &file, "--loop"].map(String::from);
    let mut speaker = Participant::hosts(&relay.invite(), "Ada", &arguments);
    speaker.until("connected", PATIENCE);
    std::thread::sleep(Duration::from_secs(1));
    relay.signal("KILL");
    std::thread::sleep(Duration::from_secs(2));
    for _ in 0..3 {
        speaker.signal("INT");
        std::thread::sleep(Duration::from_millis(300));
    }
    let (status, summary, events) = speaker.finish(THE_END);
    is_told(status, &events);
    // 50 sounds a second.
    let unsent = unsent(&summary, "audio");
    assert!(unsent > 50, "{unsent} unsent: {summary:#}");
}

/// It is back three seconds later, and then says that it knows nothing of the connection.
#[test]
fn the_outage_is_counted_from_its_last_word() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let identity = folder.path().join("identity");
    let identity = identity.to_str().expect("a path");
    let relay = Relay::with(&["--listen", "127.0.0.1:0", "--identity", identity]);
    let links = relay.invite();
    let listen = format!("127.0.0.1:{}", relay.port());
    let [option, file] = play("vp8-voice.webm");
    let arguments = [&option, &file, "--loop"].map(String::from);
    let mut speaker = Participant::hosts(&links, "Ada", &arguments);
    speaker.until("connected", PATIENCE);
    std::thread::sleep(Duration::from_secs(1));

    relay.signal("KILL");
    relay.finish(PATIENCE);
    let dead = Instant::now();
    std::thread::sleep(Duration::from_secs(3));
    let gap = dead.elapsed();
    let _relay = Relay::with(&["--listen", &listen, "--identity", identity]);
    let back = speaker.until("reconnected", PATIENCE);
    let after = Duration::from_millis(back["after_ms"].as_u64().expect("a number"));
    assert!(after > gap, "back after {after:?}, away for {gap:?}");
    speaker.signal("INT");
    let (status, summary, events) = speaker.finish(THE_END);
    assert!(status.success(), "{events:#?}");
    // 50 sounds a second, for three of them; a busy machine plays less evenly.
    let unsent = unsent(&summary, "audio");
    assert!(unsent > 100, "{unsent} unsent: {summary:#}");
}
