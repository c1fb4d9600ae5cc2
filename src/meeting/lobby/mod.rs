//! The lobby: how somebody with the meeting link asks to come in, and the chair lets them.
//!
//! It may know: the keys of committers, names that people chose, key packages and welcomes as bytes.
//! It must never know: who is inside, what MLS makes of the bytes, media keys, the envelope around
//! its bodies.
//!
//! A [`Knocker`] asks who holds the door, checks the answer against the link, and knocks; a
//! [`Porter`], the chair's side, keeps the knocks and answers them. Both are state machines without
//! I/O: they take and give plain [`LobbyBody`]s, which travel inside the lobby's envelope. Whoever
//! has the link can open that envelope, so nothing here rests on it: the door's word is signed by a
//! committer over the asker's nonce, a knock is sealed to that committer's key, and its answers to a
//! key that only the knock held.

mod limits;

mod body;
mod parts;
mod seal;

mod queue;
mod shown;

mod knocker;
mod outputs;

mod places;
mod porter;
mod waiter;
mod work;

pub use body::{Door, LobbyBody};
pub use knocker::Knocker;
pub use limits::{KEY_PACKAGE_BYTES, PAYLOAD_BYTES, PROOF_BYTES, SAS_BYTES, WAITING};
pub use outputs::{Knock, KnockerOutput, Status};
pub use porter::{AdmitError, LetIn, Porter, PorterOutput, Waiting};
pub use seal::Refusal;
pub(super) use seal::lobby_id;

#[cfg(test)]
mod tests;
