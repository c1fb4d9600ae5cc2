//! Streams end in every way, in both directions, and the other side is told once.

use bytes::Bytes;
use quinn_proto::VarInt;

use super::client::{A_WHILE, End};
use super::net::Net;

#[test]
fn groups_from_a_peer_finish_and_reset() {
    let mut net = Net::new(1);
    let (client, peer) = net.join();
    let (whole, _) = net.clients[client].group(b"whole");
    net.clients[client].finish(whole);
    let (broken, _) = net.clients[client].group(b"broken");
    let (empty, _) = net.clients[client].group(b"");
    net.clients[client].finish(empty);
    net.run(A_WHILE);
    let reset = VarInt::from_u32(0);
    let quic = &mut net.clients[client].quic;
    quic.send_stream(broken).reset(reset).unwrap();
    let (at_once, _) = net.clients[client].group(b"reset at once");
    let quic = &mut net.clients[client].quic;
    quic.send_stream(at_once).reset(reset).unwrap();
    net.run(A_WHILE);
    let mut ends: Vec<_> = net.heard(peer).groups.iter().collect();
    ends.sort_by_key(|(id, ..)| id.0);
    let ends: Vec<_> = ends.iter().map(|(_, got, end)| (&got[..], *end)).collect();
    assert_eq!(ends[0], (&b"whole"[..], End::Finished));
    assert_eq!(ends[1], (&b"broken"[..], End::Reset));
    assert_eq!(ends[2], (&b""[..], End::Finished));
    assert_eq!(ends[3].1, End::Reset);
    net.end();
}

#[test]
fn groups_to_a_peer_finish_and_reset() {
    let mut net = Net::new(1);
    let (client, peer) = net.join();
    let mut send = |bytes: &'static [u8]| {
        let group = net.server.open_group(peer, 0).unwrap();
        let mut chunks = [Bytes::from_static(bytes)];
        assert_eq!(
            net.server.write_group(peer, group, &mut chunks),
            bytes.len()
        );
        group
    };
    let (whole, broken) = (send(b"whole"), send(b"broken"));
    net.server.finish_group(peer, whole);
    net.run(A_WHILE);
    net.server.reset_group(peer, broken);
    net.run(A_WHILE);
    let seen = &net.clients[client].seen.groups;
    let seen: Vec<_> = seen.values().cloned().collect();
    assert_eq!(seen[0], (b"whole".to_vec(), End::Finished));
    assert_eq!(seen[1], (b"broken".to_vec(), End::Reset));
    net.end();
}

#[test]
fn either_side_may_not_want_the_rest() {
    let mut net = Net::new(1);
    let (client, peer) = net.join();
    let (up, _) = net.clients[client].group(b"unwanted");
    let down = net.server.open_group(peer, 0).unwrap();
    let first = Bytes::from_static(b"first");
    net.server.write_group(peer, down, &mut [first.clone()]);
    net.run(A_WHILE);

    let incoming = net.heard(peer).groups[0].0;
    net.server.stop_incoming(peer, incoming);
    let id = *net.clients[client].seen.groups.keys().next().unwrap();
    let quic = &mut net.clients[client].quic;
    quic.recv_stream(id).stop(VarInt::from_u32(0)).unwrap();
    let _ = quic.send_stream(up).write(b"more");
    net.run(A_WHILE);
    assert_eq!(net.clients[client].seen.stopped, [up]);
    assert!(net.heard(peer).stopped == [down]);
    let heard = &net.heard(peer).groups[0];
    assert_eq!((&heard.1[..], heard.2), (&b"unwanted"[..], End::No));
    assert_eq!(net.server.write_group(peer, down, &mut [first]), 0);
    net.end();
}

#[test]
fn the_end_of_the_control_stream_is_told_once() {
    for reset in [false, true] {
        let mut net = Net::new(1);
        let (client, peer) = net.join();
        net.clients[client].control(b"hello");
        net.run(A_WHILE);
        let id = net.clients[client].control_stream();
        let mut stream = net.clients[client].quic.send_stream(id);
        if reset {
            stream.reset(VarInt::from_u32(0)).unwrap();
        } else {
            stream.finish().unwrap();
        }
        net.run(A_WHILE);
        assert_eq!(net.heard(peer).control_finished, 1);
        let word = Bytes::from_static(b"the other half is open");
        net.server.send_control(peer, word.clone()).unwrap();
        net.run(A_WHILE);
        assert_eq!(net.clients[client].seen.control, word);
        net.end();
    }
}
