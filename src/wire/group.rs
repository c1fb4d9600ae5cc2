//! Groups: a key frame and all that depends on it, on one unidirectional stream.
//!
//! A header, then frames: each its length in four bytes (big-endian) and its sealed bytes. The
//! relay reads the header alone and forwards the rest as it comes.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::limits::GROUP_FRAME;
use super::{GroupNumber, ParticipantId, TrackId, WireError};

/// What every unidirectional stream of this version begins with.
const KIND: u8 = 1;

/// Begins a group on its way to the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UplinkGroup {
    /// The sender's track.
    pub track: TrackId,
    /// Which group of it.
    pub group: GroupNumber,
}

impl UplinkGroup {
    /// Bytes of the header.
    pub const LEN: usize = 1 + 1 + 4;

    /// The header's bytes.
    pub fn encode(&self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(Self::LEN);
        bytes.put_u8(KIND);
        bytes.put_u8(self.track.0);
        bytes.put_u32(self.group.0);
        bytes.freeze()
    }

    /// Reads the header at the start of `bytes`.
    ///
    /// # Errors
    /// [`WireError::Truncated`] or [`WireError::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let header = bytes
            .first_chunk::<{ Self::LEN }>()
            .ok_or(WireError::Truncated)?;
        let [KIND, track, a, b, c, d] = *header else {
            return Err(WireError::Malformed);
        };
        let group = GroupNumber(u32::from_be_bytes([a, b, c, d]));
        Ok(Self {
            track: TrackId(track),
            group,
        })
    }
}

/// Begins a group on its way from the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DownlinkGroup {
    /// Whose it is, by the relay's word.
    pub sender: ParticipantId,
    /// The sender's track.
    pub track: TrackId,
    /// Which group of it.
    pub group: GroupNumber,
}

impl DownlinkGroup {
    /// Bytes of the header.
    pub const LEN: usize = 1 + 4 + 1 + 4;

    /// The header's bytes.
    pub fn encode(&self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(Self::LEN);
        bytes.put_u8(KIND);
        bytes.put_u32(self.sender.0);
        bytes.put_u8(self.track.0);
        bytes.put_u32(self.group.0);
        bytes.freeze()
    }

    /// Reads the header at the start of `bytes`.
    ///
    /// # Errors
    /// [`WireError::Truncated`] or [`WireError::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let header = bytes
            .first_chunk::<{ Self::LEN }>()
            .ok_or(WireError::Truncated)?;
        let [KIND, a, b, c, d, track, e, f, g, h] = *header else {
            return Err(WireError::Malformed);
        };
        Ok(Self {
            sender: ParticipantId(u32::from_be_bytes([a, b, c, d])),
            track: TrackId(track),
            group: GroupNumber(u32::from_be_bytes([e, f, g, h])),
        })
    }
}

/// A frame as it stands inside a group.
///
/// # Errors
/// [`WireError::TooLarge`] over [`GROUP_FRAME`] bytes.
pub fn encode_group_frame(sealed: &[u8]) -> Result<Bytes, WireError> {
    if sealed.len() > GROUP_FRAME {
        return Err(WireError::TooLarge);
    }
    let mut bytes = BytesMut::with_capacity(4 + sealed.len());
    bytes.put_u32(sealed.len() as u32);
    bytes.put_slice(sealed);
    Ok(bytes.freeze())
}

/// Takes the frames of a group apart as its bytes come. Holds at most what was pushed and not yet
/// returned; a length alone makes it allocate nothing.
#[derive(Default)]
pub struct GroupFrames {
    held: BytesMut,
}

impl GroupFrames {
    /// After the header.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what came.
    pub fn push(&mut self, bytes: Bytes) {
        if self.held.is_empty() {
            self.held = BytesMut::from(bytes);
        } else {
            self.held.extend_from_slice(&bytes);
        }
    }

    /// The next complete frame.
    ///
    /// # Errors
    /// [`WireError::TooLarge`] when its length is over [`GROUP_FRAME`]; the group is of no use
    /// after that.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Bytes>, WireError> {
        let Some(length) = self.held.first_chunk::<4>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*length) as usize;
        if length > GROUP_FRAME {
            return Err(WireError::TooLarge);
        }
        if self.held.len() < 4 + length {
            return Ok(None);
        }
        self.held.advance(4);
        Ok(Some(self.held.split_to(length).freeze()))
    }

    /// Whether the stream ended in the middle of a frame.
    pub fn is_incomplete(&self) -> bool {
        !self.held.is_empty()
    }
}
