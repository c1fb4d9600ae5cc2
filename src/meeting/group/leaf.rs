//! What stands in a leaf, and who may say it is a committer.

use openmls::credentials::{BasicCredential, Credential, CredentialType, CredentialWithKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::rejection::GroupRejection;
use crate::meeting::crypto::sign::{SigningKey, verify};
use crate::meeting::limits::NAME_BYTES;

/// A place in the tree. Given to somebody else when its owner has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LeafId(pub u32);

/// What stands in a leaf as its credential.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeafName {
    /// The name of its choice: a stranger's text.
    pub name: String,
    /// Its rank among the committers, if it is one: 0 is the host.
    pub rank: Option<u8>,
    /// A signature by the committer's key over the leaf's key.
    pub proof: Option<[[u8; 32]; 2]>,
    /// Its process: [`run_of`] the key of the first leaf that it had.
    pub run: [u8; 16],
}

/// What stands for a process whose first leaf has this key. Nobody else's leaf is certified by the same:
/// to come in under a run takes a signature by its key (`docs/meeting.md`, "Coming in").
pub fn run_of(sign_key: &[u8; 32]) -> [u8; 16] {
    let digest = Sha256::new()
        .chain_update(b"sottovoce run 1")
        .chain_update(sign_key)
        .finalize();
    digest.first_chunk().copied().unwrap_or_default()
}

/// Somebody in the tree.
#[derive(Clone, PartialEq, Eq)]
pub struct Member {
    /// Where.
    pub leaf: LeafId,
    /// The name in the leaf.
    pub name: String,
    /// Its rank, proven, if it is a committer.
    pub rank: Option<u8>,
    /// Its key for signatures.
    pub sign_key: [u8; 32],
    /// Its process, as the chair certified who let it in.
    pub run: [u8; 16],
}

/// The keys of a meeting's committers in order of rank, and the hash by which the link knows them.
#[derive(Clone, PartialEq, Eq)]
pub struct Committers {
    /// Ed25519 public keys.
    pub keys: Vec<[u8; 32]>,
    /// What every member's group is bound to.
    pub bundle: [u8; 32],
}

impl LeafName {
    /// A leaf of an ordinary participant.
    pub fn member(name: &str, run: [u8; 16]) -> Self {
        Self {
            name: name.into(),
            rank: None,
            proof: None,
            run,
        }
    }

    /// A committer's leaf.
    pub fn committer(name: &str, run: [u8; 16], rank: u8) -> Self {
        Self {
            rank: Some(rank),
            ..Self::member(name, run)
        }
    }

    /// With the proof of its rank, for this leaf's key.
    pub(super) fn prove(&mut self, key: &SigningKey, sign_key: &[u8; 32], bundle: &[u8; 32]) {
        if let Some(rank) = self.rank {
            let signature = key.sign(&to_be_proven(sign_key, rank, bundle));
            self.proof = signature.as_chunks().0.first_chunk().copied();
        }
    }

    pub(super) fn to_credential(
        &self,
        sign_key: &[u8; 32],
    ) -> Result<CredentialWithKey, GroupRejection> {
        let identity = postcard::to_allocvec(self).map_err(|_| GroupRejection::Internal)?;
        Ok(CredentialWithKey {
            credential: BasicCredential::new(identity).into(),
            signature_key: sign_key.to_vec().into(),
        })
    }
}

impl Committers {
    /// Whether the committer of this rank signed these bytes.
    pub fn signed(&self, rank: u8, bytes: &[u8], signature: &[u8; 64]) -> bool {
        let key = self.keys.get(usize::from(rank));
        key.is_some_and(|key| verify(key, bytes, signature))
    }

    /// Who somebody is by its credential and key, if both are what they should be.
    pub(super) fn member(
        &self,
        leaf: LeafId,
        credential: &Credential,
        sign_key: &[u8],
    ) -> Result<Member, GroupRejection> {
        if credential.credential_type() != CredentialType::Basic {
            return Err(GroupRejection::UnknownExtension);
        }
        let identity = credential.serialized_content();
        let (name, rest) = postcard::take_from_bytes::<LeafName>(identity)
            .map_err(|_| GroupRejection::Malformed)?;
        // One encoding alone: a credential that says the same in other bytes would be another.
        if !rest.is_empty() || postcard::to_allocvec(&name).as_deref() != Ok(identity) {
            return Err(GroupRejection::Malformed);
        }
        if name.name.len() > NAME_BYTES {
            return Err(GroupRejection::TooLarge);
        }
        let sign_key: [u8; 32] = sign_key.try_into().map_err(|_| GroupRejection::Malformed)?;
        match (name.rank, name.proof) {
            (None, None) => {}
            (Some(rank), Some(proof)) => {
                let key = self
                    .keys
                    .get(usize::from(rank))
                    .ok_or(GroupRejection::BadProof)?;
                let mut signature = [0; 64];
                signature.copy_from_slice(proof.as_flattened());
                let proven = to_be_proven(&sign_key, rank, &self.bundle);
                if !verify(key, &proven, &signature) {
                    return Err(GroupRejection::BadProof);
                }
            }
            _ => return Err(GroupRejection::BadProof),
        }
        Ok(Member {
            leaf,
            name: name.name,
            rank: name.rank,
            sign_key,
            run: name.run,
        })
    }
}

fn to_be_proven(sign_key: &[u8; 32], rank: u8, bundle: &[u8; 32]) -> Vec<u8> {
    [
        b"sottovoce committer's leaf",
        &bundle[..],
        &[rank],
        sign_key,
    ]
    .concat()
}
