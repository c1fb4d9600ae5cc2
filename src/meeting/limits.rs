//! Bounds on what others in a meeting, or a hostile relay, can make a participant hold.

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

/// The sizes that a control body's plaintext may have. Each fits one size class of the wire with
/// its envelope, so that what the relay sees of a body is one of five sizes.
pub(super) const BODY_CLASSES: [usize; 5] = [192, 960, 4032, 16320, BODY - 64];

/// Bytes of a chat message.
pub const CHAT_BYTES: usize = 4096;
