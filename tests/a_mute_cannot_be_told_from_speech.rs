//! Who is muted goes on sending: frames of the same size at the same times, which are silence to whoever
//! opens them. A source whose frames are not of one size is warned of.

mod support;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use support::{Participant, Relay, fixture, framemd5, invite};

const SOON: Duration = Duration::from_secs(30);

/// Runs ffmpeg, which must find no fault; gives what it writes.
fn ffmpeg(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y"])
        .args(arguments)
        .output()
        .expect("ffmpeg runs; `make test` installs it");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
    output.stdout
}

/// The loudest sample in each 20 ms of a file, as ffmpeg decodes it.
fn loudness(file: &Path) -> Vec<u16> {
    let file = file.to_str().expect("a path");
    let pcm = ffmpeg(&[
        "-i", file, "-map", "0:a", "-ac", "1", "-ar", "48000", "-f", "s16le", "-",
    ]);
    let samples: Vec<u16> = pcm
        .chunks_exact(2)
        .map(|pair| i16::from_le_bytes([pair[0], pair[1]]).unsigned_abs())
        .collect();
    let frames = samples.chunks(960);
    frames
        .map(|frame| frame.iter().copied().max().unwrap_or(0))
        .collect()
}

/// A source that is never silent, encoded so.
fn noise(file: &Path, options: &[&str]) {
    let mut arguments = vec![
        "-f",
        "lavfi",
        "-i",
        "anoisesrc=d=6:a=0.5:c=pink:r=48000:seed=3",
        "-c:a",
        "libopus",
        "-b:a",
        "24k",
        "-frame_duration",
        "20",
    ];
    arguments.extend(options);
    arguments.push(file.to_str().expect("a path"));
    ffmpeg(&arguments);
}

#[test]
fn the_recording_of_one_who_mutes_is_silent_meanwhile() {
    for application in ["voip", "audio"] {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let source = folder.path().join("noise.webm");
        noise(&source, &["-vbr", "off", "-application", application]);
        let play = source.to_str().expect("a path");
        let recordings = folder.path().join("recordings");
        let relay = Relay::start();
        let links = invite(&relay.address, &[]);
        let record = [
            "--admit",
            "all",
            "--record",
            recordings.to_str().expect("a path"),
        ];
        let mut host = Participant::typing(&links.host, "Host", &record);
        host.until("connected", SOON);
        let mut ada = Participant::typing(&links.meeting, "Ada", &["--play", play, "--for", "7s"]);
        ada.until("connected", SOON);
        host.until("recording", SOON);
        std::thread::sleep(Duration::from_secs(2));
        ada.types("/mute");
        ada.until("answer", SOON);
        std::thread::sleep(Duration::from_secs(2));
        ada.types("/unmute");
        let (status, sent, events) = ada.finish(SOON);
        assert!(status.success(), "{events:#?}");
        assert!(
            events.iter().all(|event| event["event"] != "warning"),
            "{events:#?}"
        );
        let recorded = host.until("recorded", SOON);
        host.types("/leave");
        host.finish(SOON);

        // All of them came, each as large and at the same time as what it stands for.
        let file = recordings.join(recorded["file"].as_str().expect("a file"));
        let (was, is) = (framemd5(&source), framemd5(&file));
        assert_eq!(sent["sent"]["tracks"][0]["frames"], is.len());
        assert_eq!(was.len(), is.len());
        assert!(was.iter().zip(&is).all(|(was, is)| was.size == is.size));
        let other = was
            .iter()
            .zip(&is)
            .filter(|(was, is)| was.digest != is.digest);
        let other = other.count();
        assert!((50..150).contains(&other), "{other} frames are others");

        // And a decoder makes silence of them.
        let (before, after) = (loudness(&source), loudness(&file));
        assert!(before.iter().all(|most| *most > 100), "{before:?}");
        let silent = after.iter().filter(|most| **most == 0).count();
        assert!(
            silent + 5 >= other && silent <= other,
            "{silent} of {other}: {after:?}"
        );
        assert!(
            after[..40]
                .iter()
                .chain(&after[after.len() - 20..])
                .all(|most| *most > 100)
        );
    }
}

#[test]
fn sound_of_a_variable_rate_is_warned_of() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let source = folder.path().join("varies.webm");
    noise(&source, &["-vbr", "on"]);
    let relay = Relay::start();
    let links = invite(&relay.address, &[]);
    for (file, warned) in [(source, true), (fixture("voice-ada.webm"), false)] {
        let play = ["--play", file.to_str().expect("a path"), "--for", "3s"];
        let host = Participant::join(&links.host, "Host", &play);
        let (status, _, events) = host.finish(SOON);
        assert!(status.success(), "{events:#?}");
        let warnings = events.iter().filter(|event| event["event"] == "warning");
        let kinds: Vec<_> = warnings.map(|event| event["warning"].clone()).collect();
        assert_eq!(kinds, vec!["sound-varies"; usize::from(warned)]);
    }
}
