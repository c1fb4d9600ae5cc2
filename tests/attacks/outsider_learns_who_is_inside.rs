//! Somebody with only the meeting link wants to know who is in the meeting, or how many are.

use sottovoce::meeting::group::LeafName;
use sottovoce::wire::To;

use crate::own::{Plain, open, room};
use crate::rogue::{Line, Wanting};
use crate::scene::meet;
use crate::world::World;

/// All that somebody who waits in the lobby can open, by kind and length, with so many inside.
fn seen(inside: usize) -> Vec<(usize, usize)> {
    let meet = meet(0);
    let mut world = World::new();
    world.join(&meet.host, "Host");
    world.seconds(1);
    for index in 0..inside {
        let name = "guest of some name".repeat(index + 1);
        world.join(&meet.guest, &name);
        world.seconds(2);
    }
    world.command(0, sottovoce::meeting::Command::AdmitAll(false));
    world.seconds(1);
    // All of what is said from here on.
    let before = world.said.len();
    let eve = Wanting::new(LeafName::member("Eve", [3; 16]), 3);
    let outcome = eve.knock(&mut world, &meet.guest, meet.link_secret(), None, 20);
    assert!(outcome.is_err());
    let secret = meet.link_secret();
    assert!(
        world.main_room(0) != room(&secret),
        "the main room is another one"
    );
    let mut seen = Vec::new();
    for said in &world.said[before..] {
        let opened = open(&secret, said.from, &said.body);
        assert_eq!(
            opened.is_some(),
            said.room == room(&secret),
            "only what the lobby has"
        );
        if let Some(Plain::Lobby(body)) = opened {
            let kind = postcard::to_allocvec(&body).expect("encodes")[0];
            seen.push((usize::from(kind), said.body.len()));
        }
    }
    seen
}

#[test]
fn the_lobby_says_the_same_whoever_is_inside() {
    let alone = seen(0);
    assert!(!alone.is_empty());
    assert_eq!(alone, seen(1));
    assert_eq!(alone, seen(4));
}

#[test]
fn the_main_room_is_not_to_be_found_and_knows_no_stranger() {
    let meet = meet(0);
    let mut world = World::new();
    world.join(&meet.host, "Host");
    world.seconds(1);
    world.join(&meet.guest, "Ada");
    world.seconds(3);
    let main = world.main_room(0);
    let said = |line: &mut Line, world: &mut World, plain: &Plain| {
        let before = world.nodes[0].rejected.len();
        let body = line.envelope.seal(To::Everyone, plain);
        let (stay, id) = (world.main(0), line.id(world));
        world.inject_message(0, stay, id, &body);
        world.nodes[0].rejected.len() - before
    };
    // Were the relay to lead Eve there all the same: the envelope is another one.
    let mut line = Line::new(&mut world, meet.link_secret());
    assert_eq!(said(&mut line, &mut world, &Plain::Behind { epoch: 0 }), 1);
    for body in world.said.iter().filter(|said| said.room == main) {
        assert!(open(&meet.link_secret(), body.from, &body.body).is_none());
    }
}
