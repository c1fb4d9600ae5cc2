//! Small packets of a listener wait for its next beat; nobody notices.

use std::time::Duration;

use bytes::Bytes;

use super::client::A_WHILE;
use super::net::Net;
use crate::carrier::limits::HELD_FOR;
use crate::carrier::server::Peer;

const BEAT: Duration = Duration::from_millis(20);

fn quic(net: &mut Net, peer: Peer) -> &mut quinn_proto::Connection {
    let slot = net.server.connections.slot(peer.index() as usize);
    &mut slot.unwrap().quic
}

/// Some beats of speech to one listener.
fn speak(net: &mut Net, peer: Peer, beats: usize, beat: Duration) {
    for _ in 0..beats {
        let sound = Bytes::from_static(b"sound");
        net.server.send_datagram(peer, sound).unwrap();
        net.run(beat);
    }
}

#[test]
fn an_acknowledgement_waits_for_the_beat_and_the_round_trip_does_not_grow() {
    let mut net = Net::new(1);
    net.path.latency = Duration::from_millis(22);
    let (client, peer) = net.join();
    net.run(A_WHILE);
    speak(&mut net, peer, 3, BEAT);
    let mut waited = false;
    for _ in 0..3000 {
        let sound = Bytes::from_static(b"sound");
        net.server.send_datagram(peer, sound).unwrap();
        let end = net.now + BEAT;
        while net.step(end) {
            waited |= net.server.connections.held.waiting() > 0;
        }
    }
    assert!(waited, "none ever waited");
    let rtt = quic(&mut net, peer).rtt();
    let most = net.path.latency * 2 + Duration::from_millis(2);
    assert!(rtt <= most, "{rtt:?}");
    let lost = quic(&mut net, peer).stats().path.lost_packets;
    assert_eq!(lost, 0);
    net.run(A_WHILE);
    assert_eq!(net.clients[client].seen.datagrams.len(), 3003);
    net.end();
}

#[test]
fn what_waits_is_taken_in_time_when_no_beat_comes() {
    let mut net = Net::new(1);
    let (client, peer) = net.join();
    net.run(A_WHILE);
    speak(&mut net, peer, 10, BEAT);
    let now = net.now;
    net.clients[client].close(now);
    net.happen();
    net.run(net.path.latency + HELD_FOR);
    net.happen();
    assert_eq!(net.heard(peer).closed, 1, "a farewell of a listener");
    assert_eq!(net.server.connections.held.waiting(), 0);
    net.end();
}

#[test]
fn who_waits_for_an_acknowledgement_gets_it_at_once() {
    let mut net = Net::new(1);
    let (client, peer) = net.join();
    net.run(A_WHILE);
    speak(&mut net, peer, 10, BEAT);
    let group = net.server.open_group(peer, 0).unwrap();
    let mut chunks = [Bytes::from(vec![7; 400_000])];
    assert_eq!(net.server.write_group(peer, group, &mut chunks), 400_000);
    let complete = |net: &Net| {
        let mut groups = net.clients[client].seen.groups.values();
        groups.any(|(bytes, _)| bytes.len() == 400_000)
    };
    let mut beats = 0;
    while !complete(&net) {
        beats += 1;
        assert!(beats < 50, "the group takes a few round trips");
        let sound = Bytes::from_static(b"sound");
        net.server.send_datagram(peer, sound).unwrap();
        let end = net.now + BEAT;
        while net.step(end) {
            assert_eq!(net.server.connections.held.waiting(), 0);
        }
    }
    net.end();
}

#[test]
fn a_flood_of_small_packets_does_not_pile_up() {
    let mut net = Net::new(1);
    let (client, peer) = net.join();
    net.run(A_WHILE);
    speak(&mut net, peer, 3, BEAT);
    for _ in 0..100 {
        net.clients[client].datagram(Bytes::from_static(b"!"));
        net.happen();
        net.run(Duration::from_micros(200));
        assert!(net.server.connections.held.waiting() <= crate::carrier::limits::HELD_PACKETS);
    }
    net.run(A_WHILE);
    assert_eq!(net.heard(peer).datagrams.len(), 100);
    net.end();
}
