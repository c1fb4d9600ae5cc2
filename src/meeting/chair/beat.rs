//! The heartbeat, its signature, and which beats count.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::limits::{FRESH, OVER};

/// Another one for each process of a committer: the hash of the key of its first leaf.
pub type Run = [u8; 16];

const LABEL: &[u8] = b"sottovoce beat 2\0";

/// What a beat says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(Debug))]
pub struct Claim {
    /// Which process.
    pub run: Run,
    /// Whose: 0 is the host.
    pub rank: u8,
    /// Whole periods of 5 s since it became chair in this run for the first time.
    pub seq: u64,
    /// Rises by one with each beat of the run.
    pub count: u64,
    /// Of its group.
    pub epoch: u64,
    /// Hash of the epoch's confirmation tag.
    pub tag: [u8; 32],
    /// Hash of the roster.
    pub roster: [u8; 32],
    /// Whether nobody is admitted.
    pub locked: bool,
    /// Bit n: the committer of rank n was removed. It counts for ranks above its own alone
    /// ([`Claim::put_out`]).
    pub removed: u8,
    /// [`Claim::hash`] of the beat before; zeros in the first.
    pub before: [u8; 32],
}

impl Claim {
    /// What is signed: a label, then everything, each field of fixed size.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(177);
        bytes.extend_from_slice(LABEL);
        bytes.extend_from_slice(&self.run);
        bytes.push(self.rank);
        for number in [self.seq, self.count, self.epoch] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes.extend_from_slice(&self.tag);
        bytes.extend_from_slice(&self.roster);
        bytes.push(u8::from(self.locked));
        bytes.push(self.removed);
        bytes.extend_from_slice(&self.before);
        bytes
    }

    /// The removed committers, as far as this one may remove them: bit n for rank n.
    pub fn put_out(&self) -> u8 {
        let above = u8::MAX.checked_shl(u32::from(self.rank).saturating_add(1));
        self.removed & above.unwrap_or(0)
    }

    /// What the next beat names as the one before.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.signed_bytes()).into()
    }

    /// Signs with the committer key of the rank.
    pub fn sign(self, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Beat {
        let signature = sign(&self.signed_bytes());
        let (mut first, mut second) = ([0; 32], [0; 32]);
        first.copy_from_slice(&signature[..32]);
        second.copy_from_slice(&signature[32..]);
        Beat {
            claim: self,
            signature: [first, second],
        }
    }
}

/// A signed claim, as it travels (postcard).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    claim: Claim,
    /// In halves, since serde has no arrays of 64.
    signature: [[u8; 32]; 2],
}

impl Beat {
    /// The claim, when `verify(rank, bytes, signature)` says that the rank's key signed it.
    ///
    /// # Errors
    /// [`BeatError::NotAuthentic`].
    pub fn open(
        self,
        verify: impl FnOnce(u8, &[u8], &[u8; 64]) -> bool,
    ) -> Result<Claim, BeatError> {
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&self.signature[0]);
        signature[32..].copy_from_slice(&self.signature[1]);
        if verify(self.claim.rank, &self.claim.signed_bytes(), &signature) {
            Ok(self.claim)
        } else {
            Err(BeatError::NotAuthentic)
        }
    }
}

/// Why a beat does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BeatError {
    /// The signature is not by the rank's key.
    #[error("a beat that its committer did not sign")]
    NotAuthentic,
    /// Not newer than what was heard of this run.
    #[error("a beat that was heard before")]
    Replay,
    /// Time or epoch of this run went back, or the chain of hashes is broken.
    #[error("a beat that contradicts the one before")]
    Contradiction,
    /// Another run of this rank took its place.
    #[error("a beat of a run that is over")]
    OverRun,
    /// Two devices beat with one link; the other one keeps the role.
    #[error("this link is already in use")]
    InUse,
}

struct Newest {
    claim: Claim,
    hash: [u8; 32],
    at: Duration,
    over: VecDeque<Run>,
}

/// The newest beat of each rank.
#[derive(Default)]
pub(in crate::meeting) struct Beats(BTreeMap<u8, Newest>);

impl Beats {
    /// Takes a beat when it counts.
    pub(in crate::meeting) fn take(
        &mut self,
        now: Duration,
        claim: &Claim,
    ) -> Result<(), BeatError> {
        let hash = claim.hash();
        let Some(newest) = self.0.get_mut(&claim.rank) else {
            let over = VecDeque::new();
            let claim = claim.clone();
            let rank = claim.rank;
            self.0.insert(
                rank,
                Newest {
                    claim,
                    hash,
                    at: now,
                    over,
                },
            );
            return Ok(());
        };
        let last = &newest.claim;
        if last.run == claim.run {
            if claim.count <= last.count {
                return Err(BeatError::Replay);
            }
            let next = last.count.checked_add(1) == Some(claim.count);
            if claim.seq < last.seq || (next && claim.before != newest.hash) {
                return Err(BeatError::Contradiction);
            }
        } else {
            if newest.over.contains(&claim.run) {
                return Err(BeatError::OverRun);
            }
            let fresh = now.saturating_sub(newest.at) < FRESH;
            // Two sides of a split may each have heard the other device first: only the smaller
            // run is the same for both.
            if fresh && last.run < claim.run {
                return Err(BeatError::InUse);
            }
            if newest.over.len() == OVER {
                newest.over.pop_front();
            }
            newest.over.push_back(last.run);
        }
        newest.claim = claim.clone();
        newest.hash = hash;
        newest.at = now;
        Ok(())
    }

    /// When a rank below `rank` was last heard.
    pub(super) fn lower_at(&self, rank: u8) -> Option<Duration> {
        self.0.range(..rank).map(|(_, newest)| newest.at).max()
    }

    /// The fresh beat of the lowest rank.
    pub(super) fn ruling(&self, now: Duration) -> Option<&Claim> {
        let fresh = |newest: &&Newest| now.saturating_sub(newest.at) < FRESH;
        self.0.values().find(fresh).map(|newest| &newest.claim)
    }

    /// When that one came.
    #[cfg(test)]
    pub(super) fn heard_last(&self, now: Duration) -> Option<Duration> {
        let fresh = |newest: &&Newest| now.saturating_sub(newest.at) < FRESH;
        self.0.values().find(fresh).map(|newest| newest.at)
    }
}
