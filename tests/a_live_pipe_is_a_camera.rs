//! What ffmpeg writes to a pipe, sizes unknown and without an end, is played as it comes.

use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use sottovoce::meeting::Frame;
use sottovoce::participant::media::{Input, Pace, Source};
use sottovoce::wire::TrackId;

/// ffmpeg, ended with the test.
struct Camera(Child);

impl Camera {
    fn start(arguments: &str) -> (Self, ChildStdout) {
        let mut child = Command::new("ffmpeg")
            .args(["-v", "error"])
            .args(arguments.split_whitespace())
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "this test needs ffmpeg, which does not start ({error}): apt-get install ffmpeg"
                )
            });
        let output = child.stdout.take().unwrap();
        (Self(child), output)
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn frames(mut source: Source) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let Some(frame) = source.next_frame().unwrap() {
        frames.push(frame);
    }
    assert_eq!(source.take_warnings(), []);
    frames
}

#[test]
fn a_pipe_gives_the_same_frames_as_the_file() {
    for name in [
        "vp8-voice.webm",
        "vp9-voice.webm",
        "av1-voice.webm",
        "voice-ada.webm",
    ] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures")
            .join(name);
        let expected = frames(Source::open(&Input::File(file)).unwrap());
        for options in [
            "",
            "-live 1",
            "-cluster_time_limit 100",
            "-reserve_index_space 4096",
        ] {
            let (_camera, pipe) =
                Camera::start(&format!("-i {name} -map 0 -c copy {options} -f webm -"));
            let source = Source::from_reader(pipe).unwrap();
            let piped = frames(source);
            for track in [TrackId(0), TrackId(1)] {
                let of = |frames: &[Frame]| -> Vec<_> {
                    frames
                        .iter()
                        .filter(|frame| frame.track == track)
                        .map(|frame| (frame.group, frame.number, frame.payload.clone()))
                        .collect()
                };
                assert!(of(&piped) == of(&expected), "{name} {options}");
            }
        }
    }
}

#[test]
fn a_real_time_pipe_is_passed_on_without_delay() {
    // Two seconds of VP8 and Opus as they are made, each frame written when it is there.
    let (_camera, pipe) = Camera::start(
        "-re -i vp8-voice.webm -map 0 -c copy -t 2 -live 1 -cluster_time_limit 0 \
         -flush_packets 1 -f webm -",
    );
    let mut source = Source::from_reader(pipe).unwrap();
    let start = Instant::now();
    let (mut pace, mut behind) = (Pace::new(), Vec::new());
    while let Some(frame) = source.next_frame().unwrap() {
        let now = Instant::now();
        behind.push(
            pace.due(frame.timestamp_ns, now)
                .saturating_duration_since(now),
        );
    }
    let took = start.elapsed();
    assert!(behind.len() > 100, "{} frames", behind.len());
    assert!(
        took > Duration::from_millis(1000),
        "it came in real time, not at its end: {took:?}"
    );
    behind.sort();
    assert!(
        behind[behind.len() / 2] < Duration::from_millis(150),
        "waits {behind:?}"
    );
}

#[test]
fn an_endless_camera_can_be_left_at_any_time() {
    let (camera, pipe) = Camera::start(
        "-f lavfi -i testsrc2=size=64x48:rate=25 -f lavfi -i sine -c:v libvpx -deadline realtime \
         -c:a libopus -g 10 -f webm -live 1 -",
    );
    let mut source = Source::from_reader(pipe).unwrap();
    let mut groups = 0;
    while groups < 50 {
        let frame = source.next_frame().unwrap().unwrap();
        groups += u32::from(frame.track == TrackId(1) && frame.keyframe);
    }
    drop(camera);
    // What is left in the pipe ends in the middle of something, which is no error.
    while source.next_frame().unwrap().is_some() {}
}
