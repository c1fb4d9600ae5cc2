//! Small packets that wait until their connection is visited anyway.
//!
//! A connection is some 10 KiB of memory, and with hundreds of them each visit finds it out of the
//! processor's cache: to take an acknowledgement costs as much as to send a packet. A listener is
//! visited on its next beat, so what is most likely a bare acknowledgement waits for that. A packet
//! keeps the time at which it came, so that quinn measures the round trip as if it had not waited.

use std::collections::VecDeque;
use std::time::Instant;

use quinn_proto::ConnectionEvent;

use super::super::limits::{HELD_FOR, HELD_PACKETS};

/// Packets by connection index.
#[derive(Default)]
pub(super) struct Held {
    packets: Vec<Vec<ConnectionEvent>>,
    /// Until when a connection is expected to be visited anyway.
    listens: Vec<Option<Instant>>,
    /// Connections that may hold packets, by the time at which these must be taken.
    due: VecDeque<(Instant, usize)>,
}

impl Held {
    /// A connection was sent a datagram, and most likely is again before [`HELD_FOR`] is over; or
    /// (`false`) what it acknowledges is waited for.
    pub(super) fn listens(&mut self, index: usize, now: Instant, listens: bool) {
        if index >= self.listens.len() {
            self.listens.resize(index + 1, None);
            self.packets.resize_with(index + 1, Vec::new);
        }
        if let Some(until) = self.listens.get_mut(index) {
            *until = listens.then(|| now + HELD_FOR);
        }
    }

    /// Whether a small packet for a connection may wait for its next visit.
    pub(super) fn takes(&self, index: usize, now: Instant) -> bool {
        let listens = self.listens.get(index).copied().flatten();
        let room = |packets: &Vec<_>| packets.len() < HELD_PACKETS;
        listens.is_some_and(|until| now < until) && self.packets.get(index).is_some_and(room)
    }

    /// Keeps a packet.
    pub(super) fn hold(&mut self, index: usize, now: Instant, packet: ConnectionEvent) {
        if let Some(packets) = self.packets.get_mut(index) {
            if packets.is_empty() {
                self.due.push_back((now + HELD_FOR, index));
            }
            packets.push(packet);
        }
    }

    /// What waits for a connection, oldest first.
    pub(super) fn take(&mut self, index: usize) -> Vec<ConnectionEvent> {
        self.packets
            .get_mut(index)
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// The connection is gone.
    pub(super) fn forget(&mut self, index: usize) {
        self.take(index);
        if let Some(until) = self.listens.get_mut(index) {
            *until = None;
        }
    }

    /// The next connection whose packets have waited long enough.
    pub(super) fn next_due(&mut self, now: Instant) -> Option<usize> {
        while let Some(&(until, index)) = self.due.front() {
            if self.packets.get(index).is_none_or(Vec::is_empty) {
                self.due.pop_front();
            } else if until <= now {
                self.due.pop_front();
                return Some(index);
            } else {
                break;
            }
        }
        None
    }

    /// When to ask for the next; may be early, is never late.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.due.front().map(|&(until, _)| until)
    }

    /// Packets that wait, in all.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.packets.iter().map(Vec::len).sum()
    }
}
