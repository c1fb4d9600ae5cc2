//! The airlock as a whole, over the fake network.

mod crowds;
mod peers;
mod sending;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::fake::{FakeHost, FakeNetwork, FakeSocket};
use super::{Airlock, Departure, PerAddress, StandIn, TableLimits};

const RELAY: &str = "192.0.2.1:4433";
const RELAY6: &str = "[2001:db8::1]:4433";

fn at(address: &str) -> SocketAddr {
    address.parse().unwrap()
}

fn limits(proven: usize, unproven: usize) -> TableLimits {
    TableLimits {
        proven,
        unproven,
        unproven_for: Duration::from_secs(15),
        per_address: PerAddress::default(),
        under_way_per_address: 256,
    }
}

/// A relay of both families and its clock.
struct Story {
    network: FakeNetwork,
    airlock: Airlock<FakeSocket>,
    now: Instant,
}

/// What came in, without the borrow.
struct Came {
    from: StandIn,
    ecn: Option<u8>,
    bytes: Vec<u8>,
}

impl Story {
    fn new() -> Self {
        Self::with(limits(1000, 1000))
    }

    fn with(limits: TableLimits) -> Self {
        let network = FakeNetwork::new();
        let sockets = vec![network.socket(at(RELAY)), network.socket(at(RELAY6))];
        let airlock = Airlock::new(sockets, limits, [7; 32]);
        Self {
            network,
            airlock,
            now: Instant::now(),
        }
    }

    fn host(&self, address: &str) -> FakeHost {
        self.network.host(at(address))
    }

    /// Takes everything that is there.
    fn receive(&mut self) -> Vec<Came> {
        let mut came = Vec::new();
        while self.airlock.receive(self.now, &mut |arrival| {
            let bytes = arrival.bytes.to_vec();
            came.push(Came {
                from: arrival.from,
                ecn: arrival.ecn,
                bytes,
            });
        }) > 0
        {}
        came
    }

    /// What a host is called after it says something.
    fn hear(&mut self, host: &FakeHost) -> StandIn {
        host.send(
            at(if host.address().is_ipv4() {
                RELAY
            } else {
                RELAY6
            }),
            b"hello",
        );
        self.receive().pop().unwrap().from
    }

    fn queue(&mut self, to: StandIn, bytes: &[u8]) {
        self.queue_cut(to, bytes, None);
    }

    fn queue_cut(&mut self, to: StandIn, bytes: &[u8], segment_size: Option<usize>) {
        let mut buffer = self.airlock.buffer();
        assert!(buffer.is_empty());
        buffer.extend_from_slice(bytes);
        let departure = Departure {
            to,
            source_ip: None,
            ecn: None,
            segment_size,
            bytes: buffer,
        };
        self.airlock.send(departure);
    }

    fn flush(&mut self) {
        self.airlock.flush(self.now);
    }
}

fn texts(host: &FakeHost) -> Vec<String> {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    host.receive_all()
        .into_iter()
        .map(|packet| text(packet.bytes))
        .collect()
}
