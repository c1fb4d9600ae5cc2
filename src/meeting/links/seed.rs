//! The seed in a committer link, and the keys that derive from it.

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::CommitterKeys;
use crate::meeting::crypto::{hpke, sign};
use crate::meeting::secret::derive;

/// What only one committer has: whoever holds it is that committer.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct CommitterSeed([u8; 32]);

impl CommitterSeed {
    /// From random bytes, or from a link.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Signs what the committer says.
    pub(in crate::meeting) fn signing_key(&self) -> sign::SigningKey {
        sign::SigningKey::from_seed(&self.sub("committer sign"))
    }

    /// Opens what knockers seal to the committer.
    pub(in crate::meeting) fn lobby_key(&self) -> hpke::KeyPair {
        hpke::KeyPair::from_secret(&self.sub("committer lobby"))
    }

    /// The public keys, as they stand in the bundle.
    pub fn keys(&self) -> CommitterKeys {
        CommitterKeys {
            sign: self.signing_key().public(),
            lobby: self.lobby_key().public(),
        }
    }

    fn sub(&self, label: &str) -> Zeroizing<[u8; 32]> {
        derive(&self.0, label, &[])
    }
}
