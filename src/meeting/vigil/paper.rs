//! Papers: what speakers publish for viewers besides media, each in one frame of a group on
//! [`PAPERS`](super::PAPERS). Sealed in a room's envelope under the viewer key, which keeps the relay
//! out; whoever has the link could have written any paper, so each carries its own proof.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::card::Card;
use super::limits::PAPER;
use crate::meeting::envelope::{Receiver, Sealed, Sender};
use crate::meeting::events::Rejection;
use crate::meeting::group::{Group, LeafId};
use crate::meeting::media::{Attest, Signature};
use crate::meeting::secret::LinkSecret;
use crate::meeting::standing::Standing;
use crate::meeting::track::Presence;
use crate::wire::{ParticipantId, To, TrackId};

/// New ones go to the end: postcard numbers them.
#[derive(Serialize, Deserialize)]
pub(in crate::meeting) enum Paper {
    /// The chair's: who speaks, and the stage key.
    Card(Box<Card>),
    /// A speaker's, about itself.
    Word(Box<Word>),
    /// A speaker's signatures over its media.
    Attest(Attest),
}

/// What a speaker says of itself, signed by its leaf's key.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::meeting) struct Word {
    /// Its leaf in the speakers' group.
    pub(in crate::meeting) leaf: LeafId,
    pub(in crate::meeting) says: Says,
    signature: Signature,
}

/// See [`Word`].
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::meeting) enum Says {
    /// It is the participant of this id in the stage room, and sends this.
    Here {
        /// The name in it is empty: the card has it.
        presence: Presence,
        /// How it stands.
        standing: Standing,
        /// Of its media keys.
        salt: [u8; 16],
    },
    /// A track has come to its end after so many frames, counted from number 0.
    Ended { track: TrackId, frames: u64 },
    /// It leaves on purpose.
    Bye,
    /// The meeting is over for everybody: counts where the chair says it.
    End,
}

/// What a leaf's signature over a word is for.
const STAGE: &str = "stage";

impl Word {
    /// Signs it as the participant `me` of the stage room, whose media keys have that salt.
    pub(in crate::meeting) fn sign(
        group: &Group,
        me: ParticipantId,
        salt: &[u8; 16],
        says: Says,
    ) -> Option<Self> {
        let signature = group.sign(STAGE, &signed_bytes(me, salt, &says)?).into();
        let leaf = group.me();
        Some(Self {
            leaf,
            says,
            signature,
        })
    }

    /// Whether it is no larger than a speaker's may be.
    pub(super) fn is_acceptable(&self) -> bool {
        match &self.says {
            Says::Here { presence, .. } => presence.is_acceptable(),
            Says::Ended { .. } | Says::Bye | Says::End => true,
        }
    }

    /// Whether the leaf with this key signed it, as that participant and with that salt.
    pub(in crate::meeting) fn is_by(
        &self,
        key: &[u8; 32],
        from: ParticipantId,
        salt: &[u8; 16],
    ) -> bool {
        let signature = self.signature.into();
        signed_bytes(from, salt, &self.says)
            .is_some_and(|bytes| Group::verify(key, STAGE, &bytes, &signature))
    }
}

fn signed_bytes(me: ParticipantId, salt: &[u8; 16], says: &Says) -> Option<Vec<u8>> {
    postcard::to_allocvec(&(me.0, salt, says)).ok()
}

/// Seals papers of one connection to the stage room.
pub(in crate::meeting) struct Seal(Sender);

impl Seal {
    /// Of the participant `me`. `salt` must be random and never used again.
    pub(in crate::meeting) fn new(viewer: &LinkSecret, salt: [u8; 16], me: ParticipantId) -> Self {
        Self(Sender::new(viewer, salt, me))
    }

    /// `None` when it is larger than any paper may be.
    pub(in crate::meeting) fn seal(&mut self, paper: &Paper) -> Option<Bytes> {
        let to = To::Everyone;
        let sealed = self.0.seal(&Sealed { to, body: paper })?;
        Some(sealed.into())
    }
}

impl Paper {
    /// Opens a paper that came by the relay's word from that participant.
    ///
    /// # Errors
    /// [`Rejection::TooLarge`], [`Rejection::NotAuthentic`], [`Rejection::Malformed`].
    pub(in crate::meeting) fn open(
        viewer: &LinkSecret,
        from: ParticipantId,
        sealed: &[u8],
    ) -> Result<Self, Rejection> {
        if sealed.len() > PAPER {
            return Err(Rejection::TooLarge);
        }
        // Papers of two groups may overtake each other, so that order is not asked for here: each kind
        // knows itself what is old.
        let (_, sealed) = Receiver::first::<Self>(viewer, from, sealed)?;
        Ok(sealed.body)
    }
}
