//! A test tool: a file on the participant's own machine with a line for each frame that it sent
//! or received, so that a test can compare what went in at one end with what came out at others.
//!
//! Off unless asked for by a hidden option. Nothing of it goes over the wire, and nobody but the
//! one who asks for it writes anything. It does not say who or when: people are numbers, and time
//! is counted from the file's first moment.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use serde::Serialize;

use super::event::milliseconds;
use super::tally::frame_digest;
use crate::meeting::{Frame, Who};

/// One line. `sent` lines come from nobody.
#[derive(Serialize)]
struct Line {
    /// The number that `/who` shows in this process.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<u32>,
    track: u8,
    group: u32,
    number: u64,
    /// The first eight bytes of the SHA-256 over number, length and payload, in hex.
    digest: String,
    /// Milliseconds since the trace was begun.
    after_ms: u64,
}

/// Writes the lines.
pub(crate) struct Trace {
    file: BufWriter<File>,
    began: Instant,
}

impl Trace {
    /// Makes the file anew.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        Ok(Self {
            file: BufWriter::with_capacity(64 * 1024, File::create(path)?),
            began: Instant::now(),
        })
    }

    /// A frame was sealed and handed to the network.
    pub(crate) fn sent(&mut self, now: Instant, frame: &Frame) -> io::Result<()> {
        self.line(now, None, frame)
    }

    /// A frame came and was opened.
    pub(crate) fn received(&mut self, now: Instant, from: Who, frame: &Frame) -> io::Result<()> {
        self.line(now, Some(from.0), frame)
    }

    fn line(&mut self, now: Instant, from: Option<u32>, frame: &Frame) -> io::Result<()> {
        let digest = frame_digest(frame.number, &frame.payload);
        let line = Line {
            from,
            track: frame.track.0,
            group: frame.group.0,
            number: frame.number,
            digest: data_encoding::HEXLOWER.encode(&digest[..8]),
            after_ms: milliseconds(now.saturating_duration_since(self.began)),
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
    use std::time::Duration;

    use super::*;
    use crate::participant::samples;
    use crate::wire::TrackId;

    #[test]
    fn a_line_says_which_frame_and_neither_who_nor_when() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace");
        let frame = samples::frame(TrackId(1), 3, 60, &b"frame"[..]);
        let mut trace = Trace::create(&path).unwrap();
        let at = |milliseconds| trace.began + Duration::from_millis(milliseconds);
        let (first, second) = (at(20), at(45));
        trace.sent(first, &frame).unwrap();
        trace.received(second, Who(2), &frame).unwrap();
        trace.flush().unwrap();
        let digest = data_encoding::HEXLOWER.encode(&frame_digest(3, b"frame")[..8]);
        let group = frame.group.0;
        let rest = format!("\"track\":1,\"group\":{group},\"number\":3,\"digest\":\"{digest}\"");
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            format!("{{{rest},\"after_ms\":20}}\n{{\"from\":2,{rest},\"after_ms\":45}}\n")
        );
    }
}
