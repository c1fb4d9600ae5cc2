//! All connections of a shard: packets in, timers, events out.

mod admission;
mod hearing;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::BytesMut;
use quinn_proto::{
    ConnectionEvent, DatagramEvent, EcnCodepoint, Endpoint, EndpointConfig, Incoming, ServerConfig,
    Transmit,
};
use rustls::server::ResolvesServerCert;

use super::super::limits::{HELD_SIZE, LARGEST, RETRY_FROM};
use super::deadlines::Deadlines;
use super::door::Door;
use super::held::Held;
use super::settings::{ServerSettings, server_config};
use super::slot::{PathChange, Slot, Stage};
use super::{Event, Peer};
use crate::airlock::{Departure, StandIn};

/// Connections without sockets: everything of the server but the airlock.
pub(super) struct Connections {
    endpoint: Endpoint,
    door: Door,
    /// What another one is made of.
    configs: (Arc<EndpointConfig>, Arc<ServerConfig>),
    slots: Vec<Option<Box<Slot>>>,
    generations: Vec<u32>,
    deadlines: Deadlines,
    pub(super) held: Held,
    due: Vec<usize>,
    touched: VecDeque<usize>,
    /// First packets of this batch.
    newcomers: VecDeque<(StandIn, Incoming)>,
    /// Those of them who have shown their address, when a turn has begun all that it may.
    waiting: VecDeque<(StandIn, Incoming)>,
    handshakes: usize,
    /// Handshakes that were begun in this turn.
    begun: usize,
    most: usize,
    retry_from: usize,
    closing_down: bool,
    pub(super) now: Instant,
    pub(super) events: VecDeque<Event>,
    pub(super) replies: Vec<Departure>,
    pub(super) paths: Vec<PathChange>,
    pub(super) open: usize,
    /// Connections that speak HTTP/3.
    webs: usize,
    next_sweep: Instant,
}

impl Connections {
    pub(super) fn new(
        settings: &ServerSettings,
        certificates: Arc<dyn ResolvesServerCert>,
        now: Instant,
    ) -> Result<Self, rustls::Error> {
        let server = Arc::new(server_config(certificates)?);
        let configs = (Arc::new(settings.endpoint()), server);
        Ok(Self {
            endpoint: endpoint(&configs),
            configs,
            door: Door::new(settings, now),
            slots: Vec::new(),
            generations: Vec::new(),
            deadlines: Deadlines::default(),
            held: Held::default(),
            due: Vec::new(),
            touched: VecDeque::new(),
            newcomers: VecDeque::new(),
            waiting: VecDeque::new(),
            handshakes: 0,
            begun: 0,
            most: settings.connections,
            // Spoofed newcomers take a small part of the seats, also where there are few.
            retry_from: RETRY_FROM.min(settings.connections / 4).max(1),
            closing_down: false,
            now,
            events: VecDeque::new(),
            replies: Vec::new(),
            paths: Vec::new(),
            open: 0,
            webs: 0,
            next_sweep: now,
        })
    }

    /// Whether newcomers wait for the next turn.
    pub(super) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// After the last connection has gone: an endpoint's tables keep the bytes of what was taken out
    /// of them, stand-ins among it. Those of one that is dropped are freed, and so wiped.
    fn begin_anew(&mut self) {
        self.endpoint = endpoint(&self.configs);
    }

    /// To be called before the first datagram of a turn.
    pub(super) fn begin_turn(&mut self, now: Instant) {
        self.now = now;
        self.begun = 0;
    }

    /// One datagram from the airlock.
    pub(super) fn datagram(
        &mut self,
        from: StandIn,
        local_ip: Option<IpAddr>,
        ecn: Option<u8>,
        bytes: &[u8],
    ) {
        if bytes.len() > LARGEST || !self.door.lets_in(self.now, bytes) {
            return;
        }
        let ecn = ecn.and_then(EcnCodepoint::from_bits);
        let data = BytesMut::from(bytes);
        let mut answer = Vec::new();
        let event = self
            .endpoint
            .handle(self.now, from.quic(), local_ip, ecn, data, &mut answer);
        match event {
            Some(DatagramEvent::ConnectionEvent(handle, event))
                if bytes.len() <= HELD_SIZE && self.held.takes(handle.0, self.now) =>
            {
                self.held.hold(handle.0, self.now, event);
            }
            Some(DatagramEvent::ConnectionEvent(handle, event)) => self.give(handle.0, event),
            Some(DatagramEvent::NewConnection(incoming)) => {
                if incoming.remote_address_validated() {
                    self.newcomers.push_front((from, incoming));
                } else {
                    self.newcomers.push_back((from, incoming));
                }
            }
            Some(DatagramEvent::Response(transmit)) if self.door.lets_out(self.now, bytes) => {
                self.reply(from, &transmit, answer);
            }
            Some(DatagramEvent::Response(_)) | None => {}
        }
    }

    fn give(&mut self, index: usize, event: ConnectionEvent) {
        self.give_held(index);
        if let Some(slot) = self.slot(index) {
            slot.quic.handle_event(event);
            self.touch(index);
        }
    }

    /// Marks a connection as one to pump and to flush.
    pub(super) fn touch(&mut self, index: usize) {
        if let Some(slot) = self.slots.get_mut(index).and_then(Option::as_mut)
            && !slot.touched
        {
            slot.touched = true;
            self.touched.push_back(index);
        }
    }

