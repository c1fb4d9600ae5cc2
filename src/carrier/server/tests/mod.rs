//! The server against stock clients of quinn: in memory on a virtual clock, and over real sockets
//! on loopback. The relay's own tests lay rooms on the same network in memory.

#[path = "../../../../tests/support/anyone.rs"]
mod anyone;
pub(crate) mod client;
#[cfg(feature = "participant")]
mod loopback;
pub(crate) mod net;

mod arriving;
mod blocked;
mod clock;
mod crowds;
mod flood;
mod greedy;
mod groups;
mod hostile_web;
mod leaving;
mod lossy;
mod marks;
mod moving;
mod patience;
mod stateless;
mod traces;
mod waiting;
pub(crate) mod web;
