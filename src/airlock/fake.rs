//! An in-memory network for tests: relay sockets on one side, virtual hosts on the
//! other, and every fault that the airlock must bear. No latency and no loss of its
//! own: a test that wants these moves the packets itself, from
//! [`FakeHost::receive`] to [`FakeHost::send`].
//!
//! ```ignore
//! let network = FakeNetwork::new();
//! let relay = "192.0.2.1:4433".parse().unwrap();
//! let mut airlock = Airlock::new(vec![network.socket(relay)], TableLimits::default(), [7; 32]);
//!
//! let alice = network.host("198.51.100.5:5555".parse().unwrap());
//! alice.send(relay, b"hello");
//! airlock.receive(now, &mut |arrival| { /* arrival.from is a stand-in */ });
//! airlock.send(Departure { to, source_ip: None, ecn: None, segment_size: None, bytes });
//! airlock.flush(now);
//! let packet = alice.receive().unwrap(); // .from == relay, .bytes, .ecn
//! ```
//!
//! A socket bound to `0.0.0.0` or `[::]` gets what is sent to any address of its
//! family with its port, and answers from `source_ip`. A host may
//! [`rebind`](FakeHost::rebind) (roaming). `Airlock::wait` never sleeps here.
//! Everything is shared by clones of [`FakeNetwork`], which is `Send`.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, MutexGuard};

use super::batch::{ReceiveBatch, SendBatch};
use super::control::Marks;
use super::limits::SEGMENTS;
use super::socket::{Features, ReceiveError, Sealed, SendError, Socket};

/// The network; clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct FakeNetwork(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    inboxes: HashMap<SocketAddr, VecDeque<Packet>>,
    room: Option<usize>,
    /// Once a socket has said that it is full, it has room.
    full_once: bool,
    crowded: bool,
    refused: HashSet<SocketAddr>,
    no_segmentation: bool,
    invalid: HashSet<SocketAddr>,
    disturbances: usize,
    sends: usize,
    segmented: usize,
}

struct Packet {
    from: SocketAddr,
    marks: Marks,
    bytes: Vec<u8>,
}

/// A datagram as a host gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FakePacket {
    /// The relay's address.
    pub from: SocketAddr,
    /// The two ECN bits; zero if none were set.
    pub ecn: u8,
    /// The datagram.
    pub bytes: Vec<u8>,
}

impl FakeNetwork {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A relay's socket with GSO and GRO.
    pub(crate) fn socket(&self, local: SocketAddr) -> FakeSocket {
        let wildcard = local.ip().is_unspecified();
        let features = Features {
            segments: SEGMENTS,
            coalesces: true,
            wildcard,
        };
        self.socket_with(local, features)
    }

    /// A relay's socket that can do what it is told.
    pub(crate) fn socket_with(&self, local: SocketAddr, features: Features) -> FakeSocket {
        self.state().inboxes.insert(local, VecDeque::new());
        FakeSocket {
            network: self.clone(),
            local,
            features,
        }
    }

    /// A host that sends from `address`.
    pub(crate) fn host(&self, address: SocketAddr) -> FakeHost {
        self.state().inboxes.entry(address).or_default();
        FakeHost {
            network: self.clone(),
            address,
        }
    }

    /// Sockets are full after this many more messages; `None`: never.
    pub(crate) fn room(&self, messages: Option<usize>) {
        self.state().room = messages;
    }

    /// Sockets are full after this many more messages, say so once, and have room again.
    pub(crate) fn full_once_after(&self, messages: usize) {
        let mut state = self.state();
        (state.room, state.full_once) = (Some(messages), true);
    }

    /// The kernel is short of memory (ENOBUFS) until told otherwise.
    pub(crate) fn crowded(&self, crowded: bool) {
        self.state().crowded = crowded;
    }

    /// Sending to this address fails (no route, a firewall) or works again.
    pub(crate) fn refuse(&self, to: SocketAddr, refused: bool) {
        let mut state = self.state();
        if refused {
            state.refused.insert(to);
        } else {
            state.refused.remove(&to);
        }
    }

    /// The kernel refuses to cut messages (EIO), though it promised to.
    pub(crate) fn refuse_segmentation(&self, refused: bool) {
        self.state().no_segmentation = refused;
    }

    /// Sending to this address fails with EINVAL, which is also how the kernel
    /// refuses to cut.
    pub(crate) fn invalidate(&self, to: SocketAddr) {
        self.state().invalid.insert(to);
    }

    /// The next receive calls end with ICMP reports.
    pub(crate) fn disturb(&self, receives: usize) {
        self.state().disturbances = receives;
    }

    /// Send calls so far.
    pub(crate) fn sends(&self) -> usize {
        self.state().sends
    }

