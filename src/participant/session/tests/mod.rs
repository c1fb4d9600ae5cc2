//! Whole participants against a relay in this process.

mod ending;
mod relay;
mod relays;
mod stays;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use self::relay::Relay;
use crate::meeting::Frame;
use crate::meeting::links::Link;
use crate::participant::media::{Input, Source};
use crate::participant::{JoinError, JoinOptions, Output, Summary, join};
use crate::wire::CloseReason;

/// What a participant says, in JSON.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Page {
    fn events(&self) -> Vec<Value> {
        let bytes = self.0.lock().unwrap().clone();
        let lines = String::from_utf8(bytes).unwrap();
        lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn names(&self) -> Vec<String> {
        let name = |event: &Value| event["event"].as_str().unwrap().to_owned();
        self.events().iter().map(name).collect()
    }

    /// Waits until there is an event of this name.
    async fn until(&self, name: &str) {
        let waiting = async {
            while !self.names().iter().any(|other| other == name) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let came = tokio::time::timeout(Duration::from_secs(10), waiting).await;
        assert!(came.is_ok(), "no {name}: {:#?}", self.events());
    }
}

fn options(link: &str, name: &str) -> JoinOptions {
    JoinOptions {
        link: link.into(),
        name: name.into(),
        play: None,
        again: false,
        record: None,
        watch: None,
        stay: None,
        admit_all: matches!(Link::parse(link), Ok(Link::Committer(_))),
        sign: false,
        speak: false,
        input: crate::participant::console::StandardInput::Taken,
        bind: None,
        begin_with: 0,
        trace: None,
    }
}

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

fn frames(path: &Path) -> Vec<Frame> {
    let mut source = Source::open(&Input::File(path.into())).unwrap();
    std::iter::from_fn(|| source.next_frame().unwrap()).collect()
}

/// A participant on a thread of its own, as in a process of its own.
fn spawn(options: JoinOptions) -> (Page, std::thread::JoinHandle<Result<Summary, JoinError>>) {
    let page = Page::default();
    let output = Output::json(page.clone());
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let joined = runtime.block_on(join(options, output));
        runtime.shutdown_background();
        joined
    });
    (page, thread)
}

async fn ended<T: Send + 'static>(thread: std::thread::JoinHandle<T>) -> T {
    tokio::task::spawn_blocking(move || thread.join().unwrap())
        .await
        .unwrap()
}

#[tokio::test]
async fn two_hear_and_record_each_other_bit_for_bit() {
    let relay = Relay::start(0).await;
    let folder = tempfile::tempdir().unwrap();
    let cast = [("Ada", "vp8-voice.webm"), ("Bea", "av1-voice.webm")];
    let mut threads = Vec::new();
    let links = [relay.link(), relay.meeting_link()];
    for ((name, file), link) in cast.into_iter().zip(links) {
        let mut options = options(&link, name);
        options.play = Some(Input::File(fixture(file)));
        options.record = Some(folder.path().join(name));
        options.trace = Some(folder.path().join(format!("{name}.trace")));
        options.begin_with = 1;
        options.stay = Some(Duration::from_secs(12));
        threads.push(spawn(options));
    }
    let mut summaries = Vec::new();
    for (page, thread) in threads {
        let summary = ended(thread).await.unwrap();
        let names = page.names();
        for name in [
            "connected",
            "joined",
            "recording",
            "played",
            "recorded",
            "summary",
        ] {
            assert!(
                names.iter().any(|other| other == name),
                "{name}: {:#?}",
                page.events()
            );
        }
        assert!(
            !names.iter().any(|name| name == "warning"),
            "{:#?}",
            page.events()
        );
        summaries.push(summary);
    }
    for (speaker, listener) in [(0, 1), (1, 0)] {
        let (sent, heard) = (
            &summaries[speaker].sent,
            &summaries[listener].participants[0],
        );
        assert_eq!(heard.name.0, cast[speaker].0);
        assert_eq!(heard.tracks.len(), sent.tracks.len());
        for (sent, heard) in sent.tracks.iter().zip(&heard.tracks) {
            assert!(sent.frames > 50 && sent.unsent == 0, "{sent:?}");
            assert_eq!((heard.received, heard.lost), (sent.frames, 0), "{heard:?}");
            assert_eq!(heard.digest, sent.digest);
            assert!(heard.late_p50_ms.is_some());
        }
        let recording = folder
            .path()
            .join(cast[listener].0)
            .join(format!("{}.webm", cast[speaker].0));
        let (played, recorded) = (frames(&fixture(cast[speaker].1)), frames(&recording));
        assert_eq!(played.len(), recorded.len());
        for track in &sent.tracks {
            let of = |frames: &[Frame]| -> Vec<_> {
                let frames = frames.iter().filter(|frame| frame.track.0 == track.track);
                frames
                    .map(|frame| (frame.payload.clone(), frame.keyframe))
                    .collect()
            };
            assert!(of(&played) == of(&recorded), "track {}", track.track);
        }
    }
    let lines = std::fs::read_to_string(folder.path().join("Ada.trace")).unwrap();
    let heard = lines
        .lines()
        .filter(|line| line.contains("\"from\":"))
        .count() as u64;
    let received: u64 = summaries[0].participants[0]
        .tracks
        .iter()
        .map(|t| t.received)
        .sum();
    assert_eq!(heard, received);
    assert!(!lines.contains("Bea"), "who it was is not written down");
}

