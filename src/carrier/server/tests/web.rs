//! Peers that speak HTTP/3, over a network in memory: what the owner hears of them, and what they are
//! told.

use std::time::Duration;

use bytes::Bytes;
use quinn_proto::{Dir, StreamId, TransportConfig};

use super::client::{A_WHILE, End, config, usual};
use super::net::{Net, RELAY};
use crate::airlock::PerAddress;
use crate::carrier::server::Peer;
use crate::wire::CloseReason;

/// A control stream of HTTP/3, with nothing to say.
const OPENING: &[u8] = b"\x00\x04\x00";
pub(crate) const CONNECT: &[u8] = b"\x01\x33\x00\x00\xcf\xd7\x50\x0e127.0.0.1:4433\
    \x51\x05/meet\x27\x02:protocol\x0cwebtransport";
const GET: &[u8] = b"\x01\x0f\x00\x00\xd1\xd7\x50\x05relay\x51\x01/\xc1";
/// 404, and nothing more.
const NOT_FOUND: &[u8] = b"\x01\x04\x00\x00\xdb\xc4";
const UNAVAILABLE: &[u8] = b"\x01\x04\x00\x00\xdc\xc4";

const NO_ERROR: u32 = 0x100;
const EXCESSIVE_LOAD: u32 = 0x107;

/// Somebody who has said that it speaks HTTP/3.
fn arrive(net: &mut Net) -> usize {
    let (transport, tls) = browser();
    let client = net.client_with(config(transport, tls), RELAY);
    net.until("a handshake", |net| net.clients[client].seen.connected);
    open(net, client, OPENING);
    client
}

pub(crate) fn browser() -> (TransportConfig, rustls::ClientConfig) {
    let (transport, mut tls) = usual();
    tls.alpn_protocols = vec![b"h3".to_vec()];
    (transport, tls)
}

/// A stream with these bytes at its beginning.
fn open(net: &mut Net, client: usize, bytes: &[u8]) -> StreamId {
    net.clients[client].group(bytes).0
}

/// The same in both directions.
pub(crate) fn ask(net: &mut Net, client: usize, bytes: &[u8]) -> StreamId {
    let client = &mut net.clients[client];
    let id = client.quic.streams().open(Dir::Bi).unwrap();
    client.quic.send_stream(id).write(bytes).unwrap();
    // It notes what comes back as it does of groups.
    client.seen.groups.insert(id, (Vec::new(), End::No));
    id
}

/// Somebody in a session, whose stream this is.
fn join(net: &mut Net) -> (usize, Peer, StreamId) {
    let client = arrive(net);
    let session = ask(net, client, CONNECT);
    let peer = net.joined(client);
    net.run(A_WHILE);
    (client, peer, session)
}

fn answer(net: &Net, client: usize, id: StreamId) -> (&[u8], End) {
    let (bytes, end) = &net.clients[client].seen.groups[&id];
    (bytes, *end)
}

#[test]
fn whoever_has_a_session_is_a_peer_like_others() {
    let mut net = Net::new(1);
    let (client, peer, session) = join(&mut net);
    assert!(
        answer(&net, client, session)
            .0
            .starts_with(b"\x01\x29\x00\x00\xd9")
    );
    let control = ask(&mut net, client, b"\x40\x41\x00hello");
    net.clients[client].datagram(Bytes::from_static(b"\x00sound"));
    let group = open(&mut net, client, b"\x40\x54\x00picture");
    net.clients[client].finish(group);
    let given_up = open(&mut net, client, b"\x40\x54\x00half");
    net.run(A_WHILE);
    let reset = |stream: &mut quinn_proto::SendStream<'_>| stream.reset(9_u32.into()).unwrap();
    reset(&mut net.clients[client].quic.send_stream(given_up));
    net.run(A_WHILE);
    let slot = net.server.connections.slot(peer.index as usize).unwrap();
    // Else its acknowledgements would be waited for on each beat, as if a group were on its way.
    assert_eq!(slot.quic.streams().send_streams(), slot.other_streams());
    let heard = net.heard(peer);
    assert_eq!(heard.control, b"hello");
    assert_eq!(heard.datagrams, [&b"sound"[..]]);
    let groups: Vec<_> = heard
        .groups
        .iter()
        .map(|(_, bytes, end)| (&bytes[..], *end))
        .collect();
    assert_eq!(
        groups,
        [(&b"picture"[..], End::Finished), (b"half", End::Reset)]
    );

    let word = Bytes::from_static(b"welcome");
    net.server.send_control(peer, word).unwrap();
    let bundle = Bytes::from(vec![7; 1024]);
    net.server.send_datagram(peer, bundle).unwrap();
    let group = net.server.open_group(peer, 0).unwrap();
    let mut picture = [Bytes::from_static(b"picture")];
    assert_eq!(net.server.write_group(peer, group, &mut picture), 7);
    net.server.finish_group(peer, group);
    let given_up = net.server.open_group(peer, 0).unwrap();
    net.server.reset_group(peer, given_up);
    net.run(A_WHILE);
    assert_eq!(answer(&net, client, control), (&b"welcome"[..], End::No));
    assert_eq!(
        net.clients[client].seen.datagrams,
        [[&[0][..], &[7; 1024]].concat()]
    );
    assert_eq!(
        answer(&net, client, group.0),
        (&b"\x40\x54\x00picture"[..], End::Finished)
    );
    assert_eq!(answer(&net, client, given_up.0).1, End::Reset);
    net.end();
}

