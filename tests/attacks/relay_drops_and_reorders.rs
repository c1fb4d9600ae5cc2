//! The relay drops handshakes and turns their order around.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use sottovoce::meeting::Command;
use sottovoce::wire::FromRelay;

use crate::scene::{all_is_well, new_link, three};
use crate::world::Parcel;

#[test]
fn commits_that_are_dropped_are_made_good() {
    let (mut world, meet) = three();
    let mut dropped = 0;
    world.passes = Box::new(move |to, _, parcel| {
        let message = matches!(parcel, Parcel::Control(FromRelay::Message { .. }));
        dropped += usize::from(to == 2 && message);
        to != 2 || !message || dropped > 8
    });
    let cem = world.join(&meet.guest, "Cem");
    world.seconds(30);
    all_is_well(&mut world, &[0, 1, 2, cem]);
}

/// What is said about a move comes through the room that is left, too, and may come after somebody else
/// has come in: then there is another epoch, and no room of it.
#[test]
fn a_late_word_of_a_move_leads_nowhere() {
    let (mut world, meet) = three();
    let cem = world.join(&meet.guest, "Cem");
    world.seconds(4);
    let dan = world.join(&meet.guest, "Dan");
    world.seconds(4);
    let who = world.who(0, "Cem");
    world.command(0, Command::Remove(who));
    let old = world.nodes[2].main;
    world.run(Duration::from_millis(400));
    let held = Rc::new(RefCell::new(Vec::new()));
    let keep = held.clone();
    world.passes = Box::new(move |to, stay, parcel| {
        let message = matches!(parcel, Parcel::Control(FromRelay::Message { .. }));
        let holds = to == 2 && Some(stay) == old && message;
        if holds {
            keep.borrow_mut().push((stay, parcel.clone()));
        }
        !holds
    });
    let who = world.who(0, "Dan");
    world.command(0, Command::Remove(who));
    world.run(Duration::from_millis(400));
    let eve = world.join(&new_link(&world, 0), "Eve");
    world.seconds(1);
    assert!(world.nodes[eve].inside);
    world.passes = Box::new(|_, _, _| true);
    assert!(held.borrow().len() > 1);
    for (stay, parcel) in held.take() {
        world.inject(2, stay, parcel);
        assert!(world.main_room(2) == world.main_room(0));
    }
    all_is_well(&mut world, &[0, 1, 2, eve]);
    assert!(world.nodes[cem].over.is_some() && world.nodes[dan].over.is_some());
}

#[test]
fn commits_whose_order_is_turned_around_are_refused_and_made_good() {
    let (mut world, meet) = three();
    let held = Rc::new(RefCell::new(Vec::new()));
    let keep = held.clone();
    world.passes = Box::new(move |to, stay, parcel| {
        let message = matches!(parcel, Parcel::Control(FromRelay::Message { .. }));
        if to == 2 && message {
            keep.borrow_mut().push((stay, parcel.clone()));
        }
        to != 2 || !message
    });
    let cem = world.join(&meet.guest, "Cem");
    world.seconds(3);
    let dan = world.join(&meet.guest, "Dan");
    world.seconds(3);
    assert_eq!(world.roster(2).len(), 3, "nothing has reached it");
    world.passes = Box::new(|_, _, _| true);
    let late: Vec<_> = held.borrow_mut().drain(..).rev().collect();
    assert!(late.len() > 4);
    for (stay, parcel) in late {
        world.inject(2, stay, parcel);
    }
    world.seconds(30);
    all_is_well(&mut world, &[0, 1, 2, cem, dan]);
}
