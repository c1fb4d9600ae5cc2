//! Peers that say anything at all over HTTP/3: nobody else notices, and nothing of them is left.

use std::time::Duration;

use bytes::Bytes;
use quinn_proto::{Dir, StreamId};

use super::client::{A_WHILE, config};
use super::net::{Net, RELAY};
use super::web::{CONNECT, ask, browser};

/// What is changed before it is said.
const WORDS: [&[u8]; 9] = [
    b"\x00\x04\x06\x33\x01\x08\x01\x21\x00",
    b"\x02\x3f\xe1\x1f",
    b"\x03",
    CONNECT,
    CONNECT,
    b"\x01\x0f\x00\x00\xd1\xd7\x50\x05relay\x51\x01/\xc1",
    b"\x40\x41\x00hello",
    b"\x40\x54\x00picture",
    b"\x00\x07\x68\x43\x04\x00\x00\x00\x00",
];

/// One of these words, mostly with something wrong in it; or nonsense.
fn word(net: &mut Net) -> Vec<u8> {
    let mut bytes = WORDS[net.roll() as usize % WORDS.len()].to_vec();
    for _ in 0..net.roll() % 3 {
        let at = net.roll() as usize % (bytes.len() + 1);
        match net.roll() % 4 {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, net.roll() as u8),
            2 => bytes.extend_from_within(at..),
            _ => bytes
                .iter_mut()
                .skip(at)
                .take(1)
                .for_each(|byte| *byte ^= 1 << (at % 8)),
        }
    }
    if net.roll().is_multiple_of(8) {
        bytes = (0..net.roll() % 300).map(|_| net.roll() as u8).collect();
    }
    bytes
}

/// Does something with one of its streams, or with none.
fn act(net: &mut Net, client: usize, streams: &mut Vec<StreamId>) {
    let word = word(net);
    let what = net.roll() % 12;
    let id = streams.get(net.roll() as usize % streams.len().max(1));
    let quic = &mut net.clients[client].quic;
    match (what, id.copied()) {
        (0, Some(id)) => drop(quic.send_stream(id).finish()),
        (1, Some(id)) => drop(quic.send_stream(id).reset(7_u32.into())),
        (2, Some(id)) if id.dir() == Dir::Bi => drop(quic.recv_stream(id).stop(7_u32.into())),
        (3..6, Some(id)) => drop(quic.send_stream(id).write(&word)),
        (6, _) if word.len() < 1000 => drop(quic.datagrams().send(word.into(), true)),
        (what, _) => {
            let dir = if what % 2 == 0 { Dir::Bi } else { Dir::Uni };
            if let Some(id) = quic.streams().open(dir) {
                let _ = quic.send_stream(id).write(&word);
                streams.push(id);
            }
        }
    }
}

#[test]
fn whatever_is_said_over_http_harms_nobody() {
    let mut sessions = 0;
    for seed in 0..150 {
        let mut net = Net::new(seed);
        let (other, peer) = net.join();
        let (transport, tls) = browser();
        let client = net.client_with(config(transport, tls), RELAY);
        net.until("a handshake", |net| net.clients[client].seen.connected);
        let mut streams = Vec::new();
        if seed % 2 == 0 {
            net.clients[client].group(WORDS[0]);
            streams.push(ask(&mut net, client, CONNECT));
        }
        for _ in 0..30 {
            act(&mut net, client, &mut streams);
            net.run(Duration::from_millis(15));
        }
        sessions += net.peers.len() - 1;
        let sound = Bytes::from_static(b"sound");
        net.clients[other].datagram(sound.clone());
        net.server.send_datagram(peer, sound.clone()).unwrap();
        net.turn();
        net.run(A_WHILE);
        assert_eq!(net.heard(peer).datagrams, [&sound[..]]);
        assert_eq!(net.clients[other].seen.datagrams, [&sound[..]]);
        net.end();
    }
    assert!(sessions >= 75, "{sessions}");
}
