//! A link can name several relays. Everyone prefers the first that can be reached, so that all are
//! in one room: from the beginning, and when a relay that was lost stays away.

mod support;

use std::time::{Duration, Instant};

use serde_json::Value;
use support::network::{Conditions, Proxy};
use support::{Links, Participant, Relay, fixture, invite, through};

const PATIENCE: Duration = Duration::from_secs(20);

/// A relay that is killed is missed after ten seconds, or thirteen by those who had nothing to say, and
/// given some six more.
const MOVING: Duration = Duration::from_secs(40);

fn links(first: &str, second: &str) -> Links {
    invite(first, &["--relay", second])
}

fn is_second(event: &Value) -> bool {
    event["warning"] == "other-relay"
}

#[test]
fn a_relay_that_stays_away_is_left_by_all_for_the_next() {
    let (first, second) = (Relay::start(), Relay::start());
    let links = links(&first.address, &second.address);
    let folder = tempfile::tempdir().expect("a scratch folder");
    let recordings = folder.path().to_str().expect("a path");
    let mut listener = Participant::hosts(&links, "Listener", &["--record", recordings]);
    listener.until("connected", PATIENCE);
    let file = fixture("vp8-voice.webm");
    let play = ["--play", file.to_str().expect("a path"), "--loop"];
    let mut speaker = Participant::join(&links.meeting, "Ada", &play);
    listener.until("recording", PATIENCE);

    first.signal("KILL");
    let lost = Instant::now();
    for participant in [&mut listener, &mut speaker] {
        participant.until_that("warning", MOVING, is_second);
    }
    assert!(
        lost.elapsed() > Duration::from_secs(10),
        "a relay that restarts is waited for"
    );
    std::thread::sleep(Duration::from_secs(2));
    speaker.signal("INT");
    let (status, _, events) = speaker.finish(PATIENCE);
    assert!(status.success(), "{events:#?}");
    // Who comes now finds the others at the second, too.
    let mut late = Participant::join(&links.meeting, "Late", &["--for", "1s"]);
    late.until_that("warning", PATIENCE, is_second);
    let (status, _, events) = late.finish(PATIENCE);
    assert!(status.success(), "{events:#?}");
    listener.signal("INT");
    let (status, _, events) = listener.finish(PATIENCE);
    assert!(status.success(), "{events:#?}");
    let files = std::fs::read_dir(folder.path()).expect("recordings");
    assert_eq!(files.count(), 1, "one recording goes on: {events:#?}");
    let told = |event: &&Value| event["warning"] == "relay-passed";
    let told = events.iter().filter(told).count();
    assert_eq!(told, 0, "in an outage nobody is told of each attempt");
}

/// Both relays are there all the time, and so are the others, at the first.
#[test]
fn one_whose_own_network_is_back_while_the_second_is_tried_goes_to_the_first() {
    let relays = [Relay::start(), Relay::start()];
    let ways = [0, 1].map(|n| Proxy::start(relays[n].port(), n as u64, Conditions::PERFECT));
    let [first, second] = [0, 1].map(|n| through(&relays[n].address, ways[n].port));
    let links = links(&first, &second);
    let mut ada = Participant::hosts(&links, "Ada", &[] as &[&str]);
    ada.until("connected", PATIENCE);
    for way in &ways {
        way.block(true);
    }
    // The first two attempts are at the lost one alone; of this one, it gets a second and a half.
    let third = ada.until_that("reconnecting", MOVING, |event| event["attempt"] == 3);
    let wait = Duration::from_millis(third["wait_ms"].as_u64().expect("a number"));
    std::thread::sleep(wait + Duration::from_millis(1900));
    for way in &ways {
        way.block(false);
    }
    ada.until("reconnected", PATIENCE);
    ada.signal("INT");
    let (status, _, events) = ada.finish(PATIENCE);
    assert!(status.success(), "{events:#?}");
    assert!(!events.iter().any(is_second), "{events:#?}");
}
