//! What a participant plays is what the other side's recording holds, bit for bit, with the same
//! timestamps, judged by ffmpeg.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use sottovoce::meeting::{Frame, Presence};
use sottovoce::participant::media::{Input, LiveState, LiveWriter, Recorder, Source, Summary};
use sottovoce::wire::TrackId;

const FIXTURES: [&str; 8] = [
    "voice-ada.webm",
    "voice-bo.webm",
    "vp8-voice.webm",
    "vp9-voice.webm",
    "av1-voice.webm",
    "vp9-only.webm",
    "mpeg4-voice.mkv",
    "live.webm",
];
const PICTURE: TrackId = TrackId(1);

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// Runs ffmpeg or ffprobe and returns what it prints. Their absence fails the test.
fn run(program: &str, arguments: &[&str], file: &Path) -> String {
    let output = Command::new(program)
        .args(["-v", "error"])
        .args(arguments.iter().map(|&a| if a == "FILE" { file.as_os_str() } else { a.as_ref() }))
        .output()
        .unwrap_or_else(|error| {
            panic!("this test is judged by {program}, which does not start ({error}): apt-get install ffmpeg")
        });
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && errors.is_empty(),
        "{program} on {file:?}: {errors}"
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Stream, dts, pts, duration, size and hash of each frame, and the streams' codecs and shapes.
fn frames_of(file: &Path, map: &str) -> Vec<String> {
    let output = run(
        "ffmpeg",
        &[
            "-i", "FILE", "-map", map, "-c", "copy", "-f", "framemd5", "-",
        ],
        file,
    );
    output
        .lines()
        .filter(|line| !line.starts_with("#software"))
        .map(str::to_owned)
        .collect()
}

fn duration_of(file: &Path) -> f64 {
    let output = run(
        "ffprobe",
        &["-show_entries", "format=duration", "-of", "csv=p=0", "FILE"],
        file,
    );
    output
        .trim()
        .parse()
        .unwrap_or_else(|_| panic!("{file:?} has no duration: {output:?}"))
}

struct Played {
    presence: Presence,
    frames: Vec<Frame>,
}

fn play(name: &str) -> Played {
    let mut source = Source::open(&Input::File(fixture(name))).unwrap();
    let presence = Presence {
        name: "Ada".into(),
        tracks: source.tracks().to_vec(),
        timestamp_scale_ns: source.timestamp_scale_ns(),
        tag: [7; 16],
    };
    let mut frames = Vec::new();
    while let Some(frame) = source.next_frame().unwrap() {
        frames.push(frame);
    }
    Played { presence, frames }
}

/// Records frames, each arriving when its timestamp says and `delay` later.
fn record(
    directory: &Path,
    presence: &Presence,
    frames: &[Frame],
    delay: impl Fn(&Frame) -> Duration,
) -> (PathBuf, Summary) {
    let start = Instant::now();
    let mut arriving: Vec<_> = frames
        .iter()
        .map(|frame| {
            (
                start + Duration::from_nanos(frame.timestamp_ns) + delay(frame),
                frame,
            )
        })
        .collect();
    arriving.sort_by_key(|(arrival, frame)| (*arrival, frame.track, frame.number));
    let mut recorder = Recorder::create(directory, presence).unwrap();
    for (arrival, frame) in arriving {
        recorder.frame(frame.clone(), arrival).unwrap();
    }
    let summary = recorder.finish().unwrap();
    assert_eq!(recorder.finish(), Ok(summary), "finished already");
    (recorder.path().unwrap().to_owned(), summary)
}

fn map_of(name: &str) -> &'static str {
    if name.starts_with("mpeg4") {
        "0:a"
    } else {
        "0"
    }
}

#[test]
fn every_fixture_is_recorded_bit_for_bit() {
    let directory = tempfile::tempdir().unwrap();
    for name in FIXTURES {
        let Played { presence, frames } = play(name);
        let (file, summary) = record(directory.path(), &presence, &frames, |_| Duration::ZERO);
        assert_eq!(summary.frames, frames.len() as u64, "{name}");
        assert_eq!(summary.left_out, 0, "{name}");
        assert_eq!(summary.bytes, std::fs::metadata(&file).unwrap().len());
        let (source, recorded) = (
            frames_of(&fixture(name), map_of(name)),
            frames_of(&file, "0"),
        );
        assert_eq!(recorded, source, "{name}");
        // A live stream does not know how long it is; this one was cut after 3 s.
        let source = match name {
            "live.webm" => 3.0,
            _ => duration_of(&fixture(name)),
        };
        let recorded = duration_of(&file);
        assert!(
            (source - recorded).abs() < 0.041,
            "{name}: {source} s, recorded {recorded} s"
        );
        assert!(
            (summary.duration.as_secs_f64() - recorded).abs() < 0.001,
            "{name}"
        );
    }
}

#[test]
fn the_order_in_which_tracks_arrive_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["vp8-voice.webm", "vp9-voice.webm"] {
        let Played { presence, frames } = play(name);
        let (prompt, _) = record(directory.path(), &presence, &frames, |_| Duration::ZERO);
        // The picture a while behind the sound, and each group's end after the next one's
        // beginning, as streams of their own may arrive.
        let (late, summary) = record(directory.path(), &presence, &frames, |frame| {
            let straggles = frame.track == PICTURE && frame.number % 30 > 24;
            Duration::from_millis(match (frame.track, straggles) {
                (PICTURE, true) => 700,
                (PICTURE, false) => 300,
                _ => 20 * (frame.number % 3),
            })
        });
        assert_eq!(summary.left_out, 0, "{name}");
        assert!(
            std::fs::read(prompt).unwrap() == std::fs::read(late).unwrap(),
            "{name}"
        );
    }
}

