//! The server against stock clients of quinn: in memory on a virtual clock, and over real sockets
//! on loopback.

#[path = "../../../../tests/support/anyone.rs"]
mod anyone;
mod client;
#[cfg(feature = "participant")]
mod loopback;
mod net;

mod arriving;
mod blocked;
mod clock;
mod crowds;
mod flood;
mod greedy;
mod groups;
mod leaving;
mod lossy;
mod marks;
mod moving;
mod patience;
mod stateless;
mod traces;
mod waiting;
mod web;
