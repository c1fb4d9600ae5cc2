//! Every bound, gone past: the offender is told why, everyone else goes on.

use super::*;
use crate::relay::guests::Guest;
use crate::relay::limits::*;
use crate::relay::room::{Member, Seat};
use crate::wire::limits::{AUDIO_PAYLOAD, BODY, SIZE_CLASSES};

/// A relay with a pair that talks, and an offender in the same room.
pub(super) fn company() -> (Relay, Person, Person, Person) {
    company_with(Limits::default())
}

pub(super) fn company_with(limits: Limits) -> (Relay, Person, Person, Person) {
    let mut relay = Relay::with(limits);
    let (talker, listener) = relay.pair();
    let offender = relay.member();
    (relay, talker, listener, offender)
}

pub(super) fn closed_for(relay: &mut Relay, offender: Peer, reason: CloseReason) {
    assert_eq!(relay.closed(offender), Some(reason));
    relay.event(Event::Closed(offender));
}

#[test]
fn control_messages() {
    let (mut relay, talker, listener, offender) = company();
    let back = ToRelay::Unsubscribe {
        participant: talker.id,
        track: AUDIO,
    };
    for _ in 0..MESSAGES_BURST - 1 {
        relay.tell(offender.peer, &back);
    }
    assert_eq!(relay.closed(offender.peer), None);
    relay.tell(offender.peer, &back);
    closed_for(&mut relay, offender.peer, CloseReason::TooMany);
    assert!(relay.hears(listener, talker));
}

#[test]
fn bodies() {
    let (mut relay, talker, listener, offender) = company();
    for _ in 0..BODIES_BURST / BODY as u32 {
        relay.send(offender, To::Everyone, &[0; BODY]);
        assert_eq!(relay.closed(offender.peer), None);
    }
    relay.send(offender, To::Everyone, &[0; BODY]);
    closed_for(&mut relay, offender.peer, CloseReason::TooMany);
    assert!(relay.hears(listener, talker));
}

#[test]
fn small_bodies() {
    let (mut relay, talker, listener, offender) = company();
    for _ in 0..=BODIES_BURST / BODY_COST {
        assert_eq!(relay.closed(offender.peer), None);
        relay.send(offender, To::One(talker.id), b"!");
    }
    closed_for(&mut relay, offender.peer, CloseReason::TooMany);
    assert!(relay.hears(listener, talker));
}

#[test]
fn the_length_of_a_body() {
    let (mut relay, talker, listener, offender) = company();
    relay.send(offender, To::Everyone, &[0; BODY]);
    assert_eq!(relay.closed(offender.peer), None);
    // Our own encoder makes no longer one: `Send` to everyone, with its length in postcard.
    let length = BODY + 1;
    let mut used = vec![
        1,
        0,
        length as u8 | 0x80,
        (length >> 7) as u8 | 0x80,
        (length >> 14) as u8,
    ];
    used.resize(used.len() + length, 0);
    let largest = SIZE_CLASSES[SIZE_CLASSES.len() - 1];
    let mut bytes = [
        (largest as u16).to_be_bytes(),
        (used.len() as u16).to_be_bytes(),
    ]
    .concat();
    bytes.extend(used);
    bytes.resize(2 + largest, 0);
    relay.event(Event::Control(offender.peer, bytes.into()));
    closed_for(&mut relay, offender.peer, CloseReason::TooLarge);
    assert!(relay.hears(listener, talker));
}

#[test]
fn the_length_of_a_datagram() {
    let (mut relay, talker, listener, offender) = company();
    relay.speak(offender, &[0; AUDIO_PAYLOAD]);
    assert_eq!(relay.closed(offender.peer), None);
    relay.speak(offender, &[0; AUDIO_PAYLOAD + 1]);
    closed_for(&mut relay, offender.peer, CloseReason::TooLarge);
    assert!(relay.hears(listener, talker));
}

#[test]
fn datagrams_of_one_beat() {
    let (mut relay, talker, listener, offender) = company();
    relay.subscribe(listener, offender, AUDIO);
    for number in 0..SENDER_DATAGRAMS as u8 + 9 {
        relay.speak(offender, &[number]);
    }
    relay.speak(talker, b"hello");
    relay.pass_beat();
    let heard = relay.heard(listener);
    let (flood, talk): (Vec<_>, Vec<_>) = heard.iter().partition(|(id, _)| *id == offender.id);
    assert_eq!(talk.len(), 1);
    assert_eq!(flood.len(), SENDER_DATAGRAMS);
    assert_eq!(flood[0].1[0], 9, "the oldest make room");
    assert_eq!(flood[flood.len() - 1].1[0], SENDER_DATAGRAMS as u8 + 8);
}

