//! What people compare: five words for the whole meeting, and two for one knocker.
//!
//! It may know: the hash of the host's key bundle, a key package's hash, the lobby's handle, nonces.
//! It must never know: secrets of the meeting, names, connections, the clock.
//!
//! `docs/verification.md` says what the words prove and what they do not.

mod lists;
mod sas;
mod words;

pub use lists::Language;
pub use sas::{
    Attempt, Attempts, HostCommitted, KnockerAnswered, KnockerReady, SasContext, SasError,
    SasMessage, SasWords,
};
pub use words::{ARGON2_MEMORY_KIB, ARGON2_PASSES, MeetingWords};

#[cfg(test)]
mod tests;
