//! A recording that ends otherwise than by itself (ctrl-C, a relay that is gone for good, a full
//! disk) is a whole file up to there, and the person is told.

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use support::{Links, Participant, Relay, fixture, framemd5, probe, sottovoce};

const PATIENCE: Duration = Duration::from_secs(20);

fn speaker(links: &Links, name: &str) -> Participant {
    let file = fixture("vp8-voice.webm");
    let play = file.to_str().expect("a path");
    let arguments = ["--play", play, "--loop", "--begin-with", "1"];
    Participant::join(&links.meeting, name, &arguments)
}

fn recorder(links: &Links, folder: &Path) -> Participant {
    let folder = folder.to_str().expect("a path");
    let mut recorder = Participant::hosts(links, "Recorder", &["--record", folder]);
    recorder.until("connected", PATIENCE);
    recorder
}

fn only_file(folder: &Path) -> PathBuf {
    let mut files = std::fs::read_dir(folder).expect("recordings");
    let file = files.next().expect("a recording").expect("an entry").path();
    assert!(files.next().is_none(), "one recording");
    file
}

/// ffmpeg finds no fault with it; what is in it is what was played, without a gap; it says how long
/// it is.
fn is_whole(file: &Path, seconds: f64) {
    let of = |frames: &[support::Seen], stream: usize| -> Vec<String> {
        let frames = frames.iter().filter(|frame| frame.stream == stream);
        frames.map(|frame| frame.digest.clone()).collect()
    };
    let (recording, source) = (framemd5(file), framemd5(&fixture("vp8-voice.webm")));
    for stream in [0, 1] {
        let recorded = of(&recording, stream);
        let first = recorded.first().expect("both streams are there");
        let played = [of(&source, 0), of(&source, 1)];
        let (played, start) = played
            .iter()
            .find_map(|played| Some((played, played.iter().position(|frame| frame == first)?)))
            .expect("its first frame was played");
        for (frame, expected) in recorded.iter().zip(played.iter().cycle().skip(start)) {
            assert_eq!(frame, expected, "stream {stream}");
        }
    }
    let duration: f64 = probe(file, "format=duration").parse().expect("a duration");
    assert!(duration >= seconds, "it plays for {duration} s");
}

fn names_the_file(events: &[Value], file: &Path) {
    let name = file.file_name().expect("a name").to_string_lossy();
    let said = |event: &Value| {
        event["event"] == "recorded"
            && event["file"]
                .as_str()
                .is_some_and(|file| file.ends_with(&*name))
    };
    assert!(events.iter().any(said), "{events:#?}");
}

#[test]
fn ctrl_c() {
    let relay = Relay::start();
    let links = relay.invite();
    let folder = tempfile::tempdir().expect("a scratch folder");
    let mut recorder = recorder(&links, folder.path());
    let _speaker = speaker(&links, "Ada");
    recorder.until("recording", PATIENCE);
    std::thread::sleep(Duration::from_secs(3));
    recorder.signal("INT");
    let (status, summary, events) = recorder.finish(PATIENCE);
    assert!(status.success(), "{events:#?}");
    assert!(!summary.is_null(), "there is a summary");
    let file = only_file(folder.path());
    is_whole(&file, 2.0);
    names_the_file(&events, &file);
}

/// The recording goes on when the relay is back; here it never is, and the person stops waiting.
#[test]
fn a_relay_that_is_gone() {
    let relay = Relay::start();
    let links = relay.invite();
    let folder = tempfile::tempdir().expect("a scratch folder");
    let mut recorder = recorder(&links, folder.path());
    let _speaker = speaker(&links, "Ada");
    recorder.until("recording", PATIENCE);
    std::thread::sleep(Duration::from_secs(3));
    relay.signal("KILL");
    let lost = recorder.until("reconnecting", Duration::from_secs(15));
    assert!(lost["attempt"].as_u64() >= Some(1), "{lost}");
    recorder.signal("INT");
    let (_, summary, events) = recorder.finish(PATIENCE);
    assert!(!summary.is_null(), "{events:#?}");
    let file = only_file(folder.path());
    is_whole(&file, 2.0);
    names_the_file(&events, &file);
}

