//! A participant whose router gives it another port in mid-meeting stays in it and loses less than
//! a second of sound.

mod support;

use std::time::Duration;

use support::network::{Conditions, Proxy};
use support::{Participant, Relay, fixture, invite, through};

#[test]
fn another_port_costs_less_than_a_second() {
    let relay = Relay::start();
    let proxy = Proxy::start(relay.port(), 7, Conditions::PERFECT);
    let links = invite(&through(&relay.address, proxy.port), &[]);
    let folder = tempfile::tempdir().expect("a scratch folder");
    let traces = [
        folder.path().join("speaker"),
        folder.path().join("listener"),
    ];
    let mut listener = Participant::hosts(
        &links,
        "Listener",
        &[
            "--for",
            "12s",
            "--trace",
            traces[1].to_str().expect("a path"),
        ],
    );
    listener.until("connected", Duration::from_secs(10));
    let mut speaker = Participant::join(
        &links.meeting,
        "Speaker",
        &[
            "--play",
            fixture("vp8-voice.webm").to_str().expect("a path"),
            "--loop",
            "--for",
            "9s",
            "--trace",
            traces[0].to_str().expect("a path"),
        ],
    );
    speaker.until("connected", Duration::from_secs(10));
    std::thread::sleep(Duration::from_secs(3));
    proxy.roam();
    let (status, _, events) = speaker.finish(Duration::from_secs(30));
    assert!(status.success(), "{events:#?}");
    assert!(
        !events.iter().any(|event| event["event"] == "reconnecting"),
        "it kept its connection: {events:#?}"
    );
    let (status, _, events) = listener.finish(Duration::from_secs(30));
    assert!(status.success(), "{events:#?}");
    let left = events
        .iter()
        .filter(|event| event["event"] == "left")
        .count();
    assert!(left <= 1, "nobody went and came back: {events:#?}");

    let read = |path: &std::path::Path| -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(path).expect("a trace");
        text.lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    };
    let sent: Vec<(u64, u64)> = read(&traces[0])
        .iter()
        .filter(|line| line["from"].is_null())
        .map(|line| {
            (
                line["track"].as_u64().expect("t"),
                line["number"].as_u64().expect("n"),
            )
        })
        .collect();
    let heard: std::collections::HashSet<(u64, u64)> = read(&traces[1])
        .iter()
        .filter(|line| !line["from"].is_null())
        .map(|line| {
            (
                line["track"].as_u64().expect("t"),
                line["number"].as_u64().expect("n"),
            )
        })
        .collect();
    // The track with most frames is the sound: fifty a second.
    for track in sent
        .iter()
        .map(|(track, _)| *track)
        .collect::<std::collections::HashSet<_>>()
    {
        let first = heard
            .iter()
            .filter(|(t, _)| *t == track)
            .map(|(_, n)| *n)
            .min();
        let first = first.expect("something was heard");
        let missing = sent
            .iter()
            .filter(|(t, n)| *t == track && *n >= first && !heard.contains(&(*t, *n)))
            .count();
        assert!(
            missing < 50,
            "{missing} frames of track {track} are missing"
        );
    }
}
