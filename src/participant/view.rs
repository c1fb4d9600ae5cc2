//! How a participant is told: live lines on a terminal, plain lines in a log, JSON for programs.
//!
//! Standard output is for media (`--watch`) and for JSON; what people read goes to standard error.

mod knocks;
mod rows;
mod words;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Instant;

use console::Term;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use self::knocks::{Knocks, are_knocking};
use self::rows::rows;
use self::words::{live_text, sentence, shade, waiting};
use super::event::{Event, Kind, Shown};
use crate::meeting::Standing;

/// Where and how a participant is told what happens.
pub struct Output {
    face: Face,
    /// The person has been told that the relay is lost, and not yet that it is back.
    lost: bool,
    knocks: Knocks,
}

enum Face {
    Json(Box<dyn Write + Send>),
    Lines {
        out: Box<dyn Write + Send>,
        /// It is a terminal that cannot draw.
        terminal: bool,
    },
    Terminal {
        bars: MultiProgress,
        lines: BTreeMap<u32, ProgressBar>,
        /// Says that the relay is still not back.
        outage: Option<ProgressBar>,
        /// Says how many more are knocking.
        flood: Option<ProgressBar>,
        /// What is being typed: always the last.
        typing: Option<ProgressBar>,
        colour: bool,
    },
}

impl Face {
    /// Live lines where something can draw them. What cannot (a file, a pipe, a terminal that says
    /// `TERM=dumb` or nothing of itself) draws nothing at all, so it gets plain lines.
    fn on(target: ProgressDrawTarget, colour: bool) -> Self {
        if target.is_hidden() {
            return Self::Lines {
                out: Box::new(io::stderr()),
                terminal: Term::stderr().is_term(),
            };
        }
        Self::Terminal {
            bars: MultiProgress::with_draw_target(target),
            lines: BTreeMap::new(),
            outage: None,
            flood: None,
            typing: None,
            colour,
        }
    }
}

/// Those who are only counted at the door have become other than they were.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Crowd {
    Grew,
    Shrank,
}

