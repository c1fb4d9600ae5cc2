//! Two knock at once, and the relay gives each the other's welcome.

use std::cell::RefCell;
use std::rc::Rc;

use sottovoce::meeting::Command;
use sottovoce::wire::FromRelay;

use crate::own::room;
use crate::scene::{all_is_well, knocks, meet};
use crate::world::{Parcel, World};

#[test]
fn neither_gets_in_by_the_others() {
    let meet = meet(0);
    let mut world = World::new();
    world.join_as(&meet.host, "Host", false, false);
    world.seconds(1);
    let ada = world.join(&meet.guest, "Ada");
    let bea = world.join(&meet.guest, "Bea");
    world.seconds(1);
    let lobby = room(&meet.link_secret());
    let stay = |world: &World, index| world.stay(index, lobby).unwrap();
    let (at_ada, at_bea) = (stay(&world, ada), stay(&world, bea));
    let kept = Rc::new(RefCell::new(Vec::new()));
    let keep = kept.clone();
    world.passes = Box::new(move |to, _, parcel| {
        let message = matches!(parcel, Parcel::Control(FromRelay::Message { .. }));
        if (to == ada || to == bea) && message {
            keep.borrow_mut().push((to, parcel.clone()));
            return false;
        }
        true
    });
    for (number, _) in knocks(&world, 0) {
        world.command(0, Command::Admit(number));
    }
    // The second waits until the first is there, for three seconds.
    world.seconds(4);
    assert_eq!(world.roster(0).len(), 3, "both are admitted");
    let kept: Vec<_> = kept.borrow_mut().drain(..).collect();
    assert!(kept.len() >= 2);
    let before: Vec<usize> = [ada, bea]
        .map(|one| world.nodes[one].rejected.len())
        .to_vec();
    for (to, parcel) in kept {
        let (other, at) = if to == ada {
            (bea, at_bea)
        } else {
            (ada, at_ada)
        };
        world.inject(other, at, parcel);
    }
    for (index, before) in [ada, bea].iter().zip(before) {
        assert!(!world.nodes[*index].inside);
        assert!(world.nodes[*index].rejected.len() > before, "refused");
    }
    world.passes = Box::new(|_, _, _| true);
    world.seconds(40);
    all_is_well(&mut world, &[0, ada, bea]);
    assert_eq!(world.names(ada), ["Bea", "Host"], "each is itself");
}
