//! One socket of the airlock, and what waits to leave by it.

use super::batch::{ReceiveBatch, SendBatch};
use super::limits::{RECEIVE_ERRORS, SEGMENTED_BYTES};
use super::outbound::{Pool, Queue};
use super::socket::{ReceiveError, SendError, Socket};
use super::table::Table;

/// A socket and what waits to leave by it.
pub(super) struct Lane<S> {
    pub(super) socket: S,
    pub(super) queue: Queue,
    pub(super) segments: usize,
    wildcard: bool,
    pub(super) blocked: Blocked,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Blocked {
    No,
    /// The socket's own buffer is full, and polling tells when it no longer is.
    Full,
    /// The kernel's memory is short, and nothing tells when it no longer is.
    Crowded,
}

impl<S: Socket> Lane<S> {
    pub(super) fn new(socket: S) -> Self {
        let features = socket.features();
        Self {
            queue: Queue::default(),
            segments: features.segments.max(1),
            wildcard: features.wildcard,
            blocked: Blocked::No,
            socket,
        }
    }

    /// Receives one batch; returns how many slots are filled.
    pub(super) fn receive(&mut self, inbox: &mut ReceiveBatch, counters: &mut Counters) -> usize {
        for _ in 0..RECEIVE_ERRORS {
            match self.socket.receive(inbox) {
                Ok(filled) => return filled,
                Err(ReceiveError::Empty) => return 0,
                Err(ReceiveError::Disturbed) => counters.disturbed += 1,
            }
        }
        0
    }

    /// Sends the queue until it is empty or the socket is full.
    pub(super) fn drain(
        &mut self,
        table: &Table,
        outbox: &mut SendBatch,
        pool: &mut Pool,
        counters: &mut Counters,
    ) {
        while !self.queue.is_empty() && self.blocked == Blocked::No {
            self.fill(table, outbox, pool, counters);
            let refused_cut = self.send(outbox, counters);
            let mut unsent = 0;
            for (done, message) in outbox.wipe().rev() {
                if done {
                    pool.put(message.bytes);
                } else {
                    unsent += 1;
                    self.queue.put_back(message);
                }
            }
            if refused_cut && unsent > 0 {
                self.cut_first(pool);
            }
        }
    }

    /// Moves messages from the queue into the batch, under their real addresses.
    fn fill(
        &mut self,
        table: &Table,
        outbox: &mut SendBatch,
        pool: &mut Pool,
        counters: &mut Counters,
    ) {
        while !outbox.is_full()
            && let Some(message) = self.queue.pop()
        {
            let Some(to) = table.resolve(message.to) else {
                counters.nobody += 1;
                pool.put(message.bytes);
                continue;
            };
            if let Some(size) = message.segment() {
                let run = self.segments.min(SEGMENTED_BYTES / size);
                if message.bytes.len().div_ceil(size) > run.max(1) {
                    self.queue.put_back_cut(message, run, pool);
                    continue;
                }
            }
            let mut marks = message.marks();
            if !self.wildcard {
                marks.local_ip = None;
            }
            outbox.push(to, marks, message);
        }
    }

    /// Sends the batch as far as the socket takes it. `true` if it refused to cut the
    /// first message that remains.
    fn send(&mut self, outbox: &mut SendBatch, counters: &mut Counters) -> bool {
        while outbox.first_unsent().is_some() {
            match self.socket.send(outbox) {
                Ok(sent @ 1..) => {
                    counters.sent += sent as u64;
                    for message in outbox.advance(sent) {
                        counters.sent_bytes += message.bytes.len() as u64;
                        if message.trial {
                            self.segments = 1;
                        }
                    }
                }
                Err(SendError::Interrupted) => {}
                Err(SendError::Refused) => {
                    counters.refused += 1;
                    outbox.advance(1);
                }
                Err(SendError::Segmentation) => return true,
                Ok(0) | Err(SendError::Full) => {
                    counters.full += 1;
                    self.blocked = Blocked::Full;
                    return false;
                }
                Err(SendError::Crowded) => {
                    counters.full += 1;
                    self.blocked = Blocked::Crowded;
                    return false;
                }
            }
        }
        false
    }

    /// Cuts the first message of the queue ourselves, since the kernel would not.
    fn cut_first(&mut self, pool: &mut Pool) {
        let Some(mut message) = self.queue.pop() else {
            return;
        };
        message.trial = true;
        self.queue.put_back_cut(message, 1, pool);
    }
}

/// Sums over all peers since the start. Nothing here is about one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams handed up.
    pub received: u64,
    /// Bytes of messages received.
    pub received_bytes: u64,
    /// Messages that were cut off or came from nowhere.
    pub unreadable: u64,
    /// Messages of new peers that the table had no room for.
    pub crowded_out: u64,
    /// Receive calls that ended with the report of an earlier packet's fate.
    pub disturbed: u64,
    /// Messages that the kernel took (several datagrams each, with GSO).
    pub sent: u64,
    /// Bytes in them.
    pub sent_bytes: u64,
    /// Messages to a stand-in that nobody stands behind any more.
    pub nobody: u64,
    /// Messages that the kernel refused.
    pub refused: u64,
    /// Messages dropped since too many waited.
    pub overflowed: u64,
    /// Times that a socket had no room.
    pub full: u64,
}
