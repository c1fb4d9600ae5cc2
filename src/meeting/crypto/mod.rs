//! The primitives of MLS suite 1 (X25519, AES-128-GCM, SHA-256, Ed25519) and no others.
//!
//! It may know: keys, seeds, bytes.
//! It must never know: what any of them are for.
//!
//! All randomness comes from a seed that is passed in ([`Drbg`]); nothing here asks the system.

mod drbg;
pub mod hpke;
mod provider;
pub mod sign;

pub use provider::{Provider, SUITE};