#[test]
fn the_rate_of_datagrams() {
    let (mut relay, talker, listener, offender) = company();
    relay.subscribe(listener, offender, AUDIO);
    let mut bytes = 0;
    for _ in 0..500 {
        for _ in 0..30 {
            relay.speak(offender, &[0; 1000]);
        }
        relay.pass_beat();
        bytes += relay
            .heard(listener)
            .iter()
            .map(|(_, frame)| frame.len())
            .sum::<usize>();
    }
    let most = (DATAGRAM_BURST + 10 * DATAGRAM_RATE) as usize;
    assert!(bytes <= most && bytes > most - 50_000, "{bytes} of {most}");
    assert_eq!(relay.closed(offender.peer), None);
    assert!(relay.hears(listener, talker));
}

/// Small ones are not free.
#[test]
fn the_rate_of_empty_datagrams() {
    let (mut relay, talker, listener, offender) = company();
    relay.subscribe(listener, offender, AUDIO);
    let (mut heard, seconds) = (0, 10);
    for _ in 0..seconds * 50 {
        for _ in 0..SENDER_DATAGRAMS {
            relay.speak(offender, b"");
        }
        relay.pass_beat();
        heard += relay.heard(listener).len();
    }
    let most = (DATAGRAM_BURST + seconds * DATAGRAM_RATE) / DATAGRAM_COST;
    assert!(heard <= most as usize, "{heard} of {most}");
    assert_eq!(relay.closed(offender.peer), None);
    assert!(relay.hears(listener, talker));
}

#[test]
fn datagrams_of_one_room() {
    let (mut relay, talker, listener, _) = company();
    let flooders: Vec<_> = (0..ROOM_DATAGRAMS / SENDER_DATAGRAMS + 20)
        .map(|_| relay.member())
        .collect();
    for &flooder in &flooders {
        relay.subscribe(listener, flooder, AUDIO);
        for _ in 0..SENDER_DATAGRAMS {
            relay.speak(flooder, b"x");
        }
    }
    relay.speak(talker, b"a voice");
    relay.pass_beat();
    let heard = relay.heard(listener);
    assert!(heard.len() <= ROOM_DATAGRAMS + FAIR_SHARE * flooders.len() + 1);
    assert!(heard.len() >= ROOM_DATAGRAMS);
    assert_eq!(heard.iter().filter(|(id, _)| *id == talker.id).count(), 1);
}

/// What a beat builds for someone who asked for everything: the newest frames, in their order.
#[test]
fn bytes_of_one_beat_for_one_listener() {
    let (mut relay, talker, listener, everything) = company();
    let flooders: Vec<_> = (0..20).map(|_| relay.member()).collect();
    for &flooder in &flooders {
        relay.subscribe(everything, flooder, AUDIO);
    }
    let frame = |number: u32| {
        let mut frame = number.to_be_bytes().to_vec();
        frame.resize(800 + number as usize % 200, 0);
        frame
    };
    let last = 20 * 10 - 1;
    for number in 0..=last {
        relay.speak(flooders[number as usize % 20], &frame(number));
    }
    relay.speak(talker, b"a voice");
    relay.pass_beat();
    let bundles = &relay.inbox(everything).bundles;
    let bytes: usize = bundles.iter().map(Bytes::len).sum();
    assert!(
        bytes <= LISTENER_BYTES && bytes > LISTENER_BYTES - 1024,
        "{bytes}"
    );
    let heard = relay.heard(everything);
    let first = last + 1 - heard.len() as u32;
    for (number, (_, heard)) in (first..=last).zip(&heard) {
        assert!(*heard == frame(number));
    }
    assert_eq!(
        relay.heard(listener).len(),
        1,
        "who asks for less loses nothing"
    );
    assert!(relay.hears(listener, talker));
}

#[test]
fn track_numbers() {
    let (mut relay, talker, listener, one) = company();
    let [two, three] = relay.members();
    relay.event(Event::Datagram(one.peer, uplink(TrackId(TRACKS), b"x")));
    closed_for(&mut relay, one.peer, CloseReason::TooMany);
    relay.open(two, 1);
    let header = UplinkGroup {
        track: TrackId(TRACKS),
        group: GroupNumber(3),
    }
    .encode();
    relay.data(two, 1, &header);
    closed_for(&mut relay, two.peer, CloseReason::TooMany);
    relay.subscribe(three, talker, TrackId(TRACKS - 1));
    assert_eq!(relay.closed(three.peer), None);
    relay.subscribe(three, talker, TrackId(TRACKS));
    closed_for(&mut relay, three.peer, CloseReason::TooMany);
    assert!(relay.hears(listener, talker));
}

#[test]
fn subscriptions() {
    let (mut relay, talker, listener, offender) = company();
    let crowd: Vec<_> = (0..SUBSCRIPTIONS / u32::from(TRACKS))
        .map(|_| relay.member())
        .collect();
    let all = crowd
        .iter()
        .flat_map(|&who| (0..TRACKS).map(move |track| (who, track)));
    for (number, (who, track)) in all.enumerate() {
        relay.subscribe(offender, who, TrackId(track));
        if number % 200 == 0 {
            relay.pass(Duration::from_secs(1));
        }
    }
    assert_eq!(relay.closed(offender.peer), None);
    relay.subscribe(offender, talker, AUDIO);
    closed_for(&mut relay, offender.peer, CloseReason::TooMany);
    assert!(relay.hears(listener, talker));
}

