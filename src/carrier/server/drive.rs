//! The server: connections over an airlock.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use quinn_proto::{Dir, Transmit};
use rustls::server::ResolvesServerCert;

use super::super::limits::{
    AIRLOCK_BATCH, BATCHES, MAIL_KEPT, MUCH_INPUT, OUTGOING_STREAMS, SEGMENTS, SEND_BATCH,
};
use super::super::transport::MEMBER_WINDOW;
use super::connections::{Connections, departure};
use super::slot::{PathChange, Slot, Stage};
use super::webtransport::Prefixed;
use super::{Event, IncomingGroup, Input, OutgoingGroup, Peer, SendError, ServerSettings};
use crate::airlock::{Airlock, Counters, KernelSocket, Socket, StandIn, Woken};
use crate::wire::CloseReason;

/// One shard's end of QUIC. See the folder's description for how it is turned.
pub struct Server<S: Socket = KernelSocket> {
    pub(super) airlock: Airlock<S>,
    pub(super) connections: Connections,
    /// Datagrams of this turn. They wait here and not in their connections: a connection is some
    /// 10 KiB, and with hundreds of them each visit finds it out of the processor's cache. The flush
    /// visits each once, to queue its datagrams, send them and note its deadline.
    mail: Vec<(Peer, Bytes)>,
    /// The last flush did not come to all: the socket was full.
    left_over: bool,
    /// A packet buffer that the last flush did not need.
    spare: Option<Vec<u8>>,
    next_expiry: Instant,
}

/// How often the airlock is told to forget peers that never proved themselves.
const EXPIRY: std::time::Duration = std::time::Duration::from_secs(1);

impl<S: Socket> Server<S> {
    /// A server that speaks through `airlock` and shows what `certificates` resolves.
    ///
    /// # Errors
    /// When TLS cannot be set up; a fault of ours.
    pub fn new(
        airlock: Airlock<S>,
        settings: ServerSettings,
        certificates: Arc<dyn ResolvesServerCert>,
        now: Instant,
    ) -> Result<Self, rustls::Error> {
        let connections = Connections::new(&settings, certificates, now)?;
        Ok(Self {
            airlock,
            connections,
            mail: Vec::new(),
            left_over: false,
            spare: None,
            next_expiry: now + EXPIRY,
        })
    }

    /// Sleeps until there is something to receive (or to send again, after the kernel was full),
    /// the waker is readable, or `until`.
    pub fn wait(&mut self, until: Option<Instant>, waker: Option<BorrowedFd<'_>>) -> Woken {
        self.airlock.wait(until, waker)
    }

    /// Our own addresses.
    pub fn local_addresses(&self) -> Vec<std::net::SocketAddr> {
        self.airlock.local_addresses()
    }

    /// Takes what is there to receive and the timers that are due. Events wait afterwards.
    pub fn turn(&mut self, now: Instant) -> Input {
        let Self {
            airlock,
            connections,
            ..
        } = self;
        connections.begin_turn(now);
        let (mut more, mut taken) = (true, 0);
        for _ in 0..BATCHES {
            let seen = airlock.receive(now, &mut |arrival| {
                connections.datagram(arrival.from, arrival.local_ip, arrival.ecn, arrival.bytes);
            });
            connections.newcomers(airlock);
            taken += seen;
            more = seen >= AIRLOCK_BATCH;
            if !more {
                break;
            }
        }
        connections.timers();
        connections.pump();
        // After the pump: whoever came through with this very packet is in.
        connections.sweep();
        if now >= self.next_expiry {
            self.next_expiry = now + EXPIRY;
            self.airlock.expire(now);
        }
        self.tell_airlock();
        match (more || self.connections.waits(), taken >= MUCH_INPUT) {
            (true, _) => Input::More,
            (false, true) => Input::Much,
            (false, false) => Input::Little,
        }
    }

    /// Whether something waits for room in a socket; [`Server::wait`] tells when there is some.
    pub fn blocked(&self) -> bool {
        self.airlock.blocked()
    }

    fn tell_airlock(&mut self) {
        // Taken and freed, since a list that is emptied keeps the bytes of its stand-ins.
        for reply in std::mem::take(&mut self.connections.replies) {
            self.airlock.send(reply);
        }
        for change in std::mem::take(&mut self.connections.paths) {
            match change {
                // The table has room for as many proven peers as there may be connections, on their
                // way in or in.
                PathChange::Proved { peer, at } => {
                    self.airlock.prove(at);
                    self.berth(peer, at);
                }
                PathChange::Moved { from, to } => {
                    self.airlock.claim(to);
                    self.airlock.prove(to);
                    self.airlock.demote(from);
                }
                PathChange::Gone { from, berth } => {
                    if let Some(berth) = berth {
                        self.airlock.unberth(berth);
                    }
                    self.airlock.release(from);
                }
            }
        }
    }

    /// Counts a connection that came through; one too many from its address has to go.
    fn berth(&mut self, peer: Peer, at: StandIn) {
        let Some(slot) = self.connections.open_slot(peer) else {
            return;
        };
        if slot.berth.is_none() {
            slot.berth = self.airlock.berth(at);
        }
        match &slot.berth {
            Some(berth) => self.airlock.arrive(berth),
            None => {
                let known = slot.is_known();
                self.close(peer, CloseReason::RelayFull);
                if known {
                    self.connections.events.push_back(Event::Closed(peer));
                }
            }
        }
    }

