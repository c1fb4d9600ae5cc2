//! Ways to reach a relay: QUIC, TLS for its page, and its certificates.
//!
//! It may know: stand-ins, connections, streams, control bytes.
//! It must never know: real addresses of peers, rooms, names.

pub mod address;
pub mod certificate;
#[cfg(feature = "participant")]
pub mod client;
mod congestion;
#[cfg(feature = "relay")]
pub mod door;
#[cfg(feature = "relay")]
pub mod front;
#[cfg(feature = "relay")]
mod limits;
#[cfg(feature = "relay")]
pub mod server;
pub mod transport;
