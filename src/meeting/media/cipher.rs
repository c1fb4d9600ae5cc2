//! SFrame (RFC 9605), suite AES_128_GCM_SHA256_128, full tag: the one place where media is sealed.

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes128Gcm, Nonce};
use bytes::Bytes;
use hkdf::Hkdf;
use sframe::header::SframeHeader;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::meeting::events::Rejection;

/// The suite's number (RFC 9605, section 8.1).
const SUITE: [u8; 2] = 4_u16.to_be_bytes();

const HEADER: usize = 17;
const TAG: usize = 16;

/// Bytes that sealing adds at most: a header of 17 (RFC 9605, section 4.3) and a tag of 16.
pub(super) const OVERHEAD: usize = HEADER + TAG;

/// Most that is authenticated besides the header.
const CONTEXT: usize = 64;

/// A key of one track, expanded once.
struct Key {
    id: u64,
    cipher: Aes128Gcm,
    salt: [u8; 12],
}

impl Key {
    /// Key and salt from a base key (RFC 9605, section 4.4.2).
    fn new(base: &[u8], id: u64) -> Option<Self> {
        let secret = Hkdf::<Sha256>::new(Some(&[]), base);
        let expand = |what: &[u8], out: &mut [u8]| {
            let info = [b"SFrame 1.0 Secret ", what, &id.to_be_bytes(), &SUITE].concat();
            secret.expand(&info, out).ok()
        };
        let (mut key, mut salt) = (Zeroizing::new([0; 16]), [0; 12]);
        expand(b"key ", key.as_mut_slice())?;
        expand(b"salt ", &mut salt)?;
        let cipher = Aes128Gcm::new((&*key).into());
        Some(Self { id, cipher, salt })
    }

    /// The salt, with the counter on its end (RFC 9605, section 4.4.3).
    fn nonce(&self, counter: u64) -> Nonce<aes_gcm::aead::consts::U12> {
        let mut nonce = self.salt;
        for (byte, count) in nonce.iter_mut().skip(4).zip(counter.to_be_bytes()) {
            *byte ^= count;
        }
        nonce.into()
    }
}

/// What is authenticated: the header and the context. No allocation for it.
struct Authenticated {
    bytes: [u8; HEADER + CONTEXT],
    length: usize,
}

impl Authenticated {
    fn new(header: &[u8], context: &[u8]) -> Option<Self> {
        let mut bytes = [0; HEADER + CONTEXT];
        let length = header.len() + context.len();
        let (first, rest) = bytes.split_at_mut_checked(header.len())?;
        first.copy_from_slice(header);
        rest.get_mut(..context.len())?.copy_from_slice(context);
        Some(Self { bytes, length })
    }

    fn get(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// Seals under one key.
pub(super) struct SealKey(Key);

impl SealKey {
    /// From a base key (RFC 9605, section 4.4.2). `None` only when the cryptography is out of order.
    pub(super) fn new(base: &[u8], id: u64) -> Option<Self> {
        Key::new(base, id).map(Self)
    }

    /// The header of what is sealed under `counter`, with room for so many bytes of plaintext, which the
    /// caller appends for [`Self::seal`].
    pub(super) fn begin(&self, counter: u64, room: usize) -> Option<Vec<u8>> {
        let header = SframeHeader::new(self.0.id, counter);
        let mut bytes = Vec::with_capacity(room + OVERHEAD);
        bytes.resize(header.len(), 0);
        header.serialize(&mut bytes).ok()?;
        Some(bytes)
    }

    /// Seals in place what [`Self::begin`] gave and the plaintext after it. The caller must never give a
    /// `counter` twice. `context` is authenticated and not sent.
    pub(super) fn seal(&self, counter: u64, mut bytes: Vec<u8>, context: &[u8]) -> Option<Bytes> {
        let length = SframeHeader::new(self.0.id, counter).len();
        let (header, plain) = bytes.split_at_mut_checked(length)?;
        let authenticated = Authenticated::new(header, context)?;
        let nonce = self.0.nonce(counter);
        let cipher = &self.0.cipher;
        let tag = cipher.encrypt_inout_detached(&nonce, authenticated.get(), plain.into());
        bytes.extend_from_slice(&tag.ok()?);
        Some(Bytes::from(bytes))
    }
}

/// Opens under one key.
pub(super) struct OpenKey(Key);

impl OpenKey {
    /// As [`SealKey::new`].
    pub(super) fn new(base: &[u8], id: u64) -> Option<Self> {
        Key::new(base, id).map(Self)
    }

    pub(super) fn id(&self) -> u64 {
        self.0.id
    }

    /// Opens what was sealed under this key and `context`. One allocation, one copy.
    pub(super) fn open(&self, sealed: &[u8], context: &[u8]) -> Result<Bytes, Rejection> {
        let read = SframeHeader::deserialize(sealed).map_err(|_| Rejection::Malformed)?;
        let parts = sealed.split_at_checked(read.len());
        let (header, rest) = parts.ok_or(Rejection::Malformed)?;
        let (body, tag) = rest.split_last_chunk::<TAG>().ok_or(Rejection::Malformed)?;
        let authenticated = Authenticated::new(header, context).ok_or(Rejection::Malformed)?;
        let nonce = self.0.nonce(read.counter());
        let mut plain = body.to_vec();
        let (buffer, tag) = (plain.as_mut_slice().into(), tag.into());
        let cipher = &self.0.cipher;
        cipher
            .decrypt_inout_detached(&nonce, authenticated.get(), buffer, tag)
            .map_err(|_| Rejection::NotAuthentic)?;
        Ok(Bytes::from(plain))
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
