//! Tracks and frames for tests, as plain as can be; what a test is about it changes itself.

use bytes::Bytes;

use crate::meeting::{Codec, Frame, Presence, TrackDescription, TrackKind};
use crate::wire::{GroupNumber, TrackId};

/// One channel of Opus.
pub(crate) fn sound(track: TrackId) -> TrackDescription {
    TrackDescription {
        track,
        kind: TrackKind::Audio {
            rate: 48_000,
            channels: 1,
        },
        codec: Codec::Opus,
        codec_private: Vec::new(),
        codec_delay_ns: 0,
        seek_preroll_ns: 0,
        default_duration_ns: None,
        screen: false,
    }
}

/// A small picture in VP8.
pub(crate) fn picture(track: TrackId) -> TrackDescription {
    TrackDescription {
        kind: TrackKind::Video {
            width: 32,
            height: 16,
        },
        codec: Codec::Vp8,
        ..sound(track)
    }
}

/// Ada, with these tracks.
pub(crate) fn presence(tracks: Vec<TrackDescription>) -> Presence {
    Presence {
        name: "Ada".into(),
        tracks,
        timestamp_scale_ns: 1_000_000,
        tag: [0; 16],
    }
}

/// A frame of group 0 at which a decoder can begin.
pub(crate) fn frame(track: TrackId, number: u64, at_ms: u64, payload: impl Into<Bytes>) -> Frame {
    Frame {
        track,
        group: GroupNumber(0),
        number,
        timestamp_ns: at_ms * 1_000_000,
        keyframe: true,
        invisible: false,
        duration_ns: None,
        discard_padding_ns: None,
        payload: payload.into(),
    }
}
