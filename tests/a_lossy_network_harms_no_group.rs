//! With 5 % loss and 30 ms of jitter, every group that completes is bit-identical, sound is lost
//! about as often as the network loses, and the meeting never stalls for more than a group.

mod support;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use support::network::{Conditions, Proxy};
use support::{Participant, Relay, fixture, invite, through};

const WEATHER: Conditions = Conditions {
    loss_permille: 50,
    delay: Duration::from_millis(10),
    jitter: Duration::from_millis(30),
};

/// A frame: its track and number.
type Id = (u64, u64);

struct Line {
    group: u64,
    digest: String,
    after_ms: u64,
}

#[test]
fn five_percent_loss_and_thirty_milliseconds_of_jitter() {
    let relay = Relay::start();
    let proxy = Proxy::start(relay.port(), 20_261_124, WEATHER);
    let links = invite(&through(&relay.address, proxy.port), &[]);
    let folder = tempfile::tempdir().expect("a scratch folder");
    let (spoken, heard) = (folder.path().join("spoken"), folder.path().join("heard"));
    let mut listener = Participant::hosts(
        &links,
        "Listener",
        &["--for", "26s", "--trace", heard.to_str().expect("a path")],
    );
    listener.until("connected", Duration::from_secs(20));
    let speaker = Participant::join(
        &links.meeting,
        "Ada",
        &[
            "--play",
            fixture("vp8-voice.webm").to_str().expect("a path"),
            "--loop",
            "--for",
            "20s",
            "--trace",
            spoken.to_str().expect("a path"),
        ],
    );
    let (status, _, events) = speaker.finish(Duration::from_secs(60));
    assert!(status.success(), "{events:#?}");
    let (status, _, events) = listener.finish(Duration::from_secs(60));
    assert!(status.success(), "{events:#?}");
    let (passed, lost) = proxy.counts();
    println!("the network passed {passed} and lost {lost}");

    let (sent, got) = (read(&spoken, false), read(&heard, true));
    for (id, line) in &got {
        assert_eq!(
            Some(&line.digest),
            sent.get(id).map(|sent| &sent.digest),
            "frame {id:?}"
        );
    }
    let audio = track_with_one_group(&sent);
    let first = got
        .keys()
        .filter(|(track, _)| *track == audio)
        .map(|(_, n)| *n)
        .min();
    let first = first.expect("sound was heard");
    let spoken: Vec<&Id> = sent
        .keys()
        .filter(|(t, n)| *t == audio && *n >= first)
        .collect();
    let missing = spoken.iter().filter(|id| !got.contains_key(id)).count();
    let share = missing as f64 / spoken.len() as f64;
    println!(
        "sound: {missing} of {} frames lost, {:.1} %",
        spoken.len(),
        share * 100.0
    );
    // Two ways through the network: 1 - 0.95 * 0.95 is 9.75 %.
    assert!(
        share < 0.15,
        "sound was lost {:.1} % of the time",
        share * 100.0
    );
    assert!(share > 0.02, "the network did lose something");

    // Pictures: groups come whole, or are given up as a whole from some frame on; most are whole.
    let mut groups: BTreeMap<(u64, u64), (usize, usize)> = BTreeMap::new();
    for (id, line) in sent.iter().filter(|((track, _), _)| *track != audio) {
        let group = groups.entry((id.0, line.group)).or_default();
        group.0 += 1;
        group.1 += usize::from(got.contains_key(id));
    }
    let whole = groups.values().filter(|(sent, got)| sent == got).count();
    println!("pictures: {whole} of {} groups whole", groups.len());
    assert!(
        whole * 10 >= groups.len() * 7,
        "{whole} of {} groups are whole",
        groups.len()
    );

    // Never longer than a group (2 s) without a frame of either kind.
    let mut times: Vec<u64> = got.values().map(|line| line.after_ms).collect();
    times.sort_unstable();
    let gap = times
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .max()
        .expect("frames");
    assert!(gap < 2000, "nothing came for {gap} ms");
}

fn read(path: &Path, received: bool) -> HashMap<Id, Line> {
    let text = std::fs::read_to_string(path).expect("a trace");
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines
        .filter(|line| line["from"].is_null() != received)
        .map(|line| {
            let number = |name: &str| line[name].as_u64().expect("a number");
            let digest = line["digest"].as_str().expect("a digest").to_owned();
            let value = Line {
                group: number("group"),
                digest,
                after_ms: number("after_ms"),
            };
            ((number("track"), number("number")), value)
        })
        .collect()
}

fn track_with_one_group(sent: &HashMap<Id, Line>) -> u64 {
    let tracks: Vec<u64> = sent.keys().map(|(track, _)| *track).collect();
    tracks
        .into_iter()
        .find(|track| {
            sent.iter()
                .all(|((t, _), line)| t != track || line.group == 0)
        })
        .expect("a sound track")
}
