//! Audio frames in QUIC datagrams (RFC 9221).
//!
//! Up: track, payload. Down, a bundle: for each frame its sender, track, length and payload.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::limits::{AUDIO_PAYLOAD, DATAGRAM};
use super::{ParticipantId, TrackId, WireError, varint};

/// A datagram to the relay. The payload may have at most [`AUDIO_PAYLOAD`] bytes.
pub fn uplink(track: TrackId, payload: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(1 + payload.len());
    bytes.put_u8(track.0);
    bytes.put_slice(payload);
    bytes.freeze()
}

/// Takes a datagram to the relay apart, without copying.
///
/// # Errors
/// [`WireError::Truncated`] when it is empty, [`WireError::TooLarge`] when no bundle could hold it.
pub fn split_uplink(datagram: &Bytes) -> Result<(TrackId, Bytes), WireError> {
    let track = TrackId(*datagram.first().ok_or(WireError::Truncated)?);
    let payload = datagram.slice(1..);
    if payload.len() > AUDIO_PAYLOAD {
        return Err(WireError::TooLarge);
    }
    Ok((track, payload))
}

/// Builds the bundles that go to participants.
#[derive(Default)]
pub struct Bundle {
    bytes: Vec<u8>,
}

impl Bundle {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many bytes an entry with a payload of so many takes.
    pub const fn entry_len(payload: usize) -> usize {
        4 + 1 + varint::len(payload) + payload
    }

    /// Adds an entry; `false`, and nothing changed, when it would not fit.
    #[must_use]
    pub fn try_push(&mut self, sender: ParticipantId, track: TrackId, payload: &[u8]) -> bool {
        if payload.len() > AUDIO_PAYLOAD
            || self.bytes.len() + Self::entry_len(payload.len()) > DATAGRAM
        {
            return false;
        }
        self.bytes.extend_from_slice(&sender.0.to_be_bytes());
        self.bytes.push(track.0);
        varint::put(&mut self.bytes, payload.len());
        self.bytes.extend_from_slice(payload);
        true
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The finished bundle; the builder is empty again and keeps its buffer.
    pub fn take(&mut self) -> Bytes {
        let bundle = Bytes::copy_from_slice(&self.bytes);
        self.bytes.clear();
        bundle
    }
}

/// One frame in a bundle.
#[derive(Clone, PartialEq, Eq)]
pub struct BundleEntry {
    /// Who sent it, by the relay's word.
    pub sender: ParticipantId,
    /// On which of its tracks.
    pub track: TrackId,
    /// The sealed bytes.
    pub payload: Bytes,
}

/// The frames of a bundle, in order. After an error there is nothing more.
pub struct BundleEntries {
    rest: Bytes,
}

impl BundleEntries {
    /// Of a datagram that the relay sent.
    pub fn new(bundle: Bytes) -> Self {
        Self { rest: bundle }
    }

    fn entry(&mut self) -> Option<BundleEntry> {
        let (sender, rest) = self.rest.split_first_chunk::<4>()?;
        let (track, rest) = rest.split_first()?;
        let (length, taken) = varint::get(rest)?;
        let (sender, track) = (ParticipantId(u32::from_be_bytes(*sender)), TrackId(*track));
        let start = 4 + 1 + taken;
        if self.rest.len() < start + length {
            return None;
        }
        let payload = self.rest.slice(start..start + length);
        self.rest.advance(start + length);
        Some(BundleEntry {
            sender,
            track,
            payload,
        })
    }
}

impl std::iter::FusedIterator for BundleEntries {}

impl Iterator for BundleEntries {
    type Item = Result<BundleEntry, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        match self.entry() {
            Some(entry) => Some(Ok(entry)),
            None => {
                self.rest = Bytes::new();
                Some(Err(WireError::Truncated))
            }
        }
    }
}
