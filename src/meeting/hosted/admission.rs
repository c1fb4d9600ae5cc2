//! What one is given on being admitted, and how a member that lost the thread shows who it is.

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use crate::meeting::chair::{Beat, Outcasts};
use crate::meeting::crypto::sign::SigningKey;
use crate::meeting::group::{Group, Joining, Member, run_of};
use crate::meeting::secret::{LinkSecret, Passed};

/// What a leaf signs here, and nothing else.
const RETURN: &str = "return";

/// Leaves of one's own that are remembered: the chair's tree may hold one that is not the last.
const LEAVES: usize = 2;

/// What stands in an answer besides the welcome: for the one who was admitted alone.
#[derive(Serialize, Deserialize)]
pub(super) struct Admission {
    pub(super) welcome: Vec<u8>,
    /// The secret of the main room.
    pub(super) main: Passed,
    /// The secret of the lobby.
    pub(super) link: Passed,
    /// The chair's newest: whose commits are to be taken.
    pub(super) beat: Beat,
    /// Beats that are passed on: which committers were removed by one before the chair.
    pub(super) words: Vec<Beat>,
}

/// What was in it.
pub(super) struct Opened {
    pub(super) group: Group,
    pub(super) main: LinkSecret,
    pub(super) link: LinkSecret,
    pub(super) beat: Beat,
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.welcome.zeroize();
    }
}

impl Admission {
    /// Enters the group, if a committer who was not removed stands there by its beat and has sent the
    /// welcome. Everybody has a committer's key still who ever had one.
    pub(super) fn open(
        payload: &[u8],
        mut joining: Joining,
        outcasts: &mut Outcasts,
    ) -> Option<Opened> {
        let admission: Self = postcard::from_bytes(payload).ok()?;
        let committers = joining.committers();
        let signed = |rank, bytes: &[u8], with: &[u8; 64]| committers.signed(rank, bytes, with);
        let claim = admission.beat.clone().open(signed).ok()?;
        outcasts.take_words(&admission.words, signed, |word| word.rank <= claim.rank);
        if outcasts.has_committer(claim.rank) {
            return None;
        }
        joining.refuse(outcasts.ranks());
        let group = joining.enter(&admission.welcome).ok()?;
        if (claim.epoch, claim.tag) != (group.epoch(), group.tag()) {
            return None;
        }
        let main = admission.main.room();
        let link = admission.link.room();
        let beat = admission.beat.clone();
        Some(Opened {
            group,
            main,
            link,
            beat,
        })
    }
}

/// The leaves that a participant had, the newest last.
#[derive(Default)]
pub(super) struct Returning(Vec<SigningKey>);

/// One leaf's signature over a new key package.
#[derive(Serialize, Deserialize)]
struct Proof {
    sign_key: [u8; 32],
    signature: [[u8; 32]; 2],
}

impl Returning {
    /// This leaf is one's own.
    pub(super) fn add(&mut self, key: SigningKey) {
        if self.0.len() >= LEAVES {
            self.0.remove(0);
        }
        self.0.push(key);
    }

    /// It has had none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// That whoever knocks with this key package had these leaves, and before all of them the one with
    /// the key `origin`; `None` when it had none.
    pub(super) fn prove(&self, origin: &SigningKey, key_package: &[u8]) -> Option<Vec<u8>> {
        let keys = std::iter::once(origin).chain(&self.0);
        let proofs: Vec<Proof> = keys.map(|key| prove(key, key_package)).collect();
        (!self.is_empty()).then(|| postcard::to_allocvec(&proofs).unwrap_or_default())
    }
}

fn prove(key: &SigningKey, key_package: &[u8]) -> Proof {
    let signature = Group::sign_with(key, RETURN, key_package);
    let mut halves = [[0; 32]; 2];
    halves.as_flattened_mut().copy_from_slice(&signature);
    Proof {
        sign_key: key.public(),
        signature: halves,
    }
}

/// The keys whose owner whoever knocks with this key package has shown to be.
pub(super) fn proven(proof: &[u8], key_package: &[u8]) -> Vec<[u8; 32]> {
    let proofs: Vec<Proof> = postcard::from_bytes(proof).unwrap_or_default();
    let signed = |proof: &&Proof| {
        let mut signature = [0; 64];
        signature.copy_from_slice(proof.signature.as_flattened());
        Group::verify(&proof.sign_key, RETURN, key_package, &signature)
    };
    let proofs = proofs.iter().take(1 + LEAVES).filter(signed);
    proofs.map(|proof| proof.sign_key).collect()
}

/// Whether this member, who has a leaf of its own in the tree if it is `back` and has shown to be the owner
/// of the keys `proven`, is the process that it says: no other has a leaf under the same run.
pub(super) fn is_certified(member: &Member, back: bool, proven: &[[u8; 32]]) -> bool {
    let mut keys = std::iter::once(&member.sign_key).chain(proven);
    back || keys.any(|key| run_of(key) == member.run)
}
