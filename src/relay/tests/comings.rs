//! Coming, going, and what one says to the others.

use super::*;

fn joined(who: Person) -> FromRelay {
    FromRelay::Joined {
        participant: who.id,
    }
}

fn left(who: Person) -> FromRelay {
    FromRelay::Left {
        participant: who.id,
    }
}

#[test]
fn members_learn_of_each_other_and_the_room_goes_with_the_last() {
    let mut relay = Relay::new();
    let first = relay.member();
    assert!(
        relay.control(first)
            == [FromRelay::Welcome {
                you: first.id,
                present: vec![]
            }]
    );
    let second = relay.member();
    let present = vec![first.id];
    assert!(
        relay.control(second)
            == [FromRelay::Welcome {
                you: second.id,
                present
            }]
    );
    assert!(relay.control(first) == [joined(second)]);
    relay.leave(first);
    assert!(relay.control(second) == [left(first)]);
    assert_eq!(relay.rooms.census().rooms, 1);
    relay.leave(second);
    relay.pass(Duration::from_secs(10));
    assert_eq!(relay.rooms.census(), Default::default());
    let third = relay.member();
    assert!(
        relay.control(third)
            == [FromRelay::Welcome {
                you: third.id,
                present: vec![]
            }]
    );
}

#[test]
fn members_alone_may_send_groups_at_full_speed() {
    let mut relay = Relay::new();
    let (member, viewer) = (relay.member(), relay.viewer());
    assert!(relay.inbox(member).wide);
    assert!(!relay.inbox(viewer).wide);
}

#[test]
fn rooms_know_nothing_of_each_other() {
    let mut relay = Relay::new();
    let here = relay.member();
    let there = relay.enter(RoomHandle([8; 32]), Role::Member);
    relay.subscribe(there, here, AUDIO);
    relay.send(here, To::Everyone, b"hello");
    relay.send(here, To::One(there.id), b"hello");
    relay.speak(here, b"hello");
    relay.pass_beat();
    relay.leave(here);
    assert!(
        relay.control(there)
            == [FromRelay::Welcome {
                you: there.id,
                present: vec![]
            }]
    );
    assert!(relay.heard(there).is_empty());
    assert_eq!(relay.rooms.census().rooms, 1);
}

#[test]
fn a_viewer_is_announced_to_nobody_and_told_everything() {
    let mut relay = Relay::new();
    let member = relay.member();
    relay.control(member);
    let viewer = relay.viewer();
    let another = relay.viewer();
    let present = vec![member.id];
    let welcome = FromRelay::Welcome {
        you: viewer.id,
        present: present.clone(),
    };
    assert!(relay.control(viewer) == [welcome]);
    assert!(
        relay.control(another)
            == [FromRelay::Welcome {
                you: another.id,
                present
            }]
    );
    let late = relay.member();
    relay.send(late, To::Everyone, b"hello");
    let message = FromRelay::Message {
        from: late.id,
        body: b"hello".to_vec(),
    };
    assert!(relay.control(viewer) == [joined(late), message]);
    relay.control(member);
    relay.leave(viewer);
    assert!(relay.control(member).is_empty());
    relay.send(member, To::One(another.id), b"psst");
    assert!(
        relay.control(another).len() == 2,
        "joined and hello, and no message of its own"
    );
}

#[test]
fn a_viewer_who_sends_is_closed() {
    let mut relay = Relay::new();
    let (talker, listener) = relay.pair();
    let [one, two, three] = std::array::from_fn(|_| relay.viewer());
    relay.send(one, To::Everyone, b"let me in");
    relay.speak(two, b"let me in");
    relay.begin(three, 1, 0);
    for viewer in [one, two, three] {
        assert_eq!(relay.closed(viewer.peer), Some(CloseReason::Unexpected));
    }
    assert!(relay.hears(listener, talker));
    assert_eq!(relay.rooms.census().participants, 2);
}

#[test]
fn a_message_to_oneself_goes_nowhere() {
    let mut relay = Relay::new();
    let [one, two] = relay.members();
    relay.control(one);
    relay.control(two);
    relay.send(one, To::One(one.id), b"note to self");
    relay.send(one, To::Everyone, b"to all but me");
    assert!(relay.control(one).is_empty());
    assert_eq!(relay.control(two).len(), 1);
    assert_eq!(relay.closed(one.peer), None);
}

#[test]
fn a_message_goes_out_at_once_to_whom_it_is_for() {
    let mut relay = Relay::new();
    let [one, two, three] = relay.members();
    for who in [one, two, three] {
        relay.control(who);
    }
    let message = |from: Person, body: &[u8]| FromRelay::Message {
        from: from.id,
        body: body.to_vec(),
    };
    relay.send(one, To::Everyone, b"all");
    relay.send(two, To::One(three.id), b"one");
    relay.send(two, To::One(ParticipantId(0)), b"nobody");
    assert!(relay.control(one).is_empty());
    assert!(relay.control(two) == [message(one, b"all")]);
    assert!(relay.control(three) == [message(one, b"all"), message(two, b"one")]);
    assert!(relay.beats.is_empty());
}

