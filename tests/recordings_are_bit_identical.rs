//! Three participants play different real files and record each other: what ffmpeg sees in a
//! recording equals what it sees in the source, from the first key frame on.

mod support;

use std::path::{Path, PathBuf};
use std::time::Duration;

use support::{Participant, Relay, Seen, fixture, framemd5, probe};

const PATIENCE: Duration = Duration::from_secs(40);

/// Who plays what. Each plays after the others have come, so that nothing is missed.
const CAST: [(&str, &str); 3] = [
    ("Ada", "vp8-voice.webm"),
    ("Bea", "vp9-voice.webm"),
    ("Cam", "voice-bo.webm"),
];

#[test]
fn three_play_and_record_each_other() {
    let relay = Relay::start();
    let links = relay.invite();
    let scratch = tempfile::tempdir().expect("a scratch folder");
    // Those who record come first and stay until all three have played to their end.
    let mut recorders: Vec<(PathBuf, Participant)> = CAST
        .iter()
        .map(|(name, _)| {
            let folder = scratch.path().join(name);
            let arguments = ["--record".into(), folder.clone().into_os_string()];
            let ear = format!("{name}'s ear");
            let recorder = match *name == CAST[0].0 {
                true => Participant::hosts(&links, &ear, &arguments),
                false => Participant::join(&links.meeting, &ear, &arguments),
            };
            (folder, recorder)
        })
        .collect();
    for (_, recorder) in &mut recorders {
        recorder.until("connected", PATIENCE);
    }
    let players: Vec<Participant> = CAST
        .iter()
        .map(|(name, file)| {
            Participant::join(
                &links.meeting,
                name,
                &["--play".into(), fixture(file).into_os_string()],
            )
        })
        .collect();
    for player in players {
        let (status, _, events) = player.finish(PATIENCE);
        assert!(status.success(), "{events:#?}");
    }
    for (folder, recorder) in recorders {
        recorder.signal("INT");
        let (status, _, events) = recorder.finish(PATIENCE);
        assert!(status.success(), "{events:#?}");
        for (name, file) in CAST {
            equal(&fixture(file), &folder.join(format!("{name}.webm")));
        }
    }
}

/// The recording holds what the source holds from its first key frame on, in step.
fn equal(source: &Path, recording: &Path) {
    let (source_frames, recorded) = (framemd5(source), framemd5(recording));
    assert!(!recorded.is_empty(), "{} is empty", recording.display());
    let kinds = |file: &Path| {
        probe(file, "stream=codec_type")
            .lines()
            .map(String::from)
            .collect()
    };
    let (source_kinds, kinds): (Vec<String>, Vec<String>) = (kinds(source), kinds(recording));
    let mut offsets = Vec::new();
    for kind in ["audio", "video"] {
        let of = |frames: &[Seen], kinds: &[String]| -> Vec<Seen> {
            let stream = kinds.iter().position(|k| k == kind);
            frames
                .iter()
                .filter(|f| Some(f.stream) == stream)
                .cloned()
                .collect()
        };
        let (sent, got) = (of(&source_frames, &source_kinds), of(&recorded, &kinds));
        let plain = |frames: &[Seen]| -> Vec<(u64, String, i64)> {
            frames
                .iter()
                .map(|f| (f.size, f.digest.clone(), f.duration))
                .collect()
        };
        assert_eq!(
            plain(&sent),
            plain(&got),
            "{kind} of {}",
            recording.display()
        );
        if let (Some(sent), Some(got)) = (sent.first(), got.first()) {
            offsets.push(sent.pts - got.pts);
        }
        let steps = |frames: &[Seen]| -> Vec<i64> {
            frames
                .windows(2)
                .map(|pair| pair[1].pts - pair[0].pts)
                .collect()
        };
        assert_eq!(
            steps(&sent),
            steps(&got),
            "{kind} timestamps of {}",
            recording.display()
        );
    }
    assert!(
        offsets.windows(2).all(|pair| pair[0] == pair[1]),
        "sound and picture are out of step by {offsets:?} ms in {}",
        recording.display()
    );
    let duration = |file: &Path| {
        probe(file, "format=duration")
            .parse::<f64>()
            .expect("a duration")
    };
    let (long, recorded) = (duration(source), duration(recording));
    assert!(
        (long - recorded).abs() < 0.06,
        "{} lasts {recorded} s, its source {long} s",
        recording.display()
    );
}
