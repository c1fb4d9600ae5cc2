//! What recordings and live output have in common: the head of the file, clusters and blocks.

use super::block::OutgoingBlock;
use super::ebml::{self, UNKNOWN_SIZE, id};
use super::tracks;
use crate::meeting::{Frame, Presence, TrackDescription, TrackKind};
use crate::wire::TrackId;

/// Tracks that one file takes; a participant has two.
const TRACKS: usize = 16;

/// Longest cluster, in nanoseconds: what a player may have to read to seek, and what is without
/// its size when a recording is killed.
const CLUSTER_NS: u64 = 5_000_000_000;

/// Bytes of the EBML header and the segment's own header come from here; so says every writer.
const APP: &[u8] = b"sottovoce";

/// The tracks of a file, and its clock.
#[derive(Clone)]
pub(super) struct Layout {
    pub tracks: Vec<TrackDescription>,
    /// Nanoseconds of a tick.
    pub scale_ns: u64,
}

impl Layout {
    /// Takes a stranger's description: of each track number the first, and a clock that makes
    /// sense, else Matroska's usual millisecond.
    pub fn new(presence: &Presence) -> Self {
        let mut tracks: Vec<TrackDescription> = Vec::new();
        for track in presence.tracks.iter().take(TRACKS) {
            if !tracks.iter().any(|known| known.track == track.track) {
                tracks.push(track.clone());
            }
        }
        let scale = presence.timestamp_scale_ns;
        // Finer than a microsecond, a block's 16 bits reach nowhere; coarser than 10 ms, frames
        // of sound share timestamps.
        let scale_ns = if (1_000..=10_000_000).contains(&scale) {
            scale
        } else {
            1_000_000
        };
        Self { tracks, scale_ns }
    }

    /// The number that a track has in the file, and what it is.
    pub fn track(&self, track: TrackId) -> Option<(u8, &TrackDescription)> {
        (1u8..)
            .zip(&self.tracks)
            .find(|(_, description)| description.track == track)
    }

    pub fn has_video(&self) -> bool {
        self.tracks
            .iter()
            .any(|track| matches!(track.kind, TrackKind::Video { .. }))
    }

    /// Nanoseconds to ticks, to the nearest.
    pub fn ticks(&self, ns: u64) -> u64 {
        ns / self.scale_ns + u64::from(ns % self.scale_ns * 2 >= self.scale_ns)
    }

    /// Appends the EBML header and the beginning of a segment of unknown size. Returns where the
    /// segment's body begins.
    pub fn put_beginning(&self, out: &mut Vec<u8>) -> u64 {
        ebml::put_master(out, id::EBML, |out| {
            for (id, value) in [
                (id::EBML_VERSION, 1),
                (id::EBML_READ_VERSION, 1),
                (id::EBML_MAX_ID_LENGTH, 4),
                (id::EBML_MAX_SIZE_LENGTH, 8),
            ] {
                ebml::put_uint(out, id, value);
            }
            ebml::put_bytes(out, id::DOC_TYPE, b"webm");
            ebml::put_uint(out, id::DOC_TYPE_VERSION, 4);
            ebml::put_uint(out, id::DOC_TYPE_READ_VERSION, 2);
        });
        ebml::put_id(out, id::SEGMENT);
        out.extend_from_slice(&UNKNOWN_SIZE);
        out.len() as u64
    }

    /// Appends Info, with what `more` adds to it. No date: a recording does not say when.
    pub fn put_info(&self, out: &mut Vec<u8>, more: impl FnOnce(&mut Vec<u8>)) {
        ebml::put_master(out, id::INFO, |out| {
            ebml::put_uint(out, id::TIMESTAMP_SCALE, self.scale_ns);
            ebml::put_bytes(out, id::MUXING_APP, APP);
            ebml::put_bytes(out, id::WRITING_APP, APP);
            more(out);
        });
    }

    /// Appends Tracks.
    pub fn put_tracks(&self, out: &mut Vec<u8>) {
        ebml::put_master(out, id::TRACKS, |out| {
            for (number, track) in (1u8..).zip(&self.tracks) {
                tracks::put(out, number, track);
            }
        });
    }
}

/// Cuts frames into clusters.
#[derive(Default)]
pub(super) struct Clusters {
    open: Option<u64>,
    last: Vec<(u8, u64)>,
}

impl Clusters {
    /// Whether the frame at these ticks must have a cluster of its own: the first one, key frames
    /// of pictures, when the open one is long enough, and when 16 bits do not reach.
    pub fn begins(&self, layout: &Layout, frame: &Frame, ticks: u64) -> bool {
        let picture = layout
            .track(frame.track)
            .is_some_and(|(_, description)| matches!(description.kind, TrackKind::Video { .. }));
        self.open.is_none_or(|open| {
            let long = ticks.saturating_sub(open).saturating_mul(layout.scale_ns) >= CLUSTER_NS;
            (picture && frame.keyframe) || long || relative(open, ticks).is_none()
        })
    }

    /// Appends the block of `frame` at `ticks`, and before it the head of a cluster of unknown
    /// size where one [`Self::begins`]. Returns whether a player can begin here.
    pub fn put(&mut self, out: &mut Vec<u8>, layout: &Layout, frame: &Frame, ticks: u64) -> bool {
        let begins_cluster = self.begins(layout, frame, ticks);
        if begins_cluster {
            ebml::put_id(out, id::CLUSTER);
            out.extend_from_slice(&UNKNOWN_SIZE);
            ebml::put_uint(out, id::TIMESTAMP, ticks);
            self.open = Some(ticks);
        }
        let track = layout.track(frame.track).map_or(1, |(number, _)| number);
        let picture = layout
            .track(frame.track)
            .is_some_and(|(_, track)| matches!(track.kind, TrackKind::Video { .. }));
        let block = OutgoingBlock {
            track,
            relative: self
                .open
                .and_then(|open| relative(open, ticks))
                .unwrap_or(0),
            keyframe: frame.keyframe,
            invisible: frame.invisible,
            duration: frame.duration_ns.map(|duration| layout.ticks(duration)),
            discard_padding_ns: frame.discard_padding_ns,
            reference: self.reference(track, ticks),
            payload: &frame.payload,
        };
        block.put(out);
        if layout.has_video() {
            picture && frame.keyframe
        } else {
            begins_cluster
        }
    }

    /// Ticks back to the track's frame before; never 0, which would be the frame itself.
    fn reference(&mut self, track: u8, ticks: u64) -> i64 {
        let before = match self.last.iter_mut().find(|last| last.0 == track) {
            Some((_, last)) => std::mem::replace(last, ticks),
            None => {
                self.last.push((track, ticks));
                ticks
            }
        };
        match before.wrapping_sub(ticks) as i64 {
            0 => -1,
            distance => distance,
        }
    }
}

/// A block's timestamp within its cluster, where 16 bits reach.
fn relative(cluster: u64, ticks: u64) -> Option<i16> {
    i16::try_from(i128::from(ticks) - i128::from(cluster)).ok()
}