/// The system lets the recorder's files grow to 64 KiB and no further: as on a full disk, a write
/// takes only a part, and the next takes nothing.
#[test]
fn a_full_disk() {
    let relay = Relay::start();
    let links = relay.invite();
    let folder = tempfile::tempdir().expect("a scratch folder");
    let mut limited = Command::new("prlimit");
    limited
        .arg("--fsize=65536")
        .arg(sottovoce().get_program())
        .args([
            "join",
            &links.host,
            "--admit",
            "all",
            "--name",
            "Recorder",
            "--json",
            "--for",
            "12s",
        ])
        .arg("--record")
        .arg(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let recorder = limited.spawn().expect("prlimit runs");
    let _speaker = speaker(&links, "Ada");
    let output = recorder.wait_with_output().expect("it ends");
    let (printed, said) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(output.status.code(), Some(31), "{printed}\n{said}");
    assert!(said.contains("the disk is full"), "{said}");
    let events: Vec<Value> = printed
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let warning = events.iter().find(|event| event["warning"] == "disk-full");
    let text = warning.expect("a warning")["text"].as_str();
    assert!(text.is_some_and(|text| text.contains("free some space")));
    let [.., summary, error] = &events[..] else {
        panic!("{printed}")
    };
    assert_eq!(summary["event"], "summary", "{printed}");
    assert_eq!(
        (&error["event"], &error["code"]),
        (&"error".into(), &31.into())
    );
    assert!(
        summary["duration_ms"].as_u64() > Some(10_000),
        "the meeting went on: {summary}"
    );
    let file = only_file(folder.path());
    assert!(file.metadata().expect("a file").len() <= 65536);
    is_whole(&file, 1.0);
}

/// Names are chosen by others: whatever they are, the files are in the folder, and are harmless.
#[test]
fn names_that_mean_harm() {
    let relay = Relay::start();
    let links = relay.invite();
    let outer = tempfile::tempdir().expect("a scratch folder");
    let folder = outer.path().join("a/b");
    let recorder = recorder(&links, &folder);
    let longest = "\u{1d54f}".repeat(64);
    let names = [
        "../../x",
        "/etc/passwd",
        "\u{1b}[2J\r\n\u{7}bell",
        " -rf $(id);`id`|*",
        "NUL",
        ".hidden",
        "\u{202e}gpj.webm",
        &longest,
        "Ada",
        "Ada",
        "ADA",
    ];
    let speakers: Vec<Participant> = names.iter().map(|name| speaker(&links, name)).collect();
    std::thread::sleep(Duration::from_secs(4));
    for speaker in &speakers {
        speaker.signal("INT");
    }
    for speaker in speakers {
        let (status, _, events) = speaker.finish(PATIENCE);
        assert!(status.success(), "{events:#?}");
    }
    recorder.signal("INT");
    let (status, _, events) = recorder.finish(PATIENCE);
    assert!(status.success(), "{events:#?}");

    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("recordings")
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.into_string().expect("UTF-8"))
        .collect();
    files.sort();
    assert_eq!(files.len(), names.len(), "one each: {files:?}");
    for name in &files {
        let stem = name.strip_suffix(".webm").expect("the ending");
        assert!(name.len() <= 108, "{name:?} has {} bytes", name.len());
        assert!(stem.starts_with(char::is_alphanumeric), "{name:?}");
        let harmless = |c: char| c.is_alphanumeric() || "-_.() ".contains(c);
        assert!(stem.chars().all(harmless), "{name:?}");
        framemd5(&folder.join(name));
    }
    let numbered = files.iter().filter(|name| name.contains(" (2)"));
    assert_eq!(numbered.count(), 1, "the second Ada: {files:?}");
    assert!(files.iter().any(|name| name.contains(" (3)")), "{files:?}");
    let around: Vec<_> = std::fs::read_dir(outer.path())
        .expect("the folder")
        .collect();
    assert_eq!(around.len(), 1, "nothing beside it");
    // What a terminal would do with the names is done by no event either.
    for event in &events {
        let text = event.to_string();
        assert!(!text.contains("\\u001b") && !text.contains('\u{202e}'));
    }
}