    /// Messages that the network cut into datagrams so far.
    pub(crate) fn segmented(&self) -> usize {
        self.state().segmented
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

/// A peer's side of the network.
pub(crate) struct FakeHost {
    network: FakeNetwork,
    address: SocketAddr,
}

impl FakeHost {
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends one datagram. To an address where nobody listens it is lost.
    pub(crate) fn send(&self, to: SocketAddr, bytes: &[u8]) {
        self.send_marked(to, 0, None, bytes);
    }

    /// Sends with ECN bits; with a segment size, several datagrams that the relay's
    /// kernel hands over as one message.
    pub(crate) fn send_marked(
        &self,
        to: SocketAddr,
        ecn: u8,
        segment: Option<usize>,
        bytes: &[u8],
    ) {
        let mut state = self.network.state();
        let any: IpAddr = if to.is_ipv4() {
            [0u8; 4].into()
        } else {
            std::net::Ipv6Addr::UNSPECIFIED.into()
        };
        let wildcard = SocketAddr::new(any, to.port());
        let exact = state.inboxes.contains_key(&to);
        let local_ip = (!exact).then_some(to.ip());
        if let Some(inbox) = state.inboxes.get_mut(if exact { &to } else { &wildcard }) {
            let marks = Marks {
                local_ip,
                ecn: Some(ecn),
                segment,
            };
            inbox.push_back(Packet {
                from: self.address,
                marks,
                bytes: bytes.to_vec(),
            });
        }
    }

    /// The next datagram that came here.
    pub(crate) fn receive(&self) -> Option<FakePacket> {
        let packet = self
            .network
            .state()
            .inboxes
            .get_mut(&self.address)?
            .pop_front()?;
        let ecn = packet.marks.ecn.unwrap_or(0);
        Some(FakePacket {
            from: packet.from,
            ecn,
            bytes: packet.bytes,
        })
    }

    /// All datagrams that came here.
    pub(crate) fn receive_all(&self) -> Vec<FakePacket> {
        std::iter::from_fn(|| self.receive()).collect()
    }

    /// Moves to another address; what was on its way to the old one is lost.
    pub(crate) fn rebind(&mut self, address: SocketAddr) {
        let mut state = self.network.state();
        state.inboxes.remove(&self.address);
        state.inboxes.entry(address).or_default();
        self.address = address;
    }
}

/// A relay's socket.
pub(crate) struct FakeSocket {
    network: FakeNetwork,
    local: SocketAddr,
    features: Features,
}

impl Sealed for FakeSocket {}

impl Socket for FakeSocket {
    fn local_address(&self) -> SocketAddr {
        self.local
    }

    fn features(&self) -> Features {
        self.features
    }

    fn receive(&mut self, batch: &mut ReceiveBatch) -> Result<usize, ReceiveError> {
        let mut state = self.network.state();
        if state.disturbances > 0 {
            state.disturbances -= 1;
            return Err(ReceiveError::Disturbed);
        }
        let Some(inbox) = state.inboxes.get_mut(&self.local) else {
            return Err(ReceiveError::Empty);
        };
        let filled = inbox.len().min(batch.room());
        for (slot, mut packet) in inbox.drain(..filled).enumerate() {
            packet.marks.local_ip = packet.marks.local_ip.filter(|_| self.features.wildcard);
            batch.place(slot, &packet.from, packet.marks, &packet.bytes);
        }
        if filled == 0 {
            Err(ReceiveError::Empty)
        } else {
            Ok(filled)
        }
    }

    fn send(&mut self, batch: &mut SendBatch) -> Result<usize, SendError> {
        let mut state = self.network.state();
        state.sends += 1;
        let mut sent = 0;
        // As in the kernel, an error that is not about the first message ends the
        // call without being told.
        while let Some((to, marks, bytes)) = batch.outgoing(sent) {
            let error = match state.room {
                Some(0) => Some(SendError::Full),
                _ if state.crowded => Some(SendError::Crowded),
                _ if state.refused.contains(&to) => Some(SendError::Refused),
                _ if to.is_ipv4() != self.local.is_ipv4() => Some(SendError::Refused),
                _ if marks.segment.is_some()
                    && (state.no_segmentation || state.invalid.contains(&to)) =>
                {
                    Some(SendError::Segmentation)
                }
                _ if state.invalid.contains(&to) => Some(SendError::Refused),
                _ => None,
            };
            if let Some(error) = error {
                if sent > 0 {
                    return Ok(sent);
                }
                if std::mem::take(&mut state.full_once) {
                    state.room = None;
                }
                return Err(error);
            }
            if let Some(room) = &mut state.room {
                *room -= 1;
            }
            let ip = marks.local_ip.filter(|_| self.features.wildcard);
            let from = SocketAddr::new(ip.unwrap_or(self.local.ip()), self.local.port());
            state.segmented += usize::from(marks.segment.is_some());
            if let Some(inbox) = state.inboxes.get_mut(&to) {
                for datagram in bytes.chunks(marks.segment.unwrap_or(usize::MAX)) {
                    let marks = Marks {
                        ecn: marks.ecn,
                        ..Marks::default()
                    };
                    inbox.push_back(Packet {
                        from,
                        marks,
                        bytes: datagram.to_vec(),
                    });
                }
            }
            sent += 1;
        }
        Ok(sent)
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn ready(&self) -> bool {
        self.network
            .state()
            .inboxes
            .get(&self.local)
            .is_some_and(|inbox| !inbox.is_empty())
    }
}
