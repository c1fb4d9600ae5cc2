//! How a participant is told: live lines on a terminal, plain lines in a log, JSON for programs.
//!
//! Standard output is for media (`--watch`) and for JSON; what people read goes to standard error.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::event::{Event, Kind, ParticipantSummary, Shown, Summary, codec};

/// Where and how a participant is told what happens.
pub struct Output {
    face: Face,
}

enum Face {
    Json(Box<dyn Write + Send>),
    Lines(Box<dyn Write + Send>),
    Terminal {
        bars: MultiProgress,
        lines: BTreeMap<u32, ProgressBar>,
        colour: bool,
    },
}

/// One participant's live line.
pub(crate) struct LiveLine {
    /// Stays the same for a participant as long as it is shown.
    pub(crate) key: u32,
    /// Who.
    pub(crate) name: Shown,
    /// It is not here at the moment.
    pub(crate) away: bool,
    /// By kind: frames, lost, expected, bits per second.
    pub(crate) tracks: Vec<LiveTrack>,
}

/// One track in a live line.
pub(crate) struct LiveTrack {
    pub(crate) kind: Kind,
    pub(crate) frames: u64,
    pub(crate) lost: u64,
    pub(crate) expected: u64,
    pub(crate) bits_per_second: u64,
}

impl Output {
    /// JSON goes to standard output, unless that carries media: then to standard error. Sentences
    /// go to standard error, with live lines if that is a terminal, and colour unless `NO_COLOR`
    /// is set (<https://no-color.org>).
    pub fn new(json: bool, media_on_stdout: bool) -> Self {
        let face = if json && media_on_stdout {
            Face::Json(Box::new(io::stderr()))
        } else if json {
            Face::Json(Box::new(io::stdout()))
        } else if io::stderr().is_terminal() {
            let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(4));
            Face::Terminal {
                bars,
                lines: BTreeMap::new(),
                colour,
            }
        } else {
            Face::Lines(Box::new(io::stderr()))
        };
        Self { face }
    }

    /// Tells of something that happened. That nobody listens any more is no reason to leave a
    /// meeting, so failures to write end here.
    pub(crate) fn event(&mut self, event: &Event) {
        match &mut self.face {
            Face::Json(out) => {
                if let Ok(mut line) = serde_json::to_vec(event) {
                    line.push(b'\n');
                    let _ = out.write_all(&line).and_then(|()| out.flush());
                }
            }
            Face::Lines(out) => {
                let _ = writeln!(out, "{}", sentence(event)).and_then(|()| out.flush());
            }
            Face::Terminal {
                bars,
                lines,
                colour,
            } => {
                if let Event::Summary(_) = event {
                    for (_, bar) in std::mem::take(lines) {
                        bar.finish_and_clear();
                    }
                }
                let text = match (*colour, shade(event)) {
                    (true, Some(shade)) => format!("\x1b[{shade}m{}\x1b[0m", sentence(event)),
                    _ => sentence(event),
                };
                let _ = bars.println(text);
            }
        }
    }

    /// Whether live lines are shown at all.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.face, Face::Terminal { .. })
    }

    /// Redraws the live lines.
    pub(crate) fn live(&mut self, people: &[LiveLine]) {
        let Face::Terminal { bars, lines, .. } = &mut self.face else {
            return;
        };
        lines.retain(|key, bar| {
            let stays = people.iter().any(|person| person.key == *key);
            if !stays {
                bar.finish_and_clear();
                bars.remove(bar);
            }
            stays
        });
        for person in people {
            let bar = lines.entry(person.key).or_insert_with(|| {
                let bar = bars.add(ProgressBar::no_length());
                if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
                    bar.set_style(style);
                }
                bar
            });
            bar.set_message(live_text(person));
        }
    }
}

/// The colour of an event: green for who comes, yellow for what needs attention.
fn shade(event: &Event) -> Option<&'static str> {
    match event {
        Event::Joined { .. } | Event::Reconnected { .. } => Some("32"),
        Event::Warning { .. } | Event::Reconnecting { .. } => Some("33"),
        Event::Left { .. } => Some("2"),
        _ => None,
    }
}

/// What a person reads.
fn sentence(event: &Event) -> String {
    match event {
        Event::Connected { present: 0 } => "In the meeting; nobody else is here yet.".into(),
        Event::Connected { present: 1 } => "In the meeting, with one other.".into(),
        Event::Connected { present } => format!("In the meeting, with {present} others."),
        Event::Joined {
            name,
            returned: false,
        } => format!("{name} is here."),
        Event::Joined {
            name,
            returned: true,
        } => format!("{name} is back."),
        Event::Left {
            name,
            goodbye: true,
        } => format!("{name} left."),
        Event::Left {
            name,
            goodbye: false,
        } => format!("{name} is gone (connection lost)."),
        Event::Recording { name, file } => format!("Recording {name} in {file}."),
        Event::Recorded { name, file, frames } => {
            format!("Recorded {name}: {file}, {}.", plural(*frames, "frame"))
        }
        Event::Played => "Played to the end.".into(),
        Event::Warning { text, .. } => text.clone(),
        Event::Reconnecting {
            reason, attempt: 1, ..
        } => format!("{reason}. Reconnecting..."),
        Event::Reconnecting {
            attempt, wait_ms, ..
        } => format!(
            "Still no relay; attempt {attempt} in {:.1} s.",
            *wait_ms as f64 / 1000.0
        ),
        Event::Reconnected { after_ms } => {
            format!(
                "Back in the meeting after {:.1} s.",
                *after_ms as f64 / 1000.0
            )
        }
        Event::Summary(summary) => closing(summary),
    }
}

