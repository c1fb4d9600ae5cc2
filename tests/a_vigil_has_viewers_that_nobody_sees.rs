//! A vigil, one to many: viewers get every frame of the speakers, bit for bit; nobody sees them; they
//! have no voice; and who is removed from the stage is shown no more.

mod support;

use std::time::Duration;

use serde_json::Value;
use support::{Participant, Relay, fixture, invite, sottovoce};

const SOON: Duration = Duration::from_secs(30);

fn tracks<'a>(summary: &'a Value, name: &str) -> &'a Vec<Value> {
    let people = summary["participants"].as_array().expect("participants");
    let person = people.iter().find(|person| person["name"] == name);
    person.expect("it was there")["tracks"]
        .as_array()
        .expect("tracks")
}

/// The names that somebody saw come.
fn seen(events: &[Value]) -> Vec<String> {
    let joined = events.iter().filter(|event| event["event"] == "joined");
    let names = joined.filter_map(|event| event["name"].as_str());
    names.map(str::to_owned).collect()
}

#[test]
fn viewers_get_every_frame_and_are_on_no_list() {
    let relay = Relay::start();
    let links = invite(&relay.address, &["--vigil", "--title", "Commemoration"]);
    let watch = |name: &str| Participant::join(&links.meeting, name, &["--for", "60s"]);
    let mut early = watch("Early");
    early.until_that("waiting", SOON, |event| event["for"] == "host");
    let mut host = Participant::typing(&links.host, "Host", &["--for", "60s"]);
    host.until("connected", SOON);
    early.until_that("title", SOON, |event| event["title"] == "Commemoration");
    early.until("connected", SOON);
    let mut second = watch("Second");
    second.until_that("joined", SOON, |event| event["name"] == "Host");

    let file = fixture("vp8-voice.webm");
    let play = file.to_str().expect("a path");
    let speak = ["--speak", "--play", play, "--loop", "--for", "16s"];
    let mut speakers = Vec::new();
    for (name, more) in [("Ada", &["--begin-with", "2"][..]), ("Cem", &[])] {
        let arguments = [&speak[..], more].concat();
        let mut speaker = Participant::join(&links.meeting, name, &arguments);
        speaker.until_that("vigil", SOON, |event| event["speaks"] == true);
        let knock = host.until_that("knock", SOON, |event| event["name"] == name);
        host.types(&format!("/admit {}", knock["number"]));
        speaker.until("connected", SOON);
        speakers.push(speaker);
    }
    for viewer in [&mut early, &mut second] {
        viewer.until_that("joined", SOON, |event| event["name"] == "Cem");
    }
    std::thread::sleep(Duration::from_secs(4));
    let mut late = watch("Late");
    late.until("connected", SOON);
    std::thread::sleep(Duration::from_secs(2));
    host.types("/who");
    let roster = host.until("roster", SOON);
    let members = roster["members"].as_array().expect("members");
    assert_eq!(members.len(), 3, "the group is those who speak: {roster:#}");
    host.types("/remove Cem");
    let (status, _, events) = speakers.pop().expect("Cem").finish(SOON);
    assert_eq!(status.code(), Some(26), "{events:#?}");
    for viewer in [&mut early, &mut second, &mut late] {
        viewer.until_that("left", SOON, |event| event["name"] == "Cem");
    }

    let (status, sent, events) = speakers.pop().expect("Ada").finish(SOON);
    assert!(status.success(), "{events:#?}");
    assert_eq!(seen(&events), ["Host", "Cem"], "{events:#?}");
    std::thread::sleep(Duration::from_secs(2));
    let sent = sent["sent"]["tracks"].as_array().expect("tracks");
    assert_eq!(sent.len(), 2);
    for (viewer, whole) in [(early, true), (second, true), (late, false)] {
        viewer.signal("INT");
        let (status, got, events) = viewer.finish(SOON);
        assert!(status.success(), "{events:#?}");
        assert!(
            events.iter().all(|event| event["event"] != "signatures"),
            "all was signed: {events:#?}"
        );
        for (sent, got) in sent.iter().zip(tracks(&got, "Ada")) {
            assert_eq!(got["lost"], 0, "{sent:#?} {got:#?}");
            assert!(got["received"].as_u64() > Some(50), "{got:#?}");
            assert_eq!(sent["digest"] == got["digest"], whole, "{sent:#} {got:#}");
        }
    }
    host.signal("INT");
    let (_, heard, events) = host.finish(SOON);
    assert_eq!(seen(&events), ["Ada", "Cem"], "{events:#?}");
    for (sent, got) in sent.iter().zip(tracks(&heard, "Ada")) {
        assert_eq!(sent["digest"], got["digest"], "{sent:#} {got:#}");
    }
}

#[test]
fn who_watches_has_no_voice() {
    let relay = Relay::start();
    let links = invite(&relay.address, &["--vigil"]);
    let file = fixture("vp8-voice.webm");
    let refused = sottovoce()
        .args(["join", &links.meeting, "--name", "Eve", "--play"])
        .arg(&file)
        .output()
        .expect("it runs");
    assert_eq!(refused.status.code(), Some(2));
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(text.contains("--speak"), "{text}");

    let mut host = Participant::typing(&links.host, "Host", &["--for", "60s"]);
    host.until("connected", SOON);
    let mut eve = Participant::typing(&links.meeting, "Eve", &["--for", "60s"]);
    eve.until_that("vigil", SOON, |event| event["speaks"] == false);
    eve.until("connected", SOON);
    eve.types("I am here");
    eve.until("answer", SOON);
    eve.types("/words");
    host.types("/words");
    let (one, same) = (host.until("words", SOON), eve.until("words", SOON));
    assert_eq!(one["words"], same["words"], "who watches can compare them");
    eve.types("/leave");
    let (status, _, events) = eve.finish(SOON);
    assert!(status.success(), "{events:#?}");
    host.signal("INT");
    let (_, _, events) = host.finish(SOON);
    let odd = |event: &&Value| {
        ["joined", "knock", "chat"]
            .map(Value::from)
            .contains(&event["event"])
    };
    assert_eq!(events.iter().filter(odd).count(), 0, "{events:#?}");
}
