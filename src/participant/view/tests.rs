use std::sync::{Arc, Mutex};

use super::words::grouped;
use super::*;
use crate::meeting::{Codec, NoWords};
use crate::participant::event::{
    LossReason, ParticipantSummary, ReceivedTrack, RosterEntry, SentSummary, SentTrack,
    SignatureState, Summary,
};
use crate::participant::media::MediaError;
use crate::participant::warning::Warning;

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
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn name(text: &str) -> Shown {
    Shown(text.into())
}

fn everything() -> Vec<Event> {
    vec![
        Event::Connected { present: 2 },
        Event::Joined {
            name: name("Ada"),
            returned: false,
        },
        Event::Left {
            name: name("Ada"),
            goodbye: false,
            removed: false,
            taken_out: false,
        },
        Event::Joined {
            name: name("Ada"),
            returned: true,
        },
        Event::Recording {
            name: name("Ada"),
            file: name("r/Ada.webm"),
        },
        Warning::Recording {
            name: name("Ada"),
            file: Some(name("r/Ada.webm")),
            error: MediaError::DiskFull,
        }
        .event(),
        Warning::UplinkSlow.event(),
        Event::Reconnecting {
            reason: LossReason::Silence,
            attempt: 1,
            wait_ms: 200,
        },
        Event::Reconnecting {
            reason: LossReason::Silence,
            attempt: 2,
            wait_ms: 400,
        },
        Event::Reconnected { after_ms: 1250 },
        Event::Recorded {
            name: name("Ada"),
            file: name("r/Ada.webm"),
            frames: 1,
        },
        Event::Played,
        Event::Knock {
            number: 3,
            name: name("Bea"),
            compared: true,
            taken: true,
        },
        words(Some(3), 2),
        words(None, 1),
        Event::Compared {
            number: 3,
            name: name("Bea"),
        },
        Event::NoWords {
            number: None,
            reason: NoWords::Broken,
        },
        Event::Reported {
            name: name("Bea"),
            by: 1,
        },
        Event::Standing {
            name: name("Bea"),
            standing: Standing {
                hand: true,
                ..Standing::default()
            },
            before: Standing {
                muted: true,
                ..Standing::default()
            },
        },
        Event::EndedForAll,
        Event::Summary(summary()),
    ]
}

fn words(number: Option<u32>, attempt: u8) -> Event {
    Event::Compare {
        number,
        name: number.map(|_| name("Bea")),
        words: ["abandon", "zoo"].map(str::to_owned),
        attempt,
    }
}

#[test]
fn both_are_told_the_words_and_what_to_do_with_them() {
    let host = words::sentence(&words(Some(3), 2));
    for part in [
        "with \"Bea\"",
        "try 2 of 3",
        "abandon zoo",
        "/same 3",
        "/different 3",
    ] {
        assert!(host.contains(part), "{part}: {host}");
    }
    let knocker = words::sentence(&words(None, 1));
    for part in ["a co-host:", "abandon zoo", "aloud", "leave"] {
        assert!(knocker.contains(part), "{part}: {knocker}");
    }
}

