//! Who comes in the middle of a group sees a picture within 300 ms of joining: the relay hands over
//! the group from its key frame on.

mod support;

use std::time::{Duration, Instant};

use support::{Participant, Relay, fixture, framemd5};

#[test]
fn a_late_joiner_has_a_picture_within_300_ms() {
    let relay = Relay::start();
    let links = relay.invite();
    // vp9-voice.webm has a key frame each 4 s.
    let mut speaker = Participant::hosts(
        &links,
        "Bea",
        &[
            "--play".into(),
            fixture("vp9-voice.webm").into_os_string(),
            "--loop".into(),
        ],
    );
    speaker.until("connected", Duration::from_secs(10));
    // Somewhere in the middle of the first group.
    std::thread::sleep(Duration::from_millis(2000));
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let trace = scratch.path().join("trace");
    let start = Instant::now();
    let late = Participant::join(
        &links.meeting,
        "Late",
        &[
            "--record".into(),
            scratch.path().join("recordings").into_os_string(),
            "--trace".into(),
            trace.clone().into_os_string(),
            "--for".into(),
            "1s".into(),
        ],
    );
    let (status, _, events) = late.finish(Duration::from_secs(20));
    assert!(status.success(), "{events:#?}");
    let text = std::fs::read_to_string(&trace).expect("a trace");
    let frames: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let first_picture = frames
        .iter()
        .find(|frame| frame["track"] == video_track(&frames))
        .expect("a picture came");
    let after = first_picture["after_ms"].as_u64().expect("a time");
    let started = start.elapsed();
    assert!(
        after < 300,
        "the first picture came {after} ms after the program had read its link ({started:?} ago)"
    );
    // It decodes: the recording begins with the key frame that the group began with.
    let recorded = framemd5(&scratch.path().join("recordings/Bea.webm"));
    let source = framemd5(&fixture("vp9-voice.webm"));
    let pictures = |frames: &[support::Seen]| -> Vec<String> {
        let largest = frames.iter().max_by_key(|f| f.size).expect("frames").stream;
        frames
            .iter()
            .filter(|f| f.stream == largest)
            .map(|f| f.digest.clone())
            .collect()
    };
    let (recorded, source) = (pictures(&recorded), pictures(&source));
    assert_eq!(
        recorded.first(),
        source.first(),
        "the first picture is the group's key frame"
    );
}

/// The track on which groups count up or whose frames come in bursts: the one that has a frame
/// number 0 although the joiner came late.
fn video_track(frames: &[serde_json::Value]) -> serde_json::Value {
    frames
        .iter()
        .find(|frame| frame["number"] == 0)
        .map(|frame| frame["track"].clone())
        .expect("the group's first frame came, although it was sent long before")
}
