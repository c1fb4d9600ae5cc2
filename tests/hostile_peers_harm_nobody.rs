//! Peers that break every rule: the offender is told why it is closed, the relay's memory stays
//! bounded, and the people in the meeting beside them lose no frame.
//!
//! The bounds on memory are those of a whole process built for tests, so each says what the relay
//! may hold by its limits and leaves room for the allocator. They catch what grows with what a peer
//! sends, not a few KiB. Offenders are paced to what a socket's buffer holds: a network that is
//! full loses packets whoever filled it.

#[path = "hostile_peers_harm_nobody/control.rs"]
mod control;
#[path = "hostile_peers_harm_nobody/media.rs"]
mod media;
#[path = "hostile_peers_harm_nobody/meeting.rs"]
mod meeting;
#[path = "hostile_peers_harm_nobody/packets.rs"]
mod packets;
#[path = "hostile_peers_harm_nobody/peer.rs"]
mod peer;
#[path = "hostile_peers_harm_nobody/scout.rs"]
mod scout;
#[path = "hostile_peers_harm_nobody/silence.rs"]
mod silence;
mod support;