    /// What happened, oldest first.
    pub fn next_event(&mut self) -> Option<Event> {
        self.connections.events.pop_front()
    }

    /// When to turn again at the latest; it may be early.
    pub fn deadline(&self) -> Option<Instant> {
        let connections = self.connections.deadline();
        // Addresses of strangers and of paths that were left are wiped in time, and so is what was
        // counted of newcomers, also when nobody is there to wake us.
        let expiry = self.airlock.ages().then_some(self.next_expiry);
        connections.into_iter().chain(expiry).min()
    }

    /// Sends what touched connections have to send. What the kernel does not take now stays, in
    /// order, until the socket is writable.
    pub fn flush(&mut self, now: Instant) {
        self.connections.now = now;
        let mut queued = 0;
        if self.airlock.blocked() {
            self.airlock.flush(now);
        }
        self.deliver_mail(now, &mut queued);
        loop {
            while !self.airlock.blocked()
                && let Some(index) = self.connections.next_touched()
            {
                self.visit(index, now, &mut queued);
            }
            self.airlock.flush(now);
            // There may be room again: nobody is left over unless the socket says when to go on.
            if self.airlock.blocked() || !self.connections.any_touched() {
                break;
            }
        }
        self.left_over = self.airlock.blocked();
        // A stand-in is released after its last packet has left.
        self.tell_airlock();
    }

    /// Hands the datagrams of this turn to their connections and sends them.
    fn deliver_mail(&mut self, now: Instant, queued: &mut usize) {
        let mut mail = std::mem::take(&mut self.mail);
        let mut letters = mail.drain(..).peekable();
        let mut prefixed = Prefixed::default();
        while let Some((peer, bundle)) = letters.next() {
            let index = peer.index as usize;
            let Some(slot) = self.connections.living(peer) else {
                continue;
            };
            let mut post = |bundle| {
                let bundle = match slot.prefix {
                    Some(number) => prefixed.with(number, bundle),
                    None => bundle,
                };
                // Should too many wait, the oldest is dropped.
                let _ = slot.quic.datagrams().send(bundle, true);
            };
            post(bundle);
            while let Some((_, bundle)) = letters.next_if(|(next, _)| *next == peer) {
                post(bundle);
            }
            // What it is sent in groups goes on when acknowledgements come.
            let waits = slot.quic.streams().send_streams() > slot.other_streams();
            self.connections.held.listens(index, now, !waits);
            // Whoever a full socket kept waiting goes first.
            if self.left_over || self.airlock.blocked() {
                self.connections.touch(index);
            } else {
                self.connections.untouch(index);
                self.visit(index, now, queued);
            }
        }
        drop(letters);
        mail.shrink_to(MAIL_KEPT);
        self.mail = mail;
    }

    /// Sends what a connection has to send, and notes its deadline.
    fn visit(&mut self, index: usize, now: Instant, queued: &mut usize) {
        self.connections.take_held(index);
        *queued += self.transmit(index, now);
        self.connections.settle(index);
        // What the congestion window holds back goes on with the next acknowledgement.
        let slot = self.connections.slot(index);
        if slot.is_some_and(|slot| slot.stage == Stage::Open && slot.holds_datagrams()) {
            self.connections.held.listens(index, now, false);
        }
        if *queued >= SEND_BATCH {
            self.airlock.flush(now);
            *queued = 0;
        }
    }

    /// All packets that a connection has to send now; how many messages that is.
    fn transmit(&mut self, index: usize, now: Instant) -> usize {
        let segments = self.airlock.segmentation().min(SEGMENTS);
        let mut queued = 0;
        let Some(slot) = self.connections.slot(index) else {
            return queued;
        };
        loop {
            let mut bytes = self.spare.take().unwrap_or_else(|| self.airlock.buffer());
            match slot.quic.poll_transmit(now, segments, &mut bytes) {
                Some(transmit) => {
                    queued += 1;
                    let last = slot.stage == Stage::Open && slot.was_last(&transmit);
                    send(&mut self.airlock, slot, &transmit, bytes);
                    if last {
                        return queued;
                    }
                }
                None => {
                    self.spare = Some(bytes);
                    slot.thorough = false;
                    match slot.stage {
                        Stage::Closing(reason) if !slot.waits(now) => {
                            slot.stage = Stage::Ended;
                            let code = slot.close_code(reason);
                            slot.quic.close(now, code, Bytes::new());
                        }
                        _ => return queued,
                    }
                }
            }
        }
    }

    /// Queues an encoded control message.
    ///
    /// # Errors
    /// [`SendError::Gone`]; [`SendError::Overflow`] when too much waits for this peer.
    pub fn send_control(&mut self, to: Peer, message: Bytes) -> Result<(), SendError> {
        let slot = self.connections.open_slot(to).ok_or(SendError::Gone)?;
        slot.control.push(&mut slot.quic, message)
    }

