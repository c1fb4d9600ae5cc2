//! The host removes somebody, and the relay lets one of the others never know, so that it speaks on
//! under keys that the removed one has.

use sottovoce::meeting::{Command, Freshness, Notice};
use sottovoce::wire::FromRelay;

use crate::scene::{SOUND, frame, three};
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
    world.seconds(12);
    assert!(told(&world, Freshness::Stopped), "stops after 60 s");
    let before = world.shots.len();
    for number in 0..20 {
        world.send(2, frame(SOUND, number));
        world.seconds(1);
    }
    assert_eq!(world.shots.len(), before, "not a frame leaves it");
    assert!(world.nodes[cem].over.is_some());
}
