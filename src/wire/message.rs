//! The messages themselves. Adding one: see CONTRIBUTING.md, "How to add a wire message".

use serde::{Deserialize, Serialize};

use super::limits::{BODY, PRESENT};

/// Names a room at one relay: HKDF of the link secret and the relay's address, so it looks
/// random, and differs from relay to relay. The relay cannot tell what it stands for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RoomHandle(pub [u8; 32]);

/// One connection in a room: a random number that the relay draws at `Hello`. Nothing derives
/// from it, and a participant who comes back has another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ParticipantId(pub u32);

/// One of a participant's tracks: a number of the sender's choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TrackId(pub u8);

/// Counts the groups of a track upwards; gaps are allowed, going back is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GroupNumber(pub u32);

/// What someone comes into a room as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// Sends and receives; everyone in the room is told of it.
    Member,
    /// Receives only and is announced to nobody.
    Viewer,
}

/// Shows that its sender holds a key of the relay's pass, for this room, and says nothing of who it
/// is: drawn anew for each connection, so that no two are alike. A relay that serves everyone does
/// not look at it.
///
/// With it `Hello` still fits the smallest size class, so that its length is the same without.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassProof {
    /// Random.
    pub nonce: [u8; 8],
    /// The first bytes of an HMAC-SHA256 over nonce and room.
    pub tag: [u8; 16],
}

/// Whom a control body is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum To {
    /// All others in the room.
    Everyone,
    /// One participant; dropped when it is not (any more) in the room.
    One(ParticipantId),
}

/// From a participant to its relay.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToRelay {
    /// The first message, once.
    Hello {
        /// [`crate::wire::VERSION`]. Stays the first field in every version.
        version: u16,
        /// The room to enter; it comes to be when its first participant enters.
        room: RoomHandle,
        /// What to enter it as.
        role: Role,
        /// For a relay that serves only those who have its pass.
        pass: Option<PassProof>,
    },
    /// Passes sealed bytes on, reliably and in order.
    Send {
        /// Whom to.
        to: To,
        /// Sealed; at most [`crate::wire::limits::BODY`] bytes.
        #[serde(with = "whole")]
        body: Vec<u8>,
    },
    /// Asks for a track; allowed before the track exists.
    Subscribe {
        /// Whose.
        participant: ParticipantId,
        /// Which.
        track: TrackId,
    },
    /// Takes a subscription back.
    Unsubscribe {
        /// Whose.
        participant: ParticipantId,
        /// Which.
        track: TrackId,
    },
}

/// From a relay to a participant.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromRelay {
    /// The answer to `Hello`.
    Welcome {
        /// The receiver's own id.
        you: ParticipantId,
        /// The members who are in the room already; at most
        /// [`crate::wire::limits::PRESENT`] of them.
        present: Vec<ParticipantId>,
    },
    /// A member came.
    Joined {
        /// Who.
        participant: ParticipantId,
    },
    /// A member went.
    Left {
        /// Who.
        participant: ParticipantId,
    },
    /// What another participant sent by `Send`.
    Message {
        /// Who sent it, by the relay's word.
        from: ParticipantId,
        /// Sealed; at most [`crate::wire::limits::BODY`] bytes.
        #[serde(with = "whole")]
        body: Vec<u8>,
    },
    /// The last message of a connection.
    Closed {
        /// Why.
        reason: CloseReason,
    },
}

/// What may stand on a control stream: these two and nothing else.
pub trait ControlMessage: Serialize + for<'a> Deserialize<'a> + sealed::Sealed {
    /// Whether everything in it is within [`crate::wire::limits`]. Neither side encodes or accepts
    /// one that is not, so that whatever a relay took in `Send` it can pass on in `Message`.
    fn within_limits(&self) -> bool;
}

impl ControlMessage for ToRelay {
    fn within_limits(&self) -> bool {
        match self {
            Self::Send { body, .. } => body.len() <= BODY,
            Self::Hello { .. } | Self::Subscribe { .. } | Self::Unsubscribe { .. } => true,
        }
    }
}

impl ControlMessage for FromRelay {
    fn within_limits(&self) -> bool {
        match self {
            Self::Welcome { present, .. } => present.len() <= PRESENT,
            Self::Message { body, .. } => body.len() <= BODY,
            Self::Joined { .. } | Self::Left { .. } | Self::Closed { .. } => true,
        }
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::ToRelay {}
    impl Sealed for super::FromRelay {}
}

/// A body as one piece. On the wire it is the same as a sequence of bytes, which serde would take
/// apart and put together one by one.
mod whole {
    use std::fmt;

    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(body: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(body)
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<Vec<u8>, D::Error> {
        struct Whole;
        impl Visitor<'_> for Whole {
            type Value = Vec<u8>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("bytes")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
        }
        from.deserialize_bytes(Whole)
    }
}

/// Why a relay ends a connection: closed, so that nobody is shown text that a peer chose.
/// The number is also the QUIC application error code (RFC 9000, section 20.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum CloseReason {
    /// The participant said goodbye.
    Done = 0,
    /// The relay is going down or restarting: come back in a moment.
    Restarting = 1,
    /// The relay does not speak the version in `Hello`.
    Version = 2,
    /// A message, datagram or group header that does not decode.
    Malformed = 3,
    /// A message that is well formed but not allowed now (before or after `Hello`, by a viewer).
    Unexpected = 4,
    /// A control message, datagram or group over its size limit.
    TooLarge = 5,
    /// More messages, tracks, streams or subscriptions than one participant may have.
    TooMany = 6,
    /// The room has as many participants as it may have.
    RoomFull = 7,
    /// The relay has as many rooms or participants as it may have, or as many from one address.
    RelayFull = 8,
    /// The participant does not take what is sent to it.
    TooSlow = 9,
    /// No `Hello` came in time.
    NoHello = 10,
    /// Something is wrong at the relay itself.
    Internal = 11,
    /// `Hello` holds no proof of a pass that is good at this relay.
    Pass = 12,
}

impl CloseReason {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 13] = [
        Self::Done,
        Self::Restarting,
        Self::Version,
        Self::Malformed,
        Self::Unexpected,
        Self::TooLarge,
        Self::TooMany,
        Self::RoomFull,
        Self::RelayFull,
        Self::TooSlow,
        Self::NoHello,
        Self::Internal,
        Self::Pass,
    ];

    /// The QUIC application error code.
    pub fn code(self) -> u32 {
        self as u32
    }

    /// The reason behind a QUIC application error code; `None` for a code of another version.
    pub fn from_code(code: u64) -> Option<Self> {
        Self::ALL.get(usize::try_from(code).ok()?).copied()
    }
}