/// One participant's live line.
pub(crate) struct LiveLine {
    /// Stays the same for a participant as long as it is shown.
    pub(crate) key: u32,
    /// Who.
    pub(crate) name: Shown,
    /// It is not here at the moment.
    pub(crate) away: bool,
    /// How it stands.
    pub(crate) standing: Standing,
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
        } else {
            let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            Face::on(ProgressDrawTarget::stderr_with_hz(4), colour)
        };
        Self::of(face)
    }

    fn of(face: Face) -> Self {
        Self {
            face,
            lost: false,
            knocks: Knocks::default(),
        }
    }

    /// Tells of something that happened. That nobody listens any more is no reason to leave a
    /// meeting, so failures to write end here.
    ///
    /// Programs are told of each attempt to get the relay back. People are told once that it is
    /// lost and once that it is back; in between a live line counts, where there are live lines.
    ///
    /// Programs are told of each who knocks. People are told of a few, and how many more there are.
    pub(crate) fn event(&mut self, event: &Event) {
        let knocked = self.knocked(Instant::now(), event);
        let still_lost = match event {
            Event::Reconnecting { .. } => std::mem::replace(&mut self.lost, true),
            Event::Connected { .. } | Event::Reconnected { .. } | Event::Summary(_) => {
                self.lost = false;
                false
            }
            _ => false,
        };
        match &mut self.face {
            Face::Json(out) => {
                if let Ok(mut line) = serde_json::to_vec(event) {
                    line.push(b'\n');
                    let _ = out.write_all(&line).and_then(|()| out.flush());
                }
            }
            Face::Lines { .. } if still_lost => {}
            Face::Lines { out, .. } if knocked == Some(Crowd::Grew) => {
                let more = self.knocks.more();
                // Lines stay, so not one for each.
                if more.is_power_of_two() {
                    let _ = writeln!(out, "{}", are_knocking(more)).and_then(|()| out.flush());
                }
            }
            Face::Lines { .. } if knocked == Some(Crowd::Shrank) => {}
            Face::Lines { out, terminal } => {
                let columns = columns().filter(|_| *terminal);
                let _ = writeln!(out, "{}", shown(event, columns)).and_then(|()| out.flush());
            }
            Face::Terminal {
                bars,
                lines,
                outage,
                flood,
                typing,
                colour,
            } => {
                let more = self.knocks.more();
                if more > 0 {
                    let bar = flood.get_or_insert_with(|| live_line(bars, typing.as_ref()));
                    bar.set_message(format!("  {}", are_knocking(more)));
                } else if let Some(bar) = flood.take() {
                    bar.finish_and_clear();
                    bars.remove(&bar);
                }
                if knocked.is_some() {
                    return;
                }
                if still_lost {
                    let bar = outage.get_or_insert_with(|| live_line(bars, typing.as_ref()));
                    return bar.set_message(waiting(event));
                }
                if !self.lost
                    && let Some(bar) = outage.take()
                {
                    bar.finish_and_clear();
                    bars.remove(&bar);
                }
                if let Event::Summary(_) = event {
                    for (_, bar) in std::mem::take(lines) {
                        bar.finish_and_clear();
                    }
                }
                let text = match (*colour, shade(event)) {
                    (true, Some(shade)) => {
                        format!("\x1b[{shade}m{}\x1b[0m", shown(event, columns()))
                    }
                    _ => shown(event, columns()),
                };
                let _ = bars.println(text);
            }
        }
    }

    /// What an event changes of who waits at the door, if it is not told by itself.
    fn knocked(&mut self, now: Instant, event: &Event) -> Option<Crowd> {
        match event {
            Event::Knock { number, .. } => {
                let told = self.knocks.knocks(now, *number);
                (!told).then_some(Crowd::Grew)
            }
            Event::KnockGone { number, .. } => {
                let told = self.knocks.gone(*number);
                (!told).then_some(Crowd::Shrank)
            }
            Event::Chair { .. } | Event::Summary(_) => {
                self.knocks.clear();
                None
            }
            _ => None,
        }
    }

    /// Answers what a person typed: text for people, with or without lines in it, that holds
    /// nothing which a terminal obeys.
    pub fn answer(&mut self, text: &str) {
        match &mut self.face {
            Face::Json(out) => {
                let answer = serde_json::json!({ "event": "answer", "text": text });
                let _ = writeln!(out, "{answer}").and_then(|()| out.flush());
            }
            Face::Lines { out, .. } => {
                let _ = writeln!(out, "{text}").and_then(|()| out.flush());
            }
            Face::Terminal { bars, .. } => {
                let _ = bars.println(text);
            }
        }
    }

    /// The row, below all live lines, for what is being typed; shown nowhere without live lines.
    pub(super) fn typing_row(&mut self) -> ProgressBar {
        let Face::Terminal { bars, typing, .. } = &mut self.face else {
            return ProgressBar::hidden();
        };
        if let Some(old) = typing.take() {
            bars.remove(&old);
        }
        let row = live_line(bars, None);
        *typing = Some(row.clone());
        row
    }

    /// Whether live lines are shown at all.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.face, Face::Terminal { .. })
    }

    /// Redraws the live lines.
    pub(crate) fn live(&mut self, people: &[LiveLine]) {
        let Face::Terminal {
            bars,
            lines,
            typing,
            outage,
            flood,
            ..
        } = &mut self.face
        else {
            return;
        };
        // Asked each time: a window can be made narrower while the meeting goes on.
        let (rows, columns) = Term::stderr().size();
        let texts = people
            .iter()
            .map(|person| (person.key, live_text(person, usize::from(columns))));
        let mut texts: Vec<(u32, String)> = texts.collect();
        if typing.as_ref().is_some_and(|row| !row.is_finished()) {
            let others = 1 + usize::from(outage.is_some()) + usize::from(flood.is_some());
            texts.truncate(whole(&texts, usize::from(rows).saturating_sub(others)));
        }
        lines.retain(|key, bar| {
            let stays = texts.iter().any(|(shown, _)| shown == key);
            if !stays {
                bar.finish_and_clear();
                bars.remove(bar);
            }
            stays
        });
        for (key, text) in texts {
            let new = || live_line(bars, typing.as_ref());
            lines.entry(key).or_insert_with(new).set_message(text);
        }
    }
}

/// The sentence for an event, in rows. A link is one word, however long: it is copied from there.
fn shown(event: &Event, columns: Option<usize>) -> String {
    match event {
        Event::Link { .. } => sentence(event),
        _ => rows(&sentence(event), columns),
    }
}

/// How wide the terminal is at the moment, if it is one.
fn columns() -> Option<usize> {
    let (_, columns) = Term::stderr().size_checked()?;
    Some(usize::from(columns))
}

/// How many of these texts are shown whole in so many rows: what does not fit would push out what
/// is being typed.
fn whole(texts: &[(u32, String)], rows: usize) -> usize {
    let mut left = rows;
    let fit = texts.iter().take_while(|(_, text)| {
        let rest = left.checked_sub(text.lines().count());
        left = rest.unwrap_or(0);
        rest.is_some()
    });
    fit.count()
}

/// One more line that is drawn again and again, above another one or below all.
fn live_line(bars: &MultiProgress, above: Option<&ProgressBar>) -> ProgressBar {
    let bar = match above {
        Some(row) if !row.is_finished() => bars.insert_before(row, ProgressBar::no_length()),
        _ => bars.add(ProgressBar::no_length()),
    };
    if let Ok(style) = ProgressStyle::with_template("{msg}") {
        bar.set_style(style);
    }
    bar
}

#[cfg(test)]
impl Output {
    /// JSON to anywhere.
    pub(crate) fn json(out: impl Write + Send + 'static) -> Self {
        Self::of(Face::Json(Box::new(out)))
    }
}

#[cfg(test)]
mod tests;
