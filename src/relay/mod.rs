//! Rooms, subscriptions, the beat: what a relay does with what participants send.
//!
//! It may know: room handles, participant ids, tracks, groups, opaque bytes, its own pass.
//! It must never know: addresses, names, codecs, keys.

pub mod limits;

mod outlet;
pub use outlet::{Event, IncomingGroup, OutgoingGroup, Outlet, Peer, SendError};

mod rooms;
pub use rooms::{Beat, Census, Rooms};

mod guests;

mod access;
pub use access::Pass;

mod uploads;

mod room;

mod post;

mod strain;

mod meter;

mod subscription;

mod delivery;

mod beat;

mod groups;

mod memory;

mod bus;
pub use bus::{Alone, Bus, GroupName, News, Parcel, ShardId};

mod crossing;

mod bucket;

mod outflow;

mod draw;

mod shard;

#[allow(clippy::disallowed_types)] // where to listen
mod run;
pub use crate::carrier::server::Sockets;
pub use run::{Relay, RelayError, StopHandle};

#[allow(clippy::disallowed_types)] // where to listen
mod config;
pub use config::{AccessConfig, ConfigError, Limits, MetricsConfig, RelayConfig, Who};

mod fields;

mod fixed;

#[cfg(test)]
mod tests;
