//! Control messages as they must not be: what came of them is said to the offender alone.

use std::time::Duration;

use bytes::Bytes;
use sottovoce::wire::limits::{AUDIO_PAYLOAD, BODY, SIZE_CLASSES};
use sottovoce::wire::{
    CloseReason, ParticipantId, Role, To, ToRelay, TrackId, UplinkGroup, encode_control, uplink,
};

use super::meeting::Meeting;
use super::peer::{Peer, Windows, hello, run};

/// The most that the relay keeps of a control stream is one message of the largest class, 32 KiB,
/// until the offender is gone. The offenders here come one after the other: 8 MiB is plenty.
const BOUND_KIB: u64 = 8 * 1024;

/// Bytes on the control stream of a size class, of which so many count as used.
fn framed(class: usize, used: u16, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 2 + class];
    bytes[..2].copy_from_slice(&(class as u16).to_be_bytes());
    bytes[2..4].copy_from_slice(&used.to_be_bytes());
    bytes[4..4 + content.len()].copy_from_slice(content);
    bytes
}

/// Each of these is closed for this reason, who said `Hello` before and who did not.
fn each_is_closed(meeting: &Meeting, messages: &[(&str, Vec<u8>)], reason: CloseReason) {
    run(async {
        for (what, bytes) in messages {
            for inside in [false, true] {
                let mut peer = Peer::connect(meeting.relay.port(), Windows::Usual).await;
                if inside {
                    peer.enter(meeting.room(), Role::Member).await;
                }
                peer.write(bytes).await;
                peer.closes_for(reason, what).await;
            }
        }
    });
}

#[test]
fn messages_that_do_not_decode() {
    let meeting = Meeting::begin();
    let mut padded = framed(64, 3, &[2, 1, 1]);
    padded[65] = 1;
    let messages = [
        ("no such message", framed(64, 1, &[9])),
        ("more used than there is", framed(64, 63, &[])),
        ("cut off inside", framed(64, 3, &[2, 0xff, 0xff])),
        ("something in the padding", padded),
        ("something left over", framed(64, 5, &[2, 1, 1, 7, 7])),
        ("no size class", vec![0, 65]),
    ];
    each_is_closed(&meeting, &messages, CloseReason::Malformed);
    meeting.ends_unharmed(BOUND_KIB);
}

#[test]
fn messages_over_their_limit() {
    let meeting = Meeting::begin();
    let largest = SIZE_CLASSES[SIZE_CLASSES.len() - 1];
    // A body of one byte more than it may have still fits the largest size class.
    let length = (BODY + 1) as u32;
    let mut body = vec![1, 0, length as u8 | 0x80, (length >> 7) as u8 | 0x80];
    body.push((length >> 14) as u8);
    body.resize(body.len() + BODY + 1, 0);
    let messages = [
        ("a length over all classes", vec![0xff, 0xff]),
        ("a body over its limit", {
            framed(largest, body.len() as u16, &body)
        }),
    ];
    each_is_closed(&meeting, &messages, CloseReason::TooLarge);
    run(async {
        let mut peer = Peer::connect(meeting.relay.port(), Windows::Usual).await;
        peer.enter(meeting.room(), Role::Member).await;
        let datagram = uplink(TrackId(0), &[0; AUDIO_PAYLOAD + 1]);
        peer.connection.send_datagram(datagram).expect("it fits");
        peer.closes_for(CloseReason::TooLarge, "a datagram").await;
    });
    meeting.ends_unharmed(BOUND_KIB);
}

/// Who stops in the middle of a message is waited for, but not for ever.
#[test]
fn messages_that_stop_in_the_middle() {
    let meeting = Meeting::begin();
    let message = encode_control(&hello(meeting.room(), Role::Member)).expect("a message");
    run(async {
        // Of who wrote nothing the relay knows no control stream to answer on.
        let mute = Peer::connect(meeting.relay.port(), Windows::Usual).await;
        let mut silent = Vec::new();
        for length in 1..message.len() {
            let mut peer = Peer::connect(meeting.relay.port(), Windows::Usual).await;
            peer.write(&message[..length]).await;
            silent.push(peer);
        }
        let mut gone = Peer::connect(meeting.relay.port(), Windows::Usual).await;
        gone.write(&message[..33]).await;
        gone.control.finish().expect("the stream is open");
        gone.closes_for(CloseReason::Done, "an end in the middle")
            .await;
        for peer in silent {
            peer.closes_for(CloseReason::NoHello, "silence in the middle")
                .await;
        }
        mute.ends_with(CloseReason::NoHello, "silence").await;
    });
    meeting.ends_unharmed(BOUND_KIB);
}

