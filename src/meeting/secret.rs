//! The link secret, and everything that derives from it (HKDF-SHA256, RFC 5869).
//!
//! Each derivation has a label of its own and takes its context with lengths before it, so that no
//! two of them can ever have the same input.

use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::wire::RoomHandle;

/// What everyone in a meeting has in common: 32 random bytes from the link.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct LinkSecret([u8; 32]);

impl LinkSecret {
    /// From random bytes, or from a link.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The room at the relay that is reached as `host:port`: at another relay it is another one.
    pub(super) fn room_handle(&self, relay: &str) -> RoomHandle {
        RoomHandle(*derive(&self.0, "room", &[relay.as_bytes()]))
    }

    /// Seals the control bodies of the sender who drew `salt`.
    pub(super) fn envelope_key(&self, salt: &[u8; 16]) -> Zeroizing<[u8; 32]> {
        derive(&self.0, "envelope", &[salt])
    }
}

/// A secret on its way from one member to others, in messages that are sealed. It stays inside this
/// crate: what can be written out is not for anybody else.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct Passed([u8; 32]);

impl Passed {
    pub(super) fn new(secret: &[u8; 32]) -> Self {
        Self(*secret)
    }

    pub(super) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Of a room.
    pub(super) fn room(&self) -> LinkSecret {
        LinkSecret(self.0)
    }
}

impl From<&LinkSecret> for Passed {
    fn from(secret: &LinkSecret) -> Self {
        Self(secret.0)
    }
}

/// Randomness for one participant, drawn from the seed that it was given.
#[derive(ZeroizeOnDrop)]
pub(super) struct Draws {
    seed: [u8; 32],
    drawn: u64,
}

impl Draws {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self { seed, drawn: 0 }
    }

    pub(super) fn salt(&mut self) -> [u8; 16] {
        self.drawn += 1;
        *derive(&self.seed, "draw", &[&self.drawn.to_be_bytes()])
    }

    pub(super) fn nonce(&mut self) -> [u8; 8] {
        self.drawn += 1;
        *derive(&self.seed, "draw nonce", &[&self.drawn.to_be_bytes()])
    }

    pub(super) fn key(&mut self) -> Zeroizing<[u8; 32]> {
        self.drawn += 1;
        derive(&self.seed, "draw key", &[&self.drawn.to_be_bytes()])
    }
}

/// Derives under `key`: another label or context is another result.
pub(super) fn derive<const N: usize>(
    key: &[u8],
    label: &str,
    context: &[&[u8]],
) -> Zeroizing<[u8; N]> {
    let mut info = Vec::with_capacity(64);
    for part in [label.as_bytes()].iter().chain(context) {
        info.extend_from_slice(&(part.len() as u32).to_be_bytes());
        info.extend_from_slice(part);
    }
    let mut out = Zeroizing::new([0; N]);
    // HKDF gives up to 255 * 32 bytes; N is at most 32 everywhere in this file.
    let expanded = Hkdf::<Sha256>::new(Some(b"sottovoce 1"), key).expand(&info, out.as_mut());
    debug_assert!(expanded.is_ok() && N <= 32);
    out
}

/// These wipe themselves, and so does whatever holds one: a type that does not is no secret's.
const fn wipes<T: ZeroizeOnDrop>() {}
const _: () = {
    wipes::<LinkSecret>();
    wipes::<Passed>();
    wipes::<Draws>();
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_derives_to_the_same_twice() {
        let secret = LinkSecret::from_bytes([7; 32]);
        let (a, b) = ([1; 16], [2; 16]);
        assert!(secret.room_handle("a:1") != secret.room_handle("a:2"));
        assert_ne!(*secret.envelope_key(&a), *secret.envelope_key(&b));
        assert_ne!(*secret.envelope_key(&a), secret.room_handle("a:1").0);
        let mut draws = Draws::new([3; 32]);
        assert_ne!(draws.salt(), draws.salt());
    }

    #[test]
    fn another_secret_derives_to_other_keys() {
        let (one, other) = (
            LinkSecret::from_bytes([7; 32]),
            LinkSecret::from_bytes([8; 32]),
        );
        assert!(one.room_handle("a:1") != other.room_handle("a:1"));
        assert_ne!(*one.envelope_key(&[1; 16]), *other.envelope_key(&[1; 16]));
    }
}
