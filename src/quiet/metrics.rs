//! What a relay tells of itself in numbers, and how rough they are.
//!
//! An exact number never enters [`Metrics`]: [`Reading::set`] rounds before it keeps anything, and
//! what is shared between threads is what a scrape may show. Counts are rounded up to a multiple of
//! [`PEOPLE`], so that 0 means none and 8 means one to eight; bytes go in steps of [`BYTES`]. All of
//! them change together once in [`REFRESH`], at a moment that was drawn when the process began.
//!
//! What can still be inferred by whoever reads them: in each minute, whether anybody is here at all;
//! when a count passes a multiple of eight, that within that minute one more came than went; about
//! how many people and rooms there are, and how much they send together. Who may read them and also
//! connect as often as they like can hold a count just below a multiple of eight by connections of
//! their own, and so learn the minute in which one more comes. That is why they are off unless asked
//! for, and never leave the machine by themselves.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::time::Duration;

/// How often the numbers change. Shorter: a scrape dates what happened more closely.
pub const REFRESH: Duration = Duration::from_secs(60);

/// Counts of people and of what they do are multiples of it.
pub const PEOPLE: u64 = 8;

/// Packets are counted in so many, since a network's hiccup is a few of them.
pub const PACKETS: u64 = 1024;

/// Bytes are counted in so many: some minutes of one person's picture.
pub const BYTES: u64 = 64 * 1024 * 1024;

/// What is measured. Adding one means asking what a list of its values, one a minute, would tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Participants who send and receive.
    Members,
    /// Participants who only receive.
    Viewers,
    /// Rooms.
    Rooms,
    /// Connections, in a room or on their way into one.
    Connections,
    /// Handshakes under way.
    Handshakes,
    /// Addresses of peers that the airlock holds.
    Addresses,
    /// Bytes of pictures that are kept for whoever comes next.
    GroupMemory,
    /// Bytes received since the start.
    Received,
    /// Bytes sent since the start.
    Sent,
    /// Packets that were dropped since too many waited.
    Dropped,
    /// Turns that came too late to be of use.
    Late,
    /// Connections that ended since the relay or a room was full.
    ClosedFull,
    /// Connections that ended since they went past a bound.
    ClosedBounds,
    /// Connections that ended since they did not take what was sent to them.
    ClosedSlow,
    /// Connections that ended since they spoke another language.
    ClosedProtocol,
}

/// One line of the answer, and how rough its value is.
struct Row {
    measure: Measure,
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    step: u64,
    help: &'static str,
}

const fn row(measure: Measure, name: &'static str, step: u64, help: &'static str) -> Row {
    Row {
        measure,
        name,
        label: "",
        kind: "gauge",
        step,
        help,
    }
}

const fn total(measure: Measure, name: &'static str, step: u64, help: &'static str) -> Row {
    Row {
        kind: "counter",
        ..row(measure, name, step, help)
    }
}

const CLOSED: &str = "Connections that the relay ended, by what was wrong.";

const fn closed(measure: Measure, label: &'static str) -> Row {
    Row {
        label,
        ..total(measure, "sottovoce_closed_total", PEOPLE, CLOSED)
    }
}

const PARTICIPANTS: &str = "Participants in rooms.";

const fn participants(measure: Measure, label: &'static str) -> Row {
    Row {
        label,
        ..row(measure, "sottovoce_participants", PEOPLE, PARTICIPANTS)
    }
}

/// Every number that leaves. Those of one name stand together.
const ROWS: [Row; 15] = [
    participants(Measure::Members, "{role=\"member\"}"),
    participants(Measure::Viewers, "{role=\"viewer\"}"),
    row(
        Measure::Rooms,
        "sottovoce_rooms",
        PEOPLE,
        "Rooms with somebody in them.",
    ),
    row(
        Measure::Connections,
        "sottovoce_connections",
        PEOPLE,
        "Connections, in a room or on their way into one.",
    ),
    row(
        Measure::Handshakes,
        "sottovoce_handshakes",
        PEOPLE,
        "Connections that are being made.",
    ),
    row(
        Measure::Addresses,
        "sottovoce_addresses",
        PEOPLE,
        "Addresses of peers in memory: those who are connected, and newcomers for some seconds.",
    ),
    row(
        Measure::GroupMemory,
        "sottovoce_group_memory_bytes",
        BYTES,
        "Sealed pictures kept for whoever comes next; bounded by group_memory.",
    ),
    total(
        Measure::Received,
        "sottovoce_received_bytes_total",
        BYTES,
        "UDP payload received.",
    ),
    total(
        Measure::Sent,
        "sottovoce_sent_bytes_total",
        BYTES,
        "UDP payload sent.",
    ),
    total(
        Measure::Dropped,
        "sottovoce_dropped_packets_total",
        PACKETS,
        "Packets dropped since too many waited.",
    ),
    total(
        Measure::Late,
        "sottovoce_late_beats_total",
        PEOPLE,
        "Turns that came too late to be of use: the machine is too small.",
    ),
    closed(Measure::ClosedFull, "{reason=\"full\"}"),
    closed(Measure::ClosedBounds, "{reason=\"bounds\"}"),
    closed(Measure::ClosedSlow, "{reason=\"slow\"}"),
    closed(Measure::ClosedProtocol, "{reason=\"protocol\"}"),
];