    /// Queues a datagram for the next flush; when too many wait, the oldest is dropped. All
    /// datagrams for one peer are best queued one after the other.
    ///
    /// # Errors
    /// [`SendError::Gone`].
    pub fn send_datagram(&mut self, to: Peer, bundle: Bytes) -> Result<(), SendError> {
        if !self.connections.is(to) {
            return Err(SendError::Gone);
        }
        self.mail.push((to, bundle));
        Ok(())
    }

    /// Lets a peer send groups at full speed; until then it may send little more than control
    /// messages.
    pub fn widen(&mut self, peer: Peer) {
        if let Some(slot) = self.connections.open_slot(peer) {
            slot.quic.set_receive_window(MEMBER_WINDOW.into());
        }
    }

    /// Opens a stream for a group; `None` when the peer takes no more now, or is gone. Streams of a
    /// higher priority go first.
    pub fn open_group(&mut self, to: Peer, priority: i32) -> Option<OutgoingGroup> {
        let slot = self.connections.open_slot(to)?;
        if slot.quic.streams().send_streams() >= OUTGOING_STREAMS {
            return None;
        }
        let id = slot.quic.streams().open(Dir::Uni)?;
        let _ = slot.quic.send_stream(id).set_priority(priority);
        if let Some(web) = &mut slot.web {
            web.begin_group(&mut slot.quic, id);
        }
        let now = self.connections.now;
        self.connections.held.listens(to.index as usize, now, false);
        Some(OutgoingGroup(id))
    }

    /// Writes as much of `chunks` as the peer takes now, and returns how many bytes that is. The
    /// chunks are advanced past what was taken.
    pub fn write_group(&mut self, to: Peer, group: OutgoingGroup, chunks: &mut [Bytes]) -> usize {
        let Some(slot) = self.connections.open_slot(to) else {
            return 0;
        };
        if let Some(web) = &mut slot.web
            && !web.is_ready(&mut slot.quic, group.0)
        {
            return 0;
        }
        let written = slot.quic.send_stream(group.0).write_chunks(chunks);
        written.map_or(0, |written| written.bytes)
    }

    /// The group is complete.
    pub fn finish_group(&mut self, to: Peer, group: OutgoingGroup) {
        if let Some(slot) = self.connections.open_slot(to) {
            let _ = slot.quic.send_stream(group.0).finish();
        }
    }

    /// Gives a group up.
    pub fn reset_group(&mut self, to: Peer, group: OutgoingGroup) {
        if let Some(slot) = self.connections.open_slot(to) {
            if let Some(web) = &mut slot.web {
                web.drop_outgoing(group.0);
            }
            let code = slot.stream_code();
            let _ = slot.quic.send_stream(group.0).reset(code);
        }
    }

    /// Asks a peer to stop sending a group; nothing more is heard of it.
    pub fn stop_incoming(&mut self, from: Peer, group: IncomingGroup) {
        if let Some(slot) = self.connections.open_slot(from) {
            if let Some(web) = &mut slot.web {
                web.drop_incoming(group.0);
            }
            let code = slot.stream_code();
            let _ = slot.quic.recv_stream(group.0).stop(code);
        }
    }

    /// Ends a connection: what is queued for it goes out as far as its windows allow, then the
    /// close. No event follows.
    pub fn close(&mut self, peer: Peer, reason: CloseReason) {
        let now = self.connections.now;
        if let Some(slot) = self.connections.open_slot(peer) {
            slot.stage = Stage::Closing(reason);
            let web = slot.web.as_mut();
            let until = web.map(|web| web.close_session(&mut slot.quic, reason.code(), now));
            self.connections.open -= 1;
            if let Some(until) = until {
                self.connections.sweep_at(until);
            }
        }
    }

    /// Takes no newcomers from now on.
    pub fn shutdown(&mut self) {
        self.connections.close_down();
    }

    /// Whether nobody is connected any more and every close has been seen through.
    pub fn drained(&self) -> bool {
        self.connections.is_empty()
    }

    /// Handshakes under way.
    pub fn handshakes(&self) -> usize {
        self.connections.handshakes()
    }

    /// How many peers the airlock knows, strangers included.
    pub fn addresses(&self) -> usize {
        let (proven, unproven) = self.airlock.known();
        proven + unproven
    }

    /// What happened at the sockets so far, in sums.
    pub fn counters(&self) -> Counters {
        self.airlock.counters()
    }

    /// Peers whose handshake is complete.
    pub fn peers(&self) -> usize {
        self.connections.open
    }
}

/// By the way that is known of the peer's path; what goes to another path of it, to see whether it
/// is there, is looked up.
fn send<S: Socket>(airlock: &mut Airlock<S>, slot: &mut Slot, transmit: &Transmit, bytes: Vec<u8>) {
    let to = StandIn::from_quic(transmit.destination);
    let departure = departure(to, transmit, bytes);
    if to != slot.path {
        return airlock.send(departure);
    }
    if slot.route.is_none() {
        slot.route = airlock.route(to);
    }
    match slot.route {
        Some(route) => airlock.send_along(route, departure),
        None => airlock.send(departure),
    }
}
