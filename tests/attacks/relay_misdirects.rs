//! The relay hands what was for one participant to another, or as another's.

use sottovoce::meeting::{Command, Rejection};
use sottovoce::wire::To;

use crate::scene::{all_is_well, read, refused, three};

#[test]
fn what_was_for_another_is_refused() {
    let (mut world, meet) = three();
    let cem = world.join(&meet.guest, "Cem");
    world.seconds(3);
    let room = world.main_room(2);
    let own = world.main_id(2);
    let for_others = |said: &&crate::world::Said| {
        said.room == room && said.by != 2 && matches!(said.to, To::One(id) if id != own)
    };
    let others: Vec<_> = world.said.iter().filter(for_others).cloned().collect();
    assert!(!others.is_empty());
    let before = refused(&world, 2, Rejection::Misdirected) + refused(&world, 2, Rejection::Replay);
    let stay = world.main(2);
    for said in &others {
        world.inject_message(2, stay, said.from, &said.body);
    }
    let after = refused(&world, 2, Rejection::Misdirected) + refused(&world, 2, Rejection::Replay);
    assert_eq!(after - before, others.len() as u64);
    all_is_well(&mut world, &[0, 1, 2, cem]);
}

#[test]
fn a_body_that_was_kept_for_one_alone_does_not_reach_another() {
    let (mut world, meet) = three();
    // All that the host says to a newcomer alone is given to Bea instead, at once.
    let room = world.main_room(2);
    let stay = world.main(2);
    let before = world.said.len();
    let cem = world.join(&meet.guest, "Cem");
    world.passes = Box::new(move |to, _, _| to != 2);
    world.seconds(3);
    world.passes = Box::new(|_, _, _| true);
    let own = world.main_id(2);
    let new: Vec<_> = world.said[before..].to_vec();
    let for_cem = |said: &&crate::world::Said| {
        said.room == room && said.by != 2 && matches!(said.to, To::One(id) if id != own)
    };
    let mut misdirected = 0;
    for said in new.iter().filter(for_cem) {
        let before = refused(&world, 2, Rejection::Misdirected);
        world.inject_message(2, stay, said.from, &said.body);
        misdirected += refused(&world, 2, Rejection::Misdirected) - before;
    }
    assert!(misdirected > 0, "they are new, and not for Bea");
    world.seconds(20);
    all_is_well(&mut world, &[0, 1, 2, cem]);
}

#[test]
fn what_one_said_is_not_taken_as_anothers() {
    let (mut world, _) = three();
    world.passes = Box::new(|to, _, _| to != 2);
    world.command(1, Command::Say("from Ada".into()));
    world.passes = Box::new(|_, _, _| true);
    let said = world.said.last().cloned().expect("said");
    let (host, stay) = (world.main_id(0), world.main(2));
    let before = refused(&world, 2, Rejection::NotAuthentic);
    world.inject_message(2, stay, host, &said.body);
    assert_eq!(refused(&world, 2, Rejection::NotAuthentic), before + 1);
    assert!(read(&world, 2).is_empty());
    world.inject_message(2, stay, said.from, &said.body);
    assert_eq!(
        read(&world, 2),
        ["from Ada"],
        "it was good where it belonged"
    );
}
