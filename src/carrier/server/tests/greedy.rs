//! Peers that take without reading: what the relay holds for them is bounded, and nobody else
//! notices.

use bytes::Bytes;
use quinn_proto::VarInt;

use super::client::{A_WHILE, End, config, usual};
use super::net::{Net, RELAY};
use crate::carrier::limits::{CONTROL_QUEUE, OUTGOING_STREAMS};
use crate::carrier::server::{Peer, SendError};

/// A client that reads nothing, with small windows.
fn that_never_reads(net: &mut Net) -> (usize, Peer) {
    let (mut transport, tls) = usual();
    transport
        .receive_window(VarInt::from_u32(20_000))
        .stream_receive_window(VarInt::from_u32(10_000))
        .max_concurrent_uni_streams(VarInt::from_u32(4));
    let client = net.client_with(config(transport, tls), RELAY);
    net.clients[client].reads = false;
    (client, net.joined(client))
}

#[test]
fn control_messages_pile_up_to_a_bound() {
    let mut net = Net::new(1);
    let (client, peer) = that_never_reads(&mut net);
    net.clients[client].control(b"hello");
    net.run(A_WHILE);
    let message = Bytes::from(vec![3; 1000]);
    let mut taken = 0;
    let refused = loop {
        match net.server.send_control(peer, message.clone()) {
            Ok(()) => taken += message.len(),
            Err(error) => break error,
        }
        net.happen();
    };
    assert_eq!(refused, SendError::Overflow);
    assert!((CONTROL_QUEUE - 1000..=CONTROL_QUEUE + 11_000).contains(&taken));
    // Once it reads, all of it comes.
    net.clients[client].reads = true;
    net.run(A_WHILE * 4);
    assert_eq!(net.clients[client].seen.control.len(), taken);
    assert_eq!(net.server.send_control(peer, message), Ok(()));
    net.end();
}

#[test]
fn before_there_is_a_control_stream_messages_wait_up_to_the_same_bound() {
    let mut net = Net::new(1);
    let (client, peer) = net.join();
    let message = Bytes::from(vec![3; CONTROL_QUEUE / 2]);
    assert_eq!(net.server.send_control(peer, message.clone()), Ok(()));
    assert_eq!(net.server.send_control(peer, message.clone()), Ok(()));
    let one = Bytes::from_static(b"1");
    assert_eq!(net.server.send_control(peer, one), Err(SendError::Overflow));
    net.clients[client].control(b"hello");
    net.run(A_WHILE);
    assert_eq!(net.clients[client].seen.control.len(), CONTROL_QUEUE);
    net.end();
}

#[test]
fn a_peer_that_never_reads_holds_its_windows_and_harms_nobody() {
    let mut net = Net::new(1);
    let (greedy, peer) = that_never_reads(&mut net);
    let (other, well) = net.join();
    net.run(A_WHILE);
    let chunk = Bytes::from(vec![7; 50_000]);
    let (mut taken, mut groups) = (0, Vec::new());
    for _ in 0..20 {
        if let Some(group) = net.server.open_group(peer, 0) {
            groups.push(group);
        }
        for &group in &groups {
            taken += net.server.write_group(peer, group, &mut [chunk.clone()]);
        }
        net.run(A_WHILE);
    }
    assert_eq!(groups.len(), 4, "as many as it said");
    assert!(taken <= 20_000, "{taken} bytes");

    let group = net.server.open_group(well, 0).unwrap();
    let mut whole = [chunk.clone()];
    assert_eq!(net.server.write_group(well, group, &mut whole), chunk.len());
    net.server.finish_group(well, group);
    net.run(A_WHILE);
    let got = net.clients[other].seen.groups.values().next().unwrap();
    assert!(got.0 == chunk && got.1 == End::Finished);

    // When it reads again the owner is told that there is room.
    let told = net.heard(peer).writable;
    net.clients[greedy].reads = true;
    net.run(A_WHILE);
    assert!(net.heard(peer).writable > told);
    assert!(net.server.write_group(peer, groups[0], &mut [chunk]) > 0);
    net.end();
}

#[test]
fn a_peer_opens_as_many_groups_as_allowed_and_one_control_stream() {
    let mut net = Net::new(1);
    let (client, peer) = net.join();
    net.clients[client].control(b"hello");
    let quic = &mut net.clients[client].quic;
    assert!(quic.streams().open(quinn_proto::Dir::Bi).is_none());
    let mut opened = 0;
    while let Some(id) = quic.streams().open(quinn_proto::Dir::Uni) {
        quic.send_stream(id).write(b"x").unwrap();
        opened += 1;
    }
    assert_eq!(opened, 8);
    net.run(A_WHILE);
    assert_eq!(net.heard(peer).groups.len(), 8);
    net.end();
}

#[test]
fn datagrams_that_pile_up_push_out_the_oldest() {
    let mut net = Net::new(1);
    let (client, peer) = net.join();
    net.run(A_WHILE);
    for number in 0..500_u32 {
        let mut bytes = vec![0; 1000];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        net.server.send_datagram(peer, Bytes::from(bytes)).unwrap();
    }
    net.run(A_WHILE);
    let seen = &net.clients[client].seen.datagrams;
    assert!(seen.len() <= 66, "{} of 1,000 bytes", seen.len());
    assert_eq!(seen.last().unwrap()[..4], 499_u32.to_be_bytes());
    net.end();
}

#[test]
fn a_stranger_makes_the_relay_hold_little() {
    let mut net = Net::new(1);
    let client = net.client();
    let peer = net.joined(client);
    // What may be on the way is what can be held out of order.
    let bytes = vec![7; 1_000_000];
    net.clients[client].control(&[0; 1000]);
    let (first, written) = net.clients[client].group(&bytes);
    assert!((32_000..=64 * 1024).contains(&written), "{written}");
    net.server.widen(peer);
    net.run(A_WHILE);
    let mut stream = net.clients[client].quic.send_stream(first);
    let more = stream.write(&bytes).unwrap();
    assert!(more >= 200_000, "{more}");
    net.end();
}

#[test]
fn a_peer_that_allows_any_number_of_groups_and_answers_none_gets_a_bounded_number() {
    let mut net = Net::new(1);
    let (mut transport, tls) = usual();
    transport.max_concurrent_uni_streams(VarInt::from_u32(5000));
    let client = net.client_with(config(transport, tls), RELAY);
    let peer = net.joined(client);
    net.run(A_WHILE);
    net.clients[client].mute = true;
    let mut opened = Vec::new();
    while let Some(group) = net.server.open_group(peer, 0) {
        net.server
            .write_group(peer, group, &mut [Bytes::from_static(b"a group")]);
        net.server.reset_group(peer, group);
        opened.push(group);
        assert!(opened.len() <= OUTGOING_STREAMS);
    }
    assert_eq!(opened.len(), OUTGOING_STREAMS);
    // Once it answers, its streams are over, and there may be others.
    net.clients[client].mute = false;
    net.run(A_WHILE);
    assert!(net.server.open_group(peer, 0).is_some());
    net.end();
}
