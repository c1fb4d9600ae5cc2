//! What travels inside the envelope, between participants.

use serde::{Deserialize, Serialize};

use super::limits::{CODEC_PRIVATE, NAME_BYTES, TRACKS};
use super::track::Presence;
use crate::wire::TrackId;

/// New ones go to the end: postcard numbers them.
#[derive(Serialize, Deserialize)]
pub(super) enum Body {
    /// Who the sender is, and the salt of its media keys. Sent to everyone on coming in, and to
    /// each newcomer.
    Presence {
        presence: Presence,
        media_salt: [u8; 16],
    },
    /// A track has come to its end after so many frames, counted from number 0.
    Ended { track: TrackId, frames: u64 },
    /// The sender leaves on purpose.
    Goodbye,
}

/// Whether what a participant says of itself is within bounds.
pub(super) fn is_acceptable(presence: &Presence) -> bool {
    let mut numbers: Vec<TrackId> = presence.tracks.iter().map(|track| track.track).collect();
    numbers.sort_unstable();
    presence.name.len() <= NAME_BYTES
        && presence.tracks.len() <= TRACKS
        && presence
            .tracks
            .iter()
            .all(|track| track.codec_private.len() <= CODEC_PRIVATE)
        && numbers.windows(2).all(|pair| pair[0] != pair[1])
}
