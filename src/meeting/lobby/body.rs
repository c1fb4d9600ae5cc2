//! What is said in the lobby: the outer bodies, and what is sealed inside them.

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::limits::{KEY_PACKAGE_BYTES, PARTS, PROOF_BYTES, SAS_BYTES};
use crate::meeting::chair::Beat;
use crate::meeting::limits::NAME_BYTES;
use crate::meeting::secret::Passed;

/// A body in the lobby, in plain. New ones go to the end: postcard numbers them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LobbyBody {
    /// Knocker to everyone: who holds the door?
    Ask {
        /// Drawn for this question.
        nonce: [u8; 16],
    },
    /// Chair to one: I do.
    Door(Door),
    /// Knocker to the chair.
    Knock {
        /// HPKE to the committer's lobby key.
        sealed: Vec<u8>,
    },
    /// Chair to one who knocked.
    Answer {
        /// Drawn by the chair for each knock: no key is ever used twice, whoever replays what.
        salt: [u8; 16],
        /// Counts the answers under that salt.
        counter: u64,
        /// AEAD under a key from the knock's reply key.
        sealed: Vec<u8>,
    },
    /// Knocker to the chair, after its knock.
    Reply {
        /// Counts the replies after that knock.
        counter: u64,
        /// AEAD under another key from the knock's reply key.
        sealed: Vec<u8>,
    },
    /// Chair to those who are let in, all at once if they are several: a part of what they are given.
    Part {
        /// Which, from 0.
        index: u8,
        /// AEAD under the key that stands in each one's answer.
        sealed: Vec<u8>,
    },
}

/// The chair's word that it is the chair.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Door {
    /// The bundle whose hash the link pins.
    pub bundle: Vec<u8>,
    /// Which committer speaks.
    pub rank: u8,
    /// Drawn by each porter: a knock is for this one only.
    pub run: [u8; 16],
    /// Nobody is let in at the moment.
    pub locked: bool,
    /// The asker's knock is here.
    pub known: bool,
    /// Beats of lower ranks: which committers of ranks below this one were removed. Whoever was removed has
    /// its key still, and could answer as well.
    pub words: Vec<Beat>,
    /// Ed25519 over all of it, the lobby, both participants, and the asker's nonce.
    pub signature: Vec<u8>,
}

/// What a knock holds.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct KnockPlain {
    pub(super) reply_key: Passed,
    /// Rises with each knock of one knocker: an old one takes no place.
    pub(super) attempt: u32,
    pub(super) name: String,
    pub(super) key_package: Vec<u8>,
    pub(super) proof_of_return: Option<Vec<u8>>,
}

impl KnockPlain {
    pub(super) fn is_within_bounds(&self) -> bool {
        self.name.len() <= NAME_BYTES
            && self.key_package.len() <= KEY_PACKAGE_BYTES
            && self
                .proof_of_return
                .as_ref()
                .is_none_or(|proof| proof.len() <= PROOF_BYTES)
    }
}

/// What an answer holds.
#[derive(Serialize, Deserialize)]
pub(super) enum Answer {
    Waiting,
    Locked,
    Denied,
    Full,
    Moved {
        link_secret: Passed,
    },
    Sas(Vec<u8>),
    /// What is given comes in so many parts under this key.
    Admitted {
        key: Passed,
        of: u8,
    },
}

impl Answer {
    pub(super) fn is_within_bounds(&self) -> bool {
        match self {
            Self::Sas(message) => message.len() <= SAS_BYTES,
            Self::Admitted { of, .. } => (1..=PARTS).contains(&usize::from(*of)),
            _ => true,
        }
    }
}

/// What a reply holds.
#[derive(Serialize, Deserialize)]
pub(super) enum Reply {
    Sas(Vec<u8>),
}
