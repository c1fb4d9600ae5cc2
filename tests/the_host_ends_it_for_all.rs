//! The host ends a meeting, or a vigil, for everybody: all of them leave by that, and it is no failure.
//! Before that hands and who is muted are seen.

mod support;

use std::time::Duration;

use support::{Participant, Relay, fixture, invite};

const SOON: Duration = Duration::from_secs(30);

fn admit(host: &mut Participant, name: &str) {
    let knock = host.until_that("knock", SOON, |event| event["name"] == name);
    host.types(&format!("/admit {}", knock["number"]));
}

#[test]
fn everybody_leaves_a_co_host_too() {
    let relay = Relay::start();
    let links = invite(&relay.address, &["--co-host", "1"]);
    let mut host = Participant::typing(&links.host, "Host", &["--for", "120s"]);
    host.until("connected", SOON);
    let mut cora = Participant::typing(&links.co_hosts[0], "Cora", &["--for", "120s"]);
    cora.until("connected", SOON);
    let file = fixture("vp8-voice.webm");
    let play = [
        "--play",
        file.to_str().expect("a path"),
        "--loop",
        "--for",
        "120s",
    ];
    let mut ada = Participant::typing(&links.meeting, "Ada", &play);
    admit(&mut host, "Ada");
    ada.until("connected", SOON);
    ada.types("/hand");
    host.until_that("standing", SOON, |event| {
        event["name"] == "Ada" && event["hand"] == true && event["muted"] == false
    });
    ada.types("/mute");
    host.until_that("standing", SOON, |event| event["muted"] == true);
    host.types("/who");
    let roster = host.until("roster", SOON);
    let members = roster["members"].as_array().expect("members");
    let member = members.iter().find(|member| member["name"] == "Ada");
    assert_eq!(member.expect("she is here")["hand"], true);
    // It is not theirs to end.
    for other in [&mut ada, &mut cora] {
        other.types("/end");
        other.until_that("answer", SOON, |event| {
            event["text"]
                .as_str()
                .is_some_and(|text| text.contains("chair"))
        });
    }
    host.types("/end");
    for participant in [ada, cora, host] {
        let (status, _, events) = participant.finish(SOON);
        assert!(status.success(), "{status}: {events:#?}");
        assert!(events.iter().any(|event| event["event"] == "ended-for-all"));
    }
}

#[test]
fn who_watches_a_vigil_is_told_too() {
    let relay = Relay::start();
    let links = invite(&relay.address, &["--vigil"]);
    let mut host = Participant::typing(&links.host, "Host", &["--for", "120s"]);
    host.until("connected", SOON);
    let mut viewer = Participant::join(&links.meeting, "nobody", &["--for", "120s"]);
    viewer.until("joined", SOON);
    host.types("/hand");
    viewer.until_that("standing", SOON, |event| event["hand"] == true);
    host.types("/end");
    for participant in [viewer, host] {
        let (status, _, events) = participant.finish(SOON);
        assert!(status.success(), "{status}: {events:#?}");
        assert!(events.iter().any(|event| event["event"] == "ended-for-all"));
    }
}