fn closing(summary: &Summary) -> String {
    let mut text = format!(
        "{:.0} s in the meeting.",
        summary.duration_ms as f64 / 1000.0
    );
    for track in &summary.sent.tracks {
        text.push_str(&format!(
            "\n  sent      {} {}: {}",
            kind(track.kind),
            codec(track.codec),
            plural(track.frames, "frame")
        ));
        if track.unsent > 0 {
            text.push_str(&format!(", {} left out", grouped(track.unsent)));
        }
    }
    for ParticipantSummary { name, tracks } in &summary.participants {
        for track in tracks {
            text.push_str(&format!(
                "\n  received  {name}: {} {}: {}, {} lost ({})",
                kind(track.kind),
                codec(track.codec),
                plural(track.received, "frame"),
                grouped(track.lost),
                percent(track.lost, track.expected),
            ));
        }
    }
    text
}

fn live_text(person: &LiveLine) -> String {
    let mut text = format!("  {}", person.name);
    if person.away {
        text.push_str("  (gone)");
    }
    for track in &person.tracks {
        text.push_str(&format!(
            "  {} {}, {} lost, {} kbit/s",
            kind(track.kind),
            grouped(track.frames),
            percent(track.lost, track.expected),
            grouped(track.bits_per_second / 1000),
        ));
    }
    text
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Audio => "audio",
        Kind::Video => "video",
    }
}

fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "0 %".into();
    }
    let share = part as f64 * 100.0 / whole as f64;
    if part == 0 {
        "0 %".into()
    } else {
        format!("{share:.1} %")
    }
}

fn plural(count: u64, thing: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{} {thing}{s}", grouped(count))
}

/// 1234567 as 1,234,567.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
impl Output {
    /// JSON to anywhere.
    pub(crate) fn json(out: impl Write + Send + 'static) -> Self {
        Self {
            face: Face::Json(Box::new(out)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::super::event::{LossReason, ReceivedTrack, SentSummary, SentTrack};
    use super::super::media::MediaError;
    use super::super::warning::Warning;
    use super::*;
    use crate::meeting::Codec;

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
            Event::Summary(summary()),
        ]
    }

    fn summary() -> Summary {
        Summary {
            duration_ms: 20_400,
            reconnections: 1,
            sent: SentSummary {
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
                name: name("Ada"),
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
        let mut output = Output {
            face: Face::Json(Box::new(page.clone())),
        };
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
                "summary"
            ]
        );
        assert_eq!(lines[1]["name"], "Ada");
        assert_eq!(lines[5]["warning"], "disk-full");
        assert_eq!(lines[5]["file"], "r/Ada.webm");
        assert!(lines[6].get("file").is_none());
        assert_eq!(lines[7]["reason"], "silence");
        let end = &lines[12];
        assert_eq!(end["sent"]["audio_frames"], 1000);
        assert_eq!(end["sent"]["tracks"][0]["codec"], "opus");
        assert_eq!(end["participants"][0]["tracks"][0]["kind"], "video");
        assert_eq!(end["participants"][0]["tracks"][0]["lost"], 10);
        assert!(end["participants"][0]["tracks"][0]["late_p99_ms"].is_null());
    }

    #[test]
    fn people_read_sentences_without_escape_codes() {
        let page = Page::default();
        let mut output = Output {
            face: Face::Lines(Box::new(page.clone())),
        };
        for event in everything() {
            output.event(&event);
        }
        let text = page.text();
        assert!(!text.contains('\x1b'));
        for part in [
            "In the meeting, with 2 others.\n",
            "Ada is back.\n",
            "The recording of Ada in r/Ada.webm: the disk is full",
            "has not been heard for 10 s. Reconnecting...\n",
            "attempt 2 in 0.4 s.\n",
            "Back in the meeting after 1.2 s.\n",
            "Recorded Ada: r/Ada.webm, 1 frame.\n",
            "sent      audio opus: 1,000 frames, 3 left out\n",
            "received  Ada: video vp9: 1,990 frames, 10 lost (0.5 %)\n",
        ] {
            assert!(text.contains(part), "{part:?} is missing in\n{text}");
        }
    }

    #[test]
    fn live_lines_follow_who_is_here() {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        let mut output = Output {
            face: Face::Terminal {
                bars,
                lines: BTreeMap::new(),
                colour: true,
            },
        };
        let line = |key, away| LiveLine {
            key,
            name: name("Ada"),
            away,
            tracks: vec![LiveTrack {
                kind: Kind::Audio,
                frames: 1500,
                lost: 15,
                expected: 1515,
                bits_per_second: 24_400,
            }],
        };
        output.live(&[line(1, false), line(2, true)]);
        output.live(&[line(2, true)]);
        let Face::Terminal { lines, .. } = &output.face else {
            unreachable!()
        };
        assert_eq!(lines.keys().copied().collect::<Vec<_>>(), [2]);
        assert_eq!(
            lines[&2].message(),
            "  Ada  (gone)  audio 1,500, 1.0 % lost, 24 kbit/s"
        );
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
        for face in [Face::Json(Box::new(Gone)), Face::Lines(Box::new(Gone))] {
            let mut output = Output { face };
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
}
