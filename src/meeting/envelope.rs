//! The envelope around control bodies: AES-256-GCM, padded to a size class inside.
//!
//! Its bytes: the sender's salt (16), a counter (8, big-endian), ciphertext and tag. Each salt has
//! a key of its own, and a counter is never used twice under a salt, so no nonce ever repeats. The
//! sender's id, by the relay's word, is authenticated: a body that the relay passes off as
//! somebody else's does not open. Plaintext: two bytes of length, the body in postcard, zeros.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use zeroize::Zeroizing;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::events::Rejection;
use super::limits::BODY_CLASSES;
use super::secret::LinkSecret;
use crate::wire::{ParticipantId, To};

/// A body and whom it is for: inside the seal, so that the relay cannot hand it to another.
#[derive(Serialize, Deserialize)]
pub(super) struct Sealed<B> {
    pub(super) to: To,
    pub(super) body: B,
}

const SALT: usize = 16;
const HEAD: usize = SALT + 8;
const LENGTH: usize = 2;

/// Seals one participant's bodies during one connection.
pub(super) struct Sender {
    cipher: Aes256Gcm,
    salt: [u8; SALT],
    counter: u64,
    me: ParticipantId,
}

impl Sender {
    pub(super) fn new(secret: &LinkSecret, salt: [u8; SALT], me: ParticipantId) -> Self {
        Self {
            cipher: cipher(secret, &salt),
            salt,
            counter: 0,
            me,
        }
    }

    /// `None` when the body is larger than any class.
    pub(super) fn seal<B: Serialize>(&mut self, sealed: &Sealed<B>) -> Option<Vec<u8>> {
        let body = Zeroizing::new(postcard::to_allocvec(sealed).ok()?);
        let class = BODY_CLASSES
            .into_iter()
            .find(|class| body.len() + LENGTH <= *class)?;
        let mut plain = Zeroizing::new(Vec::with_capacity(class));
        plain.extend_from_slice(&(body.len() as u16).to_be_bytes());
        plain.extend_from_slice(&body);
        plain.resize(class, 0);
        self.counter += 1;
        let aad = self.me.0.to_be_bytes();
        let payload = Payload {
            msg: &plain,
            aad: &aad,
        };
        let sealed = self.cipher.encrypt(&nonce(self.counter), payload).ok()?;
        let mut bytes = Vec::with_capacity(HEAD + sealed.len());
        bytes.extend_from_slice(&self.salt);
        bytes.extend_from_slice(&self.counter.to_be_bytes());
        bytes.extend_from_slice(&sealed);
        Some(bytes)
    }
}

/// Opens one other participant's bodies. Its first one pins its salt.
pub(super) struct Receiver {
    cipher: Aes256Gcm,
    salt: [u8; SALT],
    newest: u64,
}

impl Receiver {
    /// What its sender drew for this connection.
    pub(super) fn salt(&self) -> [u8; SALT] {
        self.salt
    }

    /// The counter of its newest body.
    pub(super) fn newest(&self) -> u64 {
        self.newest
    }

    /// Opens the first body of a sender.
    pub(super) fn first<B: DeserializeOwned>(
        secret: &LinkSecret,
        from: ParticipantId,
        bytes: &[u8],
    ) -> Result<(Self, Sealed<B>), Rejection> {
        let salt = *bytes.first_chunk::<SALT>().ok_or(Rejection::Malformed)?;
        let mut receiver = Self {
            cipher: cipher(secret, &salt),
            salt,
            newest: 0,
        };
        let sealed = receiver.open(from, bytes)?;
        Ok((receiver, sealed))
    }

    /// Opens a further one. The control stream keeps order, so a counter that does not rise is a
    /// replay.
    pub(super) fn open<B: DeserializeOwned>(
        &mut self,
        from: ParticipantId,
        bytes: &[u8],
    ) -> Result<Sealed<B>, Rejection> {
        let (salt, rest) = bytes
            .split_first_chunk::<SALT>()
            .ok_or(Rejection::Malformed)?;
        let (counter, sealed) = rest.split_first_chunk::<8>().ok_or(Rejection::Malformed)?;
        if *salt != self.salt {
            return Err(Rejection::NotAuthentic);
        }
        let counter = u64::from_be_bytes(*counter);
        let aad = from.0.to_be_bytes();
        let payload = Payload {
            msg: sealed,
            aad: &aad,
        };
        let plain = self.cipher.decrypt(&nonce(counter), payload);
        let plain = Zeroizing::new(plain.map_err(|_| Rejection::NotAuthentic)?);
        if counter <= self.newest {
            return Err(Rejection::Replay);
        }
        self.newest = counter;
        let (length, rest) = plain
            .split_first_chunk::<LENGTH>()
            .ok_or(Rejection::Malformed)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (body, padding) = rest.split_at_checked(length).ok_or(Rejection::Malformed)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(Rejection::Malformed);
        }
        postcard::from_bytes(body).map_err(|_| Rejection::Malformed)
    }
}

fn cipher(secret: &LinkSecret, salt: &[u8; SALT]) -> Aes256Gcm {
    Aes256Gcm::new((&*secret.envelope_key(salt)).into())
}

fn nonce(counter: u64) -> Nonce<aes_gcm::aead::consts::U12> {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&counter.to_be_bytes());
    nonce.into()
}
