//! Bounds and times of media keys, each with what hangs on it.

use std::time::Duration;

/// How long receivers keep the keys of the epoch before. A sender switches when it processes the
/// commit, and its last frames are under way still. Longer: who was removed could forge longer.
pub const OLD_KEYS: Duration = Duration::from_secs(2);

/// How long a frame of an unknown key is held back for its epoch to come. Longer is of no use: the
/// sound would be late.
pub const HELD_FOR: Duration = Duration::from_secs(2);

/// Frames of one person that are held back: more than a second of sound. Anyone who can reach us
/// through the relay can fill this, so it is small.
pub const HELD_FRAMES: usize = 64;

/// Bytes of one person that are held back: a key frame and what follows it for a moment.
pub const HELD_BYTES: usize = 256 * 1024;

/// How often a sender signs for what it sent on a track.
pub const ATTEST_EVERY: Duration = Duration::from_millis(500);

/// How long after a frame its signature may come: three times as long as signing takes, less what a
/// slow network takes off. Until then it is trusted, since nobody waits for sound that long.
pub const SIGNED_WITHIN: Duration = Duration::from_millis(1500);

/// Hashes in one attestation: 500 ms of sound frames of 16 pieces each are 400. 8 KiB.
pub(super) const HASHES: usize = 512;

/// Frames of a track whose signature is still to come: 1.5 s of sound in 16 pieces are 1,200.
pub(super) const PENDING: usize = 2048;

/// Signed hashes of a track that are remembered for frames that come after their signature; no frame
/// further behind than this is taken anyway.
pub(super) const SIGNED: usize = 4096;

/// Frames of one sender that wait at a gate for their signature: 1.5 s of sound in 16 pieces, and of a
/// picture beside it.
pub(super) const GATE_FRAMES: usize = 2048;

/// Bytes of one sender that wait there: two frames of the largest size, or the largest group that a relay
/// takes. As much again may wait for its key once it is signed, so that a viewer holds 16 MiB of a speaker
/// at most.
pub(super) const GATE_BYTES: usize = 8 * 1024 * 1024;
const _: () = assert!(GATE_BYTES >= 2 * crate::wire::limits::GROUP_FRAME);

/// How long nothing unsigned may have come before a gate says that all is signed again: who forges must
/// not fill the screen with it.
pub(super) const SIGNED_AGAIN: Duration = Duration::from_secs(5);

/// Reports that wait to be asked for.
pub(super) const REPORTS: usize = 64;
