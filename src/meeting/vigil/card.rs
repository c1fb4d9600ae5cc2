//! The stage card: the chair's word on who speaks and under which key. With each beat another one.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::limits::SPEAKERS;
use crate::meeting::chair::{Beat, Claim};
use crate::meeting::crypto::sign;
use crate::meeting::group::LeafId;
use crate::meeting::limits::NAME_BYTES;
use crate::meeting::links::{Bundle, BundleHash};
use crate::meeting::media::Signature;
use crate::meeting::secret::{Passed, derive};

const LABEL: &[u8] = b"sottovoce stage card 1\0";

/// One who speaks.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::meeting) struct Speaker {
    /// Its leaf, from which its media keys derive.
    pub(in crate::meeting) leaf: LeafId,
    /// The name in the leaf: a stranger's text.
    pub(in crate::meeting) name: String,
    /// Its rank among the committers, if it is one.
    pub(in crate::meeting) rank: Option<u8>,
    /// The leaf's key for signatures.
    pub(in crate::meeting) sign_key: [u8; 32],
    /// See [`person`].
    pub(in crate::meeting) person: [u8; 16],
}

/// Tells that one leaf follows another. The run itself stays among the speakers: somebody who knew it
/// could come in as the one who was there.
pub(in crate::meeting) fn person(run: &[u8; 16]) -> [u8; 16] {
    *derive(run, "stage person", &[])
}

/// See the module.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::meeting) struct Card {
    /// Says whose card this is, of which epoch, how new, and which co-hosts were removed.
    beat: Beat,
    /// What the keys of this epoch's media derive from.
    key: Passed,
    /// What the link pins.
    bundle: Vec<u8>,
    speakers: Vec<Speaker>,
    /// By the committer's key, over all of the rest.
    signature: Signature,
}

/// What a card says that is what it should be.
pub(super) struct Opened {
    pub(super) claim: Claim,
    pub(super) key: Passed,
    pub(super) bundle: Bundle,
    pub(super) speakers: Vec<Speaker>,
}

impl Card {
    /// The chair's, signed.
    pub(in crate::meeting) fn new(
        beat: Beat,
        key: &[u8; 32],
        bundle: &Bundle,
        speakers: Vec<Speaker>,
        committer: &sign::SigningKey,
    ) -> Option<Self> {
        let mut card = Self {
            beat,
            key: Passed::new(key),
            bundle: bundle.to_bytes(),
            speakers,
            signature: [0; 64].into(),
        };
        card.signature = committer.sign(&card.signed_bytes()?).into();
        Some(card)
    }

    fn signed_bytes(&self) -> Option<Zeroizing<Vec<u8>>> {
        let said = (&self.beat, &self.key, &self.bundle, &self.speakers);
        // Room for all of it, so that nothing is moved and left behind.
        let mut bytes = Vec::with_capacity(4096);
        bytes.extend_from_slice(LABEL);
        postcard::to_extend(&said, bytes).ok().map(Zeroizing::new)
    }

    /// What it says, if a committer of the meeting with this bundle signed it.
    pub(super) fn open(self, pinned: BundleHash) -> Option<Opened> {
        let signed = self.signed_bytes()?;
        let bundle = Bundle::from_bytes(&self.bundle)?;
        if bundle.hash() != pinned || !bundle.is_vigil() {
            return None;
        }
        let by = |rank: u8, bytes: &[u8], signature: &[u8; 64]| {
            let committer = bundle.committer(rank);
            committer.is_some_and(|keys| sign::verify(&keys.sign, bytes, signature))
        };
        let claim = self.beat.open(by).ok()?;
        if !by(claim.rank, &signed, &self.signature.into()) || !are_fine(&self.speakers) {
            return None;
        }
        Some(Opened {
            claim,
            key: self.key,
            bundle,
            speakers: self.speakers,
        })
    }
}

fn are_fine(speakers: &[Speaker]) -> bool {
    let mut leaves: Vec<LeafId> = speakers.iter().map(|one| one.leaf).collect();
    leaves.sort_unstable();
    leaves.dedup();
    speakers.len() <= SPEAKERS
        && leaves.len() == speakers.len()
        && speakers.iter().all(|one| one.name.len() <= NAME_BYTES)
}
