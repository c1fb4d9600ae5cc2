//! Bounds of a vigil, each with what hangs on it.

use std::time::Duration;

use crate::wire::TrackId;
use crate::wire::limits::{BODY, TRACKS};

/// The track of papers: the last one there can be. No speaker's media is on it.
pub(in crate::meeting) const PAPERS: TrackId = TrackId(TRACKS - 1);

/// Longest paper, sealed, in bytes.
pub(super) const PAPER: usize = BODY;

/// Speakers that a card names. All of them with the longest of names fit the largest size of a paper;
/// further members of the group are not shown to viewers.
pub(in crate::meeting) const SPEAKERS: usize = 64;

/// How often a speaker publishes its papers anew, in a new group: who comes later is given the current
/// group from its beginning, so this bounds what that is. The chair does with each beat.
pub(in crate::meeting) const RENEW_EVERY: Duration = Duration::from_secs(5);

/// Signatures over one group of pictures that are published anew with the rest, so that who comes in the
/// midst of that group sees it from its beginning: 32 s of it.
pub(in crate::meeting) const ATTESTS_KEPT: usize = 64;

/// Participants in the stage room whose papers are asked for at a time. Whoever has the link can come in
/// as one; beyond this many, those who are no speakers give their places to those who wait.
pub(super) const PRESENT: usize = 1024;

/// How long somebody is looked at who may be no speaker, while others wait: a relay gives the newest
/// papers at once, and a card that names a newcomer may be as old as [`RENEW_EVERY`]. Twice that.
pub(super) const LOOK_FOR: Duration = Duration::from_secs(10);

/// How often places are given to those who wait, and to how many of them at a time. Each is two messages
/// to the relay, which takes 256 a second. The largest room that a relay can have waits for 87 s at most.
pub(super) const TURN_EACH: Duration = Duration::from_secs(1);
/// See [`TURN_EACH`].
pub(super) const TURNS: usize = 64;

/// Papers in a row that are nobody's before a participant's are not asked for any more.
pub(super) const STRIKES: u8 = 32;

/// Words of one participant, besides that it is here, that wait until it is known whose they are: that each
/// of its tracks has ended, and that it leaves.
pub(super) const BESIDES: usize = 8;

/// How long after it came in a viewer is told that nobody holds the chair.
pub(super) const NOBODY_AFTER: Duration = Duration::from_secs(3);
