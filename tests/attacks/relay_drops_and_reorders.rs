//! The relay drops handshakes and turns their order around.

use std::cell::RefCell;
use std::rc::Rc;

use sottovoce::wire::FromRelay;

use crate::scene::{all_is_well, three};
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
