//! What a person reads: a sentence for each event, the closing summary, the live lines.

use console::{measure_text_width, truncate_str};

use super::{LiveLine, LiveTrack};
use crate::meeting::{Freshness, NoWords, Standing};
use crate::participant::event::{
    Event, Kind, ParticipantSummary, RosterEntry, Shown, SignatureState, Summary, Wait, codec,
};
use crate::stay::GIVE_UP;

/// The colour of an event: green for who comes, yellow for what needs attention.
pub(super) fn shade(event: &Event) -> Option<&'static str> {
    match event {
        Event::Joined { .. } | Event::Reconnected { .. } => Some("32"),
        Event::Warning { .. }
        | Event::Reconnecting { .. }
        | Event::NoWords {
            reason: NoWords::Broken,
            ..
        } => Some("33"),
        Event::Left { .. } => Some("2"),
        _ => None,
    }
}

/// What a person reads.
pub(super) fn sentence(event: &Event) -> String {
    match event {
        Event::Waiting { r#for } => waits(*r#for).into(),
        Event::Vigil { speaks: true } => {
            "This is a vigil: anyone with the link can watch and record what you send.".into()
        }
        Event::Vigil { speaks: false } => {
            "You watch a vigil: you are on no list, and your name goes nowhere. Anyone with the link can \
             watch and record."
                .into()
        }
        Event::Title { title } => format!("The meeting: {title}"),
        Event::Knock {
            number,
            name,
            compared: false,
            taken,
        } => {
            let taken = match taken {
                true => " (another than the one inside who is called so)",
                false => "",
            };
            format!("{name} knocks{taken}: /admit {number}, /deny {number}, or first /compare {number}")
        }
        Event::Knock { number, name, .. } => {
            format!("{name} knocks, and has the same words: /admit {number} or /deny {number}")
        }
        Event::Compare {
            number,
            name,
            words,
            attempt,
        } => compare(*number, name.as_ref(), words, *attempt),
        Event::Compared { number, name } => {
            format!("{name} has the same words as you: /admit {number} lets them in.")
        }
        Event::NoWords { number, reason } => no_words(*number, *reason),
        Event::KnockGone { number, name } => {
            format!("{name}, number {number}, is not waiting any more.")
        }
        Event::Chat { name, text } => format!("{name}: {}", text.0),
        Event::Chair { held: true } => "You hold the chair: you let people in.".into(),
        Event::Chair { held: false } => "Somebody else holds the chair.".into(),
        Event::Reported { name, by } => {
            let by = match by {
                0 => "The host".into(),
                by => format!("Co-host {by}"),
            };
            format!(
                "{by} says that {name} was removed in another part of the meeting: {name} is removed here, too."
            )
        }
        Event::Locked { locked: true } => "The meeting is locked.".into(),
        Event::Locked { locked: false } => "The meeting is unlocked.".into(),
        Event::Link {
            meeting_link,
            vigil,
        } => {
            let old = match vigil {
                true => "Who has the old one can still watch and record, but knocks in vain.\n",
                false => "",
            };
            format!("The meeting has a new link to give away:\n\n  {meeting_link}\n{old}")
        }
        Event::ChairHeard { state } => chair(*state).into(),
        Event::AskedToBeQuiet => "The host, or a co-host in its place, asks everyone to be quiet: /mute.".into(),
        Event::Standing {
            name,
            standing,
            before,
        } => format!("{name} {}.", changed(*before, *standing)),
        Event::EndedForAll => {
            "The host, or a co-host in its place, has ended the meeting for everybody.".into()
        }
        Event::Roster { members } => roster(members),
        Event::Words { words } => format!(
            "The words of this meeting: {}\nWhoever reads you other words is in another meeting.",
            words.join(" ")
        ),
        Event::Signatures { name, state, .. } => signed(name, *state),
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
            removed: true,
            ..
        } => format!("{name} was removed."),
        Event::Left {
            name,
            taken_out: true,
            ..
        } => format!("{name} is out of reach and was taken out."),
        Event::Left {
            name,
            goodbye: true,
            ..
        } => format!("{name} left."),
        Event::Left { name, .. } => format!("{name} is gone (connection lost)."),
        Event::Recording { name, file } => format!("Recording {name} in {file}."),
        Event::Recorded { name, file, frames } => {
            format!("Recorded {name}: {file}, {}.", plural(*frames, "frame"))
        }
        Event::Played => "Played to the end.".into(),
        Event::Warning { text, .. } => text.clone(),
        Event::Reconnecting { reason, .. } => format!(
            "{reason}. Trying to reach it again for {} s at most...",
            GIVE_UP.as_secs()
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

fn waits(wait: Wait) -> &'static str {
    match wait {
        Wait::Host => {
            "Waiting: neither the host nor a co-host is here yet, or there is a new link by now. After \
             somebody was removed an old link is worth nothing, and may lead to whoever was: ask for the \
             new one."
        }
        Wait::Decision => "Waiting for the host, or a co-host in its place, to let you in.",
        Wait::Unlock => "The meeting is locked. Waiting.",
        Wait::Place => "Too many people are waiting; trying again.",
    }
}

fn compare(number: Option<u32>, name: Option<&Shown>, words: &[String; 2], attempt: u8) -> String {
    let words = words.join(" ");
    let again = match attempt {
        0 | 1 => String::new(),
        _ => format!(" (try {attempt} of 3)"),
    };
    match (number, name) {
        (Some(number), Some(name)) => format!(
            "Your words with {name}{again}: {words}\nHave them read to you by a voice or a face that \
             you know, outside this meeting. The same: /same {number}. Others: /different {number}."
        ),
        _ => format!(
            "Your words with whoever lets you in, the host or a co-host{again}: {words}\nRead them aloud \
             to that one, by a voice or a face that they know, outside this meeting. If that one has \
             others, leave."
        ),
    }
}

fn no_words(number: Option<u32>, reason: NoWords) -> String {
    let (whose, leave) = match number {
        Some(number) => (
            format!("with number {number}"),
            format!("/deny {number} sends them away"),
        ),
        None => (
            "with whoever lets people in".to_owned(),
            "Better leave".to_owned(),
        ),
    };
    match (reason, number) {
        (NoWords::NotYet, Some(number)) => format!(
            "There are no words {whose} yet: /compare {number} asks for some, which may take a moment."
        ),
        (NoWords::NotYet, None) => format!("There are no words {whose} yet."),
        (NoWords::NoAnswer, _) => {
            format!("No words {whose}: the other side does not answer.")
        }
        (NoWords::Disorder, _) => {
            format!("No words {whose}: the other side says what was not due. {leave}.")
        }
        (NoWords::Broken, _) => {
            format!("No words {whose}: somebody between you tried to choose them. {leave}.")
        }
        (NoWords::UsedUp, _) => {
            format!("No more words {whose}: three tries are all there are. {leave}.")
        }
        (NoWords::Elsewhere, _) => {
            format!(
                "The words {whose} count no more: they were for another knock. The connection was \
                 lost since, somebody was removed, or somebody else lets people in now."
            )
        }
    }
}

fn chair(state: Freshness) -> &'static str {
    match state {
        Freshness::Well => "The host, or a co-host in its place, is heard again.",
        Freshness::Stale => {
            "Neither the host nor a co-host has been heard for 15 s. Somebody who was removed may still be \
             here."
        }
        Freshness::Stopped => {
            "Neither the host nor a co-host has been heard for a minute. Nothing of yours is sent, and who \
             watches a vigil is shown nothing, until one is."
        }
    }
}

fn signed(name: &Shown, state: SignatureState) -> String {
    match state {
        SignatureState::Missing => format!("What comes of {name} is not signed; it is left out."),
        SignatureState::Forged => format!("Somebody speaks as {name}; it is left out."),
        SignatureState::Good => format!("What comes of {name} is signed."),
    }
}

/// What has changed of somebody, as the end of a sentence about it.
fn changed(before: Standing, now: Standing) -> String {
    let word = |before, now, begins, ends| match (before, now) {
        (false, true) => Some(begins),
        (true, false) => Some(ends),
        _ => None,
    };
    let words = [
        word(
            before.hand,
            now.hand,
            "raises a hand",
            "takes the hand down",
        ),
        word(before.muted, now.muted, "is muted", "is not muted any more"),
        word(
            before.playing,
            now.playing,
            "plays a file",
            "plays no file any more",
        ),
    ];
    let words: Vec<&str> = words.into_iter().flatten().collect();
    words.join(" and ")
}

/// What stands beside a name.
fn marks(standing: Standing) -> String {
    let marks = [
        (standing.hand, "  (hand up)"),
        (standing.muted, "  (muted)"),
        (standing.playing, "  (plays a file)"),
    ];
    let shown = marks.into_iter().filter(|(is, _)| *is);
    shown.map(|(_, mark)| mark).collect()
}

fn roster(members: &[RosterEntry]) -> String {
    let line = |member: &RosterEntry| {
        let number = member
            .number
            .map_or("  you".into(), |number| format!("{number:>5}"));
        let role = match member.rank {
            Some(0) => "  host",
            Some(_) => "  co-host",
            None => "",
        };
        let away = if member.here { "" } else { "  (not connected)" };
        let marks = marks(member.standing);
        format!("{number}  {}{role}{marks}{away}", member.name)
    };
    members.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The live line while the relay is still not back.
pub(super) fn waiting(event: &Event) -> String {
    match event {
        Event::Reconnecting { attempt, .. } => format!("  Still no relay; attempt {attempt}."),
        _ => String::new(),
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

/// Columns of a name that are shown on a line with figures at least, if it has so many.
const NAME_COLUMNS: usize = 12;

/// Columns of the quotes around a name.
const QUOTES: usize = 2;

/// Somebody's live line in a terminal of this width. Where it is too narrow the name is cut, and
/// where that is not enough the figures go below it: they change, and the name is known.
pub(super) fn live_text(person: &LiveLine, columns: usize) -> String {
    let name = &person.name.0;
    let quoted = |columns: usize| {
        let columns = columns.saturating_sub(QUOTES);
        Shown(truncate_str(name, columns, "…").into_owned())
    };
    let away = match person.away {
        true => "  (gone)".to_owned(),
        false => marks(person.standing),
    };
    let away = away.as_str();
    let track = |track: &LiveTrack| {
        format!(
            "{} {}, {} lost, {} kbit/s",
            kind(track.kind),
            grouped(track.frames),
            percent(track.lost, track.expected),
            grouped(track.bits_per_second / 1000),
        )
    };
    let tracks: Vec<String> = person.tracks.iter().map(track).collect();
    let figures: String = tracks.iter().map(|track| format!("  {track}")).collect();
    let left = |taken: &[&str]| {
        let taken: usize = taken.iter().map(|text| measure_text_width(text)).sum();
        columns.saturating_sub("  ".len() + taken)
    };
    let beside = left(&[away, &figures]);
    if beside >= measure_text_width(name).min(NAME_COLUMNS) + QUOTES {
        return format!("  {}{away}{figures}", quoted(beside));
    }
    let mut text = format!("  {}{away}", quoted(left(&[away])));
    for track in tracks {
        text.push_str("\n    ");
        text.push_str(&track);
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
pub(super) fn grouped(number: u64) -> String {
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
