//! Explicit congestion notification (RFC 9000, section 13.4) passes the airlock both ways.

use bytes::Bytes;

use super::client::A_WHILE;
use super::net::Net;

const CAPABLE: u8 = 2;

#[test]
fn marks_stay_valid_on_both_sides() {
    let mut net = Net::new(1);
    let (client, peer) = net.join();
    for _ in 0..20 {
        net.clients[client].datagram(Bytes::from_static(b"up"));
        net.server
            .send_datagram(peer, Bytes::from_static(b"down"))
            .unwrap();
        net.run(A_WHILE);
    }
    // Whoever gets no counts back, or wrong ones, stops marking.
    net.clients[client].seen.marks.clear();
    net.clients[client].datagram(Bytes::from_static(b"last"));
    net.server
        .send_datagram(peer, Bytes::from_static(b"last"))
        .unwrap();
    let now = net.now;
    let sent = net.clients[client].drive(now);
    assert!(!sent.is_empty() && sent.iter().all(|packet| packet.ecn == CAPABLE));
    net.run(A_WHILE);
    let marks = &net.clients[client].seen.marks;
    assert!(!marks.is_empty() && marks.iter().all(|mark| *mark == CAPABLE));
    net.end();
}

#[test]
fn congestion_that_the_path_marks_is_told_to_the_sender() {
    let mut net = Net::new(1);
    let (client, _) = net.join();
    net.run(A_WHILE);
    let events = |net: &Net| net.clients[0].quic.stats().path.congestion_events;
    assert_eq!(events(&net), 0);
    net.path.congested = true;
    for _ in 0..5 {
        net.clients[client].datagram(Bytes::from_static(b"up"));
        net.run(A_WHILE);
    }
    assert!(events(&net) > 0, "the relay echoes the marks");
    net.end();
}

#[test]
fn the_relay_slows_down_when_its_packets_are_marked() {
    let mut net = Net::new(1);
    let (_, peer) = net.join();
    net.run(A_WHILE);
    let window = |net: &mut Net| {
        let quic = &net
            .server
            .connections
            .slot(peer.index() as usize)
            .unwrap()
            .quic;
        quic.congestion_state().window()
    };
    let before = window(&mut net);
    net.path.congested = true;
    for _ in 0..5 {
        net.server
            .send_datagram(peer, Bytes::from_static(b"down"))
            .unwrap();
        net.run(A_WHILE);
    }
    assert!(window(&mut net) < before, "the client's echo reached quinn");
    net.end();
}