    /// It is flushed by other means than [`next_touched`](Self::next_touched).
    pub(super) fn untouch(&mut self, index: usize) {
        if let Some(slot) = self.slot(index) {
            slot.touched = false;
        }
    }

    /// Whether there still is memory for the connection of a peer; does not look at it.
    pub(super) fn is(&self, peer: Peer) -> bool {
        self.generations.get(peer.index as usize) == Some(&peer.generation)
    }

    /// The connection of a peer, if datagrams may still be sent on it.
    pub(super) fn living(&mut self, peer: Peer) -> Option<&mut Slot> {
        let slot = self.is(peer).then(|| self.slot(peer.index as usize))??;
        matches!(slot.stage, Stage::Open | Stage::Closing(_)).then_some(slot)
    }

    /// The connection of a peer that is still open, marked as touched.
    pub(super) fn open_slot(&mut self, peer: Peer) -> Option<&mut Slot> {
        if !self.is(peer) {
            return None;
        }
        let slot = self.slots.get_mut(peer.index as usize)?.as_mut()?;
        if slot.stage != Stage::Open {
            return None;
        }
        if !slot.touched {
            slot.touched = true;
            self.touched.push_back(peer.index as usize);
        }
        Some(slot)
    }

    /// Timers that are due, and packets that have waited long enough.
    pub(super) fn timers(&mut self) {
        while let Some(index) = self.held.next_due(self.now) {
            self.give_held(index);
            self.touch(index);
        }
        let mut due = std::mem::take(&mut self.due);
        self.deadlines.due(self.now, &mut due);
        for index in due.drain(..) {
            // A timer must not find unacknowledged what is acknowledged.
            self.give_held(index);
            if let Some(slot) = self.slots.get_mut(index).and_then(Option::as_mut) {
                slot.quic.handle_timeout(self.now);
                slot.thorough = true;
                self.touch(index);
            }
        }
        self.due = due;
    }

    /// Gives a connection the packets that waited for it; whether there were any.
    fn give_held(&mut self, index: usize) -> bool {
        let held = self.held.take(index);
        let any = !held.is_empty();
        if let Some(slot) = self.slot(index) {
            for event in held {
                slot.quic.handle_event(event);
            }
        }
        any
    }

    /// For a connection that is visited to send: gives it the packets that waited for that, and
    /// hears what it has to say of them.
    pub(super) fn take_held(&mut self, index: usize) {
        if self.give_held(index) {
            self.hear(index);
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let sweep = self.sweeps().then_some(self.next_sweep);
        // A visit may have brought events after the owner took all.
        let events = (!self.events.is_empty() || self.waits()).then_some(self.now);
        let all = [self.deadlines.next(), self.held.deadline(), sweep, events];
        all.into_iter().flatten().min()
    }

    /// Whether there is one to flush.
    pub(super) fn any_touched(&self) -> bool {
        !self.touched.is_empty()
    }

    /// The next touched connection to flush; it is no longer touched.
    pub(super) fn next_touched(&mut self) -> Option<usize> {
        loop {
            let index = self.touched.pop_front()?;
            if let Some(slot) = self.slots.get_mut(index).and_then(Option::as_mut)
                && std::mem::take(&mut slot.touched)
            {
                return Some(index);
            }
        }
    }

    pub(super) fn slot(&mut self, index: usize) -> Option<&mut Slot> {
        self.slots.get_mut(index)?.as_deref_mut()
    }

    pub(super) fn handshakes(&self) -> usize {
        self.handshakes
    }

    /// Connections and handshakes that there is memory for.
    #[cfg(test)]
    pub(super) fn held(&self) -> (usize, usize) {
        (self.slots.iter().flatten().count(), self.handshakes)
    }

    /// As if one more handshake began.
    #[cfg(test)]
    pub(super) fn begins(&mut self, now: Instant) -> bool {
        self.door.begins(now)
    }

    /// No newcomers from now on, and no sessions but those that there are.
    pub(super) fn close_down(&mut self) {
        self.closing_down = true;
        for slot in self.slots.iter_mut().flatten() {
            if let Some(web) = &mut slot.web {
                web.refuse_sessions();
            }
        }
    }

    /// Whether somebody may take too long.
    fn sweeps(&self) -> bool {
        self.handshakes > 0 || self.webs > 0
    }

    /// Looks at `at` whether somebody has taken too long, if not before.
    pub(super) fn sweep_at(&mut self, at: Instant) {
        self.next_sweep = self.next_sweep.min(at);
    }

    /// Whether every connection is gone.
    pub(super) fn is_empty(&self) -> bool {
        self.endpoint.open_connections() == 0
    }
}

fn endpoint((endpoint, server): &(Arc<EndpointConfig>, Arc<ServerConfig>)) -> Endpoint {
    // The last argument allows a search for a larger MTU; there is none to allow.
    Endpoint::new(endpoint.clone(), Some(server.clone()), false, None)
}

pub(super) fn departure(to: StandIn, transmit: &Transmit, bytes: Vec<u8>) -> Departure {
    Departure {
        to,
        source_ip: transmit.src_ip,
        ecn: transmit.ecn.map(|ecn| ecn as u8),
        segment_size: transmit.segment_size,
        bytes,
    }
}
