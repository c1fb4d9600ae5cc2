//! All connections of a shard: packets in, timers, events out.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use quinn_proto::{
    Connection, ConnectionEvent, ConnectionHandle, DatagramEvent, EcnCodepoint, Endpoint, Incoming,
    Transmit,
};
use rustls::server::ResolvesServerCert;

use super::super::limits::{HANDSHAKE, HANDSHAKES, LARGEST, RETRY_FROM, TURN_HANDSHAKES};
use super::deadlines::Deadlines;
use super::outgoing::Control;
use super::settings::{ServerSettings, server_config};
use super::slot::{PathChange, Slot, Stage};
use super::{Event, Peer};
use crate::airlock::{Departure, StandIn};
use crate::wire::{CloseReason, limits::DATAGRAM};

/// How often handshakes that take too long are looked for.
const SWEEP: Duration = Duration::from_secs(1);

/// Connections without sockets: everything of the server but the airlock.
pub(super) struct Connections {
    endpoint: Endpoint,
    slots: Vec<Option<Box<Slot>>>,
    generations: Vec<u32>,
    deadlines: Deadlines,
    due: Vec<usize>,
    touched: VecDeque<usize>,
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
    next_sweep: Instant,
    scratch: Vec<u8>,
}

impl Connections {
    pub(super) fn new(
        settings: &ServerSettings,
        certificates: Arc<dyn ResolvesServerCert>,
        now: Instant,
    ) -> Result<Self, rustls::Error> {
        let server = Arc::new(server_config(certificates)?);
        // The last argument allows a search for a larger MTU; there is none to allow.
        let endpoint = Endpoint::new(Arc::new(settings.endpoint()), Some(server), false, None);
        Ok(Self {
            endpoint,
            slots: Vec::new(),
            generations: Vec::new(),
            deadlines: Deadlines::default(),
            due: Vec::new(),
            touched: VecDeque::new(),
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
            next_sweep: now,
            scratch: Vec::new(),
        })
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
        if bytes.len() > LARGEST {
            return;
        }
        let ecn = ecn.and_then(EcnCodepoint::from_bits);
        let data = BytesMut::from(bytes);
        self.scratch.clear();
        let event = self.endpoint.handle(
            self.now,
            from.quic(),
            local_ip,
            ecn,
            data,
            &mut self.scratch,
        );
        match event {
            Some(DatagramEvent::ConnectionEvent(handle, event)) => self.give(handle.0, event),
            Some(DatagramEvent::NewConnection(incoming)) => self.admit(from, incoming),
            Some(DatagramEvent::Response(transmit)) => self.reply(from, &transmit),
            None => {}
        }
    }

    fn give(&mut self, index: usize, event: ConnectionEvent) {
        if let Some(slot) = self.slots.get_mut(index).and_then(Option::as_mut) {
            slot.quic.handle_event(event);
            self.touch(index);
        }
    }

    fn reply(&mut self, to: StandIn, transmit: &Transmit) {
        let bytes = self
            .scratch
            .get(..transmit.size)
            .unwrap_or_default()
            .to_vec();
        self.replies.push(departure(to, transmit, bytes));
    }

    /// A first packet: answered, asked to prove its address, refused, or left alone.
    fn admit(&mut self, from: StandIn, incoming: Incoming) {
        if self.handshakes >= HANDSHAKES {
            self.endpoint.ignore(incoming);
            return;
        }
        self.scratch.clear();
        if self.closing_down || self.endpoint.open_connections() >= self.most {
            let transmit = self.endpoint.refuse(incoming, &mut self.scratch);
            self.reply(from, &transmit);
            return;
        }
        let busy = self.begun >= TURN_HANDSHAKES;
        if (busy || self.handshakes >= self.retry_from) && incoming.may_retry() {
            if let Ok(transmit) = self.endpoint.retry(incoming, &mut self.scratch) {
                self.reply(from, &transmit);
            }
            return;
        }
        if busy {
            // It comes again.
            self.endpoint.ignore(incoming);
            return;
        }
        self.begun += 1;
        let shown = incoming.remote_address_validated();
        match self
            .endpoint
            .accept(incoming, self.now, &mut self.scratch, None)
        {
            Ok((handle, quic)) => {
                self.insert(handle, quic, from);
                if shown {
                    // It came with the token of a Retry: a flood must not push it out.
                    self.paths.push(PathChange::Proved(from));
                }
            }
            Err(error) => {
                if let Some(transmit) = error.response {
                    self.reply(from, &transmit);
                }
            }
        }
    }

