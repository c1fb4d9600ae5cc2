//! A relay's server and stock clients over a network in memory, on a virtual clock.
//!
//! Latency, loss and reordering come from a seed, which a failing test prints. The server is turned
//! when a packet reaches it and when its own deadline comes, never otherwise: a deadline that it
//! forgets to name is one that never comes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use quinn_proto::{ClientConfig, ConnectionId, ConnectionIdGenerator};

use super::client::{Client, End, config, usual};
use crate::airlock::fake::{FakeNetwork, FakeSocket};
use crate::airlock::{Airlock, PerAddress, TableLimits};
use crate::carrier::certificate::{CertificateStore, Identity};
use crate::carrier::server::{Event, IncomingGroup, OutgoingGroup, Peer, Server, ServerSettings};

/// How the paths are.
#[derive(Clone, Copy)]
pub(crate) struct Path {
    pub(crate) latency: Duration,
    /// Added at random, so that packets overtake each other.
    pub(crate) jitter: Duration,
    /// Packets lost of a thousand.
    pub(crate) loss: u64,
    /// ECN bits: what has any gets "congestion experienced".
    pub(crate) congested: bool,
}

impl Default for Path {
    fn default() -> Self {
        Self {
            latency: Duration::from_millis(20),
            jitter: Duration::ZERO,
            loss: 0,
            congested: false,
        }
    }
}

/// What the server's owner heard of one peer.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) control: Vec<u8>,
    pub(crate) control_finished: usize,
    pub(crate) datagrams: Vec<Bytes>,
    pub(crate) groups: Vec<(IncomingGroup, Vec<u8>, End)>,
    pub(crate) stopped: Vec<OutgoingGroup>,
    pub(crate) writable: usize,
    pub(crate) closed: usize,
}

/// A packet under way.
struct Parcel {
    to_server: bool,
    client: usize,
    from: SocketAddr,
    ecn: u8,
    bytes: Vec<u8>,
}

pub(crate) struct Net {
    pub(crate) network: FakeNetwork,
    pub(crate) server: Server<FakeSocket>,
    pub(crate) now: Instant,
    pub(crate) path: Path,
    pub(crate) clients: Vec<Client>,
    pub(crate) heard: BTreeMap<Peer, Heard>,
    /// In the order in which they came.
    pub(crate) peers: Vec<Peer>,
    under_way: BTreeMap<(Instant, u64), Parcel>,
    parcels: u64,
    dice: u64,
    seed: u64,
}

pub(crate) const RELAY: &str = "192.0.2.1:4433";
pub(crate) const RELAY_6: &str = "[2001:db8::1]:4433";
const RESET_KEY: [u8; 32] = [2; 32];

/// One certificate for all tests: making one takes longer than most of them.
fn certificates() -> Arc<CertificateStore> {
    static STORE: OnceLock<Arc<CertificateStore>> = OnceLock::new();
    let make = || {
        let identity = Identity::from_bytes([5; 32]);
        Arc::new(CertificateStore::derived(identity, SystemTime::now()).unwrap())
    };
    STORE.get_or_init(make).clone()
}

fn server(
    network: &FakeNetwork,
    connections: usize,
    per_address: PerAddress,
    now: Instant,
) -> Server<FakeSocket> {
    let sockets = [RELAY, RELAY_6].map(|address| network.socket(address.parse().unwrap()));
    let limits = TableLimits {
        per_address,
        ..TableLimits::default()
    };
    let airlock = Airlock::new(sockets.into(), limits, [1; 32]);
    Server::new(airlock, settings(connections), certificates(), now).unwrap()
}

fn settings(connections: usize) -> ServerSettings {
    ServerSettings {
        connections,
        reset_key: RESET_KEY,
    }
}

/// A connection id as the relay gives them out, of a connection that is gone.
pub(crate) fn id_of_the_gone() -> ConnectionId {
    settings(0).ids().generate_cid()
}

impl Net {
    pub(crate) fn new(seed: u64) -> Self {
        Self::for_connections(seed, 5000)
    }

