//! The relay made a co-host believe for a while that the host is gone, and kept from one member what that
//! co-host said in the chair. When it holds back a removal later it plays that, so that the member should
//! think itself in touch.

use std::cell::RefCell;
use std::rc::Rc;

use sottovoce::meeting::{Command, Freshness, Notice};
use sottovoce::wire::FromRelay;

use crate::scene::meet;
use crate::world::{Parcel, World};

#[test]
fn the_member_stops_sending_about_as_soon() {
    let meet = meet(1);
    let mut world = World::new();
    world.join(&meet.host, "Host");
    world.seconds(1);
    let first = world.join(&meet.co_hosts[0], "First");
    let ada = world.join(&meet.guest, "Ada");
    world.join(&meet.guest, "Cem");
    world.seconds(3);
    let [host_id, first_id] = [0, first].map(|one| world.main_id(one));
    let kept = Rc::new(RefCell::new(Vec::new()));
    let keep = kept.clone();
    world.passes = Box::new(move |to, stay, parcel| {
        let Parcel::Control(FromRelay::Message { from, .. }) = parcel else {
            return true;
        };
        if to == ada && *from == first_id {
            keep.borrow_mut().push((stay, parcel.clone()));
            return false;
        }
        // In whatever room.
        to != first || *from == first_id
    });
    world.seconds(27);
    assert!(world.nodes[first].told.contains(&Notice::InTheChair(true)));
    let keep = kept.clone();
    let held_back = Rc::new(RefCell::new(false));
    let all = held_back.clone();
    world.passes = Box::new(move |to, stay, parcel| {
        let Parcel::Control(FromRelay::Message { from, .. }) = parcel else {
            return true;
        };
        if to == ada && *from == first_id {
            keep.borrow_mut().push((stay, parcel.clone()));
        }
        !(to == ada && (*from == first_id || (*all.borrow() && *from == host_id)))
    });
    world.seconds(6);
    assert!(world.nodes[first].told.contains(&Notice::InTheChair(false)));
    world.seconds(7);
    let beats = kept.borrow().len();
    assert!((2..8).contains(&beats), "some were kept: {beats}");
    *held_back.borrow_mut() = true;
    let who = world.who(0, "Cem");
    world.command(0, Command::Remove(who));
    world.seconds(25);
    for (stay, parcel) in kept.take() {
        world.inject(ada, stay, parcel);
    }
    let stopped = Notice::Chair(Freshness::Stopped);
    world.seconds(27);
    assert!(!world.nodes[ada].told.contains(&stopped));
    world.seconds(12);
    assert!(world.nodes[ada].told.contains(&stopped), "within 64 s");
}
