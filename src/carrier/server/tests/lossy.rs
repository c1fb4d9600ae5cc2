//! Loss, reordering, timers: what is sent arrives, or the peer is known to be gone.

use std::time::Duration;

use bytes::Bytes;

use super::client::{A_WHILE, End, config, usual};
use super::net::{Net, Path, RELAY};

/// Bytes that differ everywhere, so that a piece in the wrong place shows.
fn pattern(length: usize) -> Vec<u8> {
    (0..length as u32)
        .flat_map(|at| at.wrapping_mul(0x9e37_79b9).to_be_bytes())
        .take(length)
        .collect()
}

#[test]
fn loss_and_reordering_harm_no_stream() {
    for seed in 1..=8 {
        let mut net = Net::new(seed);
        let jitter = Duration::from_millis(30);
        net.path = Path {
            jitter,
            loss: 100,
            ..Path::default()
        };
        let client = net.client();
        let peer = net.joined(client);
        net.path.loss = 0;
        net.server.widen(peer);
        net.run(jitter + A_WHILE);
        net.path.loss = 100;
        let up = pattern(100_000);
        net.clients[client].control(b"hello");
        let (group, written) = net.clients[client].group(&up);
        assert_eq!(written, up.len());
        net.clients[client].finish(group);

        let down = pattern(150_000);
        let group = net.server.open_group(peer, 0).unwrap();
        let mut chunks = [Bytes::from(down.clone())];
        assert_eq!(net.server.write_group(peer, group, &mut chunks), down.len());
        net.server.finish_group(peer, group);
        net.server
            .send_control(peer, Bytes::from_static(b"welcome"))
            .unwrap();

        net.until("all that was sent", |net| {
            let seen = &net.clients[client].seen;
            let heard = net.heard(peer);
            heard.control == b"hello"
                && heard.groups.iter().any(|group| group.2 == End::Finished)
                && seen.groups.values().any(|group| group.1 == End::Finished)
                && seen.control == b"welcome"
        });
        assert!(net.heard(peer).groups[0].1 == up);
        assert!(net.clients[client].seen.groups.values().next().unwrap().0 == down);
        net.end();
    }
}

#[test]
fn a_probe_recovers_the_last_packet() {
    let mut net = Net::new(1);
    let (client, peer) = net.join();
    net.clients[client].control(b"hello");
    net.run(A_WHILE);
    net.path.loss = 1000;
    net.server
        .send_control(peer, Bytes::from_static(b"lost at first"))
        .unwrap();
    net.happen();
    net.path.loss = 0;
    let sent = net.now;
    net.until("the message", |net| {
        net.clients[client].seen.control == b"lost at first"
    });
    assert!(
        net.now - sent < Duration::from_millis(600),
        "by a probe, since nothing else was sent"
    );
    net.end();
}

#[test]
fn a_probe_goes_out_twice() {
    let mut net = Net::new(1);
    let (client, peer) = net.join();
    net.clients[client].control(b"hello");
    net.run(A_WHILE);
    net.clients[client].mute = true;
    net.run(A_WHILE);
    let word = Bytes::from_static(b"a word");
    let sent = |net: &mut Net| {
        let slot = net.server.connections.slot(peer.index() as usize).unwrap();
        slot.quic.stats().udp_tx.datagrams
    };
    let before = sent(&mut net);
    net.server.send_control(peer, word).unwrap();
    net.happen();
    assert_eq!(sent(&mut net), before + 1);
    let end = net.now + A_WHILE;
    while sent(&mut net) == before + 1 {
        assert!(net.step(end), "a probe");
    }
    assert_eq!(sent(&mut net), before + 3, "RFC 9002, section 6.2.4");
    net.clients[client].mute = false;
    net.run(A_WHILE);
    net.end();
}

#[test]
fn a_quiet_participant_stays() {
    let mut net = Net::new(1);
    let (client, peer) = net.join();
    net.run(Duration::from_secs(300));
    assert_eq!(net.heard(peer).closed, 0);
    assert!(net.clients[client].seen.lost.is_none());
    net.end();
}

#[test]
fn one_that_falls_silent_is_gone_after_the_idle_time_and_leaves_nothing() {
    let mut net = Net::new(1);
    let (client, peer) = net.join();
    net.run(A_WHILE);
    net.clients[client].mute = true;
    net.run(Duration::from_secs(6));
    assert_eq!(net.heard(peer).closed, 0);
    net.run(Duration::from_secs(5));
    assert_eq!(net.heard(peer).closed, 1);
    net.run(Duration::from_secs(70));
    net.nothing_left();
}

#[test]
fn one_without_keep_alive_is_gone_too() {
    let mut net = Net::new(1);
    let (mut transport, tls) = usual();
    transport.keep_alive_interval(None);
    let client = net.client_with(config(transport, tls), RELAY);
    let peer = net.joined(client);
    net.run(Duration::from_secs(12));
    assert_eq!(net.heard(peer).closed, 1);
    net.run(Duration::from_secs(70));
    net.nothing_left();
}

#[test]
fn one_that_never_acknowledges_holds_a_window_and_goes_with_its_timeout() {
    let mut net = Net::new(1);
    let (silent, peer) = net.join();
    let (other, well) = net.join();
    net.run(A_WHILE);
    net.clients[silent].mute = true;
    let chunk = Bytes::from(vec![7; 64 * 1024]);
    let mut taken = 0;
    for round in 0..40_u32 {
        let group = net.server.open_group(peer, 0);
        taken += group.map_or(0, |group| {
            net.server.write_group(peer, group, &mut [chunk.clone()])
        });
        let _ = net.server.send_datagram(peer, chunk.slice(..1000));
        net.server
            .send_datagram(well, Bytes::from(round.to_be_bytes().to_vec()))
            .unwrap();
        net.run(Duration::from_millis(300));
    }
    assert!(taken <= 600 * 1024, "{taken} bytes were taken for it");
    assert_eq!(net.heard(peer).closed, 1);
    assert_eq!(net.clients[other].seen.datagrams.len(), 40);
    net.end();
}

#[test]
fn every_connection_id_that_is_retired_is_replaced() {
    let mut net = Net::new(1);
    let (client, peer) = net.join();
    net.run(A_WHILE);
    for round in 0..30_u8 {
        // A new id for each place (RFC 9000, section 9.5) retires the last one.
        let port = 6000 + u16::from(round);
        let address = std::net::SocketAddr::from(([198, 51, 100, 1], port));
        net.clients[client].host.rebind(address);
        net.clients[client].quic.local_address_changed();
        net.run(A_WHILE);
        net.clients[client].datagram(Bytes::from(vec![round; 10]));
        net.run(A_WHILE);
        assert_eq!(net.heard(peer).datagrams.len(), usize::from(round) + 1);
    }
    let retired = net.clients[client]
        .quic
        .stats()
        .frame_tx
        .retire_connection_id;
    assert!(retired >= 30, "{retired} ids were retired");
    net.end();
}
