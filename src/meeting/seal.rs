//! Frames as SFrame (RFC 9605), suite AES_128_GCM_SHA256_128, full tag.
//!
//! One key for each sender, connection and track; SFrame's counter counts what was sealed under
//! it. Authenticated besides: a label, the sender's media salt, track and group. Inside the
//! ciphertext, so that the relay reads none of it: the frame's number, time and flags, then the
//! encoder's bytes. `docs/media-format.md` draws it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sframe::CipherSuite;
use sframe::frame::{EncryptedFrameView, MediaFrameView, MonotonicCounter};
use sframe::key::{DecryptionKey, EncryptionKey};

use super::events::Rejection;
use super::pieces::Assembly;
use super::replay::{ReplayWindow, Verdict};
use super::secret::LinkSecret;
use super::track::Frame;
use crate::wire::{GroupNumber, TrackId};

const SUITE: CipherSuite = CipherSuite::AesGcm128Sha256;

/// What a frame carries besides the encoder's bytes.
#[derive(Serialize, Deserialize)]
struct Head {
    number: u64,
    timestamp_ns: u64,
    keyframe: bool,
    invisible: bool,
    duration_ns: Option<u64>,
    discard_padding_ns: Option<i64>,
    /// Which piece of how many.
    piece: u8,
    pieces: u8,
}

/// What is authenticated besides the SFrame header: 28 bytes.
fn context(salt: &[u8; 16], track: TrackId, group: GroupNumber) -> [u8; 28] {
    let mut context = *b"frame 1\0................\0\0\0\0";
    context[7] = track.0;
    context[8..24].copy_from_slice(salt);
    context[24..].copy_from_slice(&group.0.to_be_bytes());
    context
}

/// Seals the frames of one track.
pub(super) struct Sealer {
    key: EncryptionKey,
    counter: MonotonicCounter,
    salt: [u8; 16],
}

impl Sealer {
    /// `None` only when the cryptography is out of order, which is our fault.
    pub(super) fn new(secret: &LinkSecret, salt: [u8; 16], track: TrackId) -> Option<Self> {
        let material = secret.media_key(&salt, track.0);
        let id = secret.media_key_id(&salt, track.0);
        let key = EncryptionKey::derive_from(SUITE, id, &material[..]).ok()?;
        Some(Self {
            key,
            counter: MonotonicCounter::default(),
            salt,
        })
    }

    /// Seals one piece of a frame.
    pub(super) fn seal(
        &mut self,
        frame: &Frame,
        piece: u8,
        pieces: u8,
        bytes: &Bytes,
    ) -> Option<Bytes> {
        let head = Head {
            number: frame.number,
            timestamp_ns: frame.timestamp_ns,
            keyframe: frame.keyframe,
            invisible: frame.invisible,
            duration_ns: frame.duration_ns,
            discard_padding_ns: frame.discard_padding_ns,
            piece,
            pieces,
        };
        let plain = Vec::with_capacity(48 + bytes.len());
        let mut plain = postcard::to_extend(&head, plain).ok()?;
        plain.extend_from_slice(bytes);
        let context = context(&self.salt, frame.track, frame.group);
        let sealed = MediaFrameView::try_with_meta_data(&mut self.counter, &plain, &context)
            .and_then(|view| view.encrypt(&self.key))
            .ok()?;
        Some(Bytes::copy_from_slice(sealed.sframe_cipher_text()))
    }
}

/// Opens the frames of one track of another participant.
pub(super) struct Opener {
    key: DecryptionKey,
    window: ReplayWindow,
    salt: [u8; 16],
    assembly: Assembly,
}

impl Opener {
    pub(super) fn new(secret: &LinkSecret, salt: [u8; 16], track: TrackId) -> Option<Self> {
        let material = secret.media_key(&salt, track.0);
        let id = secret.media_key_id(&salt, track.0);
        let key = DecryptionKey::derive_from(SUITE, id, &material[..]).ok()?;
        Some(Self {
            key,
            window: ReplayWindow::new(),
            salt,
            assembly: Assembly::default(),
        })
    }

    /// Opens what came; a frame when this was the last piece of one.
    pub(super) fn open(
        &mut self,
        track: TrackId,
        group: GroupNumber,
        sealed: &[u8],
    ) -> Result<Option<Frame>, Rejection> {
        let context = context(&self.salt, track, group);
        let view = EncryptedFrameView::try_with_meta_data(sealed, &context)
            .map_err(|_| Rejection::Malformed)?;
        let counter = view.header().counter();
        match self.window.look(counter) {
            Verdict::Fresh => {}
            Verdict::Replay => return Err(Rejection::Replay),
            Verdict::TooOld => return Err(Rejection::TooOld),
        }
        let opened = view
            .decrypt(&self.key)
            .map_err(|_| Rejection::NotAuthentic)?;
        self.window.take(counter);
        let plain = opened.payload();
        let (head, payload) =
            postcard::take_from_bytes::<Head>(plain).map_err(|_| Rejection::Malformed)?;
        let bytes = Bytes::copy_from_slice(payload);
        let Some(payload) = self
            .assembly
            .put(head.number, head.piece, head.pieces, bytes)
        else {
            return Ok(None);
        };
        Ok(Some(Frame {
            track,
            group,
            number: head.number,
            timestamp_ns: head.timestamp_ns,
            keyframe: head.keyframe,
            invisible: head.invisible,
            duration_ns: head.duration_ns,
            discard_padding_ns: head.discard_padding_ns,
            payload,
        }))
    }
}
