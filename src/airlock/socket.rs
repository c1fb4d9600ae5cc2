//! What the airlock needs of a socket.

use std::net::SocketAddr;
use std::os::fd::BorrowedFd;

use super::batch::{ReceiveBatch, SendBatch};

/// An unconnected UDP socket: [`KernelSocket`](super::KernelSocket), or in tests
/// one of an in-memory network.
///
/// Only the airlock implements it, since the batches show their addresses to
/// nobody else.
pub trait Socket: Sealed {
    /// Our own address, with the port that the kernel chose.
    fn local_address(&self) -> SocketAddr;

    /// What it can do, as found when it was bound.
    fn features(&self) -> Features;

    /// Fills slots from the first on; returns how many.
    fn receive(&mut self, batch: &mut ReceiveBatch) -> Result<usize, ReceiveError>;

    /// Sends from the batch's first unsent message on; returns how many left. An
    /// error is about the first unsent message, and none has left.
    fn send(&mut self, batch: &mut SendBatch) -> Result<usize, SendError>;

    /// What to poll; `None` for a socket that the kernel does not know.
    fn descriptor(&self) -> Option<BorrowedFd<'_>>;

    /// Whether something waits to be received; asked only without a descriptor.
    fn ready(&self) -> bool {
        false
    }
}

/// Keeps implementations of [`Socket`] inside the airlock.
#[doc(hidden)]
pub trait Sealed {}

/// What a socket can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// Datagrams that one message may be cut into on send (GSO); 1 without.
    pub segments: usize,
    /// Whether several datagrams may arrive as one message (GRO).
    pub coalesces: bool,
    /// Whether it is bound to all addresses, so that the local one must be told
    /// with each message.
    pub wildcard: bool,
}

/// Why nothing was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiveError {
    /// Nothing is there.
    Empty,
    /// The report of an earlier packet's fate (an ICMP error): try again.
    Disturbed,
}

/// Why a message was not sent. The text and number of the system's error end in
/// the socket: with an address beside them they would say who is behind a firewall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The socket's buffer is full: wait until it is writable.
    Full,
    /// The kernel is short of memory: wait a moment.
    Crowded,
    /// A signal came: again.
    Interrupted,
    /// The kernel refuses to cut the message into segments.
    Segmentation,
    /// This message cannot be sent, others can.
    Refused,
}
