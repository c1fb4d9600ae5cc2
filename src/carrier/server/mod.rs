//! The relay's end of QUIC and of WebTransport: drives `quinn-proto` for one shard, in one thread, without a lock.
//!
//! It may know: stand-ins, connections, streams, datagrams, close codes.
//! It must never know: real addresses of peers, what the bytes mean, text that a peer chose.
//!
//! A turn: [`Server::turn`] takes a batch from the airlock, gives each packet to its connection and
//! collects events; the owner acts on [`Server::next_event`] and sends; [`Server::flush`] asks each
//! touched connection for its packets and hands them to the airlock.

mod connections;
mod deadlines;
mod door;
mod drive;
mod held;
mod ids;
mod incoming;
mod open;
mod outgoing;
mod patience;
mod peer;
mod settings;
mod slot;
mod webtransport;

pub use super::limits::CONTROL_QUEUE;
pub use drive::Server;
pub use open::{ListenError, Sockets, listen, reachable};
pub use peer::{Event, IncomingGroup, Input, OutgoingGroup, Peer, SendError};
pub(super) use settings::tls;
pub use settings::{ServerSettings, draw_once};
#[doc(hidden)]
pub use webtransport::{Trial, Tried};

// A shard names the kind of socket that its server drives, and never touches one; an operator says
// what one address may take.
pub use crate::airlock::{BindError, HandedError, KernelSocket, PerAddress, Socket};

#[cfg(test)]
pub(crate) mod tests;
