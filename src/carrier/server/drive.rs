//! The server: connections over an airlock.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use quinn_proto::{Dir, VarInt};
use rustls::server::ResolvesServerCert;

use super::super::limits::{AIRLOCK_BATCH, BATCHES, SEGMENTS, SEND_BATCH};
use super::connections::{Connections, departure};
use super::slot::{PathChange, Stage};
use super::{Event, IncomingGroup, OutgoingGroup, Peer, SendError, ServerSettings};
use crate::airlock::{Airlock, KernelSocket, Socket, StandIn, Woken};
use crate::wire::CloseReason;

/// One shard's end of QUIC. See the folder's description for how it is turned.
pub struct Server<S: Socket = KernelSocket> {
    pub(super) airlock: Airlock<S>,
    pub(super) connections: Connections,
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
    pub fn turn(&mut self, now: Instant) {
        let Self {
            airlock,
            connections,
            ..
        } = self;
        connections.now = now;
        for _ in 0..BATCHES {
            let seen = airlock.receive(now, &mut |arrival| {
                connections.datagram(arrival.from, arrival.local_ip, arrival.ecn, arrival.bytes);
            });
            if seen < AIRLOCK_BATCH {
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
    }

    fn tell_airlock(&mut self) {
        for reply in self.connections.replies.drain(..) {
            self.airlock.send(reply);
        }
        for change in self.connections.paths.drain(..) {
            match change {
                PathChange::Claimed(path) => self.airlock.claim(path),
                // The table has room for as many proven peers as there may be connections, on their
                // way in or in.
                PathChange::Proved(path) => drop(self.airlock.prove(path)),
                PathChange::Moved { from, to } => {
                    self.airlock.claim(to);
                    self.airlock.prove(to);
                    self.airlock.demote(from);
                }
                PathChange::Gone(path) => self.airlock.release(path),
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
        // Addresses of strangers and of paths that were left are wiped in time, also when nobody
        // is there to wake us.
        let (_, unproven) = self.airlock.known();
        let expiry = (unproven > 0).then_some(self.next_expiry);
        connections.into_iter().chain(expiry).min()
    }

    /// Sends what touched connections have to send. What the kernel does not take now stays, in
    /// order, until the socket is writable.
    pub fn flush(&mut self, now: Instant) {
        self.connections.now = now;
        let segments = self.airlock.segmentation().min(SEGMENTS);
        let mut queued = self.connections.replies.len();
        while !self.airlock.blocked() {
            let Some(index) = self.connections.next_touched() else {
                break;
            };
            queued += self.transmit(index, now, segments);
            self.connections.settle(index);
            if queued >= SEND_BATCH {
                self.airlock.flush(now);
                queued = 0;
            }
        }
        self.tell_airlock_after_flush(now);
    }

    fn tell_airlock_after_flush(&mut self, now: Instant) {
        // A stand-in is released after its last packet has left.
        self.airlock.flush(now);
        self.tell_airlock();
    }

    /// All packets that a connection has to send now; how many messages that is.
    fn transmit(&mut self, index: usize, now: Instant, segments: usize) -> usize {
        let mut queued = 0;
        let Some(slot) = self.connections.slot(index) else {
            return queued;
        };
        loop {
            let mut bytes = self.spare.take().unwrap_or_else(|| self.airlock.buffer());
            match slot.quic.poll_transmit(now, segments, &mut bytes) {
                Some(transmit) => {
                    queued += 1;
                    let to = StandIn::from_quic(transmit.destination);
                    self.airlock.send(departure(to, &transmit, bytes));
                }
                None => {
                    self.spare = Some(bytes);
                    match slot.stage {
                        Stage::Closing(reason) => {
                            slot.stage = Stage::Ended;
                            slot.quic
                                .close(now, VarInt::from_u32(reason.code()), Bytes::new());
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

    /// Queues a datagram; when too many wait, the oldest is dropped.
    ///
    /// # Errors
    /// [`SendError::Gone`].
    pub fn send_datagram(&mut self, to: Peer, bundle: Bytes) -> Result<(), SendError> {
        let slot = self.connections.open_slot(to).ok_or(SendError::Gone)?;
        slot.quic
            .datagrams()
            .send(bundle, true)
            .map_err(|_| SendError::Gone)
    }

    /// Opens a stream for a group; `None` when the peer takes no more now, or is gone. Streams of a
    /// higher priority go first.
    pub fn open_group(&mut self, to: Peer, priority: i32) -> Option<OutgoingGroup> {
        let slot = self.connections.open_slot(to)?;
        let id = slot.quic.streams().open(Dir::Uni)?;
        let _ = slot.quic.send_stream(id).set_priority(priority);
        Some(OutgoingGroup(id))
    }

    /// Writes as much of `chunks` as the peer takes now, and returns how many bytes that is. The
    /// chunks are advanced past what was taken.
    pub fn write_group(&mut self, to: Peer, group: OutgoingGroup, chunks: &mut [Bytes]) -> usize {
        let Some(slot) = self.connections.open_slot(to) else {
            return 0;
        };
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
            let _ = slot.quic.send_stream(group.0).reset(VarInt::from_u32(0));
        }
    }

    /// Asks a peer to stop sending a group; nothing more is heard of it.
    pub fn stop_incoming(&mut self, from: Peer, group: IncomingGroup) {
        if let Some(slot) = self.connections.open_slot(from) {
            let _ = slot.quic.recv_stream(group.0).stop(VarInt::from_u32(0));
        }
    }

    /// Ends a connection: what is queued for it goes out as far as its windows allow, then the
    /// close. No event follows.
    pub fn close(&mut self, peer: Peer, reason: CloseReason) {
        if let Some(slot) = self.connections.open_slot(peer) {
            slot.stage = Stage::Closing(reason);
            self.connections.open -= 1;
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

    /// Peers whose handshake is complete.
    pub fn peers(&self) -> usize {
        self.connections.open
    }
}
