//! `--watch NAME` shows somebody, or says why it shows nobody.

mod support;

use std::collections::HashSet;
use std::fs::File;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::{Links, Participant, Relay, Seen, fixture, framemd5, invite, sottovoce};

const PATIENCE: Duration = Duration::from_secs(20);

fn speaker(links: &Links, name: &str, file: &str) -> Participant {
    let file = fixture(file);
    let play = file.to_str().expect("a path");
    Participant::hosts(links, name, &["--play", play, "--loop"])
}

fn second(links: &Links, name: &str, file: &str) -> Participant {
    let file = fixture(file);
    let play = file.to_str().expect("a path");
    Participant::join(&links.meeting, name, &["--play", play, "--loop"])
}

/// What was told under this name, in the order in which it was told.
fn warnings<'a>(events: &'a [serde_json::Value], kind: &str) -> Vec<&'a str> {
    let events = events.iter().filter(|event| event["warning"] == kind);
    events.filter_map(|event| event["text"].as_str()).collect()
}

/// `script` gives it a terminal for its output.
#[test]
fn a_terminal_is_no_player() {
    let link = invite("https://relay.example/", &[]).meeting;
    let program = sottovoce().get_program().to_owned();
    let program = program.to_str().expect("a path");
    let line = format!("'{program}' join '{link}' --name me --watch Ada");
    let mut terminal = Command::new("script");
    terminal.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    let output = terminal.stdin(Stdio::null()).output().expect("script runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("terminal") && said.contains("| ffplay -"),
        "{said}"
    );
}

#[test]
fn that_nobody_of_the_name_is_here_is_said_once() {
    let relay = Relay::start();
    let links = relay.invite();
    let _other = speaker(&links, "ada", "vp8-voice.webm");
    let mut watcher = Participant::join(&links.meeting, "me", &["--watch", "Ada"]);
    watcher.until("connected", PATIENCE);
    let began = Instant::now();
    let told = watcher.until_that("warning", PATIENCE, |event| {
        event["warning"] == "watch-nobody"
    });
    assert!(
        began.elapsed() > Duration::from_secs(2),
        "all had time to come"
    );
    assert_eq!(told["name"], "Ada");
    let text = told["text"].as_str().expect("a sentence");
    assert!(
        text.starts_with("Nobody called \"Ada\" is here yet"),
        "{text}"
    );
    std::thread::sleep(Duration::from_secs(2));
    watcher.signal("INT");
    let (_, _, events) = watcher.finish(PATIENCE);
    assert_eq!(warnings(&events, "watch-nobody").len(), 1);
    assert_eq!(warnings(&events, "watch-nobody-came").len(), 1);
}

#[test]
fn that_nobody_of_the_name_came_is_said_at_the_end_of_a_short_visit_too() {
    let relay = Relay::start();
    let links = relay.invite();
    let watcher = Participant::hosts(&links, "me", &["--watch", "Ada", "--for", "1s"]);
    let (_, _, events) = watcher.finish(PATIENCE);
    let told = warnings(&events, "watch-nobody-came");
    assert_eq!(told.len(), 1, "{events:?}");
    let text = "Nobody called \"Ada\" came";
    assert!(told[0].starts_with(text), "{told:?}");
}

/// Two called Ada come while somebody watches Ada, each with a file of its own. What the watcher
/// told, and what it showed.
fn of_two(
    files: [&str; 2],
    then: impl FnOnce(&mut Participant),
) -> (Vec<serde_json::Value>, Vec<u8>) {
    let relay = Relay::start();
    let links = relay.invite();
    let folder = tempfile::tempdir().expect("a scratch folder");
    let shown = folder.path().join("shown.webm");
    let mut watcher = sottovoce();
    watcher
        .args([
            "join",
            &links.meeting,
            "--name",
            "me",
            "--watch",
            "Ada",
            "--json",
        ])
        .args(["--for", "8s"])
        .stdin(Stdio::null())
        .stdout(File::create(&shown).expect("a file"))
        .stderr(Stdio::piped());
    let mut first = speaker(&links, "Ada", files[0]);
    first.until("connected", PATIENCE);
    let watcher = watcher.spawn().expect("it starts");
    first.until("joined", PATIENCE);
    std::thread::sleep(Duration::from_millis(500));
    let _second = second(&links, "Ada", files[1]);
    first.until("joined", PATIENCE);
    then(&mut first);
    let output = watcher.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let events = said.lines();
    let events = events.filter_map(|line| serde_json::from_str(line).ok());
    let shown = std::fs::read(&shown).expect("what was shown");
    (events.collect(), shown)
}

