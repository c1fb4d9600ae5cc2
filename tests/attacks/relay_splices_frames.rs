//! The relay hands a frame of one track, sender, group or meeting over as one of another.

use sottovoce::meeting::Command;
use sottovoce::wire::GroupNumber;

use crate::scene::{
    PICTURE, SCREEN, SOUND, all_is_well, another_meet, frame, meet, three, three_of,
};
use crate::world::{Parcel, Shot, World};

/// Ada's sound and picture, which reach nobody by themselves.
fn kept() -> (World, Shot, Shot) {
    let (mut world, _) = three();
    world.passes = Box::new(|_, _, parcel| matches!(parcel, Parcel::Control(_)));
    world.send(1, frame(SOUND, 0));
    world.send(1, frame(PICTURE, 0));
    world.passes = Box::new(|_, _, _| true);
    let [sound, picture] = &world.shots[..] else {
        panic!("two frames");
    };
    let (sound, picture) = (sound.clone(), picture.clone());
    (world, sound, picture)
}

fn nothing_came(world: &World) {
    assert!(world.nodes[2].frames.is_empty());
}

#[test]
fn into_another_track() {
    let (mut world, sound, picture) = kept();
    let stay = world.main(2);
    let (from, first) = (sound.from, GroupNumber(0));
    let before = world.nodes[2].rejected.len();
    world.inject(
        2,
        stay,
        Parcel::GroupFrame(from, SCREEN, first, picture.bytes.clone()),
    );
    world.inject(
        2,
        stay,
        Parcel::GroupFrame(from, PICTURE, first, sound.bytes.clone()),
    );
    world.inject(
        2,
        stay,
        Parcel::GroupFrame(from, SOUND, first, sound.bytes.clone()),
    );
    world.inject(
        2,
        stay,
        Parcel::Datagram(from, SOUND, picture.bytes.clone()),
    );
    world.inject(
        2,
        stay,
        Parcel::Datagram(from, PICTURE, picture.bytes.clone()),
    );
    nothing_came(&world);
    assert!(world.nodes[2].rejected.len() > before);
    // None of that has used the true ones up.
    world.inject(
        2,
        stay,
        Parcel::GroupFrame(from, PICTURE, first, picture.bytes),
    );
    world.inject(2, stay, Parcel::Datagram(from, SOUND, sound.bytes));
    assert_eq!(world.nodes[2].frames.len(), 2);
}

#[test]
fn into_another_group() {
    let (mut world, _, picture) = kept();
    let stay = world.main(2);
    let (from, other) = (picture.from, GroupNumber(1));
    world.inject(
        2,
        stay,
        Parcel::GroupFrame(from, PICTURE, other, picture.bytes.clone()),
    );
    nothing_came(&world);
    let first = GroupNumber(0);
    world.inject(
        2,
        stay,
        Parcel::GroupFrame(from, PICTURE, first, picture.bytes),
    );
    assert_eq!(world.nodes[2].frames.len(), 1);
}

#[test]
fn into_what_another_sends() {
    let (mut world, sound, picture) = kept();
    let (stay, host) = (world.main(2), world.main_id(0));
    world.inject(2, stay, Parcel::Datagram(host, SOUND, sound.bytes));
    let group = GroupNumber(0);
    world.inject(
        2,
        stay,
        Parcel::GroupFrame(host, PICTURE, group, picture.bytes),
    );
    world.seconds(3);
    nothing_came(&world);
    all_is_well(&mut world, &[0, 1, 2]);
}

#[test]
fn into_another_meeting() {
    let (world, sound, picture) = kept();
    let (mut other, _) = three_of(another_meet(1, 43), false);
    assert_eq!(
        other.main_id(1),
        world.main_id(1),
        "even the ids are the same"
    );
    let stay = other.main(2);
    other.inject(2, stay, Parcel::Datagram(sound.from, SOUND, sound.bytes));
    let group = GroupNumber(0);
    other.inject(
        2,
        stay,
        Parcel::GroupFrame(picture.from, PICTURE, group, picture.bytes),
    );
    other.seconds(3);
    nothing_came(&other);
    all_is_well(&mut other, &[0, 1, 2]);
}

#[test]
fn into_another_room_and_a_later_epoch() {
    let (mut world, _) = three();
    let cem = world.join(&meet(1).guest, "Cem");
    world.seconds(3);
    world.passes = Box::new(|_, _, parcel| matches!(parcel, Parcel::Control(_)));
    world.send(1, frame(SOUND, 7));
    world.passes = Box::new(|_, _, _| true);
    let sound = world.shots.last().cloned().expect("a frame");
    let who = world.who(0, "Cem");
    world.command(0, Command::Remove(who));
    world.seconds(6);
    assert!(world.nodes[cem].over.is_some());
    let (stay, ada) = (world.main(2), world.main_id(1));
    world.inject(2, stay, Parcel::Datagram(ada, SOUND, sound.bytes.clone()));
    world.seconds(3);
    world.inject(2, stay, Parcel::Datagram(ada, SOUND, sound.bytes));
    nothing_came(&world);
}