    fn insert(&mut self, handle: ConnectionHandle, quic: Connection, path: StandIn) {
        let index = handle.0;
        if index >= self.slots.len() {
            self.slots.resize_with(index + 1, || None);
            self.generations.resize(index + 1, 0);
        }
        self.handshakes += 1;
        self.paths.push(PathChange::Claimed(path));
        let stage = Stage::Handshake {
            until: self.now + HANDSHAKE,
        };
        let control = Control::default();
        if let Some(place) = self.slots.get_mut(index) {
            *place = Some(Box::new(Slot {
                quic,
                stage,
                path,
                control,
                touched: false,
            }));
        }
        self.touch(index);
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

    /// Whether there still is memory for the connection of a peer; does not look at it.
    pub(super) fn is(&self, peer: Peer) -> bool {
        self.generations.get(peer.index as usize) == Some(&peer.generation)
    }

    /// The connection of a peer, however far it has come.
    pub(super) fn slot_of(&mut self, peer: Peer) -> Option<&mut Slot> {
        if !self.is(peer) {
            return None;
        }
        self.slot(peer.index as usize)
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

    /// Timers that are due.
    pub(super) fn timers(&mut self) {
        let mut due = std::mem::take(&mut self.due);
        self.deadlines.due(self.now, &mut due);
        for index in due.drain(..) {
            if let Some(slot) = self.slots.get_mut(index).and_then(Option::as_mut) {
                slot.quic.handle_timeout(self.now);
                self.touch(index);
            }
        }
        self.due = due;
    }

    /// Ends handshakes that take too long; looks once a second. To be called when everything that
    /// connections had to say was heard. The reason given is seen by nobody: before the handshake
    /// is done quinn hides it (RFC 9000, section 10.2.3).
    pub(super) fn sweep(&mut self) {
        if self.handshakes == 0 || self.now < self.next_sweep {
            return;
        }
        self.next_sweep = self.now + SWEEP;
        for index in 0..self.slots.len() {
            let Some(slot) = self.slots.get_mut(index).and_then(Option::as_mut) else {
                continue;
            };
            if matches!(slot.stage, Stage::Handshake { until } if until <= self.now) {
                slot.stage = Stage::Ended;
                self.handshakes -= 1;
                slot.quic
                    .close(self.now, CloseReason::NoHello.code().into(), Bytes::new());
                self.touch(index);
            }
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let sweep = (self.handshakes > 0).then_some(self.next_sweep);
        self.deadlines.next().into_iter().chain(sweep).min()
    }

    /// Takes what touched connections have to say; they stay touched for the flush.
    pub(super) fn pump(&mut self) {
        let mut at = 0;
        while let Some(&index) = self.touched.get(at) {
            at += 1;
            self.pump_one(index);
        }
    }

    fn pump_one(&mut self, index: usize) {
        let Some(slot) = self.slots.get_mut(index).and_then(Option::as_mut) else {
            return;
        };
        let peer = Peer {
            index: index as u32,
            generation: self.generations[index],
        };
        while let Some(event) = slot.quic.poll() {
            match event {
                quinn_proto::Event::Connected => {
                    self.handshakes -= 1;
                    let fits = slot
                        .quic
                        .datagrams()
                        .max_size()
                        .is_some_and(|max| max >= DATAGRAM);
                    if self.closing_down || !fits {
                        slot.stage = Stage::Ended;
                        let reason = if fits {
                            CloseReason::Restarting
                        } else {
                            CloseReason::Unexpected
                        };
                        slot.quic
                            .close(self.now, reason.code().into(), Bytes::new());
                    } else {
                        slot.stage = Stage::Open;
                        self.open += 1;
                        self.paths.push(PathChange::Proved(slot.path));
                        self.events.push_back(Event::Connected(peer));
                    }
                }
                quinn_proto::Event::ConnectionLost { .. } => match slot.stage {
                    Stage::Handshake { .. } => {
                        self.handshakes -= 1;
                        slot.stage = Stage::Ended;
                    }
                    Stage::Open => {
                        self.open -= 1;
                        slot.stage = Stage::Ended;
                        self.events.push_back(Event::Closed(peer));
                    }
                    Stage::Closing(_) | Stage::Ended => slot.stage = Stage::Ended,
                },
                quinn_proto::Event::DatagramReceived if slot.stage == Stage::Open => {
                    while let Some(bytes) = slot.quic.datagrams().recv() {
                        self.events.push_back(Event::Datagram(peer, bytes));
                    }
                }
                quinn_proto::Event::Stream(event) if slot.stage == Stage::Open => {
                    super::incoming::happened(slot, peer, event, &mut self.events);
                }
                _ => {}
            }
        }
        if slot.stage == Stage::Open {
            let path = StandIn::from_quic(slot.quic.remote_address());
            if path != slot.path {
                self.paths.push(PathChange::Moved {
                    from: slot.path,
                    to: path,
                });
                slot.path = path;
            }
        }
        self.settle(index);
    }

    /// Passes on what a connection tells the endpoint, notes its deadline, and lets go of it once
    /// it is drained.
    pub(super) fn settle(&mut self, index: usize) {
        let Some(slot) = self.slots.get_mut(index).and_then(Option::as_mut) else {
            return;
        };
        let handle = ConnectionHandle(index);
        let (mut drained, mut fed) = (false, false);
        while let Some(event) = slot.quic.poll_endpoint_events() {
            drained |= event.is_drained();
            if let Some(event) = self.endpoint.handle_event(handle, event) {
                slot.quic.handle_event(event);
                fed = true;
            }
        }
        if drained {
            self.paths.push(PathChange::Gone(slot.path));
            self.deadlines.set(index, None);
            self.slots[index] = None;
            self.generations[index] = self.generations[index].wrapping_add(1);
        } else {
            let deadline = slot.quic.poll_timeout();
            self.deadlines.set(index, deadline);
            if fed {
                self.touch(index);
            }
        }
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

    /// Connections and handshakes that there is memory for.
    #[cfg(test)]
    pub(super) fn held(&self) -> (usize, usize) {
        (self.slots.iter().flatten().count(), self.handshakes)
    }

    /// No newcomers from now on.
    pub(super) fn close_down(&mut self) {
        self.closing_down = true;
    }

    /// Whether every connection is gone.
    pub(super) fn is_empty(&self) -> bool {
        self.endpoint.open_connections() == 0
    }
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