#[test]
fn the_first_message_is_hello_and_no_other() {
    let mut relay = Relay::new();
    let member = relay.member();
    let early = relay.connect();
    relay.tell(
        early,
        &ToRelay::Send {
            to: To::Everyone,
            body: vec![1],
        },
    );
    assert_eq!(relay.closed(early), Some(CloseReason::Unexpected));
    let early = relay.connect();
    relay.event(Event::Datagram(early, uplink(AUDIO, b"x")));
    assert_eq!(relay.closed(early), Some(CloseReason::Unexpected));
    let early = relay.connect();
    relay.event(Event::GroupOpened(early, incoming(3)));
    assert_eq!(relay.closed(early), Some(CloseReason::Unexpected));
    relay.hello(member.peer, ROOM, Role::Member);
    assert_eq!(relay.closed(member.peer), Some(CloseReason::Unexpected));
}

#[test]
fn who_does_not_say_hello_is_closed_in_time() {
    let mut relay = Relay::new();
    let silent = relay.connect();
    relay.pass(Duration::from_millis(4_900));
    let polite = relay.connect();
    relay.hello(polite, ROOM, Role::Member);
    assert_eq!(relay.closed(silent), None);
    relay.pass(Duration::from_millis(200));
    assert_eq!(relay.closed(silent), Some(CloseReason::NoHello));
    relay.pass(Duration::from_secs(10));
    assert_eq!(relay.carrier.inboxes[&polite].closed, None);
}

#[test]
fn another_version_is_told_so_whatever_else_it_says() {
    let mut relay = Relay::new();
    let newer = relay.connect();
    relay.tell(
        newer,
        &ToRelay::Hello {
            version: VERSION + 1,
            room: ROOM,
            role: Role::Viewer,
            pass: None,
        },
    );
    assert_eq!(relay.closed(newer), Some(CloseReason::Version));
    let strange = relay.connect();
    let mut bytes = vec![0, 64, 0, 12, 0, 9];
    bytes.resize(16, 0xff);
    bytes.resize(66, 0);
    relay.event(Event::Control(strange, bytes.into()));
    assert_eq!(relay.closed(strange), Some(CloseReason::Version));
    assert_eq!(relay.rooms.census().rooms, 0);
}

#[test]
fn what_does_not_decode_closes_its_sender_alone() {
    let mut relay = Relay::new();
    let (talker, listener) = relay.pair();
    let [one, two, three, four] = relay.members();
    relay.event(Event::Control(one.peer, Bytes::from_static(&[0, 1, 2, 3])));
    relay.event(Event::Datagram(two.peer, Bytes::new()));
    relay.open(three, 5);
    relay.data(three, 5, &[0xee; 6]);
    relay.open(four, 5);
    relay.data(four, 5, &[1, 2]);
    relay.finish(four, 5);
    for offender in [one, two, three, four] {
        assert_eq!(relay.closed(offender.peer), Some(CloseReason::Malformed));
    }
    assert!(relay.hears(listener, talker));
}

#[test]
fn a_control_message_in_pieces_is_one_message() {
    let mut relay = Relay::new();
    let peer = relay.connect();
    let hello = ToRelay::Hello {
        version: VERSION,
        room: ROOM,
        role: Role::Member,
        pass: None,
    };
    for byte in encode_control(&hello).unwrap() {
        assert!(!relay.carrier.inboxes.contains_key(&peer));
        relay.event(Event::Control(peer, Bytes::copy_from_slice(&[byte])));
    }
    assert!(relay.carrier.inboxes.contains_key(&peer));
}

#[test]
fn a_finished_control_stream_is_a_goodbye() {
    let mut relay = Relay::new();
    let [one, two] = relay.members();
    relay.control(two);
    relay.event(Event::ControlFinished(one.peer));
    assert_eq!(relay.closed(one.peer), Some(CloseReason::Done));
    assert!(relay.control(two) == [left(one)]);
}

#[test]
fn a_relay_that_stops_tells_everyone() {
    let mut relay = Relay::new();
    let [one, two] = relay.members();
    let silent = relay.connect();
    relay
        .rooms
        .close_all(relay.now, CloseReason::Restarting, &mut relay.carrier);
    for peer in [one.peer, two.peer, silent] {
        assert_eq!(relay.closed(peer), Some(CloseReason::Restarting));
    }
    assert_eq!(relay.rooms.census(), Default::default());
    assert_eq!(relay.rooms.deadline(), None);
    relay.event(Event::Closed(one.peer));
}