#[test]
fn incoming_streams() {
    let (mut relay, talker, listener, offender) = company();
    for stream in 0..UPLOADS as u64 {
        relay.open(offender, stream);
    }
    assert_eq!(relay.closed(offender.peer), None);
    relay.open(offender, 99);
    closed_for(&mut relay, offender.peer, CloseReason::TooMany);
    assert!(relay.hears(listener, talker));
}

#[test]
fn a_receiver_that_takes_no_control_messages() {
    let (mut relay, talker, listener, offender) = company();
    relay.carrier.deaf.push(offender.peer);
    relay.control(listener);
    relay.send(talker, To::Everyone, b"hello");
    closed_for(&mut relay, offender.peer, CloseReason::TooSlow);
    let news = relay.control(listener);
    assert!(news.contains(&FromRelay::Message {
        from: talker.id,
        body: b"hello".to_vec()
    }));
    assert!(news.contains(&FromRelay::Left {
        participant: offender.id
    }));
    assert!(relay.hears(listener, talker));
}

#[test]
fn receivers_that_are_all_deaf_go_together() {
    let (mut relay, talker, listener, _) = company();
    let deaf: Vec<_> = (0..50).map(|_| relay.member().peer).collect();
    relay.carrier.deaf.clone_from(&deaf);
    relay.send(talker, To::Everyone, b"hello");
    for peer in deaf {
        closed_for(&mut relay, peer, CloseReason::TooSlow);
    }
    assert_eq!(relay.rooms.census().participants, 3);
    assert!(relay.hears(listener, talker));
}

#[test]
fn members_of_a_room() {
    let limits = Limits {
        members_per_room: 3,
        ..Limits::default()
    };
    let (mut relay, talker, listener, _) = company_with(limits);
    let offender = relay.connect();
    relay.hello(offender, ROOM, Role::Member);
    closed_for(&mut relay, offender, CloseReason::RoomFull);
    relay.viewer();
    relay.enter(RoomHandle([1; 32]), Role::Member);
    assert!(relay.hears(listener, talker));
}

#[test]
fn participants_of_a_room() {
    let limits = Limits {
        participants_per_room: 3,
        ..Limits::default()
    };
    let (mut relay, talker, listener, third) = company_with(limits);
    let offender = relay.connect();
    relay.hello(offender, ROOM, Role::Viewer);
    closed_for(&mut relay, offender, CloseReason::RoomFull);
    assert!(relay.hears(listener, talker));
    relay.leave(third);
    relay.viewer();
}

#[test]
fn participants_of_the_relay() {
    let limits = Limits {
        participants: 3,
        ..Limits::default()
    };
    let (mut relay, talker, listener, third) = company_with(limits);
    let offender = relay.connect();
    relay.hello(offender, RoomHandle([1; 32]), Role::Member);
    closed_for(&mut relay, offender, CloseReason::RelayFull);
    assert!(relay.hears(listener, talker));
    relay.leave(third);
    relay.viewer();
}

#[test]
fn rooms_of_the_relay() {
    let limits = Limits {
        rooms: 1,
        ..Limits::default()
    };
    let (mut relay, talker, listener, _) = company_with(limits);
    let offender = relay.connect();
    relay.hello(offender, RoomHandle([1; 32]), Role::Member);
    closed_for(&mut relay, offender, CloseReason::RelayFull);
    relay.member();
    assert!(relay.hears(listener, talker));
}

#[test]
fn connections_that_say_nothing() {
    let limits = Limits {
        participants: 3,
        ..Limits::default()
    };
    let (mut relay, talker, listener, _) = company_with(limits);
    for _ in 0..GREETINGS {
        let silent = relay.connect();
        assert_eq!(relay.closed(silent), None);
    }
    let offender = relay.connect();
    closed_for(&mut relay, offender, CloseReason::RelayFull);
    assert!(relay.hears(listener, talker));
}

#[test]
fn a_participant_who_does_nothing_costs_little() {
    let mut relay = Relay::new();
    let members: Vec<_> = (0..100).map(|_| relay.member()).collect();
    for &who in &members {
        for &other in &members {
            relay.subscribe(who, other, AUDIO);
        }
    }
    let (_, room) = relay.rooms.rooms.iter().next().unwrap();
    let fixed = size_of::<Guest>() + size_of::<Seat>() + size_of::<Member>() + 64;
    let words = room
        .stands
        .iter()
        .flatten()
        .map(|seat| seat.selection.words.capacity());
    let most = fixed + 8 * words.max().unwrap_or(0);
    assert!(most <= 1024, "{most} bytes");
}
