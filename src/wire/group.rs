//! Groups: a key frame and all that depends on it, on one unidirectional stream.
//!
//! A header, then frames: each its length in four bytes (big-endian) and its sealed bytes. The
//! relay reads the header alone and forwards the rest as it comes.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::limits::GROUP_FRAME;
use super::{GroupNumber, ParticipantId, TrackId, WireError};

/// What every unidirectional stream of this version begins with.
const KIND: u8 = 1;

/// Bytes of a frame's length.
const LENGTH: usize = 4;

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
    let mut bytes = BytesMut::with_capacity(LENGTH + sealed.len());
    bytes.put_u32(sealed.len() as u32);
    bytes.put_slice(sealed);
    Ok(bytes.freeze())
}

/// Takes the frames of a group apart as its bytes come. A frame that came in one piece is returned
/// as a slice of that piece; one that came in several is copied together once. Holds at most twice
/// what was pushed and not yet returned: a length alone makes it allocate nothing.
#[derive(Default)]
pub struct GroupFrames {
    /// The beginning of a frame whose end has not come.
    begun: BytesMut,
    /// What was pushed last and not looked at.
    piece: Bytes,
}

impl GroupFrames {
    /// After the header.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what came. Call [`Self::next`] until it has no more before the next `push`; what is
    /// pushed on top of frames that wait is copied.
    pub fn push(&mut self, bytes: Bytes) {
        if self.piece.is_empty() {
            self.piece = bytes;
        } else {
            let mut both = BytesMut::with_capacity(self.piece.len() + bytes.len());
            both.put_slice(&self.piece);
            both.put_slice(&bytes);
            self.piece = both.freeze();
        }
    }

    /// The next complete frame.
    ///
    /// # Errors
    /// [`WireError::TooLarge`] when its length is over [`GROUP_FRAME`]; the group is of no use
    /// after that.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Bytes>, WireError> {
        if self.begun.is_empty() {
            match whole_len(&self.piece)? {
                Some(whole) if whole <= self.piece.len() => {
                    let mut frame = self.piece.split_to(whole);
                    frame.advance(LENGTH);
                    return Ok(Some(frame));
                }
                _ if self.piece.is_empty() => return Ok(None),
                _ => {}
            }
        }
        self.take(LENGTH.saturating_sub(self.begun.len()));
        let Some(whole) = whole_len(&self.begun)? else {
            return Ok(None);
        };
        self.take(whole - self.begun.len());
        if self.begun.len() < whole {
            return Ok(None);
        }
        let mut frame = std::mem::take(&mut self.begun).freeze();
        frame.advance(LENGTH);
        Ok(Some(frame))
    }

    /// Whether the stream ended in the middle of a frame.
    pub fn is_incomplete(&self) -> bool {
        !self.begun.is_empty() || !self.piece.is_empty()
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.begun.capacity() + self.piece.len()
    }

    /// Moves bytes from the piece to what is begun: so many, or as many as there are.
    fn take(&mut self, wanted: usize) {
        let taken = self.piece.split_to(wanted.min(self.piece.len()));
        self.begun.extend_from_slice(&taken);
        if self.piece.is_empty() {
            // The piece may be a slice of a larger buffer.
            self.piece = Bytes::new();
        }
    }
}

/// Bytes of the frame at the start of `bytes`, its length included; `None` when that has not come.
fn whole_len(bytes: &[u8]) -> Result<Option<usize>, WireError> {
    let Some(length) = bytes.first_chunk::<LENGTH>() else {
        return Ok(None);
    };
    let length = u32::from_be_bytes(*length) as usize;
    if length > GROUP_FRAME {
        return Err(WireError::TooLarge);
    }
    Ok(Some(LENGTH + length))
}