#[test]
fn versions_that_the_relay_does_not_speak() {
    let meeting = Meeting::begin();
    run(async {
        for version in [0, 1, 3, u16::MAX] {
            let mut peer = Peer::connect(meeting.relay.port(), Windows::Usual).await;
            let mut said = hello(meeting.room(), Role::Member);
            if let ToRelay::Hello { version: field, .. } = &mut said {
                *field = version;
            }
            peer.say(&said).await;
            peer.closes_for(CloseReason::Version, "another version")
                .await;
        }
        // And one whose Hello goes on in a way of its own.
        let mut peer = Peer::connect(meeting.relay.port(), Windows::Usual).await;
        peer.write(&framed(256, 200, &[0, 3])).await;
        peer.closes_for(CloseReason::Version, "another shape").await;
    });
    meeting.ends_unharmed(BOUND_KIB);
}

#[test]
fn messages_at_the_wrong_time() {
    let meeting = Meeting::begin();
    let room = meeting.room();
    let body = vec![0; 40];
    let to = To::Everyone;
    let send = ToRelay::Send { to, body };
    let (participant, track) = (ParticipantId(1), TrackId(0));
    let subscribe = ToRelay::Subscribe { participant, track };
    run(async {
        let port = meeting.relay.port();
        for (what, role, message) in [
            ("Send before Hello", None, &send),
            ("Subscribe before Hello", None, &subscribe),
            (
                "Hello again",
                Some(Role::Member),
                &hello(room, Role::Member),
            ),
            ("Send by a viewer", Some(Role::Viewer), &send),
        ] {
            let mut peer = Peer::connect(port, Windows::Usual).await;
            if let Some(role) = role {
                peer.enter(room, role).await;
            }
            peer.say(message).await;
            peer.closes_for(CloseReason::Unexpected, what).await;
        }
        for role in [None, Some(Role::Viewer)] {
            for group in [false, true] {
                let mut peer = Peer::connect(port, Windows::Usual).await;
                match role {
                    Some(role) => drop(peer.enter(room, role).await),
                    // So that the relay has heard of the control stream.
                    None => peer.write(&[0]).await,
                }
                if group {
                    let mut stream = peer.connection.open_uni().await.expect("a stream");
                    let group = sottovoce::wire::GroupNumber(0);
                    let header = UplinkGroup { track, group }.encode();
                    stream.write_all(&header).await.expect("it is taken");
                } else {
                    let datagram = uplink(track, b"sound");
                    peer.connection.send_datagram(datagram).expect("it fits");
                }
                peer.closes_for(CloseReason::Unexpected, "media by who may send none")
                    .await;
            }
        }
    });
    meeting.ends_unharmed(BOUND_KIB);
}

#[test]
fn more_messages_than_anybody_needs() {
    let meeting = Meeting::begin();
    run(async {
        let mut peer = Peer::connect(meeting.relay.port(), Windows::Usual).await;
        let entered = peer.enter(meeting.room(), Role::Member).await;
        let participant = entered.you;
        let track = TrackId(0);
        let on = encode_control(&ToRelay::Subscribe { participant, track }).expect("a message");
        let many: Bytes = std::iter::repeat_n(on, 6000).flatten().collect();
        let _ = tokio::time::timeout(Duration::from_secs(10), peer.write(&many)).await;
        peer.closes_for(CloseReason::TooMany, "messages").await;

        let mut peer = Peer::connect(meeting.relay.port(), Windows::Usual).await;
        peer.enter(meeting.room(), Role::Member).await;
        // To nobody: counted all the same.
        let to = To::One(ParticipantId(0));
        for _ in 0..60 {
            let body = vec![0; BODY];
            peer.say(&ToRelay::Send { to, body }).await;
        }
        peer.closes_for(CloseReason::TooMany, "bodies").await;
    });
    meeting.ends_unharmed(BOUND_KIB);
}