#[test]
fn a_plain_request_gets_a_plain_answer_and_is_nobody() {
    let mut net = Net::new(1);
    let client = arrive(&mut net);
    net.run(A_WHILE);
    for _ in 0..5 {
        // Several at a time, with a body or without one.
        let body = [GET, b"\x00\x04body"].concat();
        let requests = [GET, &body, GET, GET].map(|bytes| ask(&mut net, client, bytes));
        for id in requests {
            net.clients[client].finish(id);
        }
        net.run(Duration::from_millis(200));
        for id in requests {
            assert_eq!(answer(&net, client, id), (NOT_FOUND, End::Finished));
        }
    }
    // A site lets a request say all.
    assert!(net.clients[client].seen.stopped.is_empty());
    net.run(Duration::from_secs(4));
    // It was there for long enough.
    assert_eq!(net.clients[client].closed_with(), Some(NO_ERROR));
    assert!(net.peers.is_empty());
    net.end();
}

#[test]
fn whoever_says_nothing_is_let_go_in_time() {
    let mut net = Net::new(1);
    let client = arrive(&mut net);
    net.run(Duration::from_millis(4500));
    assert_eq!(net.server.peers(), 1);
    net.run(Duration::from_secs(2));
    assert_eq!(net.clients[client].closed_with(), Some(NO_ERROR));
    assert_eq!(net.server.peers(), 0);
    net.end();
}

#[test]
fn a_session_lives_on_though_its_page_says_nothing() {
    let mut net = Net::new(1);
    let (mut silent, tls) = browser();
    silent.keep_alive_interval(None);
    let client = net.client_with(config(silent, tls), RELAY);
    net.until("a handshake", |net| net.clients[client].seen.connected);
    ask(&mut net, client, CONNECT);
    let peer = net.joined(client);
    net.run(Duration::from_secs(60));
    assert_eq!(net.heard(peer).closed, 0);
    // And when it is gone, that is noticed as of others.
    net.clients[client].mute = true;
    net.run(Duration::from_secs(11));
    assert_eq!(net.heard(peer).closed, 1);
    net.end();
}

#[test]
fn the_reason_arrives_as_the_code_of_the_session() {
    let mut net = Net::new(1);
    let (client, peer, session) = join(&mut net);
    net.server.close(peer, CloseReason::RoomFull);
    net.run(A_WHILE);
    let (bytes, end) = answer(&net, client, session);
    assert!(bytes.ends_with(b"\x00\x07\x68\x43\x04\x00\x00\x00\x07"));
    assert_eq!(end, End::Finished);
    assert_eq!(net.clients[client].closed_with(), Some(NO_ERROR));
    assert_eq!(net.heard(peer).closed, 0, "whoever closes knows it");
    net.end();
}

#[test]
fn the_reason_arrives_though_packets_are_lost() {
    let told = (1..=20).filter(|&seed| {
        let mut net = Net::new(seed);
        let (client, peer, session) = join(&mut net);
        net.path.loss = 200;
        net.server.close(peer, CloseReason::Pass);
        net.run(A_WHILE);
        let told = answer(&net, client, session).0;
        let told = told.ends_with(b"\x43\x04\x00\x00\x00\x0c");
        net.end();
        told
    });
    assert!(told.count() >= 18);
}

#[test]
fn whoever_acknowledges_nothing_does_not_stay() {
    let mut net = Net::new(1);
    let (client, peer, _) = join(&mut net);
    net.clients[client].mute = true;
    net.server.close(peer, CloseReason::TooSlow);
    net.run(Duration::from_secs(3));
    assert!(net.server.drained());
    net.end();
}

