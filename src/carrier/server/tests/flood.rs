//! Floods of newcomers: bounded, and without harm to who is in or honest.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use quinn_proto::{ClientConfig, ConnectionError};

use super::client::{A_WHILE, Client, config, usual};
use super::net::{Net, RELAY, id_of_the_gone};
use crate::carrier::limits::{HANDSHAKES, LARGEST, RETRY_FROM, TURN_HANDSHAKES};

/// First packets from addresses that are not the sender's own, at one instant.
fn spoofed(net: &mut Net, config: &ClientConfig, from: u32, count: u32) -> usize {
    let mut answers = 0;
    for number in from..from + count {
        let [_, high, low, port] = number.to_be_bytes();
        let address = ([203, 0, high, low], 1000 + u16::from(port));
        let host = net.network.host(address.into());
        let relay = RELAY.parse().unwrap();
        let mut client = Client::connect(host, relay, config.clone(), net.now);
        for sent in client.drive(net.now) {
            client.host.send(relay, &sent.bytes);
        }
        // Fewer than may begin in one turn.
        if number % 10 == 0 {
            net.turn();
        }
        answers += client.host.receive_all().len();
    }
    net.turn();
    answers
}

/// Whether a packet is a Retry: a long header, of that type (RFC 9000, section 17.2.5).
fn is_retry(packet: &[u8]) -> bool {
    packet.first().is_some_and(|first| first & 0xf0 == 0xf0)
}

impl Net {
    /// Somebody begins a handshake, and shows its address if it is asked to; but does not complete it.
    pub(super) fn half_way(&mut self, from: SocketAddr, config: &ClientConfig) {
        let relay = RELAY.parse().unwrap();
        let host = self.network.host(from);
        let mut client = Client::connect(host, relay, config.clone(), self.now);
        // The first packet, and the one with the token.
        for _ in 0..2 {
            for sent in client.drive(self.now) {
                client.host.send(relay, &sent.bytes);
            }
            self.turn();
            for packet in client.host.receive_all() {
                if is_retry(&packet.bytes) {
                    client.receive(self.now, packet.from, 0, &packet.bytes);
                }
            }
        }
        // No faster than first packets are looked at.
        self.now += Duration::from_millis(1);
    }
}

#[test]
fn spoofed_newcomers_are_asked_to_prove_themselves_and_honest_ones_get_in() {
    let mut net = Net::new(1);
    let (inside, peer) = net.join();
    net.run(A_WHILE);
    let (transport, tls) = usual();
    let config = config(transport, tls);
    spoofed(&mut net, &config, 0, RETRY_FROM as u32 + 40);
    assert_eq!(net.server.connections.held(), (RETRY_FROM + 1, RETRY_FROM));

    let stranger = net.network.host("203.0.113.250:9".parse().unwrap());
    let relay = RELAY.parse().unwrap();
    let mut client = Client::connect(stranger, relay, config.clone(), net.now);
    for sent in client.drive(net.now) {
        client.host.send(relay, &sent.bytes);
    }
    net.turn();
    let answers = client.host.receive_all();
    // A first flight of two packets may get two.
    assert!((1..=2).contains(&answers.len()));
    assert!(answers.iter().all(|answer| is_retry(&answer.bytes)));

    let newcomer = net.client();
    let (proven, _) = net.server.airlock.known();
    net.until("a handshake that was retried", |net| {
        net.server.connections.held().1 > RETRY_FROM
    });
    let (with_newcomer, _) = net.server.airlock.known();
    assert_eq!(
        with_newcomer,
        proven + 1,
        "who shows a token counts as proven at once"
    );
    let new_peer = net.joined(newcomer);

    let word = Bytes::from_static(b"still here");
    for to in [peer, new_peer] {
        net.server.send_datagram(to, word.clone()).unwrap();
    }
    net.run(A_WHILE);
    for client in [inside, newcomer] {
        assert!(net.clients[client].seen.datagrams == [&word[..]]);
    }
    net.run(Duration::from_secs(30));
    assert_eq!(net.server.connections.held(), (2, 0));
    assert_eq!(net.server.airlock.known(), (2, 0));
    net.end();
}

#[test]
fn a_small_relay_keeps_most_of_its_seats_from_spoofed_newcomers() {
    let mut net = Net::for_connections(1, 40);
    let (transport, tls) = usual();
    spoofed(&mut net, &config(transport, tls), 0, 100);
    assert_eq!(net.server.connections.held(), (10, 10));
    net.join();
    net.end();
}

