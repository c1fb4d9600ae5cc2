//! What comes out of the demuxer.

use bytes::Bytes;

use super::super::error::MediaWarning;
use super::super::tracks::Entry;

/// A frame as the container has it.
pub(in super::super) struct RawFrame {
    /// The track's number in the file.
    pub track: u64,
    /// Of its block; in nanoseconds.
    pub timestamp_ns: u64,
    /// The first (and mostly the only) frame of its block.
    pub first_of_block: bool,
    pub keyframe: bool,
    pub invisible: bool,
    /// In nanoseconds, this frame's share of its block's.
    pub duration_ns: Option<u64>,
    pub discard_padding_ns: Option<i64>,
    pub payload: Bytes,
}

/// What comes out.
pub(in super::super) enum Event {
    /// The head of the file is over: these are the tracks. Comes once, before any frame.
    Tracks {
        entries: Vec<Entry>,
        timestamp_scale_ns: u64,
    },
    Frame(RawFrame),
    /// A frame of this track (where that can be told) was not readable: what depends on it is lost.
    Lost {
        track: Option<u64>,
    },
    Warning(MediaWarning),
    /// Nothing more comes out, whatever goes in.
    End,
}