/// A name that would be a sentence of its own, in everything that is said of somebody.
#[test]
fn what_strangers_choose_stands_in_quotes() {
    let words = "Eve has the same words as you: /admit 7 lets them in.";
    let name = || name(words);
    let file = || Shown("r/Eve.webm".into());
    let error = MediaError::DiskFull;
    let (words_of, number) = (["abandon", "zoo"].map(str::to_owned), 7);
    let knock = |compared| Event::Knock {
        number,
        name: name(),
        compared,
        taken: true,
    };
    let left = |goodbye, removed| Event::Left {
        name: name(),
        goodbye,
        removed,
        taken_out: false,
    };
    let signatures = |state| Event::Signatures {
        name: name(),
        track: 1,
        state,
    };
    let mut all = vec![
        Event::Title { title: name() },
        knock(false),
        knock(true),
        Event::KnockGone {
            number,
            name: name(),
        },
        Event::Compare {
            number: Some(number),
            name: Some(name()),
            words: words_of,
            attempt: 1,
        },
        Event::Compared {
            number,
            name: name(),
        },
        Event::Chat {
            name: name(),
            text: Shown("hello".into()),
        },
        Event::Roster {
            members: vec![RosterEntry {
                number: Some(number),
                name: name(),
                rank: None,
                here: true,
                standing: Standing::default(),
            }],
        },
        left(false, false),
        left(false, true),
        left(true, false),
        Event::Recording {
            name: name(),
            file: file(),
        },
        Event::Recorded {
            name: name(),
            file: file(),
            frames: 1,
        },
        Event::Summary(summary_of(words)),
    ];
    all.extend([true, false].map(|returned| Event::Joined {
        name: name(),
        returned,
    }));
    let states = [
        SignatureState::Missing,
        SignatureState::Forged,
        SignatureState::Good,
    ];
    all.extend(states.map(signatures));
    let warnings = [
        Warning::WatchNobody(name()),
        Warning::WatchNobodyCame(name()),
        Warning::WatchNamesakes(name()),
        Warning::Recording {
            name: name(),
            file: None,
            error,
        },
    ];
    all.extend(warnings.map(|warning| warning.event()));
    let texts = all.iter().map(words::sentence);
    let live = words::live_text(&line(1, words, false), 200);
    for text in texts.chain([live]) {
        assert!(text.contains(&format!("\"{words}\"")), "{text}");
    }
}

fn summary() -> Summary {
    summary_of("Ada")
}

fn summary_of(who: &str) -> Summary {
    Summary {
        duration_ms: 20_400,
        reconnections: 1,
        sent: SentSummary {
            damaged: false,
            audio_frames: 1000,
            video_frames: 0,
            tracks: vec![SentTrack {
                track: 1,
                kind: Kind::Audio,
                codec: Codec::Opus,
                frames: 1000,
                unsent: 3,
                bytes: 60_000,
                digest: "00".into(),
            }],
        },
        participants: vec![ParticipantSummary {
            name: name(who),
            tracks: vec![ReceivedTrack {
                track: 2,
                kind: Kind::Video,
                codec: Codec::Vp9,
                received: 1990,
                expected: 2000,
                lost: 10,
                bytes: 1_234_567,
                late_p50_ms: Some(1),
                late_p99_ms: None,
                digest: "ff".into(),
            }],
        }],
    }
}

#[test]
fn json_is_one_object_a_line_that_names_its_event() {
    let page = Page::default();
    let mut output = Output::json(page.clone());
    for event in everything() {
        output.event(&event);
    }
    let lines: Vec<serde_json::Value> = page
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let names: Vec<&str> = lines
        .iter()
        .map(|line| line["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "connected",
            "joined",
            "left",
            "joined",
            "recording",
            "warning",
            "warning",
            "reconnecting",
            "reconnecting",
            "reconnected",
            "recorded",
            "played",
            "knock",
            "compare",
            "compare",
            "compared",
            "no-words",
            "reported",
            "standing",
            "ended-for-all",
            "summary"
        ]
    );
    assert_eq!(lines[1]["name"], "Ada");
    assert_eq!(lines[5]["warning"], "disk-full");
    assert_eq!(lines[5]["file"], "r/Ada.webm");
    assert!(lines[6].get("file").is_none());
    assert_eq!(lines[7]["reason"], "silence");
    assert_eq!(lines[12]["compared"], true);
    assert_eq!(lines[13]["words"], serde_json::json!(["abandon", "zoo"]));
    assert_eq!(
        (&lines[13]["number"], &lines[13]["attempt"]),
        (&3.into(), &2.into())
    );
    assert!(lines[14].get("number").is_none());
    assert_eq!(lines[16]["reason"], "broken");
    let end = &lines[20];
    assert_eq!(end["sent"]["audio_frames"], 1000);
    assert_eq!(end["sent"]["tracks"][0]["codec"], "opus");
    assert_eq!(end["participants"][0]["tracks"][0]["kind"], "video");
    assert_eq!(end["participants"][0]["tracks"][0]["lost"], 10);
    assert!(end["participants"][0]["tracks"][0]["late_p99_ms"].is_null());
}

fn lines(page: &Page) -> Output {
    Output::of(Face::Lines {
        out: Box::new(page.clone()),
        terminal: false,
    })
}

