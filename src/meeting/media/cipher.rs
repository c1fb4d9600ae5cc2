//! SFrame (RFC 9605), suite AES_128_GCM_SHA256_128, full tag: the one place where media is sealed.

use bytes::Bytes;
use sframe::CipherSuite;
use sframe::frame::{EncryptedFrameView, MediaFrameView, MonotonicCounter};
use sframe::header::SframeHeader;
use sframe::key::{DecryptionKey, EncryptionKey};

use crate::meeting::events::Rejection;

const SUITE: CipherSuite = CipherSuite::AesGcm128Sha256;

/// Bytes that sealing adds at most: a header of 17 (RFC 9605, section 4.3) and a tag of 16.
pub(super) const OVERHEAD: usize = 17 + 16;

/// Seals under one key.
pub(super) struct SealKey(EncryptionKey);

impl SealKey {
    /// From a base key (RFC 9605, section 4.4.2). `None` only when the cryptography is out of order.
    pub(super) fn new(base: &[u8], id: u64) -> Option<Self> {
        EncryptionKey::derive_from(SUITE, id, base).ok().map(Self)
    }

    /// Seals `plain` under `counter`, which the caller must never give twice. `context` is
    /// authenticated and not sent. Two allocations; the result is not copied again.
    pub(super) fn seal(&self, counter: u64, plain: &[u8], context: &[u8]) -> Option<Bytes> {
        let mut counter = MonotonicCounter::with_start_value(counter, u64::MAX);
        let frame = MediaFrameView::try_with_meta_data(&mut counter, plain, context).ok()?;
        let mut buffer = Vec::with_capacity(context.len() + plain.len() + OVERHEAD);
        let length = {
            let sealed = frame.encrypt_into(&self.0, &mut buffer).ok()?;
            sealed.sframe_cipher_text().len()
        };
        let start = buffer.len().checked_sub(length)?;
        Some(Bytes::from(buffer).slice(start..))
    }
}

/// Opens under one key.
pub(super) struct OpenKey(DecryptionKey);

impl OpenKey {
    /// As [`SealKey::new`].
    pub(super) fn new(base: &[u8], id: u64) -> Option<Self> {
        DecryptionKey::derive_from(SUITE, id, base).ok().map(Self)
    }

    pub(super) fn id(&self) -> u64 {
        self.0.key_id()
    }

    /// Opens what was sealed under this key and `context`.
    pub(super) fn open(&self, sealed: &[u8], context: &[u8]) -> Result<Bytes, Rejection> {
        let view = EncryptedFrameView::try_with_meta_data(sealed, context)
            .map_err(|_| Rejection::Malformed)?;
        let mut buffer = Vec::with_capacity(context.len() + sealed.len());
        let length = {
            let opened = view
                .decrypt_into(&self.0, &mut buffer)
                .map_err(|_| Rejection::NotAuthentic)?;
            opened.payload().len()
        };
        let start = buffer
            .len()
            .checked_sub(length)
            .ok_or(Rejection::NotAuthentic)?;
        Ok(Bytes::from(buffer).slice(start..))
    }
}

/// What the header of sealed bytes says. Not authenticated until they open.
pub(super) struct Header {
    /// Which key.
    pub(super) id: u64,
    /// How many were sealed under it before.
    pub(super) counter: u64,
}

/// Reads the header.
pub(super) fn header(sealed: &[u8]) -> Result<Header, Rejection> {
    let header = SframeHeader::deserialize(sealed).map_err(|_| Rejection::Malformed)?;
    Ok(Header {
        id: header.key_id(),
        counter: header.counter(),
    })
}
