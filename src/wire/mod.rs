//! The vocabulary between a participant and a relay: everything a relay can be told.
//!
//! It may know: room handles, participant ids, track numbers, group numbers, opaque bytes.
//! It must never know: names, addresses, codecs, keys, anything about the bytes it frames.
//! No I/O: bytes in, messages out. Total: any bytes give `Ok` or a closed error.

mod control;
mod datagram;
mod group;
pub mod limits;
mod message;
#[cfg(test)]
mod tests;
mod varint;

pub use control::{ControlReader, encode_control, hello_version};
pub use datagram::{Bundle, BundleEntries, BundleEntry, split_uplink, uplink};
pub use group::{DownlinkGroup, GroupFrames, UplinkGroup, encode_group_frame};
pub use message::{
    CloseReason, ControlMessage, FromRelay, GroupNumber, ParticipantId, PassProof, Role,
    RoomHandle, To, ToRelay, TrackId,
};

/// The version of this vocabulary. It is the first field of `Hello`; a relay that does not
/// speak it answers `Closed(Version)`.
pub const VERSION: u16 = 2;

/// The ALPN protocol name of the vocabulary over raw QUIC (RFC 7301).
pub const ALPN: &[u8] = b"sottovoce/1";

/// What is wrong with bytes that a peer sent. Always the peer's fault; carries none of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The length prefix names no size class.
    #[error("a control message of no known size class")]
    SizeClass,
    /// The bytes inside do not decode to a message.
    #[error("a control message that does not decode")]
    Malformed,
    /// The padding is not all zeros, or bytes are left over.
    #[error("a control message with something in its padding")]
    Padding,
    /// A datagram or group header that ends too early.
    #[error("a datagram or header that ends too early")]
    Truncated,
    /// A message or a frame that is over its bound in [`limits`].
    #[error("a message over its size limit")]
    TooLarge,
}