    pub(crate) fn for_connections(seed: u64, connections: usize) -> Self {
        Self::with(seed, connections, PerAddress::default())
    }

    pub(crate) fn with(seed: u64, connections: usize, per_address: PerAddress) -> Self {
        let (network, now) = (FakeNetwork::new(), Instant::now());
        Self {
            server: server(&network, connections, per_address, now),
            network,
            now,
            path: Path::default(),
            clients: Vec::new(),
            heard: BTreeMap::new(),
            peers: Vec::new(),
            under_way: BTreeMap::new(),
            parcels: 0,
            dice: seed,
            seed,
        }
    }

    /// The relay dies and comes back with the same key, knowing nobody.
    pub(crate) fn restart(&mut self) {
        self.server = server(&self.network, 5000, PerAddress::default(), self.now);
        self.heard.clear();
        self.peers.clear();
    }

    /// The next random number (SplitMix64).
    pub(crate) fn roll(&mut self) -> u64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.dice;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A client that begins to connect, over IPv4.
    pub(crate) fn client(&mut self) -> usize {
        let (transport, tls) = usual();
        self.client_with(config(transport, tls), RELAY)
    }

    pub(crate) fn client_with(&mut self, config: ClientConfig, relay: &str) -> usize {
        let number = self.clients.len();
        let from = if relay == RELAY_6 {
            format!("[2001:db8:1::{:x}]:5000", number + 1)
        } else {
            format!("198.51.100.{}:5000", number % 200 + 1)
        };
        self.client_from(&from, config, relay)
    }

    pub(crate) fn client_from(&mut self, from: &str, config: ClientConfig, relay: &str) -> usize {
        let host = self.network.host(from.parse().unwrap());
        let client = Client::connect(host, relay.parse().unwrap(), config, self.now);
        self.clients.push(client);
        self.clients.len() - 1
    }

    /// A client that is in and may send groups, and the server's name for it.
    pub(crate) fn join(&mut self) -> (usize, Peer) {
        let client = self.client();
        let peer = self.joined(client);
        self.server.widen(peer);
        self.run(self.path.latency * 2);
        (client, peer)
    }

    /// Waits until the newest client is in.
    pub(crate) fn joined(&mut self, client: usize) -> Peer {
        let before = self.peers.len();
        self.until("a handshake", |net| {
            net.clients[client].seen.connected && net.peers.len() > before
        });
        *self.peers.last().unwrap()
    }

