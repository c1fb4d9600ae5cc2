//! Handshakes: who is let in, who is not, and what fits.

use std::time::Duration;

use bytes::Bytes;

use super::client::{A_WHILE, config, usual};
use super::net::{Net, RELAY, RELAY_6};
use crate::wire::CloseReason;
use crate::wire::limits::DATAGRAM;

#[test]
fn a_datagram_of_the_full_size_fits_both_ways_from_the_first_moment() {
    for relay in [RELAY, RELAY_6] {
        let mut net = Net::new(1);
        let (transport, tls) = usual();
        let client = net.client_with(config(transport, tls), relay);
        let peer = net.joined(client);
        let full = Bytes::from(vec![9; DATAGRAM]);
        net.server.send_datagram(peer, full.clone()).unwrap();
        net.clients[client].datagram(full.clone());
        net.run(A_WHILE);
        assert!(net.heard(peer).datagrams == [&full[..]]);
        assert_eq!(net.clients[client].seen.datagrams, [full]);
        net.end();
    }
}

#[test]
fn one_that_takes_no_datagrams_is_refused() {
    let mut net = Net::new(1);
    let (mut transport, tls) = usual();
    transport.datagram_receive_buffer_size(None);
    let client = net.client_with(config(transport, tls), RELAY);
    net.run(A_WHILE);
    let code = CloseReason::Unexpected.code();
    assert_eq!(net.clients[client].closed_with(), Some(code));
    assert!(net.peers.is_empty() && net.server.peers() == 0);
    net.end();
}

#[test]
fn one_that_speaks_another_protocol_is_refused() {
    let mut net = Net::new(1);
    let (transport, mut tls) = usual();
    tls.alpn_protocols = vec![b"hq-interop".to_vec()];
    let client = net.client_with(config(transport, tls), RELAY);
    net.run(A_WHILE);
    assert!(net.clients[client].seen.lost.is_some() && net.peers.is_empty());
    net.end();
}

#[test]
fn a_handshake_that_takes_too_long_is_over() {
    let mut net = Net::new(1);
    let (client, peer) = net.join();
    let slow = net.client();
    net.happen();
    net.clients[slow].mute = true;
    net.run(Duration::from_secs(7));
    assert_eq!(net.server.connections.held(), (2, 1));
    net.run(Duration::from_secs(3));
    assert_eq!(net.server.connections.held().1, 0);
    net.run(Duration::from_secs(10));
    assert_eq!(net.server.connections.held(), (1, 0));
    assert_eq!(net.heard(peer).closed, 0);
    assert!(net.clients[client].seen.lost.is_none());
    net.end();
}

#[test]
fn a_handshake_that_is_done_when_its_time_is_over_counts() {
    let mut net = Net::new(1);
    let client = net.client();
    while !net.clients[client].seen.connected {
        assert!(net.step(net.now + A_WHILE));
    }
    assert!(net.peers.is_empty(), "its last flight is under way");
    // The relay's process slept meanwhile.
    net.now += Duration::from_secs(9);
    net.happen();
    assert_eq!((net.peers.len(), net.server.peers()), (1, 1));
    assert_eq!(net.server.connections.held(), (1, 0));
    // Such a round trip makes a close take long: three times a timeout for probes.
    let now = net.now;
    net.clients[client].close(now);
    net.run(Duration::from_secs(100));
    net.end();
}

#[test]
fn past_the_most_connections_newcomers_are_refused() {
    let mut net = Net::for_connections(1, 3);
    for _ in 0..3 {
        net.join();
    }
    let late = net.client();
    net.run(A_WHILE);
    assert!(net.clients[late].seen.lost.is_some());
    assert_eq!(net.server.peers(), 3);
    let now = net.now;
    net.clients[0].close(now);
    net.run(Duration::from_secs(3));
    net.join();
    net.end();
}