#[tokio::test]
async fn a_relay_that_restarts_has_everyone_back_in_the_same_recording() {
    let relay = Relay::start(0).await;
    let (link, port) = (relay.link(), relay.port);
    let folder = tempfile::tempdir().unwrap();
    let mut listener = options(&link, "Listener");
    listener.record = Some(folder.path().into());
    listener.stay = Some(Duration::from_secs(9));
    let (heard, listening) = spawn(listener);
    heard.until("connected").await;
    let mut speaker = options(&relay.meeting_link(), "Ada");
    speaker.play = Some(Input::File(fixture("vp8-voice.webm")));
    speaker.again = true;
    speaker.stay = Some(Duration::from_secs(7));
    let (_, speaking) = spawn(speaker);
    heard.until("recording").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    relay.stop().await;
    let _relay = Relay::start(port).await;
    let spoken = ended(speaking).await.unwrap();
    let summary = ended(listening).await.unwrap();
    assert_eq!((spoken.reconnections, summary.reconnections), (1, 1));
    assert_eq!(summary.participants.len(), 1, "the same person came back");
    let names = heard.names();
    let count = |name: &str| names.iter().filter(|other| *other == name).count();
    assert_eq!(
        (count("recording"), count("recorded")),
        (1, 1),
        "{:#?}",
        heard.events()
    );
    assert_eq!(
        (count("joined"), count("left")),
        (1, 1),
        "{:#?}",
        heard.events()
    );
    let reason = heard
        .events()
        .into_iter()
        .find(|event| event["event"] == "reconnecting");
    assert_eq!(reason.unwrap()["reason"], "restarting");
    let recorded = frames(&folder.path().join("Ada.webm"));
    let last = recorded
        .iter()
        .map(|frame| frame.timestamp_ns)
        .max()
        .unwrap();
    assert!(
        last > 5_000_000_000,
        "both parts are in it: it ends at {last} ns"
    );
}

#[tokio::test]
async fn the_others_see_one_go_and_return() {
    let relay = Relay::start(0).await;
    let mut quiet = options(&relay.link(), "Quiet");
    quiet.stay = Some(Duration::from_secs(4));
    let (quiet, staying) = spawn(quiet);
    quiet.until("connected").await;
    relay.drop_all(CloseReason::TooSlow);
    quiet.until("reconnected").await;
    let mut brief = options(&relay.meeting_link(), "Brief");
    brief.stay = Some(Duration::from_millis(200));
    let (brief, passing) = spawn(brief);
    ended(passing).await.unwrap();
    assert_eq!(brief.names(), ["waiting", "connected", "joined", "summary"]);
    ended(staying).await.unwrap();
    assert_eq!(
        quiet.names(),
        [
            "chair",
            "connected",
            "reconnecting",
            "reconnected",
            "joined",
            "left",
            "summary"
        ]
    );
    let left = quiet.events().remove(5);
    assert_eq!(
        (&left["name"], &left["goodbye"]),
        (&"Brief".into(), &true.into())
    );
}

#[tokio::test]
async fn a_relay_that_says_no_is_the_end_at_once() {
    for reason in [
        CloseReason::Version,
        CloseReason::RoomFull,
        CloseReason::TooMany,
    ] {
        let relay = Relay::start(0).await;
        relay.refuse(reason);
        let (page, thread) = spawn(options(&relay.link(), "Ada"));
        let error = ended(thread).await.unwrap_err();
        assert!(
            matches!(error, JoinError::Closed(other) if other == reason),
            "{error}"
        );
        assert!(page.names().is_empty());
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_before_the_relay_is_troubled() {
    let relay = Relay::start(0).await;
    let failure = |options| async { ended(spawn(options).1).await.unwrap_err() };
    let nameless = failure(options(&relay.link(), "  ")).await;
    assert!(matches!(nameless, JoinError::Name));
    let mangled = failure(options(&relay.link()[..60], "Ada")).await;
    assert!(matches!(mangled, JoinError::Link(_)));
    let mut missing = options(&relay.link(), "Ada");
    missing.play = Some(Input::File("/nowhere/film.webm".into()));
    let missing = failure(missing).await;
    assert!(matches!(missing, JoinError::Play { .. }));
    assert!(
        missing.to_string().contains("/nowhere/film.webm"),
        "{missing}"
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut folder = options(&relay.link(), "Ada");
    folder.record = Some(file.path().into());
    assert!(matches!(failure(folder).await, JoinError::Folder { .. }));
}
