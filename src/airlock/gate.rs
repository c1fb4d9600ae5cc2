//! The airlock itself: sockets on one side, stand-ins on the other.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::BorrowedFd;
use std::time::Instant;

use super::batch::{ReceiveBatch, SendBatch};
use super::berths::Berth;
use super::control::Marks;
use super::crowds::Allowance;
use super::kernel::KernelSocket;
use super::lane::{Blocked, Counters, Lane};
use super::limits::{CROWDED_PAUSE, RECEIVE_BATCH, SEND_BATCH, SOCKETS};
use super::outbound::{Pool, Queued};
use super::pair::{Route, Tick, Ticket};
use super::scrub::scrub_stack;
use super::socket::Socket;
use super::stand_in::StandIn;
use super::table::{Table, TableLimits};
use super::wait::{Interest, Woken, wait};

/// One datagram that came in.
pub struct Arrival<'a> {
    /// Who sent it, by the name it has above the airlock.
    pub from: StandIn,
    /// Which of our own addresses it came to; told only by sockets that are bound to
    /// all of them.
    pub local_ip: Option<IpAddr>,
    /// The two ECN bits.
    pub ecn: Option<u8>,
    /// The datagram.
    pub bytes: &'a [u8],
}

/// One or more datagrams to one peer.
pub struct Departure {
    /// To whom.
    pub to: StandIn,
    /// From which of our own addresses; it counts on a socket that is bound to all
    /// of them.
    pub source_ip: Option<IpAddr>,
    /// The two ECN bits.
    pub ecn: Option<u8>,
    /// If set, `bytes` is several datagrams of this length, of which the last may
    /// be shorter.
    pub segment_size: Option<usize>,
    /// The bytes; best a buffer from [`Airlock::buffer`].
    pub bytes: Vec<u8>,
}

/// The sockets of a shard, and the only place where peers have addresses.
///
/// One turn of its owner: [`wait`](Self::wait), [`receive`](Self::receive), some
/// [`send`](Self::send), [`flush`](Self::flush); about once a second
/// [`expire`](Self::expire).
pub struct Airlock<S: Socket = KernelSocket> {
    lanes: Vec<Lane<S>>,
    table: Table,
    inbox: ReceiveBatch,
    /// Whose the messages in the inbox are.
    senders: Vec<Option<Ticket>>,
    outbox: SendBatch,
    pool: Pool,
    polls: Vec<libc::pollfd>,
    counters: Counters,
    began: Option<Instant>,
    now: Tick,
}

impl<S: Socket> Airlock<S> {
    /// `seed` must be secret and fresh: the stand-ins are drawn from it. Sockets
    /// past the sixty-fourth are ignored.
    pub fn new(mut sockets: Vec<S>, limits: TableLimits, seed: [u8; 32]) -> Self {
        sockets.truncate(SOCKETS);
        let coalesces = sockets.iter().any(|socket| socket.features().coalesces);
        Self {
            lanes: sockets.into_iter().map(Lane::new).collect(),
            table: Table::new(limits, seed),
            inbox: ReceiveBatch::new(coalesces),
            senders: Vec::with_capacity(RECEIVE_BATCH),
            outbox: SendBatch::new(),
            pool: Pool::default(),
            polls: Vec::new(),
            counters: Counters::default(),
            began: None,
            now: Tick(0),
        }
    }

    /// Our own addresses, in the order of the sockets.
    pub fn local_addresses(&self) -> Vec<SocketAddr> {
        self.lanes
            .iter()
            .map(|lane| lane.socket.local_address())
            .collect()
    }

    /// Sleeps until datagrams are there, a full socket has room again, `waker` is
    /// readable, or `until` has come. It may also end early with nothing set.
    ///
    /// Over sockets without descriptors (the fake network) it never sleeps.
    pub fn wait(&mut self, until: Option<Instant>, waker: Option<BorrowedFd<'_>>) -> Woken {
        let ready = self.lanes.iter().any(|lane| lane.socket.ready());
        if ready
            || self
                .lanes
                .iter()
                .any(|lane| lane.socket.descriptor().is_none())
        {
            return Woken {
                readable: ready,
                writable: self.blocked(),
                deadline: !ready && !self.blocked(),
                waker: false,
            };
        }
        let crowded = self
            .lanes
            .iter()
            .any(|lane| lane.blocked == Blocked::Crowded);
        let pause = crowded.then(|| Instant::now() + CROWDED_PAUSE);
        let first = match (until, pause) {
            (Some(until), Some(pause)) => Some(until.min(pause)),
            (until, pause) => until.or(pause),
        };
        let sockets = self.lanes.iter().filter_map(|lane| {
            let writable = lane.blocked == Blocked::Full;
            Some(Interest {
                descriptor: lane.socket.descriptor()?,
                writable,
            })
        });
        let mut woken = wait(&mut self.polls, sockets, waker, first);
        if woken.deadline && crowded {
            woken.writable = true;
            woken.deadline = until.is_some_and(|until| until <= Instant::now());
        }
        woken
    }

