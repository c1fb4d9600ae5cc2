//! What waits to be sent: a queue for each socket, and the pool of empty buffers.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;

use super::control::Marks;
use super::limits::{POOLED_BYTES, QUEUED_BYTES, QUEUED_MESSAGES};
use super::pair::Ticket;

/// A message that waits. It holds a ticket and no address of a peer, real or made up.
///
/// Nor by accident: a short variant of an enum takes along whatever bytes stood where it was made,
/// and the queue keeps them. So no field has a variant that leaves four bytes unwritten.
pub(super) struct Queued {
    pub(super) bytes: Vec<u8>,
    pub(super) to: Ticket,
    /// Which of our own addresses it leaves from, in the form of IPv6; unspecified: any.
    source: Ipv6Addr,
    segment: Option<NonZeroU32>,
    ecn: Option<u8>,
    /// The first datagram of a message that the kernel refused to cut. If it leaves,
    /// cutting was what the kernel objected to.
    pub(super) trial: bool,
}

const _: () = assert!(
    size_of::<Queued>() <= size_of::<Vec<u8>>() + 32,
    "no padding"
);

impl Queued {
    pub(super) fn new(to: Ticket, marks: Marks, bytes: Vec<u8>) -> Self {
        let segment = marks.segment.and_then(|size| u32::try_from(size).ok());
        Self {
            bytes,
            to,
            source: match marks.local_ip {
                None => Ipv6Addr::UNSPECIFIED,
                Some(IpAddr::V4(ip)) => ip.to_ipv6_mapped(),
                Some(IpAddr::V6(ip)) => ip,
            },
            segment: segment.and_then(NonZeroU32::new),
            ecn: marks.ecn,
            trial: false,
        }
    }

    /// Set if the message is to be cut into datagrams of this length.
    pub(super) fn segment(&self) -> Option<usize> {
        self.segment.map(|size| size.get() as usize)
    }

    /// What is said beside it.
    pub(super) fn marks(&self) -> Marks {
        let local_ip = match self.source.to_ipv4_mapped() {
            Some(ip) => Some(IpAddr::V4(ip)),
            None => Some(IpAddr::V6(self.source)).filter(|ip| !ip.is_unspecified()),
        };
        Marks {
            local_ip,
            ecn: self.ecn,
            segment: self.segment(),
        }
    }
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
        let size = message.segment().unwrap_or(usize::MAX);
        let parts = message.bytes.chunks(size.saturating_mul(run.max(1)));
        for (number, part) in parts.enumerate().rev() {
            let mut bytes = pool.take();
            bytes.extend_from_slice(part);
            let marks = Marks {
                segment: Some(size).filter(|size| *size < part.len()),
                ..message.marks()
            };
            let mut cut = Queued::new(message.to, marks, bytes);
            cut.trial = message.trial && number == 0;
            self.put_back(cut);
        }
        pool.put(message.bytes);
    }
}

/// Empty buffers for the carrier to write packets into, without a trace of earlier ones. They keep their memory,
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

    /// Wipes the buffer and keeps it, if there is room: what was sent would stay until something as long
    /// is sent from there. It has just been in the kernel's hands, and so is in the cache.
    pub(super) fn put(&mut self, mut buffer: Vec<u8>) {
        if self.bytes + buffer.capacity() <= POOLED_BYTES && buffer.capacity() > 0 {
            buffer.fill(0);
            buffer.clear();
            self.bytes += buffer.capacity();
            self.buffers.push(buffer);
        }
    }
}
