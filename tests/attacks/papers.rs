//! Papers of a vigil, written from `docs/vigil.md`, and a committer who signs a card of its own.

use serde::{Deserialize, Serialize};
use sottovoce::meeting::chair::{Beat, Claim};
use sottovoce::meeting::crypto::sign::SigningKey;
use sottovoce::meeting::group::LeafId;
use sottovoce::meeting::media::{Attest, Signature};
use sottovoce::meeting::{Presence, Standing};
use sottovoce::wire::TrackId;

pub const PAPERS: TrackId = TrackId(15);

#[derive(Serialize, Deserialize)]
pub enum Paper {
    Card(Card),
    Word(Word),
    Attest(Attest),
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Card {
    pub beat: Beat,
    pub key: [u8; 32],
    pub bundle: Vec<u8>,
    pub speakers: Vec<Speaker>,
    pub signature: Signature,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Speaker {
    pub leaf: LeafId,
    pub name: String,
    pub rank: Option<u8>,
    pub sign_key: [u8; 32],
    pub person: [u8; 16],
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Word {
    pub leaf: LeafId,
    pub says: Says,
    pub signature: Signature,
}

#[derive(Clone, Serialize, Deserialize)]
pub enum Says {
    Here {
        presence: Presence,
        standing: Standing,
        salt: [u8; 16],
    },
    Ended {
        track: TrackId,
        frames: u64,
    },
    Bye,
    End,
}

impl Card {
    pub fn claim(&self) -> Claim {
        self.beat.clone().open(|_, _, _| true).expect("a beat")
    }

    /// The same by a committer, with that claim and stage key.
    pub fn by(&self, committer: &SigningKey, claim: Claim, key: [u8; 32]) -> Self {
        let beat = claim.sign(|bytes| committer.sign(bytes));
        let mut card = Self {
            beat,
            key,
            ..self.clone()
        };
        let said = (&card.beat, &card.key, &card.bundle, &card.speakers);
        let label = b"sottovoce stage card 1\0".to_vec();
        let signed = postcard::to_extend(&said, label).expect("encodes");
        card.signature = committer.sign(&signed).into();
        card
    }
}
