//! Names for what the owner deals with, and what it is told.

use bytes::Bytes;
use quinn_proto::StreamId;

/// What a turn found to receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// All is taken.
    Little,
    /// All is taken, and it was so much that the next look should come soon: a socket without
    /// privileges holds a few hundred packets.
    Much,
    /// There is more: the next turn should follow at once.
    More,
}

/// One connected peer. Its index is used again after it has gone, its generation is not.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Peer {
    pub(super) index: u32,
    pub(super) generation: u32,
}

impl Peer {
    /// A small number for dense tables.
    pub fn index(self) -> u32 {
        self.index
    }

    #[cfg(test)]
    pub(crate) fn for_tests(index: u32, generation: u32) -> Self {
        Self { index, generation }
    }
}

/// A group that a peer sends; unique within that peer.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IncomingGroup(pub(super) StreamId);

/// A group that goes to a peer; unique within that peer.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OutgoingGroup(pub(super) StreamId);

#[cfg(test)]
impl IncomingGroup {
    pub(crate) fn for_tests(number: u64) -> Self {
        Self(StreamId::new(
            quinn_proto::Side::Client,
            quinn_proto::Dir::Uni,
            number,
        ))
    }
}

#[cfg(test)]
impl OutgoingGroup {
    pub(crate) fn for_tests(number: u64) -> Self {
        Self(StreamId::new(
            quinn_proto::Side::Server,
            quinn_proto::Dir::Uni,
            number,
        ))
    }

    pub(crate) fn number_for_tests(self) -> u64 {
        self.0.index()
    }
}

/// What happened.
pub enum Event {
    /// A handshake is complete.
    Connected(Peer),
    /// Bytes of the peer's control stream, in order.
    Control(Peer, Bytes),
    /// A datagram.
    Datagram(Peer, Bytes),
    /// The peer began a group.
    GroupOpened(Peer, IncomingGroup),
    /// Bytes of a group, in order.
    GroupData(Peer, IncomingGroup, Bytes),
    /// A group is complete.
    GroupFinished(Peer, IncomingGroup),
    /// The peer gave a group up.
    GroupReset(Peer, IncomingGroup),
    /// The peer does not want the rest of a group.
    GroupStopped(Peer, OutgoingGroup),
    /// A group that took nothing more may take more, or another may be opened.
    Writable(Peer),
    /// The peer says nothing more on its control stream.
    ControlFinished(Peer),
    /// The peer is gone. Not said of one that the owner closed.
    Closed(Peer),
}

/// Why something was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The peer is gone or going.
    #[error("the peer is gone")]
    Gone,
    /// The peer lets too much pile up.
    #[error("the peer does not take what is sent to it")]
    Overflow,
}
