//! A relay that serves only those who have its pass.

use super::super::access::{Access, Passes};
use super::super::config::{AccessConfig, Who};
use super::*;
use crate::carrier::certificate::Identity;
use crate::wire::PassProof;

/// Of the pass in `tests/golden/pass/`, which is the second of the identity 00 01 .. 1f.
fn access(generation: u32) -> Access {
    let config = AccessConfig {
        who: Who::Pass,
        generation,
    };
    let identity = Identity::from_bytes(std::array::from_fn(|index| index as u8));
    Passes::of(&config, &identity).at(&"https://192.0.2.1:4433/".parse().unwrap())
}

/// The room that the pinned proof is for.
const COUNTING: RoomHandle = RoomHandle([
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
    26, 27, 28, 29, 30, 31,
]);

fn proof() -> PassProof {
    let tag = include_str!("../../../tests/golden/pass/tag.hex");
    let tag = data_encoding::HEXLOWER
        .decode(tag.trim().as_bytes())
        .unwrap();
    PassProof {
        nonce: [0xa0; 8],
        tag: tag.try_into().unwrap(),
    }
}

fn relay(generation: u32, limits: Limits) -> Relay {
    let mut relay = Relay::with(limits.clone());
    relay.rooms = Rooms::new(limits, Alone, [42; 32], relay.now).for_those(access(generation));
    relay
}

fn hello(relay: &mut Relay, room: RoomHandle, pass: Option<PassProof>) -> Peer {
    let peer = relay.connect();
    let hello = ToRelay::Hello {
        version: VERSION,
        room,
        role: Role::Member,
        pass,
    };
    relay.tell(peer, &hello);
    peer
}

#[test]
fn who_has_no_pass_is_told_so_and_nothing_else() {
    let one = Limits {
        members_per_room: 1,
        ..Limits::default()
    };
    let mut relay = relay(2, one);
    let inside = hello(&mut relay, COUNTING, Some(proof()));
    assert_eq!(relay.closed(inside), None);
    let mut guessed = proof();
    guessed.tag[15] ^= 1;
    // Whether the room is full, or there at all, is for those who have the pass.
    for (room, pass) in [
        (COUNTING, None),
        (COUNTING, Some(guessed)),
        (ROOM, Some(proof())),
    ] {
        let peer = hello(&mut relay, room, pass);
        assert_eq!(relay.closed(peer), Some(CloseReason::Pass));
    }
    let full = hello(&mut relay, COUNTING, Some(proof()));
    assert_eq!(relay.closed(full), Some(CloseReason::RoomFull));
    let census = relay.rooms.census();
    assert_eq!((census.rooms, census.participants), (1, 1));
}

/// One guess for each connection: what comes after it is not looked at.
#[test]
fn a_second_guess_on_the_same_connection_is_not_heard() {
    let mut relay = relay(2, Limits::default());
    let peer = relay.connect();
    let hello = |pass| {
        let hello = ToRelay::Hello {
            version: VERSION,
            room: COUNTING,
            role: Role::Member,
            pass,
        };
        encode_control(&hello).unwrap()
    };
    let both = [hello(None), hello(Some(proof()))].concat();
    relay.event(Event::Control(peer, both.into()));
    assert_eq!(relay.closed(peer), Some(CloseReason::Pass));
    assert_eq!(relay.rooms.census(), Default::default());
}

#[test]
fn a_pass_is_good_for_two_generations() {
    for (generation, told) in [
        (1, Some(CloseReason::Pass)),
        (2, None),
        (3, None),
        (4, Some(CloseReason::Pass)),
    ] {
        let mut relay = relay(generation, Limits::default());
        let peer = hello(&mut relay, COUNTING, Some(proof()));
        assert_eq!(relay.closed(peer), told, "{generation}");
    }
}

#[test]
fn a_relay_that_serves_everyone_does_not_look_at_passes() {
    let mut relay = Relay::new();
    for pass in [None, Some(proof())] {
        let peer = hello(&mut relay, ROOM, pass);
        assert_eq!(relay.closed(peer), None);
    }
}