fn place(codec: &[u8], shown: &[u8]) -> Option<usize> {
    shown.windows(codec.len()).position(|part| part == codec)
}

#[test]
fn of_two_who_have_the_name_the_first_is_shown() {
    let (events, shown) = of_two(["vp8-voice.webm", "vp9-voice.webm"], |_| {});
    let told = warnings(&events, "watch-namesakes");
    assert_eq!(told.len(), 1, "{events:?}");
    assert!(
        told[0].contains("called \"Ada\"") && told[0].contains("first"),
        "{told:?}"
    );
    assert!(warnings(&events, "watch-nobody").is_empty(), "{events:?}");
    assert!(place(b"V_VP8", &shown).is_some());
    assert_eq!(place(b"V_VP9", &shown), None, "only the first is shown");
}

fn leaves(first: &mut Participant) {
    std::thread::sleep(Duration::from_secs(1));
    first.signal("INT");
}

/// A stream that ffmpeg reads whole, in which no track goes back. Its packets of each track.
fn one_stream(shown: &[u8]) -> [Vec<Seen>; 2] {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), shown).expect("room");
    let heads = shown.windows(4).filter(|bytes| *bytes == b"webm");
    assert_eq!(heads.count(), 1);
    let seen = framemd5(file.path());
    [0, 1].map(|stream| {
        let of_stream = seen.iter().filter(|seen| seen.stream == stream);
        let packets: Vec<Seen> = of_stream.cloned().collect();
        assert!(packets.is_sorted_by(|one, next| one.pts < next.pts));
        packets
    })
}

#[test]
fn when_the_one_who_is_shown_leaves_a_namesake_is_shown_in_the_same_stream() {
    let (events, shown) = of_two(["vp9-voice.webm", "vp9-only.webm"], leaves);
    assert!(warnings(&events, "watch-left-out").is_empty(), "{events:?}");
    let [_, picture] = one_stream(&shown);
    let shown = |file| {
        let of_file: HashSet<String> = framemd5(&fixture(file))
            .into_iter()
            .map(|seen| seen.digest)
            .collect();
        let shown = picture.iter().map(|seen| of_file.contains(&seen.digest));
        shown.collect::<Vec<_>>()
    };
    let (first, second) = (shown("vp9-voice.webm"), shown("vp9-only.webm"));
    assert!(first[0] && !second[0], "first the one");
    assert_eq!(
        (first.last(), second.last()),
        (Some(&false), Some(&true)),
        "then the other"
    );
    // What is live is written in ticks of 100 microseconds.
    let last = picture.last().expect("a picture").pts / 10;
    assert!(
        (4000..9000).contains(&last),
        "as long as it took: {last} ms"
    );
}

#[test]
fn what_a_namesake_has_of_another_kind_is_left_out_and_told() {
    let (events, shown) = of_two(["vp8-voice.webm", "vp9-voice.webm"], leaves);
    assert_eq!(warnings(&events, "watch-left-out").len(), 1, "{events:?}");
    let streams = one_stream(&shown);
    let ends = streams.map(|packets| packets.last().expect("packets").pts);
    assert!(
        ends[0].abs_diff(ends[1]) > 20_000,
        "the sound goes on: {ends:?}"
    );
}

#[test]
fn an_output_without_room_is_no_recording() {
    let relay = Relay::start();
    let links = relay.invite();
    let _speaker = speaker(&links, "Ada", "vp8-voice.webm");
    let full = File::options().write(true).open("/dev/full");
    let output = sottovoce()
        .args([
            "join",
            &links.meeting,
            "--name",
            "me",
            "--watch",
            "Ada",
            "--for",
            "5s",
        ])
        .stdin(Stdio::null())
        .stdout(full.expect("a full device"))
        .stderr(Stdio::piped())
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(31), "{said}");
    let told = "there is no room for more where standard output goes to";
    assert!(said.contains(told) && said.contains("| ffplay -"), "{said}");
    assert!(!said.to_lowercase().contains("recording"), "{said}");
}
