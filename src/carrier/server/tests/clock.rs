//! Clocks that jump, and clocks that stand.

use std::time::Duration;

use bytes::Bytes;

use super::client::A_WHILE;
use super::net::Net;

#[test]
fn an_hour_that_passes_at_once_ends_what_was_and_hinders_nobody_after() {
    let mut net = Net::new(1);
    let (_, peer) = net.join();
    net.client();
    net.happen();
    net.now += Duration::from_secs(3600);
    net.turn();
    assert_eq!(net.heard(peer).closed, 1);
    net.run(Duration::from_secs(20));
    let (_, next) = net.join();
    net.run(A_WHILE);
    assert_eq!(net.heard(next).closed, 0);
    net.end();
}

#[test]
fn turns_at_one_instant_change_nothing() {
    let mut net = Net::new(1);
    let (client, peer) = net.join();
    net.clients[client].control(b"hello");
    for _ in 0..200 {
        net.happen();
    }
    let word = Bytes::from_static(b"word");
    net.server.send_control(peer, word).unwrap();
    for _ in 0..200 {
        net.happen();
    }
    net.run(A_WHILE);
    assert_eq!(net.heard(peer).control, b"hello");
    assert_eq!(net.clients[client].seen.control, b"word");
    net.end();
}

#[test]
fn a_clock_that_steps_back_does_no_harm() {
    let mut net = Net::new(1);
    let (client, peer) = net.join();
    net.clients[client].control(b"hello");
    net.run(A_WHILE);
    net.now -= Duration::from_millis(700);
    net.server
        .send_control(peer, Bytes::from_static(b"word"))
        .unwrap();
    net.run(A_WHILE * 2);
    assert_eq!(net.clients[client].seen.control, b"word");
    net.end();
}
