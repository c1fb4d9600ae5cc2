//! What participants tell each other about themselves and their media, inside the seal.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::limits::{CODEC_PRIVATE, NAME_BYTES, TRACKS};
use crate::wire::{GroupNumber, TrackId};

/// Who a participant says it is and what it sends. Travels sealed; the relay never sees it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// The name of its choice: text from a stranger; make it harmless before showing it.
    pub name: String,
    /// Its tracks.
    pub tracks: Vec<TrackDescription>,
    /// Nanoseconds for each tick of its media's timestamps, so that a recording can keep them.
    pub timestamp_scale_ns: u64,
    /// Random for each run of a participant, and kept over its reconnections: says that someone
    /// who appears is the one who left a moment ago, so that a recording goes on in one file.
    pub tag: [u8; 16],
}

impl Presence {
    /// Whether what a participant says of itself is within bounds.
    pub(super) fn is_acceptable(&self) -> bool {
        let mut numbers: Vec<TrackId> = self.tracks.iter().map(|track| track.track).collect();
        numbers.sort_unstable();
        self.name.len() <= NAME_BYTES
            && self.tracks.len() <= TRACKS
            && self
                .tracks
                .iter()
                .all(|track| track.codec_private.len() <= CODEC_PRIVATE)
            && numbers.windows(2).all(|pair| pair[0] != pair[1])
    }
}

/// One track, with what a decoder needs before the first frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackDescription {
    /// Its number at its sender.
    pub track: TrackId,
    /// Sound or picture.
    pub kind: TrackKind,
    /// The codec.
    pub codec: Codec,
    /// Matroska's `CodecPrivate`: OpusHead, av1C; empty when there is none.
    pub codec_private: Vec<u8>,
    /// Matroska's `CodecDelay`, in nanoseconds.
    pub codec_delay_ns: u64,
    /// Matroska's `SeekPreRoll`, in nanoseconds.
    pub seek_preroll_ns: u64,
    /// Matroska's `DefaultDuration`, in nanoseconds.
    pub default_duration_ns: Option<u64>,
    /// It is of a screen that is shown, and not of the participant itself.
    pub screen: bool,
}

/// Sound or picture, with its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TrackKind {
    /// Sound: goes in datagrams, a frame each.
    Audio {
        /// Samples per second.
        rate: u32,
        /// Channels.
        channels: u8,
    },
    /// Picture: goes in groups, a key frame and what depends on it.
    Video {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
}

/// The codecs that a meeting carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Codec {
    /// RFC 6716.
    Opus,
    /// RFC 6386.
    Vp8,
    /// VP9 bitstream specification 0.6.
    Vp9,
    /// AV1 bitstream specification 1.0.0.
    Av1,
}

/// One encoded frame, whole, as the encoder made it.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its track at its sender.
    pub track: TrackId,
    /// The group that it belongs to; an audio track has one group only, number 0.
    pub group: GroupNumber,
    /// Counts the frames of its track from 0, over all groups.
    pub number: u64,
    /// When it is to be presented, on its sender's media clock, in nanoseconds.
    pub timestamp_ns: u64,
    /// A decoder can begin here.
    pub keyframe: bool,
    /// Decoded but not shown (Matroska's invisible flag).
    pub invisible: bool,
    /// Matroska's `BlockDuration`, in nanoseconds, where the source gave one.
    pub duration_ns: Option<u64>,
    /// Matroska's `DiscardPadding`, in nanoseconds, where the source gave one.
    pub discard_padding_ns: Option<i64>,
    /// The encoder's bytes.
    pub payload: Bytes,
}