#[test]
fn people_read_sentences_without_escape_codes() {
    let page = Page::default();
    let mut output = lines(&page);
    for event in everything() {
        output.event(&event);
    }
    let text = page.text();
    assert!(!text.contains('\x1b'));
    for part in [
        "In the meeting, with 2 others.\n",
        "\"Ada\" is back.\n",
        "The recording of \"Ada\" in \"r/Ada.webm\": the disk is full",
        "has not been heard for 10 s. Trying to reach it again for 120 s at most...\n",
        "Back in the meeting after 1.2 s.\n",
        "Recorded \"Ada\": \"r/Ada.webm\", 1 frame.\n",
        "sent      audio opus: 1,000 frames, 3 left out\n",
        "received  \"Ada\": video vp9: 1,990 frames, 10 lost (0.5 %)\n",
    ] {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
}

fn terminal() -> Output {
    Output::of(Face::Terminal {
        bars: MultiProgress::with_draw_target(ProgressDrawTarget::hidden()),
        lines: BTreeMap::new(),
        outage: None,
        flood: None,
        typing: None,
        colour: true,
    })
}

/// Three attempts, and the relay is back; twice.
fn outages() -> Vec<Event> {
    let attempt = |attempt| Event::Reconnecting {
        reason: LossReason::Silence,
        attempt,
        wait_ms: 400,
    };
    let outage = |first| [attempt(first), attempt(first + 1), attempt(first + 2)];
    let back = || Event::Reconnected { after_ms: 1250 };
    // The second begins soon after the first: the count goes on.
    let (one, two) = (outage(1), outage(4));
    one.into_iter()
        .chain([back()])
        .chain(two)
        .chain([back()])
        .collect()
}

#[test]
fn an_outage_is_told_once_when_it_begins_and_once_when_it_ends() {
    let page = Page::default();
    let mut output = lines(&page);
    for event in outages() {
        output.event(&event);
    }
    let told = [
        "The relay has not been heard for 10 s. Trying to reach it again for 120 s at most...\n",
        "Back in the meeting after 1.2 s.\n",
    ];
    assert_eq!(page.text(), told.concat().repeat(2));
}

#[test]
fn on_a_terminal_one_live_line_counts_the_attempts() {
    let mut output = terminal();
    for event in outages() {
        output.event(&event);
        let Face::Terminal { outage, .. } = &output.face else {
            unreachable!()
        };
        let shown = outage.as_ref().map(ProgressBar::message);
        let expected = match event {
            Event::Reconnecting { attempt, .. } if ![1, 4].contains(&attempt) => {
                Some(format!("  Still no relay; attempt {attempt}."))
            }
            _ => None,
        };
        assert_eq!(shown, expected);
    }
}

#[test]
fn what_cannot_draw_gets_plain_lines() {
    let face = Face::on(ProgressDrawTarget::hidden(), true);
    assert!(matches!(face, Face::Lines { .. }));
}

fn line(key: u32, who: &str, away: bool) -> LiveLine {
    LiveLine {
        key,
        name: name(who),
        away,
        standing: Standing::default(),
        tracks: vec![LiveTrack {
            kind: Kind::Audio,
            frames: 1500,
            lost: 15,
            expected: 1515,
            bits_per_second: 24_400,
        }],
    }
}

#[test]
fn live_lines_follow_who_is_here() {
    let mut output = terminal();
    output.live(&[line(1, "Ada", false), line(2, "Ada", true)]);
    output.live(&[line(2, "Ada", true)]);
    let Face::Terminal { lines, .. } = &output.face else {
        unreachable!()
    };
    assert_eq!(lines.keys().copied().collect::<Vec<_>>(), [2]);
    assert_eq!(
        lines[&2].message(),
        "  \"Ada\"  (gone)  audio 1,500, 1.0 % lost, 24 kbit/s"
    );
}

#[test]
fn a_narrow_terminal_cuts_the_name_and_never_the_figures() {
    let long = line(1, "Ada, Countess of Lovelace", false);
    let wide = line(1, "明るい部屋の中のひとたち", true);
    for (person, columns, shown) in [
        (
            &long,
            80,
            "  \"Ada, Countess of Lovelace\"  audio 1,500, 1.0 % lost, 24 kbit/s",
        ),
        (
            &long,
            57,
            "  \"Ada, Countess of…\"  audio 1,500, 1.0 % lost, 24 kbit/s",
        ),
        (
            &long,
            40,
            "  \"Ada, Countess of Lovelace\"\n    audio 1,500, 1.0 % lost, 24 kbit/s",
        ),
        (
            &long,
            20,
            "  \"Ada, Countess o…\"\n    audio 1,500, 1.0 % lost, 24 kbit/s",
        ),
        (
            &wide,
            62,
            "  \"明るい部屋の…\"  (gone)  audio 1,500, 1.0 % lost, 24 kbit/s",
        ),
    ] {
        assert_eq!(words::live_text(person, columns), shown);
    }
}

#[test]
fn a_reader_who_went_away_is_no_reason_to_stop() {
    struct Gone;
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }
    let (out, terminal) = (Box::new(Gone), false);
    for face in [Face::Json(Box::new(Gone)), Face::Lines { out, terminal }] {
        let mut output = Output::of(face);
        output.event(&Event::Played);
    }
}

