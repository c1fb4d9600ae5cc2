//! sottovoce: a meeting relay that keeps no record of who met.
//!
//! Read the folders in the order in which a frame meets them:
//! [`airlock`] (sockets and addresses), [`carrier`] (QUIC), [`wire`] (the
//! vocabulary), [`relay`] (rooms and the beat); and on people's devices
//! [`meeting`] (end to end), [`stay`] (the way to a relay and back) and [`participant`] (media in and out). [`drill`] seizes a relay of
//! one's own.
//! [`page`] is what a relay gives to browsers. [`system`] has words for what the operating system refuses.
//! `docs/architecture.md` draws the picture.
#![deny(unsafe_code)]
// See clippy.toml.
#![deny(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::disallowed_types
)]
#![cfg_attr(not(test), deny(clippy::print_stderr, clippy::print_stdout))]
#![warn(missing_docs)]

#[cfg(feature = "meeting")]
pub mod meeting;
#[cfg(feature = "meeting")]
pub mod stay;
pub mod wire;

#[cfg(feature = "relay")]
#[allow(clippy::disallowed_types)] // here they are
pub mod airlock;
#[cfg(feature = "native")]
#[allow(clippy::disallowed_types)] // a stand-in has the type of an address
pub mod carrier;
#[cfg(feature = "participant")]
#[allow(clippy::disallowed_types)] // its canaries are addresses
pub mod drill;
#[cfg(feature = "relay")]
pub mod page;
#[cfg(feature = "participant")]
pub mod participant;
#[cfg(feature = "native")]
pub mod quiet;
#[cfg(feature = "relay")]
pub mod relay;
#[cfg(feature = "native")]
pub mod system;