    /// Lets time go by.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.step(end) {}
    }

    /// Lets time go by until something is so; within a minute.
    pub(crate) fn until(&mut self, what: &str, mut so: impl FnMut(&Self) -> bool) {
        let end = self.now + Duration::from_secs(60);
        while !so(self) {
            assert!(self.step(end), "{what} in a minute");
        }
    }

    pub(crate) fn heard(&self, peer: Peer) -> &Heard {
        &self.heard[&peer]
    }

    /// What happens at this moment, then on to the next; `false` at the end.
    pub(crate) fn step(&mut self, end: Instant) -> bool {
        self.happen();
        let mut next = self.under_way.keys().next().map(|(at, _)| *at);
        let deadlines = self.clients.iter_mut().filter_map(Client::deadline);
        for at in deadlines.chain(self.server.deadline()) {
            next = Some(next.map_or(at, |next| next.min(at)));
        }
        let at_least = self.now + Duration::from_micros(100);
        self.now = next.map_or(end, |next| next.max(at_least)).min(end);
        self.now < end
    }

    /// What happens at this moment.
    pub(crate) fn happen(&mut self) {
        self.deliver();
        for client in 0..self.clients.len() {
            for sent in self.clients[client].drive(self.now) {
                let from = self.clients[client].host.address();
                self.post(true, client, from, sent.ecn, sent.bytes);
            }
        }
        self.turn();
    }

    /// The server's own loop, once, and what it sends goes on its way.
    pub(crate) fn turn(&mut self) {
        self.server.turn(self.now);
        while let Some(event) = self.server.next_event() {
            self.note(event);
        }
        self.server.flush(self.now);
        for client in 0..self.clients.len() {
            for packet in self.clients[client].host.receive_all() {
                self.post(false, client, packet.from, packet.ecn, packet.bytes);
            }
        }
    }

    fn deliver(&mut self) {
        while let Some(entry) = self.under_way.first_entry() {
            if entry.key().0 > self.now {
                break;
            }
            let parcel = entry.remove();
            let client = &mut self.clients[parcel.client];
            if parcel.to_server {
                // Whoever has moved meanwhile sent this from the old place.
                let sender = self.network.host(parcel.from);
                sender.send_marked(client.relay, parcel.ecn, None, &parcel.bytes);
            } else {
                client.receive(self.now, parcel.from, parcel.ecn, &parcel.bytes);
            }
        }
    }

    fn post(
        &mut self,
        to_server: bool,
        client: usize,
        from: SocketAddr,
        mut ecn: u8,
        bytes: Vec<u8>,
    ) {
        if self.roll() % 1000 < self.path.loss {
            return;
        }
        if self.path.congested && ecn != 0 {
            ecn = 3;
        }
        let jitter = u64::try_from(self.path.jitter.as_micros()).unwrap();
        let jitter = Duration::from_micros(self.roll() % (jitter + 1));
        self.parcels += 1;
        let at = self.now + self.path.latency + jitter;
        let parcel = Parcel {
            to_server,
            client,
            from,
            ecn,
            bytes,
        };
        self.under_way.insert((at, self.parcels), parcel);
    }

    fn note(&mut self, event: Event) {
        if let Event::Connected(peer) = event {
            self.peers.push(peer);
            let twice = self.heard.insert(peer, Heard::default());
            assert!(twice.is_none(), "a peer's name is used once");
            return;
        }
        match event {
            Event::Connected(_) => {}
            Event::Control(peer, bytes) => self.of(peer).control.extend_from_slice(&bytes),
            Event::Datagram(peer, bytes) => self.of(peer).datagrams.push(bytes),
            Event::GroupOpened(peer, group) => {
                self.of(peer).groups.push((group, Vec::new(), End::No));
            }
            Event::GroupData(peer, group, bytes) => {
                open_group(self.of(peer), group).1.extend_from_slice(&bytes);
            }
            Event::GroupFinished(peer, group) => open_group(self.of(peer), group).2 = End::Finished,
            Event::GroupReset(peer, group) => open_group(self.of(peer), group).2 = End::Reset,
            Event::GroupStopped(peer, group) => self.of(peer).stopped.push(group),
            Event::Writable(peer) => self.of(peer).writable += 1,
            Event::ControlFinished(peer) => self.of(peer).control_finished += 1,
            Event::Closed(peer) => self.of(peer).closed += 1,
        }
    }

    fn of(&mut self, peer: Peer) -> &mut Heard {
        let heard = self.heard.get_mut(&peer).expect("connected before");
        assert_eq!(heard.closed, 0, "nothing is heard of who is gone");
        heard
    }

    /// Everyone leaves, and nothing is left of anyone.
    pub(crate) fn end(mut self) {
        let now = self.now;
        for client in &mut self.clients {
            client.close(now);
        }
        self.path.loss = 0;
        self.run(Duration::from_secs(70));
        self.nothing_left();
    }

    pub(crate) fn nothing_left(&self) {
        assert!(self.server.drained(), "every close was seen through");
        assert_eq!(self.server.peers(), 0);
        assert_eq!(self.server.airlock.known(), (0, 0), "no address is left");
        assert_eq!(
            self.server.connections.held(),
            (0, 0),
            "no connection is left"
        );
        assert_eq!(self.server.deadline(), None, "nothing to wait for");
    }
}

fn open_group(heard: &mut Heard, group: IncomingGroup) -> &mut (IncomingGroup, Vec<u8>, End) {
    let of = heard.groups.iter_mut().find(|(id, ..)| *id == group);
    let found = of.expect("opened before");
    assert_eq!(found.2, End::No, "nothing comes after the end");
    found
}

impl Drop for Net {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("SOTTOVOCE_SEED={}", self.seed);
        }
    }
}
