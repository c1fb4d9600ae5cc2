//! From an epoch's base secret to the key of one track of one sender.

use zeroize::Zeroizing;

use crate::meeting::secret::derive;
use crate::wire::TrackId;

/// What a [`Sealer`](super::Sealer) and an [`Opener`](super::Opener) are made of.
pub(super) struct TrackKey {
    /// SFrame's base key.
    pub(super) base: Zeroizing<[u8; 32]>,
    /// SFrame's key id: three bytes that say nothing about the sender.
    pub(super) id: u64,
    /// The sender's media salt.
    pub(super) salt: [u8; 16],
}

/// What the keys of all tracks of one sender in one epoch derive from.
pub(super) struct SenderSecret {
    secret: Zeroizing<[u8; 32]>,
    salt: [u8; 16],
}

impl SenderSecret {
    /// `base` comes from the epoch's exporter. The epoch's number goes in once more, so that two
    /// epochs never share a key, whatever the exporter gave.
    pub(super) fn new(base: &[u8; 32], epoch: u64, leaf: u32, salt: [u8; 16]) -> Self {
        let context: [&[u8]; 3] = [&epoch.to_be_bytes(), &leaf.to_be_bytes(), &salt];
        Self {
            secret: derive(base, "media sender", &context),
            salt,
        }
    }

    pub(super) fn track(&self, track: TrackId) -> TrackKey {
        let [a, b, c] = *derive(&self.secret[..], "media track id", &[&[track.0]]);
        TrackKey {
            base: derive(&self.secret[..], "media track", &[&[track.0]]),
            id: u64::from(u32::from_be_bytes([0, a, b, c])),
            salt: self.salt,
        }
    }
}
