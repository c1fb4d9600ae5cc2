//! Frames under the keys of an epoch: who sealed them, which track they are of, and whether their sender signed them.
//!
//! It may know: the epoch's base secret, leaf indices, salts, frames, sealed bytes, the time as it is handed in.
//! It must never know: the group itself, long-lived keys (signing is a closure), rooms, the relay.
//!
//! In the order in which a frame meets them: [`SenderKeys`] seals (`schedule`, `pieces`, `padme`, `seal`,
//! `cipher`) and `attest` lists what it sealed; [`ReceiverKeys`] holds back what came too early
//! (`held`), opens (`seal`, `replay`), and `judge` says what was not signed. For who only watches, `gate`
//! stands before all that: it holds back what is not signed yet.

mod limits;

mod cipher;
mod padme;
mod pieces;
mod replay;
mod schedule;
mod seal;

mod attest;
mod gate;
mod held;
mod judge;

mod receiver;
mod sender;

pub use attest::{Attest, Hashes, Signature};
pub use gate::{Gate, SealedFrame};
pub use judge::Report;
pub use limits::{ATTEST_EVERY, HELD_BYTES, HELD_FOR, HELD_FRAMES, OLD_KEYS, SIGNED_WITHIN};
pub use receiver::{Came, Opened, ReceiverKeys};
pub use seal::Again;
pub use sender::SenderKeys;

pub(super) use attest::ATTEST;

#[cfg(test)]
mod tests;
