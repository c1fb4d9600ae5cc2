//! What a room can do to the outside: the few calls of the carrier that it needs. The room core
//! knows this trait and no socket; tests put a virtual carrier behind it.

use bytes::Bytes;

pub use crate::carrier::server::{Event, IncomingGroup, OutgoingGroup, Peer, SendError};
use crate::wire::CloseReason;

/// The way out of a room. None of the calls blocks or does I/O; what they queue leaves when the
/// shard flushes.
pub trait Outlet {
    /// Queues a whole control message. `Overflow`: the peer doesn't take what it is sent.
    fn send_control(&mut self, to: Peer, message: Bytes) -> Result<(), SendError>;
    /// Queues a bundle; the carrier may drop it.
    fn send_datagram(&mut self, to: Peer, bundle: Bytes) -> Result<(), SendError>;
    /// Lets a peer send groups at full speed: it is a member of a room now.
    fn widen(&mut self, peer: Peer);
    /// Opens a stream; a higher priority goes first. `None`: the peer allows no more, or is gone.
    fn open_group(&mut self, to: Peer, priority: i32) -> Option<OutgoingGroup>;
    /// Writes as much as the stream takes now, in bytes.
    fn write_group(&mut self, to: Peer, group: OutgoingGroup, chunks: &mut [Bytes]) -> usize;
    /// Ends a stream well.
    fn finish_group(&mut self, to: Peer, group: OutgoingGroup);
    /// Ends a stream in the middle.
    fn reset_group(&mut self, to: Peer, group: OutgoingGroup);
    /// Asks a peer to write no more on a stream, and forgets it.
    fn stop_incoming(&mut self, from: Peer, group: IncomingGroup);
    /// Ends a connection after what is queued on its control stream.
    fn close(&mut self, peer: Peer, reason: CloseReason);
}