const COUNT: usize = ROWS.len();

/// Numbers taken at one moment, rough already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading([u64; COUNT]);

impl Reading {
    /// Keeps a number's next multiple of its step, not the number.
    pub fn set(&mut self, measure: Measure, exact: u64) {
        let rows = self.0.iter_mut().zip(&ROWS);
        for (kept, row) in rows.filter(|(_, row)| row.measure == measure) {
            *kept = exact.div_ceil(row.step).saturating_mul(row.step);
        }
    }
}

/// What scrapes are answered from. One thread publishes, any may read, nobody waits for a lock.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Odd while values are being replaced.
    version: AtomicU64,
    values: [AtomicU64; COUNT],
}

impl Metrics {
    /// Replaces all values. For one thread alone.
    pub fn publish(&self, reading: &Reading) {
        // A sequence lock (Boehm 2012, "Can seqlocks get along with programming language memory
        // models?").
        let version = self.version.load(Ordering::Relaxed);
        self.version
            .store(version.wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::Release);
        for (kept, value) in self.values.iter().zip(reading.0) {
            kept.store(value, Ordering::Relaxed);
        }
        self.version
            .store(version.wrapping_add(2), Ordering::Release);
    }

    /// What was published last.
    fn latest(&self) -> Reading {
        loop {
            let before = self.version.load(Ordering::Acquire);
            let mut reading = Reading::default();
            for (value, kept) in reading.0.iter_mut().zip(&self.values) {
                *value = kept.load(Ordering::Relaxed);
            }
            fence(Ordering::Acquire);
            if before.is_multiple_of(2) && before == self.version.load(Ordering::Relaxed) {
                return reading;
            }
            std::hint::spin_loop();
        }
    }

    /// The media type of [`Self::text`].
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// What was published last, in the text format of Prometheus.
    pub fn text(&self) -> String {
        let reading = self.latest();
        let mut text = String::with_capacity(4096);
        let mut name = "";
        for (row, value) in ROWS.iter().zip(reading.0) {
            if name != row.name {
                name = row.name;
                let rough = match row.step {
                    BYTES => "in steps of 64 MiB",
                    PACKETS => "in steps of 1024",
                    _ => "rounded up to a multiple of 8",
                };
                // Writing to a string does not fail.
                let _ = writeln!(text, "# HELP {name} {} ({rough})", row.help);
                let _ = writeln!(text, "# TYPE {name} {}", row.kind);
            }
            let _ = writeln!(text, "{name}{} {value}", row.label);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_measure_is_one_line_and_each_name_one_block() {
        let mut names: Vec<_> = ROWS.iter().map(|row| row.name).collect();
        names.dedup();
        let blocks = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), blocks);
        for (place, row) in ROWS.iter().enumerate() {
            let mut reading = Reading::default();
            reading.set(row.measure, 1);
            let set = reading.0.iter().position(|&value| value != 0);
            assert_eq!(set, Some(place));
            assert_eq!(reading.0.iter().filter(|&&value| value != 0).count(), 1);
        }
    }

    #[test]
    fn nothing_exact_is_kept() {
        for exact in [0, 1, 7, 8, 9, 1000, BYTES - 1, BYTES, BYTES + 1] {
            for (place, row) in ROWS.iter().enumerate() {
                let mut reading = Reading::default();
                reading.set(row.measure, exact);
                let kept = reading.0[place];
                assert!(kept >= exact && kept - exact < row.step);
                assert!(kept.is_multiple_of(row.step) && kept.is_multiple_of(8));
            }
        }
    }

    #[test]
    fn a_reader_sees_one_reading_and_not_halves_of_two() {
        let metrics = Metrics::default();
        let all = |value| {
            let mut reading = Reading::default();
            ROWS.iter().for_each(|row| reading.set(row.measure, value));
            reading
        };
        let (one, two) = (all(1), all(BYTES + 1));
        metrics.publish(&one);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                (0..10_000).for_each(|_| {
                    metrics.publish(&two);
                    metrics.publish(&one);
                })
            });
            for _ in 0..10_000 {
                let seen = metrics.latest();
                assert!(seen == one || seen == two);
            }
        });
    }
}
