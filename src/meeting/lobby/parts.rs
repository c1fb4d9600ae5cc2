//! A payload that is too large for one answer: sealed once under a key of its own, sent in parts, put
//! together again. Each who was admitted is given the key in its own sealed answer, so that the same
//! parts serve all who were admitted together.

use std::sync::Arc;

use aes_gcm::{Aes256Gcm, KeyInit};
use zeroize::Zeroizing;

use super::body::LobbyBody;
use super::limits::{PART, PARTS, PARTS_FOR_ALL};
use super::seal::{Parties, Refusal, decrypt, encrypt, pad};
use crate::wire::ParticipantId;

/// A payload to be sent.
pub(super) struct Parcel {
    pub(super) key: Zeroizing<[u8; 32]>,
    /// How many parts there are.
    pub(super) of: u8,
    payload: Arc<Zeroizing<Vec<u8>>>,
    cipher: Aes256Gcm,
    aad: Vec<u8>,
}

impl Parcel {
    /// `None` when the payload is larger than all parts. `key` must be drawn for it. `for_all`:
    /// strangers in the lobby will see its parts, and are not to learn from their number how large the
    /// meeting is.
    pub(super) fn new(
        payload: &Arc<Zeroizing<Vec<u8>>>,
        key: Zeroizing<[u8; 32]>,
        for_all: bool,
        parties: &Parties,
    ) -> Option<Self> {
        let mut count = payload.len().div_ceil(PART).max(1);
        if for_all {
            count = count.next_multiple_of(PARTS_FOR_ALL);
        }
        let of = u8::try_from(count).ok().filter(|_| count <= PARTS)?;
        Some(Self {
            cipher: Aes256Gcm::new((&*key).into()),
            key,
            of,
            payload: Arc::clone(payload),
            aad: aad(parties),
        })
    }

    /// Whether it is of this very payload.
    pub(super) fn is_of(&self, payload: &Arc<Zeroizing<Vec<u8>>>) -> bool {
        Arc::ptr_eq(&self.payload, payload)
    }

    /// One part; `None` when there is no such part.
    pub(super) fn part(&self, index: u8) -> Option<LobbyBody> {
        let bytes = self.payload.chunks(PART).nth(index.into());
        let bytes = Zeroizing::new(bytes.unwrap_or_default().to_vec());
        let plain = pad(&*bytes, &[PART_CLASS])?;
        let sealed = encrypt(&self.cipher, index.into(), &self.aad, &plain)?;
        (index < self.of).then_some(LobbyBody::Part { index, sealed })
    }
}

/// A payload that comes, in any order of its parts.
pub(super) struct Assembly {
    key: Zeroizing<[u8; 32]>,
    cipher: Aes256Gcm,
    aad: Vec<u8>,
    parts: Vec<Option<Zeroizing<Vec<u8>>>>,
}

impl Assembly {
    /// `of` parts under this key, from this chair.
    pub(super) fn new(key: &[u8; 32], of: u8, parties: &Parties) -> Self {
        Self {
            cipher: Aes256Gcm::new(key.into()),
            key: Zeroizing::new(*key),
            aad: aad(parties),
            parts: vec![None; of.into()],
        }
    }

    /// Whether it is for such parts.
    pub(super) fn is_for(&self, key: &[u8; 32], of: u8) -> bool {
        *self.key == *key && self.parts.len() == usize::from(of)
    }

    /// Takes a part; gives the whole payload with the last of them.
    ///
    /// # Errors
    /// [`Refusal`]: it is no part of this payload.
    pub(super) fn put(
        &mut self,
        index: u8,
        sealed: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Refusal> {
        let place = self.parts.get_mut(usize::from(index));
        let place = place.ok_or(Refusal::Malformed)?;
        let bytes: Vec<u8> = decrypt(&self.cipher, index.into(), &self.aad, sealed, &[PART_CLASS])?;
        *place = Some(Zeroizing::new(bytes));
        if self.parts.iter().any(Option::is_none) {
            return Ok(None);
        }
        let parts = || self.parts.iter().flatten();
        let mut payload = Zeroizing::new(Vec::with_capacity(parts().map(|part| part.len()).sum()));
        for part in parts() {
            payload.extend_from_slice(part);
        }
        Ok(Some(payload))
    }
}

/// The one size of a part before its tag.
const PART_CLASS: usize = PART + 40;

/// Where they are from; whom they are for is who has the key.
fn aad(parties: &Parties) -> Vec<u8> {
    let everyone = Parties {
        knocker: ParticipantId(0),
        ..*parties
    };
    everyone.bytes(b"part 1\0\0")
}
