//! What a room can do to the outside: the few calls of the carrier that it needs. The room core
//! knows this trait and no socket; tests put a virtual carrier behind it.

use bytes::Bytes;

use crate::wire::CloseReason;

/// The way out of a room. None of the calls blocks or does I/O; what they queue leaves when the
/// shard flushes.
pub trait Outlet {
    /// Queues a whole control message. `Overflow`: the peer doesn't take what it is sent.
    fn send_control(&mut self, to: Peer, message: Bytes) -> Result<(), SendError>;
    /// Queues a bundle; the carrier may drop it.
    fn send_datagram(&mut self, to: Peer, bundle: Bytes) -> Result<(), SendError>;
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

/// A connection.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Peer {
    index: u32,
    generation: u32,
}

impl Peer {
    /// Its place in a table; used again by another connection once it is closed.
    pub fn index(self) -> u32 {
        self.index
    }
}

/// A stream that a peer writes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IncomingGroup(u64);

/// A stream that a peer reads.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OutgoingGroup(u64);

/// Why something was not queued.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SendError {
    /// The connection is closed.
    Gone,
    /// The peer does not take what it is sent.
    Overflow,
}

/// What happened on a connection.
pub enum Event {
    /// There is one more.
    Connected(Peer),
    /// Bytes on its control stream.
    Control(Peer, Bytes),
    /// A datagram.
    Datagram(Peer, Bytes),
    /// A stream of a group begins.
    GroupOpened(Peer, IncomingGroup),
    /// Bytes on it.
    GroupData(Peer, IncomingGroup, Bytes),
    /// Its good end.
    GroupFinished(Peer, IncomingGroup),
    /// Its bad end.
    GroupReset(Peer, IncomingGroup),
    /// The peer wants no more of a stream of ours.
    GroupStopped(Peer, OutgoingGroup),
    /// More group bytes may be written.
    Writable(Peer),
    /// The end of its control stream.
    ControlFinished(Peer),
    /// It is gone.
    Closed(Peer),
}

#[cfg(test)]
impl Peer {
    pub(super) fn for_tests(index: u32, generation: u32) -> Self {
        Self { index, generation }
    }
}

#[cfg(test)]
impl IncomingGroup {
    pub(super) fn for_tests(number: u64) -> Self {
        Self(number)
    }
}

#[cfg(test)]
impl OutgoingGroup {
    pub(super) fn for_tests(number: u64) -> Self {
        Self(number)
    }

    pub(super) fn number_for_tests(self) -> u64 {
        self.0
    }
}
