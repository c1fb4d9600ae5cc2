//! What a knocker brings, and what it tells of.

use zeroize::Zeroizing;

use super::body::LobbyBody;
use crate::meeting::links::Bundle;
use crate::meeting::secret::LinkSecret;
use crate::wire::To;

/// What somebody says of themselves when they knock.
pub struct Knock {
    /// The chosen name; at most [`NAME_BYTES`](crate::meeting::NAME_BYTES).
    pub name: String,
    /// For the group; at most [`KEY_PACKAGE_BYTES`](super::KEY_PACKAGE_BYTES).
    pub key_package: Vec<u8>,
    /// That this is a member who lost its way; at most [`PROOF_BYTES`](super::PROOF_BYTES). What is
    /// in it is for the chair's group to judge.
    pub proof_of_return: Option<Vec<u8>>,
}

/// How things stand, for the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Just came in.
    Asking,
    /// Nobody holds the door.
    HostNotHere,
    /// The knock is on its way or at the chair.
    Waiting,
    /// The meeting is locked; the knock waits all the same.
    Locked,
    /// Too many are waiting; it is tried again.
    Full,
    /// The chair does not let this one in. Nothing more follows.
    Denied,
}

/// What follows.
pub enum KnockerOutput {
    /// To seal into the lobby's envelope and send.
    Post {
        /// To whom.
        to: To,
        /// What.
        body: LobbyBody,
    },
    /// A committer has shown itself: the meeting as its links pin it. Once for each stay.
    Door(Bundle),
    /// Things stand otherwise than before.
    Status(Status),
    /// A SAS message of the chair.
    Sas(Vec<u8>),
    /// The meeting has another link now: knock there. Nothing more follows here.
    Moved(LinkSecret),
    /// Let in: what the chair gave to [`admit`](super::Porter::admit). Nothing more follows.
    Admitted(Zeroizing<Vec<u8>>),
}
