//! Bounds on what others in a meeting, or a hostile relay, can make a participant hold.

use std::time::Duration;

use crate::wire::limits::BODY;

/// Participants of one room that are kept track of; more than a room has members.
pub(super) const PEOPLE: usize = 4096;

/// Tracks of one participant: sound, picture, screen, in a few sizes.
pub(super) const TRACKS: usize = 16;

/// Bytes of a codec's setup (OpusHead is 19, av1C about 20).
pub(super) const CODEC_PRIVATE: usize = 1024;

/// Bytes of a name inside the seal.
pub const NAME_BYTES: usize = 300;

/// Letters of a name on a screen.
pub const NAME_LETTERS: usize = 64;

/// How far a frame may be behind the newest of its track and still be taken. Groups overlap while
/// one ends and the next begins; a minute of pictures is more than any network holds back.
pub(super) const REPLAY_WINDOW: u64 = 4096;

/// Bytes of a frame that go into one datagram; the rest of 1,024 is for SFrame's header and tag,
/// the frame's own header, and the relay's.
pub(super) const PIECE: usize = 900;

/// Pieces of one audio frame: 60 ms of Opus at 510 kbit/s is five.
pub(super) const PIECES: usize = 16;

/// Frames of a track that wait for their last piece.
pub(super) const INCOMPLETE: usize = 4;

/// Bytes of groups that are begun again for newcomers, of all tracks together: a second of a line of
/// 4 Mbit/s, and no more than 3 s of one of 1.4 Mbit/s, after which a sender gives a group up. A camera of
/// 1 Mbit/s has so much in 4 s.
pub(super) const AGAIN_BYTES: usize = 512 * 1024;

/// How old such a group may be: newcomers are shown what was sent so long before they came, and no more.
pub(super) const AGAIN_AGE: Duration = Duration::from_secs(5);

/// And how long after it none is: whoever comes meanwhile waits for the next key frame, so that many who
/// come one by one do not multiply what is sent.
pub(super) const AGAIN_AFTER: Duration = Duration::from_secs(10);

/// The sizes that a control body's plaintext may have. Each fits one size class of the wire with
/// its envelope, so that what the relay sees of a body is one of five sizes.
pub(super) const BODY_CLASSES: [usize; 5] = [192, 960, 4032, 16320, BODY - 64];

/// How often a participant says that it stands otherwise: often enough for a hand, and too seldom for a
/// pattern of hands to say much to the relay. Everyone sends something on, so that it bounds that, too.
pub(super) const STANDS_EACH: Duration = Duration::from_secs(2);

/// How often that is taken from somebody else, who need not keep to [`STANDS_EACH`]. Half of it, so that
/// what a network brought together is not held back.
pub(super) const STANDING_EACH: Duration = Duration::from_secs(1);

/// Bytes of a chat message.
pub const CHAT_BYTES: usize = 4096;
