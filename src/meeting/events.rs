//! What a meeting is told, and what it says: [`Input`] in, [`Output`] out.

use bytes::Bytes;

use super::track::{Frame, Presence};
use crate::wire::{FromRelay, GroupNumber, ParticipantId, ToRelay, TrackId};

/// What happened.
pub enum Input {
    /// A control message of the relay. `Left` takes a participant's keys with it: hold it back while
    /// frames of that participant are still on their way.
    Relay(FromRelay),
    /// A datagram, taken out of its bundle.
    Datagram {
        /// Whose, by the relay's word.
        from: ParticipantId,
        /// On which track.
        track: TrackId,
        /// Sealed.
        payload: Bytes,
    },
    /// A frame out of a group.
    GroupFrame {
        /// Whose, by the relay's word.
        from: ParticipantId,
        /// On which track.
        track: TrackId,
        /// In which group.
        group: GroupNumber,
        /// Sealed.
        bytes: Bytes,
    },
    /// A frame to send.
    Send(Frame),
    /// A track of one's own has come to its end after so many frames.
    Ended {
        /// Which.
        track: TrackId,
        /// Frames, counted from number 0.
        frames: u64,
    },
}

/// What follows.
pub enum Output {
    /// For the relay, on the control stream.
    Control(ToRelay),
    /// To send as a datagram.
    Datagram {
        /// On which track.
        track: TrackId,
        /// Sealed; at most [`AUDIO_PAYLOAD`](crate::wire::limits::AUDIO_PAYLOAD) bytes.
        payload: Bytes,
    },
    /// To send inside a group.
    GroupFrame {
        /// On which track.
        track: TrackId,
        /// In which group.
        group: GroupNumber,
        /// Sealed.
        bytes: Bytes,
    },
    /// Somebody says who it is, for the first time or anew. The text in it is a stranger's.
    Appeared {
        /// Who.
        participant: ParticipantId,
        /// What it says of itself.
        presence: Presence,
    },
    /// Somebody who had appeared is gone.
    Departed {
        /// Who.
        participant: ParticipantId,
    },
    /// A frame came.
    Frame {
        /// Whose.
        participant: ParticipantId,
        /// The frame.
        frame: Frame,
    },
    /// Somebody's track has come to its end.
    Ended {
        /// Whose.
        participant: ParticipantId,
        /// Which.
        track: TrackId,
        /// Frames that were sent on it in all, counted from number 0.
        frames: u64,
    },
    /// Somebody leaves on purpose.
    Goodbye {
        /// Who.
        participant: ParticipantId,
    },
    /// Something that came, or was to be sent, was refused.
    Rejected(Rejection),
}

/// Why something was refused. A refusal is counted and costs nobody anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Rejection {
    /// It does not open: another key, another sender, another place, or changed on its way.
    NotAuthentic = 0,
    /// It came before.
    Replay = 1,
    /// It is too far behind to tell whether it came before.
    TooOld = 2,
    /// Nobody who has said who it is sent this, or it has no such track.
    UnknownSender = 3,
    /// It opens, but is not what it should be.
    Malformed = 4,
    /// It is larger than it may be.
    TooLarge = 5,
    /// It was meant for somebody else.
    Misdirected = 6,
    /// More people than are kept track of.
    TooMany = 7,
}

impl Rejection {
    /// How many kinds there are.
    pub const KINDS: usize = 8;
}
