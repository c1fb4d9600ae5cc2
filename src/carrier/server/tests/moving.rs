//! A participant changes its port or its address: its streams go on, and the old address goes.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use super::client::{A_WHILE, End, config, usual};
use super::net::{Net, RELAY, RELAY_6};

/// In the middle of a transfer in each direction, from one address to another.
fn moves(relay: &str, to: &str) {
    let mut net = Net::new(1);
    let (transport, tls) = usual();
    let client = net.client_with(config(transport, tls), relay);
    let peer = net.joined(client);
    net.server.widen(peer);
    net.run(A_WHILE);
    assert_eq!(net.server.airlock.known(), (1, 0));

    let bytes: Vec<u8> = (0..200_000_u32).map(|at| (at / 11) as u8).collect();
    let (up, _) = net.clients[client].group(&bytes[..100_000]);
    net.clients[client].finish(up);
    let down = net.server.open_group(peer, 0).unwrap();
    let mut chunks = [Bytes::from(bytes.clone())];
    net.server.write_group(peer, down, &mut chunks);
    net.server.finish_group(peer, down);
    net.run(Duration::from_millis(30));

    net.clients[client].host.rebind(to.parse().unwrap());
    net.clients[client].quic.local_address_changed();
    net.run(A_WHILE);
    let seen = net.clients[client].seen.groups.values().next().unwrap();
    assert!(seen.0 == bytes && seen.1 == End::Finished);
    let heard = &net.heard(peer).groups[0];
    assert!(heard.1 == bytes[..100_000] && heard.2 == End::Finished);
    assert_eq!(net.heard(peer).closed, 0);
    assert_eq!(net.server.airlock.known(), (1, 1), "the old one is demoted");
    net.run(Duration::from_secs(20));
    assert_eq!(net.server.airlock.known(), (1, 0), "and expires");
    assert_eq!(net.server.peers(), 1);
    net.end();
}

#[test]
fn to_another_port() {
    moves(RELAY, "198.51.100.1:6000");
    moves(RELAY_6, "[2001:db8:1::1]:6000");
}

#[test]
fn to_another_address() {
    moves(RELAY, "203.0.113.77:5000");
    moves(RELAY_6, "[2001:db8:77::1]:5000");
}

#[test]
fn a_router_that_changes_the_port_unasked_costs_nothing() {
    let mut net = Net::new(1);
    let (client, peer) = net.join();
    net.run(A_WHILE);
    let address: SocketAddr = "198.51.100.1:7777".parse().unwrap();
    net.clients[client].host.rebind(address);
    // Nobody told the client; its keep-alive tells the relay.
    net.run(Duration::from_secs(4));
    net.server
        .send_datagram(peer, Bytes::from_static(b"found"))
        .unwrap();
    net.run(A_WHILE);
    assert_eq!(net.clients[client].seen.datagrams.len(), 1);
    net.end();
}

#[test]
fn many_moves_leave_one_address() {
    let mut net = Net::new(1);
    let (client, peer) = net.join();
    for port in 6000..6020 {
        let address = SocketAddr::from(([198, 51, 100, 1], port));
        net.clients[client].host.rebind(address);
        net.clients[client].datagram(Bytes::from_static(b"x"));
        net.run(Duration::from_millis(200));
    }
    net.run(Duration::from_secs(20));
    assert_eq!(net.heard(peer).datagrams.len(), 20);
    assert_eq!(net.server.airlock.known(), (1, 0));
    net.end();
}

#[test]
fn a_packet_replayed_from_elsewhere_moves_nobody_for_good() {
    let mut net = Net::new(1);
    let (client, peer) = net.join();
    net.run(A_WHILE);
    // An attacker on the path is faster than the packet itself.
    net.clients[client].datagram(Bytes::from_static(b"captured"));
    let now = net.now;
    let sent = net.clients[client].drive(now);
    let elsewhere = net.network.host("203.0.113.66:66".parse().unwrap());
    for packet in &sent {
        elsewhere.send(RELAY.parse().unwrap(), &packet.bytes);
    }
    net.turn();
    net.run(A_WHILE);
    net.clients[client].datagram(Bytes::from_static(b"next"));
    net.run(A_WHILE);
    net.server
        .send_datagram(peer, Bytes::from_static(b"found"))
        .unwrap();
    net.run(A_WHILE);
    assert_eq!(net.clients[client].seen.datagrams.len(), 1);
    net.run(Duration::from_secs(20));
    assert_eq!(
        net.server.airlock.known(),
        (1, 0),
        "the attacker is forgotten"
    );
    net.end();
}
