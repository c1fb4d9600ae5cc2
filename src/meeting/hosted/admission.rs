//! What one is given on being admitted, and how a member that lost the thread shows who it is.

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use crate::meeting::chair::Beat;
use crate::meeting::crypto::sign::SigningKey;
use crate::meeting::group::{Group, Joining, LeafId, Member};
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
    /// Enters the group.
    pub(super) fn open(payload: &[u8], joining: Joining) -> Option<Opened> {
        let admission: Self = postcard::from_bytes(payload).ok()?;
        let group = joining.enter(&admission.welcome).ok()?;
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

    /// That whoever knocks with this key package had these leaves; `None` when it had none.
    pub(super) fn prove(&self, key_package: &[u8]) -> Option<Vec<u8>> {
        let proofs: Vec<Proof> = self.0.iter().map(|key| prove(key, key_package)).collect();
        (!proofs.is_empty()).then(|| postcard::to_allocvec(&proofs).unwrap_or_default())
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

/// The leaf in the tree that whoever knocks with this key package has.
pub(super) fn returns(proof: &[u8], key_package: &[u8], roster: &[Member]) -> Option<LeafId> {
    let proofs: Vec<Proof> = postcard::from_bytes(proof).ok()?;
    proofs.iter().take(LEAVES).find_map(|proof| {
        let member = roster
            .iter()
            .find(|member| member.sign_key == proof.sign_key)?;
        let mut signature = [0; 64];
        signature.copy_from_slice(proof.signature.as_flattened());
        let signed = Group::verify(&proof.sign_key, RETURN, key_package, &signature);
        signed.then_some(member.leaf)
    })
}