#[test]
fn a_session_ends_as_the_peer_likes() {
    // A capsule, an end, a reset, and the connection's end.
    for way in 0..4 {
        let mut net = Net::new(1);
        let (client, peer, session) = join(&mut net);
        let now = net.now;
        let quic = &mut net.clients[client].quic;
        match way {
            0 => {
                let capsule = b"\x00\x0b\x68\x43\x08\x00\x00\x00\x00text";
                quic.send_stream(session).write(capsule).map(drop).unwrap();
            }
            1 => quic.send_stream(session).finish().unwrap(),
            2 => quic.send_stream(session).reset(1_u32.into()).unwrap(),
            _ => net.clients[client].close(now),
        }
        net.run(A_WHILE);
        assert_eq!(net.heard(peer).closed, 1, "{way}");
        assert_eq!(net.server.peers(), 0);
        if way < 3 {
            assert_eq!(net.clients[client].closed_with(), Some(NO_ERROR));
        }
        net.end();
    }
}

#[test]
fn a_fault_ends_the_connection_with_its_code() {
    for in_session in [true, false] {
        let mut net = Net::new(1);
        let client = match in_session {
            true => join(&mut net).0,
            false => arrive(&mut net),
        };
        // Another control stream.
        open(&mut net, client, OPENING);
        net.run(A_WHILE);
        assert_eq!(net.clients[client].closed_with(), Some(0x103));
        assert_eq!(net.server.peers(), 0);
        for peer in net.peers.clone() {
            assert_eq!(net.heard(peer).closed, 1);
        }
        net.end();
    }
}

#[test]
fn a_flood_of_streams_that_nobody_knows_ends() {
    let mut net = Net::new(1);
    let client = arrive(&mut net);
    net.run(A_WHILE);
    for _ in 0..40 {
        for _ in 0..4 {
            if net.clients[client]
                .quic
                .streams()
                .remote_open_streams(Dir::Uni)
                < 100
            {
                let streams = net.clients[client].quic.streams().open(Dir::Uni);
                if let Some(id) = streams {
                    let _ = net.clients[client].quic.send_stream(id).write(b"\x21");
                    let _ = net.clients[client].quic.send_stream(id).finish();
                }
            }
        }
        net.run(Duration::from_millis(60));
    }
    assert_eq!(net.clients[client].closed_with(), Some(EXCESSIVE_LOAD));
    net.end();
}

#[test]
fn a_relay_that_goes_down_gives_no_sessions() {
    let mut net = Net::new(1);
    let client = arrive(&mut net);
    net.run(A_WHILE);
    net.server.shutdown();
    let late = ask(&mut net, client, CONNECT);
    net.run(Duration::from_millis(200));
    assert_eq!(answer(&net, client, late), (UNAVAILABLE, End::Finished));
    assert!(net.peers.is_empty());
    net.end();
}

#[test]
fn one_address_gets_no_more_than_its_share_without_a_session_either() {
    let per_address = PerAddress {
        connections: 2,
        ..PerAddress::default()
    };
    let mut net = Net::with(1, 100, per_address);
    let clients = [5000, 5001, 5002].map(|port| {
        let (transport, tls) = browser();
        net.client_from(
            &format!("198.51.100.7:{port}"),
            config(transport, tls),
            RELAY,
        )
    });
    net.run(A_WHILE);
    // Whichever is through last.
    let mut codes = clients.map(|client| net.clients[client].closed_with());
    codes.sort_unstable();
    assert_eq!(codes, [None, None, Some(EXCESSIVE_LOAD)]);
    net.end();
}

#[test]
fn a_group_waits_for_its_head_where_the_peer_takes_nothing() {
    let mut net = Net::new(1);
    let (mut transport, tls) = browser();
    // As much as HTTP/3 needs, and two bytes more.
    transport.stream_receive_window(2_u32.into());
    let client = net.client_with(config(transport, tls), RELAY);
    net.clients[client].reads = false;
    net.until("a handshake", |net| net.clients[client].seen.connected);
    ask(&mut net, client, CONNECT);
    let peer = net.joined(client);
    let group = net.server.open_group(peer, 0).unwrap();
    let mut picture = [Bytes::from_static(b"picture")];
    assert_eq!(net.server.write_group(peer, group, &mut picture), 0);
    net.run(A_WHILE);
    net.clients[client].reads = true;
    for _ in 0..10 {
        net.run(A_WHILE);
        net.server.write_group(peer, group, &mut picture);
    }
    assert!(net.heard(peer).writable > 0);
    assert_eq!(answer(&net, client, group.0).0, b"\x40\x54\x00picture");
    net.end();
}
