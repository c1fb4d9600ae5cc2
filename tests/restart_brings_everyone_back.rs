//! A relay that restarts with the same identity has everyone back within five seconds, in the
//! same recordings; told so (SIGTERM) or not (SIGKILL).

mod support;

use std::time::{Duration, Instant};

use support::{Participant, Relay, fixture, framemd5};

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn after_a_polite_end() {
    restart("TERM");
}

#[test]
fn after_a_crash() {
    restart("KILL");
}

fn restart(how: &str) {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let identity = folder.path().join("identity");
    let identity = identity.to_str().expect("a path");
    let relay = Relay::with(&["--listen", "127.0.0.1:0", "--identity", identity]);
    let (address, port) = (relay.address.clone(), relay.port());
    let links = relay.invite();
    let recordings = folder.path().join("recordings");
    let mut listener = Participant::hosts(
        &links,
        "Listener",
        &["--record", recordings.to_str().expect("a path")],
    );
    listener.until("connected", PATIENCE);
    let ada = fixture("vp8-voice.webm");
    let mut speaker = Participant::join(
        &links.meeting,
        "Ada",
        &["--play", ada.to_str().expect("a path"), "--loop"],
    );
    speaker.until("connected", PATIENCE);
    listener.until("joined", PATIENCE);
    std::thread::sleep(Duration::from_secs(2));

    relay.signal(how);
    relay.finish(Duration::from_secs(10));
    let listen = format!("127.0.0.1:{port}");
    let relay = Relay::with(&["--listen", &listen, "--identity", identity]);
    assert_eq!(
        relay.address, address,
        "the same identity gives the same address"
    );
    let back = Instant::now();
    speaker.until("reconnected", PATIENCE);
    listener.until("reconnected", PATIENCE);
    assert!(
        back.elapsed() < Duration::from_secs(5),
        "back after {:?}",
        back.elapsed()
    );
    std::thread::sleep(Duration::from_secs(3));

    speaker.signal("INT");
    let (status, _, events) = speaker.finish(PATIENCE);
    assert!(status.success(), "{events:#?}");
    listener.signal("INT");
    let (status, _, events) = listener.finish(PATIENCE);
    assert!(status.success(), "{events:#?}");
    let returned = events
        .iter()
        .filter(|e| e["event"] == "joined" || e["event"] == "left")
        .count();
    assert!(returned >= 2, "others see it leave and return: {events:#?}");
    let files: Vec<_> = std::fs::read_dir(&recordings)
        .expect("recordings")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    assert_eq!(files.len(), 1, "one recording goes on: {files:?}");
    let frames = framemd5(&files[0]);
    assert!(
        frames.len() > 150,
        "both parts are in it: {} frames",
        frames.len()
    );
}
