//! What is said between participants: in a room's envelope ([`Plain`]), and inside the group
//! ([`Said`]), where it is certain who says it.

use serde::{Deserialize, Serialize};

use crate::meeting::chair::{Beat, Runs};
use crate::meeting::lobby::LobbyBody;
use crate::meeting::media::Attest;
use crate::meeting::secret::Passed;
use crate::meeting::standing::Standing;
use crate::meeting::track::Presence;
use crate::wire::{ParticipantId, TrackId};

/// What is in a room's envelope. Whoever has the room's secret may have written it, so each of them
/// carries its own proof. New ones go to the end: postcard numbers them.
#[derive(Serialize, Deserialize)]
pub(super) enum Plain {
    /// Asking, knocking and answers. In the main room: one who lost the thread and knocks anew.
    Lobby(LobbyBody),
    /// A private message of the group (RFC 9420, section 6.3): a commit, or a [`Said`].
    Mls(Vec<u8>),
    /// The chair is alive.
    Beat(Beat),
    /// The sender's group is at this epoch and lacks what came after.
    Behind { epoch: u64 },
    /// In the committers' room, by a committer: who was removed.
    Outcasts(Told),
    /// The chair's answer: they are out, and this is the main room.
    Here { main: Passed, told: Told },
}

/// Who was removed, by a committer's word: the room's secret is not enough, since one who was removed
/// still has it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) outcasts: Runs,
    pub(super) rank: u8,
    /// Over [`Runs::signed_bytes`], or [`Runs::answer_bytes`] in an answer, in halves.
    pub(super) signature: [[u8; 32]; 2],
    /// Beats that are passed on: which committers were removed, by the signature of who did it, and of which
    /// line the teller is.
    pub(super) words: Vec<Beat>,
}

/// What members say, inside a private message of the group.
#[derive(Serialize, Deserialize)]
pub(super) enum Said {
    /// Where and what the sender is. Binds its id in this room, which is the relay's word, to its leaf.
    Here {
        /// What it sends. The name in it is not looked at: the leaf has it.
        presence: Presence,
        /// How it stands.
        standing: Standing,
        /// Of its media keys.
        salt: [u8; 16],
        /// Its id in the room in which this is said.
        me: ParticipantId,
        /// Whether it signs what it sends.
        signs: bool,
        /// Whether those who hear it should say the same of themselves.
        asks: bool,
    },
    /// It leaves on purpose.
    Bye,
    /// A track has come to its end after so many frames, counted from number 0.
    Ended { track: TrackId, frames: u64 },
    /// To be read by people.
    Chat { number: u64, text: String },
    /// The chair's: everyone goes to the room that derives from this epoch.
    Move,
    /// Of one who held the chair and yielded: the others are in this main room.
    Merge { main: Passed },
    /// The chair's: a wish that everyone be quiet.
    AskQuiet,
    /// Signatures over what was sent.
    Attest(Attest),
    /// The chair's, in a room that it has left: where the others are, and the lobby's secret. For those
    /// whom `Move` did not reach.
    At { main: Passed, link: Passed },
    /// The chair's: the meeting is over for everybody.
    End,
}
