//! A participant's way to a relay: quinn on tokio.
//!
//! It may know: the relay's address, certificate hashes, this machine's own addresses.
//! It must never know: rooms, names, media, what the bytes it carries mean.

mod dial;
mod error;
mod group;
mod link;
mod verifier;
pub mod web;

pub use dial::connect;
pub use error::{BindFailed, ConnectError, DatagramError, GroupError, LostReason};
pub use group::{GroupReader, GroupWriter};
pub use link::{Farewell, Link, LinkStats};
pub(crate) use verifier::pinned_tls;

#[cfg(all(test, feature = "relay"))] // against its certificates
mod tests;
