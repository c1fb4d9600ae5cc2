//! Close, drain, shutdown: the last word arrives, and nothing stays behind.

use std::time::Duration;

use bytes::Bytes;
use quinn_proto::ConnectionError;

use super::client::A_WHILE;
use super::net::Net;
use crate::carrier::server::SendError;
use crate::wire::CloseReason;

#[test]
fn a_farewell_is_told_once_and_nothing_stays() {
    let mut net = Net::new(1);
    let (client, peer) = net.join();
    let now = net.now;
    net.clients[client].close(now);
    net.run(A_WHILE);
    assert_eq!(net.heard(peer).closed, 1);
    assert_eq!(net.server.peers(), 0);
    net.run(Duration::from_secs(70));
    net.nothing_left();
}

#[test]
fn the_last_control_message_comes_before_the_close_code() {
    let mut net = Net::new(1);
    let (client, peer) = net.join();
    net.clients[client].control(b"hello");
    net.run(A_WHILE);
    net.server
        .send_control(peer, Bytes::from_static(b"farewell"))
        .unwrap();
    net.server.close(peer, CloseReason::RoomFull);
    assert_eq!(net.server.peers(), 0);
    assert_eq!(
        net.server.send_control(peer, Bytes::from_static(b"more")),
        Err(SendError::Gone)
    );
    net.run(A_WHILE);
    let client = &net.clients[client];
    assert_eq!(client.seen.control, b"farewell");
    assert_eq!(client.closed_with(), Some(CloseReason::RoomFull.code()));
    assert_eq!(net.heard(peer).closed, 0, "whoever closes knows it");
    net.end();
}

#[test]
fn what_a_closed_peer_still_sends_is_not_heard() {
    let mut net = Net::new(1);
    let (client, peer) = net.join();
    net.server.close(peer, CloseReason::TooMany);
    net.clients[client].datagram(Bytes::from_static(b"late"));
    net.clients[client].control(b"late");
    net.run(A_WHILE);
    assert!(net.heard(peer).datagrams.is_empty() && net.heard(peer).control.is_empty());
    net.end();
}

#[test]
fn a_name_of_one_who_has_gone_does_nothing_to_the_next() {
    let mut net = Net::new(1);
    let (first, old) = net.join();
    let now = net.now;
    net.clients[first].close(now);
    net.run(Duration::from_secs(5));
    let (second, new) = net.join();
    assert!(
        old.index() == new.index() && old != new,
        "the place is used again"
    );
    let word = Bytes::from_static(b"for the old one");
    assert_eq!(
        net.server.send_control(old, word.clone()),
        Err(SendError::Gone)
    );
    assert_eq!(
        net.server.send_datagram(old, word.clone()),
        Err(SendError::Gone)
    );
    assert!(net.server.open_group(old, 0).is_none());
    let group = net.server.open_group(new, 0).unwrap();
    assert_eq!(net.server.write_group(old, group, &mut [word]), 0);
    net.server.reset_group(old, group);
    net.server.close(old, CloseReason::Internal);
    net.run(A_WHILE);
    let seen = &net.clients[second].seen;
    assert!(seen.lost.is_none() && seen.groups.is_empty() && seen.datagrams.is_empty());
    net.end();
}

#[test]
fn a_shutdown_refuses_newcomers_and_drains() {
    let mut net = Net::new(1);
    let (client, peer) = net.join();
    let halfway = net.client();
    net.run(Duration::from_millis(30));
    net.server.shutdown();
    let newcomer = net.client();
    net.run(A_WHILE);
    assert!(matches!(
        net.clients[newcomer].seen.lost,
        Some(ConnectionError::ConnectionClosed(_))
    ));
    let restarting = Some(CloseReason::Restarting.code());
    assert_eq!(net.clients[halfway].closed_with(), restarting);
    assert!(net.clients[client].seen.lost.is_none() && !net.server.drained());
    net.server.close(peer, CloseReason::Restarting);
    net.run(A_WHILE);
    assert_eq!(net.clients[client].closed_with(), restarting);
    net.run(Duration::from_secs(3));
    assert!(net.server.drained());
    net.end();
}
