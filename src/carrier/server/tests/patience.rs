//! Participants acknowledge seldom when all is well, and at once when something is missing.

use std::time::Duration;

use bytes::Bytes;

use super::client::A_WHILE;
use super::net::Net;

const BEAT: Duration = Duration::from_millis(20);

/// What the relay received of a connection so far, in packets.
fn received(net: &mut Net, peer: crate::carrier::server::Peer) -> u64 {
    let slot = net.server.connections.slot(peer.index() as usize).unwrap();
    slot.quic.stats().udp_rx.datagrams
}

#[test]
fn one_acknowledgement_for_ten_beats() {
    let mut net = Net::new(1);
    let (_, peer) = net.join();
    net.run(A_WHILE);
    let before = received(&mut net, peer);
    for _ in 0..100 {
        let sound = Bytes::from_static(b"sound");
        net.server.send_datagram(peer, sound).unwrap();
        net.run(BEAT);
    }
    let answers = received(&mut net, peer) - before;
    assert!(
        (5..=14).contains(&answers),
        "{answers} packets came for a hundred that went"
    );
    net.end();
}

#[test]
fn a_gap_is_told_at_once() {
    let mut net = Net::new(1);
    let (_, peer) = net.join();
    net.run(A_WHILE);
    let lost = |net: &mut Net| {
        let slot = net.server.connections.slot(peer.index() as usize).unwrap();
        slot.quic.stats().path.lost_packets
    };
    assert_eq!(lost(&mut net), 0);
    let sound = || Bytes::from_static(b"sound");
    net.path.loss = 1000;
    net.server.send_datagram(peer, sound()).unwrap();
    net.run(Duration::from_millis(1));
    net.run(BEAT);
    net.path.loss = 0;
    // Later ones make it lost (RFC 9002, section 6.1): once there and back, an eighth more, and the
    // answer waits for a beat.
    for _ in 0..5 {
        net.server.send_datagram(peer, sound()).unwrap();
        net.run(BEAT);
    }
    assert_eq!(lost(&mut net), 1, "known before 200 ms have passed");
    net.end();
}
