//! How long a frame lasts.

use super::opus;
use crate::meeting::{Codec, TrackDescription};
use crate::wire::TrackId;

/// What is known for certain, in nanoseconds: the container's word for the frame or for all frames
/// of its track, else the codec's.
pub(super) fn stated_ns(
    track: &TrackDescription,
    duration_ns: Option<u64>,
    payload: &[u8],
) -> Option<u64> {
    let opus = || {
        (track.codec == Codec::Opus)
            .then(|| opus::lasts_ns(payload))
            .flatten()
    };
    duration_ns.or(track.default_duration_ns).or_else(opus)
}

/// Guesses what is not stated: as long as the time since the track's frame before.
#[derive(Clone, Default)]
pub(super) struct Gaps {
    last_ns: Vec<(TrackId, u64)>,
}

impl Gaps {
    /// The guess for the frame at `now_ns`.
    pub fn guess_ns(&mut self, track: TrackId, now_ns: u64) -> u64 {
        match self.last_ns.iter_mut().find(|last| last.0 == track) {
            Some((_, last)) => now_ns.saturating_sub(std::mem::replace(last, now_ns)),
            None => {
                self.last_ns.push((track, now_ns));
                0
            }
        }
    }
}
