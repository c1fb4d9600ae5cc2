//! The host removes somebody, and the relay lets one of the others never know, so that it speaks on
//! under keys that the removed one has.

use sottovoce::meeting::{Command, Freshness, Input, Notice, Rejection};
use sottovoce::wire::FromRelay;

use crate::scene::{PICTURE, SOUND, frame, read, refused, three};
use crate::world::Parcel;

#[test]
fn who_is_kept_from_the_host_is_warned_and_stops_sending() {
    let (mut world, meet) = three();
    let cem = world.join(&meet.guest, "Cem");
    world.seconds(3);
    world.passes = Box::new(|to, _, parcel| {
        to != 2 || !matches!(parcel, Parcel::Control(FromRelay::Message { .. }))
    });
    let who = world.who(0, "Cem");
    world.command(0, Command::Remove(who));
    let told = |world: &crate::world::World, what| {
        let told = &world.nodes[2].told;
        told.contains(&Notice::Chair(what))
    };
    world.seconds(9);
    assert!(!told(&world, Freshness::Stale), "it may be a slow network");
    world.seconds(8);
    assert!(told(&world, Freshness::Stale), "warned after 15 s");
    world.seconds(35);
    assert!(!told(&world, Freshness::Stopped));
    // Until it stops it sends, and a group of its pictures is under way then.
    for number in 0..12 {
        world.send(2, frame(PICTURE, number));
        world.seconds(1);
    }
    assert!(told(&world, Freshness::Stopped), "stops after 60 s");
    let said = |world: &crate::world::World| world.said.iter().filter(|one| one.by == 2).count();
    let (shots, bodies) = (world.shots.len(), said(&world));
    let ended = Input::Ended {
        track: PICTURE,
        frames: 220,
    };
    world.tell(2, ended);
    for number in 0..20 {
        world.send(2, frame(SOUND, number));
        world.send(2, frame(PICTURE, 200 + number));
        world.command(2, Command::Say("something for friends".into()));
        world.seconds(1);
    }
    assert_eq!(world.shots.len(), shots, "not a frame leaves it");
    assert_eq!(said(&world), bodies, "nor a word");
    assert_eq!(refused(&world, 2, Rejection::NotAllowed), 20);
    // Nor when the relay makes it come in again, which sends groups that are under way.
    world.side(2, 0);
    world.seconds(1);
    assert_eq!(world.shots.len(), shots, "not a frame leaves it");
    // It sends again when it has the commit, and then what ended is told.
    world.passes = Box::new(|_, _, _| true);
    world.nodes[2].told.clear();
    let again = (0..400).any(|_| {
        world.run(std::time::Duration::from_millis(20));
        told(&world, Freshness::Well)
    });
    assert!(again && !world.roster(2).contains(&"Cem".to_owned()));
    world.seconds(35);
    world.command(2, Command::Say("here I am".into()));
    assert_eq!(read(&world, 1), ["here I am"]);
    let bea = world.who(1, "Bea");
    assert_eq!(world.nodes[1].ended, [(bea, PICTURE)]);
    assert!(world.nodes[cem].over.is_some());
}
