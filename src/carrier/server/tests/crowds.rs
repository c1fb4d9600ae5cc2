//! What comes from one address: refused past its bound, and nobody else notices.

use std::time::Duration;

use bytes::Bytes;
use quinn_proto::ClientConfig;

use super::client::{A_WHILE, Client, config, usual};
use super::net::{Net, RELAY};
use crate::airlock::PerAddress;
use crate::carrier::limits::{HANDSHAKES_OF_ONE_ADDRESS, RETRY_FROM};
use crate::wire::CloseReason;

const FEW: PerAddress = PerAddress {
    connections: 3,
    handshakes: 40,
};

fn stock() -> ClientConfig {
    let (transport, tls) = usual();
    config(transport, tls)
}

impl Net {
    fn few() -> Self {
        Self::with(1, 5000, FEW)
    }

    /// A client behind one address with others, that begins to connect.
    fn behind(&mut self, port: u16) -> usize {
        self.client_from(&format!("203.0.113.1:{port}"), stock(), RELAY)
    }

    fn behind_and_in(&mut self, port: u16) -> usize {
        let client = self.behind(port);
        self.joined(client);
        client
    }
}

#[test]
fn one_address_has_so_many_connections_and_nobody_else_notices() {
    let mut net = Net::few();
    let (inside, peer) = net.join();
    let first = net.behind_and_in(1);
    net.behind_and_in(2);
    net.behind_and_in(3);
    let late = net.behind(4);
    net.run(A_WHILE);
    assert!(net.clients[late].seen.lost.is_some() && !net.clients[late].seen.connected);
    net.join();
    let word = Bytes::from_static(b"still here");
    net.server.send_datagram(peer, word.clone()).unwrap();
    net.run(A_WHILE);
    assert_eq!(net.clients[inside].seen.datagrams, [word]);
    assert_eq!(net.server.peers(), 5);
    let now = net.now;
    net.clients[first].close(now);
    net.run(Duration::from_secs(3));
    net.behind_and_in(5);
    net.end();
}

#[test]
fn one_address_that_says_nothing_more_leaves_places_for_others() {
    let mut net = Net::new(1);
    let most = RETRY_FROM + HANDSHAKES_OF_ONE_ADDRESS;
    for port in 1..most as u16 + 100 {
        net.half_way(([203, 0, 113, 1], port).into(), &stock());
    }
    // Until so many are under way nobody has to show an address.
    assert_eq!(net.server.connections.held(), (most, most));
    net.join();
    net.run(Duration::from_secs(20));
    net.behind_and_in(9999);
    net.end();
}

/// When they begin there is room for each. Before they are through, another has shown its address.
#[test]
fn one_too_many_that_came_through_is_told() {
    let mut net = Net::few();
    let all: Vec<_> = (1..=3).map(|port| net.behind(port)).collect();
    net.run(Duration::from_millis(30));
    assert_eq!(net.server.connections.held(), (3, 3));
    all.iter().for_each(|&slow| net.clients[slow].mute = true);
    net.behind_and_in(4);
    all.iter().for_each(|&slow| net.clients[slow].mute = false);
    net.run(Duration::from_secs(5));
    assert_eq!(net.server.peers(), 3);
    let told = all.iter().map(|&slow| net.clients[slow].closed_with());
    let told: Vec<_> = told.flatten().collect();
    assert_eq!(told, [CloseReason::RelayFull.code()]);
    net.end();
}

#[test]
fn who_moves_to_a_full_address_stays_in_and_counts_where_it_began() {
    let mut net = Net::few();
    let moving = net.client_from("198.51.100.77:7", stock(), RELAY);
    let peer = net.joined(moving);
    for port in 1..=3 {
        net.behind_and_in(port);
    }
    net.clients[moving]
        .host
        .rebind("203.0.113.1:99".parse().unwrap());
    net.clients[moving].quic.local_address_changed();
    net.run(Duration::from_secs(20));
    assert_eq!(net.heard(peer).closed, 0);
    assert_eq!(net.server.airlock.known(), (4, 0));
    let others: Vec<_> = (1..=2)
        .map(|port| net.client_from(&format!("198.51.100.77:{port}"), stock(), RELAY))
        .collect();
    net.run(A_WHILE);
    assert!(
        others
            .iter()
            .all(|&client| net.clients[client].seen.connected)
    );
    let late = net.client_from("198.51.100.77:9", stock(), RELAY);
    net.run(A_WHILE);
    assert!(!net.clients[late].seen.connected, "that one is the fourth");
    net.end();
}

#[test]
fn a_flood_in_the_name_of_an_address_locks_it_out_of_nothing() {
    let mut net = Net::few();
    let relay = RELAY.parse().unwrap();
    let config = stock();
    for port in 100..400 {
        let host = net.network.host(([203, 0, 113, 1], port).into());
        let mut client = Client::connect(host, relay, config.clone(), net.now);
        for sent in client.drive(net.now) {
            client.host.send(relay, &sent.bytes);
        }
        net.turn();
    }
    // Those who would be more than the connections that one may have are asked first.
    assert_eq!(net.server.connections.held(), (3, 3));
    for port in 1..=3 {
        net.behind_and_in(port);
    }
    net.run(Duration::from_secs(20));
    assert_eq!(net.server.connections.held(), (3, 0));
    net.end();
}

#[test]
fn handshakes_of_one_address_come_to_an_end_and_begin_again_within_a_minute() {
    let few = PerAddress {
        connections: 100,
        handshakes: 8,
    };
    let mut net = Net::with(1, 5000, few);
    let mut come_and_go = |port: u16| {
        let client = net.behind(port);
        net.run(A_WHILE);
        let connected = net.clients[client].seen.connected;
        let now = net.now;
        net.clients[client].close(now);
        net.run(Duration::from_millis(500));
        (connected, net.clients[client].closed_with())
    };
    let all: Vec<_> = (1..=10).map(&mut come_and_go).collect();
    assert!(all[..8].iter().all(|(connected, _)| *connected));
    assert!(all[8..].iter().all(|(connected, _)| !connected));
    let reason = Some(CloseReason::RelayFull.code());
    assert!(all.iter().all(|(_, told)| *told != reason));
    net.run(Duration::from_secs(60));
    net.behind_and_in(99);
    net.end();
}