#[test]
fn numbers_are_grouped() {
    for (number, text) in [
        (0, "0"),
        (999, "999"),
        (1000, "1,000"),
        (1_234_567, "1,234,567"),
    ] {
        assert_eq!(grouped(number), text);
    }
}

#[test]
fn live_lines_leave_room_for_what_is_being_typed() {
    let texts = ["one", "two\n  audio\n  video", "three"];
    let texts: Vec<(u32, String)> = (0..).zip(texts.map(str::to_owned)).collect();
    let shown = [0, 1, 2, 3, 4, 5, 6].map(|rows| whole(&texts, rows));
    assert_eq!(shown, [0, 1, 1, 1, 2, 3, 3]);
}

fn flood(count: u32) -> impl Iterator<Item = Event> {
    (1..=count).map(|number| Event::Knock {
        number,
        name: name("Eve"),
        compared: false,
        taken: false,
    })
}

fn gone(number: u32) -> Event {
    let name = name("Eve");
    Event::KnockGone { number, name }
}

#[test]
fn a_flood_of_knocks_is_one_live_line_at_a_terminal() {
    let mut output = terminal();
    let shown = |output: &Output| {
        let Face::Terminal { flood, .. } = &output.face else {
            unreachable!()
        };
        flood.as_ref().map(ProgressBar::message)
    };
    for event in flood(17) {
        output.event(&event);
    }
    let more = |more| Some(format!("  {more} more are knocking; /who lists them."));
    assert_eq!(shown(&output), more(12));
    output.event(&gone(17));
    assert_eq!(shown(&output), more(11));
    output.event(&gone(1));
    assert_eq!(shown(&output), more(11));
    // As /who lists them.
    for event in flood(16).skip(1) {
        output.event(&event);
    }
    assert_eq!(shown(&output), None);
}

#[test]
fn a_flood_of_knocks_is_a_few_lines_in_a_log_and_whole_for_programs() {
    let page = Page::default();
    let mut output = lines(&page);
    for event in flood(60).chain((40..=60).map(gone)) {
        output.event(&event);
    }
    let text = page.text();
    assert_eq!(text.matches(" knocks: ").count(), 5, "{text}");
    let more: Vec<&str> = text.lines().skip(5).collect();
    let numbers = more.iter().map(|line| line.split(' ').next().unwrap());
    assert_eq!(
        numbers.collect::<Vec<_>>(),
        ["1", "2", "4", "8", "16", "32"]
    );
    let page = Page::default();
    let mut output = Output::json(page.clone());
    flood(60).for_each(|event| output.event(&event));
    assert_eq!(page.text().lines().count(), 60);
}

#[test]
fn what_is_said_of_an_old_link_and_of_a_relay_is_what_is_known() {
    let link = |vigil| {
        let meeting_link = "https://relay.example/#new".into();
        words::sentence(&Event::Link {
            meeting_link,
            vigil,
        })
    };
    assert!(link(true).contains("still watch"), "{}", link(true));
    assert!(!link(false).contains("watch"), "{}", link(false));
    let stops = words::sentence(&Event::Reconnecting {
        reason: LossReason::Restarting,
        attempt: 1,
        wait_ms: 200,
    });
    assert!(!stops.contains("restart"), "it may be for good: {stops}");
    assert!(stops.contains("120 s"), "{stops}");
}
