//! The kernel's buffer is full: nothing is lost, nothing overtakes, nobody is starved.

use bytes::Bytes;

use super::client::{A_WHILE, End};
use super::net::Net;

#[test]
fn what_the_kernel_does_not_take_waits_in_order() {
    let mut net = Net::new(1);
    let (client, peer) = net.join();
    net.run(A_WHILE);
    net.network.room(Some(0));
    let bytes: Vec<u8> = (0..200_000_u32).map(|at| (at / 7) as u8).collect();
    let group = net.server.open_group(peer, 0).unwrap();
    let mut chunks = [Bytes::from(bytes.clone())];
    let taken = net.server.write_group(peer, group, &mut chunks);
    assert_eq!(taken, bytes.len());
    net.server.finish_group(peer, group);
    for number in 0..50_u8 {
        let datagram = Bytes::from(vec![number; 500]);
        net.server.send_datagram(peer, datagram).unwrap();
    }
    net.turn();
    assert!(net.server.airlock.blocked());
    let lost = net.clients[client].quic.stats().path.lost_packets;
    for _ in 0..100 {
        net.network.room(Some(2));
        net.turn();
        net.run(std::time::Duration::from_millis(5));
    }
    net.network.room(None);
    net.turn();
    net.run(A_WHILE);
    let seen = &net.clients[client].seen;
    let numbers: Vec<u8> = seen.datagrams.iter().map(|datagram| datagram[0]).collect();
    assert!(numbers.is_sorted() && numbers.len() == 50, "{numbers:?}");
    let (got, end) = seen.groups.values().next().unwrap();
    assert!(*got == bytes && *end == End::Finished);
    assert_eq!(net.clients[client].quic.stats().path.lost_packets, lost);
    assert_eq!(net.server.airlock.counters().overflowed, 0);
    net.end();
}

#[test]
fn everyone_gets_a_turn_at_a_narrow_kernel() {
    let mut net = Net::new(1);
    let joined: Vec<_> = (0..10).map(|_| net.join()).collect();
    net.run(A_WHILE);
    net.network.room(Some(0));
    for _ in 0..3 {
        for &(_, peer) in &joined {
            let datagram = Bytes::from(vec![1; 900]);
            net.server.send_datagram(peer, datagram).unwrap();
        }
        net.turn();
    }
    let got = |net: &mut Net| -> Vec<usize> {
        let clients = net.clients.iter();
        clients.map(|client| client.seen.datagrams.len()).collect()
    };
    net.run(std::time::Duration::from_millis(50));
    assert_eq!(got(&mut net), [0; 10]);
    // As many messages as there are peers, one at a time: one for each.
    for _ in 0..10 {
        net.network.room(Some(1));
        net.turn();
    }
    net.run(std::time::Duration::from_millis(50));
    assert!(got(&mut net).iter().all(|count| *count >= 1));
    net.network.room(None);
    net.turn();
    net.run(A_WHILE);
    assert_eq!(got(&mut net), [3; 10]);
    net.end();
}

#[test]
fn a_kernel_short_of_memory_is_waited_for() {
    let mut net = Net::new(1);
    let (client, peer) = net.join();
    net.clients[client].control(b"hello");
    net.run(A_WHILE);
    net.network.crowded(true);
    net.server
        .send_control(peer, Bytes::from_static(b"patience"))
        .unwrap();
    net.turn();
    assert!(net.server.airlock.blocked());
    net.network.crowded(false);
    net.turn();
    net.run(A_WHILE);
    assert_eq!(net.clients[client].seen.control, b"patience");
    net.end();
}

#[test]
fn nobody_is_left_behind_by_a_narrow_kernel_while_there_is_ever_more_to_send() {
    let mut net = Net::new(1);
    let joined: Vec<_> = (0..10).map(|_| net.join()).collect();
    net.run(A_WHILE);
    for _ in 0..100 {
        net.network.room(Some(3));
        for &(_, peer) in &joined {
            let datagram = Bytes::from(vec![1; 900]);
            net.server.send_datagram(peer, datagram).unwrap();
        }
        net.turn();
        net.run(std::time::Duration::from_millis(1));
    }
    let clients = net.clients.iter();
    let got: Vec<usize> = clients.map(|client| client.seen.datagrams.len()).collect();
    let (least, most) = (got.iter().min().unwrap(), got.iter().max().unwrap());
    assert!(*least > 0 && *most <= least * 2 + 2, "{got:?}");
    net.network.room(None);
    net.run(A_WHILE);
    net.end();
}

#[test]
fn room_that_comes_back_within_a_flush_is_used_by_all() {
    let mut net = Net::new(1);
    let joined: Vec<_> = (0..100).map(|_| net.join()).collect();
    net.run(A_WHILE);
    for &(_, peer) in &joined {
        let datagram = Bytes::from_static(b"sound");
        net.server.send_datagram(peer, datagram).unwrap();
    }
    let before = net.server.airlock.counters();
    net.network.full_once_after(10);
    net.turn();
    let after = net.server.airlock.counters();
    assert_eq!(after.full - before.full, 1);
    assert!(!net.server.blocked(), "nothing would wake the shard");
    assert_eq!(after.sent - before.sent, 100);
    net.end();
}