#[test]
fn handshakes_under_way_are_bounded_also_from_true_addresses() {
    let mut net = Net::new(1);
    let (inside, peer) = net.join();
    let (transport, tls) = usual();
    let config = config(transport, tls);
    for number in 0..HANDSHAKES + 20 {
        let [high, low] = (number as u16).to_be_bytes();
        net.half_way(([203, 0, high, low], 7).into(), &config);
    }
    assert_eq!(net.server.connections.held(), (HANDSHAKES + 1, HANDSHAKES));
    let word = Bytes::from_static(b"still here");
    net.server.send_datagram(peer, word.clone()).unwrap();
    net.run(A_WHILE);
    assert_eq!(net.clients[inside].seen.datagrams, [word]);
    assert_eq!(net.heard(peer).closed, 0);
    net.run(Duration::from_secs(20));
    assert_eq!(net.server.connections.held(), (1, 0));
    net.join();
    net.end();
}

#[test]
fn garbage_is_no_peer() {
    let mut net = Net::new(1);
    let (client, _) = net.join();
    let stranger = net.network.host("203.0.113.9:9".parse().unwrap());
    for length in 0..1500_usize {
        let bytes: Vec<u8> = (0..length).map(|_| net.roll() as u8).collect();
        stranger.send(RELAY.parse().unwrap(), &bytes);
        if length % 50 == 0 {
            net.turn();
        }
    }
    net.run(A_WHILE);
    assert_eq!(net.server.connections.held(), (1, 0));
    let lost: &Option<ConnectionError> = &net.clients[client].seen.lost;
    assert!(lost.is_none());
    net.end();
}

#[test]
fn one_turn_begins_few_handshakes() {
    let mut net = Net::new(1);
    let (transport, tls) = usual();
    let config = config(transport, tls);
    let relay = RELAY.parse().unwrap();
    for number in 0..60 {
        let host = net.network.host(([203, 0, 113, number], 1000).into());
        let mut client = Client::connect(host, relay, config.clone(), net.now);
        for sent in client.drive(net.now) {
            client.host.send(relay, &sent.bytes);
        }
    }
    net.turn();
    assert_eq!(net.server.connections.held().1, TURN_HANDSHAKES);
    net.run(Duration::from_secs(70));
    net.nothing_left();
}

#[test]
fn a_crowd_that_comes_back_at_once_waits_for_no_timer() {
    let mut net = Net::new(1);
    let clients: Vec<usize> = (0..200).map(|_| net.client()).collect();
    // Clients send a first packet again after a second.
    net.run(Duration::from_millis(900));
    let inside = clients
        .iter()
        .filter(|&&client| net.clients[client].seen.connected);
    assert_eq!(inside.count(), clients.len());
    net.end();
}

#[test]
fn handshakes_that_many_complete_do_not_take_the_core() {
    let mut net = Net::new(1);
    let now = net.now;
    while net.server.connections.begins(now) {}
    let (transport, tls) = usual();
    let config = config(transport, tls);
    net.half_way(([203, 0, 113, 1], 7).into(), &config);
    assert_eq!(net.server.connections.held(), (0, 0));
    // It comes again by itself.
    net.join();
    net.end();
}

#[test]
fn a_flood_under_ids_that_the_relay_gave_out_keeps_nobody_out() {
    let mut net = Net::new(1);
    let (relay, stranger) = (RELAY.parse().unwrap(), "203.0.113.250:9".parse().unwrap());
    let stranger = net.network.host(stranger);
    let flood = |net: &mut Net, packets: u32| {
        for number in 0..packets {
            // First packets without a token, and with one.
            let token = (number % 2) as u8 * 63;
            let id = id_of_the_gone();
            let begin = [0xc3, 0, 0, 0, 1, id.len() as u8];
            let mut packet = [&begin[..], &id, &[0, token]].concat();
            packet.resize(1200, 0x45);
            stranger.send(relay, &packet);
        }
        net.run(Duration::from_millis(1));
    };
    let newcomer = net.client();
    flood(&mut net, 6000);
    for _ in 0..1500 {
        flood(&mut net, 40);
    }
    assert!(net.clients[newcomer].seen.connected);
    net.end();
}

#[test]
fn a_packet_that_no_honest_peer_sends_is_not_looked_at() {
    let mut net = Net::new(1);
    let (transport, tls) = usual();
    let config = config(transport, tls);
    let relay = RELAY.parse().unwrap();
    let host = net.network.host("203.0.113.1:9".parse().unwrap());
    let mut client = Client::connect(host, relay, config, net.now);
    let mut first = client.drive(net.now).swap_remove(0).bytes;
    first.resize(LARGEST + 1, 0);
    client.host.send(relay, &first);
    net.turn();
    assert_eq!(net.server.connections.held(), (0, 0));
    net.run(Duration::from_secs(70));
    net.nothing_left();
}
