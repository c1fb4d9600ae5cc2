//! What waits to be sent: a queue for each socket, and the pool of empty buffers.

use std::collections::VecDeque;
use std::net::IpAddr;

use super::limits::{POOLED_BYTES, QUEUED_BYTES, QUEUED_MESSAGES};
use super::pair::Ticket;

/// A message that waits. It holds a ticket and no address, real or made up.
pub(super) struct Queued {
    pub(super) to: Ticket,
    pub(super) source_ip: Option<IpAddr>,
    pub(super) ecn: Option<u8>,
    /// Set if the message is to be cut into datagrams of this length.
    pub(super) segment: Option<usize>,
    /// The first datagram of a message that the kernel refused to cut. If it leaves,
    /// cutting was what the kernel objected to.
    pub(super) trial: bool,
    pub(super) bytes: Vec<u8>,
}

/// Messages in order, bounded in number and bytes.
#[derive(Default)]
pub(super) struct Queue {
    messages: VecDeque<Queued>,
    bytes: usize,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Gives the message back if there is no room.
    pub(super) fn push(&mut self, message: Queued) -> Result<(), Queued> {
        if self.messages.len() >= QUEUED_MESSAGES || self.bytes + message.bytes.len() > QUEUED_BYTES
        {
            return Err(message);
        }
        self.bytes += message.bytes.len();
        self.messages.push_back(message);
        Ok(())
    }

    /// Back to the front, where it came from.
    pub(super) fn put_back(&mut self, message: Queued) {
        self.bytes += message.bytes.len();
        self.messages.push_front(message);
    }

    pub(super) fn pop(&mut self) -> Option<Queued> {
        let message = self.messages.pop_front()?;
        self.bytes -= message.bytes.len();
        Some(message)
    }

    /// Puts `message` back to the front, in order, as messages of at most `run`
    /// datagrams each.
    pub(super) fn put_back_cut(&mut self, message: Queued, run: usize, pool: &mut Pool) {
        let size = message.segment.unwrap_or(usize::MAX);
        let parts = message.bytes.chunks(size.saturating_mul(run.max(1)));
        for (number, part) in parts.enumerate().rev() {
            let mut bytes = pool.take();
            bytes.extend_from_slice(part);
            let segment = Some(size).filter(|size| *size < part.len());
            let trial = message.trial && number == 0;
            self.put_back(Queued {
                bytes,
                segment,
                trial,
                ..message
            });
        }
        pool.put(message.bytes);
    }
}

/// Empty buffers for the carrier to write packets into. They keep their memory,
/// so that a beat allocates nothing.
#[derive(Default)]
pub(super) struct Pool {
    buffers: Vec<Vec<u8>>,
    bytes: usize,
}

impl Pool {
    /// An empty buffer: the one used last, which is still in the cache.
    pub(super) fn take(&mut self) -> Vec<u8> {
        let buffer = self.buffers.pop().unwrap_or_default();
        self.bytes -= buffer.capacity();
        buffer
    }

    /// Empties the buffer and keeps it, if there is room.
    pub(super) fn put(&mut self, mut buffer: Vec<u8>) {
        if self.bytes + buffer.capacity() <= POOLED_BYTES && buffer.capacity() > 0 {
            buffer.clear();
            self.bytes += buffer.capacity();
            self.buffers.push(buffer);
        }
    }
}
