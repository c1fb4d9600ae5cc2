//! A test tool: a file on the participant's own machine with a line for each frame that it sent
//! or received, so that a test can compare what went in at one end with what came out at others.
//!
//! Off unless asked for by a hidden option. Nothing of it goes over the wire, and nobody but the
//! one who asks for it writes anything.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::tally::frame_digest;
use crate::meeting::Frame;

/// One line. `sent` lines have no name.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    track: u8,
    group: u32,
    number: u64,
    /// The first eight bytes of the SHA-256 over number, length and payload, in hex.
    digest: String,
    /// When, in nanoseconds of the machine's clock: comparable between processes of one machine.
    at_ns: u64,
}

/// Writes the lines.
pub(crate) struct Trace {
    file: BufWriter<File>,
}

impl Trace {
    /// Makes the file anew.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        Ok(Self {
            file: BufWriter::with_capacity(64 * 1024, File::create(path)?),
        })
    }

    /// A frame was sealed at `at` and handed to the network.
    pub(crate) fn sent(&mut self, at: SystemTime, frame: &Frame) -> io::Result<()> {
        self.line(at, None, frame)
    }

    /// A frame came and was opened.
    pub(crate) fn received(&mut self, from: &str, frame: &Frame) -> io::Result<()> {
        self.line(SystemTime::now(), Some(from), frame)
    }

    fn line(&mut self, at: SystemTime, from: Option<&str>, frame: &Frame) -> io::Result<()> {
        let at = at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let digest = frame_digest(frame.number, &frame.payload);
        let line = Line {
            from,
            track: frame.track.0,
            group: frame.group.0,
            number: frame.number,
            digest: data_encoding::HEXLOWER.encode(&digest[..8]),
            at_ns: u64::try_from(at.as_nanos()).unwrap_or(u64::MAX),
        };
        serde_json::to_writer(&mut self.file, &line)?;
        self.file.write_all(b"\n")
    }

    /// Writes out what is buffered.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::wire::{GroupNumber, TrackId};

    #[test]
    fn both_ends_of_a_frame_have_the_same_digest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace");
        let frame = Frame {
            track: TrackId(1),
            group: GroupNumber(2),
            number: 3,
            timestamp_ns: 60_000_000,
            keyframe: true,
            invisible: false,
            duration_ns: None,
            discard_padding_ns: None,
            payload: Bytes::from_static(b"frame"),
        };
        let mut trace = Trace::create(&path).unwrap();
        trace.sent(SystemTime::now(), &frame).unwrap();
        trace.received("A \"quoted\" name", &frame).unwrap();
        trace.flush().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].get("from").is_none());
        assert_eq!(lines[1]["from"], "A \"quoted\" name");
        for field in ["track", "group", "number", "digest"] {
            assert_eq!(lines[0][field], lines[1][field]);
        }
        assert_eq!(lines[0]["digest"].as_str().unwrap().len(), 16);
        assert!(lines[0]["at_ns"].as_u64() <= lines[1]["at_ns"].as_u64());
    }
}