#[test]
fn a_recording_that_begins_in_the_middle_equals_the_source_from_there_on() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["vp8-voice.webm", "vp9-voice.webm", "av1-voice.webm"] {
        let Played { presence, frames } = play(name);
        // As a newcomer gets it: the current group from its key frame on, sound from now on.
        let key = frames
            .iter()
            .filter(|frame| frame.track == PICTURE && frame.keyframe)
            .nth(1)
            .unwrap()
            .timestamp_ns;
        let joined = key + 1_500_000_000;
        let seen: Vec<_> = frames
            .iter()
            .filter(|f| f.timestamp_ns >= if f.track == PICTURE { key } else { joined })
            .cloned()
            .collect();
        let (file, summary) = record(directory.path(), &presence, &seen, |frame| {
            let arrives = frame.timestamp_ns.max(joined)
                + if frame.track == PICTURE {
                    40_000_000
                } else {
                    0
                };
            Duration::from_nanos(arrives - frame.timestamp_ns)
        });
        assert_eq!(summary.left_out, 0, "{name}");
        let hashes = |lines: Vec<String>| -> Vec<(String, i64, String)> {
            let mut lines: Vec<_> = lines
                .iter()
                .filter(|line| !line.starts_with('#'))
                .map(|line| {
                    let fields: Vec<_> = line.split(',').map(str::trim).collect();
                    (
                        fields[0].to_owned(),
                        fields[2].parse().unwrap(),
                        fields[5].to_owned(),
                    )
                })
                .collect();
            lines.sort();
            lines
        };
        let source = hashes(frames_of(&fixture(name), "0"));
        let recorded = hashes(frames_of(&file, "0"));
        // The picture is the first stream of these files.
        let first = recorded.iter().find(|frame| frame.0 == "0").unwrap();
        let begin = source
            .iter()
            .find(|frame| frame.0 == "0" && frame.2 == first.2)
            .unwrap();
        let shift = begin.1 - first.1;
        let sound = recorded.iter().find(|frame| frame.0 == "1").unwrap().1 + shift;
        let expected: Vec<_> = source
            .iter()
            .filter(|frame| frame.1 >= if frame.0 == "0" { begin.1 } else { sound })
            .map(|(stream, pts, hash)| (stream.clone(), pts - shift, hash.clone()))
            .collect();
        assert_eq!(recorded, expected, "{name}: one shift for both tracks");
    }
}

#[test]
fn a_recording_with_losses_decodes_without_an_error() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["vp8-voice.webm", "vp9-voice.webm", "av1-voice.webm"] {
        let Played { presence, frames } = play(name);
        let arrived: Vec<_> = frames
            .iter()
            .filter(|frame| match frame.track {
                PICTURE => frame.number % 41 != 17,
                _ => frame.number % 20 != 3,
            })
            .cloned()
            .collect();
        let (file, summary) = record(directory.path(), &presence, &arrived, |_| Duration::ZERO);
        assert!(
            summary.left_out > 0,
            "{name}: what follows a lost frame is of no use"
        );
        assert_eq!(summary.frames + summary.left_out, arrived.len() as u64);
        run(
            "ffmpeg",
            &["-xerror", "-i", "FILE", "-f", "null", "-"],
            &file,
        );
        let (source, recorded) = (duration_of(&fixture(name)), duration_of(&file));
        assert!(
            (source - recorded).abs() < 0.3,
            "{name}: {source} s, recorded {recorded} s"
        );
    }
}

#[test]
fn a_recording_can_be_sought_in() {
    let directory = tempfile::tempdir().unwrap();
    let Played { presence, frames } = play("vp9-voice.webm");
    let (file, _) = record(directory.path(), &presence, &frames, |_| Duration::ZERO);
    let first = |seek: &str| {
        let arguments = [
            "-read_intervals",
            seek,
            "-select_streams",
            "v",
            "-show_entries",
            "packet=pts_time,flags",
            "-of",
            "csv=p=0",
            "FILE",
        ];
        run("ffprobe", &arguments, &file)
            .lines()
            .next()
            .unwrap()
            .to_owned()
    };
    for (seek, pts) in [("0%+0.1", 0.0), ("5%+0.1", 4.0), ("8.5%+0.1", 8.0)] {
        let line = first(seek);
        let (time, flags) = line.split_once(',').unwrap();
        assert!(
            (time.parse::<f64>().unwrap() - pts).abs() < 0.05,
            "{seek} leads to {line}"
        );
        assert!(flags.starts_with('K'), "{seek} leads to {line}");
    }
}

#[test]
fn live_output_is_a_stream_that_ffmpeg_plays() {
    let directory = tempfile::tempdir().unwrap();
    for name in [
        "vp8-voice.webm",
        "vp9-voice.webm",
        "av1-voice.webm",
        "voice-bo.webm",
    ] {
        let Played { presence, frames } = play(name);
        let file = directory.path().join(name);
        let mut live = LiveWriter::new(std::fs::File::create(&file).unwrap(), &presence).unwrap();
        let start = Instant::now();
        for frame in &frames {
            let now = start + Duration::from_nanos(frame.timestamp_ns);
            assert_eq!(live.frame(frame, now), Ok(LiveState::Open));
        }
        drop(live);
        run(
            "ffmpeg",
            &["-xerror", "-i", "FILE", "-f", "null", "-"],
            &file,
        );
        let picture = |file: &Path| {
            let lines = frames_of(
                file,
                if presence.tracks.len() == 1 {
                    "0"
                } else {
                    "0:v"
                },
            );
            lines
                .into_iter()
                .filter(|line| !line.starts_with('#'))
                .count()
        };
        assert_eq!(picture(&file), picture(&fixture(name)), "{name}");
    }
}
