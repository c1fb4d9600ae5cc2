//! A sender's signatures over what it sealed, since whoever has the symmetric keys could seal as
//! anyone.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::limits::{ATTEST_EVERY, HASHES};
use crate::meeting::events::Rejection;
use crate::wire::{GroupNumber, TrackId};

/// What signatures over media are for; apart from every other use of a leaf's key.
pub(in crate::meeting) const ATTEST: &str = "attest";

/// SHA-256 of what was sealed, the first 16 bytes: to forge a frame for a signed hash costs 2^128.
pub(super) type Hash = [u8; 16];

/// An Ed25519 signature (RFC 8032): R and S, as serde has no arrays of 64.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature([[u8; 32]; 2]);

impl From<[u8; 64]> for Signature {
    fn from(bytes: [u8; 64]) -> Self {
        let half = |start: usize| std::array::from_fn(|index| bytes[start + index]);
        Self([half(0), half(32)])
    }
}

impl From<Signature> for [u8; 64] {
    fn from(signature: Signature) -> Self {
        let bytes = signature.0.as_flattened();
        std::array::from_fn(|index| bytes[index])
    }
}

/// "I sent these": a sender's word for what it sealed on one track in one epoch, counter by counter.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attest {
    /// Its track.
    pub track: TrackId,
    /// The epoch whose key sealed them.
    pub epoch: u64,
    /// SFrame's counter of the first; the others follow without a gap.
    pub first: u64,
    /// One hash for each of them.
    pub hashes: Hashes,
    /// By the leaf's key, over [`Attest::signed_bytes`].
    pub signature: Signature,
}

/// 1 to 512 truncated hashes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Hash>", into = "Vec<Hash>")]
pub struct Hashes(Vec<Hash>);

/// No hashes, or too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an attestation has 1 to 512 hashes")]
pub struct WrongCount;

impl TryFrom<Vec<Hash>> for Hashes {
    type Error = WrongCount;

    fn try_from(hashes: Vec<Hash>) -> Result<Self, WrongCount> {
        match hashes.len() {
            1..=HASHES => Ok(Self(hashes)),
            _ => Err(WrongCount),
        }
    }
}

impl From<Hashes> for Vec<Hash> {
    fn from(hashes: Hashes) -> Self {
        hashes.0
    }
}

impl Attest {
    /// What is signed. The sender's salt and the epoch bind it to one stay of the sender in one
    /// group; a leaf's key is of one meeting anyway.
    pub fn signed_bytes(&self, salt: &[u8; 16]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64 + self.hashes.0.len() * 16);
        bytes.extend_from_slice(b"sottovoce attest 1");
        bytes.extend_from_slice(salt);
        bytes.push(self.track.0);
        bytes.extend_from_slice(&self.epoch.to_be_bytes());
        bytes.extend_from_slice(&self.first.to_be_bytes());
        bytes.extend_from_slice(&(self.hashes.0.len() as u64).to_be_bytes());
        bytes.extend_from_slice(self.hashes.0.as_flattened());
        bytes
    }

    /// Whether something that was sealed is among it.
    pub(in crate::meeting) fn is_of(&self, group: GroupNumber, sealed: &[u8]) -> bool {
        self.hashes.0.contains(&hash(self.track, group, sealed))
    }

    /// Counters and their hashes.
    ///
    /// # Errors
    /// [`Rejection::Malformed`]: the counters run over.
    pub(super) fn entries(&self) -> Result<impl Iterator<Item = (u64, Hash)>, Rejection> {
        let count = self.hashes.0.len() as u64;
        let end = self.first.checked_add(count).ok_or(Rejection::Malformed)?;
        Ok((self.first..end).zip(self.hashes.0.iter().copied()))
    }
}

/// The hash of sealed bytes in their place.
pub(super) fn hash(track: TrackId, group: GroupNumber, sealed: &[u8]) -> Hash {
    let mut hash = Sha256::new();
    hash.update(b"sottovoce sealed");
    hash.update([track.0]);
    hash.update(group.0.to_be_bytes());
    hash.update(sealed);
    let digest: [u8; 32] = hash.finalize().into();
    std::array::from_fn(|i| digest[i])
}

/// Keeps what is still to be signed.
#[derive(Default)]
pub(super) struct Attester {
    unsigned: Vec<Unsigned>,
}

/// Counters of one track and epoch without a gap.
struct Unsigned {
    track: TrackId,
    epoch: u64,
    first: u64,
    hashes: Vec<Hash>,
    since: Duration,
}

impl Attester {
    /// Something was sealed.
    pub(super) fn sealed(
        &mut self,
        now: Duration,
        track: TrackId,
        epoch: u64,
        counter: u64,
        hash: Hash,
    ) {
        let run = self.unsigned.iter_mut().find(|run| {
            let next = run.first.checked_add(run.hashes.len() as u64);
            run.track == track
                && run.epoch == epoch
                && next == Some(counter)
                && run.hashes.len() < HASHES
        });
        match run {
            Some(run) => run.hashes.push(hash),
            None => self.unsigned.push(Unsigned {
                track,
                epoch,
                first: counter,
                hashes: vec![hash],
                since: now,
            }),
        }
    }

    /// Signs what `is_due` picks.
    fn sign(
        &mut self,
        salt: &[u8; 16],
        is_due: impl Fn(&Unsigned) -> bool,
        sign: impl Fn(&[u8]) -> [u8; 64],
    ) -> Vec<Attest> {
        let (due, rest) = std::mem::take(&mut self.unsigned)
            .into_iter()
            .partition::<Vec<_>, _>(is_due);
        self.unsigned = rest;
        due.into_iter()
            .map(|run| {
                let mut attest = Attest {
                    track: run.track,
                    epoch: run.epoch,
                    first: run.first,
                    hashes: Hashes(run.hashes),
                    signature: [0; 64].into(),
                };
                attest.signature = sign(&attest.signed_bytes(salt)).into();
                attest
            })
            .collect()
    }

    /// Signs what has waited for [`ATTEST_EVERY`], or is a full list.
    pub(super) fn due(
        &mut self,
        now: Duration,
        salt: &[u8; 16],
        sign: impl Fn(&[u8]) -> [u8; 64],
    ) -> Vec<Attest> {
        let is_due = |run: &Unsigned| now >= run.due() || run.hashes.len() >= HASHES;
        self.sign(salt, is_due, sign)
    }

    /// Signs all of a track: it is over.
    pub(super) fn end(
        &mut self,
        track: TrackId,
        salt: &[u8; 16],
        sign: impl Fn(&[u8]) -> [u8; 64],
    ) -> Vec<Attest> {
        self.sign(salt, |run| run.track == track, sign)
    }

    /// When [`Attester::due`] has something.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.unsigned.iter().map(Unsigned::due).min()
    }
}

impl Unsigned {
    fn due(&self) -> Duration {
        self.since.saturating_add(ATTEST_EVERY)
    }
}