    /// Takes one batch from each socket and hands its datagrams up, one by one;
    /// returns how many. Zero means that all sockets are empty.
    ///
    /// Costs one lookup for each message (which may be several datagrams, with GRO)
    /// and no allocation, except for a sender that is new.
    ///
    /// Addresses are gone from the arrays and from the stack before anything is handed up: a value
    /// that is made above (a `None`, a short variant of an enum) takes along whatever bytes stood
    /// where it is made.
    pub fn receive(&mut self, now: Instant, deliver: &mut dyn FnMut(Arrival<'_>)) -> usize {
        self.tick(now);
        let mut datagrams = 0;
        for number in 0..self.lanes.len() {
            let filled = self.name_senders(number);
            scrub_stack();
            datagrams += self.hand_up(filled, deliver);
        }
        self.counters.received += datagrams as u64;
        datagrams
    }

    /// Takes a batch from a socket and notes whose each message is; how many slots are filled.
    #[inline(never)]
    fn name_senders(&mut self, number: usize) -> usize {
        let Self {
            lanes,
            table,
            inbox,
            senders,
            counters,
            now,
            ..
        } = self;
        let filled = lanes[number].receive(inbox, counters);
        senders.clear();
        for slot in 0..filled {
            let ticket = match inbox.sender(slot, number as u8) {
                Some(from) => {
                    let ticket = table.heard(&from, *now);
                    counters.crowded_out += u64::from(ticket.is_none());
                    ticket
                }
                None => {
                    counters.unreadable += 1;
                    None
                }
            };
            senders.push(ticket);
        }
        inbox.wipe_names(filled);
        filled
    }

    /// Hands up what is in the filled slots.
    #[inline(never)]
    fn hand_up(&mut self, filled: usize, deliver: &mut dyn FnMut(Arrival<'_>)) -> usize {
        let mut datagrams = 0;
        for (slot, ticket) in self.senders.iter().enumerate() {
            let Some(from) = ticket.and_then(|ticket| self.table.named(ticket)) else {
                continue;
            };
            let (marks, bytes) = self.inbox.message(slot);
            self.counters.received_bytes += bytes.len() as u64;
            let Marks {
                local_ip,
                ecn,
                segment,
            } = marks;
            for bytes in bytes.chunks(segment.unwrap_or(usize::MAX)) {
                datagrams += 1;
                deliver(Arrival {
                    from,
                    local_ip,
                    ecn,
                    bytes,
                });
            }
        }
        self.inbox.wipe(filled);
        datagrams
    }

    /// An empty buffer to write datagrams into; it comes back by [`send`](Self::send).
    pub fn buffer(&mut self) -> Vec<u8> {
        self.pool.take()
    }

    /// Queues datagrams; a full batch goes to the kernel at once.
    ///
    /// It leaves by the socket that the peer came in by. Nothing is ever reported: to
    /// a stand-in that was released, or past what may wait, it is dropped, as a
    /// network would.
    pub fn send(&mut self, departure: Departure) {
        match self.table.route(departure.to) {
            Some(route) => self.send_along(route, departure),
            None => {
                self.counters.nobody += 1;
                self.pool.put(departure.bytes);
            }
        }
    }

    /// How to reach a peer: spares [`send_along`](Self::send_along) the lookup. `None` to a stand-in
    /// that was released.
    pub fn route(&self, to: StandIn) -> Option<Route> {
        self.table.route(to)
    }

    /// As [`send`](Self::send), to the peer of `route` instead of [`Departure::to`].
    pub fn send_along(&mut self, route: Route, departure: Departure) {
        let Departure {
            to: _,
            source_ip,
            ecn,
            segment_size,
            bytes,
        } = departure;
        let segment = segment_size.filter(|size| (1..bytes.len()).contains(size));
        let Some(lane) = self.lanes.get_mut(usize::from(route.lane)) else {
            return;
        };
        let marks = Marks {
            local_ip: source_ip,
            ecn,
            segment,
        };
        let message = Queued::new(route.ticket, marks, bytes);
        if let Err(message) = lane.queue.push(message) {
            self.counters.overflowed += 1;
            self.pool.put(message.bytes);
        }
        if lane.queue.len() >= SEND_BATCH && lane.blocked == Blocked::No {
            self.drain(usize::from(route.lane));
            scrub_stack();
        }
    }

    /// Sends what is queued. What does not fit into a socket stays, in order, and
    /// [`blocked`](Self::blocked) is true until a later flush gets rid of it.
    pub fn flush(&mut self, now: Instant) {
        self.tick(now);
        for number in 0..self.lanes.len() {
            self.lanes[number].blocked = Blocked::No;
            self.drain(number);
        }
        scrub_stack();
    }

    /// Whether something waits for room in a socket. Then produce nothing more:
    /// [`wait`](Self::wait) tells when to flush again.
    pub fn blocked(&self) -> bool {
        self.lanes.iter().any(|lane| lane.blocked != Blocked::No)
    }

    /// How many datagrams a [`Departure`] should have at most; 1 if the kernel
    /// cannot cut messages. More is cut here, at the price of a copy.
    pub fn segmentation(&self) -> usize {
        self.lanes
            .iter()
            .map(|lane| lane.segments)
            .max()
            .unwrap_or(1)
    }

    /// Whether a handshake may begin, by what its address has already. `shown`: it has shown that
    /// the address is its own. Counts nothing.
    pub fn may_begin(&self, who: StandIn, shown: bool) -> Allowance {
        let allowance = self.table.may_begin(who, shown);
        scrub_stack();
        allowance
    }

    /// A handshake has begun, on a connection of its own: [claimed](Self::claim), and counted.
    pub fn begin(&mut self, who: StandIn, shown: bool) {
        self.table.begin(who, shown);
        self.table.claim(who);
        scrub_stack();
    }

    /// One more connection of a proven peer, whose handshake is under way until it has
    /// [arrived](Self::arrive). It counts where it is now, wherever it moves, until it is [given
    /// back](Self::unberth). `None`: its address has as many as one may have, and it should go.
    pub fn berth(&mut self, who: StandIn) -> Option<Berth> {
        let berth = self.table.berth(who);
        scrub_stack();
        berth
    }

    /// The handshake of a connection is complete.
    pub fn arrive(&mut self, berth: &Berth) {
        self.table.arrive(berth);
    }

    /// A connection is open no more.
    pub fn unberth(&mut self, berth: Berth) {
        self.table.unberth(berth);
        scrub_stack();
    }

    /// One more connection speaks through this stand-in. Optional: without it each
    /// stand-in counts as used by one connection. With it, a connection that begins
    /// from the port of one that ends keeps the pair when the old one is released.
    pub fn claim(&mut self, who: StandIn) {
        self.table.claim(who);
    }

    /// The peer is where it says (its handshake is complete, its path validated, or it
    /// showed a token): unproven peers cannot push it out from now on, and it stays
    /// until demoted or released. `false` if there is no room for one more, or
    /// nobody there.
    pub fn prove(&mut self, who: StandIn) -> bool {
        self.table.prove(who)
    }

    /// Its connection has moved elsewhere: the pair may be pushed out, and expires.
    pub fn demote(&mut self, who: StandIn) {
        self.table.demote(who, self.now);
    }

    /// Its connection is over: the pair is wiped at once, unless it is claimed by
    /// another connection. What still waits to be sent there is dropped.
    pub fn release(&mut self, who: StandIn) {
        self.table.release(who);
        scrub_stack();
    }

    /// Wipes unproven peers whose time is over, and counts of handshakes that are.
    pub fn expire(&mut self, now: Instant) {
        self.tick(now);
        self.table.expire(self.now);
        scrub_stack();
    }

    /// Peers in the table: proven, unproven.
    pub fn known(&self) -> (usize, usize) {
        self.table.len()
    }

    /// Whether [`expire`](Self::expire) will have something to wipe.
    pub fn ages(&self) -> bool {
        self.table.ages()
    }

    /// What happened so far, in sums.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    fn tick(&mut self, now: Instant) {
        let began = *self.began.get_or_insert(now);
        let tenths = now.saturating_duration_since(began).as_millis() / 100;
        self.now = self
            .now
            .max(Tick(u32::try_from(tenths).unwrap_or(u32::MAX)));
    }

    /// Sends a socket's queue until it is empty or the socket is full.
    #[inline(never)]
    fn drain(&mut self, number: usize) {
        let Self {
            lanes,
            table,
            outbox,
            pool,
            counters,
            ..
        } = self;
        lanes[number].drain(table, outbox, pool, counters);
    }

    /// A stand-in for an address that has not been heard, for tests that play a client.
    #[cfg(test)]
    pub(super) fn introduce(&mut self, address: SocketAddr) -> StandIn {
        let (name, length) = super::address::Name::encode(&address);
        let real = super::address::RealAddress::heard(&name, length, 0);
        real.and_then(|real| self.table.enter(&real, self.now))
            .unwrap()
    }

    #[cfg(test)]
    pub(super) fn parts(&self) -> (&Table, &ReceiveBatch, &SendBatch) {
        (&self.table, &self.inbox, &self.outbox)
    }
}
