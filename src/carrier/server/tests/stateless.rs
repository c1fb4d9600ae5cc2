//! Answers without a connection: stateless reset and version negotiation (RFC 9000, sections 10.3
//! and 6).

use std::time::Duration;

use bytes::Bytes;
use quinn_proto::ConnectionError;

use super::client::A_WHILE;
use super::net::{Net, RELAY, id_of_the_gone};
use crate::carrier::limits::RESETS;

#[test]
fn a_relay_that_forgot_its_peers_tells_them() {
    let mut net = Net::new(1);
    let clients: Vec<usize> = (0..3).map(|_| net.join().0).collect();
    net.run(A_WHILE);
    net.restart();
    for &client in &clients {
        net.clients[client].datagram(Bytes::from(vec![1; 200]));
        net.run(Duration::from_millis(100));
        assert_eq!(
            net.clients[client].seen.lost,
            Some(ConnectionError::Reset),
            "at once, not after a timeout"
        );
    }
    net.run(Duration::from_secs(70));
    net.nothing_left();
    net.join();
    net.end();
}

#[test]
fn a_reset_also_answers_a_keep_alive() {
    let mut net = Net::new(1);
    let (client, _) = net.join();
    net.run(A_WHILE);
    net.restart();
    net.run(Duration::from_secs(4));
    assert_eq!(net.clients[client].seen.lost, Some(ConnectionError::Reset));
}

/// Somebody keeps sending under the ids of connections that have ended, in the name of anybody.
#[test]
fn resets_are_no_more_than_peers_at_once_and_then_have_a_pace() {
    let mut net = Net::for_connections(1, 40);
    let (client, _) = net.join();
    let stranger = net.network.host("203.0.113.9:9".parse().unwrap());
    let answers = |net: &mut Net| {
        for _ in 0..200 {
            let packet = [&[0x40][..], &id_of_the_gone(), &[7; 51]].concat();
            stranger.send(RELAY.parse().unwrap(), &packet);
        }
        net.turn();
        stranger.receive_all().len()
    };
    assert_eq!(answers(&mut net), 40);
    assert_eq!(answers(&mut net), 0);
    net.now += Duration::from_millis(1);
    assert_eq!(answers(&mut net), RESETS as usize / 1000);
    net.run(A_WHILE);
    assert!(net.clients[client].seen.lost.is_none());
    net.end();
}

/// A long header of an unknown version, with ids of eight bytes.
fn of_another_version(length: usize) -> Vec<u8> {
    let mut packet = vec![0xc0, 0xde, 0xad, 0xbe, 0xef, 8];
    packet.extend_from_slice(b"to-relay\x08to-peer!");
    packet.resize(length, 0);
    packet
}

#[test]
fn another_version_is_told_which_there_are() {
    let mut net = Net::new(1);
    let stranger = net.network.host("203.0.113.9:9".parse().unwrap());
    let relay = RELAY.parse().unwrap();
    stranger.send(relay, &of_another_version(1200));
    net.turn();
    let answer = stranger.receive().expect("an answer").bytes;
    assert_eq!(answer[1..5], [0; 4], "version negotiation");
    assert_eq!(&answer[5..14], b"\x08to-peer!", "ids change sides");
    let versions = answer[23..].chunks_exact(4);
    assert!(versions.into_iter().any(|version| version == [0, 0, 0, 1]));
    assert!(answer.len() < 1200, "no amplifier");

    stranger.send(relay, &of_another_version(400));
    net.turn();
    assert!(stranger.receive().is_none(), "too short for an answer");
    net.run(Duration::from_secs(70));
    net.nothing_left();
}
