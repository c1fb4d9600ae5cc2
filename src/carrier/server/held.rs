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
    waiting: Vec<Waiting>,
    /// Connections that may hold packets, by the time at which these must be taken.
    due: VecDeque<(Instant, usize)>,
}

/// What waits for one connection.
#[derive(Default)]
struct Waiting {
    packets: Vec<ConnectionEvent>,
    /// When the first of them must be taken.
    until: Option<Instant>,
    /// Until when the connection is expected to be visited anyway.
    listens: Option<Instant>,
}

impl Held {
    /// A connection was sent a datagram, and most likely is again before [`HELD_FOR`] is over; or
    /// (`false`) what it acknowledges is waited for.
    pub(super) fn listens(&mut self, index: usize, now: Instant, listens: bool) {
        if index >= self.waiting.len() {
            self.waiting.resize_with(index + 1, Waiting::default);
        }
        if let Some(waiting) = self.waiting.get_mut(index) {
            waiting.listens = listens.then(|| now + HELD_FOR);
        }
    }

    /// Whether a small packet for a connection may wait for its next visit.
    pub(super) fn takes(&self, index: usize, now: Instant) -> bool {
        self.waiting.get(index).is_some_and(|waiting| {
            waiting.listens.is_some_and(|until| now < until) && waiting.packets.len() < HELD_PACKETS
        })
    }

    /// Keeps a packet.
    pub(super) fn hold(&mut self, index: usize, now: Instant, packet: ConnectionEvent) {
        if let Some(waiting) = self.waiting.get_mut(index) {
            if waiting.packets.is_empty() {
                let until = now + HELD_FOR;
                waiting.until = Some(until);
                self.due.push_back((until, index));
            }
            waiting.packets.push(packet);
        }
    }

    /// What waits for a connection, oldest first.
    pub(super) fn take(&mut self, index: usize) -> Vec<ConnectionEvent> {
        match self.waiting.get_mut(index) {
            Some(waiting) => {
                waiting.until = None;
                std::mem::take(&mut waiting.packets)
            }
            None => Vec::new(),
        }
    }

    /// The connection is gone.
    pub(super) fn forget(&mut self, index: usize) {
        if let Some(waiting) = self.waiting.get_mut(index) {
            *waiting = Waiting::default();
        }
    }

    /// The next connection whose packets have waited long enough.
    pub(super) fn next_due(&mut self, now: Instant) -> Option<usize> {
        while let Some(&(until, index)) = self.due.front() {
            let waits = self.waiting.get(index).and_then(|waiting| waiting.until) == Some(until);
            if waits && until > now {
                break;
            }
            self.due.pop_front();
            if waits {
                return Some(index);
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
        self.waiting
            .iter()
            .map(|waiting| waiting.packets.len())
            .sum()
    }
}
